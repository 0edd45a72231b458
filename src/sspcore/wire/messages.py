"""The messages of protocol `sspcore.v1`: what each may hold, from plain values and back.

Owns the form: every message is an object with `type`; a type or field not listed here is refused, by name. Refuses
to know in which order messages make sense (`session.py`) and how they are encoded.
"""

# ruff: noqa: RUF009 - `field` makes attrs fields, nothing is shared between messages

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import attrs

from sspcore.errors import PeerError, did_you_mean

SUBPROTOCOL: Final = "sspcore.v1"
MAX_NAME: Final = 256
"""Ids, view and circuit names, tokens and reasons are short."""

Check = Callable[[object], bool]
M = TypeVar("M")


def field(kind: str, check: Check, *, default: Any = attrs.NOTHING, name: str | None = None) -> Any:
    """A field of a message: what it is (for people), whether a value is one, its name on the wire."""
    return attrs.field(default=default, metadata={"kind": kind, "check": check, "name": name})


def _is_text(value: object) -> bool:
    return type(value) is str and len(value) <= MAX_NAME


def _is_any_text(value: object) -> bool:
    return type(value) is str


def _is_name(value: object) -> bool:
    return type(value) is str and 0 < len(value) <= MAX_NAME


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_amount(value: object) -> bool:
    return type(value) in (int, float) and value >= 0  # type: ignore[operator]


def _is_id(value: object) -> bool:
    return _is_text(value) or (type(value) is int and abs(value) < 2**63)


def _is_list(value: object) -> bool:
    return type(value) is list


def _is_object(value: object) -> bool:
    return type(value) is dict


def _is_flag(value: object) -> bool:
    return type(value) is bool


def _is_level(value: object) -> bool:
    return value in ("queued", "applied")


def _is_entry(value: object) -> bool:
    return type(value) is list and len(value) in (2, 3) and (value[1] is None or type(value[1]) is list)


def _is_entries(value: object) -> bool:
    return type(value) is list and all(map(_is_entry, value))


def _is_nested(value: object) -> bool:
    return type(value) is list and all(type(e) is list and 2 <= len(e) <= 4 and type(e[0]) is list for e in value)


def _is_names(value: object) -> bool:
    return type(value) is list and all(map(_is_any_text, value))


def _is_versions(value: object) -> bool:
    return type(value) is dict and all(map(_is_number, value.values()))


# What a client says


@attrs.frozen
class Hello:
    """Who speaks, and with what right. Optional where no token is needed; `integers` asks for big ones as text."""

    client_id: str | None = field("a short text", _is_name, default=None)
    token: str | None = field("a text", _is_any_text, default=None)
    encodings: list[str] | None = field("a list of texts", _is_names, default=None)
    integers: str = field("'number' or 'text'", lambda v: v in ("number", "text"), default="number")


@attrs.frozen
class Sub:
    """Subscribe to a view by name, SQL or plan; `id` is the client's own name for it."""

    id: Any = field("a short text or an integer", _is_id)
    circuit: str | None = field("a short text", _is_name, default=None)
    view: str | None = field("a short text", _is_name, default=None)
    sql: str | None = field("a text", _is_any_text, default=None)
    plan: dict[str, Any] | None = field("an object", _is_object, default=None)
    params: dict[str, Any] | None = field("an object", _is_object, default=None)
    format: str = field("'rows', 'ids' or 'tree'", lambda v: v in ("rows", "ids", "tree"), default="rows")
    own: bool = field("a boolean", _is_flag, default=False)
    """Keep a view for this subscription alone: `set` may move its parameters."""


@attrs.frozen
class Set:
    """Give a view of one's own other parameters; what changes comes as a `delta`. Those not named keep their values."""

    sid: int = field("an integer", _is_number)
    params: dict[str, Any] = field("an object", _is_object)


@attrs.frozen
class Unsub:
    """End a subscription."""

    id: Any = field("a short text or an integer", _is_id)


@attrs.frozen
class Ack:
    """The client holds this version of a view."""

    sid: int = field("an integer", _is_number)
    version: int = field("an integer", _is_number)


@attrs.frozen
class Ingest:
    """Changes to apply as one batch; answered by `accepted` or `error` with the same `seq`."""

    changes: list[Any] = field("a list of changes", _is_list)
    seq: int = field("an integer", _is_number)
    ack: str = field("'queued' or 'applied'", _is_level, default="applied")


@attrs.frozen
class Ping:
    """Answered by `pong` whatever the queues hold."""


# What a server says


@attrs.frozen
class Welcome:
    """The answer to `hello`: the session's name, its limits, and seconds between signs of life."""

    session: str = field("a short text", _is_text)
    limits: dict[str, Any] = field("an object", _is_object)
    heartbeat: float = field("a number", _is_amount)


@attrs.frozen
class Snap:
    """One part of the whole value of a view: rows of `[key, [values]]`, in order for an ordered view."""

    id: Any = field("a short text or an integer", _is_id)
    sid: int = field("an integer", _is_number)
    epoch: str = field("a text", _is_any_text)
    version: int = field("an integer", _is_number)
    part: int = field("an integer", _is_number)
    last: bool = field("a boolean", _is_flag)
    columns: list[str] = field("a list of texts", _is_names)
    rows: list[Any] = field("a list of [key, [values]]", _is_entries)
    ordered: bool = field("a boolean", _is_flag, default=False)
    warnings: list[str] | None = field("a list of texts", _is_names, default=None)


