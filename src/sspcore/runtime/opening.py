"""Opening and closing a runtime: set up from a configuration, drained at the end, the body's exception bare.

Owns the order of both. Refuses to know what circuits do in between.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import trio

from sspcore.config import Config, load_config
from sspcore.engine.schema import Schema
from sspcore.errors import ConfigError, SspError
from sspcore.ingress.registry import Registry
from sspcore.plugins import Plugins
from sspcore.runtime.environment import Environment
from sspcore.runtime.rerouting import router_of
from sspcore.runtime.runtime import DEFAULT, Runtime
from sspcore.runtime.watchdog import Watchdog

DRAIN: Final = 10.0
"""Seconds that circuits get, at the end, for what is queued. Full queues take well under one."""


@asynccontextmanager
async def open_runtime(
    config: Config | Mapping[str, Any] | str | Path | None = None, *, schemas: Iterable[Schema] = (),
    plugins: Iterable[object] = (),
) -> AsyncIterator[Runtime]:  # fmt: skip
    """A runtime for the length of an `async with` block, with a circuit "main".

    Args: `config`, a Config, a mapping of the same form, or the path of a TOML file; `schemas`, declared tables
    (tables nobody declares are open: any column, key `id`); `plugins`, modules or objects that offer routing strategies
    or backpressure policies.
    Raises ConfigError or PluginError at the start. An exception of the block leaves it as it is, not in a group; then
    what is queued is given up. Left otherwise, what is queued is applied, subscriptions get it and end.

    >>> import trio
    >>> from sspcore.engine.change import upsert
    >>> async def main():
    ...     async with open_runtime() as runtime:
    ...         await runtime.register("late", "SELECT id FROM flights WHERE delay > $m", {"m": 60})
    ...         await runtime.ingest([upsert("flights", "AA1", {"delay": 75})])
    ...         return await runtime.rows("late")
    >>> trio.run(main)
    [('AA1',)]
    """
    async with open_with(Environment(), config, schemas=schemas, plugins=plugins) as runtime:
        yield runtime


@asynccontextmanager
async def open_with(
    environment: Environment, config: Config | Mapping[str, Any] | str | Path | None = None, *,
    schemas: Iterable[Schema] = (), plugins: Iterable[object] = (),
) -> AsyncIterator[Runtime]:  # fmt: skip
    """`open_runtime` with a clock, chance and epochs of one's own."""
    settings = load_config(config)
    offered = Plugins(plugins, settings.plugins.load)
    watchdog = Watchdog(settings.routing.patience)
    router = router_of(offered, watchdog, settings.routing.strategy, settings.routing.options)
    registry = Registry(router, settings.ingress.options())
    for schema in (*settings.tables, *(s for circuit in settings.circuits for s in circuit.schemas), *schemas):
        registry.declare(schema)
    failure: BaseException | None = None
    watchdog.start()
    try:
        async with trio.open_nursery() as nursery:
            runtime = Runtime(
                nursery, registry, offered, settings.backpressure, environment, watchdog, settings.clock.tick
            )
            try:
                await _set_up(runtime, settings)
                yield runtime
                await runtime._drain(DRAIN)
            except BaseException as error:  # noqa: BLE001 - raised again below, outside the nursery that would wrap it
                failure = error
            runtime._end()
            nursery.cancel_scope.cancel()
    except BaseException:
        if failure is None or isinstance(failure, trio.Cancelled):
            raise
    finally:
        watchdog.stop()
    if failure is not None:
        raise failure


async def run_runtime(
    config: Config | Mapping[str, Any] | str | Path | None = None, *, schemas: Iterable[Schema] = (),
    plugins: Iterable[object] = (), task_status: trio.TaskStatus[Runtime] = trio.TASK_STATUS_IGNORED,
) -> None:  # fmt: skip
    """A runtime as a task, until cancelled: `runtime = await nursery.start(sspcore.run_runtime, config)`.

    Args and errors as `open_runtime`'s.
    """
    async with open_runtime(config, schemas=schemas, plugins=plugins) as runtime:
        task_status.started(runtime)
        await trio.sleep_forever()


async def _set_up(runtime: Runtime, settings: Config) -> None:
    names = [circuit.name for circuit in settings.circuits]
    if DEFAULT not in names:
        runtime._create(DEFAULT)
    for at, circuit in enumerate(settings.circuits):
        place = f"$.circuit[{at}]"
        try:
            runtime._create(circuit.name, circuit.policy, circuit.capacity, circuit.max_bytes, circuit.options or None)
            for number, view in enumerate(circuit.views):
                place = f"$.circuit[{at}].views[{number}]"
                await runtime.register(view.id, view.sql, view.params, circuit=circuit.name, lazy=view.lazy)
        except SspError as error:
            raise ConfigError(f"{error} @ {place}") from error
