"""The laws again over tables of thousands of rows, where ordered state splits and merges its parts."""

from random import Random

import pytest

from sspcore.engine.change import delete, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.schema import Schema
from sspcore.plan import nodes
from sspcore.plan.expressions import Column, Constant
from sspcore.testing.generate.choices import Choices
from sspcore.testing.oracle import Mirror, check_circuit, expect_value

T = nodes.Scan("t", ("g", "x"))
BY_X = (nodes.OrderTerm(Column(1)),)
DOWN = (nodes.OrderTerm(Column(1), descending=True, nulls_first=True), nodes.OrderTerm(Column(0)))
PLANS = {
    "all in order": nodes.TopK(T, BY_X),
    "a window far in": nodes.TopK(T, DOWN, Constant(40), Constant(700)),
    "half": nodes.TopK(T, BY_X, Constant(1_000)),
    "extremes": nodes.Aggregate(
        T, (("g", Column(0)),),
        tuple([(f, nodes.AggregateCall(f, Column(1))) for f in ("min", "max", "sum")]),
    ),
    "different": nodes.Aggregate(T, (), (("n", nodes.AggregateCall("count", Column(1), distinct=True)),)),
    "joined": nodes.TopK(nodes.Join("left", T, T, ((Column(0), Column(1)),)), BY_X, Constant(10)),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANS)
def test_a_view_over_thousands_of_rows_equals_recomputation(name):
    """Grown, churned from the top, from the bottom and at random, and emptied again."""
    c = Choices(Random(name))
    circuit = Circuit(schemas=[Schema("t", {"g": "integer", "x": "any"})])
    mirror = Mirror(circuit.register("v", PLANS[name]))
    view = circuit.view("v")

    def apply(changes, check=True):
        for update in circuit.apply(changes).updates.values():
            mirror.apply(update)
        if check:
            check_circuit(circuit)
            expect_value(mirror.keys, mirror.rows(), view.bound, circuit.tables, "the mirror")

    def row():
        return {"g": c.below(40), "x": c.pick((c.below(500), c.below(90_000) / 7, f"t{c.below(300)}", None))}

    apply([upsert("t", n, row()) for n in range(1_500)])
    for step in range(8):
        apply([upsert("t", c.below(2_500), row()) for _ in range(400)], check=step % 2)
    ordered = sorted(circuit.tables["t"].rows)
    apply([delete("t", key) for key in ordered[:600]])
    apply([delete("t", key) for key in ordered[-600:]])
    for _ in range(30):
        apply([upsert("t", c.below(2_500), row())], check=False)
        apply([delete("t", c.pick(list(circuit.tables["t"].rows)))], check=False)
    apply([delete("t", key) for key in list(circuit.tables["t"].rows)])
    assert len(view.rows()) == (name == "different")
