"""A WebSocket peer from outside: its views, its ingests, and that its slowness is its own."""

from __future__ import annotations

import json
import socket
from functools import partial
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed

from sspcore.errors import CircuitFailed
from sspcore.sidecar.server import serve
from sspcore.wire.client_session import ClientSession, Whole
from sspcore.wire.messages import Delta
from tests.sidecar.net import WsClient, http, limits, serving, ws
from tests.sidecar.pretend import PretendRuntime, reject
from tests.wire.mirror import Mirror


async def test_a_subscription_is_a_snapshot_then_every_change() -> None:
    runtime = PretendRuntime()
    view = runtime.add("late")
    view.put("AA", ("AA", 1))
    async with serving(runtime) as address, ws(address) as client:
        snap = await client.ask(type="sub", id="a", view="late")
        assert (snap["id"], snap["sid"], snap["version"], snap["last"]) == ("a", 1, 1, True)
        assert (snap["columns"], snap["rows"]) == (["carrier", "n"], [["AA", ["AA", 1]]])
        view.put("AA", ("AA", 2))
        delta = await client.hear()
        assert delta == {
            "type": "delta", "sid": 1, "from": 1, "to": 2, "added": [], "updated": [["AA", ["AA", 2]]], "removed": []
        }  # fmt: skip


async def test_ordered_views_keep_their_order_on_the_other_side() -> None:
    runtime = PretendRuntime()
    view = runtime.add("board", ("n",), ordered=True)
    session = ClientSession()
    async with serving(runtime) as address, ws(address) as client:
        await client.socket.send_message(session.sub("a", view="board"))
        (whole,) = session.receive(await client.socket.get_message())
        assert isinstance(whole, Whole)
        mirror = Mirror(whole)
        for n in (5, 1, 3, 4, 2):
            view.put(f"k{n}", (n,))
            (delta,) = session.receive(await client.socket.get_message())
            assert isinstance(delta, Delta)
            mirror.apply(delta)
        assert mirror.listed == [[1], [2], [3], [4], [5]]


async def test_a_derived_view_restarts() -> None:
    runtime = PretendRuntime()
    view = runtime.add("late")
    view.put("AA", ("AA", 1))
    async with serving(runtime) as address, ws(address) as client:
        await client.ask(type="sub", id="a", view="late")
        view.derive_anew("the circuit was refilled")
        assert await client.hear() == {"type": "restart", "sid": 1, "reason": "the circuit was refilled"}
        snap = await client.hear()
        assert (snap["type"], snap["epoch"], snap["version"], snap["rows"]) == ("snap", "e1'", 1, [["AA", ["AA", 1]]])
        view.put("DL", ("DL", 1))
        assert (await client.hear())["from"] == 1


async def test_an_ended_view_is_closed_and_its_name_is_free() -> None:
    runtime = PretendRuntime()
    view = runtime.add("late")
    async with serving(runtime) as address, ws(address) as client:
        await client.ask(type="sub", id="a", view="late")
        view.end(CircuitFailed("view 'late' failed twice"))
        assert await client.hear() == {"type": "closed", "sid": 1, "reason": "view 'late' failed twice"}
        snap = await client.ask(type="sub", id="a", view="late")
        assert snap["sid"] == 2, "the name of a view that ended is another view's"


async def test_unsub_ends_the_flow_and_frees_the_runtime() -> None:
    runtime = PretendRuntime()
    view = runtime.add("late")
    async with serving(runtime) as address, ws(address) as client:
        await client.ask(type="sub", id="a", view="late")
        assert len(view.readers) == 1
        await client.say(type="unsub", id="a")
        assert await client.ask(type="ping") == {"type": "pong"}
        await trio.testing.wait_all_tasks_blocked()
        assert view.readers == []
        assert (await client.ask(type="sub", id="a", view="late"))["type"] == "snap"


