"""The check names the place of each fault of a plan, and lets every sound plan pass."""

from datetime import datetime

import pytest
from hypothesis import given

from sspcore.engine.schema import Schema
from sspcore.errors import PlanError
from sspcore.plan.check import MAX_DEPTH, check
from sspcore.plan.expressions import Call, Column, Constant, Param
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
    OrderTerm,
    Project,
    Rank,
    Scan,
    SemiJoin,
    TopK,
    Union,
    Values,
)
from sspcore.testing.strategies import plans

SCHEMAS = [Schema("a", {"u": "integer", "v": "text", "w": "real"}), Schema("b", {"u": "integer", "v": "text"})]
A, B = Scan("a", ("u", "v")), Scan("b", ("u",))
ONE, U = Constant(1), Column(0)


def deep(make, bottom, levels):
    for _ in range(levels):
        bottom = make(bottom)
    return bottom


FAULTS = [
    (Filter(A, Column(2)), "$.predicate", "column 2 of an input that has 2"),
    (Filter(A, Column(-1)), "$.predicate", "column -1"),
    (Filter(A, Column(True)), "$.predicate", "column True"),
    (Filter(A, Call("and", (U, Call("upper", (Column(9),))))), "$.predicate.args[1].args[0]", "column 9"),
    (Filter(A, Call("uper", (U,))), "$.predicate", "unknown function 'uper'"),
    (Filter(A, Call("upper", (U, U))), "$.predicate", "upper takes 1 to 1 arguments, not 2"),
    (Filter(A, Call("=", (U,))), "$.predicate", "= takes 2 to 2 arguments, not 1"),
    (Filter(A, Call("case", (U, U, U, U))), "$.predicate", "pairs of condition and value"),
    (Filter(A, Call("cast", (U, Constant("number")))), "$.predicate.args[1]", "the type to cast to"),
    (Filter(A, Call("cast", (U, U))), "$.predicate.args[1]", "the type to cast to"),
    (Filter(A, Constant(datetime(2013, 6, 24))), "$.predicate", "no time zone"),
    (Filter(A, Constant(object())), "$.predicate", "no constant"),
    (Filter(A, Param(3)), "$.predicate", "3 is no name"),
    (Filter(A, "u"), "$.predicate", "'u' is no expression"),
    (Filter("a", U), "$.input", "'a' is no plan node"),
    (Filter(Filter(A, Column(5)), U), "$.input.predicate", "column 5"),
    (Scan(3, ("u",)), "$.table", "3 is no name"),
    (Scan("a", ("u", "v", "u")), "$.columns[2]", "'u' is listed twice"),
    (Scan("a", ["u"]), "$.columns", "no tuple"),
    (Project(A, (("x", U), ("y", Column(2)))), "$.columns[1][1]", "column 2"),
    (Project(A, ((1, U),)), "$.columns[0][0]", "1 is no name"),
    (Project(A, (("x",),)), "$.columns[0]", "no pair"),
    (Values(("x",), ((ONE,), (ONE, ONE))), "$.rows[1]", "a row of 2 cells for 1 columns"),
    (Values(("x",), ((Call("neg", (ONE,)),),)), "$.rows[0][0]", "a constant or a parameter"),
    (Join("inner", A, B, ((U, Column(1)),)), "$.on[0][1]", "column 1 of an input that has 1"),
    (Join("inner", A, B, (), Column(3)), "$.residual", "column 3 of an input that has 3"),
    (Join("outer", A, B), "$.kind", "unknown kind of join 'outer'"),
    (Join("left", A, Filter(B, Column(4))), "$.right.predicate", "column 4"),
    (SemiJoin(A, B, ((Column(2), U),)), "$.on[0][0]", "column 2"),
    (Filter(AntiJoin(A, B), Column(2)), "$.predicate", "column 2 of an input that has 2"),
    (Mark(A, B, "m", key=(U, Column(1))), "$.key[1]", "column 1"),
    (Mark(A, B, 7), "$.name", "7 is no name"),
    (Filter(Mark(A, B, "m"), Column(3)), "$.predicate", "column 3 of an input that has 3"),
    (Aggregate(A, (("g", Column(2)),), ()), "$.groups[0][1]", "column 2"),
    (Aggregate(A, (), (("n", AggregateCall("median", U)),)), "$.aggregates[0][1].function", "unknown aggregate"),
    (Aggregate(A, (), (("n", AggregateCall("sum")),)), "$.aggregates[0][1]", "sum needs an argument"),
    (Aggregate(A, (), (("n", AggregateCall("count", None, True)),)), "$.aggregates[0][1]", "needs an argument"),
    (Aggregate(A, (), (("n", AggregateCall("max", Column(2))),)), "$.aggregates[0][1].argument", "column 2"),
    (Union(()), "$.inputs", "a union of nothing"),
    (Union((A, B)), "$.inputs[1]", "1 columns beside 2"),
    (Intersect(A, B), "$.right", "1 columns beside 2"),
    (Except(B, A), "$.right", "2 columns beside 1"),
    (
        Aggregate(A, (), (("n", AggregateCall("sum", U, order=(OrderTerm(U),))),)),
        "$.aggregates[0][1].order",
        "no order",
    ),
    (Aggregate(A, (), (("n", AggregateCall("sum", U, where=U)),)), "$.aggregates[0][1].where", "sum takes no where"),
    (
        Aggregate(A, (), (("n", AggregateCall("array_agg", U, separator=ONE)),)),
        "$.aggregates[0][1].separator",
        "array_agg",
    ),
    (
        Aggregate(A, (), (("n", AggregateCall("string_agg", U, separator=U)),)),
        "$.aggregates[0][1].separator",
        "neither a",
    ),
    (
        Aggregate(A, (), (("n", AggregateCall("array_agg", U, True, (OrderTerm(Column(1)),))),)),
        "$.aggregates[0][1].order[0]",
        "DISTINCT",
    ),
    (
        Aggregate(A, (), (("n", AggregateCall("array_agg", U, False, (OrderTerm(Column(2)),))),)),
        "$.aggregates[0][1].order[0].expression",
        "column 2",
    ),
    (Rank(A, "n", "ntile"), "$.function", "unknown rank 'ntile'"),
    (Rank(A, "n", "rank", (Column(2),)), "$.partition[0]", "column 2"),
    (Rank(A, "n", "rank", (), (U,)), "$.order[0]", "no order term"),
    (Rank(A, "n", "rank", (), (), U), "$.limit", "neither a constant nor a parameter"),
    (Rank(A, 1, "rank"), "$.name", "no name"),
    (Filter(Rank(A, "n", "rank"), Column(3)), "$.predicate", "column 3 of an input that has 3"),
    (TopK(A, (), ONE, None, (Column(2),)), "$.partition[0]", "column 2"),
    (TopK(A, (OrderTerm(Column(2)),)), "$.order[0].expression", "column 2"),
    (TopK(A, (U,)), "$.order[0]", "no order term"),
    (TopK(A, (), Constant(-1)), "$.limit", "-1 is no count of rows"),
    (TopK(A, (), Constant(True)), "$.limit", "True is no count of rows"),
    (TopK(A, (), None, Constant(1.5)), "$.offset", "1.5 is no count of rows"),
    (TopK(A, (), U), "$.limit", "no count of rows"),
    (deep(Distinct, A, MAX_DEPTH), "$" + ".input" * MAX_DEPTH, "nests deeper"),
    (Filter(A, deep(lambda e: Call("neg", (e,)), U, MAX_DEPTH)), "$.predicate" + ".args[0]" * MAX_DEPTH, "nests"),
]


@pytest.mark.parametrize(("plan", "path", "message"), FAULTS, ids=[f"{i}" for i in range(len(FAULTS))])
def test_a_fault_is_told_with_its_path(plan, path, message):
    with pytest.raises(PlanError) as caught:
        check(plan)
    assert path == caught.value.path
    assert message in caught.value.message


@pytest.mark.parametrize(
    "plan",
    [
        TopK(A, (), Constant(0), Constant(None)),
        TopK(A, (), Param("n")),
        Values(("x",), ()),
        Values((), ((),)),
        Project(A, (("x", U), ("x", U))),
        deep(Distinct, A, MAX_DEPTH - 1),
        Filter(A, Call("and", tuple([U] * 5_000))),
        Aggregate(A, (), ()),
    ],
    ids=lambda plan: type(plan).__name__,
)
def test_a_sound_plan_passes(plan):
    check(plan)


@given(plans(SCHEMAS))
def test_any_generated_plan_passes(plan):
    check(plan)
