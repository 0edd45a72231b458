"""A circuit fails: it alone is behind, is derived anew from the truth, and everyone concerned is told."""

from __future__ import annotations

import logging

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from sspcore import delete, hookimpl, upsert
from sspcore.abc import StrategySpec
from sspcore.errors import CircuitFailed, Closed
from sspcore.routing.dependency import Dependency
from tests.runtime.tools import ALL, LATE, WORST, balanced, fail, judge, open_test, reading, stall


def flights(*ids, delay=75, carrier="AA"):
    return [upsert("flights", i, {"carrier": carrier, "delay": delay}) for i in ids]


@pytest.fixture(autouse=True)
def quiet():
    """Failures are logged with their traceback; here they are meant."""
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("sspcore.runtime").setLevel(logging.NOTSET)


async def test_a_failed_circuit_comes_back_with_everything_and_says_so(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        await runtime.register("worst", WORST)
        async with reading(runtime, "all") as every, reading(runtime, "worst") as worst:
            await runtime.ingest(flights(1, 2))
            await every.next()
            fail(runtime)
            await wait_all_tasks_blocked()
            assert "behind" == runtime.circuits["main"].state
            receipt = await runtime.ingest(flights(3, delay=90))
            assert (("main",), {}) == (receipt.behind, receipt.versions)
            update = await every.next()
            assert update.reset and "e2" == update.epoch and "derived anew" in update.reason
            assert {1, 2, 3} == {row[0] for row in update.added}
            await worst.next()
            assert "running" == runtime.circuits["main"].state
            await runtime.ingest([*flights(4), delete("flights", 1)])
            judge(runtime, every, worst)
            assert 1 == runtime.circuits["main"].statistics().restarts
            balanced(runtime)


async def test_what_was_queued_is_given_up_and_comes_with_the_refill(autojump_clock):
    """And whoever waits for it is told that the circuit is behind."""
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        brake = stall(runtime)
        receipts = []

        async def produce(number):
            receipts.append(await runtime.ingest(flights(number)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(produce, 1)
            await wait_all_tasks_blocked()
            fail(runtime)
            nursery.start_soon(produce, 2)
            await wait_all_tasks_blocked()
            brake.release()
        assert [("main",), ("main",)] == [r.behind for r in receipts]
        await runtime.settle()
        assert {1, 2} == {row[0] for row in await runtime.rows("all")}
        balanced(runtime)
        assert 3 == runtime.circuits["main"].statistics().discarded


async def test_the_other_circuits_do_not_notice(autojump_clock):
    async with open_test() as runtime:
        await runtime.create_circuit("ops")
        await runtime.register("all", ALL)
        await runtime.register("all", ALL, circuit="ops")
        for number in range(60):
            if number % 20 == 0:
                fail(runtime, "ops")
            receipt = await runtime.ingest(flights(number))
            assert "main" in receipt.versions
        assert 60 == len(await runtime.rows("all"))
        assert "e1" == runtime.circuits["main"].epoch
        await runtime.settle()
        judge(runtime)
        balanced(runtime)


async def test_producers_never_wait_for_a_circuit_that_is_behind(autojump_clock):
    async with open_test({"backpressure": {"capacity": 1}}, chance=lambda: 1.0) as runtime:
        await runtime.register("all", ALL)
        brake = stall(runtime)
        runtime.ingest_nowait(flights(1))
        done = []

        async def produce():
            done.append(await runtime.ingest(flights(2)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(produce)
            await wait_all_tasks_blocked()
            fail(runtime)
            started = trio.current_time()
            brake.release()
            await wait_all_tasks_blocked()
            for number in range(3, 50):
                await runtime.ingest(flights(number))
            assert started == trio.current_time()
        assert 1 == len(done)
        await runtime.settle()
        judge(runtime)


async def test_questions_wait_for_the_refill(autojump_clock):
    async with open_test(chance=lambda: 1.0) as runtime:
        await runtime.register("all", ALL)
        await runtime.ingest(flights(1))
        fail(runtime)
        await wait_all_tasks_blocked()
        started = trio.current_time()
        assert 1 == len(await runtime.rows("all"))
        assert 0.1 == pytest.approx(trio.current_time() - started), "the first backoff"


async def test_views_can_come_and_go_while_their_circuit_is_behind(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        await runtime.register("worst", WORST)
        await runtime.ingest([*flights(1, 2), upsert("weather", 1, {"wind": 5})])
        async with reading(runtime, "worst") as reader:
            fail(runtime)
            await wait_all_tasks_blocked()
            await runtime.unregister("worst")
            snapshot = await runtime.register("wind", "SELECT id, wind FROM weather")
            assert [(1, 5)] == snapshot.rows
            with pytest.raises(trio.EndOfChannel):
                await reader.next()
        assert {"all", "wind"} == set(runtime.circuits["main"].views)
        await runtime.ingest([*flights(3), upsert("weather", 2, {"wind": 6})])
        judge(runtime)


async def test_backoff_doubles_and_too_many_failures_are_the_end(autojump_clock):
    """The sixth within a minute: failed, its readers told, questions refused, ingest not waiting; others go on."""
    async with open_test(chance=lambda: 1.0) as runtime:
        await runtime.create_circuit("ops")
        await runtime.register("all", ALL)
        await runtime.register("all", ALL, circuit="ops")
        async with reading(runtime, "all", circuit="ops") as reader:
            waits = []
            for _ in range(5):
                started = trio.current_time()
                fail(runtime, "ops")
                await wait_all_tasks_blocked()
                await runtime.rows("all", circuit="ops")
                waits.append(round(trio.current_time() - started, 6))
            assert [0.1, 0.2, 0.4, 0.8, 1.6] == waits
            fail(runtime, "ops")
            await wait_all_tasks_blocked()
            assert "failed" == runtime.circuits["ops"].state
            with pytest.raises(CircuitFailed, match="too often"):
                await reader.next()
        for question in (
            lambda: runtime.rows("all", circuit="ops"),
            lambda: runtime.register("late", LATE, circuit="ops"),
        ):
            with pytest.raises(CircuitFailed, match="destroy it and create it again"):
                await question()
        receipt = await runtime.ingest(flights(1))
        assert (("ops",), ["main"]) == (receipt.behind, list(receipt.versions))
        await runtime.settle()
        await runtime.destroy_circuit("ops")
        await runtime.create_circuit("ops")
        await runtime.register("all", ALL, circuit="ops")
        judge(runtime)
        balanced(runtime)


async def test_five_failures_an_hour_are_borne_for_ever(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        for number in range(30):
            fail(runtime)
            await trio.sleep(61)
            await runtime.ingest(flights(number))
        assert ("running", 30) == (runtime.circuits["main"].state, runtime.circuits["main"].statistics().restarts)
        judge(runtime)


async def test_a_reader_that_lags_over_a_failure_gets_one_reset(autojump_clock):
    """T63: whatever numbers the circuit counts by now, it is told all; and again when it was up to date."""
    async with open_test() as runtime:
        await runtime.register("worst", WORST)
        async with reading(runtime, "worst") as reader:
            await runtime.ingest(flights(1, 2))
            fail(runtime)
            await runtime.settle()
            await runtime.ingest(flights(3, delay=99))
            reader.catch_up()
            (update,) = reader.updates
            assert update.reset and [(3, 99), (1, 75)] == reader.mirror.rows()
            judge(runtime, reader)
            fail(runtime)
            await runtime.settle()
            reader.catch_up()
            again = reader.updates[-1]
            assert again.reset and again.epoch not in (update.epoch, reader.subscription.snapshot.epoch)
            judge(runtime, reader)


async def test_destroying_a_circuit_that_is_behind(autojump_clock):
    async with open_test(chance=lambda: 1.0) as runtime:
        await runtime.create_circuit("ops")
        await runtime.register("all", ALL, circuit="ops")
        async with reading(runtime, "all", circuit="ops") as reader, trio.open_nursery() as nursery:
            fail(runtime, "ops")
            await wait_all_tasks_blocked()
            told = []

            async def ask():
                with pytest.raises(Closed, match="destroyed"):
                    await runtime.rows("all", circuit="ops")
                told.append(1)

            nursery.start_soon(ask)
            await wait_all_tasks_blocked()
            await runtime.destroy_circuit("ops")
            with pytest.raises(trio.EndOfChannel):
                await reader.next()
        assert [1] == told
        assert ["main"] == list(runtime.circuits)


async def test_a_refill_that_fails_is_tried_again_and_counts(autojump_clock):
    """Nothing that goes wrong on the way back may reach the other circuits, or leave this one half-way."""
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        async with reading(runtime, "all") as reader:
            await runtime.ingest(flights(1))
            stage = runtime._workers["main"].stage
            adopt, faults = stage.adopt, [ZeroDivisionError(), MemoryError()]

            def adopt_in_the_end(*arguments):
                if faults:
                    raise faults.pop()
                adopt(*arguments)

            stage.adopt = adopt_in_the_end
            fail(runtime)
            await runtime.settle()
            assert ("running", 3) == (runtime.circuits["main"].state, runtime.circuits["main"].statistics().restarts)
            await runtime.ingest(flights(2))
            judge(runtime, reader)


async def test_a_strategy_that_fails_wastes_work_and_loses_nothing(autojump_clock):
    class Fickle(Dependency):
        def route(self, rows):
            if len(rows) % 2:
                raise RuntimeError("odd")
            return super().route(rows)

    class Plugin:
        @hookimpl
        def sspcore_routing_strategies(self):
            return [StrategySpec("fickle", Fickle)]

    async with open_test({"routing": {"strategy": "fickle"}}, plugins=[Plugin()]) as runtime:
        await runtime.register("all", ALL)
        for number in range(10):
            await runtime.ingest(flights(*range(number * 10, number * 11)))
        await runtime.ingest(flights(1001))
        judge(runtime)
        assert 6 == runtime.statistics().fell_open, "batches of 1, 3, 5, 7, 9 and 1 rows"
