"""Sums in generated code are exact, whatever numbers come and go: of columns of every type, and of expressions.

Large, fine, infinite and huge numbers leave the short cuts of sums; what comes back must leave no trace.
"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import NAN
from sspcore.engine.change import delete, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.emit import groups
from sspcore.engine.schema import Schema
from sspcore.testing.oracle import check_circuit
from tests.profiles import scaled

INF = float("inf")
EDGES = [0.0, -0.0, 0.1, -2.5, 1e16, -1e16, 2.0**-64, 2.0**-65, 5e-324, -5e-324, groups.LARGEST, -groups.LARGEST]
EDGES += [groups.LARGEST * (1 - 2.0**-53), 1.7e308, -1.7e308, INF, -INF, NAN]
EDGE = st.sampled_from(EDGES)
FLOATS = st.none() | EDGE | st.floats()
INTEGERS = st.none() | st.integers(-5, 5) | st.integers(-(2**63), 2**63 - 1)
DECIMALS = st.none() | st.integers(-999, 999).map(lambda n: Decimal(n).scaleb(-2))
ANY = FLOATS | INTEGERS | DECIMALS | st.sampled_from([True, "x"])
ROWS = st.fixed_dictionaries(
    {"g": st.sampled_from("ab"), "r": FLOATS, "n": INTEGERS, "d": DECIMALS, "x": ANY, "h": st.none() | EDGE}
)
SCHEMA = Schema(
    "t", {"id": "integer", "g": "text", "r": "real", "n": "integer", "d": "decimal", "x": "any", "h": "real"}
)
SEVERAL = ", ".join([f"count({c}) AS n{c}, sum({c}) AS s{c}, avg({c}) AS a{c}" for c in "rndx"])
POWER = "*".join(["n"] * 17)
VIEWS = {
    "groups": f"SELECT g, {SEVERAL} FROM t GROUP BY g",
    "whole": f"SELECT {SEVERAL} FROM t",
    "by float": "SELECT h, count(*) AS n, sum(r) AS s, min(r) AS least FROM t GROUP BY h",
    "by any": "SELECT x, count(*) AS n, avg(r) AS a FROM t GROUP BY x",
    "of expressions": f"SELECT g, sum(r * h) AS s, avg(r + n) AS a, avg({POWER}) AS p, sum(n * n) AS q FROM t GROUP BY g",
}


@pytest.mark.parametrize("name", VIEWS)
@scaled(2)
@given(data=st.data())
def test_sums_are_those_of_the_rows_there_are(name, data):
    circuit = Circuit(schemas=[SCHEMA])
    for key, row in enumerate(data.draw(st.lists(ROWS, max_size=3))):
        circuit.apply([upsert("t", key, row)])
    circuit.register("v", VIEWS[name])
    for _ in range(data.draw(st.integers(1, 6))):
        key, row = data.draw(st.integers(0, 3)), data.draw(st.none() | ROWS)
        circuit.apply([delete("t", key) if row is None else upsert("t", key, row)])
        check_circuit(circuit)


def test_an_average_of_integers_beyond_all_floats_is_null_and_the_view_lives():
    circuit = Circuit(schemas=[SCHEMA])
    circuit.register("v", VIEWS["of expressions"])
    commit = circuit.apply([upsert("t", 0, {"g": "a", "n": 2**62})])
    assert not commit.failed
    assert circuit.rows("v")[0][3] is None
