"""Aggregate: one row per group.

Owns the groups and when their rows change; `accumulators` own the sums, `collected` the lists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sspcore.algebra.values import Key, Value, row_key, same
from sspcore.engine.operators.accumulators import Accumulator, accumulator_of, reading_of
from sspcore.engine.operators.base import Change, Delta, Meter, Operator, Row
from sspcore.engine.operators.collected import Collection, collected_reading, collection_of
from sspcore.engine.operators.members import Members
from sspcore.engine.operators.readers import PLAIN, read_row, read_value
from sspcore.plan.expressions import Expression
from sspcore.plan.nodes import LISTS, AggregateCall

Read = Callable[[Row], Value]
Add = Callable[[Value, int], None]


class Group(Members):
    """The members of one group, counted by their group values; what the aggregates keep of them; the row last given."""

    __slots__ = ("accumulators", "collections", "feeds", "row")

    def __init__(
        self, values: Row, count: int, accumulators: list[Accumulator], arguments: Sequence[Read],
        collections: list[Collection],
    ) -> None:  # fmt: skip
        super().__init__(values)
        self.count = count
        self.accumulators: list[Any] = accumulators  # of the kinds that the aggregates reading them need
        self.feeds: list[tuple[Read, Add]] = [
            (read, accumulator.add) for read, accumulator in zip(arguments, accumulators, strict=True)
        ]
        """Per accumulator: how to read its argument off a row, and where to put the value."""
        self.collections = collections
        self.row: Row | None = None


class Aggregate(Operator):
    """One row per different combination of the group values, NULLs equal: these values, then the aggregates over the
    members. Without groups one row, always.

    Equation:   Δ(γ R) = γ(I(ΔR)) − z⁻¹ γ(I(ΔR)), on the groups that ΔR names; each accumulator is linear in ΔR but
                for min and max
    Linearity:  neither as a whole: a group's row is replaced
    State:      a count, the accumulators and the last row per group; min, max and DISTINCT also the group's different
                values, array_agg and string_agg all of them; freed with the last member
    Cost:       two lookups and the accumulators per changed row (min, max, array_agg and string_agg: O(log n)
                comparisons), one row per group touched, its lists and texts written anew: O(group)
    Contract:   guarantees that a group goes when its count of rows is 0, whatever its sums are / that sums are exact:
                what was added and taken away leaves no trace.
    Example:
        >>> from sspcore.plan.expressions import Column
        >>> aggregates = [AggregateCall("count"), AggregateCall("sum", Column(1))]
        >>> delays = Aggregate([Column(0)], aggregates, Meter())
        >>> delays.step([(1, None, ("AA", 5)), (2, None, ("AA", 7)), (3, None, ("UA", 1))])
        [(('AA',), None, ('AA', 2, 12)), (('UA',), None, ('UA', 1, 1))]
        >>> delays.step([(2, ("AA", 7), ("AA", 8))])
        [(('AA',), ('AA', 2, 12), ('AA', 2, 13))]
        >>> delays.step([(3, ("UA", 1), ("AA", 1))])
        [(('UA',), ('UA', 1, 1), None), (('AA',), ('AA', 2, 13), ('AA', 3, 14))]

    See also:   DBSP §7.2 (aggregation); traps T48, T49, T54; tests/engine/operators/test_aggregate.py
    """

    __slots__ = ("_arguments", "_collects", "_group_of", "_groups", "_key_of", "_makers", "_meter", "_picky",
                 "_readings", "_whole")  # fmt: skip

    def __init__(self, groups: Sequence[Expression], aggregates: Sequence[AggregateCall], meter: Meter) -> None:
        self._meter = meter
        self._groups: dict[Key, Group] = {}
        self._group_of = read_row(groups, meter.nulls)
        self._key_of = _group_key(len(groups))
        self._makers: list[Callable[[], Accumulator]] = []
        self._arguments: list[Read] = []
        self._readings: list[Callable[[Group], Value]] = []
        self._picky: list[int] = []
        """Places of the accumulators that skip what is of the wrong class."""
        self._collects: list[Callable[[], Collection]] = []
        self._arrange(aggregates)
        self._whole: Group | None = None if groups else self._new_group((), 0)
        """Without groups: the one group, until the first step puts it in its place."""

    def _arrange(self, aggregates: Sequence[AggregateCall]) -> None:
        """Give every aggregate an accumulator, the same one where kind and argument are the same."""
        places: dict[tuple[object, str], int] = {}
        for call in aggregates:
            if call.argument is None:
                self._readings.append(lambda group: group.count)
                continue
            if call.function in LISTS:
                self._readings.append(self._collected(call))
                continue
            make = accumulator_of(call)
            # told apart by what is printed: equality of constants does not tell (1,) from (TRUE,)
            place = places.setdefault((make, repr(call.argument)), len(places))
            if place == len(self._makers):
                self._makers.append(make)
                self._arguments.append(read_value(call.argument, self._meter.nulls))
            self._readings.append(_reading(call, place))
            if call.function not in ("count", "min", "max") and place not in self._picky:
                self._picky.append(place)

    def _collected(self, call: AggregateCall) -> Callable[[Group], Value]:
        """A collection for an ordered aggregate, of its own: two of the same order are rare."""
        place = len(self._collects)
        self._collects.append(collection_of(call, self._meter.nulls))
        separator = None if call.separator is None else read_value(call.separator, self._meter.nulls)(())
        read = collected_reading(call, separator, self._meter.nulls)
        return lambda group: read(group.collections[place])

    def _new_group(self, values: Row, count: int) -> Group:
        made, collections = [make() for make in self._makers], [make() for make in self._collects]
        return Group(values, count, made, self._arguments, collections)

    def step(self, delta: Delta) -> Delta:
        groups, group_of, key_of = self._groups, self._group_of, self._key_of
        touched: dict[Key, Group] = {}
        if self._whole is not None:
            groups[()] = touched[()] = self._whole
            self._whole = None
        for member, old, new in delta:
            if old is not None:
                values = group_of(old)
                key = key_of(values)
                touched[key] = group = groups[key]
                if new is not None and group.single and group_of(new) == values:
                    _replace(group, old, new)
                    for collection in group.collections:
                        collection.take(member, old)
                        collection.put(member, new)
                    continue
                group.remove(values)
                for read, add in group.feeds:
                    value = read(old)
                    if value is not None:
                        add(value, -1)
                for collection in group.collections:
                    collection.take(member, old)
            if new is not None:
                values = group_of(new)
                key = key_of(values)
                if key in groups:
                    group = groups[key]
                    group.add(values)
                else:
                    group = groups[key] = self._new_group(values, 1)
                touched[key] = group
                for read, add in group.feeds:
                    value = read(new)
                    if value is not None:
                        add(value, 1)
                for collection in group.collections:
                    collection.put(member, new)
        self._meter.rows += len(delta)
        self._meter.probes += 2 * len(delta)
        return self._changes(touched)

    def _changes(self, touched: dict[Key, Group]) -> Delta:
        out: list[Change] = []
        readings = self._readings
        for key, group in touched.items():
            was = group.row
            if not group.count and key:
                del self._groups[key]
                if was is not None:
                    out.append((key, was, None))
                continue
            for place in self._picky:
                if group.accumulators[place].errors:
                    self._meter.nulls.errors += 1  # as an expression of the wrong class is
            for collection in group.collections:
                if collection.errors:
                    self._meter.nulls.errors += 1
            row = (*group.shown, *[reading(group) for reading in readings])
            if was is None or not same(was, row):
                group.row = row
                out.append((key, was, row))
        return out


def _replace(group: Group, old: Row, new: Row) -> None:
    """A member whose group values stay: only the arguments that changed are taken away and added."""
    for read, add in group.feeds:
        before, after = read(old), read(new)
        if before is not after:
            if before is not None:
                add(before, -1)
            if after is not None:
                add(after, 1)


def _reading(call: AggregateCall, place: int) -> Callable[[Group], Value]:
    read = reading_of(call, place)
    return lambda group: read(group.accumulators)


def _group_key(width: int) -> Callable[[Row], Key]:
    """From the group values to their canonical row."""
    if width != 1:
        return row_key
    return lambda values: values if type(values[0]) in PLAIN else row_key(values)
