"""The contract with hypercorn's internals: what the adapter leans on is still there, and still does that."""

from __future__ import annotations

import inspect
from typing import Any

import trio
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext

from sspcore.sidecar.hypercorn_adapter import HttpConnections
from sspcore.sidecar.limits import ServerLimits
from sspcore.sidecar.server import Address
from sspcore.sidecar.stream import PeerStream
from tests.sidecar.net import Answer, HttpClient


def test_the_internals_have_the_form_we_use() -> None:
    parameters = list(inspect.signature(TCPServer.__init__).parameters)
    assert parameters == ["self", "app", "config", "context", "state", "stream"]
    assert list(inspect.signature(WorkerContext.__init__).parameters) == ["self", "max_requests"]
    assert hasattr(WorkerContext(None).terminated, "set")


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    text = f"{scope['method']} {scope['path']} ".encode() + body
    headers = [(b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def failing(scope: Any, receive: Any, send: Any) -> None:
    await trio.lowlevel.checkpoint()
    raise RuntimeError("a bug in a route")


async def asked(app: Any, *requests: tuple[str, str, object]) -> list[Answer]:
    """The answers to requests on one connection, whose first bytes were read before hypercorn got it."""
    answers = []
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    address = Address("127.0.0.1", listener.socket.getsockname()[1])
    connections = HttpConnections(app, ServerLimits())

    async def accept() -> None:
        stream = PeerStream(await listener.accept())
        stream.replay(await stream.receive_some(10))
        await connections.serve(stream)

    async with listener, trio.open_nursery() as nursery:
        nursery.start_soon(accept)
        async with await trio.open_tcp_stream("127.0.0.1", address.port) as stream:
            client = HttpClient(stream, address)
            for method, path, body in requests:
                answers.append(await client.request(method, path, body))
    return answers


async def test_it_serves_connections_that_others_accepted_and_began_to_read() -> None:
    first, second = await asked(echo, ("GET", "/a", None), ("POST", "/b", [1]))
    assert (first.status, first.body) == (200, b"GET /a ")
    assert (second.status, second.body) == (200, b"POST /b [1]")
    assert "server" not in first.headers


async def test_a_bug_in_a_route_is_a_500_and_the_connection_ends_well() -> None:
    (answer,) = await asked(failing, ("GET", "/a", None))
    assert answer.status == 500
