"""Any bytes at the port: a clear refusal or a hang-up, and the next peer is served."""

from __future__ import annotations

import random

import pytest
import trio

from tests.profiles import FUZZ_EXAMPLES, profile
from tests.sidecar.net import Address, http, limits, serving
from tests.sidecar.pretend import PretendRuntime

PIECES = [
    b"GET ", b"POST ", b"DELETE ", b"/ ", b"/ws ", b"/ingest", b"/circuits/main/views/late/rows?after=%00",
    b"/circuits/%ff",
    b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b"HTTP/9.9", b"\r\n", b"\r\n\r\n", b"\n\n", b"Host: 127.0.0.1\r\n",
    b"Host: evil.example\r\n", b"Upgrade: websocket\r\n", b"Upgrade: h2c\r\n", b"HTTP2-Settings: AAMAAABk\r\n",
    b"Connection: Upgrade\r\n", b"Connection: close\r\n", b"Sec-WebSocket-Version: 13\r\n",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"Sec-WebSocket-Key: x\r\n", b"Content-Length: 5\r\n",
    b"Content-Length: -1\r\n", b"Content-Length: 99999999999\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Content-Type: application/json\r\n", b"Expect: 100-continue\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"[1,2]",
    b'{"table":', b"\x00", b"\xff\xfe", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01", b"x" * 5_000, b":", b" ",
    b"\x81\x85\x00\x00\x00\x00hello", b"\x88\x00", b"\x89\xff", b"Authorization: Bearer x\r\n",
]  # fmt: skip
UPGRADED = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def throw(address: Address, data: bytes, cuts: list[int]) -> None:
    """Send bytes in pieces, half close, and read whatever comes until the server hangs up."""
    async with await trio.open_tcp_stream(address.host, address.port) as stream:
        try:
            start = 0
            for cut in [*cuts, len(data)]:
                await stream.send_all(data[start:cut])
                start = cut
            await stream.send_eof()
            while await stream.receive_some(65_536):
                pass
        except trio.BrokenResourceError:
            pass


@pytest.mark.fuzz
@pytest.mark.parametrize("upgraded", [False, True])
async def test_any_bytes_at_the_port_harm_nobody(upgraded: bool, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(1 + upgraded)
    brief = limits(head_seconds=0.3, idle_seconds=0.3, body_seconds=0.3, stall_seconds=0.3, grace_seconds=0.1)
    async with serving(PretendRuntime(), limits=brief) as address:
        for _ in range(FUZZ_EXAMPLES[profile()] // 10):
            async with trio.open_nursery() as nursery:
                for _ in range(10):
                    data = b"".join(chance.choices(PIECES, k=chance.randint(1, 12)))
                    if chance.random() < 0.2:
                        data = chance.randbytes(chance.randint(1, 200))
                    data = UPGRADED + data if upgraded else data
                    cuts = sorted(chance.sample(range(len(data)), k=min(len(data), chance.randint(0, 2))))
                    nursery.start_soon(throw, address, data, cuts)
        async with http(address) as client:
            assert (await client.request("GET", "/health/live")).status == 200
    assert "Traceback" not in caplog.text
