"""Values: canonical forms, equality, the one total order, three-valued truth.

Owns what a cell of a row may hold and how two of them compare. Refuses to know columns, rows of a
table, or where a value came from (edges parse text into values; nothing here parses).

A value is None (NULL), bool, int, float, str, bytes, an aware UTC `datetime`, `date`, `Decimal`, an
`Interval`, a tuple (a list) or a `FrozenObject` (a JSON object). Within a *class* values compare by value (`1 = 1.0`);
across classes they are never equal, and their order is that of the classes:

    bool < number < text < bytes < date/time < interval < list < object < NULL

Python says `True == 1`, `(True,) == (1,)` and `nan != nan`; so nothing that groups, joins or indexes may use
a raw value as a dict key: it uses `canonical_key`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import isnan
from typing import Any, Final

from sspcore.algebra.interval import Interval

Value = Any
"""A cell: None, bool, int, float, str, bytes, datetime, date, Decimal, Interval, tuple of values, FrozenObject."""
Key = Any
"""A hashable form in which equal values, and only those, are equal."""

NAN: Final = float("nan")
"""The only NaN inside the engine: identity makes it equal to itself in tuples and dicts."""
MAX_INTEGER_BITS: Final = 4096
"""Size of integers, well below the 4300 digits beyond which Python refuses to print one."""
_INTEGER_END: Final = 1 << MAX_INTEGER_BITS
MAX_NESTING: Final = 64
"""Depth of lists and objects, as in the wire limits: deeper values are refused at the door."""

BOOL, NUMBER, TEXT, BYTES, TIME, INTERVAL, LIST, OBJECT, NULL = range(9)
CLASS_NAMES: Final = ("boolean", "number", "text", "bytes", "timestamp", "interval", "list", "object", "null")


class FrozenObject(Mapping[str, Value]):
    """An immutable, hashable JSON object; equal to another with the same members in any order.

    >>> FrozenObject({"b": 1, "a": 2}) == FrozenObject({"a": 2, "b": 1})
    True
    """

    __slots__ = ("_hash", "_members")

    def __init__(self, members: Mapping[str, Value]) -> None:
        self._members = dict(members)
        self._hash: int | None = None

    @classmethod
    def owning(cls, members: dict[str, Value]) -> FrozenObject:
        """An object of a dict that nobody else has: it is not copied."""
        made = cls.__new__(cls)
        made._members = members
        made._hash = None
        return made

    def __getitem__(self, name: str) -> Value:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrozenObject) and self._members == other._members

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._members.items()))
        return self._hash

    def __repr__(self) -> str:
        return f"FrozenObject({self._members!r})"


class BoolKey:
    """Stands for a boolean inside keys, so that no dict confuses TRUE with 1; there are two, `TRUE` and `FALSE`."""

    __slots__ = ("value",)

    def __init__(self, value: bool) -> None:
        self.value = value

    def __bool__(self) -> bool:
        return self.value

    def __repr__(self) -> str:
        return "TRUE" if self.value else "FALSE"

    def __reduce__(self) -> str:
        return repr(self)


TRUE: Final = BoolKey(True)
FALSE: Final = BoolKey(False)

_CLASS_OF: Final[dict[type, int]] = {
    bool: BOOL, BoolKey: BOOL, int: NUMBER, float: NUMBER, Decimal: NUMBER, str: TEXT, bytes: BYTES,
    datetime: TIME, date: TIME, Interval: INTERVAL, tuple: LIST, FrozenObject: OBJECT, type(None): NULL,
}  # fmt: skip
_TYPE_RANK: Final[dict[type, int]] = {int: 0, float: 1, Decimal: 2, date: 0, datetime: 1}
_PLAIN: Final = frozenset({type(None), int, str, bytes})
"""Types whose values are canonical as they come, and their own keys (floats and the rest need a look)."""


def class_of(value: Value) -> int:
    """The class of a canonical value: one of BOOL NUMBER TEXT BYTES TIME INTERVAL LIST OBJECT NULL."""
    return _CLASS_OF[type(value)]


def canonical(value: object, depth: int = 0) -> Value:
    """The form of `value` that the engine keeps: one NaN, no -0.0, aware UTC timestamps, frozen lists and objects.

    Raises ValueError (the caller's data) for what no cell may hold: naive timestamps, non-finite decimals,
    text with lone surrogates, keys of objects that are not text, nesting beyond 64, other types.
    Cost: O(size of the value).

    >>> canonical([1, {"a": -0.0}])
    (1, FrozenObject({'a': 0.0}))
    """
    kind = type(value)
    if kind is int:
        if -_INTEGER_END < value < _INTEGER_END:  # type: ignore[operator]
            return value
        raise ValueError(f"an integer of more than {MAX_INTEGER_BITS} bits cannot be stored")
    if kind is bool or value is None or kind is bytes:
        return value
    if kind is str:
        return _checked_text(value)  # type: ignore[arg-type]
    if kind is float:
        return NAN if value != value else value + 0.0  # type: ignore[operator]
    if depth >= MAX_NESTING:
        raise ValueError(f"lists and objects nest deeper than {MAX_NESTING}")
    if isinstance(value, list | tuple):
        return tuple([canonical(v, depth + 1) for v in value])
    if isinstance(value, Mapping):
        return FrozenObject({_member_name(k): canonical(v, depth + 1) for k, v in value.items()})
    return _canonical_rare(value)


def _canonical_rare(value: object) -> Value:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"timestamp {value.isoformat()} has no time zone; make it aware, such as with UTC")
        try:
            return value.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"timestamp {value.isoformat()} is beyond the years 1 to 9999 in UTC") from None
    if isinstance(value, date):
        return value
    if isinstance(value, Interval | timedelta):
        interval = value if isinstance(value, Interval) else Interval.of(value)
        if not interval.fits:
            raise ValueError("an interval has at most 2^31 months and days, and 2^63 microseconds")
        return interval
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > 1000 or len(value.as_tuple().digits) > 2000:
            raise ValueError("a decimal is finite, its exponent within 1000, its digits within 2000")
        return value if value else Decimal(0)
    if isinstance(value, bytes):
        return bytes(value)
    for base in (bool, int, float, str):  # subclasses, such as enums and numpy's float64
        if isinstance(value, base):
            return canonical(base(value))
    raise ValueError(f"a value of type {type(value).__name__} cannot be stored")


def _checked_text(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"text {text!a} holds a lone surrogate") from None
    return text


def _member_name(name: object) -> str:
    if type(name) is not str:
        raise ValueError(f"object member {name!r} is not named by text")
    return _checked_text(name)


def canonical_key(value: Value) -> Key:
    """A hashable key: `canonical_key(a) == canonical_key(b)` iff `a` and `b` are not distinct in SQL's sense.

    NULL is equal to NULL here (grouping, DISTINCT); joins must skip NULL keys themselves. Cost: O(size).

    >>> canonical_key(1) == canonical_key(1.0), canonical_key(1) == canonical_key(True)
    (True, False)
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return NAN if value != value else value
    if kind is bool:
        return TRUE if value else FALSE
    if kind is tuple:
        return tuple([canonical_key(v) for v in value])
    if kind is date:
        return datetime.combine(value, time.min, UTC)
    if kind is FrozenObject:
        return FrozenObject({k: canonical_key(v) for k, v in value.items()})
    if kind is Interval:
        return Interval(0, 0, value.length)
    return value


def row_key(row: tuple[Value, ...]) -> tuple[Key, ...]:
    """The canonical keys of all cells of a row."""
    return tuple([v if type(v) in _PLAIN else canonical_key(v) for v in row])


_DEEP: Final = frozenset({tuple, FrozenObject, Decimal})
"""Types of which two equal values may differ within."""


def same(a: Value, b: Value) -> bool:
    """Equal and of the same types all the way down: what makes a write a no-op (`1` to `True` is none).

    >>> same(1, 1.0), same((1, "x"), (1, "x"))
    (False, True)
    """
    if type(a) is not type(b) or a != b:
        return a is b
    if type(a) is tuple:
        for x, y in zip(a, b):  # noqa: B905 - they are equal; rows are compared here, so no call for a plain cell
            if x is not y and (type(x) is not type(y) or (type(x) in _DEEP and not same(x, y))):
                return False
        return True
    if type(a) is FrozenObject:
        return all(same(v, b[k]) for k, v in a.items())
    if type(a) is Decimal:
        return bool(a.as_tuple() == b.as_tuple())
    return True


def order_key(value: Value) -> tuple[Any, ...]:
    """A plain tuple that sorts ascending in the one total order (NULL last); equal iff the values are equal."""
    kind = _CLASS_OF[type(value)]
    if kind == NUMBER:
        return (NUMBER, 1, 0) if type(value) is float and isnan(value) else (NUMBER, 0, value)
    if kind == LIST:
        return (LIST, tuple([order_key(v) for v in value]))
    if kind == OBJECT:
        return (OBJECT, tuple([(k, order_key(value[k])) for k in sorted(value)]))
    if kind == NULL:
        return (NULL,)
    if kind == BOOL:
        return (BOOL, bool(value))
    if kind == INTERVAL:
        return (INTERVAL, value.length)
    return (kind, canonical_key(value))


_MIRRORED: Final = bytes([max(0, 0xFE - byte) for byte in range(256)])
"""UTF-8 uses no byte above 0xF4."""


def descending_key(value: Value) -> tuple[Any, ...]:
    """A plain tuple that sorts in the exact reverse of `order_key` (NULL first).

    Text becomes its UTF-8 bytes mirrored, which sort as code points do backwards, closed by a byte above all others, so
    that a prefix sorts after what extends it.
    """
    kind = _CLASS_OF[type(value)]
    if kind == NUMBER:
        if type(value) is float and isnan(value):
            return (-NUMBER, -1, 0)
        return (-NUMBER, 0, value.copy_negate() if type(value) is Decimal else -value)
    if kind == TEXT:
        return (-TEXT, value.encode("utf-8", "surrogatepass").translate(_MIRRORED) + b"\xff")
    if kind == BYTES:
        return (-BYTES, (*[-b for b in value], 1))
    if kind == LIST:
        return (-LIST, (*[descending_key(v) for v in value], (1,)))
    if kind == OBJECT:
        members = [(descending_key(k), descending_key(value[k])) for k in sorted(value)]
        return (-OBJECT, (*members, ((1,),)))
    if kind == TIME:
        return (-TIME, -_microseconds(canonical_key(value)))
    if kind == INTERVAL:
        return (-INTERVAL, -value.length)
    if kind == BOOL:
        return (-BOOL, not value)
    return (-NULL,)


def type_rank(value: Value) -> tuple[Any, ...]:
    """Breaks ties among equal values of different types (`1`, `1.0`), so that a representative is well defined."""
    if type(value) is tuple:
        return (0, tuple([type_rank(v) for v in value]))
    if type(value) is FrozenObject:
        return (0, tuple([type_rank(value[k]) for k in sorted(value)]))
    if type(value) is Decimal:
        return (2, value.as_tuple().exponent)
    if type(value) is Interval:
        return (0, value.months, value.days)
    return (_TYPE_RANK.get(type(value), 0),)


def full_order_key(value: Value) -> tuple[Any, ...]:
    """`order_key` with ties broken by type: total, and equal only for values that are the `same`."""
    return (order_key(value), type_rank(value))


def compare(a: Value, b: Value) -> int | None:
    """-1, 0 or 1 for values of one class; None (unknown) when one is NULL or the classes differ.

    >>> compare(1, 2.5), compare("a", 1), compare(None, 1)
    (-1, None, None)
    """
    kind = _CLASS_OF[type(a)]
    if kind == NULL or kind != _CLASS_OF[type(b)]:
        return None
    left, right = order_key(a), order_key(b)
    return (left > right) - (left < right)


def equals(a: Value, b: Value) -> bool | None:
    """SQL equality: None (unknown) when one is NULL, False across classes, else by value."""
    if a is None or b is None:
        return None
    left, right = canonical_key(a), canonical_key(b)
    return bool(left is right or left == right)


def _microseconds(moment: datetime) -> int:
    delta = moment - datetime(1, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
