"""Circuits that hold shares: filled late, moved between, failed and made again, each view is its plan over the share.

The shares are told anew by the tests, naively, from the base tables; nothing of the strategies decides what is right.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from types import SimpleNamespace

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from sspcore import Schema, delete, hookimpl, merge, upsert
from sspcore.abc import StrategySpec
from sspcore.errors import ChangeRejected, PluginError
from sspcore.ingress import walk
from sspcore.routing.routed import Routed, RoutedOptions
from sspcore.routing.sharded import Sharded, ShardedOptions
from sspcore.testing.oracle import LawBroken, expect_value
from tests.profiles import scaled
from tests.runtime.test_interleavings import asking, steps, told
from tests.runtime.tools import balanced, fail, open_test

SCHEMAS = [Schema("t", {"id": "integer", "home": "text", "x": "integer"}), Schema("u", {"id": "integer", "y": "text"})]
QUERIES = {
    "v0": "SELECT id, home, x FROM t",
    "v1": "SELECT home, count(*) AS n, sum(x) AS total FROM t GROUP BY home",
    "v2": "SELECT t.id, u.y FROM t JOIN u ON u.id = t.x",
}


def by_column(circuit, table, row):
    return table == "u" or circuit == (row["home"] or "main")


def by_function(circuit, table, row):
    return table == "u" or circuit == ("main", "ops")[row["id"] % 2]


def watched(circuit, table, row):
    return circuit == "main" or by_column(circuit, table, row)


RING = Sharded(ShardedOptions(("main", "ops")))


def by_hash(circuit, table, row):
    return table == "u" or RING.homes(table, row["id"], (row["x"],), ("id",)) == (circuit,)


def by_hash_of_x(circuit, table, row):
    key = row["id"] if row.get("x") is None else row["x"]
    return table == "u" or RING.homes(table, key, (), ()) == (circuit,)


class Plugin:
    """Strategies with a function, and the planted faults."""

    @hookimpl
    def sspcore_routing_strategies(self):
        function = Routed(RoutedOptions(tables={"u": "*"}), lambda table, key, row: ("main", "ops")[key % 2])
        faults = [StrategySpec(fault.__name__, lambda fault=fault: fault(COLUMN)) for fault in FAULTS]
        return [StrategySpec("by_function", lambda: function), StrategySpec("by_nothing", lambda: BROKEN), *faults]


COLUMN = RoutedOptions(column="home", tables={"u": "*"}, default="main")
BY_COLUMN = {"strategy": "routed", "column": "home", "tables": {"u": "*"}, "default": "main"}
CASES = {
    "routed by column": (BY_COLUMN, by_column),
    "routed by function": ({"strategy": "by_function"}, by_function),
    "routed, main whole": (BY_COLUMN | {"whole": ["main"]}, watched),
    "sharded by id": ({"strategy": "sharded", "circuits": ["main", "ops"], "everywhere": ["u"]}, by_hash),
    "sharded by x": (
        {"strategy": "sharded", "circuits": ["main", "ops"], "column": "x", "everywhere": ["u"]}, by_hash_of_x,
    ),
}  # fmt: skip


class NewImageOnly(Routed):
    """Forgets that a row may leave."""

    def route(self, rows):
        return super().route([row if row.new is None else row._replace(old=None) for row in rows])


class FilledWithEverything(Routed):
    """A late view finds all rows, not its share."""

    def holds(self, circuit, row):
        return True


class NotFilled(Routed):
    """A late view finds nothing."""

    def holds(self, circuit, row):
        return False


class AfterTheCircuits(Routed):
    """A row's home changes with the circuits there are."""

    def homes(self, table, key, image, columns, address=None):
        return super().homes(table, key, image, columns, address) if len(self.circuits) > 1 else ("main",)


class NeverRetracts(Routed):
    """A row that leaves stays."""

    def route(self, rows):
        return [tuple([target for target in targets if target[1] == "put"]) for targets in super().route(rows)]


FAULTS = [NewImageOnly, FilledWithEverything, NotFilled, AfterTheCircuits, NeverRetracts]
BROKEN = Routed(COLUMN, None)


def shares(runtime, circuit, belongs):
    """The base tables as a circuit should hold them."""
    held = {}
    for name, table in runtime._registry.base.tables.items():
        names = table.schema.names
        rows = {k: row for k, row in table.rows.items() if belongs(circuit, name, dict(zip(names, row, strict=True)))}
        held[name] = SimpleNamespace(names=names, rows=rows)
    return held


def judge(runtime, belongs):
    for name, worker in runtime._workers.items():
        if not worker.lane.running:
            continue
        share = shares(runtime, name, belongs)
        for view_id in worker.lane.views:
            view = worker.stage.circuit.view(view_id)
            expect_value(view.keys(), view.rows(), view.bound, share, f"view {view_id!r} of {name!r}")
        for table in worker.lane.needed():
            if share[table].rows != worker.stage.circuit.tables[table].rows:
                raise LawBroken(f"{name!r} does not hold its share of {table!r} as it is now")


ids = st.integers(0, 5)
rows = st.fixed_dictionaries({"home": st.sampled_from(("main", "ops", None)), "x": st.sampled_from((None, 0, 1, 2))})
change = st.one_of(
    st.builds(lambda key, row: upsert("t", key, row), ids, rows),
    st.builds(lambda key, row: merge("t", key, row), ids, rows),
    st.builds(lambda key: delete("t", key), ids),
    st.builds(lambda key, y: upsert("u", key, {"y": y}), st.integers(0, 2), st.sampled_from("ab")),
    st.builds(lambda key: delete("u", key), st.integers(0, 2)),
)
histories = st.lists(st.lists(change, min_size=1, max_size=6), max_size=8)


