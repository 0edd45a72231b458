"""Digests: a row, or a whole view, as a few bytes that are equal for equal states everywhere.

Owns the form in which rows and keys are hashed: a pure function of what is visible, whatever the order rows came in,
the run or the machine. Refuses to know views; who keeps a digest adds what came and takes away what went.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

from sspcore.algebra.tagged import encode
from sspcore.algebra.values import FrozenObject, Key, Value

Row = tuple[Value, ...]

ROW_BYTES: Final = 8
"""Length of a row's digest: two different images of one row coincide once in 2**64."""
DIGEST_BYTES: Final = 16
"""Length of a view's digest."""
_ROW: Final = b"sspcore row"
_ENTRY: Final = b"sspcore view entry"
_MODULUS: Final = 1 << (8 * DIGEST_BYTES)
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
"""Types whose text as Python writes it is the same everywhere, and never that of another value."""


def row_digest(row: Row) -> bytes:
    """Eight bytes that tell a row's images apart, by value and type: `1`, `1.0` and TRUE differ.

    >>> row_digest((1, "a")) == row_digest((1, "a")), row_digest((1,)) == row_digest((1.0,))
    (True, False)
    """
    return blake2b(_row_text(row), digest_size=ROW_BYTES, key=_ROW).digest()


def entry_weight(key: Key, row: Row) -> int:
    """What one row under its key contributes to the digest of its view: a number below 2**128."""
    text = b"%s %s" % (_key_text(key), _row_text(row))
    return int.from_bytes(blake2b(text, digest_size=DIGEST_BYTES, key=_ENTRY).digest(), "big")


def digest_of(value: Mapping[Key, Row]) -> int:
    """The digest of a view's value: the sum of its entries. Cost: O(rows), some two microseconds each.

    >>> digest_of({}), digest_of({"a": (1,), "b": (2,)}) == digest_of({"b": (2,), "a": (1,)})
    (0, True)
    """
    return sum([entry_weight(key, row) for key, row in value.items()]) % _MODULUS


def digest_after(digest: int, changes: Iterable[tuple[Key, Row | None, Row | None]]) -> int:
    """The digest of a value once these net changes have come over it. Cost: O(changes).

    >>> digest_after(digest_of({"a": (1,)}), [("a", (1,), (2,))]) == digest_of({"a": (2,)})
    True
    """
    for key, old, new in changes:
        if old is not None:
            digest -= entry_weight(key, old)
        if new is not None:
            digest += entry_weight(key, new)
    return digest % _MODULUS


def shown_digest(digest: int) -> str:
    """A digest as people and protocols write it: 32 hexadecimal digits."""
    return f"{digest:0{2 * DIGEST_BYTES}x}"


def _row_text(row: Row) -> bytes:
    for value in row:
        if type(value) not in _PLAIN:
            return _tagged(row)
    return ascii(row).encode()


def _tagged(value: Value) -> bytes:
    # Members of objects have no order, and timestamps a form of ours: JSON, which tells 1.0 from 1 as well.
    return b"$" + json.dumps(encode(value), sort_keys=True, separators=(",", ":")).encode()


def _key_text(key: Key) -> bytes:
    if type(key) is str or type(key) is int:
        return ascii(key).encode()
    return _tagged(_one_of_equals(key))


def _one_of_equals(key: Key) -> Any:
    """Keys are equal across types (1, 1.0), and which of them a view shows as the key depends on what came first."""
    kind = type(key)
    if kind is tuple:
        return tuple([_one_of_equals(part) for part in key])
    if kind is float or kind is Decimal:
        return _number(key)
    if kind is FrozenObject:
        return FrozenObject({name: _one_of_equals(member) for name, member in key.items()})
    return key


def _number(number: float | Decimal) -> Any:
    """Equal numbers in one form: an int where they are whole, else a fraction; infinities and NaN by name."""
    if number != number or number in (float("inf"), float("-inf")):
        return float(number)
    top, bottom = number.as_integer_ratio()
    return top if bottom == 1 else FrozenObject({"top": top, "bottom": bottom})
