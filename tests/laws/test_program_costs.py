"""The cost law for generated code: what a change runs does not depend on how many rows there are, and is less than what
the operators run. Counted in byte codes and by the meter.
"""

import pytest

from sspcore.engine.operators.base import Meter
from sspcore.engine.program import compile_plan
from sspcore.engine.schema import Schema
from sspcore.engine.table import Table
from tests.laws.test_operator_costs import CASES, NAMES, byte_codes, changes_of, executed

NODES = ("Join", "SemiJoin", "AntiJoin", "Mark", "Aggregate", "Distinct", "TopK")
ALL = [pytest.param(case, id=f"{name}-{at}") for name in NODES for at, case in enumerate(CASES[name])]


def of_program(case, n):
    """Which nodes are code; byte codes per change; how much the meter says of it."""
    tables = {name: Table(Schema(name, dict.fromkeys(NAMES, "any"), None)) for name in ("t", "u")}
    for table in tables.values():
        table.rows.update(case.rows(n))
    meter = Meter()
    code = compile_plan(case.plan, lambda name: tables[name].schema)
    program = code.bind({}, tables, meter)
    program.hydrate(lambda name: tables[name].rows)
    work, counted = [], []
    for name, change in changes_of(case, n):
        tables[name].write([change])
        before = meter.rows + meter.probes
        work.append(byte_codes(program.steps[name], [change]))
        counted.append(meter.rows + meter.probes - before)
    return [node.code is not None for node in code.nodes], work, counted


@pytest.mark.parametrize("case", ALL)
def test_a_change_runs_no_more_code_over_10_000_rows_than_over_100_and_less_than_operators(case):
    compiled, small, counted = of_program(case, 100)
    _, large, as_counted = of_program(case, 10_000)

    assert all(many <= few * 1.5 + 100 for few, many in zip(small, large, strict=True)), (small, large)
    assert counted == as_counted
    if all(compiled):
        assert sum(small) < sum(executed(case, 100))