async def tell(history, script, routing, belongs):
    config = {"routing": routing, "ingress": {"strict": False}}
    async with told(config, asking(QUERIES, history), script, schemas=SCHEMAS, plugins=[Plugin()]) as story:
        judge(story.runtime, belongs)


@pytest.mark.parametrize(("routing", "belongs"), CASES.values(), ids=CASES)
@scaled(0.5)
@given(history=histories, script=st.lists(steps, min_size=5, max_size=40), slice=st.sampled_from((1, 3, 512)))
def test_whatever_happens_each_view_is_its_plan_over_the_share(routing, belongs, history, script, slice):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "SLICE", slice)
        trio.run(tell, history, script, routing, belongs, clock=MockClock(autojump_threshold=0))


async def life(runtime, check):
    """What a strategy must survive, in order: shares, a late view, moves, a failure, a circuit that goes and returns."""
    await runtime.create_circuit("ops")
    await runtime.register("v0", QUERIES["v0"])
    await runtime.ingest([upsert("t", key, {"home": ("main", "ops")[key % 2], "x": key}) for key in range(6)])
    await runtime.register("v0", QUERIES["v0"], circuit="ops")
    check()
    await runtime.ingest([merge("t", 0, {"home": "ops"}), merge("t", 1, {"home": "main"}), delete("t", 3)])
    check()
    fail(runtime, "ops")
    await runtime.settle()
    check()
    await runtime.destroy_circuit("ops")
    await runtime.ingest([merge("t", 2, {"x": 7}), delete("t", 5)])
    check()
    with suppress(ChangeRejected):  # its circuit does not exist
        await runtime.ingest(merge("t", 0, {"x": 9}))
    check()
    await runtime.create_circuit("ops")
    await runtime.register("v0", QUERIES["v0"], circuit="ops")
    check()
    await runtime.ingest(merge("t", 0, {"x": 8}))
    check()


IN_THE_SHADOW = {"strategy": "shadow", "a": "routed", "b": "dependency", "a_options": {
    option: value for option, value in BY_COLUMN.items() if option != "strategy"
}}  # fmt: skip


@pytest.mark.parametrize("routing", [BY_COLUMN, IN_THE_SHADOW], ids=["alone", "watched beside another"])
async def test_a_whole_life(routing, autojump_clock):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    async with open_test({"routing": routing}, schemas=SCHEMAS) as runtime:
        await life(runtime, lambda: judge(runtime, by_column))
        assert [(0, "ops", 8)] == await runtime.rows("v0", circuit="ops")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_planted_faults_are_caught(fault, autojump_clock):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    config = {"routing": {"strategy": fault.__name__}}
    async with open_test(config, schemas=SCHEMAS, plugins=[Plugin()]) as runtime:
        with pytest.raises(LawBroken):
            await life(runtime, lambda: judge(runtime, by_column))


async def test_a_row_without_a_circuit_is_refused_with_its_batch(autojump_clock):
    async with open_test({"routing": {"strategy": "routed", "column": "home"}}, schemas=SCHEMAS) as runtime:
        await runtime.register("v0", QUERIES["v0"])
        for row, message in (
            ({"x": 1}, "row 7 of 't' names no circuit: column 'home' is NULL or missing"),
            ({"home": "mian"}, "belongs to circuit 'mian', which does not exist; create it first"),
        ):
            with pytest.raises(ChangeRejected, match=message):
                await runtime.ingest([upsert("t", 1, {"home": "main"}), upsert("t", 7, row)])
            with pytest.raises(ChangeRejected, match=message):
                runtime.explain_routing(upsert("t", 7, row))
        assert [] == await runtime.rows("v0")
        assert 4 == runtime.statistics().refused
        balanced(runtime)


async def test_a_share_is_refused_rather_than_sent_to_everybody(autojump_clock, monkeypatch):
    """A partition cannot fall open: others would see rows that are none of theirs."""
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    monkeypatch.setattr(BROKEN, "homes", lambda *args: 1 / 0)
    async with open_test({"routing": {"strategy": "by_nothing"}}, schemas=SCHEMAS, plugins=[Plugin()]) as runtime:
        await runtime.register("v0", QUERIES["v0"])
        with pytest.raises(PluginError, match="'by_nothing' failed: division by zero"):
            await runtime.ingest(upsert("t", 1, {"home": "main"}))
        assert [] == await runtime.rows("v0")
        assert 0 == runtime.statistics().fell_open


async def test_an_open_table_that_grows_the_column_later(autojump_clock):
    """Rows from before have it as NULL, which is the default's; the column's place is the batch's, not the past's."""
    async with open_test({"routing": {"strategy": "routed", "column": "home", "default": "main"}}) as runtime:
        await runtime.create_circuit("ops")
        for circuit in ("main", "ops"):
            await runtime.register("all", "SELECT id FROM w", circuit=circuit)
        await runtime.ingest(upsert("w", 1, {"x": 1}))
        await runtime.ingest([upsert("w", 2, {"x": 1, "home": "ops"}), upsert("w", 3, {"x": 1, "home": "main"})])
        await runtime.ingest(merge("w", 1, {"home": "ops"}))

        assert [(3,)] == await runtime.rows("all")
        assert {(1,), (2,)} == set(await runtime.rows("all", circuit="ops"))
