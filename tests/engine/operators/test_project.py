"""Project: one output column per expression."""

import pytest

from sspcore.engine.operators.base import Meter
from sspcore.engine.operators.network import Network
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plan.nodes import Project, Scan
from tests.engine.operators.replay import Replay, Table

A, B = Column(0), Column(1)


def project(*expressions):
    return Project(Scan("t", ("a", "b")), tuple([(f"c{i}", e) for i, e in enumerate(expressions)]))


@pytest.mark.parametrize(
    ("expressions", "row"),
    [
        ((), ()),
        ((B,), (2,)),
        ((B, A), (2, 1)),
        ((A, B), (1, 2)),
        ((Call("+", (A, B)),), (3,)),
        ((A, Constant("x")), (1, "x")),
        ((A, A, Constant(None)), (1, 1, None)),
        ((B, A, B, Constant(True)), (2, 1, 2, True)),
    ],
)
def test_each_width_and_form_of_expressions_has_its_row(expressions, row):
    assert Replay(project(*expressions), {"t": Table(("a", "b"), {7: (1, 2)})}).value == {7: row}


def test_rows_that_look_alike_keep_their_keys():
    replay = Replay(project(B), {"t": Table(("a", "b"), {1: (1, "x"), 2: (2, "x")})})
    assert replay.apply(("t", 1, None)) == [(1, ("x",), None)]
    assert replay.value == {2: ("x",)}


def test_a_change_that_shows_in_no_column_goes_no_further():
    """T18"""
    replay = Replay(project(B), {"t": Table(("a", "b"), {1: (1, "x")})})
    assert replay.apply(("t", 1, (2, "x"))) == []


def test_a_change_of_type_alone_shows():
    """T59"""
    replay = Replay(project(B), {"t": Table(("a", "b"), {1: (1, 1)})})
    assert replay.apply(("t", 1, (1, True))) == [(1, (1,), (True,))]


def test_division_by_zero_is_null_and_counted():
    meter = Meter()
    network = Network(project(Call("/", (A, B))), lambda table: ("a", "b"), meter)
    assert network.hydrate(lambda table: {1: (6, 0), 2: (6, 2)}) == {1: (None,), 2: (3,)}
    assert meter.nulls.errors == 1
