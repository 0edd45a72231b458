"""The HTTP interface: what each route answers, and that every fault is a problem with code, hint and place."""

from __future__ import annotations

from typing import Any

import pytest

from sspcore.errors import Full
from tests.sidecar.net import Answer, HttpClient, http, serving
from tests.sidecar.pretend import PretendRuntime, reject


def with_view() -> PretendRuntime:
    runtime = PretendRuntime()
    view = runtime.add("late")
    for at, carrier in enumerate(["AA", "DL", "UA"]):
        view.put(carrier, (carrier, at))
    return runtime


async def asked(runtime: Any, method: str, path: str, body: object = None, **more: Any) -> Answer:
    async with serving(runtime) as address, http(address) as client:
        return await client.request(method, path, body, **more)


async def test_circuits_and_views_are_listed() -> None:
    answer = await asked(with_view(), "GET", "/circuits")
    assert answer.data["circuits"][0]["name"] == "main"
    answer = await asked(with_view(), "GET", "/circuits/main/views")
    assert [view["id"] for view in answer.data["views"]] == ["late"]
    answer = await asked(with_view(), "GET", "/circuits/main/views/late")
    assert answer.data["columns"] == ["carrier", "n"]


async def test_a_circuit_is_created_and_destroyed() -> None:
    runtime = PretendRuntime()
    async with serving(runtime) as address, http(address) as client:
        assert (await client.request("POST", "/circuits", {"name": "ops"})).status == 201
        assert "ops" in runtime.circuits
        assert (await client.request("DELETE", "/circuits/ops?graceful=false")).status == 204
        assert "ops" not in runtime.circuits


async def test_a_view_is_registered_and_dropped() -> None:
    runtime = PretendRuntime()
    async with serving(runtime) as address, http(address) as client:
        body = {"id": "n", "sql": "SELECT 1 AS n", "params": {"m": 60}, "lazy": True}
        answer = await client.request("POST", "/circuits/main/views", body)
        assert (answer.status, answer.data["id"], answer.data["warnings"]) == (201, "n", [])
        assert runtime.circuits["main"].held["n"].lazy
        assert (await client.request("DELETE", "/circuits/main/views/n")).status == 204
        assert (await client.request("DELETE", "/circuits/main/views/n")).status == 404


async def test_rows_come_in_pages_that_follow_each_other() -> None:
    async with serving(with_view()) as address, http(address) as client:
        first = (await client.request("GET", "/circuits/main/views/late/rows?limit=2")).data
        assert first == {"version": 3, "columns": ["carrier", "n"], "rows": [["AA", 0], ["DL", 1]], "next": '"DL"'}
        second = (await client.request("GET", "/circuits/main/views/late/rows?limit=2&after=%22DL%22")).data
        assert (second["rows"], second["next"]) == ([["UA", 2]], None)


async def test_explain_is_for_people() -> None:
    answer = await asked(with_view(), "GET", "/circuits/main/views/late/explain")
    assert answer.body == b"Scan late"
    assert answer.headers["content-type"].startswith("text/plain")


CHANGE = {"table": "flights", "op": "upsert", "id": "AA1", "row": {"delay": 5, "at": "2013-06-24T07:00:00Z"}}


@pytest.mark.parametrize(
    ("body", "kind", "count"),
    [
        (CHANGE, "application/json", 1), ([CHANGE, CHANGE], "application/json; charset=utf-8", 2),
        ([], "application/json", 0),
        (b'{"table":"t","op":"delete","id":1}\n\n{"table":"t","op":"delete","id":2}\n', "application/x-ndjson", 2),
    ],
)  # fmt: skip
async def test_ingest_takes_one_change_a_list_or_lines(body: object, kind: str, count: int) -> None:
    runtime = PretendRuntime()
    answer = await asked(runtime, "POST", "/ingest?ack=queued", body, kind=kind)
    assert answer.data == {"offset": 1, "versions": {}, "behind": [], "routed": count, "unrouted": 0}
    assert len(runtime.ingested[0]) == count


