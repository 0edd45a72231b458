"""What once went wrong, as the shortest script that showed it, each with a note. What laws find ends up here."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from sspcore.algebra.values import NAN, FrozenObject
from sspcore.engine.change import create, merge, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.schema import Schema
from sspcore.errors import ChangeRejected
from sspcore.plan import nodes
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.testing.oracle import Mirror, check_circuit
from tests.laws.faults import Bug, break_for_good

WEST = timezone(timedelta(hours=-5))


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


REFUSED = (
    ("the message about an id nested too deep to print died of RecursionError", upsert("t", deep(3_000), {})),
    ("so did that about a value", upsert("t", 1, {"x": deep(3_000)})),
    ("an aware timestamp beyond year 9999 in UTC escaped as OverflowError",
     upsert("t", 1, {"x": datetime.max.replace(tzinfo=WEST)})),
    ("an object frozen by the caller was believed to be canonical inside",
     upsert("t", 1, {"x": FrozenObject({"k": {1}})})),
)  # fmt: skip


@pytest.mark.parametrize(("note", "change"), REFUSED, ids=[note for note, _ in REFUSED])
def test_refused_with_a_message(note, change):
    circuit = Circuit()
    with pytest.raises(ChangeRejected) as refused:
        circuit.apply([change])
    assert len(str(refused.value)) < 500
    assert not circuit.tables


def test_a_plan_with_a_nan_literal_is_equal_to_itself():
    """Registered twice, it was taken for another query: NaN differs from NaN, field by field."""
    plan = nodes.Filter(nodes.Scan("t", ("x",)), Call("<", (Column(0), Constant(NAN))))
    again = nodes.Filter(nodes.Scan("t", ("x",)), Call("<", (Column(0), Constant(NAN))))
    circuit = Circuit(schemas=[Schema("t", {"x": "real"})])
    circuit.register("v", plan)

    assert circuit.register("v", again).rows == []
    assert Constant((1,)) != Constant((True,))


def test_a_view_that_raises_late_in_its_step_still_tells_its_readers():
    """The value was written, then finding the places raised: hydrated anew, nothing seemed to have changed."""
    circuit = Circuit(schemas=[Schema("t", {"x": "integer"})])
    ranked = nodes.TopK(nodes.Scan("t", ("x",)), (nodes.OrderTerm(Column(0)),))
    mirror = Mirror(circuit.register("v", ranked))

    class Raising:
        def __init__(self, network):
            self.network = network

        def __getattr__(self, name):
            if name == "placements":
                raise Bug(name)
            return getattr(self.network, name)

    kept = circuit.views["v"].materialisation
    kept.maintainer = Raising(kept.maintainer)
    mirror.apply(circuit.apply([create("t", 1, {"x": 1})]).updates["v"])

    assert mirror.rows() == [(1,)]
    check_circuit(circuit)


def test_a_view_left_dirty_by_an_interrupt_fails_alone(monkeypatch):
    """When hydrating it raised, every later commit of the circuit was refused."""
    circuit = Circuit(schemas=[Schema("t", {"x": "integer"})])
    circuit.register("bad", nodes.Distinct(nodes.Scan("t", ("x",))))
    circuit.register("good", nodes.Scan("t", ("x",)))
    bad = circuit.views["bad"].materialisation
    break_for_good(bad, monkeypatch)
    bad.dirty = True
    commit = circuit.apply([create("t", 1, {"x": 1})])

    assert list(commit.failed) == ["bad"]
    assert circuit.rows("good") == [(1,)]
    assert circuit.apply([merge("t", 1, {"x": 2})]).updates["good"].updated == (((1,), (2,)),)


def test_values_at_the_edge_of_time_are_kept():
    circuit = Circuit()
    last = datetime.max.replace(tzinfo=UTC)

    circuit.apply([upsert("t", 1, {"x": last})])

    assert Circuit.restore(circuit.image()).tables["t"].rows == {1: (1, last)}


def test_all_of_a_query_that_begins_with_a_parenthesis_is_a_query():
    """The parser takes `ALL ((SELECT …) UNION …)` for a call of a function: it was read as a list, and gave NULL."""
    circuit = Circuit()

    def one(condition):
        return circuit.query(f"SELECT {condition} AS x").rows[0][0]

    assert one("1.5 <> ALL ((SELECT 2 UNION ALL SELECT 3) UNION SELECT 4)") is True
    assert one("3 <> ALL ((SELECT 2 UNION ALL SELECT 3) UNION SELECT 4)") is False
    assert one("4 = ANY ((SELECT 2 UNION ALL SELECT 3) UNION SELECT 4)") is True
    assert one("5 < ALL ((SELECT 6) UNION (SELECT 7))") is True


def test_a_refused_batch_that_brought_columns_leaves_no_way_in_for_them():
    """The short way of single rows kept the layout that the refused batch would have made."""
    circuit = Circuit(schemas=[Schema("t", {"u": "any"}, open=True)])
    circuit.apply([create("t", 1, {"u": 1})])
    with pytest.raises(ChangeRejected):
        circuit.apply([create("t", 2, {"u": 1, "v": 2}), create("t", 1, {})])
    circuit.apply([create("t", 3, {"u": 1, "v": 2})])
    circuit.apply([create("t", 4, {"u": 1, "w": 2})])
    assert circuit.tables["t"].names == ("id", "u", "v", "w")
    assert circuit.tables["t"].rows == {1: (1, 1, None, None), 3: (3, 1, 2, None), 4: (4, 1, None, 2)}


def test_is_true_is_not_null_is_no_chain_of_comparisons():
    """Python reads `x is True is not None` as two comparisons of TRUE: the generated filter dropped the row."""
    circuit = Circuit(schemas=[Schema("u", {"a": "integer"})])
    circuit.register("all", "SELECT id FROM u WHERE ((3 > a) IS TRUE) IS NOT NULL AND (a IS NULL) IS NOT NULL")
    circuit.apply([create("u", 1, {"a": None}), create("u", 2, {"a": 7}), create("u", 3, {"a": 1})])
    assert sorted(circuit.rows("all")) == [(1,), (2,), (3,)]
    check_circuit(circuit)
