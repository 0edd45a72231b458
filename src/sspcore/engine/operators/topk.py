"""TopK: the input in order, or a window of it. Owns which rows are in and where; refuses to know what they mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sspcore.algebra.values import Key, same
from sspcore.engine.operators.base import Delta, Meter, Operator, Row
from sspcore.engine.operators.ordered import Entry, Ordered

EntryOf = Callable[[Key, Row], Entry]
"""From a key and its row to a tuple that sorts as ORDER BY says, ties by key, and ends in the key."""


class TopK(Operator):
    """The rows in order; with a limit or an offset, those at the places offset ≤ place < offset + limit.

    Equation:   Δ(top R) = top(I(ΔR)) − z⁻¹ top(I(ΔR))
    Linearity:  neither: it needs all rows, since one that leaves is replaced by the next
    State:      every row of the input, in order, in three parts: before the window, the window, after it
    Cost:       per changed row O(log n) comparisons, plus at most two rows that cross an edge of the window;
                nothing depends on the size of the window
    Contract:   requires that `entry_of` never ties two keys (they are part of the entry) /
                guarantees that the delta of the first step comes in order.
    Example:
        >>> best = TopK(lambda key, row: (-row[0], key), limit=2, offset=0, meter=Meter())
        >>> best.step([("a", None, (1,)), ("b", None, (5,)), ("c", None, (3,))])
        [('b', None, (5,)), ('c', None, (3,))]
        >>> best.step([("a", (1,), (4,))])
        [('a', None, (4,)), ('c', (3,), None)]
        >>> best.placements(best.moved())
        (('a', 'b'),)
        >>> best.step([("b", (5,), None)]), best.order()
        ([('b', (5,), None), ('c', None, (3,))], ['a', 'c'])

    See also:   traps T3, T11, T16, T50; tests/engine/operators/test_topk.py
    """

    __slots__ = (
        "_after", "_before", "_entries", "_entry_of", "_gathers", "_left", "_limit", "_meter", "_moved", "_now",
        "_offset", "_rows", "_was", "_window",
    )  # fmt: skip

    def __init__(self, entry_of: EntryOf, limit: int | None, offset: int, meter: Meter) -> None:
        self._entry_of = entry_of
        self._limit = limit
        self._offset = offset
        self._meter = meter
        self._entries: dict[Key, Entry] = {}
        self._rows: dict[Key, Row] = {}
        self._before, self._window, self._after = Ordered(), Ordered(), Ordered()
        self._gathers = False
        self._moved: dict[Key, None] = {}
        self._left: dict[Key, Entry] = {}
        self._was: dict[Key, Row | None] = {}
        self._now: dict[Key, Row | None] = {}

    # The step

    def step(self, delta: Delta) -> Delta:
        self._meter.rows += len(delta)
        if not self._gathers:
            self.rest()
        if not self._entries:
            return self._fill(delta)
        self._was, self._now = {}, {}
        after = self._after
        for key, old, new in delta:
            if old is not None and new is not None:
                gone, entry = self._entries[key], self._entry_of(key, new)
                if after.size and not gone < (edge := after.chunks[0][0]) and not entry < edge:
                    self._rows[key] = new  # the common case of a short window: beyond it before and after
                    if entry != gone:
                        self._entries[key] = entry
                        self._meter.probes += 2
                        after.replace(gone, entry)
                else:
                    self._change(key, old, new, gone, entry)
            elif new is not None:
                self._rows[key] = new
                self._entries[key] = entry = self._entry_of(key, new)
                self._insert(entry)
            else:
                self._remove(self._entries.pop(key))
                del self._rows[key]
        now = self._now
        return [(key, old, now[key]) for key, old in self._was.items() if not same(old, now[key])]

    def _fill(self, delta: Delta) -> Delta:
        """The first rows: sorted once rather than one by one."""
        entry_of = self._entry_of
        self._rows = rows = {key: new for key, _, new in delta if new is not None}
        entries = sorted([entry_of(key, row) for key, row in rows.items()])
        self._entries = {entry[-1]: entry for entry in entries}
        start = self._offset
        end = len(entries) if self._limit is None else start + self._limit
        window = entries[start:end]
        self._before.refill(entries[:start])
        self._window.refill(window)
        self._after.refill(entries[end:])
        self._moved |= {entry[-1]: None for entry in window}
        return [(entry[-1], None, rows[entry[-1]]) for entry in window]

    def _change(self, key: Key, old: Row, new: Row, gone: Entry, entry: Entry) -> None:
        part = self._part(gone)
        if entry == gone:
            moved = False
        elif part is self._part(entry):
            self._entries[key] = entry
            self._meter.probes += 2
            moved = part.replace(gone, entry)
        else:
            self._remove(gone)
            self._entries[key] = entry
            self._rows[key] = new
            self._insert(entry)
            return
        self._rows[key] = new
        if part is self._window:
            if key not in self._was:
                self._was[key] = old
            self._now[key] = new
            if moved:
                self._moved[key] = None

    def _part(self, entry: Entry) -> Ordered:
        """Where an entry is, or belongs: the parts follow each other, so their edges tell."""
        after, before = self._after, self._before
        if after.size and not entry < after.first():
            return after
        if before.size and not before.last() < entry:
            return before
        return self._window

    def _remove(self, entry: Entry) -> None:
        part = self._part(entry)
        self._meter.probes += 1
        part.remove(entry)
        if part is self._window:
            self._leave(entry)
        self._settle()

    def _insert(self, entry: Entry) -> None:
        part = self._part(entry)
        self._meter.probes += 1
        part.add(entry)
        if part is self._window:
            self._enter(entry)
        self._settle()

    def _settle(self) -> None:
        """Let rows cross the edges until the parts have their sizes again: one row an edge, after one change."""
        before, window, after, limit = self._before, self._window, self._after, self._limit
        if before.size > self._offset:
            window.add(entry := before.pop_last())
            self._enter(entry)
        elif before.size < self._offset and window.size:
            before.add(entry := window.pop_first())
            self._leave(entry)
        if limit is None:
            return
        if window.size > limit:
            after.add(entry := window.pop_last())
            self._leave(entry)
        elif window.size < limit and after.size:
            window.add(entry := after.pop_first())
            self._enter(entry)

    def _enter(self, entry: Entry) -> None:
        key = entry[-1]
        if key not in self._was:
            self._was[key] = None
        self._now[key] = self._rows[key]
        if self._left.pop(key, None) is not entry:  # else it only made way for a moment: its place is as it was
            self._moved[key] = None
        self._meter.rows += 1

    def _leave(self, entry: Entry) -> None:
        key = entry[-1]
        if key not in self._was:
            self._was[key] = self._rows[key]
        self._now[key] = None
        if key in self._moved:
            del self._moved[key]
        else:
            self._left[key] = entry
        self._meter.rows += 1

    # Order, for ordered views

    def order(self) -> list[Key]:
        """The keys of the window, in order. Cost: O(window)."""
        return [entry[-1] for entry in self._window]

    def moved(self) -> list[Key]:
        """The keys that the last step (with `gather`: those since `rest`) added to the window or moved in it."""
        return list(self._moved)

    def gather(self) -> None:
        """Add up what moves over several steps, until `rest`: a commit of several tables is several steps."""
        self._gathers = True

    def rest(self) -> None:
        """Forget what moved: a new commit begins, which may not reach this operator."""
        if self._moved or self._left:
            self._moved, self._left = {}, {}

    def placements(self, keys: Iterable[Key]) -> tuple[tuple[Key, Key | None], ...]:
        """Each key of the window with its predecessor in it, in final order. Cost: O(log n) a key."""
        window = self._window
        placed = []
        for entry in sorted([self._entries[key] for key in keys]):
            before = window.predecessor(entry)
            placed.append((entry[-1], None if before is None else before[-1]))
        return tuple(placed)
