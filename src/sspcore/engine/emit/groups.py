"""Groups at run time: what generated code of an aggregate calls where it has no short cut.

Owns the layout of a group's state, a list, and the exact sums in it. Refuses to know rows and text.

A group is `[count, values shown, key, row last given, variants, …]`, then what its aggregates keep. A sum keeps five
cells: the total and the number of its integers, the total of its floats in units of 2⁻⁶⁴ and their number, and an
`ExactSum` of whatever fits neither (decimals, infinities, very large and very fine floats), None while there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from sspcore.algebra.exact import ExactSum
from sspcore.algebra.values import MAX_INTEGER_BITS, Value
from sspcore.engine.operators.accumulators import reading_of
from sspcore.engine.operators.members import Members
from sspcore.plan.evaluate import NullCounter
from sspcore.plan.nodes import AggregateCall

State = list[Any]
COUNT, SHOWN, KEY, ROW, VARIANTS, FIRST = range(6)
"""Places in a group's state; the aggregates begin at FIRST."""

PLAIN_TYPES: Final = frozenset({type(None), int, str, bytes, bool, float, date, datetime})
"""Types of which two equal values of the same type are the same."""
FRACTION_BITS: Final = 64
UNIT: Final = 2.0**FRACTION_BITS
MOST: Final = 2.0**900
"""Floats of fewer units are summed as plain integers: no sum of them is beyond the range of floats, however many."""
LARGEST: Final = MOST / UNIT


def variants_of(values: tuple[Value, ...]) -> Members | None:
    """What a new group must know of its members' representations: nothing, while they are plain."""
    return None if PLAIN_TYPES.issuperset(map(type, values)) else Members(values)


def joined(s: State, values: tuple[Value, ...]) -> None:
    """One more member with these group values, equal to those of the group."""
    s[COUNT] += 1
    if s[COUNT] == 1:
        s[SHOWN], s[VARIANTS] = values, variants_of(values)
        return
    variants = s[VARIANTS]
    if variants is None:
        if all(type(a) is type(b) for a, b in zip(values, s[SHOWN], strict=True)):
            return
        variants = s[VARIANTS] = Members(s[SHOWN])
        variants.count = s[COUNT] - 1
    variants.add(values)
    s[SHOWN] = variants.shown


def parted(s: State, values: tuple[Value, ...]) -> None:
    """One member less."""
    s[COUNT] -= 1
    variants = s[VARIANTS]
    if variants is not None and s[COUNT]:
        variants.remove(values)
        s[SHOWN] = variants.shown


# Sums


def add_number(s: State, at: int, value: Value, weight: int) -> None:
    """Add a value (not NULL) to the sum kept from place `at` on; a negative weight takes it away."""
    kind = type(value)
    if kind is int:
        s[at] += value * weight
        s[at + 1] += weight
        return
    if kind is float and -LARGEST < value < LARGEST:
        scaled = value * UNIT
        units = int(scaled)
        if units == scaled:
            s[at + 2] += units * weight
            s[at + 3] += weight
            return
    rest = s[at + 4]
    if rest is None:
        rest = s[at + 4] = ExactSum()
    rest.add(value, weight)
    if weight < 0 and rest.is_empty:
        s[at + 4] = None


def change_number(s: State, at: int, old: Value, new: Value) -> None:
    """A member's value was `old` and is `new`."""
    if type(old) is float and type(new) is float and -LARGEST < old < LARGEST and -LARGEST < new < LARGEST:
        before, after = old * UNIT, new * UNIT
        minus, plus = int(before), int(after)
        if minus == before and plus == after:
            s[at + 2] += plus - minus
            return
    if old is not None:
        add_number(s, at, old, -1)
    if new is not None:
        add_number(s, at, new, 1)


def integer_sum(s: State, at: int) -> Value:
    """A sum of integers of any size; NULL of none, and of one beyond what a cell may hold."""
    total: int = s[at]
    return total if s[at + 1] and total.bit_length() <= MAX_INTEGER_BITS else None


def integer_average(s: State, at: int) -> Value:
    """An average of integers of any size; NULL of none, and of one beyond the range of floats."""
    return _quotient(s[at], s[at + 1]) if s[at + 1] else None


def sum_reader(nulls: NullCounter) -> Callable[[State, int], Value]:
    """The function that reads a sum: as `ExactSum.result`."""

    def read(s: State, at: int) -> Value:
        rest = s[at + 4]
        if rest is not None:
            return _together(s, at, nulls).result()
        if s[at + 3]:
            return _quotient(s[at + 2] + (s[at] << FRACTION_BITS), 1 << FRACTION_BITS)
        return integer_sum(s, at)

    return read


def average_reader(nulls: NullCounter) -> Callable[[State, int], Value]:
    """The function that reads an average: as `ExactSum.average`."""

    def read(s: State, at: int) -> Value:
        rest = s[at + 4]
        if rest is not None:
            return _together(s, at, nulls).average()
        floats, count = s[at + 3], s[at + 1] + s[at + 3]
        if not count:
            return None
        if floats:
            return _quotient(s[at + 2] + (s[at] << FRACTION_BITS), count << FRACTION_BITS)
        return _quotient(s[at], count)

    return read


def _quotient(total: int, count: int) -> Value:
    """Correctly rounded, as the quotient of two integers is; NULL beyond the range of floats."""
    try:
        return total / count + 0.0
    except OverflowError:
        return None


def _together(s: State, at: int, nulls: NullCounter) -> ExactSum:
    """A sum of everything: integers and plain floats beside what the `ExactSum` holds."""
    rest: ExactSum = s[at + 4]
    if rest.errors:
        nulls.errors += 1  # as an expression of the wrong class is
    return rest.with_others(s[at], s[at + 1], s[at + 2], s[at + 3], FRACTION_BITS)


def reader_of(call: AggregateCall, at: int, nulls: NullCounter) -> Callable[[State], Value]:
    """The function that reads any other aggregate off its accumulator at place `at`."""
    read = reading_of(call, at)
    if call.function in ("count", "min", "max"):
        return read

    def counting(s: State) -> Value:
        if s[at].errors:
            nulls.errors += 1
        return read(s)

    return counting
