"""The server's end of a conversation as a state machine: texts in, events out; what to send comes back as text.

Owns the rules: hello before all else where a token is needed, names in use, limits, versions that chain. Refuses to
know sockets, tasks, views and clocks: what a request asks for is done by whoever holds the session. Whatever bytes
come, it does not raise: a faulty message is answered with `error`, and the conversation goes on.
The other end is `client_session.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from sspcore.engine.update import Snapshot, ViewUpdate
from sspcore.errors import Full, InternalError, PeerError, SspError, TooExpensive
from sspcore.wire.frames import delta_message, snapshot_of, snapshot_texts
from sspcore.wire.json_text import decode_json, encode_json
from sspcore.wire.limits import PART_BYTES, Limits, check_sql
from sspcore.wire.messages import (
    CLIENT_MESSAGES,
    MAX_NAME,
    Accepted,
    Ack,
    Closed,
    Error,
    Hello,
    Ingest,
    Ping,
    Pong,
    Restart,
    Set,
    Sub,
    Unsub,
    Welcome,
    parse,
    to_plain,
)

UNAUTHORISED = 4401
"""Close code: the token of `hello` is missing or wrong (as HTTP's 401)."""
SLOW = 4008
"""Close code: the peer reads too slowly; come back and subscribe anew."""


@attrs.frozen
class Reply:
    """Send this text now, ahead of any view's updates."""

    text: str


@attrs.frozen
class Hangup:
    """Send what is due, then close the connection with this code."""

    code: int
    reason: str


Request = Sub | Set | Unsub | Ingest | Ack
ServerEvent = Reply | Hangup | Request
Frame = Callable[[ViewUpdate, bool], str]
"""The text of an update's `delta`, given whether big integers are text."""


@attrs.define
class Stream:
    """What a peer holds of one view: the aliases it gave it, and the epoch and version sent last."""

    sid: int
    aliases: list[Any]
    ordered: bool = False
    epoch: str = ""
    version: int = 0
    acked: int = 0
    own: bool = False


def _everyone(token: str | None) -> bool:
    return True


class ServerSession:
    """The server's end of one connection. Texts to send come back as `Reply` or as strings.

    Args:
        name: the session's name, told in `welcome`.
        admits: judges the token of `hello`.
        hello_required: nothing but `hello` and `ping` is heard before a good `hello`.
        limits, heartbeat: told in `welcome` and obeyed.
        decode, encode: the JSON codec.
    """

    def __init__(
        self,
        name: str,
        *,
        admits: Callable[[str | None], bool] = _everyone,
        hello_required: bool = False,
        limits: Limits | None = None,
        heartbeat: float = 20.0,
        decode: Callable[[str | bytes], Any] = decode_json,
        encode: Callable[[object], str] = encode_json,
    ) -> None:
        self.name = name
        self.limits = limits or Limits()
        self.heartbeat = heartbeat
        self.client_id: str | None = None
        self.integers_as_text = False
        self._admits, self._welcomed = admits, not hello_required
        self._decode, self._encode = decode, encode
        self._sids: dict[Any, int | None] = {}
        self._streams: dict[int, Stream] = {}
        self._ingests: set[int] = set()
        self._said_hello = False
        self._own: set[Any] = set()
        self._moves = 0

    # What the peer says

    def receive(self, data: str | bytes) -> list[ServerEvent]:
        """Judge one message. Never raises for what a peer sent: a fault is a `Reply` holding an `error`.

        Cost: O(length of the message).
        """
        echo: dict[str, Any] = {}
        try:
            if len(data) > self.limits.message_bytes:
                raise TooExpensive("bytes in one message", limit=self.limits.message_bytes, actual=len(data))
            plain = self._decode(data)
            echo = _echo(plain)
            message = parse(plain, CLIENT_MESSAGES)
            if type(message) is Sub and len(data) > self.limits.query_bytes:
                raise TooExpensive("bytes in one sub", limit=self.limits.query_bytes, actual=len(data))
            return self._judge(message)
        except SspError as error:
            return [self.error(error, **echo)]

    def _judge(self, message: Any) -> list[ServerEvent]:
        if type(message) is Ping:
            return [self._reply(Pong())]
        if type(message) is Hello:
            return self._hello(message)
        if not self._welcomed:
            raise PeerError("say hello first", code="hello_first", hint='{"type": "hello", "token": "…"}')
        if type(message) is Sub:
            self._sub(message)
        elif type(message) is Unsub:
            if message.id not in self._sids:
                raise PeerError(f"no subscription {message.id!r}", code="unknown_id")
        elif type(message) is Set:
            self._set(message)
        elif type(message) is Ack:
            self._ack(message)
        elif type(message) is Ingest:
            self._ingest(message)
        return [message]

    def _hello(self, hello: Hello) -> list[ServerEvent]:
        if self._said_hello:
            raise PeerError("hello was said already", code="hello_twice", hint="open another connection")
        if not (self._welcomed and hello.token is None) and not self._admits(hello.token):
            refused = Error("forbidden", "the token is missing or wrong", "ask whoever runs this server")
            return [self._reply(refused), Hangup(UNAUTHORISED, "unauthorised")]
        if hello.encodings is not None and "json" not in hello.encodings:
            raise PeerError(f"none of the encodings {hello.encodings!r:.80} is spoken here", hint="offer 'json'")
        self._said_hello = self._welcomed = True
        self.client_id = hello.client_id
        self.integers_as_text = hello.integers == "text"
        limits = attrs.asdict(self.limits) | {"part_bytes": PART_BYTES}
        return [self._reply(Welcome(self.name, limits, self.heartbeat))]

    def _sub(self, sub: Sub) -> None:
        if sub.id in self._sids:
            raise PeerError(f"id {sub.id!r} is in use", code="id_in_use", hint="unsub it first, or choose another id")
        if len(self._sids) >= self.limits.subscriptions:
            raise TooExpensive(
                "subscriptions of one connection", limit=self.limits.subscriptions, actual=len(self._sids) + 1,
                hint="unsub what is no longer looked at",
            )  # fmt: skip
        if (sub.view is not None) + (sub.sql is not None) + (sub.plan is not None) != 1:
            raise PeerError("sub names one of view, sql or plan", code="malformed")
        if sub.view is not None and (sub.params is not None or sub.own or sub.format != "rows"):
            raise PeerError("params go with sql or plan, as do own and format; a view has its own", code="malformed")
        if sub.sql is not None:
            check_sql(sub.sql, self.limits.sql_bytes)
        self._sids[sub.id] = None
        if sub.own:
            self._own.add(sub.id)

    def _set(self, move: Set) -> None:
        stream = self._streams.get(move.sid)
        if stream is None:
            raise PeerError(f"no view has sid {move.sid} here", code="unknown_sid")
        if not stream.own:
            raise PeerError(
                f"the view of sid {move.sid} is shared", code="not_own", hint="subscribe to its query with own: true"
            )
        if self._moves >= self.limits.ingests:
            raise Full(f"{self._moves} moves wait", depth=self._moves, capacity=self.limits.ingests, retry_after=0.1)
        self._moves += 1

    def _ack(self, ack: Ack) -> None:
        stream = self._streams.get(ack.sid)
        if stream is None:
            raise PeerError(f"no view has sid {ack.sid} here", code="unknown_sid")
        if ack.version > stream.version:
            raise PeerError(
                f"version {ack.version} of sid {ack.sid} was never sent; the last is {stream.version}", code="bad_ack"
            )
        stream.acked = max(stream.acked, ack.version)

    def _ingest(self, ingest: Ingest) -> None:
        if len(ingest.changes) > self.limits.changes:
            raise TooExpensive(
                "changes in one message", limit=self.limits.changes, actual=len(ingest.changes), hint="send several"
            )
        if ingest.seq in self._ingests:
            raise PeerError(f"seq {ingest.seq} is in progress", code="seq_in_use", hint="seq rises with each ingest")
        if len(self._ingests) >= self.limits.ingests:
            waiting = len(self._ingests)
            raise Full(
                f"{waiting} ingests wait for their answer", depth=waiting, capacity=self.limits.ingests, retry_after=0.1
            )
        self._ingests.add(ingest.seq)

    # What the server says

    def snapshot(self, id: Any, sid: int, snapshot: Snapshot) -> Iterator[str]:
        """The texts of a subscription's first snapshot, to be pulled as the peer reads; it then is at that version.

        A second subscription to a view (another alias, the same sid) replaces what the peer holds of it.
        """
        if id not in self._sids or self._sids[id] not in (None, sid):
            raise InternalError(f"subscription {id!r} has sid {self._sids.get(id)}, not {sid}")
        stream = self._streams.setdefault(sid, Stream(sid, [], own=id in self._own))
        if id not in stream.aliases:
            stream.aliases.append(id)
        self._sids[id] = sid
        stream.ordered, stream.epoch, stream.version = snapshot.ordered, snapshot.epoch, snapshot.version
        return snapshot_texts(id, sid, snapshot, self._encode, integers_as_text=self.integers_as_text)

    def update(self, sid: int, update: ViewUpdate, frame: Frame | None = None) -> Iterator[str]:
        """The texts that bring the peer from its version to the update's: one `delta`, or `restart` and a snapshot.

        `frame(update, integers_as_text)` may give the delta's text, encoded once for all peers. Raises InternalError
        when the update does not chain to what was sent.
        """
        stream = self._streams[sid]
        if update.reset:
            yield self._text(Restart(sid, update.reason or "the view was derived anew"))
            whole = snapshot_of(update, stream.ordered)
            yield from self.snapshot(stream.aliases[0], sid, whole)
            return
        if (update.epoch, update.from_version) != (stream.epoch, stream.version):
            raise InternalError(
                f"sid {sid}: {update.epoch}-{update.from_version} does not follow {stream.epoch}-{stream.version}"
            )
        stream.version = update.version
        if frame is not None:
            yield frame(update, self.integers_as_text)
        else:
            yield self._text(delta_message(sid, update, integers_as_text=self.integers_as_text))

    def unsubscribed(self, id: Any) -> int | None:
        """Forget an alias; the sid when it was the last of its view (stop sending it), else None."""
        sid = self._sids.pop(id, None)
        self._own.discard(id)
        if sid is None:
            return None
        stream = self._streams[sid]
        stream.aliases.remove(id)
        if stream.aliases:
            return None
        del self._streams[sid]
        return sid

    def closed(self, sid: int, reason: str) -> Reply:
        """The view is gone: every alias of it ends."""
        stream = self._streams.pop(sid, None)
        for alias in stream.aliases if stream else ():
            self._sids.pop(alias, None)
            self._own.discard(alias)
        return self._reply(Closed(sid, reason))

    def accepted(self, seq: int, offset: int, level: str, versions: Mapping[str, int]) -> Reply:
        """An ingest was admitted."""
        self._ingests.discard(seq)
        return self._reply(Accepted(seq, offset, level, dict(versions)))

    def error(self, error: SspError, *, id: Any = None, seq: int | None = None, sid: int | None = None) -> Reply:
        """A request was refused; its id or seq is free again when the request was under way."""
        where = {name: value for name, value in error.as_dict().items() if name in _ERROR_FIELDS}
        return self._reply(Error(**where, id=id, seq=seq, sid=sid))

    def moved(self, move: Set, error: SspError | None = None) -> Reply | None:
        """A `set` is done, and where it failed the peer is told."""
        self._moves -= 1
        return None if error is None else self.error(error, sid=move.sid)

    def refused(self, error: SspError, request: Sub | Ingest) -> Reply:
        """A request that `receive` let through failed: say so, and forget it."""
        if type(request) is Sub:
            self.unsubscribed(request.id)
            return self.error(error, id=request.id)
        assert type(request) is Ingest
        self._ingests.discard(request.seq)
        return self.error(error, seq=request.seq)

    @property
    def welcomed(self) -> bool:
        """Whether requests are heard: after a good hello, or from the start where none is needed."""
        return self._welcomed

    @property
    def streams(self) -> Mapping[int, Stream]:
        """What the peer holds, by sid."""
        return self._streams

    def _text(self, message: object) -> str:
        return self._encode(to_plain(message))

    def _reply(self, message: object) -> Reply:
        return Reply(self._text(message))


def _echo(plain: object) -> dict[str, Any]:
    """The id or seq of a message, however wrong the rest of it is, so that the answer can be matched."""
    if type(plain) is not dict:
        return {}
    echo: dict[str, Any] = {}
    id, seq, sid = plain.get("id"), plain.get("seq"), plain.get("sid")
    if (type(id) is str and len(id) <= MAX_NAME) or (type(id) is int and abs(id) < 2**63):
        echo["id"] = id
    if type(seq) is int and 0 <= seq < 2**63:
        echo["seq"] = seq
    if plain.get("type") == "set" and type(sid) is int and 0 <= sid < 2**63:
        echo["sid"] = sid
    return echo


_ERROR_FIELDS = frozenset(attribute.name for attribute in attrs.fields(Error)) - {"id", "seq", "sid"}
