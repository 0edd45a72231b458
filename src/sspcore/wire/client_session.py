"""The client's end of a conversation as a state machine: texts in, events out; requests come back as text to send.

Owns what a client may rely on: whole snapshots from their parts, updates that chain, answers matched to requests.
Refuses to know sockets, tasks, and how a view is kept or shown. Raises PeerError when the server breaks the protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from sspcore.errors import PeerError
from sspcore.wire.json_text import decode_json, encode_json
from sspcore.wire.messages import (
    SERVER_MESSAGES,
    Accepted,
    Ack,
    Closed,
    Delta,
    Error,
    Hello,
    Ingest,
    Ping,
    Pong,
    Restart,
    Set,
    Snap,
    Sub,
    Unsub,
    Welcome,
    parse,
    to_plain,
)


@attrs.frozen
class Whole:
    """A snapshot, all its parts together: rows are `[key, [values]]`, in order when `ordered`."""

    id: Any
    sid: int
    epoch: str
    version: int
    columns: list[str]
    rows: list[Any]
    ordered: bool = False
    warnings: tuple[str, ...] = ()


ClientEvent = Welcome | Whole | Delta | Restart | Closed | Accepted | Error | Pong


@attrs.define
class Held:
    """What a client holds of one view."""

    ids: list[Any]
    epoch: str
    version: int
    restarting: bool = False


class ClientSession:
    """The client's end of one connection. `seq` numbers its ingests; `views` is what it holds, by sid."""

    def __init__(
        self,
        *,
        decode: Callable[[str | bytes], Any] = decode_json,
        encode: Callable[[object], str] = encode_json,
        seq: int = 0,
    ) -> None:
        self.seq = seq
        self.views: dict[int, Held] = {}
        self._decode, self._encode = decode, encode
        self._asked: dict[Any, int | None] = {}
        self._partial: dict[int, list[Snap]] = {}
        self._left: set[int] = set()
        self._unanswered: set[int] = set()
        self._cancelled = False

    # What the client says

    def hello(self, client_id: str | None = None, token: str | None = None, integers: str = "number") -> str:
        """The first message, where a token is needed or the client has a name or a wish."""
        return self._text(Hello(client_id, token, ["json"], integers))

    def sub(self, id: Any, **query: Any) -> str:
        """Subscribe: `view=…`, `sql=…` or `plan=…`, with `params=…`, `format=…`, `own=True`, `circuit=…`."""
        if id in self._asked:
            raise ValueError(f"id {id!r} is in use")
        self._asked[id] = None
        return self._text(Sub(id, **query))

    def set(self, sid: int, params: dict[str, Any]) -> str:
        """Move the parameters of a view subscribed to with `own=True`; the difference comes as a `Delta`."""
        return self._text(Set(sid, params))

    def unsub(self, id: Any) -> str:
        """End a subscription; updates under way are ignored from now on."""
        self._forget(id)
        return self._text(Unsub(id))

    def ack(self, sid: int) -> str:
        """Tell the server that what it sent of a view is held."""
        return self._text(Ack(sid, self.views[sid].version))

    def ingest(self, changes: list[Any], ack: str = "applied") -> str:
        """Changes (plain objects) as one batch, with the next `seq`."""
        self.seq += 1
        self._unanswered.add(self.seq)
        return self._text(Ingest(changes, self.seq, ack))

    def ping(self) -> str:
        """Ask for a sign of life."""
        return self._text(Ping())

    # What the server says

    def receive(self, data: str | bytes) -> list[ClientEvent]:
        """The events of one message. Raises PeerError (the server's fault), also for updates that do not chain."""
        message = parse(self._decode(data), SERVER_MESSAGES)
        if type(message) is Snap:
            return self._snap(message)
        if type(message) is Delta:
            return self._delta(message)
        if type(message) is Restart:
            held = self.views.get(message.sid)
            if held is None:
                return self._late(message.sid)
            held.restarting = True
        elif type(message) is Closed:
            held = self.views.pop(message.sid, None)
            if held is None:
                return self._late(message.sid)
            for id in held.ids:
                self._asked.pop(id, None)
        elif type(message) is Accepted:
            if message.seq not in self._unanswered:
                raise PeerError(f"seq {message.seq} was not waiting for an answer")
            self._unanswered.discard(message.seq)
        elif type(message) is Error:
            if message.seq is not None:
                self._unanswered.discard(message.seq)
            if message.id is not None and self._asked.get(message.id, 0) is None:
                del self._asked[message.id]
        return [message]

    def _snap(self, snap: Snap) -> list[ClientEvent]:
        if snap.id not in self._asked:
            return self._late(snap.sid)
        parts = self._partial.setdefault(snap.sid, [])
        if snap.part == 0:
            parts.clear()
        if snap.part != len(parts) or (parts and (snap.epoch, snap.version) != (parts[0].epoch, parts[0].version)):
            raise PeerError(f"part {snap.part} of the snapshot of sid {snap.sid} comes out of turn")
        parts.append(snap)
        if not snap.last:
            return []
        del self._partial[snap.sid]
        self._left.discard(snap.sid)
        self._asked[snap.id] = snap.sid
        ids = [id for id, sid in self._asked.items() if sid == snap.sid]
        self.views[snap.sid] = Held(ids, snap.epoch, snap.version)
        rows = [row for part in parts for row in part.rows]
        warnings = tuple(parts[0].warnings or ())
        return [Whole(snap.id, snap.sid, snap.epoch, snap.version, snap.columns, rows, snap.ordered, warnings)]

    def _delta(self, delta: Delta) -> list[ClientEvent]:
        held = self.views.get(delta.sid)
        if held is None:
            return self._late(delta.sid)
        if held.restarting or delta.from_version != held.version:
            raise PeerError(
                f"update {delta.from_version}-{delta.to} of sid {delta.sid} does not follow version {held.version}",
                code="gap", hint="subscribe anew",
            )  # fmt: skip
        held.version = delta.to
        return [delta]

    def _late(self, sid: int) -> list[ClientEvent]:
        """What was under way when we left a view is no fault; anything else about an unknown view is."""
        if sid in self._left or self._cancelled:
            return []
        raise PeerError(f"nothing was asked about sid {sid}")

    def _forget(self, id: Any) -> None:
        sid = self._asked.pop(id)
        if sid is None:
            self._cancelled = True
            return
        held = self.views[sid]
        held.ids.remove(id)
        if not held.ids:
            del self.views[sid]
            self._left.add(sid)

    def _text(self, message: object) -> str:
        return self._encode(to_plain(message))
