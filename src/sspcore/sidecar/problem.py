"""Errors as HTTP answers: `application/problem+json` with our code, hint and place.

Owns which class of error has which status. Refuses to know routes.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from sspcore.errors import (
    AlreadyExists,
    ChangeRejected,
    CircuitFailed,
    Closed,
    Forbidden,
    Full,
    InternalError,
    NotCovered,
    SspError,
    TooExpensive,
    UnknownName,
    UsageError,
)

MEDIA_TYPE = "application/problem+json"

STATUSES: tuple[tuple[type[SspError], int], ...] = (
    (Full, 429), (TooExpensive, 413), (Forbidden, 403), (UnknownName, 404), (AlreadyExists, 409), (Closed, 503),
    (CircuitFailed, 503), (NotCovered, 409), (ChangeRejected, 422), (InternalError, 500), (UsageError, 400),
)  # fmt: skip


def status_of(error: SspError) -> int:
    """The HTTP status of an error, by whose fault it is."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 400)


def problem(error: SspError, status: int | None = None) -> Response:
    """The answer to a request that failed."""
    status = status or status_of(error)
    more = {name: value for name, value in error.as_dict().items() if name not in ("code", "message", "hint")}
    body = problem_body(status, error.message, error.code, error.hint, **more)
    headers = {}
    if isinstance(error, Full):
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    return Response(json.dumps(body), status, headers, MEDIA_TYPE)


def problem_body(status: int, message: str, code: str, hint: str = "", **more: Any) -> dict[str, Any]:
    """The members of a problem (RFC 9457), with our `code`, `hint` and whatever tells the place."""
    return {"title": HTTPStatus(status).phrase, "status": status, "detail": message, "code": code, "hint": hint} | more


def problem_bytes(status: int, message: str, code: str, hint: str = "") -> bytes:
    """A whole HTTP/1.1 answer for connections that no HTTP server has taken; it ends the connection."""
    body = json.dumps(problem_body(status, message, code, hint)).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"content-type: {MEDIA_TYPE}",
        f"content-length: {len(body)}", "cache-control: no-store", "connection: close",
        *(["www-authenticate: Bearer"] if status == 401 else []), *(["retry-after: 5"] if status == 503 else []),
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
