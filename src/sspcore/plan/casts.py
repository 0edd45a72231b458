"""CAST: from a value of any class to a column type, as Postgres does it.

Owns how values are written as text and read from it inside expressions. Refuses locale, style settings and time zones:
a timestamp without one is read as UTC. A cast that fails is NULL.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

from sspcore.algebra.interval import Interval
from sspcore.algebra.values import FrozenObject, Value
from sspcore.plan.functions_number import to_float
from sspcore.plan.interval_text import read_interval
from sspcore.plan.total import EXACT, NULL_BY_ERROR, Function, decimal, integer, real, text

_BLANKS: Final = " \t\n\r\f\v"
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,1300}")  # no repetition inside another: linear on any input
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_TRUTHS: Final = {word[:n]: truth for word, shortest, truth in (
    ("true", 1, True), ("yes", 1, True), ("on", 2, True), ("1", 1, True),
    ("false", 1, False), ("no", 1, False), ("off", 2, False), ("0", 1, False),
) for n in range(shortest, len(word) + 1)}  # fmt: skip
_INFINITIES: Final = {"inf": math.inf, "infinity": math.inf, "nan": math.nan}


def to_text(value: Value) -> Value:
    """A value as text: what CAST, `||` and concat write; NULL_BY_ERROR beyond the cap. Cost: O(size).

    >>> to_text(True), to_text(1.0), to_text(1e20), to_text((1, "a"))
    ('true', '1', '1e+20', '[1, "a"]')
    """
    kind = type(value)
    if kind is str:
        return value
    if kind is int:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return _float_text(value)
    if kind is Decimal:
        return text(format(value, "f"))
    if kind is datetime:
        return _timestamp_text(value)
    if kind is date:
        return value.isoformat()
    if kind is Interval:
        return str(value)
    if kind is bytes:
        return text("\\x" + value.hex())
    return text(json.dumps(_plain(value), ensure_ascii=False))


def _float_text(value: float) -> str:
    """The shortest digits that read back as the same float, laid out as Postgres does (exponents from 1e+15)."""
    if not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    figures = "".join(map(str, digits))
    point = len(figures) + int(exponent)
    if -4 < point <= 15:
        shown = format(Decimal(repr(value)).normalize(), "f")
        return shown if shown != "-0" else "0"
    tail = "." + figures[1:] if len(figures) > 1 else ""
    return f"{'-' if sign else ''}{figures[0]}{tail}e{point - 1:+03d}"


def _timestamp_text(moment: datetime) -> str:
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment.year:04d}-{moment:%m-%d %H:%M:%S}{fraction}+00"


def _plain(value: Value) -> Any:
    """Lists and objects as the JSON module wants them; members sorted, so that equal objects are equal text."""
    if type(value) is tuple:
        return [_plain(v) for v in value]
    if type(value) is FrozenObject:
        return {k: _plain(value[k]) for k in sorted(value)}
    if value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value)):
        return value
    return to_text(value)


def _to_boolean(value: Value) -> Value:
    if type(value) is bool:
        return value
    if type(value) is str:
        return _TRUTHS.get(value.strip(_BLANKS).lower(), NULL_BY_ERROR)
    return value != 0 if type(value) is int else NULL_BY_ERROR


def _to_integer(value: Value) -> Value:
    kind = type(value)
    if kind is int or kind is bool:
        return int(value)
    if kind is str:
        trimmed = value.strip(_BLANKS)
        return integer(int(trimmed)) if _WHOLE.fullmatch(trimmed) else NULL_BY_ERROR
    if kind is float and math.isfinite(value):
        value = Decimal(value)
    elif kind is not Decimal:
        return NULL_BY_ERROR
    return integer(int(value.to_integral_value(ROUND_HALF_UP, EXACT)))


def _to_real(value: Value) -> Value:
    kind = type(value)
    if kind is float:
        return value
    if kind is str:
        trimmed = value.strip(_BLANKS)
        if _NUMBER.fullmatch(trimmed):
            return real(float(trimmed))
        found = _INFINITIES.get(trimmed.lstrip("+-").lower()) if len(trimmed) <= 9 else None
        if found is None or trimmed.startswith(("+-", "-+", "--", "++")):
            return NULL_BY_ERROR
        return real(-found if trimmed.startswith("-") else found, found, -found)
    if kind is int or kind is bool or kind is Decimal:
        try:
            return to_float(value) + 0.0
        except OverflowError:
            return NULL_BY_ERROR
    return NULL_BY_ERROR


def _to_decimal(value: Value) -> Value:
    kind = type(value)
    if kind is Decimal:
        return value
    if kind is bool or kind is int:
        return decimal(Decimal(int(value)))
    if kind is float and math.isfinite(value):
        return decimal(Decimal(repr(value)))
    if kind is str and _NUMBER.fullmatch(trimmed := value.strip(_BLANKS)):
        try:
            return decimal(Decimal(trimmed))
        except InvalidOperation:
            return NULL_BY_ERROR
    return NULL_BY_ERROR


def _to_bytes(value: Value) -> Value:
    """Of text: the hex form `\\x0aff`, else its UTF-8; other escapes are refused."""
    if type(value) is bytes:
        return value
    if type(value) is not str:
        return NULL_BY_ERROR
    if value.startswith("\\x"):
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            return NULL_BY_ERROR
    return NULL_BY_ERROR if "\\" in value else value.encode()


def _to_timestamp(value: Value) -> Value:
    kind = type(value)
    if kind is datetime:
        return value
    if kind is date:
        return datetime.combine(value, time.min, UTC)
    if kind is not str:
        return NULL_BY_ERROR
    try:
        moment = datetime.fromisoformat(value.strip(_BLANKS))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return NULL_BY_ERROR


def _to_date(value: Value) -> Value:
    """Of a timestamp: its day in UTC; of text: the day as written, whatever time and zone follow."""
    kind = type(value)
    if kind is date:
        return value
    if kind is datetime:
        return value.date()
    if kind is not str:
        return NULL_BY_ERROR
    try:
        return datetime.fromisoformat(value.strip(_BLANKS)).date()
    except ValueError:
        return NULL_BY_ERROR


def _to_interval(value: Value) -> Value:
    if type(value) is Interval:
        return value
    found = read_interval(value) if type(value) is str else None
    return NULL_BY_ERROR if found is None else found


CASTS: Final[dict[str, Callable[[Value], Value]]] = {
    "boolean": _to_boolean, "integer": _to_integer, "real": _to_real, "text": to_text, "bytes": _to_bytes,
    "timestamp": _to_timestamp, "date": _to_date, "decimal": _to_decimal,
    "interval": _to_interval,
    "json": lambda value: value, "any": lambda value: value,
}  # fmt: skip
"""Column type → the cast of a non-NULL value to it."""


def cast(value: Value, kind: Value) -> Value:
    """The value as one of the column type `kind`."""
    if value is None or kind is None:
        return None
    convert = CASTS.get(kind) if type(kind) is str else None
    return NULL_BY_ERROR if convert is None else convert(value)


FUNCTIONS: Final = (
    Function("cast", 2, 2, cast, "The value as another column type (the second argument, constant text)."),
)
