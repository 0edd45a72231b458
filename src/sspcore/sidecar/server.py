"""One port for everything: each connection is looked at once and given to the HTTP or to the WebSocket server.

Owns the listener, the count of connections and their end. Refuses to know routes and messages.

    accept → read one head (bounded) → Upgrade: websocket?  yes → trio-websocket → `peer.py`
                                                            no  → hypercorn      → `http.py`
"""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Iterable

import attrs
import trio

from sspcore.errors import ConfigError
from sspcore.runtime.runtime import Runtime
from sspcore.sidecar.auth import Guard
from sspcore.sidecar.head import BadHead, Head, read_head
from sspcore.sidecar.http import application
from sspcore.sidecar.hypercorn_adapter import HttpConnections
from sspcore.sidecar.limits import ServerLimits
from sspcore.sidecar.peer import Peer
from sspcore.sidecar.problem import problem_bytes
from sspcore.sidecar.state import Sidecar
from sspcore.sidecar.stream import PeerStream
from sspcore.sidecar.websocket import PEER_FAULTS, accept

logger = logging.getLogger("sspcore.sidecar")


@attrs.frozen
class Address:
    """Where a server listens. As text, its URL."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The page's URL."""
        host = "127.0.0.1" if self.host == "0.0.0.0" else "::1" if self.host == "::" else self.host
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"

    def __str__(self) -> str:
        return self.url


async def serve(
    runtime: Runtime,
    *,
    host: str = "127.0.0.1",
    port: int = 8667,
    token: str | None = None,
    origins: Iterable[str] = (),
    limits: ServerLimits | None = None,
    task_status: trio.TaskStatus[Address] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve a runtime over HTTP and WebSocket, with its live page, until cancelled.

    Args:
        runtime: an open runtime.
        host, port: where to listen; port 0 takes a free one. Beyond loopback a token is needed.
        token: the static bearer token every request must bring.
        origins: web origins besides the server's own that may connect.
        limits: where peers are stopped.
        task_status: `await nursery.start(serve, runtime)` returns the `Address`, once connections are accepted.

    Raises ConfigError (the operator's): no token beyond loopback, a port that is taken, an address that is not ours.
    """
    limits = limits or ServerLimits()
    guard = Guard(host, token, tuple(origins))
    sidecar = Sidecar(runtime, guard, limits)
    listeners = await _listen(host, port)
    bound = listeners[0].socket.getsockname()
    door = _Door(sidecar)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(door.close_when_cancelled)
            task_status.started(Address(host, bound[1]))
            await trio.serve_listeners(door.connection, listeners, handler_nursery=nursery)
    finally:
        for listener in listeners:
            listener.socket.close()


class _Door:
    """Takes connections one by one, and tells HTTP from WebSocket."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.sidecar = sidecar
        self.limits = sidecar.limits
        self.http = HttpConnections(application(sidecar), self.limits)
        self.open: set[PeerStream] = set()
        self.empty = trio.Event()

    async def connection(self, inner: trio.SocketStream) -> None:
        """One connection from accept to end. What goes wrong here ends this connection only."""
        stream = PeerStream(inner, stall=self.limits.stall_seconds, grace=self.limits.grace_seconds)
        self.open.add(stream)
        try:
            inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._dispatch(stream)
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError, *PEER_FAULTS):
            pass  # the peer is gone, or was shown out
        except* Exception:
            logger.exception("a connection failed; the others go on")
        finally:
            inner.socket.close()
            self.open.discard(stream)
            if not self.open:
                self.empty.set()

    async def _dispatch(self, stream: PeerStream) -> None:
        if len(self.open) > self.limits.connections:
            return await self._answer(stream, 503, "too many connections; try again later")
        try:
            head = await read_head(stream, self.limits)
        except BadHead as error:
            return await self._answer(stream, error.status, error.reason)
        if head is None:
            return None
        if head.method == "PRI":
            return await self._answer(stream, 505, "this port speaks HTTP/1.1")
        if not head.upgrades_to_websocket:
            return await self.http.serve(stream)
        refusal = self.sidecar.guard.judge(head.method, head.path, head.headers, upgrade=True)
        if refusal is not None:
            return await self._answer(stream, refusal.status, refusal.message, refusal.code, refusal.hint)
        if head.path != "/ws":
            return await self._answer(stream, 404, f"no WebSocket at {head.path[:200]!r}", "unknown_path", "use /ws")
        return await self._websocket(stream, head)

    async def _websocket(self, stream: PeerStream, head: Head) -> None:
        async with trio.open_nursery() as nursery:
            transport = await accept(nursery, stream, self.limits)
            if transport is not None:
                self.sidecar.peers += 1
                try:
                    await Peer(self.sidecar, transport, trusted="authorization" in head.headers).serve()
                finally:
                    self.sidecar.peers -= 1
            nursery.cancel_scope.cancel()

    async def _answer(self, stream: PeerStream, status: int, message: str, code: str = "http", hint: str = "") -> None:
        await stream.send_all(problem_bytes(status, message, code, hint))
        await stream.aclose_politely(1.0)

    async def close_when_cancelled(self) -> None:
        """At the end let peers hear a goodbye, then close what is left: hypercorn shields its sends from cancelling."""
        try:
            await trio.sleep_forever()
        finally:
            if self.open:
                self.empty = trio.Event()
                with trio.move_on_after(2 * self.limits.goodbye_seconds, shield=True):
                    await self.empty.wait()
            for stream in self.open:
                stream.abort()


async def _listen(host: str, port: int) -> list[trio.SocketListener]:
    try:
        return await trio.open_tcp_listeners(port, host=host, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(f"port {port} of {host} is taken", hint="choose another; 0 takes a free one") from error
        raise ConfigError(f"cannot listen on {host}:{port}: {error}", hint="use an address of this machine") from error
    except OverflowError as error:
        raise ConfigError(f"{port} is no port; ports are 0 to 65535") from error
