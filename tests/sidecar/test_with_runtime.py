"""The server before a real runtime: SQL, ingest and views from outside, end to end."""

from __future__ import annotations

from typing import Any

import pytest

from sspcore.engine.change import delete, upsert
from sspcore.engine.schema import Schema
from sspcore.runtime.opening import open_runtime
from sspcore.wire.client_session import ClientSession, Whole
from sspcore.wire.messages import Delta
from tests.sidecar.net import WsClient, http, serving, ws
from tests.wire.mirror import Mirror

FLIGHTS = Schema("flights", {"id": "text", "carrier": "text", "delay": "integer", "at": "timestamp"})
LATE = "SELECT carrier, count(*) AS n FROM flights WHERE delay > $m GROUP BY carrier"
BOARD = "SELECT id, delay FROM flights ORDER BY delay DESC LIMIT 3"


def flight(id: str, carrier: str, delay: int) -> dict[str, Any]:
    return {"table": "flights", "op": "upsert", "id": id, "row": {"carrier": carrier, "delay": delay}}


async def test_sql_from_outside_is_a_live_view() -> None:
    async with open_runtime(schemas=[FLIGHTS]) as runtime, serving(runtime) as address, ws(address) as client:
        snap = await client.ask(type="sub", id="a", sql=LATE, params={"m": 60})
        assert (snap["columns"], snap["rows"]) == (["carrier", "n"], [])
        await client.say(type="ingest", changes=[flight("1", "AA", 75), flight("2", "UA", 5)], seq=1)
        heard = {message["type"]: message for message in [await client.hear(), await client.hear()]}
        assert heard["delta"]["added"] == [[["AA"], ["AA", 1]]]
        assert heard["accepted"]["versions"] == {"main": 1}


async def test_http_and_websocket_see_one_runtime() -> None:
    async with open_runtime(schemas=[FLIGHTS]) as runtime, serving(runtime) as address, http(address) as client:
        made = await client.request("POST", "/circuits/main/views", {"id": "late", "sql": LATE, "params": {"m": 60}})
        assert (made.status, made.data["columns"], made.data["params"]) == (201, ["carrier", "n"], {"m": 60})
        receipt = (await client.request("POST", "/ingest", [flight("1", "AA", 75)])).data
        assert receipt.pop("offset") >= 1
        assert receipt == {"versions": {"main": 1}, "behind": [], "routed": 1, "unrouted": 0}
        rows = (await client.request("GET", "/circuits/main/views/late/rows")).data
        assert rows == {"version": 1, "columns": ["carrier", "n"], "rows": [["AA", 1]], "next": None}
        assert (await client.request("GET", "/circuits/main/views/late/explain")).status == 200
        assert (await client.request("GET", "/health/ready")).data["circuits"] == {"main": True}
        counters = (await client.request("GET", "/statistics")).data["runtime"]["circuits"]["main"]
        assert (counters["applied"], counters["views"]["late"]["rows"]) == (1, 1)
        assert (await client.request("POST", "/circuits", {"name": "ops", "capacity": 5})).data["capacity"] == 5
        assert (await client.request("POST", "/circuits", {"name": "ops"})).status == 409
        assert (await client.request("POST", "/circuits", {"name": "x", "policy": "blok"})).status == 400
        assert (await client.request("DELETE", "/circuits/ops")).status == 204
        again = await client.request("POST", "/circuits/main/views", {"id": "late", "sql": BOARD})
        assert (again.status, again.data["code"]) == (409, "already_exists")
        assert (await client.request("DELETE", "/circuits/main/views/late")).status == 204
        assert (await client.request("GET", "/circuits/main/views/late")).status == 404


async def test_an_ordered_view_is_mirrored_through_many_changes() -> None:
    session = ClientSession()
    async with open_runtime(schemas=[FLIGHTS]) as runtime, serving(runtime) as address, ws(address) as client:
        await runtime.register("board", BOARD)
        await client.socket.send_message(session.sub("a", view="board"))
        mirror = await first(session, client)
        for step in range(40):
            change = upsert("flights", str(step % 7), {"carrier": "AA", "delay": step * 37 % 101})
            if step % 5 == 4:
                change = delete("flights", str(step * 3 % 7))
            await runtime.ingest([change])
        expected = [list(row) for row in await runtime.rows("board")]
        version = runtime.circuits["main"].views["board"].version
        while session.views[1].version < version:
            for event in session.receive(await client.socket.get_message()):
                assert isinstance(event, Delta)
                mirror.apply(event)
        assert mirror.listed == expected


async def first(session: ClientSession, client: WsClient) -> Mirror:
    (whole,) = session.receive(await client.socket.get_message())
    assert isinstance(whole, Whole)
    return Mirror(whole)


