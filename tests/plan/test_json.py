"""Plans as JSON: round trips, names for positions, and hostile data that is refused with its place."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import NAN, FrozenObject
from sspcore.engine.schema import Schema
from sspcore.errors import PlanError
from sspcore.plan.expressions import Call, Column, Constant, Param
from sspcore.plan.json import from_json, to_json
from sspcore.plan.nodes import Filter, Join, Scan, TopK, Values
from sspcore.testing.strategies import plans, values
from tests.profiles import fuzz

SCHEMAS = [
    Schema("a", {"u": "integer", "v": "text", "w": "decimal", "x": "timestamp"}),
    Schema("b", {"u": "any", "v": "date"}),
]  # fmt: skip
SCAN = {"node": "scan", "table": "a", "columns": ["u", "v"]}


@given(plans(SCHEMAS))
def test_a_plan_comes_back_from_json_text(plan):
    text = json.dumps(to_json(plan), allow_nan=False)
    back = from_json(json.loads(text))
    assert plan == back
    assert to_json(plan) == to_json(back)  # also what takes no part in equality: names, aliases, stars


@given(values())
def test_any_constant_comes_back(value):
    plan = Values(("x",), ((Constant(value),),))
    assert plan == from_json(json.loads(json.dumps(to_json(plan), allow_nan=False)))


@pytest.mark.parametrize(
    "value",
    [
        None, True, 1, 1.0, -1.5, NAN, float("inf"), float("-inf"), "", "é", b"\x00", Decimal("1.50"), Decimal("1E+3"),
        date(2013, 6, 24), datetime(2013, 6, 24, 15, 0, 0, 5, tzinfo=UTC), (1, (True, None)), 2**100,
        FrozenObject({"$": 1, "a": (1,)}),
    ],
)  # fmt: skip
def test_each_type_of_constant_comes_back_as_it_was(value):
    plan = Filter(Scan("a", ("u",)), Call("=", (Column(0), Constant(value))))
    back = from_json(json.loads(json.dumps(to_json(plan), allow_nan=False)))
    assert plan == back
    assert type(value) is type(back.predicate.args[1].value)


def test_star_alias_and_names_come_back():
    plan = Filter(Scan("a", ("u",), True, "x"), Column(0, "u"))
    back = from_json(to_json(plan))
    assert (True, "x", "u") == (back.input.star, back.input.alias, back.predicate.name)


def test_a_column_may_be_named_where_one_has_the_name():
    right = {"node": "scan", "table": "b", "columns": ["k"]}
    later = {"call": ">", "args": [{"column": "k"}, {"column": "v"}]}
    join = {"node": "join", "kind": "left", "left": SCAN, "right": right, "on": [[{"column": "u"}, {"column": "k"}]]}
    pairs, residual = ((Column(0), Column(0)),), Call(">", (Column(2), Column(1)))
    expected = Join("left", Scan("a", ("u", "v")), Scan("b", ("k",)), pairs, residual)
    assert expected == from_json(join | {"residual": later})
    twice = join | {"right": SCAN, "on": []}
    with pytest.raises(PlanError, match="2 columns are named 'u'") as caught:
        from_json({"node": "filter", "input": twice, "predicate": {"column": "u"}})
    assert "$.predicate" == caught.value.path


def test_a_limit_may_be_the_bare_number():
    assert TopK(Scan("a", ("u", "v")), (), Constant(3), Param("n")) == from_json(
        {"node": "top_k", "input": SCAN, "order": [], "limit": 3, "offset": {"param": "n"}}
    )


FAULTS = [
    (None, "$", "None is no object"),
    ([], "$", "no object"),
    ({}, "$.node", "unknown node None"),
    ({"node": "scann"}, "$.node", "unknown node 'scann'"),
    ({"node": ["scan"]}, "$.node", "unknown node"),
    ({"node": "scan", "table": "a"}, "$", "a scan node needs 'columns'"),
    (SCAN | {"colour": 1}, "$", "unknown member 'colour'"),
    (SCAN | {1: 1}, "$", "unknown member 1"),
    (SCAN | {"columns": "uv"}, "$.columns", "'uv' is no list"),
    (SCAN | {"columns": ["u", 1]}, "$.columns[1]", "1 is no text"),
    (SCAN | {"star": 1}, "$.star", "neither true nor false"),
    ({"node": "filter", "input": SCAN}, "$", "a filter node needs 'predicate'"),
    ({"node": "filter", "input": SCAN, "predicate": {}}, "$.predicate", "has one of column, constant, param and call"),
    ({"node": "filter", "input": SCAN, "predicate": {"column": "z"}}, "$.predicate", "unknown column 'z'"),
    ({"node": "filter", "input": SCAN, "predicate": {"column": 2}}, "$.predicate", "column 2"),
    ({"node": "filter", "input": SCAN, "predicate": {"column": True}}, "$.predicate", "neither the position nor"),
    ({"node": "filter", "input": SCAN, "predicate": {"param": 1}}, "$.predicate", "1 is no name"),
    ({"node": "filter", "input": SCAN, "predicate": {"call": "f", "args": 1}}, "$.predicate.args", "1 is no list"),
    ({"node": "filter", "input": SCAN, "predicate": {"call": 1}}, "$.predicate", "1 is no function"),
    ({"node": "filter", "input": SCAN, "predicate": {"constant": {"$": ["date", "x"]}}}, "$.predicate", "no constant"),
    ({"node": "filter", "input": SCAN, "predicate": {"constant": {"a": 1}}}, "$.predicate", "no constant"),
    ({"node": "project", "input": SCAN, "columns": [["x"]]}, "$.columns[0]", "no pair"),
    ({"node": "union", "inputs": []}, "$.inputs", "a union of nothing"),
    ({"node": "distinct", "input": {"node": "union", "inputs": []}}, "$", "a union of nothing"),
    ({"node": "top_k", "input": SCAN, "order": [{"expression": {"column": 0}, "nulls": 1}]}, "$.order[0]", "'nulls'"),
    ({"node": "top_k", "input": SCAN, "order": [], "limit": -1}, "$.limit", "no count of rows"),
    ({"node": "aggregate", "input": SCAN, "groups": [], "aggregates": [["n", {}]]}, "$.aggregates[0][1].function", ""),
]


@pytest.mark.parametrize(("data", "path", "message"), FAULTS, ids=[f"{i}" for i in range(len(FAULTS))])
def test_what_is_not_understood_is_refused_with_its_path(data, path, message):
    with pytest.raises(PlanError) as caught:
        from_json(data)
    assert path == caught.value.path
    assert message in caught.value.message


def nested(wrap, depth, data):
    for _ in range(depth):
        data = wrap(data)
    return data


@pytest.mark.parametrize("depth", [99, 300, 50_000])
def test_depth_is_refused_or_understood_never_a_crash(depth):
    filters = nested(lambda p: {"node": "filter", "input": p, "predicate": {"constant": True}}, depth, SCAN)
    calls = nested(lambda e: {"call": "neg", "args": [e]}, depth, {"column": 0})
    lists = nested(lambda v: [v], depth, 1)
    for data in (
        filters, {"node": "filter", "input": SCAN, "predicate": calls},
        {"node": "filter", "input": SCAN, "predicate": {"constant": lists}},
    ):  # fmt: skip
        try:
            assert from_json(data)
        except PlanError as refused:
            assert refused.path.startswith("$")  # noqa: PT017  either is right, by depth


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(
    ["scan", "filter", "union", "values", "top_k", "join", "mark", "aggregate", "u", "v", "a", "=", "and", "sum", "$"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["node", "table", "columns", "input", "inputs", "left", "right", "predicate", "on", "residual", "kind", "key",
     "groups", "aggregates", "order", "limit", "offset", "rows", "all", "column", "constant", "param", "call", "args", "function",
     "argument", "expression", "$", "name"]
)  # fmt: skip
ANY = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=20
)


def judge(data):
    try:
        plan = from_json(data)
    except PlanError as refused:
        return refused
    assert plan == from_json(to_json(plan))
    return None


@pytest.mark.fuzz
@fuzz()
@given(ANY)
def test_any_data_is_a_plan_or_a_plan_error(data):
    judge(data)


@pytest.mark.fuzz
@fuzz()
@given(plans(SCHEMAS, scans=3), st.data())
def test_any_plan_with_a_part_replaced_is_a_plan_or_a_plan_error(plan, data):
    tree = json.loads(json.dumps(to_json(plan)))
    places = []

    def walk(part, place):
        children = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        for name, child in children:
            places.append((part, name))
            walk(child, [*place, name])

    walk(tree, [])
    for _ in range(data.draw(st.integers(1, 2))):
        part, name = data.draw(st.sampled_from(places))
        if data.draw(st.booleans()):
            part[name] = data.draw(ANY)
        elif isinstance(part, dict):
            part.pop(name, None)
    judge(tree)
