"""Accumulators: what an aggregate keeps of the values in one group, so that any of them can be taken away again.

Owns those over a multiset of non-NULL values: all but the ordered ones (`collected`). Refuses to know groups and rows.
Every accumulator has `add(value, weight)`; a negative weight takes away what was added before. `algebra.exact.ExactSum`
is one of them, shared by sum and avg, `algebra.moments.Moments` another, shared by variance and standard deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sspcore.algebra.exact import ExactSum
from sspcore.algebra.moments import Moments
from sspcore.algebra.values import NUMBER, TEXT, Key, Value, canonical_key, order_key, same, type_rank
from sspcore.engine.operators.members import Members
from sspcore.engine.operators.ordered import Entry, Ordered
from sspcore.engine.operators.sortkeys import ascending
from sspcore.errors import InternalError
from sspcore.plan.nodes import AggregateCall


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
    """The least and the greatest value. Keeps the different values in order: O(log n) comparisons a call.

    >>> extremes = Extremes()
    >>> for value in (3, 1, 2): extremes.add(value, 1)
    >>> extremes.add(1, -1)
    >>> extremes.least(), extremes.greatest()
    (2, 3)
    """

    __slots__ = ("_counts", "_order")

    def __init__(self) -> None:
        self._counts: dict[Entry, int] = {}
        self._order = Ordered()

    def add(self, value: Value, weight: int) -> None:
        """Add a value `weight` times."""
        entry = _ranked(value)
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
        return self._order.first()[-1] if self._counts else None

    def greatest(self) -> Value:
        """The greatest value, of equal ones the greatest by type; NULL when there is none."""
        return self._order.last()[-1] if self._counts else None

    def greatest_different(self) -> Value:
        """The greatest of the different values, each shown as the least of its equals; NULL when there is none."""
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
