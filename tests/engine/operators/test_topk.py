"""TopK: the input in order, or a window of it, with the places of what moved."""

import pytest

from sspcore.algebra.values import NAN
from sspcore.errors import UsageError
from sspcore.plan.expressions import Column, Constant, Param
from sspcore.plan.nodes import OrderTerm, Project, Scan, TopK
from tests.engine.operators.replay import Replay, Table

A = Column(0)
UP, DOWN = OrderTerm(A), OrderTerm(A, descending=True, nulls_first=True)


def replay(rows, *order, limit=None, offset=None):
    def bound(n):
        return None if n is None else Constant(n)

    plan = TopK(Scan("t", ("a",)), order or (UP,), bound(limit), bound(offset))
    return Replay(plan, {"t": Table(("a",), {key: (value,) for key, value in rows.items()})})


def test_a_row_that_leaves_the_window_lets_the_next_in():
    top = replay({"a": 1, "b": 2, "c": 3}, limit=2)
    assert set(top.apply(("t", "a", (9,)))) == {("a", (1,), None), ("c", None, (3,))}
    assert top.network.placements(top.network.moved()) == (("c", "b"),)


def test_a_row_that_enters_the_window_pushes_the_last_out():
    top = replay({"a": 1, "b": 2, "c": 3}, limit=2)
    assert set(top.apply(("t", "c", (0,)))) == {("c", None, (0,)), ("b", (2,), None)}
    assert top.network.placements(top.network.moved()) == (("c", None),)


def test_a_change_beyond_the_window_shows_nothing():
    top = replay({"a": 1, "b": 2, "c": 3, "d": 4}, limit=2)
    assert top.apply(("t", "d", (3,)), ("t", "e", (7,)), ("t", "c", None)) == []
    assert top.network.moved() == []


def test_a_changed_sort_key_ranks_anew():
    """T3: in place for the row, yet moved in the order."""
    top = replay({"a": 1, "b": 2, "c": 3})
    assert top.apply(("t", "a", (5,))) == [("a", (1,), (5,))]
    assert top.network.placements(top.network.moved()) == (("a", "c"),)
    assert top.network.order() == ["b", "c", "a"]


def test_a_row_that_keeps_its_neighbours_has_not_moved():
    top = replay({"a": 10, "b": 20, "c": 30})
    assert top.apply(("t", "b", (25,))) == [("b", (20,), (25,))]
    assert top.apply(("t", "c", (99,))) == [("c", (30,), (99,))]
    assert top.apply(("t", "a", (0,))) == [("a", (10,), (0,))]
    assert top.network.moved() == []


def test_a_row_that_moves_without_showing_it_is_placed_with_an_empty_delta():
    """T16: ordered by a column that is not selected."""
    rows = {1: (1, "x"), 2: (2, "y")}
    plan = Project(TopK(Scan("t", ("a", "b")), (UP,)), (("b", Column(1)),))
    top = Replay(plan, {"t": Table(("a", "b"), rows)})
    assert top.apply(("t", 1, (3, "x"))) == []
    assert top.network.placements(top.network.moved()) == ((1, 2),)


def test_what_moved_is_forgotten_with_the_next_commit():
    plan = TopK(Scan("t", ("a",)), (UP,))
    top = Replay(plan, {"t": Table(("a", "b"), {1: (1, 0)})})
    top.apply(("t", 2, (0, 0)))
    assert top.network.moved() == [2]
    assert top.apply(("t", 2, (0, 1))) == []
    assert top.network.moved() == []


def test_rows_before_the_offset_shift_the_window():
    page = replay({"a": 1, "b": 2, "c": 3, "d": 4}, limit=2, offset=1)
    assert page.network.order() == ["b", "c"]
    assert set(page.apply(("t", "a", None))) == {("b", (2,), None), ("d", None, (4,))}
    assert set(page.apply(("t", "z", (0,)))) == {("d", (4,), None), ("b", None, (2,))}


def test_a_row_that_only_made_way_for_a_moment_has_not_moved():
    """The last before the offset changes its key but not its place: the window is as it was."""
    page = replay({"a": 1, "b": 20, "c": 30}, limit=2, offset=1)
    assert page.apply(("t", "a", (2,))) == []
    assert page.network.moved() == []


def test_an_offset_beyond_the_rows_waits_for_them():
    page = replay({"a": 1}, offset=2)
    assert page.value == {}
    page.apply(("t", "b", (2,)), ("t", "c", (3,)))
    assert page.network.order() == ["c"]


def test_an_emptied_view_fills_again():
    """T8: like a window restored with nothing behind it."""
    top = replay({"a": 1, "b": 2, "c": 3}, limit=2)
    top.apply(("t", "a", None), ("t", "b", None), ("t", "c", None))
    assert top.value == {}
    top.apply(("t", "d", (4,)), ("t", "e", (5,)), ("t", "f", (6,)))
    assert top.network.order() == ["d", "e"]


MIXED = [None, True, False, 0, -3, 2.5, 1e-9, 10**30, NAN, "b", "a", "ab", "", b"x", (1, 2), (1,)]


def test_descending_is_the_reverse_of_ascending_over_all_classes():
    """T11: text, NULLs, numbers far beyond 64 bits and next to zero."""
    rows = dict(enumerate(MIXED))
    up = replay(rows).network.order()
    assert [rows[key] for key in up] == [
        False, True, -3, 0, 1e-9, 2.5, 10**30, NAN, "", "a", "ab", "b", b"x", (1,), (1, 2), None,
    ]  # fmt: skip
    assert replay(rows, DOWN).network.order() == up[::-1]


@pytest.mark.parametrize(
    ("term", "order"),
    [
        (OrderTerm(A), "abn"),
        (OrderTerm(A, nulls_first=True), "nab"),
        (OrderTerm(A, descending=True, nulls_first=True), "nba"),
        (OrderTerm(A, descending=True), "ban"),
    ],
)
def test_nulls_go_where_they_are_told(term, order):
    assert "".join(replay({"a": 1, "b": 2, "n": None}, term).network.order()) == order


def test_ties_are_broken_by_key_in_both_directions():
    rows = {"b": 1, 10: 1, "a": 1.0, 9: 1, ("a", 1): 1}
    for order in (UP, DOWN):
        assert replay(rows, order).network.order() == [9, 10, "a", "b", ("a", 1)]


def test_limit_zero_shows_nothing_and_no_limit_all():
    assert replay({1: 1}, limit=0).apply(("t", 2, (0,))) == []
    assert replay({1: 1, 2: 0}).network.order() == [2, 1]


@pytest.mark.parametrize("bound", [Constant(-1), Constant(True), Constant(1.5), Constant("3"), Param("n")])
def test_a_limit_that_is_no_count_is_refused(bound):
    for where in ("limit", "offset"):
        with pytest.raises(UsageError, match=where.upper()):
            Replay(TopK(Scan("t", ("a",)), (UP,), **{where: bound}), {"t": Table(("a",))})
