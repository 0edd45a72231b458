"""Sorted indexes: the ids of a table by the order of one column, for those who ask for a range of it.

Owns the index and its upkeep; it is filed beside the table's arrangements and shared like them. Refuses to know who
reads it, and why.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import attrs

from sspcore.algebra.values import Value
from sspcore.engine.cuts import LANES, Cut, ValueSet, place
from sspcore.engine.operators.ordered import Ordered

Row = tuple[Value, ...]


@attrs.frozen
class SortedBy:
    """The name under which a table files the index of a column."""

    column: str


class _Several(dict[Any, None]):
    """The ids of rows with the same value, in the order they came. Most values of a column that is sorted by have but
    one, which is kept bare."""

    __slots__ = ()


class _Lane:
    """The values of one lane in order, and the ids of each."""

    __slots__ = ("ids", "values")

    def __init__(self) -> None:
        self.values = Ordered()
        self.ids: dict[Any, Any] = {}


class SortedIndex:
    """The ids of a table's rows by the value at one position; rows with NULL there are not filed.

    >>> index = SortedIndex(1)
    >>> index.fill({"a": ("a", 30), "b": ("b", 10), "c": ("c", 20)})
    >>> index.write([("b", ("b", 10), ("b", 25)), ("d", None, ("d", None))])
    >>> from sspcore.engine.cuts import satisfying
    >>> list(index.between(satisfying("<=", (25,))))
    ['c', 'b']
    """

    __slots__ = ("_at", "_lanes", "uses")

    def __init__(self, position: int) -> None:
        self.uses = 0
        self._at = position
        self._lanes: Mapping[int, _Lane] = {lane: _Lane() for lane in LANES}

    def fill(self, rows: Mapping[Any, Row]) -> None:
        """Forget everything and file these rows. Cost: O(rows log rows)."""
        at = self._at
        for lane in self._lanes.values():
            lane.ids.clear()
        for row_id, row in rows.items():
            placed = place(row[at])
            if placed is not None:
                _file(self._lanes[placed[0]].ids, placed[1], row_id)
        for lane in self._lanes.values():
            lane.values.refill(sorted(lane.ids))

    def write(self, net: Iterable[tuple[Any, Row | None, Row | None]]) -> None:
        """Follow the net changes of the table. Cost: O(log rows) for each that changes the column."""
        at, lanes = self._at, self._lanes
        for row_id, old, new in net:
            before = None if old is None else place(old[at])
            after = None if new is None else place(new[at])
            if before == after:
                continue
            if before is not None:
                lane, value = lanes[before[0]], before[1]
                if _unfile(lane.ids, value, row_id):
                    lane.values.remove(value)
            if after is not None:
                lane, value = lanes[after[0]], after[1]
                if _file(lane.ids, value, row_id):
                    lane.values.add(value)

    def between(self, values: ValueSet) -> Iterator[Any]:
        """The ids of the rows whose value is in the set. Cost: O(log rows) a cut, and O(ids)."""
        for number, (inside, cuts) in values.items():
            lane = self._lanes[number]
            if not lane.ids:
                continue
            edges: list[Cut | None] = [*([None] if inside else []), *cuts]
            if len(edges) % 2:
                edges.append(None)
            for start, end in zip(edges[::2], edges[1::2], strict=True):
                for value in _run(lane.values.chunks, start, end):
                    held = lane.ids[value]
                    if type(held) is _Several:
                        yield from held
                    else:
                        yield held


def _run(chunks: list[list[Any]], start: Cut | None, end: Cut | None) -> Iterator[Any]:
    """The values from a cut to a cut."""
    first, at = (0, 0) if start is None else _find(chunks, start)
    for number in range(first, len(chunks)):
        chunk = chunks[number]
        stop = len(chunk) if end is None else _position(chunk, end)
        yield from islice(chunk, at, stop)
        if stop < len(chunk):
            return
        at = 0


def _find(chunks: list[list[Any]], cut: Cut) -> tuple[int, int]:
    """The chunk, and the place in it, of the first value beyond a cut."""
    low, high = 0, len(chunks)
    while low < high:
        middle = (low + high) // 2
        if _position(chunks[middle], cut) == len(chunks[middle]):
            low = middle + 1
        else:
            high = middle
    return low, _position(chunks[low], cut) if low < len(chunks) else 0


def _position(chunk: list[Any], cut: Cut) -> int:
    value, after = cut
    return bisect_right(chunk, value) if after else bisect_left(chunk, value)


def _file(ids: dict[Any, Any], value: Any, row_id: Any) -> bool:
    """True when the value is new."""
    held = ids.get(value, _NOBODY)
    if held is _NOBODY:
        ids[value] = row_id
        return True
    if type(held) is _Several:
        held[row_id] = None
    else:
        ids[value] = _Several({held: None, row_id: None})
    return False


def _unfile(ids: dict[Any, Any], value: Any, row_id: Any) -> bool:
    """True when the value is gone."""
    held = ids[value]
    if type(held) is not _Several:
        del ids[value]
        return True
    del held[row_id]
    if len(held) == 1:
        (ids[value],) = held
    return False


_NOBODY: Final = object()
