"""The specification, node by node, on cases small enough to check by eye."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest

from sspcore.algebra.values import FALSE, NAN, TRUE, same
from sspcore.engine.interpret import interpret
from sspcore.errors import UsageError
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
    Plan,
    Project,
    Scan,
    SemiJoin,
    TopK,
    Union,
    Values,
)

TABLES = {
    "flights": SimpleNamespace(
        names=("id", "carrier", "delay"),
        rows={"f1": ("f1", "AA", 75), "f2": ("f2", "BB", None), "f3": ("f3", "AA", 5), "f4": ("f4", None, 20)},
    ),
    "carriers": SimpleNamespace(names=("id", "code"), rows={1: (1, "AA"), 2: (2, "CC"), 3: (3, None)}),
    "mixed": SimpleNamespace(
        names=("id", "v"),
        rows={i: (i, v) for i, v in enumerate((1, 1.0, True, "1", None, NAN, None, NAN, Decimal("1.0"), False))},
    ),
}
FLIGHTS = Scan("flights", ("id", "carrier", "delay"))
CARRIERS = Scan("carriers", ("id", "code"))
MIXED = Scan("mixed", ("v",))
BY_CODE = ((Column(1), Column(1)),)
LATE = Call(">", (Column(2), Constant(10)))


def value(plan: Plan, **params: object) -> dict[object, tuple[object, ...]]:
    return interpret(plan, TABLES, params or None)


def constants(*rows: tuple[object, ...]) -> Values:
    return Values(tuple([f"c{i}" for i in range(len(rows[0]))]), tuple([tuple(map(Constant, row)) for row in rows]))


def test_a_scan_cuts_and_orders_columns_and_reads_unknown_ones_as_null() -> None:
    plan = Scan("carriers", ("code", "id", "zip"))

    assert {1: ("AA", 1, None), 2: ("CC", 2, None), 3: (None, 3, None)} == value(plan)
    assert value(Scan("nowhere", ("id",))) == {}


def test_values_are_keyed_by_position() -> None:
    assert {0: (1, "a"), 1: (2, None)} == value(constants((1, "a"), (2, None)))


def test_a_filter_keeps_true_not_null() -> None:
    assert set(value(Filter(FLIGHTS, LATE))) == {"f1", "f4"}
    assert set(value(Filter(FLIGHTS, Call("not", (LATE,))))) == {"f3"}


def test_params_are_bound() -> None:
    plan = Filter(FLIGHTS, Call(">", (Column(2), Param("m"))))

    assert set(value(plan, m=60)) == {"f1"}
    with pytest.raises(UsageError, match=r"\$m has no value"):
        value(plan)


def test_a_projection_computes_one_row_for_each() -> None:
    plan = Project(FLIGHTS, (("double", Call("*", (Column(2), Constant(2)))),))

    assert {"f1": (150,), "f2": (None,), "f3": (10,), "f4": (40,)} == value(plan)


@pytest.mark.parametrize(
    ("kind", "padded"),
    [("inner", set()), ("left", {("f2", None), ("f4", None)}), ("right", {(None, 2), (None, 3)}),
     ("full", {("f2", None), ("f4", None), (None, 2), (None, 3)})],
)  # fmt: skip
def test_joins_pair_equals_and_pad_the_preserved_sides(kind: str, padded: set[object]) -> None:
    rows = value(Join(kind, FLIGHTS, CARRIERS, BY_CODE))

    assert {("f1", 1), ("f3", 1)} | padded == set(rows)
    assert rows["f1", 1] == ("f1", "AA", 75, 1, "AA")
    if kind == "full":
        assert rows[None, 3] == (None, None, None, 3, None)


def test_a_residual_decides_before_padding() -> None:
    rows = value(Join("left", FLIGHTS, CARRIERS, BY_CODE, LATE))

    assert rows["f3", None] == ("f3", "AA", 5, None, None)
    assert ("f1", 1) in rows


def test_a_theta_join_tries_every_pair() -> None:
    plan = Join("inner", FLIGHTS, CARRIERS, (), Call("<", (Column(3), Constant(3))))

    assert len(value(plan)) == 8


def test_semi_and_anti_joins_divide_the_left_side() -> None:
    assert set(value(SemiJoin(FLIGHTS, CARRIERS, BY_CODE))) == {"f1", "f3"}
    assert set(value(AntiJoin(FLIGHTS, CARRIERS, BY_CODE))) == {"f2", "f4"}


def test_a_mark_is_null_aware() -> None:
    in_list = value(Mark(FLIGHTS, CARRIERS, "m", key=(Column(1), Column(1))))
    assert {"f1": True, "f2": None, "f3": True, "f4": None} == {k: row[-1] for k, row in in_list.items()}

    nothing = value(Mark(FLIGHTS, Filter(CARRIERS, Constant(False)), "m", key=(Column(1), Column(1))))
    assert {row[-1] for row in nothing.values()} == {False}

    known = Filter(CARRIERS, Call("not", (Call("is null", (Column(1),)),)))
    without_null = value(Mark(FLIGHTS, known, "m", key=(Column(1), Column(1))))
    assert {"f1": True, "f2": False, "f3": True, "f4": None} == {k: row[-1] for k, row in without_null.items()}

    exists = value(Mark(FLIGHTS, CARRIERS, "m", BY_CODE))
    assert {"f1": True, "f2": False, "f3": True, "f4": False} == {k: row[-1] for k, row in exists.items()}


def test_groups_treat_nulls_as_equal_and_show_the_least_member() -> None:
    """T54: 1, 1.0 and 1.00 are one group, shown as the integer; TRUE, '1' and NULL are others."""
    rows = value(Aggregate(MIXED, (("v", Column(0)),), (("n", AggregateCall("count")),)))

    assert {(1,): 3, (TRUE,): 1, (FALSE,): 1, ("1",): 1, (None,): 2, (NAN,): 2} == {k: r[1] for k, r in rows.items()}
    assert same(rows[(1,)][0], 1)


def test_aggregates_skip_nulls_and_over_nothing_only_count_is_not_null() -> None:
    functions = ("count", "sum", "avg", "min", "max")
    calls = tuple([(f, AggregateCall(f, Column(2))) for f in functions])
    every = (("rows", AggregateCall("count")), *calls)

    assert {(): (4, 3, 100, 100 / 3, 5, 75)} == value(Aggregate(FLIGHTS, (), every))
    assert {(): (0, None, None, None, None)} == value(Aggregate(Filter(FLIGHTS, Constant(False)), (), calls))
    assert value(Aggregate(Filter(FLIGHTS, Constant(False)), (("c", Column(1)),), calls)) == {}


@pytest.mark.parametrize(
    ("function", "distinct", "expected"),
    [("count", True, 5), ("sum", False, NAN), ("min", False, False), ("max", False, "1"), ("sum", True, NAN)],
)
def test_aggregates_of_mixed_classes(function: str, distinct: bool, expected: object) -> None:
    (row,) = value(Aggregate(MIXED, (), (("x", AggregateCall(function, Column(0), distinct)),))).values()

    assert same(expected, row[0])


def test_sums_are_exact_and_typed_by_their_numbers() -> None:
    def total(*numbers: object) -> object:
        plan = Aggregate(constants(*[(n,) for n in numbers]), (), (("s", AggregateCall("sum", Column(0))),))
        return value(plan)[()][0]

    assert same(total(1, 2), 3)
    assert same(total(1e16, 1.0, -1e16), 1.0)
    assert same(total(*[0.1] * 10), 1.0)
    assert same(total(1, Decimal("0.50")), Decimal("1.50"))
    assert same(total(0.5, Decimal("0.5"), 1), 2.0)
    assert same(total(float("inf"), -float("inf")), NAN)
    assert total("x", True) is None


def test_distinct_and_set_operations_are_keyed_by_the_canonical_row() -> None:
    left, right = constants((1,), (1.0,), (None,), (True,), ("a",)), constants((Decimal(1),), (None,), ("b",))

    assert {(1,): (1,), (None,): (None,), (TRUE,): (True,), ("a",): ("a",)} == value(Distinct(left))
    assert {(1,), (None,), (TRUE,), ("a",), ("b",)} == set(value(Union((left, right))))
    assert set(value(Intersect(left, right))) == {(1,), (None,)}
    assert set(value(Except(left, right))) == {(TRUE,), ("a",)}
    assert [(i, k) for i, side in enumerate((left, right)) for k in range(len(side.rows))] == list(
        value(Union((left, right), all=True))
    )
    assert same(value(Distinct(right))[(1,)], (Decimal(1),))


def test_order_puts_nulls_where_told_and_breaks_ties_by_key() -> None:
    def keys(*terms: OrderTerm, **window: object) -> list[object]:
        bounds = {name: Constant(v) for name, v in window.items()}
        return list(value(TopK(FLIGHTS, terms, **bounds)))

    by_delay = Column(2)
    assert keys(OrderTerm(by_delay)) == ["f3", "f4", "f1", "f2"]
    assert keys(OrderTerm(by_delay, nulls_first=True)) == ["f2", "f3", "f4", "f1"]
    assert keys(OrderTerm(by_delay, descending=True, nulls_first=True)) == ["f2", "f1", "f4", "f3"]
    assert keys(OrderTerm(by_delay, descending=True)) == ["f1", "f4", "f3", "f2"]
    assert keys(OrderTerm(Constant(1), descending=True)) == ["f1", "f2", "f3", "f4"]
    assert keys(OrderTerm(Column(1), descending=True), OrderTerm(by_delay)) == ["f2", "f3", "f1", "f4"]
    assert keys(OrderTerm(by_delay), limit=2, offset=1) == ["f4", "f1"]
    assert keys(OrderTerm(by_delay), limit=None, offset=3) == ["f2"]
    assert keys(OrderTerm(by_delay), limit=0) == []


def test_mixed_values_order_by_class_and_descending_is_the_reverse() -> None:
    """T11: with ties in key order both ways."""
    ascending = list(value(TopK(MIXED, (OrderTerm(Column(0)),))))
    descending = list(value(TopK(MIXED, (OrderTerm(Column(0), descending=True, nulls_first=True),))))

    assert [9, 2, 0, 1, 8, 5, 7, 3, 4, 6] == ascending
    assert [4, 6, 3, 5, 7, 0, 1, 8, 2, 9] == descending


@pytest.mark.parametrize("limit", [-1, "2", 1.5, True])
def test_a_limit_that_is_no_count_is_refused(limit: object) -> None:
    with pytest.raises(UsageError, match="LIMIT is"):
        value(TopK(FLIGHTS, (), Param("k")), k=limit)
