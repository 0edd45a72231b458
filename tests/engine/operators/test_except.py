"""Except: the different rows of the left that are not in the right."""

from sspcore.plan.nodes import Except, Scan
from tests.engine.operators.replay import Replay, Table

T, U = Scan("t", ("a",)), Scan("u", ("a",))


def replay(t=None, u=None):
    return Replay(Except(T, U), {"t": Table(("a",), t), "u": Table(("a",), u)})


def test_a_row_shows_while_the_right_has_it_not():
    rest = replay({1: ("x",)})
    assert rest.apply(("u", 1, ("x",))) == [(("x",), ("x",), None)]
    assert rest.apply(("u", 2, ("x",))) == []
    assert rest.apply(("u", 1, None)) == []
    assert rest.apply(("u", 2, None)) == [(("x",), None, ("x",))]


def test_one_on_the_right_takes_all_copies_on_the_left():
    rest = replay({1: ("x",), 2: ("x",)}, {1: ("x",)})
    assert rest.value == {}
    assert rest.apply(("t", 1, None)) == []


def test_a_row_that_comes_on_both_sides_at_once_never_shows():
    assert replay().apply(("t", 1, ("x",)), ("u", 1, ("x",))) == []


def test_a_table_without_itself_is_empty():
    nothing = Replay(Except(T, T), {"t": Table(("a",), {1: ("x",)})})
    assert nothing.apply(("t", 1, ("y",)), ("t", 2, ("z",))) == []


def test_one_is_taken_by_one_point_zero_but_not_by_true():
    """T54"""
    assert replay({1: (1,)}, {1: (1.0,)}).value == {}
    assert len(replay({1: (1,)}, {1: (True,)}).value) == 1


def test_with_all_each_row_of_the_right_takes_one_of_the_left():
    rest = Replay(Except(T, U, all=True), {"t": Table(("a",), {1: ("x",), 2: ("x",)}), "u": Table(("a",), {1: ("x",)})})
    assert rest.value == {(("x",), 0): ("x",)}
    assert rest.apply(("u", 2, ("x",)), ("u", 3, ("x",))) == [((("x",), 0), ("x",), None)]
    assert rest.apply(("t", 3, ("x",)), ("t", 4, ("x",))) == [((("x",), 0), None, ("x",))]
