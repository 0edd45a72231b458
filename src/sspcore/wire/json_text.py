"""JSON text, strictly: what other readers would take differently, or drop, is refused.

Owns the default codec of the wire (the standard library's); a faster one may be passed wherever these two functions
are. Refuses to know what the objects mean.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from sspcore.errors import PeerError
from sspcore.wire.limits import MAX_NESTING, check_nesting

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def encode_json(data: object) -> str:
    """Plain values as compact JSON text.

    >>> encode_json({"type": "pong"})
    '{"type":"pong"}'
    """
    return _ENCODER.encode(data)


def decode_json(data: str | bytes | bytearray, *, nesting: int = MAX_NESTING) -> Any:
    """The plain values of a JSON text. Raises PeerError or TooExpensive (the sender's fault).

    Refused beyond what the standard library refuses: NaN and Infinity, a member named twice, lone surrogates,
    nesting deeper than `nesting`.

    >>> decode_json('{"a": [1, null]}')
    {'a': [1, None]}
    """
    if isinstance(data, bytes | bytearray):
        try:
            data = data.decode()
        except UnicodeDecodeError as error:
            raise PeerError(f"not UTF-8 at byte {error.start}", code="malformed", hint="send UTF-8 text") from None
    check_nesting(data, nesting)
    try:
        value = _DECODER.decode(data)
    except json.JSONDecodeError as error:
        raise PeerError(
            f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}", code="malformed",
            hint="send one JSON value",
        ) from None  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise PeerError(f"not JSON we take: {error}", code="malformed") from None
    if _SURROGATE.search(data):
        _refuse_surrogates(value)
    return value


def _refuse_surrogates(value: object) -> None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise PeerError(f"text {value[:40]!a} holds a lone surrogate", code="malformed") from None
    elif isinstance(value, list):
        for item in value:
            _refuse_surrogates(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_surrogates(name)
            _refuse_surrogates(item)


def _constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON; send it as text")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        name = next(name for at, name in enumerate(names) if name in names[:at])
        raise ValueError(f"member {name[:80]!r} is named twice in one object")
    return members


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_constant)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
