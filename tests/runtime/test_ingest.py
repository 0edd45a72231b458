"""One door for changes: whole or not at all, in order, everywhere; and what a producer is told."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import sspcore
from sspcore import upsert
from sspcore.errors import ChangeRejected, Closed, Full, UsageError
from tests.runtime.tools import ALL, LATE, balanced, judge, open_test, stall


def flights(*ids, delay=75, carrier="AA"):
    return [upsert("flights", i, {"carrier": carrier, "delay": delay}) for i in ids]


async def test_a_receipt_says_where_a_batch_is_visible(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("late", LATE)
        receipt = await runtime.ingest(flights(1, 2))

        assert (1, 2, 0, ()) == (receipt.offset, receipt.routed, receipt.unrouted, receipt.behind)
        assert [("AA", 2)] == await runtime.rows("late")
        assert runtime.circuits["main"].version == receipt.versions["main"]
        again = await runtime.ingest(upsert("weather", "JFK", {"wind": 3}))
        assert (2, 0, 1, {}) == (again.offset, again.routed, again.unrouted, again.versions)


async def test_an_applied_batch_is_in_every_view_when_ingest_returns(autojump_clock):
    async with open_test() as runtime:
        await runtime.create_circuit("ops")
        await runtime.register("late", LATE)
        await runtime.register("late", LATE, circuit="ops")
        for number in range(20):
            receipt = await runtime.ingest(flights(number))
            assert {"main", "ops"} == set(receipt.versions)
            for circuit in ("main", "ops"):
                view = runtime._workers[circuit].stage.circuit.view("late")
                assert [("AA", number + 1)] == view.rows()


async def test_queued_returns_before_the_circuit_has_worked(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("late", LATE)
        receipt = runtime.ingest_nowait(flights(1))
        assert {} == receipt.versions
        assert 1 == runtime.circuits["main"].statistics().queued
        await runtime.settle()
        assert [("AA", 1)] == await runtime.rows("late")


async def test_small_batches_are_taken_together_as_one_commit(autojump_clock):
    """256 batches of one change wake the circuit once and make one commit; a batch of 1000 is never split."""
    async with open_test() as runtime:
        await runtime.register("late", LATE)
        await runtime.ingest(flights(0))
        before = runtime.circuits["main"].version
        for number in range(1, 257):
            runtime.ingest_nowait(flights(number))
        await runtime.settle()
        assert before + 1 == runtime.circuits["main"].version
        await runtime.ingest(flights(*range(1000, 2000)))
        assert before + 2 == runtime.circuits["main"].version


async def test_a_refused_batch_leaves_no_trace_anywhere(autojump_clock):
    async with open_test() as runtime:
        await runtime.create_circuit("ops")
        await runtime.register("all", ALL)
        await runtime.register("all", ALL, circuit="ops")
        with pytest.raises(ChangeRejected, match="no such row") as caught:
            await runtime.ingest([*flights(1, 2), sspcore.update("flights", 9, {})])
        assert 2 == caught.value.index
        assert [] == await runtime.rows("all") == await runtime.rows("all", circuit="ops")
        figures = runtime.statistics()
        assert (0, 3, 0, 3) == (figures.offset, figures.received, figures.accepted, figures.refused)


async def test_redelivery_changes_nothing_and_is_counted(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("late", LATE)
        batch = [change._replace(source="radar", seq=7) for change in flights(1)]
        await runtime.ingest(batch)
        again = await runtime.ingest(batch)
        assert (2, 0, 0) == (again.offset, again.routed, again.unrouted)
        assert 1 == runtime.statistics().duplicates
        balanced(runtime)


async def test_per_circuit_order_is_offset_order(autojump_clock):
    """Fifty producers, one row: the last offset's value stays."""
    async with open_test({"backpressure": {"capacity": 3}}) as runtime:
        await runtime.register("all", ALL)
        offsets = {}

        async def produce(number):
            receipt = await runtime.ingest(flights("X", delay=number))
            offsets[receipt.offset] = number

        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(produce, number)
        assert list(range(1, 51)) == sorted(offsets)
        assert [("X", "AA", offsets[50])] == await runtime.rows("all")
        balanced(runtime)


