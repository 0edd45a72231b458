"""Circuits whose shares move with data: whatever happens meanwhile, once settled each holds its share and nothing else.

The shares are told anew by the tests, naively, from the rows of the placement table; the strategy decides nothing here.
"""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from sspcore import Schema, delete, merge, upsert
from sspcore.abc import ALL
from sspcore.ingress import lane, regions, walk
from sspcore.routing.meta.strategy import Meta
from sspcore.testing.oracle import LawBroken, expect_value
from tests.runtime.test_interleavings import asking, steps, told
from tests.runtime.tools import balanced, fail, open_test

SCHEMAS = [
    Schema("t", {"id": "integer", "home": "text", "x": "integer"}), Schema("u", {"id": "integer", "y": "text"}),
    Schema("p", {"id": "text", "circuit": "text"}),
]  # fmt: skip
QUERIES = {
    "v0": "SELECT id, home, x FROM t",
    "v1": "SELECT home, count(*) AS n FROM t WHERE x = 1 GROUP BY home",
    "v2": "SELECT t.id, u.y FROM t JOIN u ON u.id = t.x WHERE t.home = 'a' OR t.home = 'b'",
}
ROUTES = [{"sql": "SELECT circuit, 't' AS \"table\", 'home' AS \"column\", id AS value FROM p"}]
PLACED = {"strategy": "meta", "placement": ["p"], "routes": ROUTES}
WITH_DEFAULT = PLACED | {"default": "main"}


def judge(runtime, default):
    """Each view is its plan over its circuit's share, of which the circuit holds what its views are interested in."""
    base = runtime._registry.base.tables
    claims = [(row[0], row[1]) for row in base["p"].rows.values() if row[1] is not None]

    def belongs(circuit, row):
        homes = {claimant for home, claimant in claims if home == row[1]}
        return circuit in homes if homes else circuit == default

    for name, worker in runtime._workers.items():
        if not worker.lane.running:
            continue
        share = {table: SimpleNamespace(names=held.schema.names, rows=held.rows) for table, held in base.items()}
        share["t"].rows = {key: row for key, row in base["t"].rows.items() if belongs(name, row)}
        for view_id in worker.lane.views:
            view = worker.stage.circuit.view(view_id)
            expect_value(view.keys(), view.rows(), view.bound, share, f"view {view_id!r} of {name!r}")
        for table in worker.lane.needed():
            wishes = [r.interests[table] for r in worker.lane.views.values() if table in r.interests]
            wanted = {k: row for k, row in share[table].rows.items() if any(w is ALL or w.matches(row) for w in wishes)}
            if wanted != worker.stage.circuit.tables[table].rows:
                raise LawBroken(f"{name!r} does not hold what it wants of its share of {table!r}")


homes = st.sampled_from(("a", "b", "c", None))
change = st.one_of(
    st.builds(lambda key, home, x: upsert("t", key, {"home": home, "x": x}), st.integers(0, 5), homes, st.integers(0, 2)),
    st.builds(lambda key, home: merge("t", key, {"home": home}), st.integers(0, 5), homes),
    st.builds(lambda key: delete("t", key), st.integers(0, 5)),
    *[
        st.builds(lambda key, circuit: upsert("p", key, {"circuit": circuit}), st.sampled_from("aab"),
                  st.sampled_from(("main", "ops", "ops", "other", None)))
    ] * 2,
    st.builds(lambda key: delete("p", key), st.sampled_from("ab")),
    st.builds(lambda key, y: upsert("u", key, {"y": y}), st.integers(0, 2), st.sampled_from("ab")),
)  # fmt: skip
histories = st.lists(st.lists(change, min_size=1, max_size=4), min_size=3, max_size=12)


async def tell(history, script, routing):
    config = {"routing": routing, "ingress": {"strict": False}}
    async with told(config, asking(QUERIES, history), script, schemas=SCHEMAS) as story:
        judge(story.runtime, routing.get("default"))
        assert () == story.runtime._registry.router.strategy.placement().leaving


@pytest.mark.parametrize("routing", [PLACED, WITH_DEFAULT], ids=["placed", "with a default"])
@given(history=histories, script=st.lists(steps, min_size=5, max_size=40), slice=st.sampled_from((1, 3, 512)))
def test_whatever_happens_each_view_is_its_plan_over_the_share(routing, history, script, slice):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "SLICE", slice)
        trio.run(tell, history, script, routing, clock=MockClock(autojump_threshold=0))


