"""Rank: places in the order of a partition; and the window of every partition."""

import pytest

from sspcore.plan.expressions import Column, Constant
from sspcore.plan.nodes import OrderTerm, Rank, Scan, TopK
from tests.engine.operators.replay import Replay, Table

G, V = Column(0), Column(1)
T = Scan("t", ("g", "v"))


def replay(plan, rows):
    return Replay(plan, {"t": Table(("g", "v"), rows)})


def ranked(rows, function="row_number", limit=None, partition=(G,)):
    return replay(Rank(T, "n", function, partition, (OrderTerm(V),), None if limit is None else Constant(limit)), rows)


FOUR = {"a": ("x", 1), "b": ("x", 2), "c": ("x", 2), "d": ("x", 3)}


@pytest.mark.parametrize(
    ("function", "places"), [("row_number", [1, 2, 3, 4]), ("rank", [1, 2, 2, 4]), ("dense_rank", [1, 2, 2, 3])]
)
def test_peers_share_a_place_unless_rows_are_counted(function, places):
    assert [row[-1] for _, row in sorted(ranked(FOUR, function).value.items())] == places


def test_a_row_that_comes_moves_all_behind_it():
    assert ranked(FOUR).apply(("t", "e", ("x", 1.5))) == [
        ("e", None, ("x", 1.5, 2)),
        ("b", ("x", 2, 2), ("x", 2, 3)),
        ("c", ("x", 2, 3), ("x", 2, 4)),
        ("d", ("x", 3, 4), ("x", 3, 5)),
    ]


def test_rows_that_change_places_move_only_those_between():
    rows = {i: ("x", i) for i in range(1, 9)}
    view = ranked(rows)
    before = view.network.meter.rows if hasattr(view.network, "meter") else None
    changed = view.apply(("t", 2, ("x", 4.5)))
    assert sorted(key for key, _, _ in changed) == [2, 3, 4]
    assert before is None or view.network.meter.rows - before < 8


def test_beyond_the_limit_nothing_shows():
    view = ranked(FOUR, limit=2)
    assert view.apply(("t", "d", ("x", 9)), ("t", "e", ("x", 7)), ("t", "c", None)) == []
    assert view.apply(("t", "a", None)) == [
        ("a", ("x", 1, 1), None),
        ("b", ("x", 2, 2), ("x", 2, 1)),
        ("e", None, ("x", 7, 2)),
    ]


def test_peers_of_the_last_within_the_limit_are_within_it():
    view = ranked(FOUR, "rank", limit=2)
    assert view.apply(("t", "d", ("x", 2))) == [("d", None, ("x", 2, 2))]
    assert set(view.apply(("t", "a", ("x", 2)))) == {
        ("a", ("x", 1, 1), ("x", 2, 1)), ("b", ("x", 2, 2), ("x", 2, 1)), ("c", ("x", 2, 2), ("x", 2, 1)),
        ("d", ("x", 2, 2), ("x", 2, 1)),
    }  # fmt: skip


def test_a_row_that_moves_to_another_partition_is_one_change():
    view = ranked({"a": ("x", 1), "b": ("y", 1)})
    assert view.apply(("t", "a", ("y", 0))) == [("a", ("x", 1, 1), ("y", 0, 1)), ("b", ("y", 1, 1), ("y", 1, 2))]


def test_a_row_that_keeps_its_place_while_another_pushes_it_out_is_gone_once():
    view = ranked({"a": ("x", 1), "b": ("x", 2)}, limit=1)
    assert set(view.apply(("t", "a", ("x", 1.0)), ("t", "c", ("x", 0)))) == {
        ("a", ("x", 1, 1), None),
        ("c", None, ("x", 0, 1)),
    }


def test_without_partition_and_order_keys_decide():
    view = replay(Rank(T, "n", "row_number"), {2: ("x", 5), 1: ("y", 7)})
    assert view.value == {1: ("y", 7, 1), 2: ("x", 5, 2)}


@pytest.mark.parametrize(
    ("limit", "shown"), [(2.5, 2), (-1, 0), (None, 0), ("many", 0), (float("inf"), 4), (float("nan"), 4)]
)
def test_a_limit_admits_the_places_that_are_at_most_it(limit, shown):
    assert len(replay(Rank(T, "n", "row_number", (), (OrderTerm(V),), Constant(limit)), FOUR).value) == shown


def test_each_partition_has_its_window():
    rows = {"a": ("x", 1), "b": ("x", 2), "c": ("x", 3), "d": ("y", 1), "e": (None, 1), "f": (None, 2)}
    view = replay(TopK(T, (OrderTerm(V),), Constant(1), Constant(1), (G,)), rows)
    assert set(view.value) == {"b", "f"}
    assert set(view.apply(("t", "a", None))) == {("b", ("x", 2), None), ("c", None, ("x", 3))}
    assert view.network.order() == []


def test_a_partition_without_rows_is_forgotten_and_comes_back():
    view = ranked({"a": ("x", 1)})
    assert view.apply(("t", "a", None)) == [("a", ("x", 1, 1), None)]
    assert view.apply(("t", "a", ("x", 1)), ("t", "b", ("y", 1))) == [
        ("a", None, ("x", 1, 1)),
        ("b", None, ("y", 1, 1)),
    ]
