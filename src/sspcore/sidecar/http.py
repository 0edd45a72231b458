"""The HTTP interface: routes, bodies and answers.

Owns paths, methods and what they accept; each route asks the runtime and prints the answer. Errors leave as
`application/problem+json`. Refuses to know connections (`server.py`) and rights (`auth.py`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final

import trio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from sspcore.errors import ChangeRejected, InternalError, PeerError, SspError, TooExpensive, UsageError, did_you_mean
from sspcore.sidecar.guarded import Guarded
from sspcore.sidecar.page_files import page_routes
from sspcore.sidecar.peer import Peer
from sspcore.sidecar.problem import MEDIA_TYPE, problem, problem_body
from sspcore.sidecar.state import Sidecar
from sspcore.sidecar.websocket import AsgiTransport
from sspcore.wire.changes import decode_change
from sspcore.wire.json_text import decode_json, encode_json
from sspcore.wire.limits import Limits
from sspcore.wire.messages import SUBPROTOCOL
from sspcore.wire.values import encode_key, encode_row

logger = logging.getLogger("sspcore.sidecar")
MAX_PAGE: Final = 10_000
QUERY_BYTES: Final = Limits().query_bytes
KINDS: Final = {
    str: "a text", int: "an integer", float: "a number", bool: "a boolean", dict: "an object", list: "a list"
}  # fmt: skip
Handler = Callable[[Request], Awaitable[Response]]


def application(sidecar: Sidecar) -> Guarded:
    """The ASGI application, guarded."""
    routes = _Routes(sidecar)
    view = "/circuits/{circuit}/views/{view}"
    app = Starlette(
        routes=[
            Route("/circuits", answering(routes.circuits), methods=["GET"]),
            Route("/circuits", answering(routes.create_circuit), methods=["POST"]),
            Route("/circuits/{circuit}", answering(routes.circuit), methods=["GET"]),
            Route("/circuits/{circuit}", answering(routes.destroy_circuit), methods=["DELETE"]),
            Route("/circuits/{circuit}/views", answering(routes.views), methods=["GET"]),
            Route("/circuits/{circuit}/views", answering(routes.register), methods=["POST"]),
            Route(view, answering(routes.view), methods=["GET"]),
            Route(view, answering(routes.unregister), methods=["DELETE"]),
            Route(f"{view}/rows", answering(routes.rows), methods=["GET"]),
            Route(f"{view}/explain", answering(routes.explain), methods=["GET"]),
            Route("/ingest", answering(routes.ingest), methods=["POST"]),
            Route("/health/live", answering(routes.live), methods=["GET"]),
            Route("/health/ready", answering(routes.ready), methods=["GET"]),
            Route("/statistics", answering(routes.statistics), methods=["GET"]),
            WebSocketRoute("/ws", routes.websocket),
            *page_routes(),
        ],
        exception_handlers={HTTPException: _http_error},  # type: ignore[dict-item]
    )
    return Guarded(app, sidecar.guard)


class _Routes:
    """What each path does."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.sidecar = sidecar

    async def circuits(self, request: Request) -> Response:
        _query(request)
        return _answer({"circuits": self.sidecar.circuits()})

    async def create_circuit(self, request: Request) -> Response:
        _query(request)
        fields = await self._object(request, {"name": str}, policy=str, capacity=int, max_bytes=int, options=dict)
        await self.sidecar.create_circuit(**fields)
        return _answer(self.sidecar.circuit(fields["name"]), 201)

    async def circuit(self, request: Request) -> Response:
        _query(request)
        return _answer(self.sidecar.circuit(request.path_params["circuit"]))

    async def destroy_circuit(self, request: Request) -> Response:
        graceful = _query(request, graceful="true").get("graceful")
        if graceful not in ("true", "false"):
            raise UsageError("graceful is true or false")
        await self.sidecar.destroy_circuit(request.path_params["circuit"], graceful == "true")
        return Response(status_code=204)

    async def views(self, request: Request) -> Response:
        _query(request)
        return _answer({"views": self.sidecar.views(request.path_params["circuit"])})

    async def register(self, request: Request) -> Response:
        _query(request)
        circuit = request.path_params["circuit"]
        fields = await self._object(request, {"id": str}, sql=str, plan=dict, params=dict, lazy=bool)
        if ("sql" in fields) == ("plan" in fields):
            raise UsageError("a view is registered with either sql or plan")
        query = fields["sql"] if "sql" in fields else fields["plan"]
        lazy = fields.get("lazy", False)
        snapshot = await self.sidecar.register(circuit, fields["id"], query, fields.get("params"), lazy)
        described = self.sidecar.view(circuit, fields["id"])
        return _answer(described | {"warnings": list(snapshot.warnings)}, 201)

    async def view(self, request: Request) -> Response:
        _query(request)
        return _answer(self.sidecar.view(request.path_params["circuit"], request.path_params["view"]))

    async def unregister(self, request: Request) -> Response:
        _query(request)
        await self.sidecar.unregister(request.path_params["circuit"], request.path_params["view"])
        return Response(status_code=204)

    async def rows(self, request: Request) -> Response:
        query = _query(request, limit="1000", after="")
        limit = _whole_number(query["limit"], "limit", 1, MAX_PAGE)
        snapshot = await self.sidecar.snapshot(request.path_params["circuit"], request.path_params["view"])
        start = 0
        if query["after"]:
            names = {_cursor(key): at for at, key in enumerate(snapshot.keys)}
            if query["after"] not in names:
                raise UsageError("the row named by `after` is not in the view any more", hint="start again without it")
            start = names[query["after"]] + 1
        rows = snapshot.rows[start : start + limit]
        more = start + limit < len(snapshot.rows)
        return _answer(
            {
                "version": snapshot.version, "columns": list(snapshot.columns),
                "rows": [encode_row(row) for row in rows],
                "next": _cursor(snapshot.keys[start + limit - 1]) if more else None,
            }
        )  # fmt: skip

    async def explain(self, request: Request) -> Response:
        _query(request)
        text = await self.sidecar.explain(request.path_params["circuit"], request.path_params["view"])
        return Response(text, media_type="text/plain; charset=utf-8")

    async def ingest(self, request: Request) -> Response:
        ack = _query(request, ack="applied")["ack"]
        if ack not in ("queued", "applied"):
            raise UsageError(f"ack is queued or applied, not {ack[:80]!r}")
        types = ("application/json", "application/x-ndjson")
        changes = self._changes(*await self._body(request, types, self.sidecar.limits.body_bytes))
        receipt = await self.sidecar.ingest(changes, ack)
        return _answer(
            {
                "offset": receipt.offset, "versions": dict(receipt.versions), "behind": list(receipt.behind),
                "routed": receipt.routed, "unrouted": receipt.unrouted,
            }
        )  # fmt: skip

    async def live(self, request: Request) -> Response:
        await trio.lowlevel.checkpoint()
        return _answer({"status": "live"})

    async def ready(self, request: Request) -> Response:
        circuits = self.sidecar.readiness()
        ready = all(circuits.values())
        return _answer({"status": "ready" if ready else "not ready", "circuits": circuits}, 200 if ready else 503)

    async def statistics(self, request: Request) -> Response:
        _query(request)
        return _answer(self.sidecar.statistics())

    async def websocket(self, websocket: WebSocket) -> None:
        offered = websocket.scope.get("subprotocols", ())
        await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        trusted = "authorization" in websocket.headers
        await Peer(self.sidecar, AsgiTransport(websocket), trusted=trusted).serve()

    # Bodies

    async def _body(self, request: Request, types: tuple[str, ...], most: int) -> tuple[bytes, str]:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in types:
            raise HTTPException(415, f"send {' or '.join(types)}, not {kind[:80] or 'an unnamed type'!r}")
        limits = self.sidecar.limits
        body = bytearray()
        with trio.move_on_after(limits.body_seconds):
            async with aclosing(request.stream()) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) > most:
                        raise TooExpensive("bytes in a body", limit=most, actual=len(body), hint="send less at once")
            return bytes(body), kind
        raise HTTPException(408, f"the body did not arrive within {limits.body_seconds:g} s")

    async def _object(self, request: Request, required: dict[str, type], **optional: type) -> dict[str, Any]:
        body, _ = await self._body(request, ("application/json",), QUERY_BYTES)
        data = decode_json(body)
        fields = required | optional
        if type(data) is not dict:
            raise UsageError("the body is an object", hint="with " + ", ".join(fields))
        for name, value in data.items():
            if name not in fields:
                raise UsageError(f"unknown field {name[:80]!r}", hint=did_you_mean(name, fields))
            if type(value) is not fields[name]:
                raise UsageError(f"{name} is {KINDS[fields[name]]}, not {KINDS.get(type(value), 'nothing')}")
        for name in required:
            if not data.get(name):
                raise UsageError(f"{name} is needed, and not empty")
        return data

    def _changes(self, body: bytes, kind: str) -> list[Any]:
        if kind == "application/json":
            data = decode_json(body)
            listed = data if type(data) is list else [data]
        else:
            listed = [_line(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
        schema = self.sidecar.schemas()
        changes = [decode_change(item, schema, index=at) for at, item in enumerate(listed)]
        self.sidecar.check_foreign(changes)
        return changes


def answering(handler: Handler) -> Handler:
    """The handler, with our errors as problem answers."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except SspError as error:
            return problem(error)
        except ClientDisconnect:
            return Response(status_code=400)
        except (HTTPException, trio.Cancelled):
            raise
        except Exception:
            logger.exception("%s %s failed", request.method, request.url.path)
            return problem(InternalError("the server failed at this", hint="its log says why; please report it"))

    return answer


async def _http_error(request: Request, error: HTTPException) -> Response:
    codes = {404: "unknown_path", 405: "method_not_allowed", 415: "media_type", 408: "too_slow"}
    code = codes.get(error.status_code, "http")
    message = str(error.detail)
    if error.status_code == 404:
        message = f"nothing is at {request.url.path[:200]!r}"
    body = problem_body(error.status_code, message, code)
    return Response(json.dumps(body), error.status_code, dict(error.headers or {}), MEDIA_TYPE)


def _line(number: int, line: bytes) -> Any:
    try:
        return decode_json(line)
    except (PeerError, TooExpensive) as error:
        raise ChangeRejected(f"line {number}: {error.message}", index=number - 1, hint=error.hint) from None


def _answer(data: object, status: int = 200) -> Response:
    return Response(encode_json(data), status, media_type="application/json")


def _query(request: Request, **defaults: str) -> dict[str, str]:
    given = dict(defaults)
    for name, value in request.query_params.multi_items():
        if name not in defaults:
            hint = did_you_mean(name, defaults) if defaults else "this path takes none"
            raise UsageError(f"unknown query parameter {name[:80]!r}", hint=hint)
        given[name] = value
    return given


def _whole_number(text: str, name: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and least <= int(text) <= most):
        raise UsageError(f"{name} is a whole number from {least} to {most}, not {text[:80]!r}")
    return int(text)


def _cursor(key: object) -> str:
    return json.dumps(encode_key(key), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
