"""What the server knows: the runtime it stands before, and everything peers may ask of it, in one place.

Owns the translation between the wire's requests and the runtime's methods, so that routes and peers stay thin.
Refuses to know HTTP and WebSocket.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs

from sspcore.engine.change import Change
from sspcore.engine.update import Snapshot
from sspcore.errors import ChangeRejected, SqlError, UnknownCircuit, UnknownView
from sspcore.runtime.handle import CircuitHandle
from sspcore.runtime.queries import is_sql
from sspcore.runtime.receipt import Receipt
from sspcore.runtime.runtime import Runtime
from sspcore.runtime.statistics import RuntimeView
from sspcore.runtime.subscription import Subscription
from sspcore.sidecar.auth import Guard
from sspcore.sidecar.feeds import Feed, Feeds
from sspcore.sidecar.limits import ServerLimits
from sspcore.wire.changes import SchemaOf
from sspcore.wire.limits import check_sql
from sspcore.wire.messages import Sub

DEFAULT = "main"
"""The circuit meant where a peer names none."""
FOREIGN = ("source", "targets", "tenant")
"""Fields of a change that a peer may not set: they say who it is and where it may write."""


@attrs.frozen
class Reading:
    """A subscription as a peer follows it."""

    feed: Feed
    subscription: Subscription


class Sidecar:
    """The runtime behind one server, with what its connections share."""

    def __init__(self, runtime: Runtime, guard: Guard, limits: ServerLimits) -> None:
        self.runtime, self.guard, self.limits = runtime, guard, limits
        self.feeds = Feeds()
        self.peers = 0
        self.cut = 0
        self._sessions = itertools.count(1)

    def new_session(self) -> str:
        """A name for a session, for logs."""
        return f"s{next(self._sessions)}"

    # Reading

    @asynccontextmanager
    async def subscribe(self, sub: Sub) -> AsyncIterator[Reading]:
        """The subscription a `sub` asks for. Raises what the runtime raises, and SqlError for text that is no query."""
        async with self.runtime.subscribe(
            self._query(sub), sub.params, circuit=sub.circuit, own=sub.own, format=sub.format
        ) as subscription:
            feed = self.feeds.enter(sub.circuit or DEFAULT, subscription.view)
            try:
                yield Reading(feed, subscription)
            finally:
                self.feeds.leave(feed)

    async def rebind(self, feed: Feed, params: dict[str, Any]) -> None:
        """Move the parameters of a view; its readers get the difference. Raises what the runtime raises."""
        await self.runtime.rebind(feed.view, params, circuit=feed.circuit)

    def _query(self, sub: Sub) -> Any:
        if sub.sql is not None:
            if not is_sql(sub.sql):
                raise SqlError("a live query starts with SELECT, WITH or VALUES", sub.sql)
            return sub.sql
        if sub.plan is not None:
            return sub.plan
        assert sub.view is not None, "the session lets no other sub through"
        self._view(sub.circuit or DEFAULT, sub.view)
        return sub.view

    async def snapshot(self, circuit: str, view: str) -> Snapshot:
        """The value of a registered view, with its version."""
        return await self.runtime.snapshot(view, circuit=circuit)

    async def explain(self, circuit: str, view: str) -> str:
        """How a view is kept, for people."""
        return str(await self.runtime.explain(view, circuit=circuit))

    def schemas(self) -> SchemaOf:
        """Table → its schema as of now, or None while nobody declared it and no row came."""
        return self.runtime.schemas.get

    # Circuits and views

    def circuits(self) -> list[dict[str, Any]]:
        """All circuits, described."""
        return [self.circuit(name) for name in self.runtime.circuits]

    def circuit(self, name: str) -> dict[str, Any]:
        """One circuit, described. Raises UnknownCircuit."""
        described: dict[str, Any] = plain(self._circuit(name).statistics())
        return described | {"views": list(described["views"])}

    async def create_circuit(self, name: str, **options: Any) -> None:
        """A new circuit. Raises AlreadyExists, ConfigError, UsageError."""
        await self.runtime.create_circuit(name, **options)

    async def destroy_circuit(self, name: str, graceful: bool) -> None:
        """End a circuit. Raises UnknownCircuit."""
        await self.runtime.destroy_circuit(name, graceful=graceful)

    def views(self, circuit: str) -> list[dict[str, Any]]:
        """The views of a circuit, described. Raises UnknownCircuit."""
        return [self.view(circuit, view) for view in self._circuit(circuit).views]

    def view(self, circuit: str, view: str) -> dict[str, Any]:
        """One view, described. Raises UnknownCircuit, UnknownView."""
        described: dict[str, Any] = plain(self._view(circuit, view))
        return described

    async def register(self, circuit: str, view: str, query: Any, params: Any, lazy: bool = False) -> Snapshot:
        """Register a view. Raises AlreadyExists, SqlError, PlanError, UnknownCircuit."""
        if isinstance(query, str):
            check_sql(query)
        return await self.runtime.register(view, query, params, circuit=circuit, lazy=lazy)

    async def unregister(self, circuit: str, view: str) -> None:
        """End a view; its subscribers are told. Raises UnknownCircuit, UnknownView."""
        await self.runtime.unregister(view, circuit=circuit)

    def _circuit(self, name: str) -> CircuitHandle:
        handle = self.runtime.circuits.get(name)
        if handle is None:
            raise UnknownCircuit(name, self.runtime.circuits)
        return handle

    def _view(self, circuit: str, view: str) -> RuntimeView:
        views = self._circuit(circuit).views
        if view not in views:
            raise UnknownView(view, views)
        return views[view]

    # Writing and watching

    def check_foreign(self, changes: Sequence[Change]) -> None:
        """Raise ChangeRejected when a peer's change says who it is or where it goes: the server decides that."""
        for at, change in enumerate(changes):
            for name in FOREIGN:
                if getattr(change, name):
                    raise ChangeRejected(
                        f"{name} is not for peers to set", index=at, place=f".{name}", hint="leave it out"
                    )

    async def ingest(self, changes: Sequence[Change], ack: str) -> Receipt:
        """Ingest a batch. Raises ChangeRejected, Full."""
        return await self.runtime.ingest(changes, ack=ack)

    def readiness(self) -> dict[str, bool]:
        """Circuit → whether it serves now."""
        return {name: handle.state == "running" for name, handle in self.runtime.circuits.items()}

    def statistics(self) -> dict[str, Any]:
        """What the runtime counts, and the server beside it, as plain values."""
        return {
            "runtime": plain(self.runtime.statistics()),
            "server": {
                "peers": self.peers, "cut": self.cut, "feeds": len(self.feeds),
                "encodes": self.feeds.encodes,
            },
        }  # fmt: skip


def plain(data: Any) -> Any:
    """Statistics as JSON has them: attrs objects become objects, tuples lists, anything unknown its text."""
    if attrs.has(type(data)):
        return {a.name: plain(getattr(data, a.name)) for a in attrs.fields(type(data))}
    if isinstance(data, dict) or hasattr(data, "items"):
        return {str(name): plain(value) for name, value in data.items()}
    if isinstance(data, list | tuple | set | frozenset):
        return [plain(value) for value in data]
    if data is None or isinstance(data, bool | int | str):
        return data
    if isinstance(data, float):
        return data if data == data and abs(data) != float("inf") else None
    return str(data)
