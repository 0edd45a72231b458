"""Views come late and go early, tables with them; what they show is what they would have shown had they always been."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from sspcore import delete, query, upsert
from sspcore.errors import AlreadyExists, ConfigError, SqlError, UnknownCircuit, UnknownView, UsageError
from sspcore.ingress.walk import SLICE
from tests.runtime.tools import ALL, LATE, WORST, balanced, fail, judge, open_test, stall

STRATEGIES = pytest.mark.parametrize("strategy", ["broadcast", "dependency"])


def flights(*ids, delay=75, carrier="AA"):
    return [upsert("flights", i, {"carrier": carrier, "delay": delay}) for i in ids]


@STRATEGIES
async def test_a_late_view_shows_the_rows_that_came_before_it(strategy, autojump_clock):
    """T44: registered at any point of a stream, it equals one registered first."""
    async with open_test({"routing": {"strategy": strategy}}) as runtime:
        for circuit in ("ops", "later"):
            await runtime.create_circuit(circuit)
        await runtime.register("all", ALL)
        for number in range(50):
            await runtime.ingest([*flights(number % 20, delay=number), delete("flights", (number * 7) % 23)])
            if number == 20:
                await runtime.register("all", ALL, circuit="ops")
            if number == 40:
                await runtime.register("worst", WORST, circuit="later")
        judge(runtime)
        first = dict.fromkeys(await runtime.rows("all"))
        assert first == dict.fromkeys(await runtime.rows("all", circuit="ops"))


@STRATEGIES
async def test_a_large_table_is_copied_in_slices_while_changes_go_on(strategy, autojump_clock):
    """T44: rows that change, come and go during the walk are neither missed, nor stale, nor raised from the dead."""
    total = 5 * SLICE
    async with open_test({"routing": {"strategy": strategy}}) as runtime:
        await runtime.ingest(flights(*range(total)))
        churned = []

        async def churn():
            number = 0
            while "all" not in runtime.circuits["main"].views or runtime.circuits["main"].views["all"].state != "live":
                runtime.ingest_nowait(
                    [
                        *flights(number, delay=-1),
                        delete("flights", total - 1 - number),
                        *flights(f"new {number}"),
                    ]
                )
                churned.append(number)
                number += 1
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(churn)
            snapshot = await runtime.register("all", ALL)
        assert len(churned) > 5, "the walk left room for others"
        assert 0 < len(snapshot.rows) <= total
        await runtime.settle()
        judge(runtime)
        balanced(runtime)


@STRATEGIES
async def test_rows_held_but_no_longer_routed_never_reappear(strategy, autojump_clock):
    """T58: a view goes, its table changes unseen, a like view comes back: it shows the table as it is."""
    async with open_test({"routing": {"strategy": strategy}}) as runtime:
        await runtime.register("all", ALL)
        await runtime.ingest(flights(1, 2, 3))
        await runtime.unregister("all")
        await runtime.ingest([*flights(1, delay=5), delete("flights", 2)])
        await runtime.register("again", ALL)
        assert {(1, "AA", 5), (3, "AA", 75)} == set(await runtime.rows("again"))
        judge(runtime)


async def test_a_table_leaves_a_circuit_with_its_last_view(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("all", ALL)
        await runtime.register("late", LATE)
        await runtime.ingest(flights(1))
        await runtime.unregister("all")
        await runtime.settle()
        assert ("flights",) == runtime.circuits["main"].statistics().tables
        await runtime.unregister("late")
        await runtime.settle()
        assert () == runtime.circuits["main"].statistics().tables
        assert {} == dict(runtime._workers["main"].stage.circuit.tables)
        receipt = await runtime.ingest(flights(2))
        assert 1 == receipt.unrouted
        assert [(2,)] == (await runtime.query("SELECT count(*) FROM flights")).rows


async def test_an_abandoned_walk_leaves_nothing_behind(autojump_clock):
    """T24: cancelled half-way through its backfill, a registration leaves no view, no route and no table."""
    async with open_test() as runtime:
        await runtime.ingest(flights(*range(4 * SLICE)))
        brake = stall(runtime)
        with trio.move_on_after(1):
            await runtime.register("all", ALL)
        brake.release()
        await runtime.settle()
        figures = runtime.circuits["main"].statistics()
        assert ((), {}) == (figures.tables, dict(figures.views))
        assert 1 == (await runtime.ingest(flights(1, delay=1))).unrouted
        await runtime.register("all", ALL)
        judge(runtime)
        balanced(runtime)


async def test_two_views_that_need_the_same_large_table_share_its_walk(autojump_clock):
    async with open_test() as runtime:
        await runtime.ingest(flights(*range(3 * SLICE)))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(runtime.register, "all", ALL)
            nursery.start_soon(runtime.register, "late", LATE)
        assert 3 * SLICE == runtime.circuits["main"].statistics().delivered
        judge(runtime)


async def test_a_circuit_that_fails_amid_a_walk(autojump_clock, caplog):
    async with open_test() as runtime:
        await runtime.ingest(flights(*range(4 * SLICE)))
        brake = stall(runtime)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(runtime.register, "all", ALL)
            await wait_all_tasks_blocked()
            fail(runtime)
            brake.release()
            await runtime.ingest(flights(1, delay=3))
        assert 4 * SLICE == len(await runtime.rows("all"))
        judge(runtime)
        balanced(runtime)


async def test_registering_the_same_again_just_gives_the_snapshot(autojump_clock):
    """T23: and something else under the same id is refused."""
    async with open_test() as runtime:
        await runtime.register("late", "SELECT id FROM flights WHERE delay > $m", {"m": 60})
        await runtime.ingest(flights(1))
        again = await runtime.register("late", "SELECT id FROM flights WHERE delay > $m", {"m": 60})
        assert [(1,)] == again.rows
        for sql, params in ((ALL, None), ("SELECT id FROM flights WHERE delay > $m", {"m": 61})):
            with pytest.raises(AlreadyExists, match="another query or other parameters"):
                await runtime.register("late", sql, params)
        assert 1 == len(runtime.circuits["main"].views)


async def test_a_star_that_sees_more_by_now_is_still_the_same_query(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("everything", "SELECT * FROM flights")
        await runtime.ingest(upsert("flights", 1, {"gate": "B2"}))
        again = await runtime.register("everything", "SELECT * FROM flights")
        assert ("id", "gate") == again.columns


async def test_a_bad_query_is_refused_before_anything_changed(autojump_clock):
    async with open_test() as runtime:
        with pytest.raises(SqlError) as caught:
            await runtime.register("late", "SELECT carrier FRM flights")
        assert "^" in str(caught.value)
        with pytest.raises(UsageError, match=r"\$m has no value"):
            await runtime.register("late", "SELECT id FROM flights WHERE delay > $m")
        with pytest.raises(UnknownCircuit):
            await runtime.register("late", LATE, circuit="nowhere")
        assert {} == runtime.circuits["main"].views
        assert {} == dict(runtime.schemas)


async def test_misspelt_tables_do_not_pile_up(autojump_clock):
    async with open_test() as runtime:
        for name in ("flihgts", "fligths"):
            await runtime.register(name + "?", f"SELECT * FROM {name}")
            await runtime.unregister(name + "?")
        assert {} == dict(runtime.schemas)


async def test_a_view_over_a_view_outlives_it_also_over_a_failure(autojump_clock, caplog):
    """Its meaning was fixed when it was registered: a name that is gone must not break it when it is made anew."""
    async with open_test() as runtime:
        await runtime.register("late", "SELECT id, carrier FROM flights WHERE delay > 60")
        await runtime.register("count", "SELECT carrier, count(*) AS n FROM late GROUP BY carrier")
        await runtime.ingest(flights(1, 2))
        await runtime.unregister("late")
        fail(runtime)
        await runtime.settle()
        await runtime.ingest(flights(3))
        assert [("AA", 3)] == await runtime.rows("count")
        judge(runtime)


async def test_queries_may_be_built_as_well_as_written(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("mine", query("flights").where(carrier="AA").select("id", "delay"))
        await runtime.ingest([*flights(1), *flights(2, carrier="UA")])
        assert [(1, 75)] == await runtime.rows("mine")
        async with (
            runtime.subscribe(query("flights").where(carrier="UA").select("id")) as other,
            runtime.subscribe(query("flights").where(carrier="UA").select("id")) as same,
            runtime.subscribe(query("flights").where(carrier="AA").select("id")) as third,
        ):
            assert [[(2,)], [(2,)], [(1,)]] == [s.snapshot.rows for s in (other, same, third)]
            assert (True, False) == (other.view == same.view, other.view == third.view)


async def test_a_one_off_query_sees_everything_admitted(autojump_clock):
    """Also rows no view reads, and batches no circuit has applied yet."""
    async with open_test() as runtime:
        runtime.ingest_nowait(flights(1, 2))
        result = await runtime.query("SELECT count(*) AS n FROM flights WHERE delay > $m", {"m": 60})
        assert (("n",), [(2,)]) == (result.columns, result.rows)
        assert {} == runtime.circuits["main"].views


async def test_a_one_off_query_may_name_the_views_of_its_circuit(autojump_clock):
    """And a view of another circuit is not mistaken for an empty table."""
    async with open_test() as runtime:
        await runtime.create_circuit("ops")
        await runtime.register("late", "SELECT id FROM flights WHERE delay > 60", circuit="ops")
        await runtime.ingest([*flights(1, 2), *flights(3, delay=5)])
        assert [(2,)] == (await runtime.query("SELECT count(*) FROM late", circuit="ops")).rows
        for call in (
            lambda: runtime.query("SELECT count(*) FROM late"),
            lambda: runtime.register("n", "SELECT count(*) FROM late"),
        ):
            with pytest.raises(UsageError, match="'late' is a view of circuit ops, not of 'main'"):
                await call()
        assert ["flights"] == list(runtime.schemas)


async def test_rows_and_snapshot_come_after_everything_admitted_before(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("worst", WORST)
        runtime.ingest_nowait(flights(1, 2, 3, delay=10))
        runtime.ingest_nowait(flights(2, delay=50))
        assert [(2, 50), (1, 10)] == await runtime.rows("worst")
        with pytest.raises(UnknownView, match="did you mean 'worst'"):
            await runtime.rows("wurst")


async def test_explain_shows_the_plan_of_a_view_or_a_query(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("late", LATE)
        assert "flights" in str(await runtime.explain("late"))
        assert "weather" in str(await runtime.explain("SELECT id FROM weather"))
        with pytest.raises(UnknownView):
            await runtime.explain("lat")


async def test_two_circuits_may_have_views_of_the_same_name(autojump_clock):
    async with open_test() as runtime:
        await runtime.create_circuit("ops")
        await runtime.register("v", ALL)
        await runtime.register("v", WORST, circuit="ops")
        await runtime.ingest(flights(1))
        await runtime.unregister("v")
        assert [(1, 75)] == await runtime.rows("v", circuit="ops")
        judge(runtime)


async def test_a_destroyed_circuit_applies_what_it_had_first_unless_told_not_to(autojump_clock):
    async with open_test() as runtime:
        for graceful in (True, False):
            await runtime.create_circuit("ops")
            await runtime.register("all", ALL, circuit="ops")
            worker = runtime._workers["ops"]
            brake = stall(runtime, "ops")
            runtime.ingest_nowait(flights(1, 2, 3, delay=int(graceful)))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(runtime.destroy_circuit, "ops", graceful)
                await wait_all_tasks_blocked()
                brake.release()
            mailbox = worker.lane.mailbox
            assert (3, 0 if graceful else 3) == (mailbox.applied, mailbox.discarded), "3 were there, 3 were queued"
            with pytest.raises(UnknownCircuit):
                await runtime.rows("all", circuit="ops")
        assert 3 == len((await runtime.query(ALL)).rows)


async def test_a_circuit_s_name_is_taken_once(autojump_clock):
    async with open_test() as runtime:
        with pytest.raises(AlreadyExists, match="circuit 'main' exists"):
            await runtime.create_circuit("main")
        with pytest.raises(UsageError):
            await runtime.create_circuit("")
        with pytest.raises(ConfigError, match="unknown policy 'blok'"):
            await runtime.create_circuit("ops", policy="blok")
        with pytest.raises(UsageError, match="at least 1"):
            await runtime.create_circuit("ops", capacity=0)
        assert ["main"] == list(runtime.circuits)


async def test_a_query_is_read_planned_and_compiled_once_for_all_circuits(autojump_clock):
    """Whoever asks it, and when its circuit is derived anew."""
    async with open_test() as runtime:
        await runtime.ingest(flights(1))
        for n in range(20):
            await runtime.create_circuit(f"c{n}")
            await runtime.register("late", LATE, circuit=f"c{n}")
        fail(runtime, "c7")
        await runtime.settle()
        assert 1 == runtime.statistics().circuits["c7"].restarts
        work = runtime._registry.base.library.work
        assert (1, 1, 1) == (work.read, work.planned, work.compiled)
        judge(runtime)
