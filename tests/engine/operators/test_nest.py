"""Nest: who is inside whom, in which order and window, and who hears of a change."""

import pytest

from sspcore.algebra.values import FrozenObject
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plan.nodes import Nest, OrderTerm, Project, Scan
from tests.engine.operators.replay import Replay, Table

T, U, V = Scan("t", ("a", "b")), Scan("u", ("a", "b")), Scan("v", ("a", "b"))
A, B = Column(0), Column(1)
ON = ((A, A),)
BY_B = (OrderTerm(B),)
NAMES = ("a", "b")


def replay(plan, **tables):
    return Replay(plan, {name: Table(NAMES, tables.get(name)) for name in "tuv"})


def values(**options):
    """The `b` of the children, in order."""
    return Nest(T, U, "kids", ON, order=BY_B, cells=(("b", B),), form="values", **options)


def test_a_child_is_an_object_of_its_columns_and_a_parent_without_children_has_none():
    nest = replay(Nest(T, U, "kids", ON), t={1: ("x", 0), 2: ("y", 0)}, u={7: ("x", 5)})
    assert nest.value == {1: ("x", 0, (FrozenObject({"a": "x", "b": 5}),)), 2: ("y", 0, ())}


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, (1, 2, 3, 4)),
        ({"limit": Constant(2)}, (1, 2)),
        ({"limit": Constant(2), "offset": Constant(1)}, (2, 3)),
        ({"offset": Constant(3)}, (4,)),
        ({"offset": Constant(9)}, ()),
        ({"limit": Constant(0)}, ()),
        ({"limit": Constant(None)}, (1, 2, 3, 4)),
    ],
)
def test_a_window_is_cut_out_of_the_ordered_children(options, shown):
    children = {key: ("x", value) for key, value in ((7, 3), (8, 1), (9, 4), (10, 2))}
    assert replay(values(**options), t={1: ("x", 0)}, u=children).value == {1: ("x", 0, shown)}


@pytest.mark.parametrize("form", ["objects", "values", "object", "value"])
@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("limit", [None, 0, 1, 2])
@pytest.mark.parametrize("offset", [None, 1, 9])
def test_a_child_that_keeps_its_place_is_exchanged_where_it_shows(form, keyed, limit, offset):
    cells = (("a", Call("+", (B, Constant(1)))),)
    plan = Nest(T, U, "kids", ON, limit=Constant(limit), offset=Constant(offset), cells=cells, form=form, keyed=keyed)
    nest = replay(plan, t={1: ("x", 0)}, u={7: ("x", 1), 8: ("x", 2), 9: ("x", 3)})
    for key in (7, 8, 9):
        nest.apply(("u", key, ("x", 10 * key)))
    nest.apply(("u", 8, ("x", 0)), ("u", 7, ("x", 5)), ("u", 9, None))


def test_a_window_closes_up_when_a_child_leaves_it():
    nest = replay(values(limit=Constant(2)), t={1: ("x", 0)}, u={7: ("x", 1), 8: ("x", 2), 9: ("x", 3)})
    assert nest.apply(("u", 7, None)) == [(1, ("x", 0, (1, 2)), ("x", 0, (2, 3)))]
    assert nest.apply(("u", 9, None)) == [(1, ("x", 0, (2, 3)), ("x", 0, (2,)))]


@pytest.mark.parametrize(
    "change",
    [
        ("u", 9, ("x", 7)),  # beyond the window, before and after
        ("u", 9, None),
        ("u", 5, ("x", 8)),
        ("u", 5, ("nobody's", 0)),
        ("u", 5, (None, 0)),
    ],
)
def test_a_child_nobody_sees_changes_no_parent(change):
    """T18"""
    nest = replay(values(limit=Constant(2)), t={1: ("x", 0)}, u={7: ("x", 1), 8: ("x", 2), 9: ("x", 3)})
    assert nest.apply(change) == []


def test_a_change_that_no_cell_shows_changes_no_parent():
    """T18: the column is read for the order alone, and the order stays."""
    plan = Nest(T, U, "kids", ON, order=BY_B, cells=(("a", A),))
    nest = replay(plan, t={1: ("x", 0)}, u={7: ("x", 1), 8: ("x", 5)})
    assert nest.apply(("u", 7, ("x", 2))) == []
    assert nest.apply(("u", 7, ("x", 9))) == []  # even the other order looks alike


def test_all_parents_of_a_child_change_and_no_other():
    """T17: a child that parents share is lost by none of them."""
    nest = replay(values(), t={1: ("x", 0), 2: ("x", 1), 3: ("y", 0)}, u={7: ("x", 1)})
    assert nest.apply(("u", 8, ("x", 2))) == [
        (1, ("x", 0, (1,)), ("x", 0, (1, 2))), (2, ("x", 1, (1,)), ("x", 1, (1, 2)))
    ]  # fmt: skip
    assert nest.apply(("t", 1, None)) == [(1, ("x", 0, (1, 2)), None)]
    assert nest.apply(("u", 7, None)) == [(2, ("x", 1, (1, 2)), ("x", 1, (2,)))]


