"""A sorted collection in pieces: what top-k, ORDER BY and min/max keep their rows in.

Owns order and nothing else: an entry is any tuple that never ties with another. One flat list would be simpler, but
inserting into it moves half of it, which at a million rows costs more than all else; so the entries lie in chunks of
a few hundred, as in the `sortedcontainers` package, without its index of positions: nobody here asks for the n-th.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import Any, Final

Entry = tuple[Any, ...]

CHUNK: Final = 512
"""Entries a chunk is cut to when it grew to twice as many: moving 512 pointers costs about what bisecting does."""


class Ordered:
    """Entries in ascending order. Cost: O(log n) comparisons for each call, except iteration and `refill`.

    >>> numbers = Ordered([(1,), (5,)])
    >>> numbers.add((3,)); numbers.remove((1,))
    >>> list(numbers), numbers.first(), numbers.last(), numbers.predecessor((5,))
    ([(3,), (5,)], (3,), (5,), (3,))
    """

    __slots__ = ("_lasts", "chunks", "size")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.refill(sorted(entries))

    def refill(self, entries: list[Entry]) -> None:
        """Hold these entries instead, given in ascending order. Cost: O(entries)."""
        self.chunks = [entries[at : at + CHUNK] for at in range(0, len(entries), CHUNK)]
        self._lasts = [chunk[-1] for chunk in self.chunks]
        self.size = len(entries)

    def __iter__(self) -> Iterator[Entry]:
        for chunk in self.chunks:
            yield from chunk

    def first(self) -> Entry:
        """The least entry; there must be one."""
        return self.chunks[0][0]

    def last(self) -> Entry:
        """The greatest entry; there must be one."""
        return self._lasts[-1]

    def add(self, entry: Entry) -> None:
        """Put an entry in that is not there."""
        chunks, lasts = self.chunks, self._lasts
        self.size += 1
        if not chunks:
            chunks.append([entry])
            lasts.append(entry)
            return
        at = bisect_left(lasts, entry)
        if at == len(lasts):
            at -= 1
            chunk = chunks[at]
            chunk.append(entry)
            lasts[at] = entry
        else:
            chunk = chunks[at]
            insort(chunk, entry)
        if len(chunk) > 2 * CHUNK:
            self._split(at)

    def remove(self, entry: Entry) -> None:
        """Take an entry out that is there."""
        at = bisect_left(self._lasts, entry)
        chunk = self.chunks[at]
        self._delete(at, bisect_left(chunk, entry))

    def replace(self, old: Entry, new: Entry) -> bool:
        """Put `new` for `old`; True when it has other neighbours than `old` had."""
        lasts = self._lasts
        at = bisect_left(lasts, old)
        chunk = self.chunks[at]
        place = bisect_left(chunk, old)
        if not 0 < place < len(chunk) - 1 or len(chunk) <= CHUNK // 4:
            return self._replace_at_edge(at, place, new)
        if chunk[place - 1] < new < chunk[place + 1]:
            chunk[place] = new
            return False
        del chunk[place]  # neither first nor last: `lasts` stays
        to = bisect_left(lasts, new)
        if to < len(lasts) and len(self.chunks[to]) < 2 * CHUNK:
            insort(self.chunks[to], new)
        else:
            self.size -= 1
            self.add(new)
        return True

    def _replace_at_edge(self, at: int, place: int, new: Entry) -> bool:
        chunk = self.chunks[at]
        before, after = self._neighbours(at, place)
        if (before is None or before < new) and (after is None or new < after):
            chunk[place] = new
            self._lasts[at] = chunk[-1]
            return False
        self._delete(at, place)
        self.add(new)
        return True

    def pop_first(self) -> Entry:
        """Take the least entry out."""
        entry = self.chunks[0][0]
        self._delete(0, 0)
        return entry

    def pop_last(self) -> Entry:
        """Take the greatest entry out."""
        entry = self._lasts[-1]
        self._delete(len(self.chunks) - 1, len(self.chunks[-1]) - 1)
        return entry

    def ceiling(self, bound: Entry) -> Entry:
        """The least entry not less than a bound; there must be one."""
        chunk = self.chunks[bisect_left(self._lasts, bound)]
        return chunk[bisect_left(chunk, bound)]

    def since(self, bound: Entry) -> tuple[Entry | None, Iterator[Entry]]:
        """The entry just before a bound, None when there is none, and the entries from the bound on, in order."""
        at = bisect_left(self._lasts, bound)
        if at == len(self.chunks):
            return (self._lasts[-1] if self._lasts else None), iter(())
        place = bisect_left(self.chunks[at], bound)
        return self._neighbours(at, place)[0], self._from(at, place)

    def _from(self, at: int, place: int) -> Iterator[Entry]:
        yield from self.chunks[at][place:]
        for chunk in self.chunks[at + 1 :]:
            yield from chunk

    def count_before(self, bound: Entry) -> int:
        """How many entries are less than a bound. Cost: O(log n) comparisons, and a step for each chunk before."""
        if len(self.chunks) == 1:
            return bisect_left(self.chunks[0], bound)
        at = bisect_left(self._lasts, bound)
        before = sum(map(len, self.chunks[:at]))
        return before if at == len(self.chunks) else before + bisect_left(self.chunks[at], bound)

    def predecessor(self, entry: Entry) -> Entry | None:
        """The entry just before one that is there, or None at the front."""
        at = bisect_left(self._lasts, entry)
        return self._neighbours(at, bisect_left(self.chunks[at], entry))[0]

    def _neighbours(self, at: int, place: int) -> tuple[Entry | None, Entry | None]:
        chunk, chunks = self.chunks[at], self.chunks
        before = chunk[place - 1] if place else (self._lasts[at - 1] if at else None)
        if place + 1 < len(chunk):
            return before, chunk[place + 1]
        return before, chunks[at + 1][0] if at + 1 < len(chunks) else None

    def _delete(self, at: int, place: int) -> None:
        chunk = self.chunks[at]
        del chunk[place]
        self.size -= 1
        if not chunk:
            del self.chunks[at], self._lasts[at]
        elif place == len(chunk):
            self._lasts[at] = chunk[-1]
        if len(chunk) < CHUNK // 4 and chunk and len(self.chunks) > 1:
            self._merge(at if at else 1)

    def _split(self, at: int) -> None:
        chunk = self.chunks[at]
        self.chunks[at : at + 1] = [chunk[:CHUNK], chunk[CHUNK:]]
        self._lasts.insert(at, chunk[CHUNK - 1])

    def _merge(self, at: int) -> None:
        """One chunk of this and the one before it, so that removals leave no long trail of tiny chunks."""
        before = self.chunks[at - 1]
        before.extend(self.chunks[at])
        self._lasts[at - 1] = before[-1]
        del self.chunks[at], self._lasts[at]
        if len(before) > 2 * CHUNK:
            self._split(at - 1)
