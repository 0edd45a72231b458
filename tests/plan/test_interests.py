"""Interests are sound: with any rows left out that no scan is interested in, the plan has the very same value.

For each plan, random tables T and random H between σ_I(T) and T; `interpret` is the judge. That the law can fail is
proved by rules that are too bold (`BOLD`), each of which it must catch.
"""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import same
from sspcore.engine.interpret import interpret
from sspcore.engine.interpret_expressions import is_true
from sspcore.plan import interests as module
from sspcore.plan.expressions import Call, Column, Constant, Param, bind
from sspcore.plan.interests import interests
from sspcore.plan.nodes import (
    Aggregate,
    AggregateCall,
    AntiJoin,
    Distinct,
    Except,
    Filter,
    Intersect,
    Join,
    Mark,
    Nest,
    OrderTerm,
    Project,
    Rank,
    Recursive,
    Scan,
    SemiJoin,
    TopK,
    Union,
    Working,
)
from sspcore.plan.traverse import bind_plan
from sspcore.testing.generate.choices import Choices
from sspcore.testing.generate.scenarios import scenario
from sspcore.testing.oracle import PlainTable
from sspcore.testing.strategies import scenarios
from tests.profiles import scaled

NAMES = ("id", "a", "b")
T, U, V = (Scan(table, ("a", "b")) for table in "tuv")
A, B, C, D = (Column(i) for i in range(4))
A_IS_1, B_IS_2 = Call("=", (A, Constant(1))), Call("=", (B, Constant(2)))
ON = ((A, A),)
HALF = Call("=", (Call("/", (A, Constant(2))), Constant(0.5)))
"""Tells 1 from 1.0, so it may not pass where equals stand for one another."""


class Rows:
    names = NAMES

    def __init__(self, rows):
        self.rows = rows


def left_out(random, tables, wanted):
    """H: every row that is wanted, and a random part of the others; also how many were left out."""
    held, gone = {}, 0
    for name, table in tables.items():
        predicate = wanted.get(name, Constant(False))
        rows = {key: row for key, row in table.rows.items()
                if random.random() < 0.35 or predicate is None or is_true(predicate, row)}  # fmt: skip
        gone += len(table.rows) - len(rows)
        held[name] = type("Held", (), {"names": table.names, "rows": rows})()
    return held, gone


def equal(first, second):
    return list(first) == list(second) and all(same(first[key], second[key]) for key in first)


def sound(plan, tables, random, tries=3):
    """The law, for one plan and one state; how many rows were left out."""
    wanted = interests(plan, lambda name: tables[name].names)
    value, total = interpret(plan, tables), 0
    for _ in range(tries):
        held, gone = left_out(random, tables, wanted)
        assert equal(interpret(plan, held), value), (plan, wanted)
        total += gone
    return total


def random_tables(random):
    cells = random.choice(((1, 2, 3, None), (1, 1.0, 2, 2.0, None, True, "1"), (0, 1, 2)))
    return {
        name: Rows({i: (i, random.choice(cells), random.choice(cells)) for i in range(random.randrange(7))})
        for name in "tuv"
    }


def where(plan, *conditions):
    for condition in conditions:
        plan = Filter(plan, condition)
    return plan


