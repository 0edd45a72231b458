"""Interests: what a reader is filed under is what the condition says with its parameters in it."""

from itertools import product

from sspcore.algebra.values import NAN
from sspcore.engine.interest import Interest
from sspcore.index.clauses import clause_of
from sspcore.plan.expressions import Call, Column, Constant, Param, bind, conjunction

VALUES = [0, 3, 2**70, "", "x", None, True, 1.5, NAN, (1, 2)]
COMPARISONS = [
    Call(sign, sides[::turn])
    for sign in ("=", "<", "<=", ">", ">=", "<>", "like")
    for sides in ((Column(1), Param("a")), (Column(0), Param("b")), (Column(1), Constant(2)))
    for turn in (1, -1)
]


def same_clause(parts, params):
    condition = conjunction(list(parts))
    expected = clause_of(bind(condition, params))
    assert repr(expected) == repr(Interest(condition, ["x", "y"]).clause(params)), (parts, params)


def test_the_clause_of_an_interest_is_that_of_its_condition():
    for part, value in product(COMPARISONS, VALUES):
        same_clause([part], {"a": value, "b": value})
    for one, two in product(COMPARISONS, repeat=2):
        for a, b in ((1, 2), (1, None), ("x", 1.5)):
            same_clause([one, two], {"a": a, "b": b})


def test_who_depends_on_every_row_is_filed_under_nothing():
    assert Interest(None, ["x"]).clause({}) is None