@attrs.frozen
class Delta:
    """How a view changed from one version to another.

    Entries are `[key, [values]]`; in ordered views a row that was added or moved is `[key, [values], after_key]`
    (None: first), its values None when only its place changed. Added and updated are each in final order.
    In views of format tree, `nested` lists what changed within rows that are not updated: `[path, key]` is a child
    removed, `[path, key, child]` one that changed, `[path, key, child, after_key]` one added or moved (child None: as
    it was); a path is `[[row key, column], [child key, member], …]`.
    """

    sid: int = field("an integer", _is_number)
    from_version: int = field("an integer", _is_number, name="from")
    to: int = field("an integer", _is_number)
    added: list[Any] = field("a list of entries", _is_entries)
    updated: list[Any] = field("a list of entries", _is_entries)
    removed: list[Any] = field("a list of keys", _is_list)
    nested: list[Any] | None = field("a list of [path, key, …]", _is_nested, default=None)


@attrs.frozen
class Restart:
    """What the client holds of a view is void; a snapshot follows, in a new epoch."""

    sid: int = field("an integer", _is_number)
    reason: str = field("a text", _is_any_text)


@attrs.frozen
class Closed:
    """A subscription is over."""

    sid: int = field("an integer", _is_number)
    reason: str = field("a text", _is_any_text)


@attrs.frozen
class Accepted:
    """An ingest was admitted (`level` queued) and, when asked for, applied: the circuits' versions tell it."""

    seq: int = field("an integer", _is_number)
    offset: int = field("an integer", _is_number)
    level: str = field("'queued' or 'applied'", _is_level)
    versions: dict[str, int] = field("an object of integers", _is_versions)


@attrs.frozen
class Error:
    """Something was refused; `id`, `seq` or `sid` say what, the rest where: in a message, a batch, or an SQL text."""

    code: str = field("a short text", _is_text)
    message: str = field("a text", _is_any_text)
    hint: str = field("a text", _is_any_text, default="")
    retry_after: float | None = field("a number", _is_amount, default=None)
    id: Any = field("a short text or an integer", _is_id, default=None)
    seq: int | None = field("an integer", _is_number, default=None)
    sid: int | None = field("an integer", _is_number, default=None)
    path: str | None = field("a text", _is_any_text, default=None)
    index: int | None = field("an integer", _is_number, default=None)
    line: int | None = field("an integer", _is_number, default=None)
    column: int | None = field("an integer", _is_number, default=None)
    caret: str | None = field("a text", _is_any_text, default=None)
    depth: int | None = field("an integer", _is_number, default=None)
    capacity: int | None = field("an integer", _is_number, default=None)


@attrs.frozen
class Pong:
    """The answer to `ping`."""


CLIENT_MESSAGES: Final[Mapping[str, type]] = {
    "hello": Hello, "sub": Sub, "set": Set, "unsub": Unsub, "ack": Ack, "ingest": Ingest, "ping": Ping,
}  # fmt: skip
SERVER_MESSAGES: Final[Mapping[str, type]] = {
    "welcome": Welcome, "snap": Snap, "delta": Delta, "restart": Restart, "closed": Closed, "accepted": Accepted,
    "error": Error, "pong": Pong,
}  # fmt: skip


def to_plain(message: Any) -> dict[str, Any]:
    """A message as plain values; optional fields at their default are left out.

    >>> to_plain(Delta(sid=1, from_version=4, to=5, added=[], updated=[], removed=["AA"]))
    {'type': 'delta', 'sid': 1, 'from': 4, 'to': 5, 'added': [], 'updated': [], 'removed': ['AA']}
    """
    kind = type(message)
    plain: dict[str, Any] = {"type": _TYPE_OF[kind]}
    for name, attribute, default in _LAYOUT[kind]:
        value = getattr(message, attribute)
        if default is attrs.NOTHING or value != default:
            plain[name] = value
    return plain


def parse(data: object, known: Mapping[str, type]) -> Any:
    """The message in plain values, one of the types `known`. Raises PeerError (the sender's fault), naming the field.

    >>> parse({"type": "unsub", "id": "board"}, CLIENT_MESSAGES)
    Unsub(id='board')
    """
    if type(data) is not dict:
        raise PeerError("a message is an object with a type", code="malformed", hint=did_you_mean("", known))
    name = data.get("type")
    kind = known.get(name) if type(name) is str else None
    if kind is None:
        hint = did_you_mean(name if type(name) is str else "", known)
        raise PeerError(f"unknown message type {_shown(name)}", code="unknown_type", hint=hint)
    fields = _FIELDS[kind]
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key == "type":
            continue
        spec = fields.get(key)
        if spec is None:
            hint = did_you_mean(key, fields) or "it has no fields"
            raise PeerError(f"{name} has no field {_shown(key)}", code="unknown_field", hint=hint)
        if value is None and spec.default is None:
            continue
        if not spec.metadata["check"](value):
            raise PeerError(f"{name}.{key} is {spec.metadata['kind']}, not {_shown(value)}", code="malformed")
        values[spec.name] = value
    for key, spec in fields.items():
        if spec.default is attrs.NOTHING and spec.name not in values:
            raise PeerError(f"{name} needs the field {key!r}: {spec.metadata['kind']}", code="malformed")
    return kind(**values)


def _shown(value: object) -> str:
    if type(value) is int and value.bit_length() > 200:
        return "a huge integer"
    text = repr(value) if type(value) in (str, int, float, bool, type(None)) else f"a {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "…"


_ALL: Final = {**CLIENT_MESSAGES, **SERVER_MESSAGES}
_TYPE_OF: Final = {kind: name for name, kind in _ALL.items()}
_FIELDS: Final = {kind: {a.metadata["name"] or a.name: a for a in attrs.fields(kind)} for kind in _TYPE_OF}
_LAYOUT: Final = {kind: [(name, a.name, a.default) for name, a in fields.items()] for kind, fields in _FIELDS.items()}
