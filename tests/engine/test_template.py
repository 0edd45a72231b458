"""Templates: what views of one query share of their circuit's tables, and what another view of it costs."""

import sys

from sspcore.engine.change import Change
from sspcore.engine.circuit import Circuit
from sspcore.engine.options import CircuitOptions
from sspcore.engine.schema import Schema
from sspcore.engine.template import Templates
from sspcore.ingress.base_tables import BaseTables

ORDERS = Schema("orders", {"id": "integer", "who": "integer", "n": "integer"})
OF = "SELECT id, n FROM orders WHERE who = $who"


def orders(count, **options):
    circuit = Circuit(schemas=[ORDERS], options=CircuitOptions(**options))
    circuit.apply([Change("orders", "create", n, {"who": n // 3, "n": n}) for n in range(count)])
    return circuit


def arrangements(circuit):
    return list(circuit.tables["orders"].arrangements)


def test_rows_are_looked_up_from_the_second_view_on_and_the_index_goes_with_the_last():
    circuit = orders(30)
    for n in range(4):
        circuit.register(f"v{n}", OF, {"who": n})
        assert ([("who",)] if n else []) == arrangements(circuit)
    for n in range(4):
        assert [("who",)] == arrangements(circuit)
        circuit.unregister(f"v{n}")
    assert [] == arrangements(circuit)


def test_a_query_asked_once_arranges_nothing_however_often_it_is_asked():
    circuit, templates = orders(30), Templates()
    base = BaseTables(CircuitOptions())
    base.declare(ORDERS)
    base.commit(base.resolve([Change("orders", "create", n, {"who": n // 3, "n": n}) for n in range(30)]))
    circuit.register("v", OF, {"who": 1})
    for _ in range(3):
        assert [(6, 6), (7, 7), (8, 8)] == circuit.query(OF, {"who": 2}).rows
        assert [(6, 6), (7, 7), (8, 8)] == base.answer(base.understand(OF, {"who": 2}, {}, None, templates)).rows
    assert [] == arrangements(circuit) == list(base.tables["orders"].arrangements)


def test_rows_are_looked_up_by_another_column_once_the_table_has_it():
    """The first comparison that can be looked up decides; of an open table it may be one on a column yet to come."""
    circuit = Circuit()
    circuit.apply([Change("t", "upsert", n, {"b": n % 2}) for n in range(6)])
    for n in range(3):
        circuit.register(f"v{n}", "SELECT id FROM t WHERE a = $a AND b = $b", {"a": n, "b": 1})
    for n in range(6):
        circuit.apply([Change("t", "upsert", n, {"a": n // 2, "b": n % 2})])
    assert [[(1,)], [(3,)], [(5,)]] == [circuit.rows(f"v{n}") for n in range(3)]
    circuit.unregister("v2")
    assert [(5,)] == circuit.register("w", "SELECT id FROM t WHERE a = $a AND b = $b", {"a": 2, "b": 1}).rows
    for view in list(circuit.views):
        circuit.unregister(view)
    assert {} == circuit.tables["t"].arrangements


def calls(action):
    """How many Python functions are called."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


def test_another_view_of_a_known_query_costs_the_same_whatever_there_is_already():
    """Some 40 calls, of which each costs a tenth of a microsecond: none for each row, each view, or the plan's nodes."""
    found = []
    for rows, views in ((60, 20), (3_000, 500)):
        circuit = orders(rows)
        for n in range(views):
            circuit.register(f"v{n}", OF, {"who": n + 1})
        found.append(calls(lambda circuit=circuit: circuit.register("another", OF, {"who": 0})))
    assert found[0] == found[1] <= 42
