"""The supervisor of one circuit: when its task fails, the circuit is derived anew; when it fails too often, it is left.

Owns the order of falling behind, backing off and coming back. Nothing a circuit does stops another one, or the runtime.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import trio

from sspcore.engine.options import CircuitOptions
from sspcore.errors import CircuitFailed, Closed
from sspcore.ingress.refill import refill
from sspcore.runtime.circuit_task import Ask, Install, Worker
from sspcore.runtime.environment import Environment

log = logging.getLogger("sspcore.runtime")


async def supervise(worker: Worker, environment: Environment, options: Callable[[], CircuitOptions]) -> None:
    """Run a circuit's task until it is stopped, failures and all. `options` are those of a circuit derived anew."""
    lane = worker.lane
    try:
        with worker.scope:
            while True:
                try:
                    await worker.work()
                    return
                except Exception as error:
                    log.exception("circuit %r failed and is behind", lane.name)
                    _fall_behind(worker, error)
                if not await _come_back(worker, environment, options):
                    await trio.sleep_forever()  # failed for good: until destroyed
    finally:
        worker.stopping = True
        lane.stop()
        _answer_the_rest(worker, Closed(f"circuit {lane.name!r} was destroyed"))
        worker.stage.close(f"circuit {lane.name!r} was destroyed")
        worker.admission.room(lane.name)
        worker.done.set()


def _fall_behind(worker: Worker, error: Exception) -> None:
    taken, worker.taken = worker.taken, ()
    worker.late = False
    worker.lane.fall_behind(error, taken)
    worker.stage.lose()
    worker.admission.room(worker.lane.name)


async def _come_back(worker: Worker, environment: Environment, options: Callable[[], CircuitOptions]) -> bool:
    """Back off and refill, until that works (True) or has failed too often (False)."""
    lane = worker.lane
    while True:
        wait = lane.restarts.failed(environment.now(), environment.chance())
        if wait is None:
            error = CircuitFailed(
                f"circuit {lane.name!r} failed too often: {lane.error!r}", hint="destroy it and create it again"
            )
            log.error("%s", error)
            lane.fail(error)
            worker.stage.close(error.message, error)
            _answer_the_rest(worker, error)
            return False
        await trio.sleep(wait)
        try:
            derive(worker, environment, options)
        except Exception as error:
            log.exception("circuit %r could not be refilled", lane.name)
            lane.error = error
            continue
        return True


def derive(worker: Worker, environment: Environment, options: Callable[[], CircuitOptions]) -> None:
    """Make a circuit that is behind anew, from base tables and registrations, and go on with it."""
    lane = worker.lane
    circuit = refill(lane, worker.registry.base, options(), environment.clock())
    worker.stage.adopt(circuit, {v.view: v.failed for v in lane.views.values() if v.failed is not None})
    lane.refilled()


def _answer_the_rest(worker: Worker, error: Exception) -> None:
    """Nobody will obey what is still queued, nor install what is still on its way."""
    for command in worker.lane.mailbox.commands():
        if isinstance(command, Ask | Install):
            command.reply.fail(error)
    for reply in worker.installing.values():
        reply.fail(error)
    worker.installing.clear()
