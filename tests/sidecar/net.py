"""A server on a free loopback port, and the plainest clients that reach it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio
from trio_websocket import open_websocket

from sspcore.sidecar.limits import ServerLimits
from sspcore.sidecar.server import Address, serve


@asynccontextmanager
async def serving(runtime: Any, **options: Any) -> AsyncIterator[Address]:
    """The runtime on a free port until the block ends."""
    with trio.fail_after(600):
        async with trio.open_nursery() as nursery:
            address = await nursery.start(lambda **more: serve(runtime, port=0, **options, **more))
            yield address
            nursery.cancel_scope.cancel()


def limits(**changes: Any) -> ServerLimits:
    return attrs.evolve(ServerLimits(), **changes)


@attrs.frozen
class Answer:
    """An HTTP answer, as its bytes said it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class HttpClient:
    """One HTTP/1.1 connection, requests as bytes."""

    def __init__(self, stream: trio.SocketStream, address: Address) -> None:
        self.stream, self.address = stream, address
        self._read = b""

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def request(
        self, method: str, path: str, body: object = None, *, kind: str = "application/json", **headers: str
    ) -> Answer:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        lines = {"host": f"{self.address.host}:{self.address.port}"}
        if body is not None:
            lines |= {"content-type": kind, "content-length": str(len(raw))}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await self.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + raw)
        return await self.answer()

    async def answer(self) -> Answer:
        while b"\r\n\r\n" not in self._read:
            await self._more()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self._read) < length:
            await self._more()
        body, self._read = self._read[:length], self._read[length:]
        return Answer(int(first.split()[1]), headers, body)

    async def _more(self) -> None:
        data = await self.stream.receive_some(65_536)
        if not data:
            raise EOFError(f"the server hung up after {self._read[:200]!r}")
        self._read += data

    async def ended(self) -> bool:
        """Whether the server hangs up now."""
        try:
            return not await self.stream.receive_some(1)
        except trio.BrokenResourceError:
            return True


@asynccontextmanager
async def http(address: Address) -> AsyncIterator[HttpClient]:
    stream = await trio.open_tcp_stream(address.host, address.port)
    async with stream:
        yield HttpClient(stream, address)


class WsClient:
    """A WebSocket that speaks plain objects."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send_message(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.socket.get_message())
        return message

    async def ask(self, **message: Any) -> dict[str, Any]:
        await self.say(**message)
        return await self.hear()


@asynccontextmanager
async def ws(address: Address, **headers: str) -> AsyncIterator[WsClient]:
    extra = [(name.encode(), value.encode()) for name, value in headers.items()]
    async with open_websocket(
        address.host, address.port, "/ws", use_ssl=False, extra_headers=extra, subprotocols=["sspcore.v1"]
    ) as socket:
        try:
            yield WsClient(socket)
        finally:
            await socket.aclose()
            await socket._stream.aclose()  # trio-websocket leaves it to the collector when the server closed first
