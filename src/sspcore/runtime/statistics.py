"""What a runtime tells about itself: frozen values, read in one go between steps.

Owns their form. All figures are plain counters kept where the work is done; nothing is measured for their sake.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from sspcore.runtime.circuit_task import Worker


@attrs.frozen
class RuntimeView:
    """A view as the runtime keeps it.

    `state` is registering, live or failed. `query` is SQL text where it was given as text. `pinned` views stay until
    unregistered, the others until their last subscriber leaves. `version`, `columns` and the counters are those of the
    circuit's last commit; `rows_touched` and `probes` count its work, `trips` commits that it was computed anew for.
    """

    id: str
    circuit: str
    state: str
    query: str | None
    params: Mapping[str, object]
    columns: tuple[str, ...]
    tables: tuple[str, ...]
    pinned: bool
    subscribers: int
    rows: int
    version: int
    advances: int
    rehydrates: int
    expression_nulls: int
    updates: int = 0
    rows_touched: int = 0
    probes: int = 0
    trips: int = 0


@attrs.frozen
class CircuitCounters:
    """A circuit as the runtime sees it.

    Rows, whenever no step is running: `delivered` = `applied` + `no_ops` + `queued` + `discarded`. `depth` and `bytes`
    are what counts against `capacity` (backfill does not), `oldest` the seconds its oldest batch waits. `offset` is the
    last admitted batch applied. `state` is running, behind, failed or stopped, and `error` why, where not running.
    """

    name: str
    state: str
    error: str
    policy: str
    delivered: int
    applied: int
    no_ops: int
    queued: int
    discarded: int
    depth: int
    bytes: int
    capacity: int
    oldest: float
    restarts: int
    version: int
    epoch: str
    offset: int
    tables: tuple[str, ...]
    views: Mapping[str, RuntimeView]


@attrs.frozen
class RuntimeStatistics:
    """A runtime. Changes: `received` = `accepted` + `refused` + `duplicates`; `unrouted` row changes reached nobody.

    `waiting` batches are parked; `fell_open` batches were routed to every reader because the strategy failed.
    `hung` calls of a strategy or a policy gave no answer in time and were interrupted.
    """

    offset: int
    received: int
    accepted: int
    refused: int
    duplicates: int
    unrouted: int
    waiting: int
    strategy: str
    fell_open: int
    tables: Mapping[str, int]
    circuits: Mapping[str, CircuitCounters]
    hung: int = 0


def views_of(worker: Worker) -> dict[str, RuntimeView]:
    """A circuit's views. Cost: O(views)."""
    return {view: view_of(worker, view) for view in worker.lane.views}


def view_of(worker: Worker, view: str) -> RuntimeView:
    """One view of a circuit."""
    registration = worker.lane.views[view]
    state = "failed" if registration.failed is not None else "live" if registration.live else "registering"
    held = worker.stage.circuit.views.get(view)
    counters = None if held is None else held.statistics
    return RuntimeView(
        view, worker.lane.name, state,
        registration.query if isinstance(registration.query, str) else None,
        registration.params, () if held is None else held.columns, tuple(sorted(registration.tables)),
        registration.pinned, worker.stage.watchers(view),
        0 if counters is None else counters.rows, 0 if counters is None else counters.version,
        0 if counters is None else counters.advances, 0 if counters is None else counters.rehydrates,
        0 if counters is None else counters.expression_nulls, 0 if counters is None else counters.updates,
        0 if counters is None else counters.rows_touched, 0 if counters is None else counters.probes,
        0 if counters is None else counters.trips,
    )  # fmt: skip


def circuit_of(worker: Worker, now: float) -> CircuitCounters:
    """One circuit. Cost: O(views)."""
    lane, mailbox, circuit = worker.lane, worker.lane.mailbox, worker.stage.circuit
    queue = mailbox.statistics()
    return CircuitCounters(
        lane.name, lane.state.value, "" if lane.running or lane.error is None else str(lane.error), lane.policy_name,
        mailbox.delivered, mailbox.applied, mailbox.no_ops, mailbox.queued, mailbox.discarded,
        queue.depth, queue.size, queue.capacity, 0.0 if queue.oldest is None else now - queue.oldest,
        lane.restarts.count, circuit.version, circuit.epoch, mailbox.offset, tuple(sorted(lane.tables)),
        views_of(worker),
    )  # fmt: skip
