"""A runtime's beginning and end: configured, drained, and never in the way of an exception."""

# ruff: noqa: PT012 - what a whole block lets out is the point here

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import sspcore
from sspcore import Schema, open_runtime, run_runtime, upsert
from sspcore.abc import Accept, Refuse
from sspcore.errors import AlreadyExists, ChangeRejected, Closed, ConfigError, PluginError
from tests.runtime.tools import ALL, LATE, open_test, stall

CONFIG = """
[routing]
strategy = "broadcast"

[backpressure]
policy = "drop_with_error"
capacity = 50
least_retry = 0.5

[ingress]
strict = false

[[table]]
name = "flights"
columns = {carrier = "text", delay = "integer"}

[[circuit]]
name = "ops"
policy = "block"
capacity = 7
options = {deadline = 2.5}
views = [
  {id = "late", sql = "SELECT id FROM flights WHERE delay > $m", params = {m = 60}},
]

[[circuit]]
name = "main"
capacity = 3
"""


async def test_everything_in_a_file_takes_effect(tmp_path, autojump_clock):
    path = tmp_path / "sspcore.toml"
    path.write_text(CONFIG)
    async with open_runtime(path) as runtime:
        figures = runtime.statistics()
        assert "broadcast" == figures.strategy
        assert {"ops", "main"} == set(runtime.circuits)
        assert ("block", 7) == (figures.circuits["ops"].policy, figures.circuits["ops"].capacity)
        assert ("drop_with_error", 3) == (figures.circuits["main"].policy, figures.circuits["main"].capacity)
        await runtime.ingest(sspcore.update("flights", 1, {"delay": 75}))
        assert [(1,)] == await runtime.rows("late", circuit="ops")
        with pytest.raises(ChangeRejected, match="integer"):
            await runtime.ingest(upsert("flights", 1, {"delay": "long"}))


async def test_no_configuration_is_a_circuit_main_with_the_defaults(autojump_clock):
    async with open_runtime() as runtime:
        figures = runtime.statistics()
        assert ["main"] == list(figures.circuits)
        assert ("dependency", "block", 10_000) == (
            figures.strategy,
            figures.circuits["main"].policy,
            figures.circuits["main"].capacity,
        )


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"routing": {"strategy": "telepathy"}}, r"unknown strategy 'telepathy' @ \$.routing.strategy"),
        ({"backpressure": {"policy": "blok"}}, r"unknown policy 'blok'"),
        ({"backpressure": {"dedline": 1}}, r"unknown key 'dedline' \(did you mean 'deadline'\?\)"),
        ({"circuit": [{"name": "a"}, {"name": "a"}]}, r"circuit 'a' exists.* @ \$.circuit\[1\]"),
        (
            {"circuit": [{"name": "a", "views": [{"id": "v", "sql": "SELECT FROM"}]}]},
            r"(?s)line 1.* @ \$.circuit\[0\].views\[0\]",
        ),
        ("nowhere.toml", "nowhere.toml: No such file"),
    ],
)
async def test_a_bad_configuration_says_where(config, message, autojump_clock):
    with pytest.raises(ConfigError, match=message):
        async with open_runtime(config):
            raise AssertionError("never")


async def test_a_table_declared_twice_must_be_declared_alike(autojump_clock):
    one, other = Schema("t", {"x": "text"}), Schema("t", {"x": "integer"})
    async with open_runtime(schemas=[one, one]) as runtime:
        assert {"t": one} == runtime.schemas
    with pytest.raises(AlreadyExists):
        async with open_runtime(schemas=[one, other]):
            raise AssertionError("never")


async def test_the_body_s_exception_leaves_bare(autojump_clock):
    fault = KeyError("mine")
    with pytest.raises(KeyError) as caught:
        async with open_runtime() as runtime:
            await runtime.register("all", ALL)
            raise fault
    assert caught.value is fault


async def test_the_body_s_cancellation_leaves_as_cancellation(autojump_clock):
    with trio.move_on_after(1) as scope:
        async with open_runtime() as runtime:
            await runtime.register("all", ALL)
            await trio.sleep_forever()
    assert scope.cancelled_caught


async def test_an_exception_amid_cancellation_leaves_bare(autojump_clock):
    with trio.CancelScope() as scope, pytest.raises(ValueError, match="mine"):
        async with open_runtime():
            scope.cancel()
            raise ValueError("mine")


