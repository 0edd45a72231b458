"""Bounds of ranks: the filter above a rank limits it, and nothing else changes."""

from random import Random

import pytest

from sspcore.engine.interpret import interpret
from sspcore.plan.expressions import Call, Column, Constant, Param
from sspcore.plan.nodes import RANKS, Filter, Join, OrderTerm, Project, Rank, Scan
from sspcore.plan.rank_bounds import bounded
from sspcore.testing.oracle import expect_same
from tests.plan.sql_world import Rows

T = Scan("t", ("g", "v"))
PLACE = Column(2)


def ranked(function="rank", limit=None):
    return Rank(T, "n", function, (Column(0),), (OrderTerm(Column(1)),), limit)


def limit_of(plan):
    while not isinstance(plan, Rank):
        plan = plan.input
    return plan.limit


@pytest.mark.parametrize(
    ("condition", "limit"),
    [
        (Call("<=", (PLACE, Constant(3))), Constant(3)),
        (Call("<", (PLACE, Constant(3))), Constant(3)),
        (Call("=", (PLACE, Constant(1))), Constant(1)),
        (Call("=", (Constant(1), PLACE)), Constant(1)),
        (Call(">=", (Constant(3), PLACE)), Constant(3)),
        (Call(">", (Param("k"), PLACE)), Param("k")),
        (Call("and", (Call(">=", (PLACE, Constant(1))), Call("<=", (PLACE, Constant(4))))), Constant(4)),
        (Call("and", (Call("<=", (PLACE, Constant(4))), Call("=", (PLACE, Constant(2))))), Constant(2)),
        (Call(">=", (PLACE, Constant(3))), None),
        (Call("<=", (Constant(3), PLACE)), None),
        (Call("<=", (Column(1), Constant(3))), None),
        (Call("or", (Call("<=", (PLACE, Constant(3))), Call("=", (Column(1), Constant(3))))), None),
    ],
)
def test_what_bounds_the_place_from_above_is_the_limit(condition, limit):
    plan = bounded(Filter(ranked(), condition))
    assert limit_of(plan) == limit
    assert plan.predicate == condition


def test_the_bound_goes_down_through_projections_and_filters():
    shown = Project(Filter(ranked(), Call("<", (Column(1), Constant(9)))), (("place", PLACE), ("v", Column(1))))
    assert limit_of(bounded(Filter(shown, Call("<=", (Column(0), Constant(2)))))) == Constant(2)
    computed = Project(ranked(), (("place", Call("+", (PLACE, Constant(1)))),))
    assert limit_of(bounded(Filter(computed, Call("<=", (Column(0), Constant(2)))))) is None


def test_the_bound_does_not_go_through_a_join():
    plan = Filter(Join("inner", ranked(), T, ((Column(0), Column(0)),)), Call("<=", (PLACE, Constant(2))))
    assert bounded(plan) == plan


def test_a_bounded_plan_has_the_value_it_had():
    for seed in range(200):
        random = Random(seed)
        table = Rows(("g", "v"), {i: (random.choice("xy"), random.randrange(4)) for i in range(random.randrange(12))})
        operator = random.choice(("<", "<=", "=", ">", ">="))
        bound = Constant(random.choice((0, 1, 2, 2.5, 3, None, "x", -1)))
        sides = random.choice(((PLACE, bound), (bound, PLACE)))
        plan = Filter(ranked(random.choice(RANKS)), Call(operator, sides))
        expect_same(interpret(bounded(plan), {"t": table}), interpret(plan, {"t": table}), f"seed {seed}")
