"""The window of a top-k at run time: the best few rows in order, and a floor below which nothing is kept.

Owns which rows are in it, which are visible, and what moved. Refuses to know rows: generated code says what a row's
entry is, which rows there are, and what a row shows.

Keeping every row in order, as the operator does, costs every change a search. Most changes are far from the top: they
are beyond the floor before and after, and one comparison tells. The price is paid when rows leave the top until too few
are left: then the input is read again (a *refill*). The window adapts: each refill makes it four times as large, so
that a queue worked off from the top refills seldom; each overflow halves it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from heapq import nsmallest
from typing import Final

from sspcore.algebra.values import Key, same
from sspcore.engine.operators.base import Delta, Meter, Row
from sspcore.engine.operators.ordered import Entry

SMALLEST: Final = 64
"""Entries a window begins with, or twice what is visible."""
LARGEST: Final = 1 << 20
"""Beyond this many entries a window does not grow, unless more are visible."""


class Window:
    """The entries up to the floor, in order, those at places lo ≤ place < hi visible.

    Attributes: `floor`, the greatest entry kept when others were dropped; None while all rows are in the window.
    Contract: `place(key, row)` never ties two keys; changes arrive as `leave`, `enter` and `stay` with entries up to
    the floor, then `finish` gives their delta.
    """

    __slots__ = (
        "_collect", "_entries", "_hi", "_left", "_lo", "_meter", "_moved", "_now", "_output", "_place", "_rows",
        "_shown", "_size", "_source", "floor",
    )  # fmt: skip

    def __init__(
        self, lo: int, hi: int, source: Callable[[], Mapping[Key, Row]], meter: Meter,
    ) -> None:  # fmt: skip
        self.floor: Entry | None = None
        self._lo, self._hi = lo, hi
        self._size = max(SMALLEST, 2 * hi)
        self._source = source
        self._meter = meter
        self._entries: list[Entry] = []
        self._rows: dict[Key, Row] = {}
        self._shown: dict[Key, Row] = {}
        self._now: dict[Key, bool] = {}
        self._moved: dict[Key, None] = {}
        self._left: dict[Key, Entry] = {}
        self._place: Callable[[Key, Row], Entry]
        self._output: Callable[[Row], Row]
        self._collect: Callable[[Mapping[Key, Row]], list[Entry]]

    def reads(
        self, place: Callable[[Key, Row], Entry], output: Callable[[Row], Row],
        collect: Callable[[Mapping[Key, Row]], list[Entry]],
    ) -> None:  # fmt: skip
        """Say how rows are read: a row's entry, what it shows, and the entries of all rows that qualify."""
        self._place, self._output, self._collect = place, output, collect

    # From scratch

    def hydrate(self, rows: Mapping[Key, Row]) -> dict[Key, Row]:
        """The visible rows, in order, out of all rows. Cost: O(rows)."""
        self._load(rows)
        output, kept = self._output, self._rows
        self._shown = {entry[-1]: output(kept[entry[-1]]) for entry in self._entries[self._lo : self._hi]}
        return dict(self._shown)

    def _load(self, rows: Mapping[Key, Row]) -> None:
        entries = self._collect(rows)
        if len(entries) > 2 * self._size:
            entries = nsmallest(self._size, entries)
            self.floor = entries[-1]
        else:
            entries.sort()
            self.floor = None
        self._entries = entries
        self._rows = {entry[-1]: rows[entry[-1]] for entry in entries}

    # Changes

    def stay(self, key: Key, entry: Entry, row: Row) -> None:
        """A row changed and its entry did not."""
        self._rows[key] = row
        if self._lo <= bisect_left(self._entries, entry) < self._hi:
            self._now[key] = True

    def move(self, key: Key, gone: Entry, come: Entry, row: Row) -> None:
        """A row changed, and with it its entry."""
        entries = self._entries
        at = bisect_left(entries, gone)
        if (not at or entries[at - 1] < come) and at + 1 < len(entries) and come < entries[at + 1]:
            entries[at] = come  # between the same neighbours: no row's place is another
            self._rows[key] = row
            if self._lo <= at < self._hi:
                self._now[key] = True
        else:
            self.leave(key, gone)
            self.enter(key, come, row)

    def leave(self, key: Key, entry: Entry) -> None:
        """A row goes."""
        entries, lo, hi = self._entries, self._lo, self._hi
        at = bisect_left(entries, entry)
        del entries[at]
        del self._rows[key]
        if at < hi:
            count = len(entries)
            if count >= hi:
                self._show(entries[hi - 1])
            if at >= lo:
                self._hide(entry)
            elif count >= lo:
                self._hide(entries[lo - 1])

    def enter(self, key: Key, entry: Entry, row: Row) -> None:
        """A row comes."""
        entries, lo, hi = self._entries, self._lo, self._hi
        at = bisect_left(entries, entry)
        entries.insert(at, entry)
        self._rows[key] = row
        count = len(entries)
        if at < hi:
            if at >= lo:
                self._show(entry)
            elif count > lo:
                self._show(entries[lo])
            if count > hi:
                self._hide(entries[hi])
        if count > 2 * self._size:
            self._overflow()

    def _overflow(self) -> None:
        """Too many: keep the best, and aim for half of that."""
        entries, rows, size = self._entries, self._rows, self._size
        for entry in entries[size:]:
            del rows[entry[-1]]
        del entries[size:]
        self.floor = entries[-1]
        self._size = max(SMALLEST, 2 * self._hi, size // 2)

    def _show(self, entry: Entry) -> None:
        key = entry[-1]
        self._now[key] = True
        if self._left.pop(key, None) != entry:  # else it only made way for a moment: its place is as it was
            self._moved[key] = None

    def _hide(self, entry: Entry) -> None:
        key = entry[-1]
        self._now[key] = False
        if key in self._moved:
            del self._moved[key]
        else:
            self._left[key] = entry

    def finish(self) -> Delta:
        """The delta of the visible rows."""
        if self.floor is not None and len(self._entries) < self._hi:
            return self._refill()
        now = self._now
        if not now:
            return []
        shown, rows, output = self._shown, self._rows, self._output
        out: Delta = []
        for key, visible in now.items():
            was = shown.get(key)
            if visible:
                row = output(rows[key])
                if was is None or was != row or not same(was, row):
                    shown[key] = row
                    out.append((key, was, row))
            elif was is not None:
                del shown[key]
                out.append((key, was, None))
        self._meter.probes += len(now)
        self._now = {}
        return out

    def _refill(self) -> Delta:
        """Too few rows are left and there were others: read the input again, and keep more of it."""
        self._meter.refills += 1
        before = {entry[-1]: entry for entry in self._entries[self._lo : self._hi]}
        rows = self._source()
        self._meter.rows += len(rows)
        self._size = max(min(4 * self._size, LARGEST), 2 * self._hi)
        self._load(rows)
        output, kept, shown = self._output, self._rows, self._shown
        self._shown, self._now = {}, {}
        out: Delta = []
        for entry in self._entries[self._lo : self._hi]:
            key = entry[-1]
            self._shown[key] = row = output(kept[key])
            was = shown.pop(key, None)
            if was is None or was != row or not same(was, row):
                out.append((key, was, row))
            if before.get(key) != entry and self._left.pop(key, None) != entry:
                self._moved[key] = None
        out += [(key, row, None) for key, row in shown.items()]
        self._moved = {key: None for key in self._moved if key in self._shown}
        return out

    # Order

    def rest(self) -> None:
        """A commit begins: forget what moved."""
        if self._moved or self._left:
            self._moved, self._left = {}, {}

    def value(self) -> dict[Key, Row]:
        """The visible rows, in order. Cost: O(visible)."""
        shown = self._shown
        return {entry[-1]: shown[entry[-1]] for entry in self._entries[self._lo : self._hi]}

    def order(self) -> list[Key]:
        """The visible keys, in order. Cost: O(visible)."""
        return [entry[-1] for entry in self._entries[self._lo : self._hi]]

    def moved(self) -> list[Key]:
        """The visible keys that were added or moved since the commit began."""
        return list(self._moved)

    def placements(self, keys: Iterable[Key]) -> tuple[tuple[Key, Key | None], ...]:
        """Each of these visible keys with its predecessor, in final order. Cost: O(log n) a key."""
        entries, lo, placed = self._entries, self._lo, []
        for entry in sorted([self._place(key, self._rows[key]) for key in keys]):
            at = bisect_left(entries, entry)
            placed.append((entry[-1], entries[at - 1][-1] if at > lo else None))
        return tuple(placed)
