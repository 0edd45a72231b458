"""Rows routed by interest, in a runtime: what circuits hold, moves of parameters, wider tables, other strategies."""

from __future__ import annotations

import logging
from contextlib import suppress
from types import SimpleNamespace

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from sspcore import Schema, delete, merge, upsert
from sspcore.errors import Closed, ConfigError, NotCovered
from sspcore.ingress import walk
from sspcore.testing.strategies import scenarios
from tests.ingress import test_selective as law
from tests.profiles import scaled
from tests.runtime.test_interleavings import Story, circuits, steps, told, views
from tests.runtime.tools import balanced, fail, judge, open_test, reading

BY_PREDICATE = {"routing": {"strategy": "predicate"}}
SCHEMAS = [Schema("t", {"id": "integer", "owner": "text", "n": "integer"})]
MINE = "SELECT id, n FROM t WHERE owner = $o"


def held(runtime, circuit="main", table="t"):
    return sorted(runtime._workers[circuit].stage.circuit.tables[table].rows)


async def tidy(runtime):
    """Until nothing is under way."""
    while any(w.lane.occupied or not w.lane.running or len(w.lane.mailbox) for w in runtime._workers.values()):
        await runtime.settle()


async def fill(runtime, rows=20):
    await runtime.ingest([upsert("t", n, {"owner": "abcd"[n % 4], "n": n}) for n in range(rows)])


@pytest.fixture(params=(1, 3, 512), ids=lambda slice: f"slices of {slice}")
def slices(request, monkeypatch):
    monkeypatch.setattr(walk, "SLICE", request.param)


async def test_a_circuit_holds_what_its_views_need(autojump_clock, slices):
    """T43, T44: a late view finds its rows, rows that change hands leave; T58: what is given up is not there any more."""
    async with open_test(BY_PREDICATE, schemas=SCHEMAS) as runtime:
        await fill(runtime)
        await runtime.register("mine", MINE, {"o": "a"})
        assert [0, 4, 8, 12, 16] == held(runtime)
        await runtime.ingest([merge("t", 0, {"owner": "b"}), merge("t", 1, {"owner": "a"}), delete("t", 4)])
        assert [1, 8, 12, 16] == held(runtime)
        await runtime.register("late", "SELECT id FROM t WHERE n > 15")
        assert [1, 8, 12, 16, 17, 18, 19] == held(runtime)
        await runtime.unregister("mine")
        await tidy(runtime)
        assert [16, 17, 18, 19] == held(runtime)
        judge(runtime)
        balanced(runtime)


async def test_parameters_move_behind_the_rows_they_need(autojump_clock, slices):
    async with open_test(BY_PREDICATE, schemas=SCHEMAS) as runtime:
        await fill(runtime)
        await runtime.register("mine", MINE, {"o": "a"})
        async with reading(runtime, "mine") as reader, trio.open_nursery() as nursery:
            nursery.start_soon(runtime.rebind, "mine", {"o": "b"})
            await runtime.ingest([merge("t", 1, {"n": 100}), merge("t", 0, {"owner": "b"})])
            await tidy(runtime)
            judge(runtime, reader)
            assert [0, 1, 5, 9, 13, 17] == held(runtime)


async def test_moves_of_one_view_follow_each_other(autojump_clock, slices):
    """Each is what its caller asked for, on top of those before; also when a caller has gone meanwhile."""
    sql = "SELECT id FROM t WHERE owner = $o AND n >= $n"
    async with open_test(BY_PREDICATE, schemas=SCHEMAS) as runtime:
        await fill(runtime)
        await runtime.register("v", sql, {"o": "a", "n": 0})
        async with trio.open_nursery() as nursery:
            scope = trio.CancelScope()

            async def leave():
                with scope:
                    await runtime.rebind("v", {"o": "b"})

            nursery.start_soon(leave)
            nursery.start_soon(runtime.rebind, "v", {"n": 5})
            nursery.start_soon(runtime.rebind, "v", {"n": 9})
            await trio.lowlevel.checkpoint()
            scope.cancel()
        await tidy(runtime)
        judge(runtime)
        registration = runtime._workers["main"].lane.views["v"]
        assert registration.params["n"] in (5, 9) and not runtime._workers["main"].moving