COUNT = (("n", AggregateCall("count")),)
LIMIT = Constant(2)
STEPS = Recursive(
    where(T, A_IS_1),
    Project(Join("inner", Working("w", ("a", "b")), U, ((B, A),)), (("a", C), ("b", D))),
    "w",
)
PLANS = {
    "filter": (where(T, A_IS_1, B_IS_2), "t"),
    "project": (where(Project(T, (("x", B), ("y", Call("+", (A, Constant(1)))))), Call("=", (A, Constant(2)))), "t"),
    "inner join": (where(Join("inner", T, U, ON), A_IS_1, Call("=", (D, Constant(2)))), "tu"),
    "inner join, across": (Join("inner", where(T, A_IS_1), U, ON), "tu"),
    "inner join, across what tells types apart": (Join("inner", where(T, HALF), U, ON), "t"),
    "three joined": (Join("inner", where(T, A_IS_1), Join("inner", U, V, ((A, B),)), ON), "tuv"),
    "three joined, the last known": (Join("inner", Join("inner", T, U, ON), where(V, A_IS_1), ((C, A),)), "tuv"),
    "inner join with a residual": (Join("inner", T, U, (), Call("and", (A_IS_1, Call("=", (C, Constant(1)))))), "tu"),
    "inner join on a constant": (Join("inner", T, U, ((A, Constant(1)),)), "t"),
    "left join, WHERE on the left": (where(Join("left", T, U, ON), A_IS_1), "tu"),
    "left join, WHERE on the right": (where(Join("left", T, U, ON), Call("=", (C, Constant(2)))), "tu"),
    "left join, IS NULL on the right": (where(Join("left", T, U, ON), Call("is null", (D,))), ""),
    "left join, COALESCE on the right": (
        where(Join("left", T, U, ON), Call("=", (Call("coalesce", (D, Constant(2))), Constant(2)))), ""),
    "left join, ON the left": (Join("left", T, U, ON, A_IS_1), "u"),
    "left join, ON the right": (Join("left", T, U, ON, Call("=", (D, Constant(2)))), "u"),
    "right join, WHERE on the right": (where(Join("right", T, U, ON), Call("=", (C, Constant(1)))), "tu"),
    "right join, WHERE on the left": (where(Join("right", T, U, ON), Call("<", (A, Constant(2)))), "tu"),
    "right join, ON either": (Join("right", T, U, ON, Call("and", (B_IS_2, Call("=", (D, Constant(2)))))), "t"),
    "full join, WHERE on the left": (where(Join("full", T, U, ON), A_IS_1), "tu"),
    "full join, IS NULL": (where(Join("full", T, U, ON), Call("is null", (A,))), ""),
    "full join, ON either": (Join("full", T, U, ON, Call("and", (B_IS_2, Call("=", (D, Constant(2)))))), ""),
    "full join of filters": (Join("full", where(T, A_IS_1), U, ON), "t"),
    "semi join": (where(SemiJoin(T, U, ON), A_IS_1), "tu"),
    "semi join, right known": (SemiJoin(T, where(U, A_IS_1), ON, B_IS_2), "tu"),
    "anti join": (where(AntiJoin(T, U, ON), A_IS_1), "tu"),
    "anti join, right known": (AntiJoin(T, where(U, A_IS_1), ON), "u"),
    "anti join, ON the left": (AntiJoin(T, U, ON, A_IS_1), "u"),
    "mark": (where(Mark(T, U, "m", ON), Call("or", (C, B_IS_2)), A_IS_1), "tu"),
    "mark, the mark asked for": (where(Mark(T, U, "m", ON), C), ""),
    "mark in": (where(Mark(T, U, "m", key=(A, A)), A_IS_1), "t"),
    "nest": (where(Nest(T, where(U, B_IS_2), "c", ON), A_IS_1), "tu"),
    "nest, two of each": (where(Nest(T, U, "c", ON, limit=LIMIT), A_IS_1), "tu"),
    "aggregate, HAVING on a group": (where(Aggregate(T, (("a", A),), COUNT), A_IS_1), "t"),
    "aggregate, HAVING on a group that tells types apart": (where(Aggregate(T, (("a", A),), COUNT), HALF), ""),
    "aggregate, HAVING on a count": (where(Aggregate(T, (("a", A),), COUNT), Call("=", (B, Constant(1)))), ""),
    "aggregate of a computed group": (where(Aggregate(T, (("a", Call("+", (A, B))),), COUNT), A_IS_1), ""),
    "aggregate without groups": (where(Aggregate(T, (), COUNT), A_IS_1), ""),
    "aggregate without groups, of a filter": (Aggregate(where(T, A_IS_1), (), COUNT), "t"),
    "distinct": (where(Distinct(T), A_IS_1), "t"),
    "distinct, telling types apart": (where(Distinct(T), HALF), ""),
    "union": (where(Union((T, U)), A_IS_1), "tu"),
    "union, telling types apart": (where(Union((T, U)), HALF), ""),
    "union all": (where(Union((T, U), all=True), HALF), "tu"),
    "intersect": (where(Intersect(T, U), A_IS_1), "tu"),
    "intersect, telling types apart": (where(Intersect(T, U), HALF), ""),
    "except": (where(Except(T, U), A_IS_1), "tu"),
    "except of a filter": (Except(T, where(U, A_IS_1)), "u"),
    "order": (where(TopK(T, (OrderTerm(B),)), A_IS_1), "t"),
    "top 2": (where(TopK(T, (OrderTerm(B),), LIMIT), A_IS_1), ""),
    "top 2 of a filter": (TopK(where(T, A_IS_1), (OrderTerm(B),), LIMIT), "t"),
    "from the second": (where(TopK(T, (OrderTerm(B),), None, Constant(1)), A_IS_1), ""),
    "top 1 of each": (where(TopK(T, (OrderTerm(B),), Constant(1), None, (A,)), A_IS_1), "t"),
    "top 1 of each, by another column": (where(TopK(T, (OrderTerm(B),), Constant(1), None, (A,)), B_IS_2), ""),
    "rank": (where(Rank(T, "r", "rank", (A,), (OrderTerm(B),)), A_IS_1), "t"),
    "rank, by another column": (where(Rank(T, "r", "rank", (A,), (OrderTerm(B),)), B_IS_2), ""),
    "rank, by place": (where(Rank(T, "r", "rank", (A,), (OrderTerm(B),)), Call("=", (C, Constant(1)))), ""),
    "recursion": (where(STEPS, B_IS_2), "t"),
    "one table twice": (Union((where(T, A_IS_1), where(T, B_IS_2)), all=True), "t"),
    "one table twice, once whole": (Union((where(T, A_IS_1), T), all=True), ""),
    "unknown column": (where(Scan("t", ("nowhere", "a")), Call("is null", (A,)), Call("=", (B, Constant(1)))), "t"),
}  # fmt: skip
"""Name → a plan, and the tables in which its interest is narrowed."""


