"""What SQL means here is what it means to others: interpreted plans against DuckDB over random rows."""

from collections import Counter

import pytest

from sspcore.engine.interpret import interpret
from sspcore.plan.sql.lower import lower
from sspcore.plan.traverse import ordering
from tests.plan.sql_corpus import QUERIES
from tests.plan.sql_world import CATALOG, duck, shown, tables

WORLDS = range(6)
EMPTY_EVERYWHERE = 8
"""Queries of the corpus that may find nothing in any world: conditions that are never TRUE, LIMIT 0."""


@pytest.fixture(scope="module")
def worlds():
    drawn = [tables(seed) for seed in WORLDS]
    connections = [duck(world) for world in drawn]
    yield list(zip(drawn, connections, strict=True))
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("sql", [sql for _, sql in QUERIES])
def test_a_query_means_what_it_means_to_duckdb(sql, worlds):
    plan = lower(sql, CATALOG).plan
    for world, connection in worlds:
        expected = [shown(row) for row in connection.execute(sql).fetchall()]
        actual = [shown(row) for row in interpret(plan, world).values()]
        if ordering(plan) is None:
            expected, actual = Counter(expected), Counter(actual)
        assert expected == actual


def test_the_queries_find_something_to_disagree_about():
    drawn = [tables(seed) for seed in WORLDS]
    plans = {sql: lower(sql, CATALOG).plan for _, sql in QUERIES}
    empty = [sql for sql, plan in plans.items() if not any(interpret(plan, world) for world in drawn)]
    assert len(empty) <= EMPTY_EVERYWHERE, empty
