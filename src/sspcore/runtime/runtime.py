"""The runtime: circuits at work, one door for changes, subscriptions. This is what a program holds.

Owns the awaiting: it parks producers, waits for answers and obeys the registry and the admission, which decide.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from types import MappingProxyType
from typing import Any, Final, TypeVar, overload

import attrs
import trio

from sspcore.abc import BackpressurePolicy, Reason
from sspcore.config import BackpressureConfig
from sspcore.delivery.outbox import Outbox
from sspcore.delivery.stage import Stage
from sspcore.engine.change import Change
from sspcore.engine.explain import Explanation
from sspcore.engine.options import CircuitOptions
from sspcore.engine.schema import Schema
from sspcore.engine.update import Result, Row, Snapshot, ViewUpdate
from sspcore.errors import CircuitFailed, Closed, UnknownView, UsageError
from sspcore.ingress.admission import Admission, Ticket
from sspcore.ingress.lane import Registration
from sspcore.ingress.registry import Registry
from sspcore.plugins import Plugins
from sspcore.runtime.circuit_task import Stop, Worker
from sspcore.runtime.creating import lane_of
from sspcore.runtime.environment import Environment
from sspcore.runtime.handle import CircuitHandle
from sspcore.runtime.moving import Clock, rebind
from sspcore.runtime.parking import Applied
from sspcore.runtime.producers import wait_for_room
from sspcore.runtime.queries import is_sql, name_of
from sspcore.runtime.receipt import Receipt, batch_of, receipt_of
from sspcore.runtime.rerouting import reroute, router_of
from sspcore.runtime.routing_views import RoutingViews
from sspcore.runtime.statistics import RuntimeStatistics, circuit_of
from sspcore.runtime.subscription import Subscription
from sspcore.runtime.supervisor import supervise
from sspcore.runtime.watchdog import Watchdog

DEFAULT: Final = "main"
"""The circuit meant where none is named."""

T = TypeVar("T")


class Runtime:
    """Circuits at work. Made by `open_runtime`; all methods belong to its trio thread.

    A change enters by `ingest` only, reaches every circuit that reads its table, and moves their views; `subscribe`
    tells what moved. A circuit that fails is derived anew, alone. `routing` has the views by which rows are routed.
    """

    def __init__(
        self, nursery: trio.Nursery, registry: Registry, plugins: Plugins, backpressure: BackpressureConfig,
        environment: Environment, watchdog: Watchdog, tick: float = 1.0,
    ) -> None:  # fmt: skip
        self._nursery = nursery
        self._registry = registry
        self._plugins = plugins
        self._backpressure = backpressure
        self._environment = environment
        self._watchdog = watchdog
        self._admission = Admission(registry.base, registry.router, registry.lanes, registry.working.admitted)
        self._workers: dict[str, Worker] = {}
        self._handles: dict[str, CircuitHandle] = {}
        self._closed = False
        self.routing = RoutingViews(registry.router, self._require_open)
        self._own = count(1)
        self._clock = Clock(environment, tick, self._workers)
        nursery.start_soon(self._clock.run, name="clock")

    # Circuits

    @property
    def circuits(self) -> Mapping[str, CircuitHandle]:
        """Name → circuit, to read; "main" is among them from the start."""
        return MappingProxyType(self._handles)

    @property
    def schemas(self) -> Mapping[str, Schema]:
        """Table → schema, as of now: declared ones, and open ones as wide as their rows have made them."""
        return {name: table.schema for name, table in self._registry.base.tables.items()}

    async def create_circuit(
        self, name: str, *, policy: str | BackpressurePolicy | None = None, capacity: int | None = None,
        max_bytes: int | None = None, options: Mapping[str, Any] | None = None,
    ) -> CircuitHandle:  # fmt: skip
        """Create a circuit; it lives until destroyed, or the runtime closes.

        Args: `policy`, a registered name (with its `options`) or a policy object; `capacity` and `max_bytes` of its
        queue; all as configured under `[backpressure]` when not given.
        Raises AlreadyExists, ConfigError or UsageError (the caller's).
        """
        self._require_open()
        handle = self._create(name, policy, capacity, max_bytes, options)
        await trio.lowlevel.checkpoint()
        return handle

    def _create(self, name: str, *asked: Any) -> CircuitHandle:
        lane = lane_of(self._plugins, self._watchdog, self._backpressure, name, *asked)
        self._registry.add_circuit(lane)
        stage = Stage(self._registry.base.circuit(name, self._options()))
        worker = self._workers[name] = Worker(lane, stage, self._registry, self._admission)
        handle = self._handles[name] = CircuitHandle(worker, self._environment)
        self._nursery.start_soon(supervise, worker, self._environment, self._options, name=f"circuit {name}")
        return handle

    async def destroy_circuit(self, name: str, graceful: bool = True) -> None:
        """End a circuit, its views and their subscriptions. Nothing is routed to it any more, at once.

        Args: `graceful`, apply first what it has queued; otherwise that is discarded. Base tables keep every row.
        Raises UnknownCircuit.
        """
        worker = self._worker(name)
        self._registry.remove_circuit(worker.lane)
        del self._workers[name], self._handles[name]
        worker.stopping = True
        if graceful and worker.lane.running:
            worker.lane.mailbox.command(Stop())
        else:
            worker.scope.cancel()
        self._admission.room(name)
        await worker.done.wait()

    async def set_routing(self, strategy: str, options: Mapping[str, Any] | None = None) -> None:
        """Have another strategy route, from this moment on; no change is lost, and views stay what they are.

        Args: `strategy`, any registered name, with its `options`. Circuits that would hold other rows are derived anew:
        their subscribers get a reset, receipts of what they had queued name them behind. Waits until they are back.
        Raises ConfigError, UsageError (the caller's) or PluginError: then nothing happened. Cost: O(views), those rows.
        """
        self._require_open()
        router = router_of(self._plugins, self._watchdog, strategy, options or {})
        changed = reroute(self._registry, self._workers, router, self._environment, self._options)
        self.routing.close(f"rows are routed by {strategy!r} from now on")
        for worker in changed:
            await worker.catch_up()
        await trio.lowlevel.checkpoint()

    # Views

    async def register(
        self, view_id: str, query: object, params: Mapping[str, Any] | None = None, *, circuit: str | None = None,
        format: str = "rows", lazy: bool = False,
    ) -> Snapshot:  # fmt: skip
        """Keep a query live under an id, until `unregister`. The same again just gives the snapshot.

        Args: `query`, SQL text, a builder query, a plan or a JSON plan; `params`, a value for each `$name`;
        `circuit`, where ("main"); `format`, "rows", "ids" or "tree" (see `Circuit.register`); `lazy`, computed when it
        is read after a change instead of kept: for what is read seldom, and nobody subscribes to.
        Raises SqlError, PlanError, AlreadyExists, UnknownCircuit or UsageError (the caller's), CircuitFailed.
        Cancelled, it leaves no trace. Cost: that of computing the view once, and of copying tables its circuit lacks.
        """
        self._require_open()
        worker = self._worker(circuit)
        registration, snapshot = await self._hold(worker, view_id, query, params, format, pin=True, lazy=lazy)
        self._release(worker, registration)
        return snapshot if snapshot is not None else await self.snapshot(view_id, circuit=circuit)

    async def rebind(self, view_id: str, params: Mapping[str, Any], *, circuit: str | None = None) -> ViewUpdate:
        """Give a view other parameters; its subscribers get the difference, as one update.

        Args: `params`, those that change; the others keep their values. Gives that update.
        Raises UnknownView or UsageError (the caller's), CircuitFailed. Cost: see `Circuit.rebind`.
        """
        self._require_open()
        worker = self._worker(circuit)
        await self._ready(worker, self._registration(worker, view_id))
        return await rebind(worker, self._registration(worker, view_id), params)

    async def unregister(self, view_id: str, *, circuit: str | None = None) -> None:
        """Give up a view, whoever reads it: subscriptions get what happened before, then end. Raises UnknownView."""
        worker = self._worker(circuit)
        self._registry.unregister(worker.lane, self._registration(worker, view_id))
        await trio.lowlevel.checkpoint()

    @overload
    async def rows(self, view_id: str, *, circuit: str | None = None) -> list[Row]: ...
    @overload
    async def rows(self, view_id: str, *, circuit: str | None = None, as_type: type[T]) -> list[T]: ...
    async def rows(
        self, view_id: str, *, circuit: str | None = None, as_type: type[Any] | None = None
    ) -> list[Any]:  # fmt: skip
        """The rows of a view, after everything admitted before; in order for an ordered one. Cost: O(rows).

        `as_type`: as objects of an attrs class, UsageError (the caller's) where a row does not fit it.
        """
        snapshot = await self.snapshot(view_id, circuit=circuit)
        return snapshot.rows if as_type is None else snapshot.typed(as_type)

    async def snapshot(self, view_id: str, *, circuit: str | None = None) -> Snapshot:
        """A view's value with its keys, columns and version, after everything admitted before. Cost: O(rows).

        Raises UnknownView or UnknownCircuit (the caller's), CircuitFailed when the view or its circuit failed.
        """
        worker = self._worker(circuit)
        await self._ready(worker, self._registration(worker, view_id))
        return await worker.ask(lambda stage: stage.circuit.view(view_id).snapshot())

    async def query(
        self, query: object, params: Mapping[str, Any] | None = None, *, circuit: str | None = None
    ) -> Result:
        """Answer a one-off query over all tables: one consistent cut, everything admitted included, nothing kept.

        Args: `circuit`, whose views may be named as if they were tables ("main").
        Raises SqlError, PlanError or UsageError (the caller's). Cost: that of computing it once, in one step.
        """
        result = self._registry.query(self._worker(circuit).lane, query, params, self._environment.clock())
        await trio.lowlevel.checkpoint()
        return result

    async def explain(self, query: object, *, circuit: str | None = None) -> Explanation:
        """The plan of a view (by id) or of a query, for people: `print(await runtime.explain("late"))`.

        Raises UnknownView, SqlError, PlanError or UsageError (the caller's), CircuitFailed.
        """
        worker = self._worker(circuit)
        if isinstance(query, str) and not is_sql(query):
            await self._ready(worker, self._registration(worker, query))
        return await worker.ask(lambda stage: stage.circuit.explain(query))

    @asynccontextmanager
    async def subscribe(
        self, view: object, params: Mapping[str, Any] | None = None, *, circuit: str | None = None, own: bool = False,
        format: str = "rows",
    ) -> AsyncIterator[Subscription]:  # fmt: skip
        """Watch a view: its snapshot, then every change, as one cut.

        Args: `view`, the id of a registered view, or a query (text that starts with SELECT, WITH or VALUES is SQL):
        then that query is kept live as long as somebody subscribes to it; `params`, the query's; `own`, keep a view
        for this subscription alone, so that `rebind(subscription.view, …)` may move its parameters; `format`.
        Raises UnknownView, SqlError, PlanError or UsageError (the caller's), CircuitFailed. Slow readers delay nobody.
        """
        self._require_open()
        worker = self._worker(circuit)
        if isinstance(view, str) and view in worker.lane.views:
            if params:
                raise UsageError(f"view {view!r} has its parameters already", hint="subscribe to its SQL for others")
            registration = worker.lane.views[view]
            registration.holders += 1
        elif isinstance(view, str) and not is_sql(view):
            raise UnknownView(view, worker.lane.views)
        else:
            named = view = view.strip() if isinstance(view, str) else view
            if not isinstance(named, str):
                named = self._registry.understand(worker.lane, view, params).plan
            name = name_of(named, params, format) + (f"-{next(self._own)}" if own else "")
            registration, _ = await self._hold(worker, name, view, params, format, named=own)
        outbox = Outbox(registration.view)
        try:
            await self._ready(worker, registration)
            snapshot = await worker.ask(lambda stage: stage.attach(registration.view, outbox))
            yield Subscription(outbox, snapshot)
        finally:
            worker.stage.detach(outbox)
            self._release(worker, registration)

    # Changes

    async def ingest(self, changes: Iterable[Change] | Change, *, ack: str = "applied") -> Receipt:
        """Let a batch in: everywhere and whole, or not at all.

        Args: `changes`, applied atomically; `ack`, what to wait for: "queued" (accepted) or "applied" (in the views of
        every circuit that runs).
        Raises ChangeRejected (the producer's fault; nothing happened), Full where a policy refuses, Closed.
        Cancelled while it waits for room: nothing happened. Cancelled later: accepted, only the receipt is lost.
        """
        batch = batch_of(changes)
        if ack not in ("queued", "applied"):
            raise UsageError(f"ack is 'queued' or 'applied', not {ack!r}")
        self._require_open()
        await trio.lowlevel.checkpoint_if_cancelled()
        applied = Applied() if ack == "applied" else None
        outcome = self._admission.submit(batch, self._environment.now(), applied)
        if isinstance(outcome, Ticket):
            outcome = await wait_for_room(self._admission, outcome, self._environment.now, self._require_open)
        if applied is None:
            await trio.lowlevel.cancel_shielded_checkpoint()
            return receipt_of(outcome)
        await applied.wait(outcome.targets)
        return Receipt(
            outcome.offset, applied.versions, (*outcome.behind, *applied.behind), outcome.routed, outcome.unrouted
        )

    def ingest_nowait(self, changes: Iterable[Change] | Change) -> Receipt:
        """`ingest(ack="queued")` without waiting: raises Full where `ingest` would wait for room."""
        self._require_open()
        return receipt_of(self._admission.submit_now(batch_of(changes), self._environment.now()))

    async def settle(self) -> None:
        """Wait until everything admitted is applied and in the outboxes; circuits that are behind come back first.

        For tests and demonstrations; a circuit that failed for good is not waited for.
        """
        for worker in list(self._workers.values()):
            await worker.catch_up()
        await trio.lowlevel.checkpoint()

    def explain_routing(self, change: Change) -> Sequence[Reason]:
        """For each circuit why this change would go there, or not; () when it would change nothing.

        Raises ChangeRejected when it would be refused.
        """
        row = self._admission.explain(change)
        return () if row is None else self._registry.router.explain(row)

    def statistics(self) -> RuntimeStatistics:
        """Counters of everything, frozen. Cost: O(circuits + views + tables)."""
        admission, router, now = self._admission, self._registry.router, self._environment.now()
        return RuntimeStatistics(
            admission.offset, admission.received, admission.accepted, admission.refused, admission.duplicates,
            admission.unrouted, admission.waiting, router.name, router.fell_open,
            {name: len(table.rows) for name, table in self._registry.base.tables.items()},
            {name: circuit_of(worker, now) for name, worker in self._workers.items()}, self._watchdog.hung,
        )  # fmt: skip

    # Inside

    def _options(self) -> CircuitOptions:
        """Those of a circuit about to be derived: its own epoch, whatever the door decided already."""
        options = self._registry.base.options
        return attrs.evolve(options, epoch=self._environment.epoch(), strict_tables=False, max_rows=None)

    def _require_open(self) -> None:
        if self._closed:
            raise Closed("the runtime is closed", hint="work inside its `async with` block")

    def _worker(self, circuit: str | None) -> Worker:
        name = self._registry.lane(DEFAULT if circuit is None else circuit).name
        return self._workers[name]

    def _registration(self, worker: Worker, view_id: str) -> Registration:
        registration = self._registry.registration(worker.lane.name, view_id)
        if registration.failed is not None:
            raise CircuitFailed(
                f"view {view_id!r} failed: {registration.failed!r}", hint="register it again to revive it"
            )
        return registration

    async def _ready(self, worker: Worker, registration: Registration) -> None:
        reply = worker.installing.get(registration)
        if reply is not None:
            await reply.wait()

    async def _hold(
        self, worker: Worker, view_id: str, query: object, params: Mapping[str, Any] | None, format: str,
        pin: bool = False, named: bool = True, lazy: bool = False,
    ) -> tuple[Registration, Snapshot | None]:  # fmt: skip
        """Find or make a registration and hold it; the snapshot where this call made it. `pin`: it outlives holders."""
        worker.require()
        name = worker.lane.name
        made = self._registry.register(name, view_id, query, params, format=format, named=named, lazy=lazy)
        registration, walks = made
        if walks is not None and registration.timed and worker.lane.running:
            self._clock.tell(worker)
        registration.holders += 1
        snapshot = None
        try:
            if walks is not None:
                snapshot = await worker.install(registration, walks).wait()
            else:
                await self._ready(worker, registration)
        except BaseException:
            self._release(worker, registration)
            raise
        registration.pinned = registration.pinned or pin
        return registration, snapshot

    def _release(self, worker: Worker, registration: Registration) -> None:
        registration.holders -= 1
        if not registration.holders and not registration.pinned:
            self._registry.unregister(worker.lane, registration)

    async def _drain(self, seconds: float) -> None:
        """Refuse what comes, apply what is queued, end all subscriptions."""
        self._closed = True
        self._admission.wake_all()
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                for worker in self._workers.values():
                    if worker.lane.running:
                        nursery.start_soon(worker.catch_up)
        self._end()

    def _end(self) -> None:
        self._closed = True
        self.routing.close("the runtime was closed")
        self._admission.wake_all()
        for worker in self._workers.values():
            worker.stopping = True
            worker.stage.close("the runtime was closed")
