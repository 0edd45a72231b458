"""Distinct: each different row once."""

from sspcore.algebra.values import NAN, same
from sspcore.plan.expressions import Column
from sspcore.plan.nodes import Distinct, Project, Scan
from tests.engine.operators.replay import Replay, Table


def replay(rows):
    cells = Project(Scan("t", ("a", "b")), (("b", Column(1)),))
    return Replay(Distinct(cells), {"t": Table(("a", "b"), {k: (0, v) for k, v in rows.items()})})


def test_a_row_comes_with_its_first_copy_and_goes_with_its_last():
    """T49"""
    distinct = replay({1: "x", 2: "x"})
    assert distinct.apply(("t", 1, None)) == []
    assert distinct.apply(("t", 3, (0, "x"))) == []
    assert distinct.apply(("t", 2, None), ("t", 3, (0, "y"))) == [(("x",), ("x",), None), (("y",), None, ("y",))]


def test_a_copy_lost_and_found_in_one_commit_changes_nothing():
    distinct = replay({1: "x"})
    assert distinct.apply(("t", 1, None), ("t", 2, (0, "x"))) == []


def test_nulls_are_one_and_nans_are_one():
    """T54"""
    assert len(replay({1: None, 2: None, 3: NAN, 4: NAN}).value) == 2


def test_one_and_true_are_two_while_one_and_one_point_zero_are_one():
    """T54"""
    distinct = replay({1: 1.0, 2: True})
    assert len(distinct.value) == 2
    ((_, old, new),) = distinct.apply(("t", 3, (0, 1)))
    assert same(old, (1.0,))
    assert same(new, (1,))


def test_a_row_that_changes_type_is_shown_anew():
    """T59"""
    distinct = replay({1: 1})
    ((_, old, new),) = distinct.apply(("t", 1, (0, 1.0)))
    assert same((old, new), ((1,), (1.0,)))
