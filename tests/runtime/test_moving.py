"""Parameters and time at work: readers get the difference, in order, and what is derived anew is what they saw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import trio

from sspcore.engine.change import upsert
from sspcore.errors import UsageError
from sspcore.runtime import circuit_task
from sspcore.runtime.circuit_task import SLICE
from sspcore.runtime.environment import Environment
from sspcore.runtime.opening import open_with
from tests.runtime.tools import Reader, fail, open_test

RANGE = "SELECT id, x FROM t WHERE x BETWEEN $a AND $b"
RECENT = "SELECT id FROM t WHERE at > $now - interval '10 seconds' AND at <= $now"
T0 = datetime(2013, 6, 24, tzinfo=UTC)


def rows(*xs):
    return [upsert("t", x, {"x": x}) for x in xs]


def told(seconds):
    return T0 + timedelta(seconds=seconds)


def open_at_t0(config=None):
    """A runtime whose time of day is T0 plus trio's clock."""
    numbers, start = count(1), trio.current_time()
    clock = lambda: told(trio.current_time() - start)  # noqa: E731
    return open_with(Environment(chance=lambda: 0.5, epoch=lambda: f"e{next(numbers)}", clock=clock), config)


async def test_rebind_sends_subscribers_the_difference(autojump_clock):
    async with open_test() as runtime:
        await runtime.ingest(rows(*range(10)))
        await runtime.register("seen", RANGE, {"a": 2, "b": 4})
        async with runtime.subscribe("seen") as one, runtime.subscribe("seen") as two:
            readers = [Reader(one), Reader(two)]
            update = await runtime.rebind("seen", {"a": 3, "b": 5})
            assert (update.added, update.removed) == (((5, 5),), ((2, 2),))
            for reader in readers:
                await reader.next()
                assert reader.mirror.held == {3: (3, 3), 4: (4, 4), 5: (5, 5)}
            await runtime.ingest(rows(4))
            assert (await runtime.rebind("seen", {"b": 5})).changes == ()
        assert runtime.circuits["main"].views["seen"].params == {"a": 3, "b": 5}


