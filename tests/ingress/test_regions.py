"""Where the rows of a region are looked for: all of them are found, and few others where a value is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore import Schema
from sspcore.abc import ALL
from sspcore.algebra.values import canonical_key
from sspcore.engine.table import Table
from sspcore.ingress.by_value import ByValue
from sspcore.ingress.regions import Regions
from sspcore.ingress.walk import Walk
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.routing.interest import Region

VALUES = (None, 1, 1.0, True, "1", "a", 2, float("nan"))
values = st.sampled_from(VALUES)
writes = st.lists(st.tuples(st.integers(0, 5), st.one_of(st.just("gone"), values)), max_size=30)


def change(table, key, value):
    old, new = table.rows.get(key), None if value == "gone" else (key, value)
    if old is not new and (old is not None or new is not None):
        table.write([(key, old, new)])


@given(before=writes, after=st.lists(st.tuples(st.booleans(), st.integers(0, 5), values)), slice=st.integers(1, 3))
def test_an_index_completed_by_a_walk_amid_changes_is_that_of_the_rows(before, after, slice):
    table = Table(Schema("t", {"id": "integer", "x": "any"}))
    for key, value in before:
        change(table, key, value)
    by_value = table.arrangements["x"] = ByValue(1)
    walk = Walk("t", table.rows, slice=slice, completes=by_value)
    for first, key, value in after:
        if first and not walk.over:
            walk.slice(table.rows)
        change(table, key, value)
    while not by_value.complete:
        walk.slice(table.rows)

    naive = {}
    for key, (_, value) in table.rows.items():
        if value is not None:
            naive.setdefault(canonical_key(value), set()).add(key)
    assert naive == {key: set(ids) for key, ids in by_value._index.items()}


def equal(column, value):
    return Call("=", (Column(column), Constant(value)))


@pytest.mark.parametrize(
    ("condition", "keys"),
    [
        (equal(1, "a"), {1: {"a"}}),
        (Call("and", (equal(1, "a"), Call(">", (Column(2), Constant(3))))), {1: {"a"}}),
        (Call("and", (equal(1, "a"), equal(2, 5))), {1: {"a"}, 2: {5}}),
        (Call("or", (equal(1, "a"), equal(1, "b"))), {1: {"a", "b"}}),
        (Call("or", (equal(1, "a"), equal(2, 5))), {}),
        (Call("in", (Column(1), Constant("a"), Constant("b"))), {1: {"a", "b"}}),
        (Call("is_null", (Column(1),)), {}),
        (Call(">", (Column(2), Constant(3))), {}),
    ],
)
def test_the_values_a_region_asks_for(condition, keys):
    assert keys == Region(condition).keys


def table_of(count):
    table = Table(Schema("t", {"id": "integer", "owner": "integer", "kind": "text"}))
    table.write([(key, None, (key, key % 1_000, "ab"[key % 2])) for key in range(count)])
    return table


def test_a_tenant_among_many_costs_its_rows():
    """Counted: the first walk goes over everything, and files it; the others find theirs."""
    table = table_of(10_000)
    found = Regions({"t": table})
    mine = [Region(Call("and", (equal(2, "a"), equal(1, owner)))) for owner in range(0, 10, 2)]
    for region in mine:
        found.noted("t", region)
    ids, by_value = found.ids("t", mine[0])
    assert ids is table.rows
    walk = Walk("t", ids, mine[0], completes=by_value)
    while not walk.over:
        walk.slice(table.rows)
    for region in mine:
        ids, completes = found.ids("t", region)
        assert 10 == len(ids) and completes is None, "by the column that tells most of them apart"
        assert set(ids) == {key for key, row in table.rows.items() if region.matches(row)}
    for region in mine:
        found.forgotten("t", region)
    assert {} == table.arrangements == found._asked


def test_by_id_no_index_is_needed():
    table = table_of(10_000)
    found = Regions({"t": table})
    for region, ids in ((Region(equal(0, 7)), [7]), (Region(equal(0, "7")), []), (Region(equal(0, -1)), [])):
        found.noted("t", region)
        assert (ids, None) == found.ids("t", region)
    found.noted("t", Region(equal(0, 7.0)))
    assert found.ids("t", Region(equal(0, 7.0)))[0] is table.rows, "7.0 is not the id of the row"


def test_candidates_of_several_are_those_of_each():
    table = table_of(10)
    found = Regions({"t": table})
    assert [7, 3] == list(found.candidates("t", [Region(equal(0, 7)), Region(equal(0, 3)), Region(equal(0, 7))]))
    assert found.candidates("t", [Region(equal(0, 7)), ALL]) is table.rows
    assert [] == list(found.candidates("t", []))
