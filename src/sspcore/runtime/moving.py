"""Parameters and time at work: a view's parameters moved in turn with everything else, and the task that tells time.

Owns when circuits are told the time. What moves then is the circuit's to know (`engine/moving`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import trio

from sspcore.delivery.stage import Stage
from sspcore.engine.update import ViewUpdate
from sspcore.errors import SspError, UsageError
from sspcore.ingress.lane import Advance, Registration
from sspcore.runtime.circuit_task import Ask, Worker
from sspcore.runtime.environment import Environment
from sspcore.runtime.parking import Reply


async def rebind(worker: Worker, registration: Registration, params: Mapping[str, Any]) -> ViewUpdate:
    """Move a view's parameters, after everything admitted before. Raises what the circuit raises, CircuitFailed.

    The rows it needs under the new ones are brought first. The registration moves with the circuit, in the same step:
    what is derived anew later is what readers saw. One move of a view waits for another, also for one nobody waits for.
    """
    if not registration.named:
        raise UsageError(
            f"view {registration.view!r} is shared by all who subscribe to its query with its parameters",
            hint="register it under a name, or subscribe with own=True",
        )
    lane, moving = worker.lane, worker.moving
    while (earlier := moving.get(registration)) is not None and not earlier.done:
        with suppress(SspError):
            await earlier.wait()
    worker.require()
    promise = worker.registry.promise(lane, registration, params)
    reply: Reply[ViewUpdate] = Reply()
    moving[registration] = reply

    def move(stage: Stage) -> ViewUpdate:
        kept = False
        try:
            update = stage.rebind(registration.view, promise.params)
            held = stage.circuit.view(registration.view).params
            registration.params = {name: held[name] for name in registration.params}
            kept = True
        finally:
            del moving[registration]
            worker.registry.working.moved(lane, promise, kept)
        return update

    worker.behind(promise.walks, lambda: lane.mailbox.command(Ask(move, reply)))
    return await reply.wait()


class Clock:
    """Tells the circuits the time: those with a view that reads it, and none before there is one."""

    def __init__(self, environment: Environment, tick: float, workers: Mapping[str, Worker]) -> None:
        self._environment = environment
        self._tick = tick
        self._workers = workers
        self._wanted = trio.Event()

    def tell(self, worker: Worker) -> None:
        """Tell one circuit the time now, ahead of a view that is about to read it; from now on time passes."""
        worker.lane.mailbox.command(Advance(self._environment.clock()))
        self._wanted.set()

    async def run(self) -> None:
        """Tell the time every so often, to circuits that have heard the last one."""
        while True:
            await self._wanted.wait()
            await trio.sleep(self._tick)
            timed = [w for w in self._workers.values() if any(view.timed for view in w.lane.views.values())]
            if not timed:
                self._wanted = trio.Event()
            for worker in timed:
                if worker.lane.running and not worker.late:
                    worker.late = True
                    worker.lane.mailbox.command(Advance(self._environment.clock()))
