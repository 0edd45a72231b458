"""Intersect: the different rows that are in both inputs."""

from sspcore.algebra.values import same
from sspcore.plan.nodes import Intersect, Scan
from tests.engine.operators.replay import Replay, Table

T, U = Scan("t", ("a",)), Scan("u", ("a",))


def replay(t=None, u=None):
    return Replay(Intersect(T, U), {"t": Table(("a",), t), "u": Table(("a",), u)})


def test_a_row_shows_while_both_sides_have_it():
    both = replay({1: ("x",), 2: ("x",)})
    assert both.apply(("u", 1, ("x",))) == [(("x",), None, ("x",))]
    assert both.apply(("u", 2, ("x",))) == []
    assert both.apply(("t", 1, None), ("u", 1, None)) == []
    assert both.apply(("t", 2, None)) == [(("x",), ("x",), None)]


def test_a_row_that_comes_on_both_sides_at_once_comes_once():
    assert replay().apply(("t", 1, ("x",)), ("u", 1, ("x",))) == [(("x",), None, ("x",))]


def test_nulls_are_equal():
    assert replay({1: (None,)}, {1: (None,)}).value == {(None,): (None,)}


def test_the_left_says_what_is_shown():
    """T54: equal on both sides, of two types."""
    both = replay({1: (1.0,)}, {1: (1,)})
    assert same(both.value[(1,)], (1.0,))
    ((_, old, new),) = both.apply(("t", 1, (1,)))
    assert same((old, new), ((1.0,), (1,)))
    assert both.apply(("u", 1, (1.0,))) == []


def test_a_table_with_itself():
    both = Replay(Intersect(T, T), {"t": Table(("a",), {1: ("x",)})})
    assert both.apply(("t", 1, ("y",))) == [(("x",), ("x",), None), (("y",), None, ("y",))]


def test_with_all_a_row_shows_as_often_as_in_both():
    both = Replay(
        Intersect(T, U, all=True), {"t": Table(("a",), {1: ("x",), 2: ("x",)}), "u": Table(("a",), {1: ("x",)})}
    )
    assert both.value == {(("x",), 0): ("x",)}
    assert both.apply(("u", 2, ("x",)), ("u", 3, ("x",))) == [((("x",), 1), None, ("x",))]
    assert both.apply(("t", 1, None)) == [((("x",), 1), ("x",), None)]


def test_with_all_every_copy_shows_the_least_of_the_left():
    both = Replay(
        Intersect(T, U, all=True), {"t": Table(("a",), {1: (1.0,), 2: (1.0,)}), "u": Table(("a",), {1: (1,), 2: (1,)})}
    )
    changes = both.apply(("t", 2, (1,)))
    assert [(key, type(old[0]), type(new[0])) for key, old, new in changes] == [
        (((1,), 0), float, int), (((1,), 1), float, int),
    ]  # fmt: skip