async def test_parameters_that_mean_nothing_change_nothing(autojump_clock):
    async with open_test(BY_PREDICATE, schemas=SCHEMAS) as runtime:
        await fill(runtime)
        await runtime.register("mine", MINE, {"o": "a"})
        with pytest.raises(Exception, match=r"no parameter \$p"):
            await runtime.rebind("mine", {"p": 1})
        lane = runtime._workers["main"].lane
        assert not lane.unsettled and not lane.views["mine"].busy
        await runtime.rebind("mine", {"o": "b"})
        await tidy(runtime)
        judge(runtime)


async def test_a_table_that_grows_the_column_narrows_what_is_held(autojump_clock, slices):
    """Before, every row may matter: the column may come with a value for those there are."""
    async with open_test(BY_PREDICATE) as runtime:
        await runtime.register("late", "SELECT id FROM w WHERE x > 5")
        await runtime.ingest([upsert("w", n, {"y": n}) for n in range(5)])
        assert [0, 1, 2, 3, 4] == held(runtime, table="w")
        await runtime.ingest([merge("w", 3, {"x": 9}), merge("w", 4, {"x": 1})])
        await tidy(runtime)
        assert [3] == held(runtime, table="w")
        judge(runtime)


async def test_a_failure_in_the_midst_of_it_leaves_nothing_behind(autojump_clock, slices):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    async with open_test(BY_PREDICATE, schemas=SCHEMAS) as runtime:
        await fill(runtime)
        await runtime.register("mine", MINE, {"o": "a"})
        async with trio.open_nursery() as nursery:
            nursery.start_soon(runtime.register, "late", "SELECT id FROM t WHERE n > 15")
            nursery.start_soon(runtime.rebind, "mine", {"o": "c"})
            await trio.lowlevel.checkpoint()
            fail(runtime)
        await runtime.unregister("mine")
        fail(runtime)
        await tidy(runtime)
        assert [16, 17, 18, 19] == held(runtime)
        judge(runtime)
        assert set(runtime._workers["main"].lane.told) == {"late"}


async def test_explain_and_statistics_tell_why_and_how(autojump_clock):
    async with open_test(BY_PREDICATE, schemas=SCHEMAS) as runtime:
        await fill(runtime)
        await runtime.register("mine", MINE, {"o": "a"})
        (reason,) = runtime.explain_routing(merge("t", 0, {"owner": "b"}))
        assert reason.why == "the old image meets (owner = 'a') of mine, the new one does not: retract"
        (reason,) = runtime.explain_routing(merge("t", 1, {"n": 5}))
        assert not reason.routed and "meets none of its interests in t: (owner = 'a') of mine" in reason.why
        found = runtime.routing.statistics()["t"]
        assert 1 == found.predicates and 0.0 == found.scanned and ["eq"] == [lane.access for lane in found.lanes]


# Another strategy


async def test_another_strategy_takes_over_and_no_change_is_lost(autojump_clock, slices):
    async with open_test(schemas=SCHEMAS) as runtime:
        await runtime.create_circuit("ops")
        await fill(runtime)
        await runtime.register("mine", MINE, {"o": "a"})
        await runtime.register("all", "SELECT owner, count(*) AS n FROM t GROUP BY owner", circuit="ops")
        async with reading(runtime, "mine") as reader:
            for strategy, options in (
                ("predicate", {}), ("hybrid", {"by": "predicate"}), ("broadcast", {}), ("predicate", {}),
                ("shadow", {"a": "predicate", "b": "dependency"}), ("dependency", {}),
            ):  # fmt: skip
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(runtime.ingest, [merge("t", 2, {"owner": "a"}), delete("t", 3)])
                    await runtime.ingest(upsert("t", 99, {"owner": "a", "n": len(strategy)}), ack="queued")
                    await runtime.set_routing(strategy, options)
                    await runtime.ingest([merge("t", 2, {"owner": "c"}), upsert("t", 3, {"owner": "d", "n": 3})])
                await tidy(runtime)
                assert strategy == runtime.statistics().strategy
                judge(runtime, reader)
                balanced(runtime)
        assert 20 == len(held(runtime)) - 1


