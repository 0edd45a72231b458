"""Laws of routing by SQL, with a small world of base tables, circuits and walks around the strategy.

After every step: targets are exactly those of the postings, told anew by a circuit that knows only the placement rows,
and of the interests told; circuits hold what they want, current; once nothing is under way, they hold nothing else.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from sspcore.abc import ALL, Resolved
from sspcore.algebra.values import equals
from sspcore.engine.circuit import Circuit
from sspcore.engine.schema import Schema
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.routing.interest import Region
from sspcore.routing.meta.options import MetaOptions, RouteOptions
from sspcore.routing.meta.strategy import Meta
from tests.profiles import scaled

COLUMNS = {
    "tenants": ("id", "circuit", "region"), "regions": ("id", "circuit"), "orders": ("id", "tenant", "region", "x"),
    "items": ("id", "x"),
}  # fmt: skip
CIRCUITS = ("a", "b", "c")
TENANTS = ("t", 1, None, float("nan"), (1, "t"), True)

BY_TENANT = """SELECT circuit, 'orders' AS "table", 'tenant' AS "column", id AS value FROM tenants"""
BY_REGION = """
    SELECT r.circuit, 'orders' AS "table", 'region' AS "column", t.region AS value
    FROM tenants AS t JOIN regions AS r ON r.id = t.region"""
WHOLE = (
    """SELECT DISTINCT circuit, 'orders' AS "table", NULL AS "column", NULL AS value FROM regions WHERE id = 'all'"""
)
BUSIEST = """
    SELECT circuit, 'orders' AS "table", 'region' AS "column", max(region) AS value
    FROM tenants GROUP BY circuit ORDER BY count(*) DESC, circuit LIMIT 2"""
ROUTES = {
    "tenant": (BY_TENANT,), "both": (BY_TENANT, BY_REGION), "whole": (BY_TENANT, WHOLE), "top": (BUSIEST, BY_REGION),
}  # fmt: skip
SCHEMAS = [Schema(table, dict.fromkeys(COLUMNS[table], "any"), None) for table in ("tenants", "regions")]
PLANS = {sql: Circuit(schemas=SCHEMAS).explain(sql).plan for routes in ROUTES.values() for sql in routes}


class World:
    """Base tables, what circuits hold, and the walks and sweeps that a runtime would do, one row at a time."""

    def __init__(self, routes, default):
        self.options = MetaOptions(("tenants", "regions"), tuple(map(RouteOptions, routes)), default)
        self.meta = Meta(self.options)
        self.base = {table: {} for table in COLUMNS}
        self.views = {}
        """(circuit, view) → [interests that count last, all told and not settled]."""
        self.lost = {}
        """(circuit, table) → regions lost and not settled."""
        self.held = {}
        self.queried = None
        self.jobs = []
        """[kind, circuit, table, region, ids to go, done]"""

    def claims(self):
        """The postings by queries over the placement rows, with effect or not: (view, *row); until these change."""
        if self.queried is not None:
            return self.queried
        fresh = Circuit(schemas=SCHEMAS)
        fresh.deliver([(t, key, row) for t in self.options.placement for key, row in self.base[t].items()])
        found = [(self.options.name_of(at), fresh.query(PLANS[r.sql])) for at, r in enumerate(self.options.routes)]
        self.queried = [(name, *row) for name, result in found for row in result.rows]
        return self.queried

    def holders(self, table, image):
        if table != "orders":
            return set(CIRCUITS)
        image = dict(zip(COLUMNS[table], image, strict=True))
        found = {
            str(circuit) for _, circuit, _, column, value in self.claims()
            if type(circuit) in (str, int) and (column is None or equals(image[column], value) is True)
        }  # fmt: skip
        return found or ({self.options.default} - {None})

    def active(self, circuit, table):
        return [i[0][table] for (owner, _), i in self.views.items() if owner == circuit and table in i[0]]

    def told(self, circuit, table):
        return [told[table] for (o, _), i in self.views.items() if o == circuit for told in i[1] if table in told]

    def wants(self, circuit, table, image):
        return circuit in self.holders(table, image) and any(map(met(image), self.active(circuit, table)))

    def concerns(self, circuit, table, image):
        if image is None or not any(map(met(image), self.told(circuit, table))):
            return False
        return circuit in self.holders(table, image) or any(map(met(image), self.lost.get((circuit, table), ())))

    # Steps

    def change(self, table, rows):
        """A batch of one table: {id: new row or None}."""
        held = self.base[table]
        batch = [
            Resolved(table, key, held.get(key), new, COLUMNS[table])
            for key, new in rows.items() if held.get(key) != new
        ]  # fmt: skip
        routing = self.meta.route(batch)
        for row, targets in zip(batch, routing, strict=True):
            _, key, old, new, *_ = row
            expected = {
                (c, "put" if self.concerns(c, table, new) else "retract") for c in CIRCUITS
                if self.concerns(c, table, new) or self.concerns(c, table, old)
            }  # fmt: skip
            assert expected == set(targets), row
            assert {c for c, _ in expected} == {r.circuit for r in self.meta.explain(row) if r.routed}
            if new is None:
                del held[key]
            else:
                held[key] = new
            for circuit, kind in targets:
                put = kind == "put" and (not self.sweeping(circuit, table) or self.wants(circuit, table, new))
                self.deliver(circuit, table, key, new if put else None)
        if batch and self.meta.watches(table):
            self.queried = None
            for move in self.meta.admitted(batch):
                note(f"{move}: {move.gained} {move.lost}")
                assert self.told(move.circuit, move.table)
                if move.gained is not None:
                    self.job("walk", move.circuit, move.table, move.gained, None)
                if move.lost is not None:
                    self.lost.setdefault((move.circuit, move.table), []).append(move.lost)
                    self.job("sweep", move.circuit, move.table, move.lost, None)

    def sweeping(self, circuit, table):
        return any(job[0] == "sweep" and job[1:3] == [circuit, table] for job in self.jobs)

    def job(self, kind, circuit, table, region, view):
        self.jobs.append([kind, circuit, table, region, list(self.base[table]), view])

    def deliver(self, circuit, table, key, row):
        held = self.held.setdefault((circuit, table), {})
        if row is None:
            held.pop(key, None)
        else:
            held[key] = row

    def work(self, at):
        """One row of one job; what follows when it was the last."""
        job = self.jobs[at % len(self.jobs)]
        kind, circuit, table, region, ids, view = job
        if ids:
            key = ids.pop()
            image = self.base[table].get(key)
            if image is not None and met(image)(region):
                wanted = self.wants(circuit, table, image)
                if wanted or kind == "sweep":
                    self.deliver(circuit, table, key, image if wanted else None)
        if ids:
            return
        self.jobs.remove(job)
        if kind == "sweep" and view is None and not any(
            other[0] == "sweep" and other[1:3] == [circuit, table] and other[5] is None for other in self.jobs
        ):  # fmt: skip
            self.lost.pop((circuit, table), None)
            self.meta.settled(circuit, table)
        if kind == "sweep" and view is not None and not any(o[5] == view for o in self.jobs):
            self.meta.view_settled(circuit, view[1])
            of = self.views[view]
            of[1] = [of[0]]
            if not of[0]:
                del self.views[view]
                self.meta.view_removed(*view)
                self.forget_unread(circuit)

    def forget_unread(self, circuit):
        """Drop the tables that no view reads, with whatever was to be done there."""
        for table in COLUMNS:
            if not self.told(circuit, table):
                self.held.pop((circuit, table), None)
                self.lost.pop((circuit, table), None)
                self.jobs = [job for job in self.jobs if job[1:3] != [circuit, table]]

    def view(self, circuit, view, interests):
        name = circuit, view
        if name not in self.views:
            if not interests:
                return
            self.views[name] = [interests, [interests]]
            self.meta.view_added(circuit, view, interests)
        else:
            of = self.views[name]
            if of[0] == interests:
                return
            self.meta.view_changed(circuit, view, of[0], interests)
            old, of[0] = of[0], interests
            of[1].append(interests)
            for table, interest in old.items():
                self.job("sweep", circuit, table, interest, name)
        for table, interest in interests.items():
            self.job("walk", circuit, table, interest, None)

    def circuit(self, name, there):
        if there:
            self.meta.circuit_added(name)
            return
        for owner, view in [v for v in self.views if v[0] == name]:
            del self.views[owner, view]
            self.meta.view_removed(owner, view)
        self.meta.circuit_removed(name)
        self.forget_unread(name)

    # What must hold

    def check(self):
        claims = Counter((name, c, t, col, repr(value)) for name, c, t, col, value in self.claims())
        assert claims == Counter((p.view, p.circuit, p.table, p.column, repr(p.value)) for p in self.meta.postings())
        for table, rows in self.base.items():
            for circuit in CIRCUITS:
                held = self.held.get((circuit, table), {})
                walking = {key for job in self.jobs if job[1:3] == [circuit, table] for key in job[4]}
                for key, row in rows.items():
                    question = Resolved(table, key, None, row, COLUMNS[table])
                    assert (circuit in self.holders(table, row)) == self.meta.holds(circuit, question)
                    if self.wants(circuit, table, row):
                        assert key in held or key in walking, (circuit, table, key)
                    else:
                        assert key not in held or key in walking or self.sweeping(circuit, table), (circuit, table, key)
                for key, row in held.items():
                    assert rows.get(key) is row, (circuit, table, key, row)


def met(image):
    return lambda interest: interest is ALL or interest.matches(image)


def below(at, n):
    return Region(Call("<", (Column(at), Constant(n))))


ids = st.integers(0, 4)
circuits = st.sampled_from((*"aabbaabbc", "nowhere", None, 7, 1.5))
regions = st.sampled_from((*"nnnss", None))
CELLS = {
    "tenants": (st.sampled_from(("t", "t", "u", 1)), circuits, regions),
    "regions": (st.sampled_from((*"nns", "all")), circuits),
    "orders": (ids, st.sampled_from(("t", "t", "t", "u", 1, *TENANTS)), regions, ids),
    "items": (ids, ids),
}
interests = st.fixed_dictionaries({}, optional={
    table: st.one_of(st.just(ALL), st.integers(1, 4).map(partial(below, len(columns) - 1)))
    for table, columns in COLUMNS.items()
})  # fmt: skip
of_orders = st.one_of(st.just(ALL), st.integers(1, 4).map(partial(below, 3))).map(lambda region: {"orders": region})
changes = [
    st.tuples(
        st.just("change"),
        st.just(table),
        st.lists(st.tuples(st.tuples(*cells), st.sampled_from((False, False, True))), min_size=1, max_size=3),
    )
    for table, cells in CELLS.items()
]
steps = st.one_of(
    *changes[:3], *changes[:3], *changes[:3], changes[3],
    st.tuples(st.just("view"), st.sampled_from(CIRCUITS), st.sampled_from("vw"), interests | of_orders),
    *[st.tuples(st.just("work"), st.integers(0, 9))] * 3,
    st.tuples(st.just("circuit"), st.sampled_from(CIRCUITS)), st.tuples(st.just("finish")),
)  # fmt: skip


def run(world, script):
    there = set()
    for step in script:
        match step:
            case "change", table, rows:
                there_are = world.base[table]
                world.change(table, {row[0]: None if gone and row[0] in there_are else row for row, gone in rows})
            case "view", circuit, view, interests if circuit in there:
                world.view(circuit, view, interests)
            case "circuit", circuit:
                world.circuit(circuit, circuit not in there)
                there ^= {circuit}
            case "work", at if world.jobs:
                world.work(at)
            case ("finish",):
                while world.jobs:
                    world.work(0)
        world.check()
    while world.jobs:
        world.work(0)
    world.check()
    assert () == world.meta.placement().leaving


def change(table, *cells):
    return "change", table, [(cells, False)]


BEGIN = [
    *[("circuit", circuit) for circuit in CIRCUITS],
    *[("view", c, "v", {"orders": region}) for c, region in zip(CIRCUITS, (ALL, below(3, 2), below(3, 3)), strict=True)],
    change("orders", 0, "t", "n", 1), change("orders", 1, "t", "s", 2), change("orders", 2, "u", "n", 0),
]  # fmt: skip
"""Where most of what can go wrong is near."""
often = st.sampled_from((True, True, True, False))


@pytest.mark.parametrize("routes", ROUTES.values(), ids=ROUTES)
@scaled(0.5)
@given(script=st.lists(steps, min_size=8, max_size=30), begun=often, default=st.sampled_from((None, "c")))
def test_circuits_hold_what_the_queries_give_them(routes, default, script, begun):
    run(World(routes, default), [*(BEGIN if begun else ()), *script])
