"""A peer's TCP stream as both protocols need it: bytes already read come again, and a peer that takes nothing is told.

Owns one socket. Refuses to know what the bytes mean.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from math import inf

import trio

CHUNK = 65_536
"""Bytes handed to the kernel at a time: progress is seen at this grain."""


class PeerStream(trio.abc.HalfCloseableStream):
    """A `SocketStream` that replays what was read ahead and watches the peer's appetite.

    While a send makes no progress for `stall` seconds `slow` turns true (the sender should say goodbye after it);
    `grace` seconds later the send fails with BrokenResourceError. Other sends than that one are never cut short,
    so no half message is ever followed by another.
    """

    def __init__(self, inner: trio.SocketStream, *, stall: float = inf, grace: float = 0.0) -> None:
        self.inner = inner
        self.slow = False
        self._stall, self._grace = stall, grace
        self._ahead = b""
        self._sending = trio.StrictFIFOLock()

    @property
    def socket(self) -> trio.socket.SocketType:
        """The socket beneath; hypercorn asks it for the addresses."""
        return self.inner.socket

    def replay(self, data: bytes) -> None:
        """Let `data` be the next bytes received."""
        self._ahead = data + self._ahead

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """As `trio.abc.ReceiveStream`; replayed bytes come first."""
        if not self._ahead:
            return bytes(await self.inner.receive_some(max_bytes))
        await trio.lowlevel.checkpoint()
        size = len(self._ahead) if max_bytes is None else max_bytes
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """As `trio.abc.SendStream`, with the stall limit. Raises BrokenResourceError when the peer is gone or stuck."""
        async with self._sending:
            with memoryview(data) as view:
                for start in range(0, len(view), CHUNK):
                    with view[start : start + CHUNK] as chunk:
                        await self._send_chunk(chunk)

    async def _send_chunk(self, chunk: memoryview) -> None:
        sent = 0
        while sent < len(chunk):
            with trio.move_on_after(self._stall), chunk[sent:] as rest:
                sent += await self._send_some(rest)
                continue
            self.slow = True
            with trio.move_on_after(self._grace), chunk[sent:] as rest:
                sent += await self._send_some(rest)
                continue
            raise trio.BrokenResourceError(f"the peer took nothing for {self._stall + self._grace:g} s")

    async def _send_some(self, data: memoryview) -> int:
        if self.socket.fileno() == -1:
            raise trio.ClosedResourceError("this stream was closed")
        try:
            return await self.socket.send(data)
        except OSError as error:
            raise trio.BrokenResourceError(str(error)) from error

    async def wait_send_all_might_not_block(self) -> None:
        """As `trio.abc.SendStream`."""
        await self.inner.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """As `trio.abc.HalfCloseableStream`."""
        await self.inner.send_eof()

    async def aclose(self) -> None:
        """Close at once."""
        await self.inner.aclose()

    async def aclose_politely(self, seconds: float) -> None:
        """End our side, then take what the peer still sends for a while, so that it can read our last words.

        Closing a socket with unread input resets the connection, and a reset discards what the peer has not read yet.
        """
        with trio.move_on_after(seconds):
            try:
                await self.inner.send_eof()
                while await self.inner.receive_some(CHUNK):
                    pass
            except (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError):
                pass
        await self.inner.aclose()

    def abort(self) -> None:
        """Close now, without waiting: whoever is sending or receiving here gets ClosedResourceError."""
        with suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
