"""One port for HTTP and WebSocket: the right server gets each connection, and nothing a peer sends harms another."""

from __future__ import annotations

import pytest
import trio
from trio_websocket import ConnectionClosed

from sspcore.errors import ConfigError
from sspcore.sidecar.server import Address, serve
from tests.sidecar.net import http, limits, serving, ws
from tests.sidecar.pretend import PretendRuntime


async def test_one_port_speaks_http_and_websocket() -> None:
    runtime = PretendRuntime()
    runtime.add("late").put("AA", ("AA", 1))
    async with serving(runtime) as address:
        async with http(address) as client:
            assert (await client.request("GET", "/health/live")).data == {"status": "live"}
        async with ws(address) as client:
            snap = await client.ask(type="sub", id="a", view="late")
            assert snap["rows"] == [["AA", ["AA", 1]]]
            assert client.socket.subprotocol == "sspcore.v1"


async def test_a_connection_is_kept_for_more_requests() -> None:
    async with serving(PretendRuntime()) as address, http(address) as client:
        for _ in range(3):
            assert (await client.request("GET", "/health/live")).status == 200


async def test_requests_may_come_in_one_packet_or_byte_by_byte() -> None:
    async with serving(PretendRuntime()) as address:
        request = f"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1:{address.port}\r\n\r\n".encode()
        async with http(address) as client:
            await client.send(request * 3)
            assert [(await client.answer()).status for _ in range(3)] == [200, 200, 200]
        async with http(address) as client:
            for byte in request:
                await client.send(bytes([byte]))
                await trio.testing.wait_all_tasks_blocked()
            assert (await client.answer()).status == 200


async def test_an_upgrade_on_a_reused_connection_is_served_too() -> None:
    runtime = PretendRuntime()
    async with serving(runtime) as address, http(address) as client:
        assert (await client.request("GET", "/health/live")).status == 200
        answer = await client.request(
            "GET", "/ws", connection="Upgrade", upgrade="websocket", sec_websocket_version="13",
            sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ==",
        )  # fmt: skip
        assert answer.status == 101
        await client.send(bytes([0x81, 0x80 | 15, 0, 0, 0, 0]) + b'{"type":"ping"}')
        frame = b""
        while len(frame) < 17:
            frame += bytes(await client.stream.receive_some(100))
        assert frame[2:] == b'{"type":"pong"}'


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", 400),  # a TLS hello
        (b"\x00\x01\x02\x03", 400),
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon here\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nx: " + b"a" * 20_000, 431),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ],
)
async def test_garbage_is_answered_and_harms_nobody(data: bytes, status: int) -> None:
    async with serving(PretendRuntime()) as address, http(address) as bystander:
        await bystander.request("GET", "/health/live")
        async with http(address) as client:
            await client.send(data)
            assert (await client.answer()).status == status
            assert await client.ended()
        assert (await bystander.request("GET", "/health/live")).status == 200


async def test_a_peer_that_leaves_without_a_word_is_no_error() -> None:
    async with serving(PretendRuntime()) as address:
        async with http(address):
            pass
        async with http(address) as client:
            await client.send(b"GET / HT")
        async with http(address) as client:
            assert (await client.request("GET", "/health/live")).status == 200


async def test_a_slow_head_is_cut(autojump_clock: trio.testing.MockClock) -> None:
    autojump_clock.autojump_threshold = 0.05
    async with serving(PretendRuntime()) as address, http(address) as client:
        await client.send(b"GET / HTTP/1.1\r\n")
        answer = await client.answer()
        assert (answer.status, answer.data["code"]) == (408, "http")
        assert await client.ended()


async def test_a_connection_that_says_nothing_is_closed(autojump_clock: trio.testing.MockClock) -> None:
    autojump_clock.autojump_threshold = 0.05
    async with serving(PretendRuntime()) as address, http(address) as client:
        assert await client.ended()


async def test_a_slow_second_head_is_cut_too(autojump_clock: trio.testing.MockClock) -> None:
    autojump_clock.autojump_threshold = 0.05
    async with serving(PretendRuntime()) as address, http(address) as client:
        await client.request("GET", "/health/live")
        await client.send(b"GET / HTTP/1.1\r\n")
        assert await client.ended()


async def test_one_connection_too_many_is_told_so() -> None:
    async with serving(PretendRuntime(), limits=limits(connections=1)) as address, http(address) as first:
        await first.request("GET", "/health/live")
        async with http(address) as second:
            answer = await second.answer()
            assert answer.status == 503
            assert "retry-after" in answer.headers
        assert (await first.request("GET", "/health/live")).status == 200


async def test_a_websocket_elsewhere_is_refused() -> None:
    async with serving(PretendRuntime()) as address, http(address) as client:
        answer = await client.request(
            "GET", "/circuits", connection="upgrade", upgrade="websocket", sec_websocket_version="13",
            sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ==",
        )  # fmt: skip
        assert (answer.status, answer.data["hint"]) == (404, "use /ws")


async def test_a_malformed_handshake_is_refused(autojump_clock: trio.testing.MockClock) -> None:
    autojump_clock.autojump_threshold = 0.05
    async with serving(PretendRuntime()) as address, http(address) as client:
        answer = await client.request("GET", "/ws", connection="upgrade", upgrade="websocket")
        assert answer.status == 400


async def test_a_message_too_big_closes_that_connection_with_1009() -> None:
    async with serving(PretendRuntime(), limits=limits(message_bytes=1000)) as address:
        async with ws(address) as client:
            await client.socket.send_message("x" * 2000)
            with pytest.raises(ConnectionClosed) as caught:
                await client.hear()
            assert caught.value.reason.code == 1009
        async with ws(address) as client:
            assert await client.ask(type="ping") == {"type": "pong"}


async def test_stopping_says_goodbye_to_every_peer() -> None:
    async with trio.open_nursery() as nursery:
        scope = trio.CancelScope()

        async def run(task_status: trio.TaskStatus[Address]) -> None:
            with scope:
                await serve(PretendRuntime(), port=0, task_status=task_status)

        address = await nursery.start(run)
        async with ws(address) as client, http(address) as idle:
            await client.ask(type="ping")
            await idle.request("GET", "/health/live")
            scope.cancel()
            with pytest.raises(ConnectionClosed) as caught:
                await client.hear()
            assert caught.value.reason.code == 1001


async def test_a_taken_port_is_an_error_with_a_remedy() -> None:
    async with serving(PretendRuntime()) as address:
        with pytest.raises(ConfigError, match="is taken; choose another"):
            await serve(PretendRuntime(), port=address.port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
async def test_an_address_that_is_not_ours_is_an_error(host: str) -> None:
    with pytest.raises(ConfigError, match="cannot listen"):
        await serve(PretendRuntime(), host=host, port=0, token="t")


async def test_no_websocket_without_upgrade() -> None:
    async with serving(PretendRuntime()) as address, http(address) as client:
        assert (await client.request("GET", "/ws")).status == 404


def test_the_url_of_an_address() -> None:
    assert str(Address("127.0.0.1", 8667)) == "http://127.0.0.1:8667/"
    assert Address("::1", 1).url == "http://[::1]:1/"
    assert Address("0.0.0.0", 1).url == "http://127.0.0.1:1/"
