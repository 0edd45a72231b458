"""TopK: the input in order, or a window of it. Owns which rows are in and where; refuses to know what they mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sspcore.algebra.values import Key, same
from sspcore.engine.operators.base import NO_CHANGE, Delta, Meter, Operator, Row
from sspcore.engine.operators.ordered import Entry, Ordered

EntryOf = Callable[[Key, Row], Entry]
"""From a key and its row to a tuple that sorts as ORDER BY says, ties by key, and ends in the key and the row."""


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
        >>> best = TopK(lambda key, row: (-row[0], key, key, row), limit=2, offset=0, meter=Meter())
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

    __slots__ = ("_after", "_before", "_entries", "_entry_of", "_left", "_limit", "_meter", "_moved", "_now", "_offset",
                 "_was", "_window")  # fmt: skip

    def __init__(self, entry_of: EntryOf, limit: int | None, offset: int, meter: Meter) -> None:
        self._entry_of = entry_of
        self._limit = limit
        self._offset = offset
        self._meter = meter
        self._entries: dict[Key, Entry] = {}
        self._before, self._window, self._after = Ordered(), Ordered(), Ordered()
        self._moved: dict[Key, None] = {}
        self._left: dict[Key, Entry] = {}
        self._was: dict[Key, Row | None] = {}
        self._now: dict[Key, Row | None] = {}

    # The step

    def step(self, delta: Delta) -> Delta:
        entries, entry_of, meter = self._entries, self._entry_of, self._meter
        meter.rows += len(delta)
        self._moved = {}
        if not entries:
            return self._fill(delta)
        self._was, self._now, self._left = {}, {}, {}
        after = self._after
        for key, old, new in delta:
            if new is None:
                meter.probes += 1
                self._remove(entries.pop(key))
            elif old is None:
                meter.probes += 1
                entries[key] = entry = entry_of(key, new)
                self._insert(entry)
            else:
                gone = entries[key]
                entries[key] = entry = entry_of(key, new)
                meter.probes += 2
                if after and not (gone < (edge := after.first()) or entry < edge):
                    after.replace(gone, entry)  # the common case of a short window: nothing to see
                else:
                    self._change(gone, entry)
        if not self._was:
            return NO_CHANGE
        now = self._now
        return [(key, old, now[key]) for key, old in self._was.items() if not same(old, now[key])]

    def _fill(self, delta: Delta) -> Delta:
        """The first rows: sorted once rather than one by one."""
        entry_of = self._entry_of
        rows = sorted([entry_of(key, new) for key, _, new in delta if new is not None])
        self._entries = {entry[-2]: entry for entry in rows}
        start = self._offset
        end = len(rows) if self._limit is None else start + self._limit
        self._before.refill(rows[:start])
        self._after.refill(rows[end:])
        window = rows[start:end]
        self._window.refill(window)
        self._moved = {entry[-2]: None for entry in window}
        return [(entry[-2], None, entry[-1]) for entry in window]

    def _change(self, gone: Entry, entry: Entry) -> None:
        part = self._part(gone)
        if part is not self._part(entry):
            self._remove(gone)
            self._insert(entry)
            return
        moved = part.replace(gone, entry)
        if part is self._window:
            key = entry[-2]
            if key not in self._was:
                self._was[key] = gone[-1]
            self._now[key] = entry[-1]
            if moved:
                self._moved[key] = None

    def _part(self, entry: Entry) -> Ordered:
        """Where an entry is, or belongs: the parts follow each other, so their edges tell."""
        if self._after and not entry < self._after.first():
            return self._after
        if self._before and not self._before.last() < entry:
            return self._before
        return self._window

    def _remove(self, entry: Entry) -> None:
        part = self._part(entry)
        part.remove(entry)
        if part is self._window:
            self._leave(entry)
        self._settle()

    def _insert(self, entry: Entry) -> None:
        part = self._part(entry)
        part.add(entry)
        if part is self._window:
            self._enter(entry)
        self._settle()

    def _settle(self) -> None:
        """Let rows cross the edges until the parts have their sizes again: one row an edge, after one change."""
        before, window, after, limit = self._before, self._window, self._after, self._limit
        if len(before) > self._offset:
            window.add(entry := before.pop_last())
            self._enter(entry)
        elif len(before) < self._offset and window:
            before.add(entry := window.pop_first())
            self._leave(entry)
        if limit is None:
            return
        if len(window) > limit:
            after.add(entry := window.pop_last())
            self._leave(entry)
        elif len(window) < limit and after:
            window.add(entry := after.pop_first())
            self._enter(entry)

    def _enter(self, entry: Entry) -> None:
        key = entry[-2]
        if key not in self._was:
            self._was[key] = None
        self._now[key] = entry[-1]
        if self._left.pop(key, None) is not entry:  # else it only made way for a moment: its place is as it was
            self._moved[key] = None
        self._meter.rows += 1

    def _leave(self, entry: Entry) -> None:
        key = entry[-2]
        if key not in self._was:
            self._was[key] = entry[-1]
        self._now[key] = None
        if key in self._moved:
            del self._moved[key]
        else:
            self._left[key] = entry
        self._meter.rows += 1

    # Order, for ordered views

    def order(self) -> list[Key]:
        """The keys of the window, in order. Cost: O(window)."""
        return [entry[-2] for entry in self._window]

    def moved(self) -> list[Key]:
        """The keys that the last step added to the window or gave another place in it."""
        return list(self._moved)

    def rest(self) -> None:
        """Forget what moved: a new commit begins, which may not reach this operator."""
        self._moved = {}

    def placements(self, keys: Iterable[Key]) -> tuple[tuple[Key, Key | None], ...]:
        """Each key of the window with its predecessor in it, in final order. Cost: O(log n) a key."""
        window = self._window
        placed = []
        for entry in sorted([self._entries[key] for key in keys]):
            before = window.predecessor(entry)
            placed.append((entry[-2], None if before is None else before[-2]))
        return tuple(placed)
