"""Programs: what views of one shape share, what each has of its own, and how much work a change is."""

import pytest

from sspcore.codegen.source import compiles
from sspcore.engine.change import upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.operators.base import Meter
from sspcore.engine.program import Program, compile_plan
from sspcore.engine.schema import Schema
from sspcore.engine.table import Table
from sspcore.errors import UsageError
from sspcore.plan import nodes
from sspcore.plan.expressions import Call, Column, Constant, Param

FLIGHTS = Schema("flights", {"id": "integer", "carrier": "text", "delay": "integer"})
CARRIERS = Schema("carriers", {"id": "text", "name": "text"})
FLIGHT, CARRIER = nodes.Scan("flights", FLIGHTS.names), nodes.Scan("carriers", CARRIERS.names)
LATE = nodes.Filter(FLIGHT, Call(">", (Column(2), Param("limit"))))
NAMED = nodes.Join("inner", LATE, CARRIER, ((Column(1), Column(0)),))
WORST = nodes.TopK(LATE, (nodes.OrderTerm(Column(2), descending=True),), Constant(5))
GROUPED = nodes.Aggregate(LATE, (("carrier", Column(1)),), (("n", nodes.AggregateCall("count")),))


@pytest.fixture
def tables():
    made = {"flights": Table(FLIGHTS), "carriers": Table(CARRIERS)}
    made["flights"].write([(at, None, (at, ("AA", "UA")[at % 2], at)) for at in range(1000)])
    made["carriers"].write([("AA", None, ("AA", "American")), ("UA", None, ("UA", "United"))])
    return made


def bound(plan, tables, limit=0):
    meter = Meter()
    program = compile_plan(plan, lambda table: tables[table].schema).bind({"limit": limit}, tables, meter)
    return program, program.hydrate(lambda table: tables[table].rows), meter


def change(program, tables, table, changes):
    tables[table].write(changes)
    program.begin()
    return program.steps[table](changes)


@pytest.mark.parametrize("plan", [LATE, NAMED, WORST, GROUPED], ids=["filter", "join", "top-k", "aggregate"])
def test_a_view_of_a_known_shape_compiles_nothing(tables, plan):
    first, _, _ = bound(plan, tables)
    before = compiles()
    second, _, _ = bound(plan, tables, limit=17)

    assert compiles() == before
    assert first.code.nodes[0].code.make is second.code.nodes[0].code.make


def test_views_of_one_code_have_their_own_parameters_and_state(tables):
    low, held, _ = bound(GROUPED, tables, limit=989)
    high, other, _ = bound(GROUPED, tables, limit=995)

    assert (held["AA",], other["AA",]) == (("AA", 5), ("AA", 2))
    assert change(low, tables, "flights", [(996, (996, "AA", 996), None)]) == [(("AA",), ("AA", 5), ("AA", 4))]
    assert high.steps["flights"]([(996, (996, "AA", 996), None)]) == [(("AA",), ("AA", 2), ("AA", 1))]


def test_rebinding_changes_what_rows_are_compared_with(tables):
    program, _, _ = bound(LATE, tables, limit=500)
    row = (1, "UA", 501)
    assert program.steps["flights"]([(1, None, row)]) == [(1, None, row)]

    program.rebind({"limit": 600})

    assert program.steps["flights"]([(1, None, row)]) == []


def test_a_part_that_cannot_take_other_parameters_says_so(tables):
    top = nodes.TopK(FLIGHT, (nodes.OrderTerm(Column(2)),), Param("limit"))
    program, _, _ = bound(top, tables, limit=2)

    assert not program.code.rebindable
    with pytest.raises(UsageError, match="cannot change its parameters"):
        program.rebind({"limit": 3})


def test_a_join_by_id_asks_the_table_itself_and_gives_back_what_it_took(tables):
    program, value, _ = bound(NAMED, tables, limit=997)

    assert value == {(998, "AA"): (998, "AA", 998, "AA", "American"), (999, "UA"): (999, "UA", 999, "UA", "United")}
    assert list(tables["flights"].arrangements) == [("carrier",)]
    assert not tables["carriers"].arrangements
    program.release()
    assert not tables["flights"].arrangements


def test_a_change_of_a_dimension_costs_the_facts_that_name_it(tables):
    program, _, meter = bound(NAMED, tables, limit=979)
    before = meter.rows

    out = change(program, tables, "carriers", [("AA", ("AA", "American"), ("AA", "AA"))])

    assert len(out) == 10
    assert meter.rows - before == 11


def test_a_change_beyond_the_floor_is_looked_at_and_left_alone(tables):
    program, _, meter = bound(WORST, tables)
    rows, probes = meter.rows, meter.probes

    assert change(program, tables, "flights", [(7, (7, "UA", 7), (7, "UA", 8))]) == []
    assert (meter.rows - rows, meter.probes - probes, meter.refills) == (1, 0, 0)


def test_a_queue_worked_off_from_the_top_reads_its_input_seldom(tables):
    """Each refill makes the window larger: 900 removals of the best row take a handful."""
    program, _, meter = bound(WORST, tables)
    for at in reversed(range(100, 1000)):
        out = change(program, tables, "flights", [(at, (at, ("AA", "UA")[at % 2], at), None)])
        assert [key for key, _, new in out if new is None] == [at]

    assert program.order() == [99, 98, 97, 96, 95]
    assert 1 <= meter.refills <= 4


def test_a_plan_that_is_a_table_needs_no_code(tables):
    program, value, _ = bound(CARRIER, tables)

    assert program.code.nodes == ()
    assert value == tables["carriers"].rows and value is not tables["carriers"].rows
    assert "no code is needed" in program.code.listing()


@pytest.fixture
def programs(monkeypatch):
    """The programs made, in order."""
    made, make = [], Program.__init__
    monkeypatch.setattr(Program, "__init__", lambda self, *given: made.append(self) or make(self, *given))
    return made


def test_a_filter_has_no_program_of_its_own_until_a_change_reaches_it(programs):
    circuit = Circuit(schemas=[FLIGHTS])
    circuit.apply(
        [upsert("flights", at, {"carrier": f"c{at % 50}", "delay": 100 // (at % 3 or 1)}) for at in range(200)]
    )
    text = "SELECT id, delay / $by AS share FROM flights WHERE carrier = $c"
    for at in range(50):
        snapshot = circuit.register(f"of {at}", text, {"c": f"c{at}", "by": at % 2})
        assert [row[0] for row in snapshot.rows] == [at, at + 50, at + 100, at + 150]
    assert not programs
    assert [circuit.view(f"of {at}").statistics.expression_nulls for at in (6, 7)] == [4, 0]

    update = circuit.apply([upsert("flights", 7, {"carrier": "c8", "delay": 5})]).updates["of 7"]
    assert [key for key, _, new in update.changes if new is None] == [7]
    assert len(programs) == 2
    circuit.rebind("of 9", {"c": "c8", "by": 1})
    assert (7, 5) in circuit.rows("of 9")
    circuit.apply([upsert("flights", 8, {"carrier": "c8", "delay": 1})])
    assert len(programs) == 3
    assert (8, 1) in circuit.rows("of 9")
    assert circuit.view("of 7").statistics.rehydrates == 0
    circuit.unregister("of 7")
    circuit.unregister("of 1")
