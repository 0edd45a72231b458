"""What an aggregate means: from the members of a group to one value, in exact fractions.

Owns count, sum, avg, min and max for the oracle, independently of the running sums in `algebra/exact`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction
from math import inf, isfinite

from sspcore.algebra.values import NAN, Value, canonical, canonical_key, full_order_key
from sspcore.engine.interpret_expressions import Row, evaluate
from sspcore.plan.nodes import AggregateCall


def aggregate(call: AggregateCall, members: Sequence[Row]) -> Value:
    """The value of the call over a group's rows. NULLs are skipped; over nothing count is 0, the rest NULL."""
    if call.argument is None:
        return len(members)
    values = [v for v in (evaluate(call.argument, row) for row in members) if v is not None]
    if call.distinct:
        values = _distinct(values)
    match call.function:
        case "count":
            return len(values)
        case "min":
            return min(values, key=full_order_key, default=None)
        case "max":
            return max(values, key=full_order_key, default=None)
        case "sum":
            return _held(_sum([v for v in values if _is_number(v)]))
        case _:
            return _held(_average([v for v in values if _is_number(v)]))


def _held(value: Value) -> Value:
    """The value as a cell holds it; NULL beyond that."""
    try:
        return canonical(value)
    except ValueError:
        return None


def _distinct(values: Sequence[Value]) -> list[Value]:
    """One of each set of equals: the least, types breaking ties."""
    least: dict[object, Value] = {}
    for value in sorted(values, key=full_order_key):
        least.setdefault(canonical_key(value), value)
    return list(least.values())


def _is_number(value: Value) -> bool:
    return type(value) in (int, float, Decimal)


def _sum(numbers: Sequence[Value]) -> Value:
    if not numbers or all(type(n) is int for n in numbers):
        return sum(numbers) if numbers else None
    if any(type(n) is float for n in numbers):
        infinite = _infinite(numbers)
        return infinite if infinite is not None else _nearest_float(_exact(numbers))
    return _exact_decimal(numbers)


def _average(numbers: Sequence[Value]) -> Value:
    if not numbers:
        return None
    if any(type(n) is Decimal for n in numbers) and not any(type(n) is float for n in numbers):
        total = _exact_decimal(numbers)
        whole = max(0, total.adjusted())
        return Context(prec=34 + whole, traps=[]).divide(total, Decimal(len(numbers)))
    infinite = _infinite(numbers)
    return infinite if infinite is not None else _nearest_float(_exact(numbers) / len(numbers))


def _exact(numbers: Sequence[Value]) -> Fraction:
    return sum(map(Fraction, numbers), Fraction(0))


def _infinite(numbers: Sequence[Value]) -> float | None:
    """The sum when a number is no finite one: NaN when there is one, or infinities of both signs."""
    special = [n for n in numbers if type(n) is float and not isfinite(n)]
    if not special:
        return None
    return inf if all(n == inf for n in special) else -inf if all(n == -inf for n in special) else NAN


def _nearest_float(exact: Fraction) -> float | None:
    """Correctly rounded; NULL beyond the range of floats."""
    try:
        return float(exact) + 0.0
    except OverflowError:
        return None


def _exact_decimal(numbers: Sequence[Value]) -> Decimal:
    """With as many places as the number of most places has."""
    exact = _exact(numbers)
    exponents = [n.as_tuple().exponent if type(n) is Decimal else 0 for n in numbers]
    places = -min(e for e in exponents if isinstance(e, int))
    scaled = exact * Fraction(10) ** places
    assert scaled.denominator == 1
    sign, digits, _ = Decimal(scaled.numerator).as_tuple()
    return Decimal((sign, digits, -places))
