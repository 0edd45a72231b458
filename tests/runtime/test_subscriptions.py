"""Snapshot and updates are one cut; a reader's pace is its own business; everyone is told how it ends."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from sspcore import delete, upsert
from sspcore.errors import CircuitFailed, SqlError, UnknownCircuit, UnknownView, UsageError
from tests.laws.faults import break_for_good
from tests.runtime.tools import ALL, LATE, WORST, Reader, judge, open_test, reading, stall


def flights(*ids, delay=75, carrier="AA"):
    return [upsert("flights", i, {"carrier": carrier, "delay": delay}) for i in ids]


async def test_an_empty_view_has_a_snapshot_and_its_first_row_is_an_update(autojump_clock):
    """T22: empty and pending are not the same thing."""
    async with open_test() as runtime:
        snapshot = await runtime.register("late", LATE)
        assert [] == snapshot.rows and ("carrier", "n") == snapshot.columns
        async with reading(runtime, "late") as reader:
            assert [] == reader.subscription.snapshot.rows
            await runtime.ingest(flights(1))
            update = await reader.next()
            assert (("AA", 1),) == update.added


async def test_none_is_lost_between_snapshot_and_stream(autojump_clock):
    """Readers come at any moment of a busy stream: snapshot and updates together are always the view."""
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        await runtime.register("worst", WORST)

        async def produce():
            for number in range(200):
                await runtime.ingest(flights(number % 17, delay=number * 7 % 100), ack="queued")
                if number % 5 == 0:
                    await runtime.ingest(delete("flights", number % 13), ack="queued")

        async def read(pause):
            for _ in range(pause):
                await trio.lowlevel.checkpoint()
            async with reading(runtime, "all") as every, reading(runtime, "worst") as worst:
                with trio.move_on_after(1):
                    while True:
                        await every.next()
                        for _ in range(pause % 7):
                            await trio.lowlevel.checkpoint()
                worst.catch_up()
                judge(runtime, every, worst)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(produce)
            for pause in range(0, 120, 6):
                nursery.start_soon(read, pause)


async def test_versions_chain_and_rise_per_view(autojump_clock):
    """T25: whatever producers do at once, each view's updates are in one strict sequence."""
    async with open_test({"backpressure": {"capacity": 5}}) as runtime:
        await runtime.register("all", ALL)
        async with reading(runtime, "all") as reader:
            async with trio.open_nursery() as nursery:
                for number in range(30):
                    nursery.start_soon(runtime.ingest, flights(number % 4, delay=number))
            reader.catch_up()
            versions = [update.version for update in reader.updates]
            assert sorted(set(versions)) == versions
            judge(runtime, reader)


async def test_a_reader_that_never_reads_delays_nobody_and_gets_one_update(autojump_clock):
    """T56, T47: one stalled reader; the producer's every batch is applied and the other reader has each update."""
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        async with reading(runtime, "all") as slow, reading(runtime, "all") as quick:
            for number in range(500):
                await runtime.ingest(flights(number % 10, delay=number))
                await quick.next()
            assert 500 == len(quick.updates)
            update = slow.subscription.receive_nowait()
            slow.mirror.apply(update)
            assert 10 == len(update.changes)
            assert quick.mirror.held == slow.mirror.held
            assert 499 == slow.subscription.coalesced
            with pytest.raises(trio.WouldBlock):
                slow.subscription.receive_nowait()


