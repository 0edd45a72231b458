"""The law of every operator: after any step, the integral of its deltas is what `interpret` computes from scratch.

Histories are random, over few ids and few values of mixed types, so that equal keys, NULLs, NaN, TRUE beside 1, and
returns to an earlier state all happen. Plans are one or two per node; random plans are in `tests/laws`.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import NAN
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plan.nodes import (
    RANKS,
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
    Scan,
    SemiJoin,
    TopK,
    Union,
    Values,
)
from tests.engine.operators.replay import Replay, Table
from tests.profiles import scaled

T = Scan("t", ("a", "b"))
U = Scan("u", ("a", "b"))
A, B = Column(0), Column(1)
ON = ((A, A),)
BELOW = Call("<", (B, Column(3)))
ORDER = (OrderTerm(A, descending=True, nulls_first=True), OrderTerm(B))


def totals(*names):
    return tuple([(f"{name}{i}", AggregateCall(name, B)) for i, name in enumerate(names)])


KINDS = (
    "count", "sum", "avg", "min", "max", "bool_and", "bool_or", "stddev_samp", "stddev_pop", "var_samp", "var_pop",
)  # fmt: skip
EVERY = (
    *totals(*KINDS),
    ("n", AggregateCall("count")),
    *[(f"{name} distinct", AggregateCall(name, B, distinct=True)) for name in KINDS],
)

LISTED = (
    ("list", AggregateCall("array_agg", B)),
    ("sorted list", AggregateCall("array_agg", B, order=(OrderTerm(B, descending=True), OrderTerm(A)))),
    ("some", AggregateCall("array_agg", B, where=Call("<", (A, B)))),
    ("different ones", AggregateCall("array_agg", B, distinct=True)),
    ("downwards", AggregateCall("array_agg", B, distinct=True, order=(OrderTerm(B, True, True),))),
    ("text", AggregateCall("string_agg", B, order=(OrderTerm(A),), separator=Constant("-"))),
    ("different texts", AggregateCall("string_agg", B, distinct=True)),
)

PLANS = {
    "scan of columns in another order, one unknown": Scan("t", ("b", "nowhere", "a")),
    "values": Union((Values(("a", "b"), ((Constant(1), Constant(True)),)), T)),
    "filter": Filter(T, Call("<", (A, B))),
    "project": Project(T, (("s", Call("+", (A, B))), ("b", B))),
    "inner join": Join("inner", T, U, ON),
    "inner join on two keys": Join("inner", T, U, ((A, A), (B, B))),
    "inner join with a residual": Join("inner", T, U, ON, BELOW),
    "left join": Join("left", T, U, ON),
    "left join with a residual": Join("left", T, U, ON, BELOW),
    "right join": Join("right", T, U, ON),
    "right join with a residual": Join("right", T, U, ON, BELOW),
    "full join": Join("full", T, U, ON),
    "full join with a residual": Join("full", T, U, ON, BELOW),
    "theta join": Join("inner", T, U, (), BELOW),
    "full theta join": Join("full", T, U, (), BELOW),
    "self-join": Join("inner", T, T, ((A, B),)),
    "left self-join": Join("left", T, T, ((A, B),)),
    "three occurrences of one table": Join("inner", Join("inner", T, T, ((A, B),)), T, ((Column(3), A),)),
    "four occurrences of one table": Join("left", Join("full", T, T, ON), Join("left", T, T, ((A, B),)), ON),
    "semi join": SemiJoin(T, U, ON),
    "semi join with a residual": SemiJoin(T, U, ON, BELOW),
    "semi join with itself": SemiJoin(T, T, ((A, B),)),
    "anti join": AntiJoin(T, U, ON),
    "anti join with a residual": AntiJoin(T, U, ON, BELOW),
    "anti join without a correlation": AntiJoin(T, U),
    "mark exists": Mark(T, U, "m", ON),
    "mark exists with a residual": Mark(T, U, "m", ON, BELOW),
    "mark in": Mark(T, U, "m", key=(A, A)),
    "mark in, of one table": Mark(T, T, "m", key=(A, B)),
    "mark in, correlated": Mark(T, U, "m", ON, key=(B, B)),
    "mark in, correlated with a residual": Mark(T, U, "m", ON, Call("<>", (B, Column(3))), (B, B)),
    "mark in with a residual alone": Mark(T, U, "m", (), BELOW, (A, A)),
    "nest": Nest(T, U, "kids", ON),
    "nest of itself": Nest(T, T, "kids", ((A, B),), order=ORDER),
    "nest, the best two": Nest(T, U, "kids", ON, None, ORDER[1:], Constant(2)),
    "nest, places 2 to 3": Nest(T, U, "kids", ON, None, ORDER, Constant(2), Constant(1)),
    "nest, from place 2 on": Nest(T, U, "kids", ON, None, ORDER, None, Constant(1)),
    "nest of none": Nest(T, U, "kids", ON, None, ORDER, Constant(0)),
    "nest with a residual": Nest(T, U, "kids", ON, BELOW, ORDER, Constant(2)),
    "nest on a residual alone": Nest(T, U, "kids", (), BELOW, ORDER[1:], Constant(3), Constant(1)),
    "nest the first": Nest(T, U, "kid", ON, None, ORDER, form="object"),
    "nest the first by a residual": Nest(T, U, "kid", ON, BELOW, ORDER, form="object", keyed=True),
    "nest values": Nest(T, U, "kids", ON, cells=(("b", B),), form="values"),
    "nest cells": Nest(T, U, "kids", ON, None, ORDER, cells=(("s", Call("+", (A, B))), ("a", A))),
    "nest a value": Nest(T, Project(U, (("b", B),)), "kid", ((B, A),), None, (), None, Constant(1), (), "value"),
    "nest with keys": Nest(T, U, "kids", ON, keyed=True),
    "nest all": Nest(T, U, "kids", limit=Constant(3)),
    "nest two levels": Nest(T, Nest(U, T, "kids", ON, None, ORDER, Constant(2)), "kids", ON, None, ORDER, Constant(2)),
    "nest two columns": Nest(Nest(T, U, "one", ON), U, "two", ((B, B),), keyed=True),
    "nest under a filter": Filter(Nest(T, U, "kids", ON), Call("<>", (Column(2), Constant(())))),
    "nest of the best": Nest(TopK(T, ORDER[1:], Constant(2)), U, "kids", ON),
    "distinct nests": Distinct(Project(Nest(T, U, "kids", ON), (("kids", Column(2)),))),
    "aggregate": Aggregate(T, (("a", A),), EVERY),
    "aggregate by two": Aggregate(T, (("b", B), ("a", A)), totals("count")),
    "aggregate without groups": Aggregate(T, (), EVERY),
    "groups alone": Aggregate(T, (("a", A),), ()),
    "distinct": Distinct(T),
    "distinct cells": Distinct(Project(T, (("b", B),))),
    "union": Union((T, U)),
    "union all": Union((T, U, T), all=True),
    "intersect": Intersect(T, U),
    "intersect of cells": Intersect(Project(T, (("b", B),)), Project(U, (("b", A),))),
    "except": Except(T, U),
    "except of cells": Except(Project(T, (("b", B),)), Project(U, (("b", A),))),
    "order": TopK(T, ORDER),
    "order, NULLs elsewhere": TopK(T, (OrderTerm(A, nulls_first=True), OrderTerm(B, descending=True))),
    "order by three": TopK(T, (*ORDER, OrderTerm(Call("+", (A, B))))),
    "order by nothing": TopK(T, (), Constant(2), Constant(1)),
    "top 2": TopK(T, ORDER[1:], Constant(2)),
    "places 3 to 4": TopK(T, ORDER[1:], Constant(2), Constant(2)),
    "from place 3 on": TopK(T, ORDER[1:], None, Constant(2)),
    "top 0": TopK(T, ORDER, Constant(0), Constant(1)),
    "top 2 of a join": Project(TopK(Join("left", T, U, ON), ORDER[1:], Constant(2)), (("b", B),)),
    "a top below a filter": Filter(TopK(T, ORDER, Constant(2)), Call("is null", (A,))),
    "ordered lists": Aggregate(T, (("a", A),), LISTED),
    "ordered lists of everything": Aggregate(T, (), LISTED),
    "intersect all": Intersect(T, U, all=True),
    "except all": Except(T, U, all=True),
    "except all of two columns of one table": Except(Project(T, (("a", A),)), Project(T, (("b", B),)), all=True),
    "top of each": TopK(T, (OrderTerm(B),), Constant(1), None, (A,)),
    "window of each": TopK(T, ORDER, Constant(1), Constant(1), (A,)),
    "all but the first of each": TopK(T, (OrderTerm(B),), None, Constant(1), (A,)),
    **{
        f"{function} {what}": Rank(T, "n", function, partition, (OrderTerm(B, True),), limit)
        for function in RANKS
        for what, partition, limit in (
            ("of all", (), None),
            ("of each", (A,), None),
            ("of all, up to 2", (), Constant(2)),
            ("of each, up to 1", (A,), Constant(1)),
        )
    },
}

CELLS = st.sampled_from([
    None, 0, 1, 2, 1.0, True, False, "a", "b", 2.5, Decimal("1.00"), Decimal(1), (1,), (True,), NAN, float("inf"), 1e9,
])  # fmt: skip
NUMBERS = st.sampled_from([None, 0, 1, 2, 3])
ROWS = st.tuples(CELLS, CELLS) | st.tuples(NUMBERS, NUMBERS)
PUTS = st.tuples(st.sampled_from("tu"), st.sampled_from([1, 2, 3, 4, "x"]), st.none() | ROWS | ROWS)


@pytest.mark.parametrize("name", PLANS)
@scaled(0.5)
@given(first=st.lists(PUTS, max_size=8), steps=st.lists(st.lists(PUTS, min_size=1, max_size=4), max_size=10))
def test_integral_of_the_deltas_is_what_interpret_says(name, first, steps):
    tables = {"t": Table(("a", "b")), "u": Table(("a", "b"))}
    for table, key, row in first:
        if row is not None:
            tables[table].rows[key] = row
    replay = Replay(PLANS[name], tables)
    for changes in steps:
        replay.apply(*changes)
    replay.apply(*[(table, key, None) for table in "tu" for key in list(tables[table].rows)])


@pytest.mark.parametrize("name", PLANS)
@scaled(0.2)
@given(puts=st.lists(PUTS, max_size=16))
def test_one_batch_ends_where_many_small_ones_do(name, puts):
    """T4: the same value, whatever the partition."""
    whole = Replay(PLANS[name], {"t": Table(("a", "b")), "u": Table(("a", "b"))})
    parts = Replay(PLANS[name], {"t": Table(("a", "b")), "u": Table(("a", "b"))})
    whole.apply(*puts)
    for put in puts:
        parts.apply(put)
    assert whole.value == parts.value
