"""Accumulators: what an aggregate keeps of the values in one group, so that any of them can be taken away again.

Owns those over a multiset of non-NULL values: all but the ordered ones (`collected`). Refuses to know groups and rows.
Every accumulator has `add(value, weight)`; a negative weight takes away what was added before. `algebra.exact.ExactSum`
is one of them, shared by sum and avg, `algebra.moments.Moments` another, shared by variance and standard deviation.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from sspcore.algebra.exact import ExactSum
from sspcore.algebra.moments import Moments
from sspcore.algebra.values import NUMBER, TEXT, Key, Value, canonical_key, order_key, same, type_rank
from sspcore.engine.operators.members import Members
from sspcore.engine.operators.ordered import Entry, Ordered
from sspcore.engine.operators.sortkeys import ascending
from sspcore.errors import InternalError
from sspcore.plan.nodes import AggregateCall

MOST_FLAT: Final = 8192
"""Values in a flat list: up to here moving half of it costs less than keeping it in pieces."""
_FLAT: Final = frozenset({int, float, str})
"""Types of which Python orders values as we do, NaN apart, and equal ones are the same."""


class Accumulator(Protocol):
    """A multiset of non-NULL values, as far as some aggregate needs to know it."""

    def add(self, value: Value, weight: int, /) -> None:
        """Add a value `weight` times."""


class Count:
    """How many values there are. Cost: O(1)."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def add(self, value: Value, weight: int) -> None:
        """Add a value `weight` times."""
        self.count += weight


class Extremes:
    """The least and the greatest value. Keeps all values in order: O(log n) comparisons a call.

    While the values are of one plain type and not too many, a flat sorted list of them is all there is; from the first
    other one on, the different values are counted and kept in pieces.

    >>> extremes = Extremes()
    >>> for value in (3, 1, 2): extremes.add(value, 1)
    >>> extremes.add(1, -1)
    >>> extremes.least(), extremes.greatest()
    (2, 3)
    """

    __slots__ = ("_counts", "_flat", "_kind", "_order")

    def __init__(self) -> None:
        self._kind: type | None = None
        self._flat: list[Value] | None = []
        self._counts: dict[Entry, int] = {}
        self._order: Ordered | None = None

    def add(self, value: Value, weight: int) -> None:
        """Add a value `weight` times."""
        flat = self._flat
        if flat is not None:
            if type(value) is self._kind and value == value:
                if weight == 1 and len(flat) < MOST_FLAT:
                    insort(flat, value)
                    return
                at = bisect_left(flat, value)
                if weight == -1 and at < len(flat) and flat[at] == value:
                    del flat[at]
                    return
            elif not flat and weight == 1 and type(value) in _FLAT and value == value:
                self._kind = type(value)
                flat.append(value)
                return
            self._count(flat)
        self._add(_ranked(value), weight)

    def _count(self, flat: list[Value]) -> None:
        """Give the flat list up."""
        self._flat, self._order = None, Ordered()
        for value in flat:
            self._add(_ranked(value), 1)

    def _add(self, entry: Entry, weight: int) -> None:
        assert self._order is not None
        before = self._counts.get(entry, 0)
        if before + weight:
            self._counts[entry] = before + weight
            if not before:
                self._order.add(entry)
        elif before:
            del self._counts[entry]
            self._order.remove(entry)

    def least(self) -> Value:
        """The least value, of equal ones the least by type; NULL when there is none."""
        if self._order is None:
            return self._flat[0] if self._flat else None
        return self._order.first()[-1] if self._counts else None

    def greatest(self) -> Value:
        """The greatest value, of equal ones the greatest by type; NULL when there is none."""
        if self._order is None:
            return self._flat[-1] if self._flat else None
        return self._order.last()[-1] if self._counts else None

    def greatest_different(self) -> Value:
        """The greatest of the different values, each shown as the least of its equals; NULL when there is none."""
        if self._order is None:
            return self._flat[-1] if self._flat else None
        return self._order.ceiling(ascending(self.greatest()))[-1] if self._counts else None


def _ranked(value: Value) -> Entry:
    """The value's full order key, flat, and the value: no two that are not the `same` tie."""
    kind = type(value)
    if kind is int:
        return (NUMBER, 0, value, 0, value)
    if kind is str:
        return (TEXT, value, 0, value)
    return (*order_key(value), *type_rank(value), value)


