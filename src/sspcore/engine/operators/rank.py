"""Rank: places in the order of a partition, and windows of it. Owns who is where; refuses to know what order means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sspcore.algebra.values import Key, same
from sspcore.engine.operators.base import Delta, Meter, Operator, Row
from sspcore.engine.operators.ordered import Entry, Ordered

EntryOf = Callable[[Key, Row], Entry]
PLACES: Final = ("row_number", "rank", "dense_rank")


class Partition:
    """The rows of one partition in order, and the last entry whose place is within the limit."""

    __slots__ = ("edge", "order")

    def __init__(self) -> None:
        self.order = Ordered()
        self.edge: Entry | None = None


class Touch:
    """What one step did to a partition: the span of entries added or removed, and how many more there are."""

    __slots__ = ("high", "low", "more")

    def __init__(self, entry: Entry) -> None:
        self.low = self.high = entry
        self.more = 0

    def at(self, entry: Entry, more: int) -> None:
        """One entry added (1) or removed (-1)."""
        if entry < self.low:
            self.low = entry
        if self.high < entry:
            self.high = entry
        self.more += more


class Rank(Operator):
    """Rows with skipped < place <= limit in their partition; each with its place as one more cell, or (a window of
    every partition, TopK with `partition`) as it is.

    Equation:   Δ(rank R) = rank(I(ΔR)) − z⁻¹ rank(I(ΔR)), on the partitions that ΔR names
    Linearity:  neither: a row that comes or goes moves all behind it
    State:      every row of the input, in order by partition, and the place of every row that shows
    Cost:       per changed row O(log n) comparisons; per partition touched the rows from the first change on whose
                place shifts, up to the limit: where rows come or go, all behind them, which are in the delta too unless
                places do not show; where they only swap, those between. rank also counts the chunks before.
    Contract:   requires that `entry_of` never ties two keys, and for rank and dense_rank that the first part of an
                entry is what peers share / guarantees that a row whose place stays is not in the delta.
    Example:
        >>> worst = Rank(lambda row: row[0], lambda key, row: (-row[1], key), "row_number", 0, 2, True, Meter())
        >>> worst.step([("a", None, ("AA", 5)), ("b", None, ("AA", 9)), ("c", None, ("AA", 1)), ("d", None, ("UA", 3))])
        [('b', None, ('AA', 9, 1)), ('a', None, ('AA', 5, 2)), ('d', None, ('UA', 3, 1))]
        >>> worst.step([("c", ("AA", 1), ("AA", 7))])
        [('c', None, ('AA', 7, 2)), ('a', ('AA', 5, 2), None)]
        >>> worst.step([("b", ("AA", 9), ("UA", 9))])
        [('b', ('AA', 9, 1), ('UA', 9, 1)), ('c', ('AA', 7, 2), ('AA', 7, 1)), ('a', None, ('AA', 5, 2)), ('d', \
('UA', 3, 1), ('UA', 3, 2))]

    See also:   tests/engine/operators/test_rank.py
    """

    __slots__ = ("_appends", "_entry_of", "_function", "_limit", "_meter", "_now", "_partition_of", "_partitions",
                 "_places", "_rows", "_skipped", "_was")  # fmt: skip

    def __init__(
        self, partition_of: Callable[[Row], Key], entry_of: EntryOf, function: str, skipped: int, limit: int | None,
        appends: bool, meter: Meter,
    ) -> None:  # fmt: skip
        self._partition_of, self._entry_of = partition_of, entry_of
        self._function = PLACES.index(function)
        self._skipped, self._limit, self._appends = skipped, limit, appends
        self._meter = meter
        self._partitions: dict[Key, Partition] = {}
        self._rows: dict[Key, Row] = {}
        self._places: dict[Key, int] = {}
        self._was: dict[Key, Row | None] = {}
        self._now: dict[Key, Row] = {}

    def step(self, delta: Delta) -> Delta:
        self._meter.rows += len(delta)
        self._was, self._now = {}, {}
        touched = self._absorb(delta) if self._partitions else self._fill(delta)
        partitions = self._partitions
        for name, touch in touched.items():
            partition = partitions[name]
            if partition.order.size:
                self._settle(partition, touch)
            else:
                del partitions[name]
        now = self._now
        return [(key, old, now.get(key)) for key, old in self._was.items() if not same(old, now.get(key))]

    def _fill(self, delta: Delta) -> dict[Key, Touch]:
        """The first rows: sorted once rather than one by one."""
        entries: dict[Key, list[Entry]] = {}
        for key, _, new in delta:
            if new is not None:
                self._rows[key] = new
                entries.setdefault(self._partition_of(new), []).append(self._entry_of(key, new))
        touched = {}
        for name, members in entries.items():
            members.sort()
            self._partitions[name] = partition = Partition()
            partition.order.refill(members)
            touched[name] = touch = Touch(members[0])
            touch.at(members[-1], len(members))
        return touched

    def _absorb(self, delta: Delta) -> dict[Key, Touch]:
        touched: dict[Key, Touch] = {}
        places, entry_of, partition_of = self._places, self._entry_of, self._partition_of
        for key, old, new in delta:
            entry = name = None
            if new is not None:
                entry, name = entry_of(key, new), partition_of(new)
            if old is not None:
                gone, left = entry_of(key, old), partition_of(old)
                if new is not None and entry == gone and name == left:
                    self._rows[key] = new
                    if key in places:
                        self._was[key] = self._shown(old, places[key])
                        self._now[key] = self._shown(new, places[key])
                    continue
                self._partitions[left].order.remove(gone)
                self._touch(touched, left, gone, -1)
                place = places.pop(key, None)
                if place is not None:
                    self._was[key] = self._shown(old, place)
            if new is None or entry is None:
                del self._rows[key]
                continue
            self._rows[key] = new
            partition = self._partitions.get(name)
            if partition is None:
                partition = self._partitions[name] = Partition()
            partition.order.add(entry)
            self._touch(touched, name, entry, 1)
        return touched

    def _touch(self, touched: dict[Key, Touch], name: Key, entry: Entry, more: int) -> None:
        touch = touched.get(name)
        if touch is None:
            touch = touched[name] = Touch(entry)
        touch.at(entry, more)
        self._meter.probes += 1

    def _shown(self, row: Row, place: int) -> Row:
        return (*row, place) if self._appends else row

    def _settle(self, partition: Partition, touch: Touch) -> None:
        """Give the rows from the first change on their places, until no more can differ."""
        before, following = partition.order.since(touch.low)
        edge, limit, skipped = partition.edge, self._limit, self._skipped
        if before is not None and limit is not None and (edge is None or edge < before):
            return  # beyond the limit before and after
        function, places, was = self._function, self._places, self._was
        place = self._place_of(partition.order, before)
        count = place if function == 0 else partition.order.count_before(touch.low) if function == 1 else 0
        last, inside = before, before
        visited = 0
        for entry in following:
            visited += 1
            key = entry[-1]
            count += 1
            first = function == 0 or last is None or last[0] != entry[0]
            if first:
                place = place + 1 if function == 2 else count
            last = entry
            old = places.get(key)
            if limit is not None and place > limit:
                if old is not None:
                    self._hide(key, places.pop(key))
                elif edge is None or edge < entry:
                    break
                continue
            if old == place:
                if first and touch.high < entry and not (function == 1 and touch.more):
                    inside = edge  # places behind stay too
                    break
            elif place > skipped:
                row = self._rows[key]
                if key not in was:  # else it changed itself, and its old row is noted
                    was[key] = None if old is None else self._shown(row, old)
                places[key] = place
                self._now[key] = self._shown(row, place)
            elif old is not None:
                self._hide(key, places.pop(key))
            inside = entry
        partition.edge = inside
        self._meter.rows += visited

    def _hide(self, key: Key, place: int) -> None:
        if key not in self._was:
            self._was[key] = self._shown(self._rows[key], place)
        self._now.pop(key, None)

    def _place_of(self, order: Ordered, entry: Entry | None) -> int:
        """The place of an entry that is within the limit; 0 before the first."""
        if entry is None:
            return 0
        place = self._places.get(entry[-1])
        return order.count_before(entry) + 1 if place is None else place
