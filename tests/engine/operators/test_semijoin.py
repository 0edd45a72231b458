"""SemiJoin: left rows with a partner (EXISTS, IN)."""

import pytest

from sspcore.plan.expressions import Call, Column
from sspcore.plan.nodes import Scan, SemiJoin
from tests.engine.operators.replay import Replay, Table

T, U = Scan("t", ("a", "b")), Scan("u", ("a", "b"))
ON = ((Column(0), Column(0)),)
LESS = Call("<", (Column(1), Column(3)))


@pytest.fixture
def served():
    tables = {"t": Table(("a", "b"), {1: ("AA", 5), 2: ("UA", 6)}), "u": Table(("a", "b"), {"x": ("AA", 0)})}
    return Replay(SemiJoin(T, U, ON), tables)


def test_a_row_shows_once_however_many_partners_it_has(served):
    assert served.value == {1: ("AA", 5)}
    assert served.apply(("u", "y", ("AA", 1))) == []
    assert served.apply(("u", "x", None)) == []
    assert served.apply(("u", "y", None)) == [(1, ("AA", 5), None)]


def test_the_first_partner_brings_the_row(served):
    assert served.apply(("u", "y", ("UA", 0))) == [(2, None, ("UA", 6))]


def test_a_partner_that_moves_takes_one_row_out_and_brings_another(served):
    assert set(served.apply(("u", "x", ("UA", 0)))) == {(1, ("AA", 5), None), (2, None, ("UA", 6))}


def test_a_change_of_the_left_is_judged_before_and_after(served):
    """T1, T2"""
    assert served.apply(("t", 1, ("AA", 7))) == [(1, ("AA", 5), ("AA", 7))]
    assert served.apply(("t", 1, ("DL", 7))) == [(1, ("AA", 7), None)]
    assert served.apply(("t", 1, ("DL", 8))) == []
    assert served.apply(("t", 1, ("AA", 8))) == [(1, None, ("AA", 8))]
    assert served.apply(("t", 1, None)) == [(1, ("AA", 8), None)]


def test_a_partner_lost_and_found_in_one_commit_changes_nothing(served):
    assert served.apply(("u", "x", None), ("u", "y", ("AA", 9))) == []


def test_null_has_no_partner(served):
    assert served.apply(("t", 1, (None, 5)), ("u", "y", (None, 0))) == [(1, ("AA", 5), None)]


def test_with_a_residual_the_last_pair_that_holds_decides():
    tables = {"t": Table(("a", "b"), {1: ("AA", 5)}), "u": Table(("a", "b"), {"x": ("AA", 9), "y": ("AA", 8)})}
    served = Replay(SemiJoin(T, U, ON, LESS), tables)
    assert served.apply(("u", "x", ("AA", 1))) == []
    assert served.apply(("u", "y", ("AA", 2))) == [(1, ("AA", 5), None)]
    assert served.apply(("t", 1, ("AA", 0))) == [(1, None, ("AA", 0))]
    assert served.apply(("u", "y", None), ("u", "x", None), ("u", "z", ("AA", 3))) == []
    assert served.apply(("t", 1, (None, 0))) == [(1, ("AA", 0), None)]


def test_without_a_correlation_any_right_row_will_do():
    tables = {"t": Table(("a", "b"), {1: ("AA", 5), 2: (None, 6)}), "u": Table(("a", "b"))}
    any_at_all = Replay(SemiJoin(T, U), tables)
    assert len(any_at_all.apply(("u", "x", (None, None)))) == 2
    assert any_at_all.apply(("u", "y", (1, 1))) == []
