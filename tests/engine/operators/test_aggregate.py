"""Aggregate: one row per group, exact, gone with its last member."""

import pytest

from sspcore.algebra.values import NAN
from sspcore.errors import InternalError
from sspcore.plan.expressions import Column, Constant
from sspcore.plan.nodes import Aggregate, AggregateCall, Scan
from tests.engine.operators.replay import Replay, Table

A, B = Column(0), Column(1)


def replay(rows=None, groups=(("a", A),), **calls):
    plan = Aggregate(Scan("t", ("a", "b")), groups, tuple(calls.items()))
    return Replay(plan, {"t": Table(("a", "b"), rows)})


N = AggregateCall("count")
SUM, AVG, MIN, MAX = (AggregateCall(name, B) for name in ("sum", "avg", "min", "max"))


def test_a_member_that_moves_leaves_one_group_and_joins_another():
    """A group key moves as remove and add, in one update."""
    groups = replay({1: ("AA", 5), 2: ("UA", 6)}, n=N, s=SUM)
    assert groups.apply(("t", 2, ("AA", 6))) == [
        (("UA",), ("UA", 1, 6), None),
        (("AA",), ("AA", 1, 5), ("AA", 2, 11)),
    ]


def test_a_group_goes_with_its_last_member_not_when_its_sum_is_zero():
    """T49: 5 and -5 sum to nothing, yet two rows are there."""
    groups = replay({1: ("AA", 5)}, s=SUM)
    assert groups.apply(("t", 2, ("AA", -5))) == [(("AA",), ("AA", 5), ("AA", 0))]
    assert groups.apply(("t", 1, None)) == [(("AA",), ("AA", 0), ("AA", -5))]
    assert groups.apply(("t", 2, None)) == [(("AA",), ("AA", -5), None)]


def test_without_groups_there_is_one_row_also_over_nothing():
    total = replay(None, (), n=N, s=SUM, m=MIN)
    assert total.value == {(): (0, None, None)}
    assert total.apply(("t", 1, ("x", 5))) == [((), (0, None, None), (1, 5, 5))]
    assert total.apply(("t", 1, None)) == [((), (1, 5, 5), (0, None, None))]


def test_float_sums_leave_no_trace_of_what_was_taken_away():
    """T48"""
    total = replay({1: ("x", 0.1)}, (), s=SUM)
    total.apply(("t", 2, ("x", 1e16)), ("t", 3, ("x", 0.2)))
    total.apply(("t", 2, None), ("t", 3, None))
    assert total.value == {(): (0.1,)}


def test_an_update_in_place_that_keeps_the_count_changes_the_sum():
    """T48: the zero test of a change must look at the sum too."""
    groups = replay({1: ("x", 1.5)}, n=N, s=SUM)
    assert groups.apply(("t", 1, ("x", 2.5))) == [(("x",), ("x", 1, 1.5), ("x", 1, 2.5))]


def test_a_change_no_aggregate_sees_goes_no_further():
    """T18: of two equal minima one goes."""
    groups = replay({1: ("x", 1), 2: ("x", 1)}, m=MIN)
    assert groups.apply(("t", 1, None)) == []
    assert groups.apply(("t", 3, ("x", 9))) == []


def test_the_next_value_follows_when_the_extreme_goes():
    groups = replay({1: ("x", 1), 2: ("x", 2), 3: ("x", 3)}, least=MIN, most=MAX)
    assert groups.apply(("t", 1, None)) == [(("x",), ("x", 1, 3), ("x", 2, 3))]
    assert groups.apply(("t", 3, ("x", 0))) == [(("x",), ("x", 2, 3), ("x", 0, 2))]


def test_nulls_are_no_values_but_rows():
    groups = replay({1: ("x", None), 2: ("x", 4)}, n=N, values=AggregateCall("count", B), s=SUM, a=AVG)
    assert groups.value == {("x",): ("x", 2, 1, 4, 4.0)}
    assert groups.apply(("t", 2, ("x", None))) == [(("x",), ("x", 2, 1, 4, 4.0), ("x", 2, 0, None, None))]


def test_a_sum_of_nothing_is_null_and_a_sum_of_zeros_is_zero():
    groups = replay({1: ("x", 0), 2: ("y", None)}, s=SUM)
    assert groups.value == {("x",): ("x", 0), ("y",): ("y", None)}


def test_null_is_a_group():
    groups = replay({1: (None, 1), 2: (None, 2)}, n=N)
    assert groups.value == {(None,): (None, 2)}


def test_true_and_one_are_two_groups_and_one_point_zero_is_that_of_one():
    """T54; of 1 and 1.0 the least by type is shown while it is there."""
    groups = replay({1: (True, 0), 2: (1.0, 0)}, n=N)
    assert len(groups.value) == 2
    assert groups.apply(("t", 3, (1, 0)))[0][1:] == ((1.0, 1), (1, 2))
    assert groups.apply(("t", 3, None))[0][1:] == ((1, 2), (1.0, 1))


def test_a_member_that_turns_from_true_to_one_moves():
    """T59"""
    groups = replay({1: (True, 0)}, n=N)
    assert len(groups.apply(("t", 1, (1, 0)))) == 2


def test_nan_is_one_group():
    """T54"""
    groups = replay({1: (NAN, 1), 2: (NAN, 2)}, s=SUM)
    assert list(groups.value.values()) == [(NAN, 3)]


def test_two_group_columns_are_shown_as_one_member_has_them():
    """The least member, not the least of each column."""
    plan = Aggregate(Scan("t", ("a", "b")), (("a", A), ("b", B)), (("n", N),))
    replay = Replay(plan, {"t": Table(("a", "b"), {1: (1, 2.0), 2: (1.0, 2)})})
    assert list(replay.value.values()) == [(1, 2.0, 2)]


def test_distinct_aggregates_see_each_value_once():
    calls = {f.function: AggregateCall(f.function, B, distinct=True) for f in (SUM, AVG, MIN, MAX)}
    groups = replay({1: ("x", 2), 2: ("x", 2), 3: ("x", 4)}, n=AggregateCall("count", B, distinct=True), **calls)
    assert groups.value == {("x",): ("x", 2, 6, 3.0, 2, 4)}
    assert groups.apply(("t", 1, None)) == []
    assert groups.apply(("t", 2, None)) == [(("x",), ("x", 2, 6, 3.0, 2, 4), ("x", 1, 4, 4.0, 4, 4))]


def test_a_sum_that_skips_what_is_no_number_is_counted_as_an_error():
    groups = replay({1: ("x", 2)}, s=SUM, a=AVG)
    assert groups.apply(("t", 2, ("x", "two"))) == []
    assert groups.meter.nulls.errors == 1


def test_aggregates_of_one_argument_share_and_of_others_do_not():
    """TRUE and 1 print differently, though Python calls the constants' tuples equal."""
    one, true = Constant((1,)), Constant((True,))
    groups = replay({1: ("x", 3)}, (), a=AggregateCall("min", one), b=AggregateCall("min", true))
    assert repr(groups.value[()]) == "((1,), (True,))"


def test_an_unknown_aggregate_is_our_own_bug():
    with pytest.raises(InternalError, match="median"):
        replay(None, (), m=AggregateCall("median", B))