def test_a_child_under_two_names_is_under_both():
    """T17: (parent, name, child), not (parent, child)."""
    both = Nest(Nest(T, U, "by a", ON, cells=(("b", B),), form="values"), U, "by b", ((B, A),), None, (), None, None,
                (("b", B),), "values")  # fmt: skip
    nest = replay(both, t={1: ("x", "x")}, u={7: ("x", 5)})
    assert nest.value == {1: ("x", "x", (5,), (5,))}
    assert nest.apply(("u", 7, ("x", 6))) == [(1, ("x", "x", (5,), (5,)), ("x", "x", (6,), (6,)))]


def test_a_child_moves_from_parent_to_parent_in_one_step():
    nest = replay(values(), t={1: ("x", 0), 2: ("y", 0)}, u={7: ("x", 1)})
    assert nest.apply(("u", 7, ("y", 1))) == [(1, ("x", 0, (1,)), ("x", 0, ())), (2, ("y", 0, ()), ("y", 0, (1,)))]


def test_a_parent_moves_to_other_children():
    nest = replay(values(), t={1: ("x", 0)}, u={7: ("x", 1), 8: ("y", 2)})
    assert nest.apply(("t", 1, ("y", 0))) == [(1, ("x", 0, (1,)), ("y", 0, (2,)))]
    assert nest.apply(("t", 1, (None, 0))) == [(1, ("y", 0, (2,)), (None, 0, ()))]


def test_a_grandchild_changes_the_parents_it_shows_in():
    """T17: three levels, each with an order and a limit of its own."""
    inner = Nest(U, V, "leaves", ((B, A),), None, BY_B, Constant(1), None, (("b", B),), "values")
    outer = Nest(T, inner, "kids", ON, None, BY_B, Constant(1), None, (("leaves", Column(2)),), "values")
    nest = replay(outer, t={1: ("x", 0), 2: ("y", 0)}, u={5: ("x", 1), 6: ("x", 2), 7: ("y", 1)},
                  v={8: (1, "p"), 9: (2, "q")})  # fmt: skip
    assert nest.value == {1: ("x", 0, (("p",),)), 2: ("y", 0, (("p",),))}
    assert nest.apply(("v", 9, (2, "a"))) == []  # its parent is beyond the window of the first level
    assert nest.apply(("v", 10, (1, "z"))) == []  # beyond the window of the second
    assert len(nest.apply(("v", 11, (1, "b")))) == 2  # a leaf that two branches share


@pytest.mark.parametrize(("form", "empty", "one"), [("object", None, FrozenObject({"b": 1})), ("value", None, 1)])
def test_the_first_child_alone_and_null_without_one(form, empty, one):
    plan = Nest(T, U, "kid", ON, order=BY_B, cells=(("b", B),), form=form)
    nest = replay(plan, t={1: ("x", 0), 2: ("y", 0)}, u={7: ("x", 2), 8: ("x", 1)})
    assert nest.value == {1: ("x", 0, one), 2: ("y", 0, empty)}
    assert nest.apply(("u", 7, None)) == []


def test_keyed_children_come_with_their_keys_and_equal_looks_do_not_hide_another_child():
    nest = replay(values(keyed=True), t={1: ("x", 0)}, u={7: ("x", 1)})
    assert nest.apply(("u", 7, None), ("u", 8, ("x", 1))) == [(1, ("x", 0, ((7, 1),)), ("x", 0, ((8, 1),)))]


def test_without_keys_a_child_that_looks_like_the_one_it_replaces_changes_nothing():
    nest = replay(values(), t={1: ("x", 0)}, u={7: ("x", 1)})
    assert nest.apply(("u", 7, None), ("u", 8, ("x", 1))) == []


def test_a_residual_tells_the_children_of_each_parent_apart():
    later = Call("<", (B, Column(3)))
    nest = replay(
        Nest(T, U, "later", ON, later, BY_B, Constant(2), None, (("b", B),), "values"),
        t={1: ("x", 1), 2: ("x", 2)}, u={7: ("x", 2), 8: ("x", 3)},
    )  # fmt: skip
    assert nest.value == {1: ("x", 1, (2, 3)), 2: ("x", 2, (3,))}
    assert nest.apply(("u", 7, ("x", 1))) == [(1, ("x", 1, (2, 3)), ("x", 1, (3,)))]
    assert nest.apply(("u", 9, ("x", 4))) == [
        (1, ("x", 1, (3,)), ("x", 1, (3, 4))), (2, ("x", 2, (3,)), ("x", 2, (3, 4)))
    ]  # fmt: skip


def test_nothing_is_kept_of_what_is_gone():
    for residual in (None, Call("<>", (B, Column(3)))):
        nest = replay(Nest(T, U, "kids", ON, residual), t={i: (i % 3, i) for i in range(9)}, u={7: (0, 1)})
        nest.apply(*[("t", i, None) for i in range(9)], ("u", 7, None))
        (siblings,) = [op._siblings for _, op, _ in nest.network._nodes if hasattr(op, "_siblings")]
        kept = [getattr(siblings, name, ()) for name in ("_entries", "_values", "_lists", "_parents", "_rows")]
        assert not any(kept), kept


def test_a_column_over_the_children_is_computed_from_them():
    shown = Project(Nest(T, U, "kids", ON), (("any", Call("<>", (Column(2), Constant(())))),))
    nest = replay(shown, t={1: ("x", 0)})
    assert nest.value == {1: (False,)}
    assert nest.apply(("u", 7, ("x", 1))) == [(1, (False,), (True,))]
    assert nest.apply(("u", 8, ("x", 1))) == []
