"""Join: pairs of rows, on equalities, residuals or neither, with preserved sides."""

import pytest

from sspcore.algebra.values import NAN
from sspcore.plan.expressions import Call, Column
from sspcore.plan.nodes import Aggregate, AggregateCall, Join, Scan
from tests.engine.operators.replay import Replay, Table

F = Scan("flights", ("carrier", "delay"))
C = Scan("carriers", ("code", "name"))
ON = ((Column(0), Column(0)),)
AA = ("AA", "American")


def replay(kind="inner", flights=None, carriers=None, **more):
    tables = {"flights": Table(("carrier", "delay"), flights), "carriers": Table(("code", "name"), carriers)}
    return Replay(Join(kind, F, C, more.pop("on", ON), **more), tables)


def test_a_row_meets_its_partners_whichever_comes_first():
    join = replay()
    assert join.apply(("flights", 1, ("AA", 5))) == []
    assert join.apply(("carriers", "x", AA)) == [((1, "x"), None, ("AA", 5, *AA))]
    assert join.apply(("flights", 2, ("AA", 6))) == [((2, "x"), None, ("AA", 6, *AA))]


def test_a_deleted_row_takes_its_pairs_along():
    """T2"""
    join = replay(flights={1: ("AA", 5), 2: ("AA", 6)}, carriers={"x": AA})
    delta = join.apply(("carriers", "x", None))
    assert sorted(delta) == [((1, "x"), ("AA", 5, *AA), None), ((2, "x"), ("AA", 6, *AA), None)]


def test_a_changed_join_key_leaves_one_partner_and_finds_another():
    """T3: a moved pair is removed and added under its own key."""
    join = replay(flights={1: ("AA", 5)}, carriers={"x": AA, "y": ("UA", "United")})
    assert join.apply(("flights", 1, ("UA", 5))) == [
        ((1, "x"), ("AA", 5, *AA), None),
        ((1, "y"), None, ("UA", 5, "UA", "United")),
    ]


def test_both_sides_changing_in_one_commit_give_each_pair_once():
    join = replay(flights={1: ("AA", 5)}, carriers={"x": AA})
    assert join.apply(("flights", 1, ("AA", 9)), ("carriers", "x", ("AA", "Amer."))) == [
        ((1, "x"), ("AA", 5, *AA), ("AA", 9, "AA", "Amer."))
    ]


def test_null_matches_nothing_not_even_null():
    join = replay("full", flights={1: (None, 5)}, carriers={"x": (None, "?")})
    assert join.value == {(1, None): (None, 5, None, None), (None, "x"): (None, None, None, "?")}


@pytest.mark.parametrize(
    ("left", "right", "match"),
    [(1, 1.0, True), (1, True, False), (1, "1", False), (NAN, NAN, True), ((1,), (1.0,), True), ((1,), (True,), False)],
)
def test_keys_match_by_value_within_a_class_only(left, right, match):
    """T12, T13, T54"""
    join = replay(flights={1: (left, 0)}, carriers={"x": (right, "")})
    assert bool(join.value) is match


def test_a_preserved_row_is_padded_until_it_has_a_partner():
    join = replay("left", flights={1: ("AA", 5)})
    padded = ("AA", 5, None, None)
    assert join.value == {(1, None): padded}
    assert set(join.apply(("carriers", "x", AA))) == {((1, "x"), None, ("AA", 5, *AA)), ((1, None), padded, None)}
    assert set(join.apply(("carriers", "x", None))) == {((1, "x"), ("AA", 5, *AA), None), ((1, None), None, padded)}
    assert join.apply(("flights", 1, ("AA", 6))) == [((1, None), padded, ("AA", 6, None, None))]


def test_a_partner_replaced_in_one_commit_shows_no_padded_row_between():
    """T49: the padded row comes and goes within the step, and is in no delta."""
    join = replay("left", flights={1: ("AA", 5)}, carriers={"x": AA})
    delta = join.apply(("carriers", "x", None), ("carriers", "y", ("AA", "Again")))
    assert {key for key, _, _ in delta} == {(1, "x"), (1, "y")}


def test_the_right_side_may_be_preserved():
    join = replay("right", flights={1: ("AA", 5)}, carriers={"y": ("UA", "United")})
    assert join.value == {(None, "y"): (None, None, "UA", "United")}
    assert len(join.apply(("flights", 1, ("UA", 5)))) == 2


def test_a_residual_counts_partners_pair_by_pair():
    """The last partner for which the residual holds decides, not the last with the key."""
    low = Call("<", (Column(1), Column(3)))
    join = replay("left", {1: ("AA", 5)}, {"x": ("AA", 9), "y": ("AA", 1)}, residual=low)
    assert join.value == {(1, "x"): ("AA", 5, "AA", 9)}
    assert set(join.apply(("carriers", "x", ("AA", 2)))) == {
        ((1, "x"), ("AA", 5, "AA", 9), None),
        ((1, None), None, ("AA", 5, None, None)),
    }
    assert set(join.apply(("flights", 1, ("AA", 0)))) == {
        ((1, None), ("AA", 5, None, None), None),
        ((1, "x"), None, ("AA", 0, "AA", 2)),
        ((1, "y"), None, ("AA", 0, "AA", 1)),
    }


def test_without_equalities_every_pair_is_asked():
    join = replay("full", {1: ("AA", 5)}, {"x": ("UA", 9)}, on=(), residual=Call("<", (Column(1), Column(3))))
    assert join.value == {(1, "x"): ("AA", 5, "UA", 9)}
    assert len(join.apply(("flights", 1, ("AA", 10)))) == 3


def test_a_cross_join_has_neither():
    join = replay("inner", {1: ("AA", 5)}, {"x": AA, "y": AA}, on=())
    assert set(join.value) == {(1, "x"), (1, "y")}


def test_a_table_three_times_in_one_plan():
    """T57: a change reaches each occurrence, and every triple is made once."""
    t = Scan("t", ("id", "next"))
    step = ((Column(1), Column(0)),)
    chain = Join("inner", Join("inner", t, t, step), t, ((Column(3), Column(0)),))
    replay = Replay(chain, {"t": Table(("id", "next"), {1: (1, 2), 2: (2, 3)})})
    assert sorted(replay.apply(("t", 3, (3, 1)))) == [
        ((1, 2, 3), None, (1, 2, 2, 3, 3, 1)),
        ((2, 3, 1), None, (2, 3, 3, 1, 1, 2)),
        ((3, 1, 2), None, (3, 1, 1, 2, 2, 3)),
    ]
    replay.apply(("t", 1, (1, 1)), ("t", 2, (2, 1)))
    assert (1, 1, 1) in replay.value
    replay.apply(("t", 1, None))
    assert replay.value == {}


def test_keys_are_flat_in_the_order_of_from():
    """However joins nest; a group's key, although a tuple, is one part."""
    groups = Aggregate(F, (("carrier", Column(0)),), (("n", AggregateCall("count")),))
    replay = Replay(
        Join("inner", Join("left", F, C, ON), groups, ON),
        {"flights": Table(("carrier", "delay"), {1: ("AA", 5)}), "carriers": Table(("code", "name"))},
    )
    assert set(replay.value) == {(1, None, ("AA",))}
