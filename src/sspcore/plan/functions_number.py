"""Arithmetic and number functions of the library: integers, floats and decimals, mixed as in Postgres.

Owns how numbers of different types combine: two integers stay an integer, a float makes the result a float, else a
decimal is one. Times are added in `time_arithmetic`; every other class is refused, booleans included.

Integers are unbounded up to a cap. Decimal sums and products are exact; quotients, roots and logarithms carry 34
significant digits. Rounding is half away from zero for every type: a float is rounded as it prints, so that
`round(2.675, 2)` is 2.68 as the reader of the number expects.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Final

from sspcore.algebra.interval import Interval
from sspcore.algebra.values import NAN, Value
from sspcore.plan import time_arithmetic
from sspcore.plan.total import EXACT, NULL_BY_ERROR, Function, decimal, integer, real, strict

NUMBERS: Final = frozenset({int, float, Decimal})
ROUNDED: Final = Context(prec=34, Emax=1100, Emin=-1100, traps=[])
"""IEEE decimal128's precision, for what has no exact decimal result."""
MAX_DIGITS: Final = 2000
"""Positions to round to beyond which no number of ours has a digit (decimals end at 1000, integers at 1234)."""

_FAILURES: Final = (OverflowError, ValueError, ZeroDivisionError)


def to_float(value: int | float | Decimal) -> float:
    """The nearest float; OverflowError beyond their range."""
    result = float(value)
    if type(value) is Decimal and math.isinf(result):
        raise OverflowError
    return result


def _never(a: Value, b: Value) -> Value:
    return NULL_BY_ERROR


def _combine(
    a: Value,
    b: Value,
    floats: Callable[[float, float], float],
    decimals: Callable[[Decimal, Decimal], Decimal],
    others: Callable[[Value, Value], Value] = _never,
) -> Value:
    """The operation on two numbers of which at most one is an integer; on values of other classes `others`."""
    if a is None or b is None:
        return None
    if type(a) not in NUMBERS or type(b) not in NUMBERS:
        return others(a, b)
    if type(a) is float or type(b) is float:
        try:
            x, y = to_float(a), to_float(b)
            return real(floats(x, y), x, y)
        except _FAILURES:
            return NULL_BY_ERROR
    return decimal(decimals(Decimal(a), Decimal(b)))


def _add(a: Value, b: Value) -> Value:
    if type(a) is int and type(b) is int:
        return integer(a + b)
    return _combine(a, b, operator.add, EXACT.add, time_arithmetic.add)


def _subtract(a: Value, b: Value) -> Value:
    if type(a) is int and type(b) is int:
        return integer(a - b)
    return _combine(a, b, operator.sub, EXACT.subtract, time_arithmetic.subtract)


def _multiply(a: Value, b: Value) -> Value:
    if type(a) is int and type(b) is int:
        return integer(a * b)
    return _combine(a, b, operator.mul, EXACT.multiply, time_arithmetic.multiply)


def _divide(a: Value, b: Value) -> Value:
    if type(a) is int and type(b) is int:
        if b == 0:
            return NULL_BY_ERROR
        quotient = abs(a) // abs(b)
        return integer(quotient if (a < 0) == (b < 0) else -quotient)
    return _combine(a, b, operator.truediv, _divide_decimals, time_arithmetic.divide)


def _divide_decimals(a: Decimal, b: Decimal) -> Decimal:
    """34 significant digits, and more where the whole part of the quotient needs them."""
    extra = a.adjusted() - b.adjusted() if a and b else 0
    return (ROUNDED if extra <= 0 else Context(prec=34 + extra, traps=[])).divide(a, b)


def _modulo(a: Value, b: Value) -> Value:
    if type(a) is int and type(b) is int:
        if b == 0:
            return NULL_BY_ERROR
        rest = abs(a) % abs(b)
        return integer(rest if a >= 0 else -rest)
    return _combine(a, b, math.fmod, EXACT.remainder)


@strict
def _negate(x: Value) -> Value:
    if type(x) is Interval:
        return time_arithmetic.negate(x)
    return _by_type(x, lambda i: integer(-i), lambda f: real(-f, f), lambda d: decimal(d.copy_negate()))


def _by_type(
    x: Value, on_int: Callable[[int], Value], on_float: Callable[[float], Value], on_decimal: Callable[[Decimal], Value]
) -> Value:
    try:
        if type(x) is int:
            return on_int(x)
        if type(x) is float:
            return NAN if x != x else on_float(x)
        if type(x) is Decimal:
            return on_decimal(x)
    except _FAILURES:
        pass
    return NULL_BY_ERROR


