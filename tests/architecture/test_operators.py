"""An operator brings its equation, its state and its cost: the six lines a reader needs before the code."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from sspcore.engine.operators.base import Binary, Operator
from sspcore.plan.nodes import Plan
from tests.architecture.rings import modules

LINES = ("Equation:", "Linearity:", "State:", "Cost:", "Contract:", "Example:")


def operators() -> list[type[Operator]]:
    """Discovered, not listed: a new operator is held to this from its first day."""
    rooms = [import_module(f"sspcore.{name}") for name in modules() if name.startswith("engine.operators.")]
    values = [(room, value) for room in rooms for value in vars(room).values() if isinstance(value, type)]
    return [
        value
        for room, value in values
        if issubclass(value, Operator) and value.__module__ == room.__name__ and value not in (Operator, Binary)
    ]


@pytest.mark.parametrize("operator", operators(), ids=lambda operator: operator.__name__)
def test_an_operator_states_its_equation_its_state_and_its_cost(operator):
    doc = inspect.cleandoc(operator.__dict__.get("__doc__") or "")
    missing = [line for line in LINES if line not in doc]
    assert not missing, f"{operator.__name__} does not state: {', '.join(missing)}"
    assert ">>> " in doc, f"{operator.__name__}: the example is a doctest"


@pytest.mark.parametrize("operator", operators(), ids=lambda operator: operator.__name__)
def test_an_operator_has_a_file_of_its_own(operator):
    """One file per operator; UNION and UNION ALL, one word apart in SQL, share theirs."""
    room = operator.__module__.rpartition(".")[2].rstrip("_")
    assert operator.__name__.lower() in (room, f"{room}all"), f"{operator.__name__} lives in {room}.py"


def test_every_plan_node_has_an_operator():
    nodes = {node.__name__ for node in Plan.__args__} - {"Working"}  # an input of Recursive's own networks
    assert nodes <= {operator.__name__ for operator in operators()}
