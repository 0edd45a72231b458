"""Cancelled at any await: either nothing happened, or all of it (T55)."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from sspcore import upsert
from sspcore.ingress.walk import SLICE
from tests.runtime.tools import ALL, LATE, WORST, balanced, judge, open_test, stall


def flights(*ids, delay=75):
    return [upsert("flights", i, {"carrier": "AA", "delay": delay}) for i in ids]


async def passes(count):
    """Let the scheduler go round so many times."""
    for _ in range(count):
        await trio.lowlevel.checkpoint()


async def cancelled_after(count, call):
    """Run a call, cancel it after so many rounds of the scheduler; whether it finished."""
    finished = False

    async def run():
        nonlocal finished
        await call()
        finished = True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await passes(count)
        nursery.cancel_scope.cancel()
    return finished


async def test_a_cancelled_ingest_is_in_every_circuit_or_in_none(autojump_clock):
    """T55: two circuits, one of them full and slow: cancelled after any number of scheduler rounds."""
    outcomes = set()
    for rounds in range(14):
        async with open_test({"backpressure": {"capacity": 2}}) as runtime:
            await runtime.create_circuit("ops")
            await runtime.register("all", ALL)
            await runtime.register("late", LATE, circuit="ops")
            runtime.ingest_nowait(flights(1, 2))
            finished = await cancelled_after(rounds, lambda: runtime.ingest(flights(3, 4)))
            await runtime.settle()
            main, ops, base = (
                len(await runtime.rows("all")),
                (await runtime.rows("late", circuit="ops"))[0][1],
                (await runtime.query("SELECT count(*) FROM flights")).rows[0][0],
            )
            assert main == ops == base and main in (2, 4)
            assert main == 4 or not finished
            assert (main - 2) + 2 == runtime.statistics().accepted, "counted as what it was"
            judge(runtime)
            balanced(runtime)
            outcomes.add((finished, main))
    assert {(False, 2), (True, 4)} <= outcomes, "the loop met both ends"


async def test_cancelled_while_parked_nothing_happened_and_the_next_gets_the_turn(autojump_clock):
    async with open_test({"backpressure": {"capacity": 2}}) as runtime:
        await runtime.register("all", ALL)
        brake = stall(runtime)
        runtime.ingest_nowait(flights(1, 2))
        scope = trio.CancelScope()

        async def impatient():
            with scope:
                await runtime.ingest(flights(3, 4))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(impatient)
            await wait_all_tasks_blocked()
            nursery.start_soon(runtime.ingest, flights(5))
            await wait_all_tasks_blocked()
            assert 2 == runtime.statistics().waiting
            scope.cancel()
            await wait_all_tasks_blocked()
            assert 1 == runtime.statistics().waiting
            brake.release()
        assert [1, 2, 5] == [row[0] for row in await runtime.rows("all")]
        assert 2 == runtime.statistics().offset
        balanced(runtime)


async def test_cancelled_after_admission_it_is_accepted_and_only_the_receipt_is_lost(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        brake = stall(runtime)
        with trio.move_on_after(1):
            await runtime.ingest(flights(1))
        brake.release()
        assert 1 == len(await runtime.rows("all"))


async def test_a_cancelled_scope_ingests_nothing(autojump_clock):
    async with open_test() as runtime:
        for ack in ("queued", "applied"):
            with trio.CancelScope() as scope:
                scope.cancel()
                await runtime.ingest(flights(1), ack=ack)
            assert scope.cancelled_caught
        assert 0 == runtime.statistics().offset


@pytest.mark.parametrize("rows", [3, 3 * SLICE], ids=["at once", "in slices"])
async def test_a_cancelled_registration_is_there_or_gone_without_trace(rows, autojump_clock):
    """T24: view, route, table and name go together."""
    outcomes = set()
    for rounds in range(16):
        async with open_test() as runtime:
            await runtime.ingest(flights(*range(rows)))
            finished = await cancelled_after(rounds, lambda: runtime.register("all", ALL))
            await runtime.settle()
            figures = runtime.circuits["main"].statistics()
            there = "all" in figures.views
            assert there == finished
            assert (("flights",) if there else ()) == figures.tables
            receipt = await runtime.ingest(flights("x"))
            assert (1, 0) == ((receipt.routed, receipt.unrouted) if there else (receipt.unrouted, receipt.routed))
            await runtime.register("all", ALL)
            assert rows + 1 == len(await runtime.rows("all"))
            judge(runtime)
            balanced(runtime)
            outcomes.add(finished)
    assert {False, True} == outcomes


async def test_a_registration_cancelled_by_one_still_serves_the_other(autojump_clock):
    async with open_test() as runtime:
        await runtime.ingest(flights(*range(3 * SLICE)))
        brake = stall(runtime)
        async with trio.open_nursery() as nursery:
            first = trio.CancelScope()

            async def impatient():
                with first:
                    await runtime.register("all", ALL)

            nursery.start_soon(impatient)
            await wait_all_tasks_blocked()
            nursery.start_soon(runtime.register, "all", ALL)
            await wait_all_tasks_blocked()
            first.cancel()
            await wait_all_tasks_blocked()
            brake.release()
        assert 3 * SLICE == len(await runtime.rows("all"))


async def test_a_cancelled_subscription_holds_nothing(autojump_clock):
    for rounds in range(12):
        async with open_test() as runtime:
            await runtime.ingest(flights(*range(2 * SLICE)))

            async def watch():
                async with runtime.subscribe(WORST) as updates:
                    async for _ in updates:
                        pass

            assert not await cancelled_after(rounds, watch)
            await runtime.settle()
            figures = runtime.circuits["main"].statistics()
            assert ((), {}) == (figures.tables, dict(figures.views))
            assert {} == runtime._workers["main"].stage._watchers


async def test_a_cancelled_receive_loses_no_update(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        async with runtime.subscribe("all") as updates:
            seen = []
            for rounds in range(20):

                async def take():
                    seen.append(await updates.receive())

                await cancelled_after(rounds % 5, take)
                await runtime.ingest(flights(rounds))
            while True:
                try:
                    seen.append(updates.receive_nowait())
                except trio.WouldBlock:
                    break
            assert 20 == sum(len(update.changes) for update in seen)
            assert [u.from_version for u in seen[1:]] == [u.version for u in seen[:-1]]


async def test_a_cancelled_destruction_goes_on(autojump_clock):
    async with open_test() as runtime:
        await runtime.create_circuit("ops")
        await runtime.register("all", ALL, circuit="ops")
        brake = stall(runtime, "ops")
        with trio.move_on_after(1):
            await runtime.destroy_circuit("ops")
        brake.release()
        await runtime.settle()
        assert ["main"] == list(runtime.circuits)
        await runtime.create_circuit("ops")
