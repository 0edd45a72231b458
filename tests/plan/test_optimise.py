"""The planner changes no meaning: every rule alone, and all of them, over random plans; and unsound rules are caught."""

from itertools import chain
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.change import create
from sspcore.engine.interpret import interpret
from sspcore.engine.schema import Schema
from sspcore.plan import infer, normalise, optimise, prune, pushdown, tidy
from sspcore.plan.check import check
from sspcore.plan.expressions import Call, Column, Constant, Param, columns_read
from sspcore.plan.join_order import TableStatistics, order_joins
from sspcore.plan.nodes import (
    Aggregate,
    AggregateCall,
    Distinct,
    Except,
    Filter,
    Intersect,
    Join,
    Project,
    Recursive,
    Scan,
    SemiJoin,
    Union,
    Working,
)
from sspcore.plan.sql.lower import lower
from sspcore.plan.traverse import columns, ordering
from sspcore.testing.generate.choices import Choices
from sspcore.testing.generate.conditions import conditional, inner_joins
from sspcore.testing.generate.plans import lift, plan
from sspcore.testing.generate.scenarios import Scenario, ViewPlan
from sspcore.testing.generate.tables import History, schemas
from sspcore.testing.oracle import LawBroken, PlainTable, expect_value
from tests.plan import sql_world
from tests.plan.sql_corpus import QUERIES
from tests.profiles import scaled

RULES = {rule.__name__: rule for rule in (*optimise.RULES, optimise.optimise)}


def world(c, make):
    """A plan with parameters, and tables in the states that a history leaves."""
    tables = schemas(c)
    view = ViewPlan(*lift(c, make(c, tables)))
    maker = History(c, tables)
    return Scenario(tables, {"v": view}, [maker.fill(), *[maker.batch() for _ in range(2)]])


def random_world(random):
    c = Choices(random)
    return world(c, conditional if c.chance(60) else plan)


def expect_same_meaning(scenario, rule):
    """The plan and its rewritten form agree on columns and order, and over every state on keys and rows."""
    view = scenario.views["v"]
    rewritten = rule(view.plan)
    check(rewritten)
    assert columns(rewritten) == columns(view.plan)
    assert (ordering(rewritten) is None) == (ordering(view.plan) is None)
    tables = {schema.table: PlainTable(schema) for schema in scenario.schemas}
    for batch in scenario.history:
        for change in batch:
            tables[change.table].apply(change)
        value = interpret(rewritten, tables, view.params)
        expect_value(list(value), list(value.values()), view.bound, tables, "the rewritten plan")


@pytest.mark.parametrize("name", RULES)
@scaled(2)
@given(random=st.randoms(use_true_random=False))
def test_a_rule_keeps_rows_keys_columns_and_order(name, random):
    expect_same_meaning(random_world(random), RULES[name])


@scaled(0.5)
@given(st.randoms(use_true_random=False))
def test_what_is_optimised_stays_so(random):
    """Where the rules have come to an end, they leave a plan alone: equal plans stay one template."""
    scenario = random_world(random)
    once = optimise.optimise(scenario.views["v"].plan)
    twice = optimise.optimise(once)

    assert optimise.optimise(twice) == twice


@pytest.mark.parametrize("name", RULES)
def test_the_random_plans_give_every_rule_work(name):
    plans = [random_world(Random(seed)).views["v"].plan for seed in range(100)]

    assert sum(RULES[name](p) != p for p in plans) >= 5


HALF = Call("=", (Call("/", (Column(0), Constant(2))), Constant(0.5)))
"""TRUE of 1.0, FALSE of 1, which is equal."""
A, B = Scan("a", ("u",)), Scan("b", ("u",))
WRITTEN_APART = (
    Filter(Distinct(A), HALF),
    Filter(Union((A, B)), HALF),
    Filter(Intersect(A, B), HALF),
    Filter(Except(A, Filter(B, Call("=", (Column(0), Constant(2))))), HALF),
    Filter(Aggregate(A, (("u", Column(0)),), (("n", AggregateCall("count")),)), HALF),
    Filter(Join("inner", A, B, ((Column(0), Column(0)),)), HALF),
    Filter(SemiJoin(A, Distinct(B), ((Call("cast", (Column(0), Constant("text"))),) * 2,)), HALF),
)


def written_apart(shown):
    """Two tables that hold equal values written in several ways, under one of the plans above."""
    values = (1, 1.0, 2, 2.0, None, True)
    fill = [create(t, i, {"u": v}) for t in "ab" for i, v in enumerate(values if t == "a" else values[::-1])]
    return Scenario([Schema(t, {"u": "any"}) for t in "ab"], {"v": ViewPlan(shown, {})}, [fill])


