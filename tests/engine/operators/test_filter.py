"""Filter: the rows for which a predicate is TRUE."""

import pytest

from sspcore.algebra.values import NAN
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plan.nodes import Filter, Scan
from tests.engine.operators.replay import Replay, Table


@pytest.fixture
def late():
    plan = Filter(Scan("t", ("a",)), Call(">", (Column(0), Constant(60))))
    return Replay(plan, {"t": Table(("a",), {1: (75,), 2: (10,)})})


def test_an_update_that_starts_to_match_adds_the_row(late):
    """T1"""
    assert late.apply(("t", 2, (90,))) == [(2, None, (90,))]


def test_an_update_that_stops_to_match_removes_the_row(late):
    """T1"""
    assert late.apply(("t", 1, (5,))) == [(1, (75,), None)]


def test_an_update_that_goes_on_to_match_shows_old_and_new(late):
    assert late.apply(("t", 1, (80,))) == [(1, (75,), (80,))]


def test_a_deleted_row_is_judged_by_what_it_was(late):
    """T2"""
    assert late.apply(("t", 1, None), ("t", 2, None)) == [(1, (75,), None)]


def test_null_is_not_true(late):
    """NULL, and text, which does not compare with a number."""
    assert late.apply(("t", 1, (None,))) == [(1, (75,), None)]
    assert late.apply(("t", 1, ("x",))) == []


def test_nan_is_above_every_number(late):
    assert late.apply(("t", 2, (NAN,))) == [(2, None, (NAN,))]
