"""Implication: never said where a row contradicts it, and said of what queries of one circuit ask."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.plan import implied
from sspcore.plan.evaluate import NullCounter, compile_predicate
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plan.implied import implies
from tests.profiles import scaled

VALUES = (
    None,
    False,
    True,
    0,
    1,
    2,
    1.0,
    1.5,
    Decimal(1),
    Decimal("1.5"),
    float("nan"),
    float("inf"),
    "a",
    "b",
    "",
    (1,),
)
constants = st.builds(Constant, st.sampled_from(VALUES))
columns = st.builds(Column, st.integers(0, 1))
symbols = st.sampled_from(("=", "<>", "<", "<=", ">", ">="))
atoms = st.one_of(
    st.builds(lambda symbol, column, value: Call(symbol, (column, value)), symbols, columns, constants),
    st.builds(lambda symbol, column, value: Call(symbol, (value, column)), symbols, columns, constants),
    st.builds(lambda column, items: Call("in", (column, *items)), columns, st.lists(constants, min_size=1, max_size=3)),
    st.builds(lambda column: Call("not", (Call("is null", (column,)),)), columns),
    st.builds(lambda column: Call("is null", (column,)), columns),
)
conditions = st.recursive(
    atoms,
    lambda inner: st.builds(
        lambda word, args: Call(word, tuple(args)),
        st.sampled_from(("and", "or")),
        st.lists(inner, min_size=2, max_size=3),
    ),
    max_leaves=4,
)
ROWS = [(x, y) for x in VALUES for y in VALUES]


def contradiction(a, b):
    """A row of which `a` is TRUE and `b` is not."""
    first, second = [compile_predicate(each, NullCounter()) for each in (a, b)]
    return next((row for row in ROWS if first(row) and not second(row)), None)


@scaled(10)
@given(a=conditions, b=conditions)
def test_what_is_implied_holds(a, b):
    if implies(a, b):
        assert contradiction(a, b) is None


def test_no_pair_of_comparisons_is_wrong_and_most_that_follow_are_seen():
    pairs = [
        (Call(first, (Column(0), Constant(x))), Call(second, (Column(0), Constant(y))))
        for first in ("=", "<", "<=", ">", ">=") for second in ("=", "<", "<=", ">", ">=")
        for x in VALUES for y in VALUES
    ]  # fmt: skip
    said = [(a, b) for a, b in pairs if implies(a, b)]

    assert [] == [(a, b) for a, b in said if contradiction(a, b)]
    numbers = [(a, b) for a, b in pairs if all(type(each.args[1].value) is int for each in (a, b))]
    assert len([pair for pair in numbers if implies(*pair)]) >= 0.6 * len(
        [p for p in numbers if contradiction(*p) is None]
    )


def test_a_bound_taken_for_strict_breaks_the_law(monkeypatch):
    true = implied._true
    monkeypatch.setattr(
        implied, "_true", lambda symbol, *rest: true(symbol.rstrip("=") + "=" if symbol != "in" else symbol, *rest)
    )
    with pytest.raises(AssertionError):
        test_no_pair_of_comparisons_is_wrong_and_most_that_follow_are_seen()


def test_what_queries_of_one_circuit_ask():
    def over(bound, op=">"):
        return Call(op, (Column(1), Constant(bound)))

    mine = Call("=", (Column(0), Constant("acme")))
    several = Call("in", (Column(0), Constant("acme"), Constant("duff")))
    held = Call("and", (mine, over(50)))
    assert implies(Call("and", (over(100), mine)), held)
    assert implies(Call("and", (mine, over(60, ">="), over(90, "<="))), held)
    assert implies(mine, several) and not implies(several, mine)
    assert implies(mine, Call("or", (over(5), several)))
    assert implies(Call("or", (mine, Call("=", (Column(0), Constant("duff"))))), several)
    assert not implies(over(50, ">="), over(50)) and implies(over(50), over(50, ">="))
    assert not implies(over(100), held)