@pytest.mark.parametrize("shown", WRITTEN_APART, ids=lambda p: type(p.input).__name__)
@pytest.mark.parametrize("name", RULES)
def test_conditions_tell_equal_values_apart(name, shown):
    """What is shown for equal values is one of them: a condition on how it is written stays above."""
    expect_same_meaning(written_apart(shown), RULES[name])


def rows_of_a_padded_side(patch):
    """WHERE goes below the side that is padded: rows it would take away come back, padded."""
    patch.setattr(pushdown, "_may_enter", lambda kind: frozenset({"left", "right"}))
    patch.setattr(pushdown, "stricter", lambda kind, *_: kind)


def rows_of_a_preserved_side(patch):
    """ON goes below the side that is preserved: rows that fail it vanish, where they should be padded."""
    patch.setattr(pushdown, "_may_be_thinned", lambda kind: frozenset({"left", "right"}))


def null_tests_reject_nulls(patch):
    """Any condition on the padded side makes the join inner, IS NULL and COALESCE among them."""
    patch.setattr(pushdown, "rejects", lambda condition, nulls: any(i in nulls for i in columns_read(condition)))


def equal_values_are_the_same(patch):
    """Conditions on how a value is written pass DISTINCT and GROUP BY, which show one of several equal values."""
    patch.setattr(pushdown, "congruent", lambda condition, leaf: all(leaf(Column(i)) for i in columns_read(condition)))


def full_joins_are_thinned(patch):
    """A full join loses rows that have no partner."""
    patch.setattr(infer, "_THINNED", dict.fromkeys(("inner", "left", "right", "full"), (True, True)))


def equal_values_divide_alike(patch):
    """`a = b` and `a / 2 = 1` give `b / 2 = 1`: not where one is an integer."""
    patch.setattr(infer, "congruent", lambda condition, leaf: all(leaf(Column(i)) for i in columns_read(condition)))


def distinct_rows_stay_distinct(patch):
    """What a projection makes of distinct rows is taken for distinct."""
    whole = tidy.canonical_keys
    patch.setattr(tidy, "canonical_keys", lambda p: whole(p.input if isinstance(p, tidy.Project) else p))


def nothing_is_less_than_its_negation(patch):
    """NOT a < b is taken for a > b."""
    patch.setattr(normalise, "_NEGATED", {**normalise._NEGATED, "<": ">", "=": "is distinct"})


def distinct_rows_need_only_what_is_read(patch):
    """Columns that nobody reads go below DISTINCT too."""
    whole = prune._prune

    def cut(p, needed):
        if isinstance(p, prune.Nest | tidy.Distinct):
            below, at = whole(p.input if isinstance(p, tidy.Distinct) else p, needed)
            return (tidy.Distinct(below), at) if isinstance(p, tidy.Distinct) else (below, at)
        return whole(p, needed)

    patch.setattr(prune, "_prune", cut)


def orders_do_not_matter(patch):
    """An order that ends a plan is dropped with those that end parts of it."""
    whole = pushdown._push
    patch.setattr(pushdown, "_push", lambda p, down, above, top=False: whole(p, down, above))


FAULTS = (
    rows_of_a_padded_side, rows_of_a_preserved_side, null_tests_reject_nulls, equal_values_are_the_same,
    full_joins_are_thinned, equal_values_divide_alike, distinct_rows_stay_distinct,
    nothing_is_less_than_its_negation, distinct_rows_need_only_what_is_read, orders_do_not_matter,
)  # fmt: skip


WORLDS = 1_000


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_an_unsound_rule_is_caught(fault):
    with pytest.MonkeyPatch.context() as patch:
        fault(patch)
        random = (world(Choices(Random(seed)), conditional) for seed in range(WORLDS))
        for scenario in chain(map(written_apart, WRITTEN_APART), random):
            try:
                expect_same_meaning(scenario, optimise.optimise)
            except (LawBroken, AssertionError):
                return
    pytest.fail(f"{WORLDS} random plans did not show the fault")


def test_a_condition_reaches_both_sides_of_a_join():
    """`a.x = b.y AND b.y = $k`: both tables are read under it, NULL or not."""
    joined = Join("inner", Scan("a", ("id", "x")), Scan("b", ("y",)), ((Column(1), Column(0)),))
    made = optimise.optimise(Filter(joined, Call("=", (Column(2), Param("k")))))

    assert made == Join(
        "inner",
        Filter(Scan("a", ("id", "x")), Call("=", (Column(1), Param("k")))),
        Filter(Scan("b", ("y",)), Call("=", (Column(0), Param("k")))),
        ((Column(1), Column(0)),),
    )


