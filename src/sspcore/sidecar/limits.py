"""Where the server stops: bytes, seconds and counts that a peer may take, in one place."""

from __future__ import annotations

import attrs


@attrs.frozen
class ServerLimits:
    """Limits on peers. What passes one is refused or cut, with a reason; the server goes on.

    Args:
        connections: open at once; one more is answered 503.
        head_bytes, head_seconds: size of a request's head, and the time it may take to arrive: slow ones are an attack.
        body_bytes, body_seconds: the same for a request's body.
        idle_seconds: an HTTP connection kept alive without a request is closed.
        stall_seconds: a peer that takes nothing of what is sent for so long is cut (WebSocket: close code 4008).
        grace_seconds: how long a goodbye (a close frame, the last bytes) may take.
        goodbye_seconds: the same when the server stops.
        hello_seconds: a WebSocket peer that must say hello has so long to do so.
        heartbeat_seconds: a WebSocket peer is pinged so often, and has as long to answer.
        message_bytes: one WebSocket message from a peer.
        ingests: WebSocket ingest messages of one peer in progress; more are refused with `full`.
        replies: answers waiting for a peer that sends but does not read; more and it is cut.
    """

    connections: int = 1_000
    head_bytes: int = 16_384
    head_seconds: float = 10.0
    body_bytes: int = 8_000_000
    body_seconds: float = 60.0
    idle_seconds: float = 30.0
    stall_seconds: float = 10.0
    grace_seconds: float = 5.0
    goodbye_seconds: float = 0.5
    hello_seconds: float = 10.0
    heartbeat_seconds: float = 20.0
    message_bytes: int = 1_000_000
    ingests: int = 64
    replies: int = 1_000
