"""One strategy on one workload, through the public runtime: set up, streamed, checked, and only then believed.

Owns the order: what is timed, what is counted, what is compared. Time is the processor's, so that neighbours on a busy
machine count little; a segment of the stream is one repeat.
"""

from __future__ import annotations

import gc
import statistics
import tracemalloc
from collections.abc import Mapping, Sequence
from time import process_time
from typing import Any

import attrs
import trio

import sspcore
from benchmarks.routing.oracle import Holds, Oracle
from benchmarks.routing.workloads import Views, Workload
from sspcore.abc import Resolved
from sspcore.errors import ChangeRejected, ConfigError, PluginError, SspError
from sspcore.plugins import Plugins
from sspcore.runtime.runtime import Runtime

SEGMENTS = 10
MiB = 2.0**20


@attrs.frozen
class Measurement:
    """What one strategy did on one workload.

    Attributes: `status`, ok, wrong, unsuited or failed, and `note` why; `least`, `middle`: seconds of processor per
    change, the best and the median of the segments; `changes` in the time taken; `delivered`, row changes that reached
    a circuit; `wasted` of these, that no view of it is interested in; `setup`: seconds until all views are live;
    `churn`: seconds for a view that comes and goes; `memory`: bytes traced, all circuits, rows and views.
    """

    workload: str
    strategy: str
    status: str
    note: str = ""
    least: float | None = None
    middle: float | None = None
    segments: int = 0
    changes: int = 0
    delivered: int = 0
    wasted: int = 0
    setup: float | None = None
    churn: float | None = None
    memory: int | None = None
    shares: bool = False


def measure(
    workload: Workload, strategy: str, options: Mapping[str, Any] | None, seconds: float, memory: bool = True
) -> Measurement:
    """Run one strategy. `options` None: it has no place here. `seconds`: of streaming, about, at least one segment."""
    if options is None:
        return Measurement(workload.name, strategy, "unsuited", "it has no place here")
    config = {"routing": {"strategy": strategy, **options}, "plugins": {"load": ["*"]}}
    try:
        Plugins(load=["*"]).strategy(strategy, options)
    except (ConfigError, SspError) as error:
        return Measurement(workload.name, strategy, "unsuited", f"needs options: {error.message}")
    try:
        run = trio.run(_run, workload, config, seconds)
        fault = _check(workload, strategy, options, run)
    except (ChangeRejected, PluginError) as error:  # a partition has no home for a row; of others nobody expects that
        suited = "failed" if _holds(workload, strategy, options) is None else "unsuited"
        return Measurement(workload.name, strategy, suited, error.message)
    except Exception as error:  # noqa: BLE001 - a third party's strategy may do anything; the others are still measured
        return Measurement(workload.name, strategy, "failed", f"{type(error).__name__}: {error}")
    if fault:
        where = _first_wrong(workload, strategy, options, config, run.batches)
        return Measurement(workload.name, strategy, "wrong", where or fault)
    holds = _holds(workload, strategy, options)
    needed = Oracle(workload).needed(run.batches, holds)
    return Measurement(
        workload.name, strategy, "ok", "", min(run.segments), statistics.median(run.segments), len(run.segments),
        run.changes, run.delivered, max(0, run.delivered - needed), run.setup, run.churn,
        trio.run(_traced, workload, config) if memory else None, holds is not None,
    )  # fmt: skip


@attrs.define
class _Run:
    setup: float = 0.0
    segments: list[float] = attrs.field(factory=list)
    batches: int = 0
    changes: int = 0
    delivered: int = 0
    churn: float | None = None
    shown: dict[tuple[str, str], list[Any]] = attrs.field(factory=dict)


