"""The head of a request: read within limits, parsed just far enough to tell a WebSocket upgrade from the rest.

Owns the first bytes of a connection. Refuses to judge the request: what is not an upgrade goes to the HTTP server
byte for byte, faults included.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import trio

from sspcore.sidecar.limits import ServerLimits
from sspcore.sidecar.stream import PeerStream

END = b"\r\n\r\n"


class BadHead(Exception):
    """The head cannot be served; `status` and `reason` are the answer to give."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@attrs.frozen
class Head:
    """A request line and its headers (names in lower case; of a repeated header, the values joined by commas)."""

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def upgrades_to_websocket(self) -> bool:
        """Whether the request asks for the WebSocket protocol, as RFC 6455 has it."""
        tokens = {token.strip().lower() for token in self.headers.get("connection", "").split(",")}
        return self.method == "GET" and "upgrade" in tokens and self.headers.get("upgrade", "").lower() == "websocket"

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


async def read_head(stream: PeerStream, limits: ServerLimits) -> Head | None:
    """Read a request's head and leave the stream as if nothing had been read. None: the peer left without a word.

    Raises BadHead (the peer's fault): 431 when too long, 408 when too slow, 400 for bytes that begin no HTTP request.
    """
    data = b""
    with trio.move_on_after(limits.head_seconds):
        while END not in data:
            if len(data) > limits.head_bytes:
                raise BadHead(431, f"the head of a request is at most {limits.head_bytes} bytes")
            try:
                more = await stream.receive_some(4096)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return None
            if not more:
                return None
            data += more
            if not data[:1].isalpha():
                raise BadHead(400, "this port speaks plain HTTP and WebSocket")
        stream.replay(data)
        return parse_head(data.partition(END)[0])
    if not data:
        return None
    raise BadHead(408, f"the head of a request has {limits.head_seconds:g} s to arrive")


def parse_head(data: bytes) -> Head:
    """The parts of a head. Total: malformed lines are left out, the HTTP server will refuse them."""
    first, *lines = data.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    target, _, _ = rest.partition(" ")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            name = name.lower()
            headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    return Head(method, target, headers)
