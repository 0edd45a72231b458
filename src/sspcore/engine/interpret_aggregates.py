"""What an aggregate means: from the members of a group to one value, in exact fractions.

Owns every aggregate for the oracle, independently of the running sums in `algebra/exact` and `algebra/moments`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from math import inf, isfinite

from sspcore.algebra.values import NAN, Key, Value, canonical, canonical_key, full_order_key
from sspcore.engine.interpret_expressions import Row, evaluate, is_true
from sspcore.engine.interpret_order import in_order
from sspcore.plan.expressions import Column
from sspcore.plan.nodes import AggregateCall, OrderTerm
from sspcore.plan.total import MAX_TEXT


def aggregate(call: AggregateCall, members: Mapping[Key, Row]) -> Value:
    """The value of the call over a group's rows by key. See `AggregateCall`."""
    if call.argument is None:
        return len(members)
    if call.function == "array_agg":
        return tuple(_in_order(call, members)) or None
    if call.function == "string_agg":
        return _joined(call, [v for v in _in_order(call, members) if type(v) is str])
    values = [v for v in (evaluate(call.argument, row) for row in members.values()) if v is not None]
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
        case "bool_and" | "bool_or":
            truths = [v for v in values if type(v) is bool]
            return (all if call.function == "bool_and" else any)(truths) if truths else None
        case "var_samp" | "var_pop" | "stddev_samp" | "stddev_pop":
            numbers = [v for v in values if _is_number(v)]
            return _held(_spread(numbers, call.function.endswith("samp"), call.function.startswith("stddev")))
        case _:
            return _held(_average([v for v in values if _is_number(v)]))


def _in_order(call: AggregateCall, members: Mapping[Key, Row]) -> list[Value]:
    """The values of the rows that take part, in order."""
    assert call.argument is not None
    if not call.distinct:
        return [evaluate(call.argument, row) for _, row in in_order(call.order, members) if is_true(call.where, row)]
    values = _distinct([evaluate(call.argument, row) for row in members.values() if is_true(call.where, row)])
    order = [OrderTerm(Column(0), t.descending, t.nulls_first) for t in call.order[:1]] or [OrderTerm(Column(0))]
    return [value for _, (value,) in in_order(order, {i: (value,) for i, value in enumerate(values)})]


def _joined(call: AggregateCall, texts: Sequence[str]) -> Value:
    between = None if call.separator is None else evaluate(call.separator, ())
    if not texts or type(between) not in (str, type(None)):
        return None
    text = (between or "").join(texts)
    return text if len(text) <= MAX_TEXT else None


def _spread(numbers: Sequence[Value], sample: bool, root: bool) -> Value:
    """The variance of a sample or a population, or its root: from the exact sum of squared differences to the mean."""
    if len(numbers) <= sample:
        return None
    if _infinite(numbers) is not None:
        return NAN
    mean = _exact(numbers) / len(numbers)
    variance = sum([(Fraction(n) - mean) ** 2 for n in numbers], Fraction(0)) / (len(numbers) - sample)
    exact = any(type(n) is Decimal for n in numbers) and not any(type(n) is float for n in numbers)
    wide = Context(prec=10_000 if not root else 2_600, Emax=999_999, Emin=-999_999, traps=[])
    quotient = wide.divide(Decimal(variance.numerator), Decimal(variance.denominator))
    spread = wide.sqrt(quotient) if root else quotient
    if not exact:
        return _nearest_float(Fraction(spread) if root else variance)
    digits = 34 + (max(0, spread.adjusted()) if spread >= 1 else 0)
    return Context(prec=digits, traps=[]).plus(spread)


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
