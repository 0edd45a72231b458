"""Strategies put in force: at the start, and another one while circuits are at work.

Owns what surrounds a strategy in a runtime: its guard, its patience, who hears of its faults and differences.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sspcore.engine.options import CircuitOptions
from sspcore.ingress.lane import State
from sspcore.ingress.registry import Registry
from sspcore.plugins import Plugins
from sspcore.routing.guard import Guard
from sspcore.routing.shadow import Shadow
from sspcore.runtime.circuit_task import Derive, Worker
from sspcore.runtime.environment import Environment
from sspcore.runtime.supervisor import derive
from sspcore.runtime.watchdog import STRATEGY, Watchdog

log = logging.getLogger("sspcore.runtime")


def router_of(plugins: Plugins, watchdog: Watchdog, name: str, options: Mapping[str, Any]) -> Guard:
    """A strategy by name, guarded. Raises ConfigError or PluginError."""
    strategy = plugins.strategy(name, options)
    if isinstance(strategy, Shadow) and strategy.report is None:
        strategy.report = partial(log.warning, "routing strategies differ: %s")
    router = Guard(watchdog.over(strategy, f"routing strategy {name!r}", STRATEGY), name)
    router.on_fault = log.error
    return router


def reroute(
    registry: Registry, workers: Mapping[str, Worker], router: Guard, environment: Environment,
    options: Callable[[], CircuitOptions],
) -> list[Worker]:  # fmt: skip
    """Have another strategy route from now on; circuits that would hold other rows are derived anew in their turn.

    Gives these. Raises PluginError: then nothing happened.
    """
    changed = [workers[lane.name] for lane in registry.reroute(router)]
    for worker in changed:
        worker.late = False
        worker.lane.mailbox.urge(Derive(partial(_derive, worker, environment, options)))
        worker.admission.room(worker.lane.name)
    return changed


def _derive(worker: Worker, environment: Environment, options: Callable[[], CircuitOptions]) -> None:
    if worker.lane.state is State.BEHIND:  # it may have failed meanwhile, and come back
        derive(worker, environment, options)