async def test_unregistering_ends_the_stream_after_what_happened_before(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        async with reading(runtime, "all") as reader:
            runtime.ingest_nowait(flights(1))
            await runtime.unregister("all")
            assert 1 == len((await reader.next()).added)
            with pytest.raises(trio.EndOfChannel):
                await reader.next()
            assert "unregistered" in reader.subscription.reason


async def test_iteration_just_ends(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        async with runtime.subscribe("all") as updates:
            await runtime.ingest(flights(1))
            await runtime.unregister("all")
            seen = [update.version async for update in updates]
        assert 1 == len(seen)


async def test_closing_the_runtime_ends_streams_elsewhere():
    reasons = []

    async def read(runtime, task_status):
        async with runtime.subscribe("all") as updates:
            task_status.started()
            reasons.extend([len(update.added) async for update in updates])
            reasons.append(updates.reason)

    async with trio.open_nursery() as nursery, open_test() as runtime:
        await runtime.register("all", ALL)
        await nursery.start(read, runtime)
        runtime.ingest_nowait(flights(1, 2))
    assert [2, "the runtime was closed"] == reasons


async def test_one_reader_leaving_does_not_end_the_others(autojump_clock):
    """T29: of two subscribers to the same SQL one leaves; the view goes with the last."""
    async with open_test() as runtime:
        async with reading(runtime, LATE) as stays:
            async with reading(runtime, f"  {LATE}\n") as leaves:
                assert stays.subscription.view == leaves.subscription.view
                assert 1 == len(runtime.circuits["main"].views)
            await runtime.ingest(flights(1))
            assert (("AA", 1),) == (await stays.next()).added
        await runtime.settle()
        assert {} == runtime.circuits["main"].views
        assert () == runtime.circuits["main"].statistics().tables


async def test_a_registered_view_stays_when_its_last_reader_leaves(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("late", LATE)
        async with runtime.subscribe("late"):
            pass
        assert ["late"] == list(runtime.circuits["main"].views)


async def test_the_same_sql_with_other_parameters_is_another_view(autojump_clock):
    sql = "SELECT id FROM flights WHERE delay > $m"
    async with open_test() as runtime:
        await runtime.ingest(flights(1, delay=30))
        async with runtime.subscribe(sql, {"m": 10}) as low, runtime.subscribe(sql, {"m": 60}) as high:
            assert [[(1,)], []] == [low.snapshot.rows, high.snapshot.rows]
            assert low.view != high.view


async def test_what_can_be_watched(autojump_clock):
    """A registered id is that view, SQL is SQL, anything else is a name nobody knows."""
    async with open_test() as runtime:
        await runtime.register("late", LATE)
        for view, error in (("lat", UnknownView), ("SELECT FROM", SqlError), ("selection", UnknownView)):
            with pytest.raises(error):
                async with runtime.subscribe(view):
                    raise AssertionError("never")
        with pytest.raises(UnknownCircuit, match="did you mean 'main'"):
            async with runtime.subscribe("late", circuit="mian"):
                raise AssertionError("never")
        with pytest.raises(UsageError, match="its parameters already"):
            async with runtime.subscribe("late", {"m": 5}):
                raise AssertionError("never")
        async with runtime.subscribe("/* why */ WITH x AS (SELECT id FROM flights) SELECT * FROM x") as found:
            assert [] == found.snapshot.rows


async def test_the_token_moves_by_acknowledgement_only_and_never_back(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        async with runtime.subscribe("all") as updates:
            assert "e1-0" == updates.token
            await runtime.ingest(flights(1))
            first = await updates.receive()
            await runtime.ingest(flights(2))
            second = await updates.receive()
            assert "e1-0" == updates.token
            updates.ack(second.version)
            updates.ack(first.version)
            assert f"e1-{second.version}" == updates.token
            with pytest.raises(UsageError, match="not received yet"):
                updates.ack(second.version + 1)
            updates.ack(1000, epoch="another")
            assert f"e1-{second.version}" == updates.token


async def test_a_subscription_is_over_with_its_block(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        async with runtime.subscribe("all") as updates:
            pass
        with pytest.raises(trio.ClosedResourceError):
            await updates.receive()
        with pytest.raises(trio.ClosedResourceError):
            updates.receive_nowait()


async def test_closing_wakes_the_one_that_waits(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        async with runtime.subscribe("all") as updates, trio.open_nursery() as nursery:

            async def read():
                with pytest.raises(trio.ClosedResourceError):
                    await updates.receive()

            nursery.start_soon(read)
            await wait_all_tasks_blocked()
            with pytest.raises(trio.BusyResourceError):
                await updates.receive()
            await updates.aclose()


async def test_a_view_that_fails_tells_its_readers_and_fails_alone(autojump_clock, monkeypatch):
    """T62: the other views, their readers and the circuit go on."""
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        await runtime.register("worst", WORST)
        async with reading(runtime, "all") as healthy, reading(runtime, "worst") as broken:
            kept = runtime._workers["main"].stage.circuit.views["worst"].materialisation
            break_for_good(kept, monkeypatch, ZeroDivisionError)
            await runtime.ingest(flights(1))
            with pytest.raises(CircuitFailed, match="view 'worst' failed: ZeroDivisionError"):
                await broken.next()
            await healthy.next()
            assert ("running", "failed", "live") == (
                runtime.circuits["main"].state,
                runtime.circuits["main"].views["worst"].state,
                runtime.circuits["main"].views["all"].state,
            )
            with pytest.raises(CircuitFailed, match="register it again"):
                await runtime.rows("worst")
            assert 0 == runtime.circuits["main"].statistics().restarts
            snapshot = await runtime.register("worst", WORST)
            assert [(1, 75)] == snapshot.rows
            await runtime.ingest(flights(2))
            judge(runtime, healthy)


async def test_a_lagging_reader_of_an_ordered_view_gets_the_order_of_now(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("worst", "SELECT id, delay FROM flights ORDER BY delay DESC")
        async with reading(runtime, "worst") as reader:
            for number in range(100):
                await runtime.ingest(flights(number % 7, delay=number * 13 % 50))
                if number % 9 == 0:
                    reader.catch_up()
            await runtime.ingest(delete("flights", 3))
            judge(runtime, reader)


async def test_a_subscription_waits_in_line_behind_what_was_admitted(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        brake = stall(runtime)
        runtime.ingest_nowait(flights(1, 2, 3))
        seen = []

        async def read():
            async with runtime.subscribe("all") as updates:
                seen.append(len(updates.snapshot.rows))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await wait_all_tasks_blocked()
            brake.release()
        assert [3] == seen


async def test_a_reader_is_a_trio_receive_channel(autojump_clock):
    async with open_test() as runtime, runtime.subscribe(ALL) as updates:
        assert isinstance(updates, trio.abc.ReceiveChannel)
        assert Reader(updates).mirror.rows() == []
