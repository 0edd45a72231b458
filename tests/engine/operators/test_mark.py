"""Mark: does a left row have a partner, in three values, as a column."""

import pytest

from sspcore.plan.expressions import Call, Column
from sspcore.plan.nodes import Mark, Scan
from tests.engine.operators.replay import Replay, Table

T, U = Scan("t", ("a", "b")), Scan("u", ("a", "b"))
A, B = Column(0), Column(1)
NAMES = ("a", "b")


def replay(t, u, on=(), residual=None, key=(A, A)):
    return Replay(Mark(T, U, "m", on, residual, key), {"t": Table(NAMES, t), "u": Table(NAMES, u)})


@pytest.mark.parametrize("residual", [None, Call("is null", (Column(1),))], ids=["equalities", "residual"])
@pytest.mark.parametrize(
    ("probe", "members", "verdict"),
    [
        (1, [1, 2], True),
        (1, [2], False),
        (1, [], False),
        (1, [2, None], None),
        (1, [1, None], True),
        (None, [1], None),
        (None, [None], None),
        (None, [], False),
        (1, [1.0], True),
        (1, [True], False),
        (1, ["1"], False),
    ],
)
def test_the_verdict_of_in_is_that_of_sql(probe, members, verdict, residual):
    mark = replay({1: (probe, None)}, {i: (m, None) for i, m in enumerate(members)}, residual=residual)
    assert mark.value[1][2] is verdict


def test_a_member_turns_just_the_rows_whose_probe_it_equals():
    mark = replay({1: (5, 0), 2: (6, 0), 3: (5, 1)}, {})
    assert mark.apply(("u", "x", (5, 0))) == [(1, (5, 0, False), (5, 0, True)), (3, (5, 1, False), (5, 1, True))]
    assert mark.apply(("u", "y", (5, 0))) == []


def test_the_first_null_member_turns_false_to_null_and_the_last_turns_it_back():
    mark = replay({1: (5, 0), 2: (6, 0)}, {"x": (5, 0)})
    assert mark.apply(("u", "y", (None, 0))) == [(2, (6, 0, False), (6, 0, None))]
    assert mark.apply(("u", "z", (None, 0))) == []
    assert mark.apply(("u", "y", None), ("u", "z", None)) == [(2, (6, 0, None), (6, 0, False))]


def test_the_first_candidate_turns_a_null_probe():
    mark = replay({1: (None, 0)}, {})
    assert mark.apply(("u", "x", (5, 0))) == [(1, (None, 0, False), (None, 0, None))]
    assert mark.apply(("u", "x", None)) == [(1, (None, 0, None), (None, 0, False))]


def test_a_null_and_a_member_in_one_commit_show_the_net_verdict():
    mark = replay({1: (5, 0), 2: (6, 0)}, {"x": (5, 0)})
    delta = mark.apply(("u", "x", (None, 0)), ("u", "y", (6, 0)))
    assert set(delta) == {(1, (5, 0, True), (5, 0, None)), (2, (6, 0, False), (6, 0, True))}


def test_only_candidates_of_the_correlation_count():
    mark = replay({1: (5, "p"), 2: (5, "q")}, {"x": (5, "q")}, on=((B, B),))
    assert mark.value == {1: (5, "p", False), 2: (5, "q", True)}
    assert mark.apply(("u", "y", (None, "p"))) == [(1, (5, "p", False), (5, "p", None))]
    assert set(mark.apply(("u", "x", (5, "p")))) == {
        (1, (5, "p", None), (5, "p", True)),
        (2, (5, "q", True), (5, "q", False)),
    }


def test_a_null_correlation_has_no_candidates():
    mark = replay({1: (None, None), 2: (5, None)}, {"x": (5, None), "y": (None, None)}, on=((B, B),))
    assert mark.value == {1: (None, None, False), 2: (5, None, False)}


def test_exists_is_never_null():
    mark = replay({1: (None, "p")}, {}, on=((B, B),), key=None)
    assert mark.apply(("u", "x", (None, "p"))) == [(1, (None, "p", False), (None, "p", True))]


def test_a_left_row_changes_with_its_verdict():
    mark = replay({1: (5, 0)}, {"x": (6, 0)})
    assert mark.apply(("t", 1, (6, 0))) == [(1, (5, 0, False), (6, 0, True))]
    assert mark.apply(("t", 1, None)) == [(1, (6, 0, True), None)]


def test_a_table_may_be_asked_about_itself():
    mark = Replay(Mark(T, T, "m", key=(A, B)), {"t": Table(NAMES, {1: (5, 6)})})
    assert mark.apply(("t", 1, (6, 6))) == [(1, (5, 6, False), (6, 6, True))]
