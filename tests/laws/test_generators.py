"""What the generators produce, counted over a fixed sample: a law tested on dull input proves nothing."""

from collections import Counter
from random import Random

import pytest

from sspcore.algebra.values import NAN, class_of
from sspcore.engine.change import OPS
from sspcore.engine.interpret import interpret
from sspcore.plan import nodes, traverse
from sspcore.testing.generate.choices import Choices
from sspcore.testing.generate.scenarios import scenario
from sspcore.testing.oracle import PlainTable

SCENARIOS = 300
NODES = (
    "Scan", "Values", "Filter", "Project", "Join", "SemiJoin", "AntiJoin", "Mark", "Nest", "Aggregate", "Distinct", "Union",
    "Intersect", "Except", "TopK", "Rank", "Recursive", "Working",
)  # fmt: skip


@pytest.fixture(scope="module")
def sample():
    return [scenario(Choices(Random(seed))) for seed in range(SCENARIOS)]


@pytest.fixture(scope="module")
def plans(sample):
    return [view.bound for s in sample for view in s.views.values()]


def share(plans, test):
    """Percent of the plans with a node that passes the test."""
    return 100 * sum(any(test(node) for node in traverse.walk_plan(plan)) for plan in plans) / len(plans)


@pytest.mark.parametrize("name", NODES)
def test_every_kind_of_node_comes_up(plans, name):
    assert share(plans, lambda node: type(node).__name__ == name) >= 2


def test_every_kind_of_node_is_listed():
    assert {kind.__name__ for kind in nodes.Plan.__args__} == set(NODES)


SHAPES = {
    "inner join": lambda n: isinstance(n, nodes.Join) and n.kind == "inner",
    "left join": lambda n: isinstance(n, nodes.Join) and n.kind == "left",
    "right join": lambda n: isinstance(n, nodes.Join) and n.kind == "right",
    "full join": lambda n: isinstance(n, nodes.Join) and n.kind == "full",
    "residual": lambda n: isinstance(n, nodes.Join) and n.residual is not None,
    "theta join": lambda n: isinstance(n, nodes.Join | nodes.SemiJoin | nodes.AntiJoin) and not n.on,
    "mark with key": lambda n: isinstance(n, nodes.Mark) and n.key is not None,
    "mark without key": lambda n: isinstance(n, nodes.Mark) and n.key is None,
    "nest of objects": lambda n: isinstance(n, nodes.Nest) and n.form == "objects",
    "nest with a window": lambda n: isinstance(n, nodes.Nest) and (n.limit is not None or n.offset is not None),
    "nest with an order": lambda n: isinstance(n, nodes.Nest) and bool(n.order),
    "aggregate without groups": lambda n: isinstance(n, nodes.Aggregate) and not n.groups,
    "distinct aggregate": lambda n: isinstance(n, nodes.Aggregate) and any(c.distinct for _, c in n.aggregates),
    "sum or avg": lambda n: (
        isinstance(n, nodes.Aggregate) and any(c.function in ("sum", "avg") for _, c in n.aggregates)
    ),
    "min or max": lambda n: (
        isinstance(n, nodes.Aggregate) and any(c.function in ("min", "max") for _, c in n.aggregates)
    ),
    "union all": lambda n: isinstance(n, nodes.Union) and n.all,
    "union": lambda n: isinstance(n, nodes.Union) and not n.all,
    "limit": lambda n: isinstance(n, nodes.TopK) and n.limit is not None,
    "no limit": lambda n: isinstance(n, nodes.TopK) and n.limit is None,
    "offset": lambda n: isinstance(n, nodes.TopK) and n.offset is not None,
    "top of each": lambda n: isinstance(n, nodes.TopK) and bool(n.partition),
    "bounded rank": lambda n: isinstance(n, nodes.Rank) and n.limit is not None,
    "intersect or except all": lambda n: isinstance(n, nodes.Intersect | nodes.Except) and n.all,
    "list": lambda n: isinstance(n, nodes.Aggregate) and any(c.function in nodes.LISTS for _, c in n.aggregates),
    "spread": lambda n: (
        isinstance(n, nodes.Aggregate) and any(c.function[:3] in ("std", "var") for _, c in n.aggregates)
    ),
    "descending": lambda n: isinstance(n, nodes.TopK) and any(t.descending for t in n.order),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_form_of_a_node_comes_up(plans, name):
    assert share(plans, SHAPES[name]) >= 2


def test_tables_meet_themselves(plans):
    times = [max(Counter(n.table for n in traverse.walk_plan(p) if isinstance(n, nodes.Scan)).values(), default=0)
             for p in plans]  # fmt: skip

    assert sum(t >= 2 for t in times) >= 0.1 * len(plans)
    assert sum(t >= 3 for t in times) >= 0.02 * len(plans)
    assert sum(traverse.ordering(p) is not None for p in plans) >= 0.1 * len(plans)


def test_every_op_comes_up(sample):
    ops = Counter(change.op for s in sample for batch in s.history[1:] for change in batch)

    assert all(ops[op] >= 0.02 * ops.total() for op in OPS), ops


def test_cells_are_awkward(sample):
    """NULLs, NaN, infinities, booleans beside integers and 1 beside 1.0 in one column."""
    cells, columns = Counter(), Counter()
    for s in sample:
        tables = {schema.table: PlainTable(schema) for schema in s.schemas}
        for batch in s.history:
            for change in batch:
                tables[change.table].apply(change)
        for table in tables.values():
            for column in zip(*table.rows.values(), strict=True):
                cells.update("null" if v is None else "nan" if v is NAN else type(v).__name__ for v in column)
                kinds = {type(v) for v in column}
                columns["all"] += 1
                columns["mixed classes"] += len({class_of(v) for v in column if v is not None}) > 1
                columns["booleans beside integers"] += {bool, int} <= kinds
                columns["1 beside 1.0"] += {int, float} <= kinds

    total = cells.total()
    assert cells["null"] >= 0.02 * total
    assert {"nan", "bool", "int", "float", "str", "Decimal", "tuple", "bytes", "date", "datetime"} <= set(cells)
    assert all(columns[what] >= 0.02 * columns["all"] for what in columns), columns


def test_views_are_seldom_empty(sample):
    """At least four of five states of views, after each batch, hold a row."""
    states = Counter()
    for s in sample[:120]:
        tables = {schema.table: PlainTable(schema) for schema in s.schemas}
        for batch in s.history:
            for change in batch:
                tables[change.table].apply(change)
            states.update(bool(interpret(view.bound, tables)) for view in s.views.values())

    assert states[True] >= 0.8 * states.total(), states
