"""Who is let in: loopback or a token, our own names, our own pages; and only typed bodies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trio_websocket import ConnectionClosed

from sspcore.errors import ConfigError
from sspcore.sidecar.auth import Guard
from sspcore.sidecar.server import serve
from tests.sidecar.net import http, limits, serving, ws
from tests.sidecar.pretend import PretendRuntime

LOCAL = {"host": "127.0.0.1:8667"}
UPGRADE = {
    "connection": "upgrade", "upgrade": "websocket", "sec_websocket_version": "13",
    "sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org"])
async def test_beyond_loopback_a_token_is_needed(host: str) -> None:
    with pytest.raises(ConfigError, match="without a token"):
        await serve(PretendRuntime(), host=host, port=0)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_loopback_needs_none(host: str) -> None:
    assert Guard(host).judge("GET", "/circuits", LOCAL) is None


def test_an_empty_token_is_refused() -> None:
    """T39: a secret that was forgotten is no secret."""
    with pytest.raises(ConfigError, match="empty"):
        Guard("0.0.0.0", " ")


def test_a_malformed_origin_is_refused() -> None:
    with pytest.raises(ConfigError, match="no origin"):
        Guard("127.0.0.1", origins=("app.example",))


def test_the_token_is_not_printed() -> None:
    assert "secret" not in repr(Guard("127.0.0.1", "secret"))


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:8667", True), ("localhost:1", True), ("[::1]:8667", True), ("LOCALHOST", True), ("127.1.2.3", True),
        ("evil.example", False), ("127.0.0.1.evil.example", False), ("192.168.1.4:8667", False), ("", False),
        ("127.0.0.1:x", False), ("user@127.0.0.1", False), ("127.0.0.1/x", False), ("localhost.", False),
    ],
)  # fmt: skip
def test_a_loopback_server_answers_to_loopback_names_only(host: str, allowed: bool) -> None:
    refusal = Guard("127.0.0.1").judge("GET", "/circuits", {"host": host})
    assert (refusal is None) == allowed
    assert allowed or (refusal is not None and refusal.code == "wrong_host")


def test_a_public_server_answers_to_addresses_and_listed_names() -> None:
    guard = Guard("0.0.0.0", "t", ("https://data.example",))
    for host, status in (("10.0.0.1:80", 401), ("data.example", 401), ("other.example", 421)):
        refusal = guard.judge("GET", "/circuits", {"host": host})
        assert refusal is not None
        assert refusal.status == status


ORIGINS = [
    ({}, True), ({"origin": "http://127.0.0.1:8667"}, True), ({"origin": "https://app.example"}, True),
    ({"origin": "http://evil.example"}, False), ({"origin": "null"}, False),
    ({"origin": "http://127.0.0.1:9999"}, False),
    ({"sec-fetch-site": "cross-site"}, False), ({"sec-fetch-site": "same-origin"}, True),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "allowed"), ORIGINS)
def test_pages_of_other_sites_change_nothing(headers: dict[str, str], allowed: bool) -> None:
    guard = Guard("127.0.0.1", origins=("https://app.example",))
    for method, upgrade in (("POST", False), ("DELETE", False), ("GET", True)):
        assert (guard.judge(method, "/ingest", LOCAL | headers, upgrade=upgrade) is None) == allowed
    assert guard.judge("GET", "/circuits", LOCAL | headers) is None


HEADERS = st.dictionaries(st.sampled_from(["host", "origin", "authorization"]), st.text(max_size=30))


@given(st.text(max_size=30), HEADERS)
def test_any_head_is_judged(path: str, headers: dict[str, str]) -> None:
    guard = Guard("127.0.0.1", "token")
    if headers.get("authorization", "").partition(" ")[2].strip() != "token":
        assert guard.judge("POST", path, headers) is not None or path in ("/", "/health/live", "/favicon.svg")


async def test_with_a_token_every_request_needs_it() -> None:
    async with serving(PretendRuntime(), token="secret") as address, http(address) as client:
        for method, path in (("GET", "/circuits"), ("GET", "/statistics"), ("POST", "/ingest"), ("GET", "/nowhere")):
            answer = await client.request(method, path)
            assert (answer.status, answer.data["code"]) == (401, "forbidden")
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await client.request("GET", "/circuits", authorization="Bearer secrets")).status == 401
        assert (await client.request("GET", "/circuits", authorization="Basic secret")).status == 401
        assert (await client.request("GET", "/circuits", authorization="Bearer secret")).status == 200


async def test_the_page_and_the_pulse_need_no_token() -> None:
    async with serving(PretendRuntime(), token="secret") as address, http(address) as client:
        assert (await client.request("GET", "/")).status == 200
        assert (await client.request("GET", "/health/live")).status == 200
        assert (await client.request("GET", "/health/ready")).status == 401


async def test_with_a_token_a_websocket_says_it_in_hello_or_in_the_upgrade() -> None:
    runtime = PretendRuntime()
    runtime.add("late")
    async with serving(runtime, token="secret") as address:
        async with ws(address) as client:
            assert (await client.ask(type="sub", id=1, view="late"))["code"] == "hello_first"
            assert (await client.ask(type="hello", token="secret"))["type"] == "welcome"
            assert (await client.ask(type="sub", id=1, view="late"))["type"] == "snap"
        async with ws(address, Authorization="Bearer secret") as client:
            assert (await client.ask(type="sub", id=1, view="late"))["type"] == "snap"


async def test_a_wrong_token_closes_the_websocket() -> None:
    async with serving(PretendRuntime(), token="secret") as address, ws(address) as client:
        assert (await client.ask(type="hello", token="guess"))["code"] == "forbidden"
        with pytest.raises(ConnectionClosed) as caught:
            await client.hear()
        assert caught.value.reason.code == 4401


async def test_no_hello_in_time_closes_the_websocket(autojump_clock: Any) -> None:
    autojump_clock.autojump_threshold = 0.05
    async with serving(PretendRuntime(), token="secret") as address, ws(address) as client:
        with pytest.raises(ConnectionClosed) as caught:
            await client.hear()
        assert caught.value.reason.code == 4401


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"host": "evil.example"}, 421), ({"origin": "http://evil.example"}, 403), ({"authorization": "Bearer x"}, 401)],
)
async def test_upgrades_are_judged_before_any_handshake(headers: dict[str, str], status: int) -> None:
    async with serving(PretendRuntime(), token="secret") as address, http(address) as client:
        answer = await client.request("GET", "/ws", **(UPGRADE | headers))
        assert answer.status == status


async def test_upgrades_inside_an_http_connection_are_judged_too() -> None:
    async with serving(PretendRuntime()) as address, http(address) as client:
        await client.request("GET", "/health/live")
        assert (await client.request("GET", "/ws", **(UPGRADE | {"origin": "http://evil.example"}))).status == 403


async def test_a_rebound_name_reads_nothing() -> None:
    async with serving(PretendRuntime()) as address, http(address) as client:
        answer = await client.request("GET", "/circuits", host="evil.example")
        assert (answer.status, answer.data["code"]) == (421, "wrong_host")


async def test_no_answer_invites_other_origins() -> None:
    async with serving(PretendRuntime()) as address, http(address) as client:
        answer = await client.request("GET", "/circuits", origin="http://evil.example")
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert (await client.request("OPTIONS", "/ingest", origin="http://evil.example")).status == 405


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_ingest_takes_typed_bodies_only(kind: str) -> None:
    """What a foreign page's form can send without asking is not taken."""
    runtime = PretendRuntime()
    async with serving(runtime) as address, http(address) as client:
        answer = await client.request("POST", "/ingest", [{"table": "t", "op": "delete", "id": 1}], kind=kind)
        assert (answer.status, answer.data["code"]) == (415, "media_type")
        assert runtime.ingested == []


async def test_a_body_too_long_is_refused_while_it_arrives() -> None:
    async with serving(PretendRuntime(), limits=limits(body_bytes=1000)) as address, http(address) as client:
        answer = await client.request("POST", "/ingest", b"[" + b" " * 5000 + b"]")
        assert (answer.status, answer.data["code"]) == (413, "too_expensive")


async def test_a_body_too_slow_is_refused(autojump_clock: Any) -> None:
    autojump_clock.autojump_threshold = 0.05
    async with serving(PretendRuntime()) as address, http(address) as client:
        head = f"POST /ingest HTTP/1.1\r\nhost: 127.0.0.1:{address.port}\r\ncontent-type: application/json\r\n"
        await client.send(f"{head}content-length: 100\r\n\r\n[".encode())
        assert (await client.answer()).status == 408
