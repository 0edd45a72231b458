"""The live page's files, read once from the package and served from memory.

Owns which files exist and their types. There is no build step: what is in `page/` is what the browser gets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

TYPES: Final = {
    "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}  # fmt: skip


def page_routes() -> list[Route]:
    """`/` is the page, `/page/<name>` its parts, `/favicon.svg` its icon."""
    routes = []
    for entry in files("sspcore.sidecar").joinpath("page").iterdir():
        kind = TYPES.get(entry.name.rpartition(".")[2])
        if kind is None:
            continue
        path = {"index.html": "/", "favicon.svg": "/favicon.svg"}.get(entry.name, f"/page/{entry.name}")
        routes.append(Route(path, _file(entry.read_bytes(), kind), methods=["GET"]))
    return routes


def _file(content: bytes, kind: str) -> Callable[[Request], Awaitable[Response]]:
    tag = f'"{blake2b(content, digest_size=9).hexdigest()}"'
    headers = {"etag": tag, "cache-control": "no-cache"}

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=kind)

    return answer