@strict
def _absolute(x: Value) -> Value:
    return _by_type(x, lambda i: integer(abs(i)), abs, lambda d: decimal(d.copy_abs()))


@strict
def _sign(x: Value) -> Value:
    def of(n: Value) -> int:
        return bool(n > 0) - bool(n < 0)

    return _by_type(x, of, lambda f: float(of(f)), lambda d: Decimal(of(d)))


def _quantised(rounding: str) -> Callable[..., Value]:
    """round, trunc, floor, ceil: to `places` digits after the point (before it when negative)."""

    def on_decimal(x: Decimal, places: int) -> Decimal:
        exponent = x.as_tuple().exponent
        if isinstance(exponent, int) and exponent >= -places:
            return x
        return x.quantize(Decimal((0, (1,), -places)), rounding=rounding, context=EXACT)

    def apply(x: Value, places: Value = 0) -> Value:
        if type(places) is not int:
            return NULL_BY_ERROR
        places = max(-MAX_DIGITS, min(places, MAX_DIGITS))

        def on_int(i: int) -> Value:
            return i if places >= 0 else integer(int(on_decimal(Decimal(i), places)))

        def on_float(f: float) -> Value:
            return f if math.isinf(f) else real(float(on_decimal(Decimal(repr(f)), places)))

        return _by_type(x, on_int, on_float, lambda d: decimal(on_decimal(d, places)))

    return strict(apply)


def _floats(function: Callable[[float], float], decimals: Callable[[Decimal], Decimal]) -> Callable[..., Value]:
    """A function computed in floats, for decimals in decimals."""

    def on_float(f: float) -> Value:
        return real(function(f), f)

    return strict(lambda x: _by_type(x, lambda i: on_float(float(i)), on_float, lambda d: decimal(decimals(d))))


_ln = _floats(math.log, ROUNDED.ln)
_log10 = _floats(math.log10, ROUNDED.log10)


def _log(*values: Value) -> Value:
    """log(x) to base 10, log(base, x) to any."""
    if len(values) == 1:
        return _log10(*values)
    base, x = _ln(values[0]), _ln(values[1])
    for part in (base, x):
        if part is None or part is NULL_BY_ERROR:
            return part
    return _divide(x, base)


def _power(a: Value, b: Value) -> Value:
    """As in Postgres a float unless one operand is a decimal and none a float."""
    if type(a) is int and type(b) is int:
        try:
            return real(math.pow(a, b))
        except _FAILURES:
            return NULL_BY_ERROR
    return _combine(a, b, math.pow, lambda x, y: ROUNDED.power(x, y) if y else Decimal(1))


FUNCTIONS: Final = (
    Function("+", 2, 2, _add, "Sum of two numbers; a time or an interval moved by an interval; a date by days."),
    Function("-", 2, 2, _subtract, "Difference of two numbers, or of times (dates: in days; else an interval)."),
    Function("*", 2, 2, _multiply, "Product of two numbers, or of an interval and a number."),
    Function("/", 2, 2, _divide, "Quotient; of two integers, cut toward zero; NULL for a divisor of zero."),
    Function("%", 2, 2, _modulo, "Rest of the division, with the dividend's sign."),
    Function("mod", 2, 2, _modulo, "The same as %."),
    Function("neg", 1, 1, _negate, "The number with the other sign."),
    Function("abs", 1, 1, _absolute, "The number without its sign."),
    Function("sign", 1, 1, _sign, "-1, 0 or 1."),
    Function("round", 1, 2, _quantised(ROUND_HALF_UP), "Nearest number with so many digits, half away from zero."),
    Function("trunc", 1, 2, _quantised(ROUND_DOWN), "Cut to so many digits, toward zero."),
    Function("floor", 1, 1, _quantised(ROUND_FLOOR), "Greatest whole number not above."),
    Function("ceil", 1, 1, _quantised(ROUND_CEILING), "Least whole number not below."),
    Function("sqrt", 1, 1, _floats(math.sqrt, ROUNDED.sqrt), "Square root; NULL of a negative number."),
    Function("power", 2, 2, _power, "The first number to the power of the second."),
    Function("exp", 1, 1, _floats(math.exp, ROUNDED.exp), "e to the power of the number."),
    Function("ln", 1, 1, _ln, "Natural logarithm; NULL unless above zero."),
    Function("log", 1, 2, _log, "Logarithm to base 10, or to the base given first."),
    Function("pi", 0, 0, lambda: math.pi, "3.14159…"),
)