@pytest.mark.parametrize("name", PLANS)
def test_rows_of_no_interest_do_not_matter(name):
    plan, _ = PLANS[name]
    random = Random(name)
    for _ in range(60):
        sound(plan, random_tables(random), random)


@pytest.mark.parametrize("name", PLANS)
def test_interests_are_narrowed_where_the_rules_allow_it(name):
    plan, narrowed = PLANS[name]
    found = interests(plan, lambda table: NAMES)
    assert "".join(sorted(table for table, predicate in found.items() if predicate is not None)) == narrowed


def test_random_plans_are_sound_and_many_are_narrowed():
    narrowed, gone = 0, 0
    for seed in range(400):
        random = Random(seed)
        world = scenario(Choices(random), views=3, batches=2)
        tables = {schema.table: PlainTable(schema) for schema in world.schemas}
        for batch in world.history:
            for change in batch:
                tables[change.table].apply(change)
        for view in world.views.values():
            found = interests(view.plan, lambda name: tables[name].names)  # noqa: B023
            bound = {t: None if p is None else bind(p, view.params) for t, p in found.items()}
            assert bound == interests(view.bound, lambda name: tables[name].names)  # noqa: B023
            narrowed += any(p is not None for p in found.values())
            gone += sound(view.bound, tables, random, tries=2)
    assert narrowed > 150
    assert gone > 1000


@scaled(0.2)
@given(world=scenarios(views=2, batches=1), random=st.randoms(use_true_random=False))
def test_any_plan_is_sound(world, random):
    tables = {schema.table: PlainTable(schema) for schema in world.schemas}
    for batch in world.history:
        for change in batch:
            tables[change.table].apply(change)
    for view in world.views.values():
        sound(view.bound, tables, random, tries=2)


def test_equality_is_carried_across_every_inner_join():
    plan = PLANS["three joined"][0]
    found = interests(plan, lambda table: NAMES)
    assert found == {
        "t": Call("=", (B, Constant(1))),
        "u": Call("=", (B, Constant(1))),
        "v": Call("=", (C, Constant(1))),
    }


def test_parameters_stay():
    plan = Filter(T, Call("=", (A, Param("x"))))
    assert interests(plan, lambda table: NAMES) == {"t": Call("=", (B, Param("x")))}
    assert bind_plan(plan, {"x": 1}).predicate == A_IS_1


def sides_without_outer_joins(real):
    return lambda kind, above, sides: "inner"


BOLD = {
    "outer joins taken for inner": ("_strengthened", sides_without_outer_joins),
    "every function respects equality": ("_respects_equality", lambda real: lambda condition: True),
    "every condition rejects NULL": ("rejects", lambda real: lambda condition, nulls: True),
    "every condition is about the partition": ("_of_partition", lambda real: lambda conditions, partition: [
        c for c in conditions if module.reads_only(c, (0, 1))]),
    "the first scan of a table speaks for all": ("_either", lambda real: lambda scans: scans[0]),
}  # fmt: skip


@pytest.mark.parametrize("name", BOLD)
def test_a_rule_that_is_too_bold_is_caught(name, monkeypatch):
    rule, planted = BOLD[name]
    monkeypatch.setattr(module, rule, planted(getattr(module, rule)))
    random = Random(name)

    def law():
        for _ in range(60):
            for plan, _ in PLANS.values():
                sound(plan, random_tables(random), random)

    with pytest.raises(AssertionError):
        law()
