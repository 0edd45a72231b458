"""Comparisons as closures: a short cut where both sides are of one plain type, the exact meaning elsewhere.

Owns which Python types may be compared by Python's own operators without changing the answer. Refuses to know trees.

Six nearly equal functions twice: a call through a table of operators would cost as much as the comparison itself.
`>` is written `not v <= c` because NaN is above all numbers, while Python calls every comparison with it false.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sspcore.algebra.values import Value

Row = tuple[Value, ...]
Scalar = Callable[[Row], Value]
Slow = Callable[[Value, Value], Value]
"""The meaning in full, of two values."""

SYMBOLS: Final = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""Comparison → the one that means the same with its sides exchanged."""
KINDS: Final[dict[type, tuple[type, type]]] = {
    int: (int, float), float: (float, int), str: (str, str), bytes: (bytes, bytes), bool: (bool, bool),
    datetime: (datetime, datetime), date: (date, date), Decimal: (Decimal, int),
}  # fmt: skip
"""Type of a constant → types of values that Python compares with it as we do (a float column holds ints too)."""
PLAIN: Final = frozenset({int, str, bytes, bool, datetime, date, Decimal})
"""Types of which Python compares two values as we do. Not float: two NaN are equal."""


def column_against_constant(symbol: str, index: int, constant: Value, slow: Slow) -> Scalar | None:
    """The comparison of a column with a constant; None when the constant has no short cut (NULL, NaN, lists)."""
    if type(constant) not in KINDS or constant != constant:
        return None
    return _AGAINST_CONSTANT[symbol](index, constant, *KINDS[type(constant)], slow)


def two_scalars(symbol: str, left: Scalar, right: Scalar, slow: Slow) -> Scalar:
    """The comparison of two expressions."""
    return _TWO_SCALARS[symbol](left, right, slow)


def _equal_to(i: int, c: Any, kind: type, other: type, slow: Slow) -> Scalar:
    def test(row: Row) -> Value:
        v = row[i]
        k = type(v)
        return v == c if k is kind or k is other else slow(v, c)

    return test


def _unequal_to(i: int, c: Any, kind: type, other: type, slow: Slow) -> Scalar:
    def test(row: Row) -> Value:
        v = row[i]
        k = type(v)
        return v != c if k is kind or k is other else slow(v, c)

    return test


def _less_than(i: int, c: Any, kind: type, other: type, slow: Slow) -> Scalar:
    def test(row: Row) -> Value:
        v = row[i]
        k = type(v)
        return v < c if k is kind or k is other else slow(v, c)

    return test


def _at_most(i: int, c: Any, kind: type, other: type, slow: Slow) -> Scalar:
    def test(row: Row) -> Value:
        v = row[i]
        k = type(v)
        return v <= c if k is kind or k is other else slow(v, c)

    return test


def _greater_than(i: int, c: Any, kind: type, other: type, slow: Slow) -> Scalar:
    def test(row: Row) -> Value:
        v = row[i]
        k = type(v)
        return not v <= c if k is kind or k is other else slow(v, c)

    return test


def _at_least(i: int, c: Any, kind: type, other: type, slow: Slow) -> Scalar:
    def test(row: Row) -> Value:
        v = row[i]
        k = type(v)
        return not v < c if k is kind or k is other else slow(v, c)

    return test


_AGAINST_CONSTANT: Final[dict[str, Callable[[int, Any, type, type, Slow], Scalar]]] = {
    "=": _equal_to, "<>": _unequal_to, "<": _less_than, "<=": _at_most, ">": _greater_than, ">=": _at_least,
}  # fmt: skip


def _equal(left: Scalar, right: Scalar, slow: Slow) -> Scalar:
    def test(row: Row) -> Value:
        a, b = left(row), right(row)
        k = type(a)
        return a == b if k is type(b) and k in PLAIN else slow(a, b)

    return test


def _unequal(left: Scalar, right: Scalar, slow: Slow) -> Scalar:
    def test(row: Row) -> Value:
        a, b = left(row), right(row)
        k = type(a)
        return a != b if k is type(b) and k in PLAIN else slow(a, b)

    return test


def _less(left: Scalar, right: Scalar, slow: Slow) -> Scalar:
    def test(row: Row) -> Value:
        a, b = left(row), right(row)
        k = type(a)
        return a < b if k is type(b) and k in PLAIN else slow(a, b)

    return test


def _less_or_equal(left: Scalar, right: Scalar, slow: Slow) -> Scalar:
    def test(row: Row) -> Value:
        a, b = left(row), right(row)
        k = type(a)
        return a <= b if k is type(b) and k in PLAIN else slow(a, b)

    return test


_TWO_SCALARS: Final[dict[str, Callable[[Scalar, Scalar, Slow], Scalar]]] = {
    "=": _equal,
    "<>": _unequal,
    "<": _less,
    "<=": _less_or_equal,
    ">": lambda left, right, slow: _less(right, left, lambda b, a: slow(a, b)),
    ">=": lambda left, right, slow: _less_or_equal(right, left, lambda b, a: slow(a, b)),
}
