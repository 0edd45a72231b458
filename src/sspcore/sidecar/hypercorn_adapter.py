"""HTTP on one accepted connection, by hypercorn: the only file that touches its internals.

hypercorn has no public way to serve a connection that someone else accepted, so this leans on `TCPServer` and
`WorkerContext` of its trio worker (0.17 and 0.18 have this form; pyproject.toml pins the range, and
`tests/sidecar/test_hypercorn_adapter.py` holds the contract).
"""

from __future__ import annotations

import logging
from typing import Any

from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.utils import wrap_app

from sspcore.sidecar.limits import ServerLimits
from sspcore.sidecar.stream import PeerStream

logger = logging.getLogger("sspcore.sidecar")


class HttpConnections:
    """Serves HTTP/1.1 (keep-alive, pipelining) on streams that others accept, with one ASGI application."""

    def __init__(self, app: Any, limits: ServerLimits) -> None:
        config = Config()
        config.accesslog = None
        config.errorlog = logger
        config.include_server_header = False
        config.h11_max_incomplete_size = limits.head_bytes
        # hypercorn starts this clock when a connection turns idle and stops it at the next complete head.
        config.keep_alive_timeout = limits.idle_seconds
        config.websocket_max_message_size = limits.message_bytes
        self._config = config
        self._app = wrap_app(app, limits.body_bytes, "asgi")
        self._context = WorkerContext(None)

    async def serve(self, stream: PeerStream) -> None:
        """Serve the connection to its end."""
        await TCPServer(self._app, self._config, self._context, {}, stream)  # type: ignore[arg-type]

    async def drain(self) -> None:
        """Let idle connections close, and busy ones after their answer."""
        await self._context.terminated.set()