async def test_leaving_a_view_in_the_moment_it_changes_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    runtime = PretendRuntime()
    view = runtime.add("late")
    async with serving(runtime) as address, ws(address) as client:
        for steps in range(24):
            assert (await client.ask(type="sub", id="a", view="late"))["type"] == "snap"
            await client.say(type="unsub", id="a")
            if steps % 2:
                await client.say(type="sub", id="b", view="late")
            for _ in range(steps // 2):
                await trio.lowlevel.checkpoint()
            view.put("AA", ("AA", steps))
            if steps % 2:
                while (await client.hear())["type"] != "snap":
                    pass
                await client.say(type="unsub", id="b")
            await client.say(type="ping")
            while (await client.hear())["type"] != "pong":
                pass
    assert caplog.text == ""


async def test_leaving_frees_the_runtime() -> None:
    runtime = PretendRuntime()
    view = runtime.add("late")
    async with serving(runtime) as address:
        async with ws(address) as client:
            await client.ask(type="sub", id="a", view="late")
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert view.readers == []


async def test_two_names_for_one_view_are_one_stream() -> None:
    runtime = PretendRuntime()
    view = runtime.add("late")
    async with serving(runtime) as address, ws(address) as client:
        first = await client.ask(type="sub", id="a", view="late")
        second = await client.ask(type="sub", id="b", view="late")
        assert first["sid"] == second["sid"]
        view.put("AA", ("AA", 1))
        assert (await client.hear())["type"] == "delta"
        await client.say(type="unsub", id="a")
        view.put("AA", ("AA", 2))
        assert (await client.hear())["to"] == 2
        assert await client.ask(type="ping") == {"type": "pong"}
        await client.say(type="unsub", id="b")
        await client.ask(type="ping")
        await trio.testing.wait_all_tasks_blocked()
        assert view.readers == []


async def test_an_update_is_encoded_once_for_all_peers() -> None:
    runtime = PretendRuntime()
    view = runtime.add("late")
    async with (
        serving(runtime) as address, http(address) as watcher,
        ws(address) as one, ws(address) as two, ws(address) as three,
    ):  # fmt: skip
        peers = (one, two, three)
        for peer in peers:
            await peer.ask(type="sub", id="a", view="late")
        for n in range(5):
            view.put("AA", ("AA", n))
            assert len({json.dumps(await peer.hear()) for peer in peers}) == 1
        server = (await watcher.request("GET", "/statistics")).data["server"]
        assert (server["encodes"], server["peers"], server["feeds"]) == (5, 3, 1)


async def test_big_integers_are_text_for_whoever_asks() -> None:
    runtime = PretendRuntime()
    view = runtime.add("late")
    async with serving(runtime) as address, ws(address) as python, ws(address) as browser:
        await browser.ask(type="hello", integers="text")
        await python.ask(type="sub", id="a", view="late")
        await browser.ask(type="sub", id="a", view="late")
        view.put("AA", ("AA", 2**60))
        assert (await python.hear())["added"] == [["AA", ["AA", 2**60]]]
        assert (await browser.hear())["added"] == [["AA", ["AA", str(2**60)]]]


async def test_sql_that_cannot_be_kept_live_comes_back_with_a_caret() -> None:
    async with serving(PretendRuntime()) as address, ws(address) as client:
        error = await client.ask(type="sub", id="a", sql="SELECT n FROM t FOR UPDATE")
        assert (error["type"], error["id"], error["code"]) == ("error", "a", "unsupported_sql")
        assert (error["line"], error["column"], error["hint"]) == (1, 17, "drop it")
        assert error["caret"].endswith("\n" + " " * 16 + "^")
        error = await client.ask(type="sub", id="a", sql="SELCT n FROM t")
        assert (error["code"], error["line"]) == ("sql", 1)


@pytest.mark.parametrize(
    ("sub", "code"),
    [({"view": "lat"}, "unknown_view"), ({"view": "SELECT n FROM t"}, "unknown_view"),
     ({"view": "late", "circuit": "ops"}, "unknown_circuit")],
)  # fmt: skip
async def test_what_is_not_there_is_an_error_and_nothing_else_ends(sub: dict[str, Any], code: str) -> None:
    runtime = PretendRuntime()
    view = runtime.add("late")
    async with serving(runtime) as address, ws(address) as client:
        await client.ask(type="sub", id="a", view="late")
        assert (await client.ask(type="sub", id="b", **sub))["code"] == code
        view.put("AA", ("AA", 1))
        assert (await client.hear())["type"] == "delta"


async def test_ingest_is_accepted_with_the_versions_it_made() -> None:
    runtime = PretendRuntime()
    async with serving(runtime) as address, ws(address) as client:
        change = {"table": "flights", "op": "upsert", "id": "AA1", "row": {"at": "2013-06-24T07:00:00Z"}}
        accepted = await client.ask(type="ingest", changes=[change], seq=1)
        assert accepted == {"type": "accepted", "seq": 1, "offset": 1, "level": "applied", "versions": {"main": 1}}
        accepted = await client.ask(type="ingest", changes=[change], seq=2, ack="queued")
        assert (accepted["level"], accepted["versions"]) == ("queued", {})
        assert runtime.ingested[0][0].row["at"].year == 2013
        assert runtime.ingested[0][0].source is None


async def test_a_named_client_may_send_again_without_harm() -> None:
    runtime = PretendRuntime()
    async with serving(runtime) as address, ws(address) as client:
        await client.ask(type="hello", client_id="till-3")
        await client.ask(type="ingest", changes=[{"table": "t", "op": "delete", "id": 1}], seq=9)
        change = runtime.ingested[0][0]
        assert (change.source, change.seq) == ("client:anonymous/till-3", 9)


async def test_a_refused_ingest_says_why_and_where() -> None:
    runtime = PretendRuntime()
    runtime.on_ingest = reject
    async with serving(runtime) as address, ws(address) as client:
        create = {"table": "flights", "op": "create", "id": "a", "row": {}}
        error = await client.ask(type="ingest", changes=[create], seq=1)
        assert (error["seq"], error["code"], error["path"]) == (1, "change_rejected", "$[0]")
        error = await client.ask(type="ingest", changes=[{"table": "t", "op": "delete", "id": 1, "source": "x"}], seq=2)
        assert (error["seq"], error["path"]) == (2, "$[0].source")
        error = await client.ask(type="ingest", changes=[5], seq=3)
        assert (error["seq"], error["path"]) == (3, "$[0]")
        assert runtime.ingested == []


async def test_pings_are_answered_while_an_ingest_waits_for_room() -> None:
    runtime = PretendRuntime()
    runtime.hold = trio.Event()
    async with serving(runtime, limits=limits(ingests=2)) as address, ws(address) as client:
        for seq in (1, 2):
            await client.say(type="ingest", changes=[], seq=seq)
        assert await client.ask(type="ping") == {"type": "pong"}
        error = await client.ask(type="ingest", changes=[], seq=3)
        assert (error["seq"], error["code"]) == (3, "full")
        assert error["retry_after"] > 0
        runtime.hold.set()
        assert [(await client.hear())["seq"] for _ in range(2)] == [1, 2]


async def test_a_bug_behind_one_request_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    runtime = PretendRuntime()

    def bug(changes: object) -> None:
        raise KeyError("secret")

    runtime.on_ingest = bug
    async with serving(runtime) as address, ws(address) as client:
        error = await client.ask(type="ingest", changes=[], seq=1)
        assert (error["code"], "secret" in str(error)) == ("internal", False)
        assert await client.ask(type="ping") == {"type": "pong"}
    assert "secret" in caplog.text


# Slow peers


async def unread(address: Any, view: str) -> trio.SocketStream:
    """A peer that subscribes and never reads, with as little room in its kernel as there is."""
    sock = trio.socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    await sock.connect((address.host, address.port))
    stream = trio.SocketStream(sock)
    text = json.dumps({"type": "sub", "id": "a", "view": view}).encode()
    await stream.send_all(
        f"GET /ws HTTP/1.1\r\nhost: 127.0.0.1:{address.port}\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += await stream.receive_some(1)
    await stream.send_all(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    return stream


async def hear_version(client: WsClient, version: int) -> None:
    while (await client.hear())["to"] < version:
        pass


async def test_a_stalled_peer_delays_nobody_and_costs_one_pending_update() -> None:
    """T56, T37: the stalled peer's updates compose in its subscription; the others get every one of theirs at once."""
    runtime = PretendRuntime()
    view = runtime.add("wide", ("n", "text"))
    async with serving(runtime) as address:
        stalled = await unread(address, "wide")
        async with stalled, ws(address) as one, ws(address) as two:
            for peer in (one, two):
                await peer.ask(type="sub", id="a", view="wide")
            while len(view.readers) < 3:
                await trio.testing.wait_all_tasks_blocked()
            text = "x" * 200_000
            for n in range(60):
                view.put("AA", (n, text))
                for peer in (one, two):
                    assert (await peer.hear())["to"] == n + 1
            assert await one.ask(type="ping") == {"type": "pong"}
            slow = next(reader for reader in view.readers if reader.composed)
            assert slow.composed > 20
            assert slow.pending is not None


async def test_a_peer_that_takes_nothing_is_cut_with_4008(autojump_clock: trio.testing.MockClock) -> None:
    runtime = PretendRuntime()
    view = runtime.add("wide", ("n", "text"))
    async with serving(runtime, limits=limits(heartbeat_seconds=1000.0)) as address:
        stalled = await unread(address, "wide")
        while not view.readers:
            await trio.testing.wait_all_tasks_blocked()
        text = "x" * 200_000
        for n in range(60):
            view.put("AA", (n, text))
            await trio.testing.wait_all_tasks_blocked(0.001)
        autojump_clock.autojump_threshold = 0.05
        await trio.sleep(12)
        autojump_clock.autojump_threshold = float("inf")
        received = b""
        async with stalled:
            while data := await stalled.receive_some(1_000_000):
                received += data
        assert (4008).to_bytes(2, "big") + b"slow" in received[-60:]
        async with http(address) as watcher:
            assert (await watcher.request("GET", "/statistics")).data["server"]["cut"] == 1
        assert view.readers == []


async def test_a_peer_that_answers_no_ping_is_cut(autojump_clock: trio.testing.MockClock) -> None:
    runtime = PretendRuntime()
    view = runtime.add("late")
    async with serving(runtime) as address:
        deaf = await unread(address, "late")
        async with deaf:
            while not view.readers:
                await trio.testing.wait_all_tasks_blocked()
            autojump_clock.autojump_threshold = 0.05
            began = trio.current_time()
            while view.readers:  # noqa: ASYNC110 - nothing tells a test that a reader left
                await trio.sleep(1)
            assert 39 <= trio.current_time() - began <= 60


async def test_a_quiet_peer_that_answers_pings_stays(autojump_clock: trio.testing.MockClock) -> None:
    """T30: ten times as long as one lasts that does not, without a word of either side."""
    runtime = PretendRuntime()
    view = runtime.add("late")
    async with serving(runtime) as address, ws(address) as client:
        await client.ask(type="sub", id="a", view="late")
        autojump_clock.autojump_threshold = 0.05
        await trio.sleep(400)
        view.put("AA", ("AA", 1))
        assert (await client.hear())["to"] == 1
        assert len(view.readers) == 1


async def test_a_peer_that_asks_without_reading_is_cut() -> None:
    runtime = PretendRuntime()
    async with serving(runtime, limits=limits(replies=50, stall_seconds=0.2, grace_seconds=0.2)) as address:
        sock = await unread(address, "nothing")
        async with sock:
            ping = bytes([0x81, 0x80 | 15, 0, 0, 0, 0]) + b'{"type":"ping"}'
            with pytest.raises(trio.BrokenResourceError):
                await sock.send_all(ping * 1_000_000)


async def test_garbage_frames_close_that_connection_only() -> None:
    async with serving(PretendRuntime()) as address, ws(address) as bystander:
        stream = await unread(address, "nothing")
        async with stream:
            await stream.send_all(b"\xff\xff\xff\xff garbage")
            while await stream.receive_some(1000):
                pass
        assert await bystander.ask(type="ping") == {"type": "pong"}


@pytest.mark.parametrize("message", ["", "{", "[]", "\x00", '{"type":"fly"}', '{"type":"sub"}', "[" * 5000])
async def test_faulty_messages_are_answered_and_the_connection_lives(message: str) -> None:
    async with serving(PretendRuntime()) as address, ws(address) as client:
        await client.socket.send_message(message)
        assert (await client.hear())["type"] == "error"
        await client.socket.send_message(message.encode())
        assert (await client.hear())["type"] == "error"
        assert await client.ask(type="ping") == {"type": "pong"}


async def test_cancelling_the_server_at_any_moment_ends_it() -> None:
    """T55: whatever is under way, `serve` ends in bounded time and leaves no reader behind."""
    for steps in range(0, 40, 4):
        runtime = PretendRuntime()
        view = runtime.add("wide", ("n", "text"))
        view.put("AA", (0, "x" * 300_000))
        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                brief = limits(goodbye_seconds=0.01)
                address = await nursery.start(partial(serve, runtime, port=0, limits=brief))
                stalled = await unread(address, "wide")
                for _ in range(steps):
                    await trio.lowlevel.checkpoint()
                    view.put("AA", (steps, "x" * 300_000))
                nursery.cancel_scope.cancel()
        stalled.socket.close()
        assert view.readers == []


async def test_closing_from_the_client_side_is_clean() -> None:
    async with serving(PretendRuntime()) as address, ws(address) as client:
        await client.ask(type="ping")
        await client.socket.aclose(1000)
        with pytest.raises(ConnectionClosed):
            await client.hear()
