"""What random queries reach, counted over a fixed sample: nodes, their forms, what moves, and generated code."""

import ast
import re
from collections import Counter
from random import Random

import pytest

from sspcore.engine.circuit import Circuit
from sspcore.errors import UnsupportedSql
from sspcore.plan import nodes, traverse
from sspcore.testing.generate.choices import Choices
from tests.plan.random_sql.queries import Queries
from tests.plan.random_sql.runner import params
from tests.plan.random_sql.tables import SCHEMAS
from tests.plan.random_sql.test_found import FOUND

QUERIES = 200
NODES = (
    "Scan", "Values", "Filter", "Project", "Join", "SemiJoin", "AntiJoin", "Mark", "Nest", "Aggregate", "Distinct", "Union",
    "Intersect", "Except", "TopK", "Rank", "Recursive", "Working",
)  # fmt: skip
FORMS = {
    "inner join": lambda n: isinstance(n, nodes.Join) and n.kind == "inner",
    "left join": lambda n: isinstance(n, nodes.Join) and n.kind == "left",
    "right join": lambda n: isinstance(n, nodes.Join) and n.kind == "right",
    "full join": lambda n: isinstance(n, nodes.Join) and n.kind == "full",
    "residual": lambda n: isinstance(n, nodes.Join) and n.residual is not None,
    "mark with key": lambda n: isinstance(n, nodes.Mark) and n.key is not None,
    "mark without key": lambda n: isinstance(n, nodes.Mark) and n.key is None,
    "nest with a window": lambda n: isinstance(n, nodes.Nest) and n.limit is not None,
    "aggregate without groups": lambda n: isinstance(n, nodes.Aggregate) and not n.groups,
    "top of each": lambda n: isinstance(n, nodes.TopK) and bool(n.partition),
    "bounded rank": lambda n: isinstance(n, nodes.Rank) and n.limit is not None,
    "intersect or except all": lambda n: isinstance(n, nodes.Intersect | nodes.Except) and n.all,
}
COMPILED = ("Scan", "Join", "SemiJoin", "AntiJoin", "Mark", "Nest", "Aggregate", "Distinct", "TopK")
"""What may be generated code, alone or below projections and filters; the rest is operators."""


@pytest.fixture(scope="module")
def sample():
    """(text, the plan that runs, its parts) of each query that is not refused."""
    circuit, drawn = Circuit(schemas=SCHEMAS), []
    for seed in range(QUERIES):
        text = Queries(Choices(Random(seed))).query().text
        try:
            circuit.register("view", text, params(text), replace=True)
        except UnsupportedSql:
            continue
        template = circuit.view("view").template
        drawn.append((text, template.planned(circuit.tables), template.code(circuit.tables).nodes))
    return drawn


@pytest.mark.parametrize("name", NODES)
def test_every_kind_of_node_comes_up(sample, name):
    assert sum(any(type(n).__name__ == name for n in traverse.walk_plan(plan)) for _, plan, _ in sample) >= 2


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_a_node_comes_up(sample, name):
    assert sum(any(map(FORMS[name], traverse.walk_plan(plan))) for _, plan, _ in sample) >= 2


def test_what_has_generated_code_comes_up_as_code(sample):
    found = Counter(kind for _, _, parts in sample for kind in {below(p.plan) for p in parts if p.code is not None})

    assert {kind: found[kind] for kind in COMPILED if found[kind] < 2} == {}


def below(plan):
    """The kind of node that is below projections and filters."""
    while isinstance(plan, nodes.Project | nodes.Filter):
        plan = plan.input
    return type(plan).__name__


def test_parameters_and_the_time_come_up(sample):
    named = Counter(name for text, _, _ in sample for name in set(re.findall(r"\$(\w+)", text)))

    assert all(named[name] >= 2 for name in ("n", "m", "s", "h", "yes", "few", "skip", "now")), named


def test_generated_code_gives_no_name_that_it_is_given_another_meaning(sample):
    """A lookup handed to `make` and one of the code's own under one name: whoever comes last answers for both."""
    circuit, found = Circuit(schemas=SCHEMAS), []
    for sql in FOUND:
        circuit.register("view", sql, params(sql), replace=True)
        found += circuit.view("view").template.code(circuit.tables).nodes
    every = [*found, *[p for _, _, parts in sample for p in parts]]
    for text in {p.code.source.text(p.code.result) for p in every if p.code is not None}:
        (make,) = ast.parse(text).body
        given = {argument.arg for argument in make.args.args}
        parts = [part for part in make.body if getattr(part, "name", "") != "rebind"]  # which gives them new values
        names = [n for part in parts for n in ast.walk(part) if isinstance(n, ast.Name)]
        bound = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        assert not given & bound, text