EDGES = Scan("e", ("u", "v"))
CLOSURE = Recursive(
    EDGES,
    Project(
        Join("inner", Working("r", ("u", "v")), EDGES, ((Column(1), Column(0)),)), (("u", Column(0)), ("v", Column(3)))
    ),
    "r",
)


def from_or_to(column):
    """The closure of some edges, from or to a node."""
    edges = [(1, 2), (2, 3), (3, 1), (3, 4), (5, 4), (4, 4)]
    fill = [create("e", i, {"u": u, "v": v}) for i, (u, v) in enumerate(edges)]
    shown = Filter(CLOSURE, Call("=", (Column(column), Param("node"))))
    return Scenario([Schema("e", {"u": "integer", "v": "integer"})], {"v": ViewPlan(shown, {"node": 3})}, [fill])


def test_a_condition_enters_a_recursion_by_columns_that_stay():
    """Where paths start stays the same from step to step; where they end does not."""
    start = from_or_to(0)
    entered = optimise.optimise(start.views["v"].plan)

    assert isinstance(entered, Recursive) and isinstance(entered.base, Filter)
    assert entered.base.predicate == Call("=", (Column(0), Param("node")))
    expect_same_meaning(start, optimise.optimise)
    end = from_or_to(1)
    assert isinstance(optimise.optimise(end.views["v"].plan), Filter)
    expect_same_meaning(end, optimise.optimise)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pushdown, "passed", lambda step, name: {0: 0, 1: 1})
        with pytest.raises(LawBroken):
            expect_same_meaning(end, optimise.optimise)


@pytest.mark.parametrize("seed", range(3))
def test_queries_in_sql_mean_what_they_meant(seed):
    """The corpus of SQL, over random small tables."""
    world_of_sql = sql_world.tables(seed)
    for _, sql in QUERIES:
        lowered = lower(sql, sql_world.CATALOG).plan
        made = optimise.optimise(lowered)
        assert columns(made) == columns(lowered)
        value = interpret(made, world_of_sql)
        expect_value(list(value), list(value.values()), lowered, world_of_sql, sql)


def random_statistics(random):
    c = Choices(random)
    return {
        table: TableStatistics(c.pick((0, 1, 10, 1_000, 10**6)), {n: c.pick((1, 5, 10**5)) for n in ("u", "v", "id")})
        for table in "abc" if c.chance(80)
    }  # fmt: skip


@scaled(2)
@given(st.randoms(use_true_random=False))
def test_statistics_change_the_cost_and_nothing_else(random):
    """Right or wrong, they move brackets: rows, keys, columns and order stay."""
    scenario, statistics = world(Choices(random), inner_joins), random_statistics(random)

    expect_same_meaning(scenario, lambda p: optimise.optimise(p, statistics))
    expect_same_meaning(scenario, lambda p: order_joins(p, statistics))


def test_statistics_move_brackets_of_random_plans():
    worlds = [(world(Choices(Random(seed)), inner_joins).views["v"].plan, Random(seed)) for seed in range(100)]

    assert sum(optimise.optimise(p, random_statistics(r)) != optimise.optimise(p) for p, r in worlds) >= 10


def chained():
    """Three tables, each joined to the next."""
    t, u, v = (Scan(name, ("x", "y")) for name in "tuv")
    first = Join("inner", t, u, ((Column(1), Column(0)),))
    return first, Join("inner", first, v, ((Column(3), Column(0)),))


def test_the_tables_that_leave_few_rows_are_joined_first():
    first, chain_of_three = chained()
    many, one = {"x": 10, "y": 10}, {"x": 1_000, "y": 1_000}

    left_is_small = {t: TableStatistics(1_000, one if t in "tu" else many) for t in "tuv"}
    right_is_small = {t: TableStatistics(1_000, one if t in "uv" else many) for t in "tuv"}
    right_is_small["u"] = TableStatistics(1_000, {"x": 10, "y": 1_000})

    assert optimise.optimise(chain_of_three, left_is_small).left == first
    moved = optimise.optimise(chain_of_three, right_is_small)
    assert isinstance(moved.right, Join) and moved.left == Scan("t", ("x", "y"))
    assert optimise.optimise(chain_of_three) == chain_of_three
