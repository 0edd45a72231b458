"""What the tests of the runtime share: a runtime whose chance is fixed, a reader that trusts nothing, a way to fail."""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import count

import trio

from sspcore.backpressure.mailbox import Batch
from sspcore.routing.ledger import meets
from sspcore.runtime.environment import Environment
from sspcore.runtime.opening import open_with
from sspcore.testing.oracle import Mirror, expect_value

LATE = "SELECT carrier, count(*) AS n FROM flights WHERE delay > 60 GROUP BY carrier"
ALL = "SELECT id, carrier, delay FROM flights"
WORST = "SELECT id, delay FROM flights ORDER BY delay DESC LIMIT 2"


def open_test(config=None, *, chance=lambda: 0.5, **more):
    """A runtime as `open_runtime` opens it; backoffs are half of what they may be, epochs are e1, e2, …"""
    numbers = count(1)
    return open_with(Environment(chance=chance, epoch=lambda: f"e{next(numbers)}"), config, **more)


def fail(runtime, circuit="main"):
    """Hand a circuit something its tables refuse: its task raises when it comes to it."""
    runtime._workers[circuit].lane.mailbox.put(Batch([("no such table", 1, (1,))]))


class stall:
    """Hold a circuit between two commits, as a long step would, until `release`."""

    def __init__(self, runtime, circuit="main"):
        self._worker = runtime._workers[circuit]
        self._worker.lane.mailbox.take = lambda: None

    def release(self):
        del self._worker.lane.mailbox.take
        self._worker._parking.wake()


class Reader:
    """Follows a subscription with a mirror that checks every promise of its updates."""

    def __init__(self, subscription):
        self.subscription = subscription
        self.mirror = Mirror(subscription.snapshot)
        self.updates = []

    async def next(self):
        return self._apply(await self.subscription.receive())

    def catch_up(self):
        """Take what there is."""
        while True:
            try:
                self._apply(self.subscription.receive_nowait())
            except trio.WouldBlock:
                return

    def _apply(self, update):
        assert self.mirror.version == update.from_version, "updates chain, across resets too"
        self.mirror.apply(update)
        self.updates.append(update)
        return update


def judge(runtime, *readers):
    """Everything settled: each view of each circuit that runs equals its plan over the base tables; readers agree."""
    base = runtime._registry.base.tables
    for name, worker in runtime._workers.items():
        if not worker.lane.running:
            continue
        held = worker.stage.circuit
        for view_id, registration in worker.lane.views.items():
            assert registration.live, f"{view_id} of {name} is not live: {registration.failed!r}"
            view = held.view(view_id)
            expect_value(view.keys(), view.rows(), view.bound, base, f"view {view_id!r} of {name!r}")
        for table in held.tables.values():
            if table.schema.table in worker.lane.needed():
                _judge_held(runtime, worker.lane, table, base[table.schema.table])
    for reader in readers:
        reader.catch_up()
        view = runtime._workers["main"].stage.circuit.view(reader.subscription.view)
        expect_value(reader.mirror.keys, reader.mirror.rows(), view.bound, base, "a reader")


def _judge_held(runtime, lane, held, base):
    """Held = current; of a table the strategy selects from exactly what views want, once nothing is under way."""
    table = held.schema.table
    if not runtime._registry.router.selects(table):
        assert base.rows == held.rows, "held = current"
        return
    assert held.rows.items() <= base.rows.items(), "held = current"
    if not lane.occupied:
        told = [view.interests[table] for view in lane.views.values() if table in view.interests]
        wanted = {key: row for key, row in base.rows.items() if any(meets(interest, row) for interest in told)}
        assert wanted == held.rows, "held = wanted"


def balanced(runtime):
    """The accounting identities, which hold whenever no step is running."""
    figures = runtime.statistics()
    assert figures.received == figures.accepted + figures.refused + figures.duplicates
    for c in figures.circuits.values():
        assert c.delivered == c.applied + c.no_ops + c.queued + c.discarded, c


@asynccontextmanager
async def reading(runtime, view, params=None, **more):
    """A Reader of a view."""
    async with runtime.subscribe(view, params, **more) as subscription:
        yield Reader(subscription)