async def test_a_full_queue_parks_producers_in_the_order_they_came(autojump_clock):
    async with open_test({"backpressure": {"capacity": 2}}) as runtime:
        await runtime.register("all", ALL)
        brake = stall(runtime)
        order = []

        async def produce(number):
            receipt = await runtime.ingest(flights(f"{number}a", f"{number}b"), ack="queued")
            order.append((number, receipt.offset))

        runtime.ingest_nowait(flights("first", "second"))
        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(produce, number)
                await wait_all_tasks_blocked()
            assert (5, []) == (runtime.statistics().waiting, order)
            brake.release()
        assert [(number, number + 2) for number in range(5)] == order
        await runtime.settle()
        judge(runtime)


async def test_nobody_overtakes_a_waiting_batch_that_shares_a_circuit(autojump_clock):
    """Room for one change does not let a small batch pass a large one that waits for more."""
    async with open_test({"backpressure": {"capacity": 4}}) as runtime:
        await runtime.register("all", ALL)
        brake = stall(runtime)
        runtime.ingest_nowait(flights(1, 2, 3))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(runtime.ingest, flights(4, 5, 6))
            await wait_all_tasks_blocked()
            with pytest.raises(Full):
                runtime.ingest_nowait(flights(7))
            nursery.start_soon(runtime.ingest, flights(7))
            await wait_all_tasks_blocked()
            assert 2 == runtime.statistics().waiting
            brake.release()
        assert [1, 2, 3, 4, 5, 6, 7] == [row[0] for row in await runtime.rows("all")]
        balanced(runtime)


async def test_a_batch_waits_for_all_its_circuits_and_enters_all_at_once(autojump_clock):
    async with open_test({"backpressure": {"capacity": 2}}) as runtime:
        await runtime.create_circuit("ops", policy="drop_with_error", capacity=100)
        await runtime.register("all", ALL)
        await runtime.register("all", ALL, circuit="ops")
        runtime.ingest_nowait(flights(1, 2))
        with pytest.raises(Full, match="main"):
            runtime.ingest_nowait(flights(3))
        assert 2 == runtime.circuits["ops"].statistics().queued, "not even where there was room"
        await runtime.ingest(flights(3))
        assert 3 == len(await runtime.rows("all", circuit="ops"))
        balanced(runtime)


async def test_drop_with_error_refuses_the_whole_batch_and_says_when_to_try_again(autojump_clock):
    async with open_test({"backpressure": {"policy": "drop_with_error", "capacity": 2}}) as runtime:
        await runtime.register("all", ALL)
        brake = stall(runtime)
        await runtime.ingest(flights(1), ack="queued")
        with pytest.raises(Full) as caught:
            await runtime.ingest(flights(2, 3))
        assert (1, 2) == (caught.value.depth, caught.value.capacity)
        assert caught.value.retry_after > 0
        brake.release()
        await runtime.settle()
        assert [(1, "AA", 75)] == await runtime.rows("all")
        balanced(runtime)


async def test_a_batch_larger_than_the_capacity_enters_an_empty_queue_alone(autojump_clock):
    async with open_test({"backpressure": {"capacity": 2}}) as runtime:
        await runtime.register("all", ALL)
        await runtime.ingest(flights(*range(100)))
        assert 100 == len(await runtime.rows("all"))


async def test_block_with_a_deadline_gives_up_in_time(autojump_clock):
    async with open_test({"backpressure": {"capacity": 1, "deadline": 5}}) as runtime:
        await runtime.register("all", ALL)
        stall(runtime)
        runtime.ingest_nowait(flights(1))
        started = trio.current_time()
        with pytest.raises(Full):
            await runtime.ingest(flights(2))
        assert 5 == trio.current_time() - started
        assert 0 == runtime.statistics().waiting
        balanced(runtime)


