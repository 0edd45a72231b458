"""Union: the rows of all inputs, kept apart or brought together."""

from sspcore.plan.nodes import Scan, Union
from tests.engine.operators.replay import Replay, Table

T, U = Scan("t", ("a",)), Scan("u", ("a",))


def replay(plan, t=None, u=None):
    return Replay(plan, {"t": Table(("a",), t), "u": Table(("a",), u)})


def test_union_all_keeps_the_same_key_of_two_branches_apart():
    union = replay(Union((T, U), all=True), {1: ("x",)}, {1: ("x",)})
    assert union.value == {(0, 1): ("x",), (1, 1): ("x",)}
    assert union.apply(("u", 1, ("y",))) == [((1, 1), ("x",), ("y",))]


def test_union_all_of_one_table_with_itself_names_each_branch():
    """T57"""
    union = replay(Union((T, T), all=True))
    assert union.apply(("t", 1, ("x",))) == [((0, 1), None, ("x",)), ((1, 1), None, ("x",))]


def test_union_shows_a_row_while_any_branch_has_it():
    union = replay(Union((T, U)), {1: ("x",)}, {1: ("x",)})
    assert union.value == {("x",): ("x",)}
    assert union.apply(("t", 1, None)) == []
    assert union.apply(("u", 1, None)) == [(("x",), ("x",), None)]


def test_a_row_that_moves_from_one_branch_to_the_other_stays():
    union = replay(Union((T, U)), {1: ("x",)})
    assert union.apply(("t", 1, None), ("u", 1, ("x",))) == []


def test_three_branches():
    union = replay(Union((T, U, T)), {1: ("x",)}, {1: ("y",)})
    assert union.apply(("t", 1, ("y",))) == [(("x",), ("x",), None)]