async def test_a_strategy_that_holds_the_same_rows_resets_nobody(autojump_clock):
    async with open_test(BY_PREDICATE, schemas=SCHEMAS) as runtime:
        await fill(runtime)
        await runtime.register("mine", MINE, {"o": "a"})
        epoch = runtime.circuits["main"].epoch
        await runtime.set_routing("hybrid", {"by": "predicate", "broadcast": ["u"]})
        await runtime.ingest(merge("t", 0, {"owner": "b"}))
        assert epoch == runtime.circuits["main"].epoch
        judge(runtime)
        await runtime.set_routing("hybrid", {"by": "predicate", "broadcast": ["t"]})
        assert epoch != runtime.circuits["main"].epoch
        judge(runtime)


async def test_a_strategy_that_is_wrong_changes_nothing(autojump_clock):
    async with open_test(BY_PREDICATE, schemas=SCHEMAS) as runtime:
        await fill(runtime)
        await runtime.register("mine", MINE, {"o": "a"})
        for strategy, options in (("predicat", {}), ("hybrid", {"bye": "x"}), ("routed", {})):
            with pytest.raises(Exception) as caught:
                await runtime.set_routing(strategy, options)
            assert isinstance(caught.value, ConfigError) or "routed needs to know" in str(caught.value)
        assert "predicate" == runtime.statistics().strategy
        await runtime.ingest(merge("t", 0, {"owner": "b"}))
        judge(runtime)


class SwitchingStory(Story):
    """Strategies too may change at any moment."""

    async def _switch(self, number):
        strategy, options = SWITCHES[number]
        self.start(lambda: self.runtime.set_routing(strategy, options))

    async def _rebind(self, circuit, view, number):
        given = self.scenario.views[view].params
        if given:
            moved = {name: value + number if type(value) is int else value for name, value in given.items()}
            self.start(lambda: self.runtime.rebind(view, moved, circuit=circuit))


SWITCHES = (
    ("predicate", {}), ("dependency", {}), ("broadcast", {}), ("hybrid", {"by": "predicate", "broadcast": ["a"]}),
)  # fmt: skip


moving_parameters = st.builds(
    lambda n, owner, history: SimpleNamespace(schemas=law.SCHEMAS, history=history, views={
        "v0": SimpleNamespace(plan=law.QUERIES["both"], params={"o": owner, "n": n}),
        "v1": SimpleNamespace(plan=law.QUERIES["left"], params={"n": n}),
        "v2": SimpleNamespace(plan=law.QUERIES["open"], params={"n": n}),
    }),
    law.small, law.owners, st.lists(st.lists(law.changes, min_size=1, max_size=4), max_size=8),
)  # fmt: skip


@scaled(2)
@given(
    scenario=st.one_of(scenarios(views=3, batches=8, scans=3), moving_parameters),
    script=st.lists(
        st.one_of(
            steps, steps, st.tuples(st.just("switch"), st.integers(0, len(SWITCHES) - 1)),
            st.tuples(st.just("rebind"), circuits, views, st.integers(0, 3)),
        ),
        min_size=5, max_size=40,
    ),
    slice=st.sampled_from((1, 3, 512)),
)  # fmt: skip
def test_whatever_happens_and_whoever_routes(scenario, script, slice):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "SLICE", slice)
        trio.run(tell, scenario, script, clock=MockClock(autojump_threshold=0))


