"""A keyed cell told which of several equal values its group was made of: the first one there, or the last to come."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import canonical_key, same
from sspcore.engine.change import create, delete
from sspcore.engine.circuit import Circuit
from sspcore.engine.options import CircuitOptions
from sspcore.plan.expressions import Column
from sspcore.plan.nodes import Aggregate, AggregateCall, Nest, Scan
from sspcore.plan.trees import key_value
from sspcore.testing.oracle import check_circuit

NUMBERS = st.one_of(
    st.integers(-(2**63) + 1, 2**63 - 1), st.floats(allow_nan=False), st.decimals(allow_nan=False, allow_infinity=False)
)


@given(NUMBERS)
def test_equal_keys_are_one_value(number):
    alike = [number, *[spelled for spelled in spellings(number) if spelled == number]]

    told = [key_value((canonical_key(spelled),)) for spelled in alike]

    assert all(same(told[0], other) for other in told)
    assert told[0] == (number,)


def spellings(number):
    yield Decimal(number)
    yield Decimal(number) * Decimal("1.000") if abs(number) < 10**15 else number
    try:
        yield float(number)
        if abs(number) < 2**63:  # integers of cells are no larger
            yield int(number)
    except (OverflowError, ValueError):
        return


CHILDREN = Aggregate(
    Scan("c", ("p", "kind")), (("p", Column(0)), ("kind", Column(1))), (("n", AggregateCall("count", None)),)
)
TREE = Nest(Scan("p", ("id",)), CHILDREN, "kinds", ((Column(0), Column(0)),), keyed=True)


@pytest.mark.parametrize("execution", ["compiled", "operators"])
@pytest.mark.parametrize("later", [1.0, Decimal("1"), Decimal("1.00")])
def test_a_group_of_children_keeps_its_key_whoever_joins_it(execution, later):
    circuit = Circuit(options=CircuitOptions(execution=execution))
    circuit.apply([create("p", 1, {}), create("c", "a", {"p": 1, "kind": 1})])
    circuit.register("tree", TREE)
    for change in (
        create("c", "b", {"p": 1, "kind": later}),
        delete("c", "a"),
        create("c", "d", {"p": 1.0, "kind": 1}),
    ):
        circuit.apply([change])
        check_circuit(circuit)
