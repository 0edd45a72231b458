"""AntiJoin: left rows without a partner (NOT EXISTS)."""

from sspcore.plan.expressions import Call, Column
from sspcore.plan.nodes import AntiJoin, Scan
from tests.engine.operators.replay import Replay, Table

T, U = Scan("t", ("a", "b")), Scan("u", ("a", "b"))
ON = ((Column(0), Column(0)),)


def replay(t, u, **more):
    return Replay(AntiJoin(T, U, ON, **more), {"t": Table(("a", "b"), t), "u": Table(("a", "b"), u)})


def test_a_row_shows_until_it_has_a_partner_and_again_when_the_last_goes():
    unserved = replay({1: ("AA", 5)}, {})
    assert unserved.apply(("u", "x", ("AA", 0))) == [(1, ("AA", 5), None)]
    assert unserved.apply(("u", "y", ("AA", 0))) == []
    assert unserved.apply(("u", "x", None)) == []
    assert unserved.apply(("u", "y", ("UA", 0))) == [(1, None, ("AA", 5))]


def test_a_change_of_the_left_is_judged_before_and_after():
    unserved = replay({1: ("AA", 5)}, {"x": ("UA", 0)})
    assert unserved.apply(("t", 1, ("AA", 6))) == [(1, ("AA", 5), ("AA", 6))]
    assert unserved.apply(("t", 1, ("UA", 6))) == [(1, ("AA", 6), None)]
    assert unserved.apply(("t", 1, None)) == []


def test_a_null_key_has_no_partner_so_its_row_shows():
    unserved = replay({1: (None, 5)}, {"x": (None, 0)})
    assert unserved.value == {1: (None, 5)}
    assert unserved.apply(("u", "y", (None, 1))) == []


def test_a_residual_is_asked_pair_by_pair():
    unserved = replay({1: ("AA", 5)}, {"x": ("AA", 1)}, residual=Call("<", (Column(1), Column(3))))
    assert unserved.value == {1: ("AA", 5)}
    assert unserved.apply(("u", "x", ("AA", 9))) == [(1, ("AA", 5), None)]
    assert unserved.apply(("t", 1, ("AA", 10))) == [(1, None, ("AA", 10))]
