"""What makes a function total: the mark of a failure, the caps on size, and the rule that NULL in gives NULL out.

Owns the ways a function of the library may end other than with a value. Refuses to know any function.

A live view cannot raise, so division by zero, a failed cast, an operand of the wrong class and a result beyond the
caps are NULL. Functions return `NULL_BY_ERROR` for these, never to be seen in a row: evaluators count it and make it
NULL. The caps are there because one cheap row change must not become a huge computation.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from functools import wraps
from math import inf, isinf
from typing import Any, Final

import attrs

from sspcore.algebra.values import MAX_INTEGER_BITS, NAN, Value

MAX_TEXT: Final = 1 << 20
"""Code points of text (or bytes) made longer by an expression: 1 MiB, the size of a whole message on the wire."""
MAX_EXPONENT: Final = 1000
MAX_DIGITS: Final = 2000
"""Of decimals, as at the door (`algebra.values.canonical`); integers share their cap with it too."""

EXACT: Final = Context(prec=5000, Emax=999_999, Emin=-999_999, traps=[])
"""Adds and multiplies decimals exactly (from 10¹⁰⁰⁰ to 10⁻³⁰⁰⁰ they have 4001 digits at most), and never raises."""


class _NullByError:
    __slots__ = ()

    def __repr__(self) -> str:
        return "NULL_BY_ERROR"


NULL_BY_ERROR: Final = _NullByError()
"""What a function returns in place of raising."""


@attrs.frozen
class Function:
    """A function of the library.

    `apply` takes `min_args` to `max_args` values (any number when that is None) and gives a value, NULL or
    `NULL_BY_ERROR`; it never raises and depends on nothing but its arguments. `doc` says what it means in one sentence.
    """

    name: str
    min_args: int
    max_args: int | None
    apply: Callable[..., Value]
    doc: str


def strict(function: Callable[..., Value]) -> Callable[..., Value]:
    """The function with a NULL argument giving NULL."""

    @wraps(function)
    def apply(*values: Value) -> Value:
        for value in values:  # `None in values` would call `==` of the values
            if value is None:
                return None
        return function(*values)

    return apply


def integer(result: int) -> Value:
    """An integer result, within the cap."""
    return result if result.bit_length() <= MAX_INTEGER_BITS else NULL_BY_ERROR


def real(result: float, *operands: Any) -> Value:
    """A float result in canonical form; infinity out of finite operands is an overflow."""
    if result != result:
        return NAN
    if isinf(result) and not (inf in operands or -inf in operands):
        return NULL_BY_ERROR
    return result + 0.0


def decimal(result: Decimal) -> Value:
    """A decimal result in canonical form, within the cap."""
    if not result.is_finite():
        return NULL_BY_ERROR
    if not result:
        return Decimal(0)
    if abs(result.adjusted()) > MAX_EXPONENT or len(result.as_tuple().digits) > MAX_DIGITS:
        return NULL_BY_ERROR
    return result


def text(result: str) -> Value:
    """A text result, within the cap."""
    return result if len(result) <= MAX_TEXT else NULL_BY_ERROR