async def test_a_named_client_that_sends_again_changes_nothing() -> None:
    async with open_runtime(schemas=[FLIGHTS]) as runtime, serving(runtime) as address:
        for _ in range(2):
            async with ws(address) as client:
                await client.ask(type="hello", client_id="till-3")
                accepted = await client.ask(type="ingest", changes=[flight("1", "AA", 75)], seq=1)
                assert accepted["type"] == "accepted"
        assert runtime.statistics().duplicates == 1


async def test_an_unregistered_view_tells_its_readers() -> None:
    async with open_runtime(schemas=[FLIGHTS]) as runtime, serving(runtime) as address, ws(address) as client:
        await runtime.register("late", LATE, {"m": 60})
        await client.ask(type="sub", id="a", view="late")
        await runtime.unregister("late")
        closed = await client.hear()
        assert (closed["type"], closed["sid"]) == ("closed", 1)
        assert closed["reason"]


@pytest.mark.parametrize(
    ("message", "code", "field", "value"),
    [
        ({"type": "sub", "id": 1, "sql": "SELECT FROM flights"}, "sql", "line", 1),
        ({"type": "sub", "id": 1, "sql": "SELECT *\nFROM flights\nFOR UPDATE"}, "unsupported_sql", "line", 3),
        ({"type": "sub", "id": 1, "sql": "SELECT delai FROM flights"}, "sql", "column", 8),
        ({"type": "sub", "id": 1, "sql": LATE}, None, "id", 1),
        ({"type": "sub", "id": 1, "view": "lat"}, "unknown_view", "id", 1),
        ({"type": "sub", "id": 1, "plan": {"node": "Scam"}}, "plan", "id", 1),
        ({"type": "ingest", "seq": 1, "changes": [{"table": "flights", "op": "update", "id": "1", "row": {}}]},
         "change_rejected", "path", "$[0]"),
        ({"type": "ingest", "seq": 1, "changes": [flight("1", "AA", 5) | {"row": {"at": "x"}}]},
         "change_rejected", "path", "$[0].row.at"),
    ],
)  # fmt: skip
async def test_faults_come_back_with_their_place(message: Any, code: str | None, field: str, value: object) -> None:
    async with open_runtime(schemas=[FLIGHTS]) as runtime, serving(runtime) as address, ws(address) as client:
        error = await client.ask(**message)
        assert error["type"] == "error"
        assert code is None or error["code"] == code
        assert error[field] == value
        assert await client.ask(type="ping") == {"type": "pong"}


async def test_a_view_of_ones_own_moves_with_its_parameters() -> None:
    sql = "SELECT id, x FROM t WHERE x BETWEEN $a AND $b"
    async with open_runtime() as runtime:
        await runtime.ingest([upsert("t", f"k{x}", {"x": x}) for x in range(6)])
        async with serving(runtime) as address, ws(address) as client, ws(address) as other:
            snap = await client.ask(type="sub", id="mine", sql=sql, params={"a": 1, "b": 2}, own=True)
            shared = await other.ask(type="sub", id="shared", sql=sql, params={"a": 1, "b": 2})
            assert snap["rows"] == shared["rows"] == [["k1", ["k1", 1]], ["k2", ["k2", 2]]]
            assert snap["sid"] != shared["sid"]
            delta = await client.ask(type="set", sid=snap["sid"], params={"b": 3})
            assert (delta["type"], delta["added"], delta["removed"]) == ("delta", [["k3", ["k3", 3]]], [])
            for b in (4, 5):
                delta = await client.ask(type="set", sid=snap["sid"], params={"b": b})
                assert [key for key, _ in delta["added"]] == [f"k{b}"]
            error = await client.ask(type="set", sid=snap["sid"], params={"c": 3})
            assert (error["type"], error["sid"]) == ("error", snap["sid"])
            assert "no parameter $c" in error["message"]
            refused = await other.ask(type="set", sid=shared["sid"], params={"b": 3})
            assert (refused["code"], refused["sid"]) == ("not_own", shared["sid"])
            assert "own: true" in refused["hint"]
            assert (await other.ask(type="set", sid=99, params={}))["code"] == "unknown_sid"


async def test_format_ids_comes_as_keys_and_digests() -> None:
    async with open_runtime() as runtime:
        await runtime.ingest([upsert("t", "k", {"x": 1})])
        async with serving(runtime) as address, ws(address) as client:
            snap = await client.ask(type="sub", id="ids", sql="SELECT id, x FROM t", format="ids")
            ((key, (before,)),) = snap["rows"]
            assert (key, snap["columns"], len(before)) == ("k", ["digest"], 12)
            await runtime.ingest([upsert("t", "k", {"x": 2})])
            ((key, (after,)),) = (await client.hear())["updated"]
            assert (key, len(after)) == ("k", 12)
            assert after != before
