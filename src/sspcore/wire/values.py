"""Values and row keys in JSON: text is parsed into the declared type on the way in, and printed on the way out.

Owns the two translations and nothing else: what may stand in a column is judged at the engine's door. Refuses to
know tables, messages and who reads them.

Values: timestamps and dates are ISO 8601, decimals and intervals text, bytes base64, NaN and the infinities the words
`NaN`, `Infinity`, `-Infinity`; integers are numbers (`integers_as_text` prints those beyond 2⁵³ as text, for
JavaScript).

Keys name a row of a view. A reader takes them as opaque and compares their JSON, so equal keys print alike and
different keys differently: text, integers, true, false, null and lists stand for themselves; whatever JSON cannot
tell apart is tagged, `{"time": "2013-06-24T00:00:00Z"}`.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from sspcore.algebra.interval import Interval
from sspcore.algebra.values import FALSE, TRUE, BoolKey, FrozenObject, Key, Value, canonical_key

SAFE_INTEGER: Final = 2**53
"""The first integer beyond which a double (all that JavaScript has) no longer tells neighbours apart."""
PRINTABLE_BITS: Final = 14_000
"""Python prints integers of up to 4 300 digits (14 284 bits) in decimal; larger ones leave as hexadecimal text."""

_AS_IS: Final = frozenset({type(None), bool, str})
_WORDS: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_INTEGER: Final = re.compile(r"-?[0-9]{1,4300}", re.ASCII)
_HEXADECIMAL: Final = re.compile(r"-?0x[0-9a-f]+", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def encode_value(value: Value, integers_as_text: bool = False) -> Any:
    """A cell as JSON has it. Total over engine values. Cost: O(size of the value).

    >>> from datetime import UTC, date, datetime
    >>> encode_value(datetime(2013, 6, 24, 7, tzinfo=UTC)), encode_value((date(2013, 6, 24), b"ab", float("nan")))
    ('2013-06-24T07:00:00Z', ['2013-06-24', 'YWI=', 'NaN'])
    """
    kind = type(value)
    if kind in _AS_IS:
        return value
    if kind is int:
        return _integer(value, integers_as_text)
    if kind is float:
        return value if isfinite(value) else _word(value)
    if kind is tuple:
        return [encode_value(v, integers_as_text) for v in value]
    if kind is FrozenObject:
        return {name: encode_value(v, integers_as_text) for name, v in value.items()}
    return _encode_rare(value)


def encode_row(row: Iterable[Value], integers_as_text: bool = False) -> list[Any]:
    """The cells of a row as JSON has them.

    >>> encode_row(("AA", 75, True, None))
    ['AA', 75, True, None]
    """
    return [v if type(v) in _AS_IS else encode_value(v, integers_as_text) for v in row]


def encode_key(key: Key, integers_as_text: bool = False) -> Any:
    """A row key as JSON has it: the same for equal keys, different for different ones.

    >>> from decimal import Decimal
    >>> encode_key(("AA", TRUE, None, 1.0, Decimal("0.1"), b"ab"))
    ['AA', True, None, 1, {'decimal': '0.1'}, {'bytes': 'YWI='}]
    """
    kind = type(key)
    if kind in _AS_IS:
        return key
    if kind is int:
        if (integers_as_text and abs(key) >= SAFE_INTEGER) or key.bit_length() > PRINTABLE_BITS:
            return {"integer": _integer(key, True)}
        return key
    if kind is tuple:
        return [encode_key(part, integers_as_text) for part in key]
    if kind is BoolKey:
        return bool(key)
    if kind is float or kind is Decimal:
        return _encode_number_key(key, integers_as_text)
    if kind is FrozenObject:
        return {"object": {name: encode_key(key[name], integers_as_text) for name in sorted(key)}}
    if kind is bytes:
        return {"bytes": b64encode(key).decode()}
    if kind is Interval:
        return {"interval": str(key.length)}
    return {"time": encode_value(canonical_key(key))}


def decode_key(data: object) -> Key:
    """The key that `encode_key` printed. Raises ValueError (the sender's data) for what it never prints.

    >>> decode_key(["AA", True, {"decimal": "0.1"}])
    ('AA', TRUE, Decimal('0.1'))
    """
    if data is None or type(data) is str or type(data) is int:
        return data
    if type(data) is bool:
        return TRUE if data else FALSE
    if type(data) is float and isfinite(data):
        return data
    if isinstance(data, list | tuple):
        return tuple([decode_key(part) for part in data])
    if isinstance(data, dict) and len(data) == 1:
        ((tag, content),) = data.items()
        untag = _UNTAG.get(tag)
        if untag is not None:
            return untag(content)
    raise ValueError(f"{_shown(data)} is no row key")


def decode_value(data: object, kind: str) -> object:
    """`data` from JSON, with text parsed into the column type `kind`. What needs no parsing is passed on as it is.

    Raises ValueError (the sender's data) for text that is not of the type. Whether a value of another shape fits
    the column is the door's to say.

    >>> decode_value("2013-06-24T07:00:00Z", "timestamp")
    datetime.datetime(2013, 6, 24, 7, 0, tzinfo=datetime.timezone.utc)
    """
    if type(data) is str:
        parse = _PARSERS.get(kind)
        return data if parse is None else parse(data)
    if kind == "decimal" and type(data) is float:
        raise ValueError(f"{data!r} is a binary number; send a decimal as text, such as {str(data)!r}")
    return data


def decode_id(data: object) -> object:
    """An id from JSON: lists are tuples; the door says what an id may be."""
    return tuple(data) if type(data) is list else data


def _integer(value: int, as_text: bool) -> int | str:
    if value.bit_length() > PRINTABLE_BITS:
        return f"{value:#x}"
    return str(value) if as_text and abs(value) >= SAFE_INTEGER else value


def _word(value: float) -> str:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _encode_rare(value: Value) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | Interval):
        return str(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, BoolKey):
        return bool(value)
    raise TypeError(f"{type(value).__name__} is no engine value")


def _encode_number_key(key: float | Decimal, integers_as_text: bool) -> Any:
    """Numbers are equal across their types, so each prints as the simplest type that holds it exactly."""
    if key != key or key in (_WORDS["Infinity"], _WORDS["-Infinity"]):
        return {"real": _word(float(key))}
    if key == (whole := int(key)):
        return encode_key(whole, integers_as_text)
    if (real := float(key)) == key:
        return real
    sign, digits, exponent = Decimal(key).as_tuple()
    kept = "".join(map(str, digits)).rstrip("0")
    return {"decimal": str(Decimal((sign, tuple(map(int, kept)), int(exponent) + len(digits) - len(kept))))}


def _parse_integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"{_shown(text)} is no integer")
    return int(text)


def _parse_real(text: str) -> float:
    if text not in _WORDS:
        raise ValueError(f"{_shown(text)} is no real; send a number, or one of NaN, Infinity, -Infinity")
    return _WORDS[text]


def _parse_bytes(text: str) -> bytes:
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        raise ValueError(f"{_shown(text)} is no base64") from None


def _parse_timestamp(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{_shown(text)} is no ISO 8601 timestamp, such as 2013-06-24T07:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"timestamp {_shown(text)} has no time zone; add Z or an offset such as +02:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"timestamp {_shown(text)} is beyond the years 1 to 9999 in UTC") from None


def _parse_date(text: str) -> date:
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError(f"{_shown(text)} is no ISO 8601 date, such as 2013-06-24")


def _parse_decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"{_shown(text)} is no decimal")
    return Decimal(text)


def _text(content: object) -> str:
    if type(content) is not str:
        raise ValueError(f"{_shown(content)} is not the text a tagged key holds")
    return content


def _integer_key(content: object) -> Key:
    text = _text(content)
    return int(text, 16) if _HEXADECIMAL.fullmatch(text) else _parse_integer(text)


def _object_key(content: object) -> Key:
    if type(content) is not dict:
        raise ValueError(f"{_shown(content)} is not the object a tagged key holds")
    return FrozenObject({str(name): decode_key(value) for name, value in content.items()})


def _shown(data: object) -> str:
    text = repr(data)
    return text if len(text) <= 80 else text[:77] + "…"


_PARSERS: Final[dict[str, Callable[[str], object]]] = {
    "integer": _parse_integer, "real": _parse_real, "bytes": _parse_bytes,
    "timestamp": _parse_timestamp, "date": _parse_date, "decimal": _parse_decimal,
}  # fmt: skip
_UNTAG: Final[dict[str, Callable[[object], Key]]] = {
    "integer": _integer_key, "real": lambda content: canonical_key(_parse_real(_text(content))),
    "decimal": lambda content: _parse_decimal(_text(content)), "bytes": lambda content: _parse_bytes(_text(content)),
    "time": lambda content: _parse_timestamp(_text(content)), "object": _object_key,
    "interval": lambda content: Interval(0, 0, _integer_key(content)),
}  # fmt: skip
