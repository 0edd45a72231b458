"""A runtime that does what a test says, when it says it: views are set by hand, faults are ordered.

The edges under test are the server's; the real runtime behind it is used in `test_with_runtime.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

from sspcore.engine.schema import Schema
from sspcore.engine.update import Snapshot, ViewUpdate
from sspcore.errors import ChangeRejected, SspError, UnknownCircuit, UnknownView, UnsupportedSql


@attrs.frozen
class Receipt:
    offset: int
    versions: dict[str, int]
    behind: tuple[str, ...] = ()
    routed: int = 0
    unrouted: int = 0


class PretendView:
    """A view whose rows a test sets. `ordered` places rows by value."""

    def __init__(self, id: str, columns: tuple[str, ...], ordered: bool = False) -> None:
        self.id, self.columns, self.ordered, self.query = id, columns, ordered, f"SELECT * FROM {id}"
        self.version, self.epoch = 0, "e1"
        self.rows: dict[Any, tuple[Any, ...]] = {}
        self.readers: list[PretendSubscription] = []

    def listed(self) -> list[Any]:
        return sorted(self.rows, key=lambda key: self.rows[key]) if self.ordered else list(self.rows)

    def snapshot(self) -> Snapshot:
        keys = self.listed()
        return Snapshot(
            self.id, self.epoch, self.version, self.columns, keys, [self.rows[k] for k in keys], self.ordered
        )

    def put(self, key: Any, row: tuple[Any, ...] | None) -> None:
        old = self.rows.pop(key, None)
        if row is not None:
            self.rows[key] = row
        self.version += 1
        order = self.listed()
        placed = ()
        if self.ordered and row is not None:
            at = order.index(key)
            placed = ((key, order[at - 1] if at else None),)
        changes = ((key, old, row),)
        self.send(ViewUpdate(self.id, self.epoch, self.version - 1, self.version, self.columns, changes, placed))

    def derive_anew(self, reason: str) -> None:
        self.epoch += "'"
        changes = tuple((key, None, self.rows[key]) for key in self.listed())
        before, self.version = self.version, 1
        self.send(ViewUpdate(self.id, self.epoch, before, 1, self.columns, changes, reset=True, reason=reason))

    def send(self, update: ViewUpdate) -> None:
        for reader in self.readers:
            reader.push(update)

    def end(self, error: SspError | None = None, reason: str = "") -> None:
        for reader in self.readers:
            reader.finish(error, reason)


class PretendSubscription:
    """Snapshot, then updates that compose while nobody reads: one is pending at most."""

    def __init__(self, view: PretendView) -> None:
        self.view, self.snapshot, self.reason = view.id, view.snapshot(), ""
        self.pending: ViewUpdate | None = None
        self.composed = 0
        self.error: SspError | None = None
        self.over = False
        self.news = trio.Event()

    def push(self, update: ViewUpdate) -> None:
        if self.pending is None:
            self.pending = update
        else:
            self.composed += 1
            self.pending = self.pending.then(update)
        self.news.set()

    def finish(self, error: SspError | None, reason: str) -> None:
        self.error, self.over, self.reason = error, True, reason
        self.news.set()

    def __aiter__(self) -> PretendSubscription:
        return self

    async def __anext__(self) -> ViewUpdate:
        while self.pending is None:
            if self.over:
                if self.error:
                    raise self.error
                raise StopAsyncIteration
            self.news = trio.Event()
            await self.news.wait()
        update, self.pending = self.pending, None
        await trio.lowlevel.cancel_shielded_checkpoint()  # as the real one: what was taken is not lost
        return update


@attrs.frozen
class ViewInfo:
    id: str
    columns: tuple[str, ...]
    version: int
    query: str


@attrs.frozen
class Counters:
    name: str
    state: str
    views: dict[str, ViewInfo]


@attrs.define
class PretendCircuit:
    name: str
    held: dict[str, PretendView] = attrs.field(factory=dict)
    state: str = "running"

    @property
    def views(self) -> dict[str, ViewInfo]:
        return {id: ViewInfo(id, view.columns, view.version, view.query) for id, view in self.held.items()}

    def statistics(self) -> Counters:
        return Counters(self.name, self.state, self.views)


class PretendRuntime:
    """Circuits of pretend views. `on_ingest` decides what an ingest gives."""

    def __init__(self) -> None:
        self.circuits = {"main": PretendCircuit("main")}
        self.schemas = {"flights": Schema("flights", {"id": "text", "delay": "integer", "at": "timestamp"})}
        self.ingested: list[list[Any]] = []
        self.on_ingest: Callable[[Sequence[Any]], None] = lambda changes: None
        self.hold = trio.Event()
        self.hold.set()

    def add(self, id: str, columns: tuple[str, ...] = ("carrier", "n"), ordered: bool = False) -> PretendView:
        view = self.circuits["main"].held[id] = PretendView(id, columns, ordered)
        return view

    @asynccontextmanager
    async def subscribe(
        self, query: Any, params: Any = None, *, circuit: str | None = None, own: bool = False, format: str = "rows"
    ) -> AsyncIterator[Any]:
        await trio.lowlevel.checkpoint()
        handle = self.circuits.get(circuit or "main")
        if handle is None:
            raise UnknownCircuit(str(circuit), self.circuits)
        if isinstance(query, str) and query not in handle.held and "FOR UPDATE" in query:
            raise UnsupportedSql("FOR UPDATE is not kept live", query, 1, query.index("FOR UPDATE") + 1, hint="drop it")
        view = handle.held.get(query)
        if view is None:
            raise UnknownView(query, handle.held)
        subscription = PretendSubscription(view)
        view.readers.append(subscription)
        try:
            yield subscription
        finally:
            view.readers.remove(subscription)

    async def ingest(self, changes: Sequence[Any], *, ack: str = "applied") -> Receipt:
        await self.hold.wait()
        self.on_ingest(changes)
        self.ingested.append(list(changes))
        return Receipt(len(self.ingested), {"main": len(self.ingested)} if ack == "applied" else {}, (), len(changes))

    async def register(
        self, id: str, query: Any, params: Any = None, *, circuit: str = "main", lazy: bool = False
    ) -> Snapshot:
        await trio.lowlevel.checkpoint()
        view = self.circuits[circuit].held[id] = PretendView(id, ("n",))
        view.lazy = lazy
        view.query = query
        return view.snapshot()

    async def unregister(self, id: str, *, circuit: str = "main") -> None:
        await trio.lowlevel.checkpoint()
        held = self.circuits[circuit].held
        if id not in held:
            raise UnknownView(id, held)
        held.pop(id).end(reason=f"view {id!r} was unregistered")

    async def snapshot(self, id: str, *, circuit: str) -> Snapshot:
        await trio.lowlevel.checkpoint()
        held = self.circuits[circuit].held
        if id not in held:
            raise UnknownView(id, held)
        return held[id].snapshot()

    async def create_circuit(self, name: str, **options: Any) -> None:
        await trio.lowlevel.checkpoint()
        self.circuits[name] = PretendCircuit(name)

    async def destroy_circuit(self, name: str, graceful: bool = True) -> None:
        await trio.lowlevel.checkpoint()
        del self.circuits[name]

    async def explain(self, view: str, *, circuit: str) -> str:
        await trio.lowlevel.checkpoint()
        return f"Scan {view}"

    def statistics(self) -> dict[str, Any]:
        return {"circuits": {name: {"views": len(c.views)} for name, c in self.circuits.items()}}


def reject(changes: Sequence[Any]) -> None:
    raise ChangeRejected("row 'a' of table 'flights': the row exists already", index=0, hint="use upsert, or update")
