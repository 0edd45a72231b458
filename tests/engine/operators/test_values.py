"""Values: constant rows."""

from sspcore.engine.operators.base import Meter
from sspcore.engine.operators.values import Values
from sspcore.plan import nodes
from sspcore.plan.expressions import Call, Column, Constant
from tests.engine.operators.replay import Replay, Table


def test_rows_come_on_the_first_step_and_never_again():
    values = Values([(1,), (1,)], Meter())
    assert values.step() == [(0, None, (1,)), (1, None, (1,))]
    assert values.step() == []


def test_select_one_is_a_projection_of_one_empty_row():
    one = nodes.Project(nodes.Values((), ((),)), (("one", Constant(1)),))
    assert Replay(one, {}).value == {0: (1,)}


def test_constants_join_with_a_table_that_changes():
    cells = (("AA", "American"), ("UA", "United"))
    names = nodes.Values(("code", "name"), tuple([(Constant(code), Constant(name)) for code, name in cells]))
    plan = nodes.Join("inner", nodes.Scan("t", ("carrier",)), names, ((Column(0), Column(0)),))
    replay = Replay(plan, {"t": Table(("carrier",))})
    assert replay.value == {}
    assert replay.apply(("t", 1, ("UA",))) == [((1, 1), None, ("UA", "UA", "United"))]
    assert set(replay.apply(("t", 1, ("AA",)))) == {
        ((1, 1), ("UA", "UA", "United"), None),
        ((1, 0), None, ("AA", "AA", "American")),
    }


def test_cells_may_be_calls_of_constants():
    plan = nodes.Values(("x",), ((Call("+", (Constant(1), Constant(2))),),))
    assert Replay(plan, {}).value == {0: (3,)}
