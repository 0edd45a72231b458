"""Anything at any moment: producers, views, readers, failures and circuits, mixed; then every view is recomputed.

Each example is a script drawn by hypothesis, run under trio's own scheduler (whose choices hypothesis seeds too), with
a clock that jumps. After it all, once settled, every view of every circuit equals its plan over the base tables, and
every reader, believing only snapshots and updates, has the same.
"""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from sspcore.errors import AlreadyExists, ChangeRejected, CircuitFailed, Closed, Full, UnknownCircuit, UnknownView
from sspcore.ingress import walk
from sspcore.testing.oracle import expect_value
from sspcore.testing.strategies import scenarios
from tests.profiles import scaled
from tests.runtime.tools import Reader, balanced, fail, judge, open_test

STORY = (ChangeRejected, Full, AlreadyExists, UnknownView, UnknownCircuit, CircuitFailed, Closed)
"""What may be answered when others act at the same time; anything else is a fault."""

circuits = st.sampled_from(("main", "ops"))
views = st.sampled_from(("v0", "v1", "v2"))
steps = st.one_of(
    st.tuples(st.just("ingest"), st.integers(0, 20), st.booleans()),
    st.tuples(st.just("ingest"), st.integers(0, 20), st.booleans()),
    st.tuples(st.just("register"), circuits, views),
    st.tuples(st.just("register"), circuits, views),
    st.tuples(st.just("unregister"), circuits, views),
    st.tuples(st.just("watch"), circuits, views),
    st.tuples(st.just("leave"), st.integers(0, 5)),
    st.tuples(st.just("fail"), circuits),
    st.tuples(st.just("cancel"), st.integers(0, 5)),
    st.tuples(st.just("destroy"), st.booleans()),
    st.tuples(st.just("create"),),
    st.tuples(st.just("pause"), st.integers(1, 8)),
    st.tuples(st.just("sleep"), st.floats(0.01, 1)),
)  # fmt: skip


class Story:
    """A script at work: whatever can be started is started, without waiting for it."""

    def __init__(self, runtime, scenario, nursery):
        self.runtime, self.scenario, self.nursery = runtime, scenario, nursery
        self.scopes = []
        self.unfinished = 0
        self.readers = {}
        self.batches = iter(scenario.history)

    async def step(self, event, *arguments):
        await getattr(self, f"_{event}")(*arguments)

    def start(self, call):
        scope = trio.CancelScope()
        self.scopes.append(scope)
        self.nursery.start_soon(self._run, scope, call)

    async def _run(self, scope, call):
        self.unfinished += 1
        with scope, suppress(STORY):
            await call()
        self.unfinished -= 1

    async def _ingest(self, _, queued):
        batch = next(self.batches, None)
        if batch is not None:
            self.start(lambda: self.runtime.ingest(batch, ack="queued" if queued else "applied"))

    async def _register(self, circuit, view):
        found = self.scenario.views[view]
        self.start(lambda: self.runtime.register(view, found.plan, found.params, circuit=circuit))

    async def _unregister(self, circuit, view):
        self.start(lambda: self.runtime.unregister(view, circuit=circuit))

    async def _watch(self, circuit, view):
        self.start(lambda: self._read(circuit, view))

    async def _read(self, circuit, view):
        async with self.runtime.subscribe(view, circuit=circuit) as subscription:
            reader = Reader(subscription)
            self.readers[reader] = (circuit, view)
            try:
                while True:
                    await reader.next()
                    await trio.lowlevel.checkpoint()
            except trio.EndOfChannel:
                pass
            finally:
                del self.readers[reader]

    async def _leave(self, number):
        if self.scopes:
            self.scopes[number % len(self.scopes)].cancel()

    _cancel = _leave

    async def _fail(self, circuit):
        if circuit in self.runtime.circuits and self.runtime.circuits[circuit].state == "running":
            fail(self.runtime, circuit)

    async def _destroy(self, graceful):
        self.start(lambda: self.runtime.destroy_circuit("ops", graceful))

    async def _create(self):
        self.start(lambda: self.runtime.create_circuit("ops"))

    async def _pause(self, rounds):
        for _ in range(rounds):
            await trio.lowlevel.checkpoint()

    async def _sleep(self, seconds):
        await trio.sleep(seconds)


@asynccontextmanager
async def told(config, scenario, script, kind=Story, **more):
    """A runtime of two circuits after a story: every step of the script, every batch, and time for all that waits."""
    async with trio.open_nursery() as nursery, open_test(config, **more) as runtime:
        await runtime.create_circuit("ops")
        story = kind(runtime, scenario, nursery)
        for step in script:
            await story.step(*step)
            balanced(runtime)
        for batch in story.batches:
            story.start(lambda batch=batch: runtime.ingest(batch))
        await trio.sleep(60)  # everything that waits for room, a backoff or a walk has had its turn
        await runtime.settle()
        yield story
        balanced(runtime)
        nursery.cancel_scope.cancel()


def asking(queries, history):
    """A scenario of views in SQL."""
    return SimpleNamespace(
        history=history, views={view: SimpleNamespace(plan=text, params=None) for view, text in queries.items()}
    )


async def tell(scenario, script, config):
    async with told(config, scenario, script, schemas=scenario.schemas) as story:
        runtime = story.runtime
        with trio.move_on_after(1):
            await trio.sleep_forever()  # readers read
        assert 0 == runtime.statistics().waiting
        assert len(story.readers) == story.unfinished, "everybody else has an answer"
        judge(runtime)
        base = runtime._registry.base.tables
        for reader, (circuit, view) in story.readers.items():
            bound = runtime._workers[circuit].stage.circuit.view(view).bound
            expect_value(reader.mirror.keys, reader.mirror.rows(), bound, base, f"a reader of {view}")
        for worker in runtime._workers.values():
            assert set(worker.lane.tables) >= worker.lane.needed()


@pytest.mark.parametrize("strategy", ["broadcast", "dependency", "predicate"])
@scaled(2)
@given(
    scenario=scenarios(views=3, batches=8, scans=3),
    script=st.lists(steps, min_size=5, max_size=40),
    capacity=st.sampled_from((1, 3, 10_000)),
    policy=st.sampled_from(("block", "drop_with_error")),
    slice=st.sampled_from((1, 3, 512)),
)
def test_whatever_happens_views_are_right_once_it_is_over(strategy, scenario, script, capacity, policy, slice):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    config = {
        "routing": {"strategy": strategy},
        "backpressure": {"capacity": capacity, "policy": policy},
        "ingress": {"strict": False},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "SLICE", slice)
        trio.run(tell, scenario, script, config, clock=MockClock(autojump_threshold=0))