class Truths:
    """How many values are TRUE, and how many FALSE. Cost: O(1)."""

    __slots__ = ("errors", "false", "true")

    def __init__(self) -> None:
        self.true = self.false = 0
        self.errors = 0
        """Values that are no booleans."""

    def add(self, value: Value, weight: int) -> None:
        """Add a value `weight` times."""
        if value is True:
            self.true += weight
        elif value is False:
            self.false += weight
        else:
            self.errors += weight

    def all(self) -> Value:
        """No value is FALSE; NULL of none."""
        return not self.false if self.true or self.false else None

    def any(self) -> Value:
        """Some value is TRUE; NULL of none."""
        return self.true > 0 if self.true or self.false else None


class Different:
    """The different values, each once: their number and their exact sum. Cost: O(1)."""

    __slots__ = ("_members", "_sum")

    def __init__(self, sum: ExactSum | None = None) -> None:
        self._members: dict[Key, Members] = {}
        self._sum = ExactSum() if sum is None else sum

    def add(self, value: Value, weight: int) -> None:
        """Add a value once more, or once less."""
        key = canonical_key(value)
        members = self._members.get(key)
        if members is None:
            self._members[key] = Members((value,))
            self._sum.add(value, 1)
            return
        (was,) = members.shown
        if weight > 0:
            members.add((value,))
        else:
            members.remove((value,))
            if not members.count:
                del self._members[key]
                self._sum.add(was, -1)
                return
        (now,) = members.shown
        if not same(was, now):
            self._sum.add(was, -1)
            self._sum.add(now, 1)

    @property
    def count(self) -> int:
        """The number of different values."""
        return len(self._members)

    @property
    def errors(self) -> int:
        """Values that are no numbers, so that no sum holds them."""
        return self._sum.errors

    def result(self) -> Value:
        """The sum of the different values."""
        return self._sum.result()

    def average(self) -> Value:
        """The average of the different values."""
        return self._sum.average()


class DifferentMoments(Different):
    """The different values, each once: their variance too."""

    __slots__ = ("_moments",)

    def __init__(self) -> None:
        self._moments = Moments()
        super().__init__(self._moments)

    def variance(self, *, sample: bool) -> Value:
        """The variance of the different values."""
        return self._moments.variance(sample=sample)

    def deviation(self, *, sample: bool) -> Value:
        """Their standard deviation."""
        return self._moments.deviation(sample=sample)


def accumulator_of(call: AggregateCall) -> Callable[[], Accumulator]:
    """The kind of accumulator that an aggregate over an argument reads; calls that share one may share the object."""
    if call.function in ("min", "max"):
        return Extremes
    if call.function in ("bool_and", "bool_or"):
        return Truths  # DISTINCT changes nothing
    if call.function in ("var_samp", "var_pop", "stddev_samp", "stddev_pop"):
        return DifferentMoments if call.distinct else Moments
    if call.distinct:
        return Different
    return Count if call.function == "count" else ExactSum


def reading_of(call: AggregateCall, place: int) -> Callable[[Sequence[Any]], Value]:
    """How an aggregate reads its value off a group's accumulators, its own being the one at `place`."""
    match call.function:
        case "count":
            return lambda accumulators: accumulators[place].count
        case "sum":
            return lambda accumulators: accumulators[place].result()
        case "avg":
            return lambda accumulators: accumulators[place].average()
        case "min":
            return lambda accumulators: accumulators[place].least()
        case "max" if call.distinct:
            return lambda accumulators: accumulators[place].greatest_different()
        case "max":
            return lambda accumulators: accumulators[place].greatest()
        case "bool_and":
            return lambda accumulators: accumulators[place].all()
        case "bool_or":
            return lambda accumulators: accumulators[place].any()
        case "var_samp" | "var_pop":
            sample = call.function == "var_samp"
            return lambda accumulators: accumulators[place].variance(sample=sample)
        case "stddev_samp" | "stddev_pop":
            sample = call.function == "stddev_samp"
            return lambda accumulators: accumulators[place].deviation(sample=sample)
        case other:
            raise InternalError(f"there is no aggregate {other!r}")