async def test_rebind_comes_after_everything_admitted_before(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("seen", RANGE, {"a": 0, "b": 1})
        async with runtime.subscribe("seen") as subscription:
            reader = Reader(subscription)
            for x in range(8):
                await runtime.ingest(rows(x), ack="queued")
            update = await runtime.rebind("seen", {"a": 6, "b": 7})
            reader.catch_up()
            assert set(reader.mirror.held) == {6, 7}
            assert update.added == ((6, 6), (7, 7))


async def test_what_is_derived_anew_has_the_parameters_readers_saw(autojump_clock):
    async with open_test() as runtime:
        await runtime.ingest(rows(*range(10)))
        await runtime.register("seen", RANGE, {"a": 2, "b": 4})
        await runtime.rebind("seen", {"a": 7, "b": 8})
        async with runtime.subscribe("seen") as subscription:
            reader = Reader(subscription)
            fail(runtime)
            await runtime.settle()
            reader.catch_up()
            assert set(reader.mirror.held) == {7, 8}
            await runtime.rebind("seen", {"b": 9})
            await reader.next()
            assert set(reader.mirror.held) == {7, 8, 9}


async def test_a_view_shared_by_its_query_does_not_move_one_of_ones_own_does(autojump_clock):
    async with open_test() as runtime:
        await runtime.ingest(rows(*range(10)))
        params = {"a": 1, "b": 2}
        async with (
            runtime.subscribe(RANGE, params) as shared,
            runtime.subscribe(RANGE, params) as same,
            runtime.subscribe(RANGE, params, own=True) as mine,
            runtime.subscribe(RANGE, params, own=True) as yours,
        ):
            assert shared.view == same.view
            assert len({shared.view, mine.view, yours.view}) == 3
            with pytest.raises(UsageError, match="shared by all who subscribe to its query"):
                await runtime.rebind(shared.view, {"a": 2})
            await runtime.rebind(mine.view, {"a": 2})
            assert (await mine.receive()).removed == ((1, 1),)
            await runtime.settle()
            for other in (shared, yours):
                with pytest.raises(trio.WouldBlock):
                    other.receive_nowait()
        assert not runtime.circuits["main"].views


async def test_wrong_parameters_change_nothing(autojump_clock):
    async with open_test() as runtime:
        await runtime.ingest(rows(1, 2))
        await runtime.register("seen", RANGE, {"a": 1, "b": 1})
        with pytest.raises(UsageError, match=r"no parameter \$c"):
            await runtime.rebind("seen", {"c": 1})
        assert await runtime.rows("seen") == [(1, 1)]


async def test_a_parameter_that_no_value_depends_on_moves_nothing(autojump_clock):
    async with open_test() as runtime:
        await runtime.ingest(rows(1, 2))
        await runtime.register(
            "seen", "WITH unread AS (SELECT $b FROM t) SELECT id FROM t WHERE x = $a", {"a": 1, "b": 1}
        )
        assert (await runtime.rebind("seen", {"b": 2})).changes == ()
        assert (await runtime.rebind("seen", {"a": 2, "b": 3})).added == ((2,),)


async def test_time_passes_for_views_that_tell_it(autojump_clock):
    async with open_at_t0() as runtime:
        await runtime.ingest([upsert("t", n, {"at": told(n)}) for n in range(30)])
        await runtime.register("recent", RECENT)
        assert await runtime.rows("recent") == [(0,)]
        async with runtime.subscribe("recent") as subscription:
            reader = Reader(subscription)
            for second in range(1, 25):
                await reader.next()
                assert set(reader.mirror.held) == set(range(max(0, second - 9), second + 1))


async def test_the_tick_is_configured_and_nobody_is_told_before_a_view_asks(autojump_clock):
    async with open_at_t0({"clock": {"tick": 5.0}}) as runtime:
        await runtime.ingest([upsert("t", n, {"at": told(n)}) for n in range(30)])
        await trio.sleep(3)
        assert runtime._workers["main"].stage.circuit.now is None
        await runtime.register("recent", RECENT)
        assert sorted(await runtime.rows("recent")) == [(n,) for n in range(4)]
        await trio.sleep(4)
        assert len(await runtime.rows("recent")) == 4
        await trio.sleep(2)
        assert sorted(await runtime.rows("recent")) == [(n,) for n in range(9)]
        assert sorted((await runtime.query(RECENT)).rows) == [(n,) for n in range(10)]


async def test_a_circuit_derived_anew_knows_the_time(autojump_clock):
    async with open_at_t0() as runtime:
        await runtime.ingest([upsert("t", n, {"at": told(n)}) for n in range(60)])
        await runtime.register("recent", RECENT)
        async with runtime.subscribe(RECENT) as subscription:
            reader = Reader(subscription)
            await trio.sleep(20.5)
            fail(runtime)
            await runtime.settle()
            reader.catch_up()
            assert set(reader.mirror.held) == {row[0] for row in await runtime.rows("recent")}
            assert 20 in reader.mirror.held
            await trio.sleep(5)
            reader.catch_up()
            assert 25 in reader.mirror.held
            assert 15 not in reader.mirror.held


async def test_a_clock_set_back_stands_still(autojump_clock):
    times = iter([told(5), told(3), told(3), told(7), *[told(7)] * 100])
    environment = Environment(chance=lambda: 0.5, epoch=lambda: "e", clock=lambda: next(times))
    async with open_with(environment) as runtime:
        await runtime.ingest([upsert("t", n, {"at": told(n)}) for n in range(9)])
        await runtime.register("recent", RECENT)
        await trio.sleep(0.5)
        for expected in (6, 6, 6, 8, 8):
            assert len(await runtime.rows("recent")) == expected
            await trio.sleep(1)


@pytest.mark.usefixtures("autojump_clock")
async def test_a_huge_batch_is_one_commit_and_lets_others_run_between_its_steps():
    """T53: no step of the loop is as long as the batch; subscribers see it whole or not at all."""
    count = 20 * SLICE
    async with open_test() as runtime, trio.open_nursery() as nursery:
        await runtime.register("all", "SELECT id, x FROM t")
        await runtime.register("top", "SELECT id, x FROM t ORDER BY x DESC LIMIT 3")
        seen = []

        async def watch():
            while True:
                seen.append(runtime.circuits["main"].version)
                await trio.lowlevel.checkpoint()

        async with runtime.subscribe("all") as subscription, runtime.subscribe("top") as top:
            await runtime.ingest(rows(1, 2))
            await runtime.ingest(rows(3))
            nursery.start_soon(watch)
            before = runtime.circuits["main"].version
            await runtime.ingest([upsert("t", n, {"x": n}) for n in range(count)], ack="queued")
            start = len(seen)
            while runtime.circuits["main"].version == before:
                if runtime._workers["main"].stage.circuit._sliced:  # its places cannot be told just now
                    with pytest.raises(trio.WouldBlock):
                        top.receive_nowait()
                await trio.lowlevel.checkpoint()
            assert len(seen) - start >= count // SLICE
            reader, other = Reader(subscription), Reader(top)
            reader.catch_up()
            other.catch_up()
            assert len(reader.mirror.held) == count
            assert other.mirror.keys == [count - 1, count - 2, count - 3]
        nursery.cancel_scope.cancel()


async def test_destroyed_amid_a_huge_batch_a_circuit_ends_at_once(autojump_clock):
    async with open_test() as runtime:
        await runtime.create_circuit("other")
        await runtime.register("all", "SELECT id, x FROM t", circuit="other")
        async with runtime.subscribe("all", circuit="other") as subscription:
            await runtime.ingest([upsert("t", n, {"x": n}) for n in range(10 * SLICE)], ack="queued")
            while not runtime._workers["other"].stage.circuit._sliced:
                await trio.lowlevel.checkpoint()
            circuit = runtime._workers["other"].stage.circuit
            before = circuit.version
            await runtime.destroy_circuit("other", graceful=False)
            assert (circuit.version, circuit._sliced, circuit.tables["t"].rows) == (before, False, {})
            with pytest.raises(trio.EndOfChannel):
                await subscription.receive()


async def test_a_view_over_a_large_table_is_computed_while_others_go_on(autojump_clock, monkeypatch):
    """T53: registering is steps, too; changes that come meanwhile wait their turn, and the view shows them."""
    monkeypatch.setattr(circuit_task, "LARGE", 100)
    monkeypatch.setattr(circuit_task, "SLICE", 20)
    turns = 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with open_test() as runtime, trio.open_nursery() as nursery:
        await runtime.ingest([upsert("t", n, {"x": n}) for n in range(400)])
        await runtime.register("first", "SELECT max(x) AS x FROM t")
        nursery.start_soon(others)
        before = turns
        snapshot = await runtime.register("sum", "SELECT sum(x) AS x FROM t")
        assert snapshot.rows == [(sum(range(400)),)]
        assert turns - before >= 400 // 20
        await runtime.ingest([upsert("t", 1000, {"x": 1})])
        assert await runtime.rows("sum") == [(sum(range(400)) + 1,)]
        nursery.cancel_scope.cancel()
