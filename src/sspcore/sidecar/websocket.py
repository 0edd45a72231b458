"""WebSocket connections: trio-websocket (or, for an upgrade inside an HTTP connection, ASGI) as a `Transport`.

Owns the handshake's answer, pings and the closing. Refuses to know messages: `peer.py` holds the conversation.
"""

from __future__ import annotations

from typing import Any, Protocol

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream
from wsproto.utilities import ProtocolError

from sspcore.sidecar.limits import ServerLimits
from sspcore.sidecar.stream import PeerStream
from sspcore.wire.messages import SUBPROTOCOL

PEER_FAULTS = (ConnectionClosed, ProtocolError)
"""What trio-websocket's reader raises when bytes that are no WebSocket end a connection."""


class PeerGone(Exception):
    """The peer closed the connection, or the network did."""


class Transport(Protocol):
    """One connection that carries whole messages both ways."""

    @property
    def slow(self) -> bool:
        """Whether the peer took nothing for too long during a send."""

    async def receive(self) -> str | bytes:
        """The next message. Raises PeerGone."""

    async def send(self, text: str) -> None:
        """Send a message; waits for the peer. Never to be cancelled on a connection that lives on. Raises PeerGone."""

    async def ping(self) -> None:
        """Ask for a sign of life and wait for it. Raises PeerGone."""

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye, within the grace time, and close."""


class WebSocketTransport:
    """trio-websocket over our own stream."""

    def __init__(self, connection: WebSocketConnection, stream: PeerStream, limits: ServerLimits) -> None:
        self._connection, self._stream, self._limits = connection, stream, limits

    @property
    def slow(self) -> bool:
        """As `Transport`."""
        return self._stream.slow

    async def receive(self) -> str | bytes:
        """As `Transport`."""
        try:
            return await self._connection.get_message()
        except ConnectionClosed as error:
            raise PeerGone from error

    async def send(self, text: str) -> None:
        """As `Transport`."""
        try:
            await self._connection.send_message(text)
        except ConnectionClosed as error:
            raise PeerGone from error

    async def ping(self) -> None:
        """As `Transport`."""
        try:
            await self._connection.ping()
        except ConnectionClosed as error:
            raise PeerGone from error

    async def close(self, code: int, reason: str) -> None:
        """As `Transport`."""
        with trio.move_on_after(self._limits.grace_seconds):
            await self._connection.aclose(code, reason)
        await self._stream.aclose()


async def accept(nursery: trio.Nursery, stream: PeerStream, limits: ServerLimits) -> WebSocketTransport | None:
    """Answer an upgrade whose head is still in the stream. None: the handshake was malformed (and was refused)."""
    with trio.move_on_after(limits.head_seconds):
        # A queue of 0 would let one unread message stop the answers to pings; the reader of `peer.py` never waits long.
        request = await wrap_server_stream(
            nursery, stream, message_queue_size=8, max_message_size=limits.message_bytes, receive_buffer_size=16_384
        )
        offered = SUBPROTOCOL in request.proposed_subprotocols
        connection = await request.accept(subprotocol=SUBPROTOCOL if offered else None)
        return WebSocketTransport(connection, stream, limits)
    return None


class AsgiTransport:
    """An upgrade that arrived inside an HTTP connection, as a proxy that reuses connections sends it. Slower."""

    slow = False

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket

    async def receive(self) -> str | bytes:
        """As `Transport`."""
        message = await self._websocket.receive()
        if message["type"] != "websocket.receive":
            raise PeerGone
        text: str | bytes | None = message.get("text")
        return message["bytes"] if text is None else text

    async def send(self, text: str) -> None:
        """As `Transport`."""
        try:
            await self._websocket.send_text(text)
        except (RuntimeError, OSError) as error:
            raise PeerGone from error

    async def ping(self) -> None:
        """ASGI has no pings: the server beneath looks after them."""
        await trio.lowlevel.checkpoint()

    async def close(self, code: int, reason: str) -> None:
        """As `Transport`."""
        try:
            await self._websocket.close(code, reason)
        except (RuntimeError, OSError):
            return