async def _run(workload: Workload, config: Mapping[str, Any], seconds: float) -> _Run:
    run, churned = _Run(), 0.0
    async with sspcore.open_runtime(config, schemas=workload.schemas) as runtime:
        start = process_time()
        await _set_up(runtime, workload)
        run.setup = process_time() - start
        before = _delivered(runtime)
        size = max(1, len(workload.stream) // SEGMENTS)
        gc.collect()
        for at in range(0, len(workload.stream) - size + 1, size):
            segment, busy = workload.stream[at : at + size], 0.0
            for n, batch in enumerate(segment, at):
                start = process_time()
                await runtime.ingest(batch, ack="queued")
                busy += process_time() - start
                if workload.churn:
                    churned += await _come_and_go(runtime, workload.churn, n)
            start = process_time()
            await runtime.settle()
            busy += process_time() - start
            count = sum(map(len, segment))
            run.segments.append(busy / count)
            run.batches, run.changes = at + size, run.changes + count
            if sum(run.segments) * count > seconds:
                break
        run.delivered = _delivered(runtime) - before
        if workload.churn:
            run.churn = churned / run.batches
        run.shown = await _shown(runtime, workload.views)
        live = workload.churn[max(0, run.batches - 1) : run.batches]
        run.shown |= await _shown(runtime, live)
    return run


async def _set_up(runtime: Runtime, workload: Workload) -> None:
    """Rows before views, so that every view is filled from what there is."""
    for name in workload.circuits:
        if name not in runtime.circuits:
            await runtime.create_circuit(name)
    for batch in workload.rows:
        await runtime.ingest(batch)
    for circuit, view, sql, params in workload.views:
        await runtime.register(view, sql, params, circuit=circuit)
    await runtime.settle()


async def _come_and_go(runtime: Runtime, churn: Views, n: int) -> float:
    """A view comes, the one before it goes; the seconds it takes."""
    start = process_time()
    circuit, view, sql, params = churn[n]
    await runtime.register(view, sql, params, circuit=circuit)
    if n:
        circuit, view, *_ = churn[n - 1]
        await runtime.unregister(view, circuit=circuit)
    return process_time() - start


def _delivered(runtime: Runtime) -> int:
    return sum(circuit.delivered for circuit in runtime.statistics().circuits.values())


async def _shown(runtime: Runtime, views: Views) -> dict[tuple[str, str], list[Any]]:
    return {(circuit, view): await runtime.rows(view, circuit=circuit) for circuit, view, *_ in views}


async def _traced(workload: Workload, config: Mapping[str, Any]) -> int:
    """Bytes of a runtime that is set up."""
    async with sspcore.open_runtime(config, schemas=workload.schemas) as runtime:
        gc.collect()
        tracemalloc.start()
        try:
            await _set_up(runtime, workload)
            gc.collect()
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()


def _check(workload: Workload, strategy: str, options: Mapping[str, Any], run: _Run) -> str:
    oracle = Oracle(workload)
    oracle.advance(run.batches)
    views = [*workload.views, *workload.churn[max(0, run.batches - 1) : run.batches]]
    return oracle.wrong(run.shown, views, _holds(workload, strategy, options))


def _holds(workload: Workload, strategy: str, options: Mapping[str, Any]) -> Holds | None:
    """Who holds a row, as a strategy of the same kind says, told of the same circuits; None: whoever needs it."""
    made = Plugins(load=["*"]).strategy(strategy, options)
    for circuit in dict.fromkeys(["main", *workload.circuits]):
        made.circuit_added(circuit)
    if hasattr(made, "watches"):  # who holds what is data: it must know the rows that say it
        columns = {schema.table: schema.names for schema in workload.schemas}
        rows = Oracle(workload).tables
        made.admitted([
            Resolved(name, key, None, row, columns[name])
            for name, table in rows.items() if made.watches(name) for key, row in table.rows.items()
        ])  # fmt: skip
    found: Holds | None = getattr(made, "holds", None)
    return found


def _first_wrong(
    workload: Workload, strategy: str, options: Mapping[str, Any], config: Mapping[str, Any], batches: int
) -> str:
    """The change after which a view is wrong: the stream again, one change at a time, looking after each."""
    return str(trio.run(_search, workload, _holds(workload, strategy, options), config, batches))


async def _search(workload: Workload, holds: Holds | None, config: Mapping[str, Any], batches: int) -> str:
    flat = [[change] for batch in workload.stream[:batches] for change in batch]
    alone = attrs.evolve(workload, stream=flat, churn=())
    oracle = Oracle(alone)
    async with sspcore.open_runtime(config, schemas=workload.schemas) as runtime:
        await _set_up(runtime, alone)
        for n, batch in enumerate([[], *flat]):
            if n:
                await runtime.ingest(batch)
                await runtime.settle()
            oracle.advance(n)
            fault = oracle.wrong(await _shown(runtime, alone.views), alone.views, holds)
            if fault:
                return f"after {_told(batch, n)}: {fault}"
    return ""


def _told(batch: Sequence[Any], n: int) -> str:
    return f"change {n} ({batch[0].op} {batch[0].table} {batch[0].id!r})" if n else "the views were registered"