async def test_one_full_circuit_does_not_stop_batches_that_do_not_go_there(autojump_clock):
    async with open_test({"backpressure": {"capacity": 1}}) as runtime:
        await runtime.create_circuit("ops")
        await runtime.register("all", ALL)
        await runtime.register("wind", "SELECT id FROM weather", circuit="ops")
        stall(runtime)
        runtime.ingest_nowait(flights(1))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(runtime.ingest, flights(2))
            await wait_all_tasks_blocked()
            for number in range(10):
                await runtime.ingest(upsert("weather", number, {}))
            assert 10 == len(await runtime.rows("wind", circuit="ops"))
            assert 1 == runtime.statistics().waiting
            nursery.cancel_scope.cancel()


async def test_destroying_the_circuit_that_is_waited_for_lets_the_batch_in(autojump_clock):
    async with open_test({"backpressure": {"capacity": 1}}) as runtime:
        await runtime.create_circuit("ops")
        await runtime.register("all", ALL)
        await runtime.register("all", ALL, circuit="ops")
        stall(runtime, "ops")
        await runtime.ingest(flights(1), ack="queued")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(runtime.ingest, flights(2))
            await wait_all_tasks_blocked()
            await runtime.destroy_circuit("ops", graceful=False)
        assert 2 == len(await runtime.rows("all"))


async def test_a_waiting_batch_is_judged_anew_when_its_turn_comes(autojump_clock):
    """What was fine when it came may be stale by then: refused whole, nothing applied."""
    async with open_test({"backpressure": {"capacity": 1}}) as runtime:
        await runtime.register("all", ALL)
        runtime.ingest_nowait([sspcore.create("flights", 1, {"delay": 1})])
        refused = []

        async def produce():
            with pytest.raises(ChangeRejected):
                await runtime.ingest([sspcore.create("flights", 2, {"delay": 2})])
            refused.append(2)

        brake = stall(runtime)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(produce)
            await wait_all_tasks_blocked()
            await runtime.unregister("all")  # routed nowhere now: the same row gets in ahead
            runtime.ingest_nowait([sspcore.create("flights", 2, {"delay": 9})])
            brake.release()
        assert [2] == refused
        assert [(9,)] == (await runtime.query("SELECT delay FROM flights WHERE id = 2")).rows


async def test_ack_says_what_may_be_waited_for(autojump_clock):
    async with open_test() as runtime:
        with pytest.raises(UsageError, match="'queued' or 'applied'"):
            await runtime.ingest(flights(1), ack="durable")


async def test_a_closed_runtime_takes_nothing_more():
    async with open_test() as runtime:
        pass
    for call in (lambda: runtime.ingest(flights(1)), lambda: runtime.register("x", ALL)):
        with pytest.raises(Closed):
            await call()
    with pytest.raises(Closed):
        runtime.ingest_nowait(flights(1))
    with pytest.raises(Closed):
        await runtime.create_circuit("late")


async def test_a_table_cannot_take_a_view_s_name_nor_a_view_a_table_s(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("late", LATE)
        with pytest.raises(ChangeRejected, match="is a view"):
            await runtime.ingest(upsert("late", 1, {}))
        with pytest.raises(sspcore.errors.AlreadyExists, match="is a table"):
            await runtime.register("flights", ALL)
        await runtime.unregister("late")
        await runtime.ingest(upsert("late", 1, {}))


async def test_new_columns_arrive_ahead_of_the_rows_that_have_them(autojump_clock):
    async with open_test() as runtime:
        await runtime.create_circuit("ops")
        await runtime.register("everything", "SELECT * FROM flights")
        await runtime.register("all", ALL, circuit="ops")
        await runtime.ingest(upsert("flights", 1, {"carrier": "AA"}))
        await runtime.ingest(upsert("flights", 2, {"carrier": "AA", "gate": "B2"}))
        snapshot = await runtime.snapshot("everything")
        assert ("id", "carrier", "gate") == snapshot.columns
        judge(runtime)


async def test_explaining_routing_changes_nothing(autojump_clock):
    async with open_test() as runtime:
        await runtime.create_circuit("ops")
        await runtime.register("late", LATE)
        (change,) = flights(1)
        reasons = {r.circuit: (r.routed, r.why) for r in runtime.explain_routing(change)}
        assert {"main": (True, "read by late"), "ops": (False, "no view of it reads flights")} == reasons
        assert 0 == runtime.statistics().offset
        assert () == runtime.explain_routing(sspcore.delete("flights", 1))