async def life(runtime, check):
    """Shares, a late view, a tenant that moves and flips, one that goes, a failure, a circuit that goes and returns."""
    await runtime.create_circuit("ops")
    await runtime.ingest([upsert("p", "a", {"circuit": "main"}), upsert("p", "b", {"circuit": "ops"})])
    await runtime.register("v0", QUERIES["v0"])
    await runtime.register("v1", QUERIES["v1"], circuit="ops")
    await runtime.ingest([upsert("t", key, {"home": "abc"[key % 3], "x": key % 2}) for key in range(9)])
    await check()
    await runtime.register("v0", QUERIES["v0"], circuit="ops")
    await check()
    await runtime.ingest(upsert("p", "a", {"circuit": "ops"}))
    await check()
    await runtime.ingest([upsert("p", "a", {"circuit": "main"}), merge("t", 0, {"x": 7})])
    await runtime.ingest(upsert("p", "a", {"circuit": "ops"}))
    await runtime.ingest(merge("t", 3, {"x": 8}))
    await check()
    await runtime.ingest(delete("p", "b"))
    await check()
    fail(runtime, "ops")
    await runtime.ingest(upsert("p", "b", {"circuit": "ops"}))
    await runtime.settle()
    await check()
    await runtime.destroy_circuit("ops")
    await runtime.ingest([merge("t", 2, {"x": 1}), upsert("p", "c", {"circuit": "ops"})])
    await check()
    await runtime.create_circuit("ops")
    await runtime.register("v0", QUERIES["v0"], circuit="ops")
    await check()


@pytest.mark.parametrize("routing", [PLACED, WITH_DEFAULT], ids=["placed", "with a default"])
async def test_a_whole_life(routing, autojump_clock):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    async with open_test({"routing": routing}, schemas=SCHEMAS) as runtime:

        async def check():
            await runtime.settle()
            await trio.testing.wait_all_tasks_blocked()
            judge(runtime, routing.get("default"))

        await life(runtime, check)
        assert {"a", "b", "c"} == {row[1] for row in await runtime.rows("v0", circuit="ops")}


async def test_shares_begin_and_end_while_circuits_are_at_work(autojump_clock):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    options = {key: value for key, value in WITH_DEFAULT.items() if key != "strategy"}
    async with open_test(schemas=SCHEMAS) as runtime:
        await runtime.create_circuit("ops")
        await runtime.ingest([upsert("p", "a", {"circuit": "main"}), upsert("p", "b", {"circuit": "ops"})])
        await runtime.ingest([upsert("t", key, {"home": "abc"[key % 3], "x": key % 2}) for key in range(9)])
        for circuit in ("main", "ops"):
            for view, sql in QUERIES.items():
                await runtime.register(view, sql, circuit=circuit)
        await runtime.set_routing("meta", options)
        judge(runtime, "main")
        assert {"b"} == {row[1] for row in await runtime.rows("v0", circuit="ops")}
        async with runtime.routing.subscribe("route_0") as subscription:
            await runtime.ingest([upsert("p", "a", {"circuit": "ops"}), upsert("p", "b", {"circuit": "main"})])
            await runtime.settle()
            judge(runtime, "main")
            await runtime.set_routing("meta", options | {"default": "ops"})
            judge(runtime, "ops")
            assert 2 == len((await subscription.receive()).changes)
            with pytest.raises(trio.EndOfChannel, match="rows are routed by 'meta' from now on"):
                await subscription.receive()
        assert {"a", "c"} == {row[1] for row in await runtime.rows("v0", circuit="ops")}
        await runtime.set_routing("predicate")
        assert 9 == len(await runtime.rows("v0", circuit="ops"))
        balanced(runtime)


async def test_a_tenant_that_moves_costs_its_rows_once_one_has_moved(autojump_clock, monkeypatch):
    """The first walk goes over the whole table, and files it by the column that told what moves."""
    monkeypatch.setattr(regions, "LARGE", 100)
    looked = []

    class Counted(walk.Walk):
        def __init__(self, table, ids, *more, **named):
            ids = list(ids)
            looked.append(len(ids))
            super().__init__(table, ids, *more, **named)

    async with open_test({"routing": PLACED}, schemas=SCHEMAS) as runtime:
        await runtime.create_circuit("ops")
        await runtime.ingest([upsert("p", f"h{n}", {"circuit": "main"}) for n in range(100)])
        await runtime.ingest([upsert("t", n, {"home": f"h{n % 100}", "x": n}) for n in range(300)])
        for circuit in ("main", "ops"):
            await runtime.register("v0", QUERIES["v0"], circuit=circuit)
        monkeypatch.setattr(lane, "Walk", Counted)
        await runtime.ingest(upsert("p", "h1", {"circuit": "ops"}))
        await runtime.settle()
        assert [300, 3] == looked, "the second walk of the two finds it filed"
        del looked[:]
        await runtime.ingest(upsert("p", "h2", {"circuit": "ops"}))
        await runtime.settle()
        assert [3, 3] == looked
        judge(runtime, None)
        await runtime.set_routing("dependency")
        assert not any(isinstance(name, tuple) and name[0] == "by value" for name in (
            runtime._registry.base.tables["t"].arrangements
        ))  # fmt: skip


FAULTS = {
    "nothing is gained": lambda move: move._replace(gained=None), "nothing is lost": lambda move: move._replace(lost=None),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_planted_faults_are_caught(fault, autojump_clock, monkeypatch):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    admitted = Meta.admitted
    monkeypatch.setattr(Meta, "admitted", lambda self, rows: list(map(fault, admitted(self, rows))))
    async with open_test({"routing": PLACED}, schemas=SCHEMAS) as runtime:

        async def check():
            await runtime.settle()
            await trio.testing.wait_all_tasks_blocked()
            judge(runtime, None)

        with pytest.raises(LawBroken):
            await life(runtime, check)