async def test_ingest_parses_text_into_declared_types() -> None:
    runtime = PretendRuntime()
    await asked(runtime, "POST", "/ingest", CHANGE)
    assert runtime.ingested[0][0].row["at"].year == 2013


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "says"),
    [
        ("GET", "/nowhere", None, 404, "unknown_path", "/nowhere"),
        ("PUT", "/circuits", None, 405, "method_not_allowed", "Not Allowed"),
        ("GET", "/circuits/mian", None, 404, "unknown_circuit", "did you mean 'main'"),
        ("GET", "/circuits/main/views/lat", None, 404, "unknown_view", "did you mean 'late'"),
        ("GET", "/circuits/main/views/lat/rows", None, 404, "unknown_view", "unknown view"),
        ("GET", "/circuits?limit=1", None, 400, "usage", "takes none"),
        ("GET", "/circuits/main/views/late/rows?limit=0", None, 400, "usage", "from 1 to 10000"),
        ("GET", "/circuits/main/views/late/rows?limit=%D9%A3", None, 400, "usage", "whole number"),
        ("GET", "/circuits/main/views/late/rows?after=7", None, 400, "usage", "not in the view any more"),
        ("GET", "/circuits/main/views/late/rows?afer=7", None, 400, "usage", "did you mean 'after'"),
        ("POST", "/circuits", {"name": "ops", "colour": 1}, 400, "usage", "unknown field 'colour'"),
        ("POST", "/circuits", {"name": ""}, 400, "usage", "not empty"),
        ("POST", "/circuits", [], 400, "usage", "an object"),
        ("POST", "/circuits", b"{", 400, "malformed", "not JSON"),
        ("POST", "/circuits/main/views", {"id": "a"}, 400, "usage", "either sql or plan"),
        ("DELETE", "/circuits/main?graceful=maybe", None, 400, "usage", "true or false"),
        ("POST", "/ingest?ack=durable", [], 400, "usage", "queued or applied"),
        ("POST", "/ingest", [CHANGE, {"table": "t", "op": "drop"}], 422, "change_rejected", "unknown op 'drop'"),
        ("POST", "/ingest", [CHANGE | {"targets": ["main"]}], 422, "change_rejected", "not for peers to set"),
        ("POST", "/ingest", [CHANGE | {"row": {"at": "noon"}}], 422, "change_rejected", "ISO 8601"),
        ("POST", "/ingest", b"[" * 100, 413, "too_expensive", "nesting"),
        ("POST", "/circuits/main/views", {"id": "a", "sql": "SELECT" + " " * 9_000}, 413, "too_expensive", "of SQL"),
        ("POST", "/circuits", {"name": "a" * 70_000}, 413, "too_expensive", "bytes in a body"),
        ("POST", "/circuits", {"name": "ops", "capacity": "5"}, 400, "usage", "capacity is an integer, not a text"),
    ],
)
async def test_every_fault_is_a_problem(
    method: str, path: str, body: object, status: int, code: str, says: str
) -> None:
    runtime = with_view()
    answer = await asked(runtime, method, path, body)
    assert answer.headers["content-type"] == "application/problem+json"
    data = answer.data
    assert (answer.status, data["status"], data["code"]) == (status, status, code)
    assert says in f"{data['detail']} {data['hint']}"
    assert runtime.ingested == []


async def test_a_rejected_change_is_named() -> None:
    runtime = PretendRuntime()
    answer = await asked(runtime, "POST", "/ingest", [CHANGE, CHANGE | {"row": {"at": 5, "delay": "x"}}])
    assert answer.data["path"] == "$[1].row.delay"
    runtime.on_ingest = reject
    answer = await asked(runtime, "POST", "/ingest", CHANGE)
    assert (answer.status, answer.data["path"], answer.data["hint"]) == (422, "$[0]", "use upsert, or update")


async def test_a_bad_line_is_named() -> None:
    lines = b'{"table":"t","op":"delete","id":1}\n{"table"'
    answer = await asked(PretendRuntime(), "POST", "/ingest", lines, kind="application/x-ndjson")
    assert answer.status == 422
    assert "line 2" in answer.data["detail"]


async def test_full_says_when_to_come_back() -> None:
    runtime = PretendRuntime()

    def full(changes: object) -> None:
        raise Full("the queue of circuit 'main' is full", depth=10, capacity=10, retry_after=2.4)

    runtime.on_ingest = full
    answer = await asked(runtime, "POST", "/ingest", CHANGE)
    assert (answer.status, answer.headers["retry-after"]) == (429, "2")
    assert (answer.data["code"], answer.data["capacity"]) == ("full", 10)


async def test_our_own_bug_is_a_500_that_leaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    runtime = PretendRuntime()

    def bug(changes: object) -> None:
        raise KeyError("secret")

    runtime.on_ingest = bug
    async with serving(runtime) as address, http(address) as client:
        answer = await client.request("POST", "/ingest", CHANGE)
        assert (answer.status, answer.data["code"]) == (500, "internal")
        assert b"secret" not in answer.body
        assert (await client.request("GET", "/health/live")).status == 200
    assert "secret" in caplog.text


async def test_readiness_names_each_circuit() -> None:
    runtime = PretendRuntime()
    answer = await asked(runtime, "GET", "/health/ready")
    assert (answer.status, answer.data) == (200, {"status": "ready", "circuits": {"main": True}})
    runtime.circuits["main"].state = "behind"
    answer = await asked(runtime, "GET", "/health/ready")
    assert (answer.status, answer.data["circuits"]) == (503, {"main": False})


async def test_statistics_are_plain_json() -> None:
    data = (await asked(with_view(), "GET", "/statistics")).data
    assert data["runtime"] == {"circuits": {"main": {"views": 1}}}
    assert data["server"]["peers"] == 0


async def test_the_page_works_offline_and_is_revalidated() -> None:
    async with serving(PretendRuntime()) as address, http(address) as client:
        page = await client.request("GET", "/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert (await client.request("GET", "/", if_none_match=page.headers["etag"])).status == 304
        await every_file_is_ours(client, page.body.decode())


async def every_file_is_ours(client: HttpClient, page: str) -> None:
    """No file of the page names another host, and each file it names is served."""
    names = [part.split('"')[0] for part in page.split('"/page/')[1:]]
    for name in names:
        text = (await client.request("GET", f"/page/{name}")).body.decode()
        assert text
        links = [url for url in text.split("http")[1:] if url.startswith(("://", "s://"))]
        assert [link for link in links if "://www.w3.org/" not in link[:20]] == []
    assert "http://" not in page
    assert "https://" not in page
