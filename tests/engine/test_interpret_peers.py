"""The specification against two databases that know nothing of it: SQLite and DuckDB, on the fragment they share."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given

from sspcore.engine.interpret import interpret
from sspcore.plan.nodes import TopK
from tests.engine.peers import TABLES, DuckDb, Relation, Row, ask_sqlite, databases, multiset, relations
from tests.profiles import scaled


@pytest.fixture(scope="module")
def duckdb() -> DuckDb:
    return DuckDb()


def answer(relation: Relation, tables: dict[str, list[Row]]) -> list[Row]:
    world = {name: SimpleNamespace(names=TABLES[name][0], rows=dict(enumerate(rows))) for name, rows in tables.items()}
    return list(interpret(relation[0], world).values())


def agree(relation: Relation, expected: list[Row], actual: list[Row]) -> None:
    assert multiset(expected) == multiset(actual)
    if isinstance(relation[0], TopK):
        assert [multiset([row]) for row in expected] == [multiset([row]) for row in actual]


@scaled(5)
@given(relations(), databases)
def test_plans_mean_what_sqlite_says(relation: Relation, tables: dict[str, list[Row]]) -> None:
    agree(relation, ask_sqlite(relation[0], tables), answer(relation, tables))


@scaled(2)
@given(relation=relations(), tables=databases)
def test_plans_mean_what_duckdb_says(duckdb: DuckDb, relation: Relation, tables: dict[str, list[Row]]) -> None:
    agree(relation, duckdb.ask(relation[0], tables), answer(relation, tables))
