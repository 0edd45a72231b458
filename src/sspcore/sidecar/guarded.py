"""The guard in front of the HTTP application, and the headers every answer carries.

Owns the ASGI wrapping only; `auth.py` judges.
"""

from __future__ import annotations

import json
from typing import Any

from sspcore.sidecar.auth import Guard, header_map
from sspcore.sidecar.problem import MEDIA_TYPE, problem_body

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"),
)
NO_STORE = (b"cache-control", b"no-store")


class Guarded:
    """An ASGI application that hears only what the guard lets through."""

    def __init__(self, app: Any, guard: Guard) -> None:
        self._app, self._guard = app, guard

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """As ASGI calls applications."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)  # type: ignore[no-any-return]
        upgrade = scope["type"] == "websocket"
        refusal = self._guard.judge(
            scope.get("method", "GET"), scope["path"], header_map(scope["headers"]), upgrade=upgrade
        )

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                more = [*HEADERS, *(() if b"cache-control" in names else (NO_STORE,))]
                message = message | {"headers": [*given, *more]}
            await send(message)

        if refusal is None:
            await self._app(scope, receive, send_with_headers)
        elif upgrade:
            await send({"type": "websocket.close", "code": 4403, "reason": refusal.message[:100]})
        else:
            body = json.dumps(problem_body(refusal.status, refusal.message, refusal.code, refusal.hint)).encode()
            headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
            if refusal.status == 401:
                headers.append((b"www-authenticate", b"Bearer"))
            await send_with_headers({"type": "http.response.start", "status": refusal.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        return None