async def tell(scenario, script):
    start = [("register", "main", view) for view in scenario.views]
    script = (*start, ("pause", 8), *script)
    config = {"ingress": {"strict": False}}
    async with told(config, scenario, script, SwitchingStory, schemas=scenario.schemas) as story:
        await tidy(story.runtime)
        judge(story.runtime)


async def test_a_circuit_destroyed_amid_all_this_takes_nothing_along(autojump_clock, slices):
    async with open_test(BY_PREDICATE, schemas=SCHEMAS) as runtime:
        await runtime.create_circuit("ops")
        await fill(runtime)
        await runtime.register("mine", MINE, {"o": "a"}, circuit="ops")
        await runtime.register("late", "SELECT id FROM t WHERE n > 15", circuit="ops")
        async with runtime.subscribe("mine", circuit="ops") as reader, trio.open_nursery() as nursery:

            async def move():
                with suppress(Closed):
                    await runtime.rebind("mine", {"o": "b"}, circuit="ops")

            nursery.start_soon(move)
            await trio.lowlevel.checkpoint()
            await runtime.unregister("late", circuit="ops")
            await runtime.ingest(upsert("t", 4, {"owner": "a", "n": 44}), ack="queued")
            await runtime.destroy_circuit("ops")
            async for _ in reader:
                pass
        router = runtime._registry.router
        assert not router._truth.readers("t") and not runtime._registry.base.regions._asked
        await runtime.create_circuit("ops")
        await runtime.register("mine", MINE, {"o": "b"}, circuit="ops")
        judge(runtime)


# Queries of one circuit


async def test_a_circuit_answers_from_what_it_holds_or_says_that_it_cannot(autojump_clock):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    count = "SELECT count(*) AS n FROM t"
    async with open_test(BY_PREDICATE, schemas=SCHEMAS) as runtime:
        await fill(runtime)
        await runtime.register("mine", MINE, {"o": "a"})
        main = runtime.circuits["main"]
        assert [(5,)] == (await main.query(f"{count} WHERE owner = 'a'")).rows
        assert [(2,)] == (await main.query(f"{count} WHERE n > $n AND owner = 'a'", {"n": 10})).rows
        assert [(5,)] == (await main.query("SELECT count(*) FROM mine")).rows
        for where, rows in (("", 20), ("WHERE owner = 'b'", 5), ("WHERE owner = 'a' OR n = 1", 6), ("WHERE n = 4", 1)):
            assert [(rows,)] == (await runtime.query(f"{count} {where}")).rows
            with pytest.raises(NotCovered, match="does not hold the rows of table 't'"):
                await main.query(f"{count} {where}")
        await runtime.register("large", "SELECT id FROM t WHERE n > 12")
        assert [(5,)] == (await main.query(f"{count} WHERE n >= 15")).rows, "what is above 15 is above 12"
        assert [(2,)] == (await main.query(f"{count} WHERE n IN (13, 19, 50)")).rows
        for beyond in ("n >= 12", "n IN (5, 19)", "n > 12 OR owner = 'b'"):
            with pytest.raises(NotCovered):
                await main.query(f"{count} WHERE {beyond}")
        fail(runtime)
        assert [(5,)] == (await main.query(f"{count} WHERE owner = 'a'")).rows, "once it is back"
        fail(runtime)
        with pytest.raises(NotCovered):
            await main.query(count)
        await runtime.register("all", "SELECT owner FROM t")
        assert [(20,)] == (await main.query(count)).rows
        await runtime.unregister("all")
        with pytest.raises(NotCovered):
            await main.query(count)
        with pytest.raises(Exception, match="nowhere"):
            await main.query("SELECT nowhere.x FROM t")


async def test_whole_tables_cover_every_query_of_them(autojump_clock):
    async with open_test(schemas=SCHEMAS) as runtime:
        await fill(runtime)
        with pytest.raises(NotCovered):
            await runtime.circuits["main"].query("SELECT count(*) FROM t")
        await runtime.register("mine", MINE, {"o": "a"})
        assert [(20,)] == (await runtime.circuits["main"].query("SELECT count(*) FROM t")).rows
