"""What the planner is told of tables changes what a view costs, and nothing else; and `explain` says what it was told."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine import template
from sspcore.engine.change import upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.schema import Schema
from sspcore.plan import join_order
from sspcore.plan.join_order import TableStatistics
from sspcore.testing.generate.choices import Choices
from sspcore.testing.generate.conditions import inner_joins
from sspcore.testing.generate.plans import lift
from sspcore.testing.generate.scenarios import Scenario, ViewPlan
from sspcore.testing.generate.tables import History, schemas
from sspcore.testing.oracle import LawBroken
from tests.laws.world import World
from tests.profiles import scaled

CHAIN = "SELECT t.id, v.id FROM t JOIN u ON t.x = u.x JOIN v ON u.y = v.y"
TABLES = [Schema(name, {"x": "integer", "y": "integer"}) for name in "tuv"]


def joined(random):
    """A scenario of one view that joins several tables, and statistics that may be wrong."""
    c = Choices(random)
    tables = schemas(c)
    view = ViewPlan(*lift(c, inner_joins(c, tables)))
    maker = History(c, tables)
    statistics = {
        schema.table: TableStatistics(
            c.pick((0, 1, 10, 1_000, 10**6)), {name: c.pick((1, 5, 10**5)) for name in schema.names if c.chance(50)}
        )
        for schema in tables if c.chance(80)
    }  # fmt: skip
    return Scenario(tables, {"v": view}, [maker.fill(), *[maker.batch() for _ in range(3)]]), statistics


def expect_right(scenario, told, execution):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(template, "assumptions", lambda plan, tables: told)
        world = World(scenario, execution=execution)
        for batch in scenario.history:
            world.apply(batch)


@pytest.mark.parametrize("execution", ["compiled", "operators"])
@scaled(0.5)
@given(random=st.randoms(use_true_random=False))
def test_views_are_right_whatever_the_planner_was_told(execution, random):
    scenario, statistics = joined(random)
    expect_right(scenario, statistics, execution)


def test_the_law_finds_brackets_that_lose_a_condition(monkeypatch):
    monkeypatch.setattr(join_order, "conjunction", lambda parts: join_order.conjuncts(parts[0])[0] if parts else None)

    def first_seeds():
        for seed in range(100):
            expect_right(*joined(Random(seed)), "compiled")

    with pytest.raises(LawBroken):
        first_seeds()


def filled(**rows):
    circuit = Circuit(schemas=TABLES)
    circuit.apply([upsert(name, at, {"x": at % 10, "y": at % 7}) for name, many in rows.items() for at in range(many)])
    return circuit


def test_joins_are_ordered_for_the_tables_as_they_are_when_first_planned():
    small_left, small_right = filled(t=2, u=400, v=400), filled(t=400, u=400, v=2)
    small_right.register("of x", "SELECT t.id FROM t JOIN u ON t.x = u.x")  # so that x is arranged, and counted

    assert str(small_left.explain(CHAIN)).endswith(
        "planned for t of 2 rows\nplanned for u of 400 rows\nplanned for v of 400 rows"
    )
    right = small_right.explain(CHAIN)
    assert right.assumed == {
        "t": TableStatistics(400, {"x": 10}), "u": TableStatistics(400, {"x": 10}), "v": TableStatistics(2),
    }  # fmt: skip
    assert small_left.explain(CHAIN).optimised != right.optimised

    small_right.register("chain", CHAIN)
    small_right.apply([upsert("v", at, {"y": at}) for at in range(1_000)])
    for asked in ("chain", CHAIN):
        assert small_right.explain(asked).assumed == right.assumed
        assert small_right.explain(asked).optimised == right.optimised


def test_nothing_is_assumed_of_empty_tables_nor_where_there_is_no_choice():
    circuit = filled(t=3)

    assert circuit.explain(CHAIN).assumed == {"t": TableStatistics(3)}
    assert circuit.explain("SELECT t.id FROM t JOIN u ON t.x = u.x").assumed is None
