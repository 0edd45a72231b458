"""Network: which operators a change reaches, and in what sequence."""

from sspcore.engine.operators.base import Meter, compose, net
from sspcore.engine.operators.network import Network
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plan.nodes import Aggregate, AggregateCall, Filter, Join, OrderTerm, Project, Scan, TopK, Union, Values
from tests.engine.operators.replay import Replay, Table

T, U = Scan("t", ("a", "b")), Scan("u", ("a", "b"))
ON = ((Column(0), Column(0)),)
BIG = Call(">", (Column(1), Constant(10)))
COUNT = (("n", AggregateCall("count")),)


def names(table):
    return ("a", "b")


def test_every_operator_runs_on_the_first_step_also_over_nothing():
    """An aggregate without groups, and constants, have something to say."""
    plan = Union((Aggregate(T, (), COUNT), Values(("n",), ((Constant(7),),))), all=True)
    assert Network(plan, names, Meter()).hydrate(lambda table: {}) == {(0, ()): (0,), (1, 0): (7,)}


def test_operators_behind_one_that_passes_nothing_on_do_not_run():
    meter = Meter()
    network = Network(Aggregate(Filter(T, BIG), (), COUNT), names, meter)
    network.hydrate(lambda table: {1: (1, 5)})
    rows = meter.rows
    assert network.advance({"t": [(1, (1, 5), (1, 6))]}) == []
    assert meter.rows - rows == 1


def test_tables_the_plan_does_not_read_are_passed_over():
    network = Network(Filter(T, BIG), names, Meter())
    network.hydrate(lambda table: {})
    assert network.tables == {"t"}
    assert network.advance({"other": [(1, None, (1, 20))]}) == []
    assert network.advance({"other": [(1, None, (1, 20))], "t": [(2, None, (2, 20))]}) == [(2, None, (2, 20))]
    assert network.advance({}) == []


def test_two_tables_of_one_commit_meet_in_one_pass():
    unpaired = Filter(Join("left", T, U, ON), Call("is null", (Column(2),)))
    replay = Replay(unpaired, {"t": Table(("a", "b")), "u": Table(("a", "b"))})
    assert replay.apply(("t", 1, (1, 1)), ("u", 2, (1, 2))) == []


def test_a_table_read_in_two_places_runs_each():
    """T57"""
    plan = Join("inner", Filter(T, BIG), Aggregate(T, (("a", Column(0)),), COUNT), ON)
    replay = Replay(plan, {"t": Table(names(0), {1: (1, 5)})})
    assert replay.apply(("t", 1, (1, 15))) == [((1, (1,)), None, (1, 15, 1, 1))]


def test_an_ordered_plan_is_one_with_its_topk_below_projects_only():
    top = TopK(T, (OrderTerm(Column(1)),))
    rows = {"t": Table(names(0), {1: (1, 5), 2: (1, 4)})}
    ordered = Network(Project(top, (("a", Column(0)),)), names, Meter())
    ordered.hydrate(lambda table: rows["t"].rows)
    assert (ordered.order(), ordered.moved(), ordered.placements([1])) == ([2, 1], [2, 1], ((1, 2),))
    unordered = Network(Filter(top, BIG), names, Meter())
    unordered.hydrate(lambda table: rows["t"].rows)
    assert (unordered.order(), unordered.moved(), unordered.placements([])) == ([], [], ())


def test_a_commit_that_does_not_reach_the_order_moves_nothing():
    network = Network(TopK(Filter(T, BIG), (OrderTerm(Column(1)),)), names, Meter())
    network.hydrate(lambda table: {1: (1, 50)})
    for deltas in ({"t": [(2, None, (1, 5))]}, {"other": [(1, None, (1,))]}, {}):
        network.advance({"t": [(9, None, (9, 90))]})
        assert network.moved() == [9]
        network.advance(deltas)
        assert network.moved() == []
        network.advance({"t": [(9, (9, 90), None)]})


def test_net_keeps_the_first_old_and_the_last_new():
    assert net([("a", (1,), (2,)), ("a", (2,), None), ("b", None, (1,)), ("b", (1,), None)]) == [("a", (1,), None)]
    assert net([("a", (1,), None), ("a", None, (True,))]) == [("a", (1,), (True,))]
    assert compose([], [("a", None, (1,))]) == compose([("a", None, (1,))], []) == [("a", None, (1,))]