async def test_leaving_applies_what_is_queued(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        for number in range(100):
            runtime.ingest_nowait(upsert("flights", number, {}))
        worker = runtime._workers["main"]
    assert (100, 0) == (worker.lane.mailbox.applied, worker.lane.mailbox.queued)


async def test_leaving_does_not_wait_for_ever(autojump_clock):
    """A circuit that is stuck gets ten seconds."""
    started = trio.current_time()
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        stall(runtime)
        runtime.ingest_nowait(upsert("flights", 1, {}))
    assert 10 == trio.current_time() - started


async def test_leaving_by_exception_gives_up_what_is_queued(autojump_clock):
    started = trio.current_time()
    with pytest.raises(KeyError):
        async with open_test() as runtime:
            await runtime.register("all", ALL)
            stall(runtime)
            worker = runtime._workers["main"]
            runtime.ingest_nowait(upsert("flights", 1, {}))
            raise KeyError
    assert started == trio.current_time()
    assert 1 == worker.lane.mailbox.discarded


async def test_who_waits_for_room_when_the_runtime_closes_is_told(autojump_clock):
    told = []

    async def produce(runtime):
        try:
            await runtime.ingest([upsert("flights", number, {}) for number in range(5)])
        except Closed as error:
            told.append(error)

    async with trio.open_nursery() as nursery, open_test({"backpressure": {"capacity": 1}}) as runtime:
        await runtime.register("all", ALL)
        stall(runtime)
        runtime.ingest_nowait(upsert("flights", 1, {}))
        nursery.start_soon(produce, runtime)
        await wait_all_tasks_blocked()
    assert 1 == len(told)


async def test_who_waits_for_an_answer_when_the_runtime_is_left_by_an_exception_is_told(autojump_clock):
    told = []

    async def ask(call):
        try:
            told.append(await call())
        except Closed as error:
            told.append(error)

    async with trio.open_nursery() as nursery:
        with pytest.raises(KeyError):
            async with open_test() as runtime:
                await runtime.register("all", ALL)
                stall(runtime)
                nursery.start_soon(ask, lambda: runtime.rows("all"))
                nursery.start_soon(ask, lambda: runtime.register("late", LATE))
                nursery.start_soon(ask, lambda: runtime.ingest(upsert("flights", 1, {})))
                await wait_all_tasks_blocked()
                raise KeyError
    assert ["Closed", "Closed", "Receipt"] == sorted(type(answer).__name__ for answer in told)


async def test_a_runtime_as_a_task(autojump_clock):
    async with trio.open_nursery() as nursery:
        runtime = await nursery.start(run_runtime, {"circuit": [{"name": "ops"}]})
        assert {"main", "ops"} == set(runtime.circuits)
        await runtime.ingest(upsert("flights", 1, {}))
        nursery.cancel_scope.cancel()
    with pytest.raises(Closed):
        runtime.ingest_nowait(upsert("flights", 2, {}))


async def test_a_task_that_cannot_start_says_why(autojump_clock):
    with pytest.raises(ExceptionGroup) as caught:
        async with trio.open_nursery() as nursery:
            await nursery.start(run_runtime, {"ruting": {}})
    assert caught.group_contains(ConfigError, match="did you mean 'routing'")


async def test_a_policy_object_serves_one_circuit(autojump_clock):
    class Evens:
        def admit(self, queue, changes, size, now):
            return Accept() if changes % 2 == 0 else Refuse(7.0)

    async with open_runtime() as runtime:
        await runtime.create_circuit("ops", policy=Evens())
        await runtime.register("all", ALL, circuit="ops")
        batch = [upsert("flights", number, {}) for number in range(3)]
        with pytest.raises(sspcore.errors.Full) as caught:
            await runtime.ingest(batch)
        assert 7.0 == caught.value.retry_after
        await runtime.ingest(batch[:2])
        assert 2 == len(await runtime.rows("all", circuit="ops"))


async def test_a_policy_that_breaks_accepts_nothing_and_is_named(autojump_clock):
    class Broken:
        def admit(self, queue, changes, size, now):
            return "perhaps" if changes == 1 else 1 / 0

    async with open_runtime() as runtime:
        await runtime.create_circuit("ops", policy=Broken())
        await runtime.register("all", ALL, circuit="ops")
        for batch, message in (([upsert("t", 1, {}), upsert("flights", 1, {})], "'perhaps'"), (
            [upsert("flights", 1, {}), upsert("flights", 2, {})], "ZeroDivisionError"
        )):  # fmt: skip
            with pytest.raises(PluginError, match=message) as caught:
                await runtime.ingest(batch)
            assert "policy 'Broken' of circuit 'ops'" in str(caught.value)
        assert (0, 4) == (runtime.statistics().offset, runtime.statistics().refused)
