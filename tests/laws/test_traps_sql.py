"""Traps of queries: nothing of what was written is dropped silently; a plan survives being written down."""

import pytest
from hypothesis import given

from sspcore.engine.circuit import Circuit
from sspcore.errors import SqlError, UnsupportedSql
from sspcore.plan.json import from_json, to_json
from sspcore.testing.strategies import scenarios
from tests.laws.test_sql import CORPUS, PARAMS, SCHEMAS

SUFFIXES = (
    "garbage here", "AND", "WHERE", ") x", "LIMIT 2 START 1", "LIMIT", "ORDER BY", ", ,", "'", "GROUP", "UNION",
    "; SELECT 1", "IS NOT", "= = 2", "CONTAINS 'x'", "$", "%%", "\\", "\x00",
)  # fmt: skip
MISREAD = (
    "SELECT id FROM a WHERE w = 3.5.1", "SELECT id FROM a WHERE u = = 1", "SELECT id FROM a LIMIT 2 START 1",
    "SELECT id FROM a WHERE u = 1 AND v IS NOT NONE", "SELECT id FROM a WHERE v CONTAINS 'x'", "SELECT id FROM",
    "SELECT id u v FROM a", "SELECT id FROM a WHERE",
)  # fmt: skip


def register(sql):
    circuit = Circuit(schemas=SCHEMAS)
    return circuit, circuit.register("v", sql, PARAMS if "$" in sql else None)


def test_what_cannot_be_read_to_its_end_is_refused():
    """T14: garbage behind a query, or inside, is an error with a place, never a query that means less."""
    for sql in CORPUS[::3]:
        for suffix in SUFFIXES:
            with pytest.raises(SqlError) as refused:
                register(f"{sql} {suffix}")
            assert refused.value.line >= 1
            assert refused.value.column >= 1
    for sql in MISREAD:
        with pytest.raises(SqlError):
            register(sql)
    empty = Circuit(schemas=SCHEMAS)
    assert empty.register("v", "SELECT id FROM a WHERE u = NULL").rows == []
    assert empty.view("v").tables == {"a"}  # NULL is no table


@given(scenarios(views=3, batches=0))
def test_a_plan_survives_being_written_down(scenario):
    """T14: reading what was printed gives the plan again."""
    for view in scenario.views.values():
        assert from_json(to_json(view.plan)) == view.plan


def test_a_query_of_the_corpus_survives_being_written_down():
    """T14: and so does every plan that SQL gives."""
    for sql in CORPUS:
        circuit, _ = register(sql)
        plan = circuit.view("v").plan
        assert from_json(to_json(plan)) == plan


UNREAD = (
    "SELECT id FROM a FOR UPDATE",
    "SELECT id FROM a FOR SHARE SKIP LOCKED",
    "SELECT DISTINCT ON (u) id, u FROM a ORDER BY id",
    "SELECT id FROM a FETCH FIRST 2 ROWS WITH TIES",
    "SELECT id FROM a TABLESAMPLE BERNOULLI (10)",
    "SELECT id INTO other FROM a",
    "SELECT id FROM ONLY a",
    "SELECT id FROM other.a",
    "SELECT u, count(*) FROM a GROUP BY ROLLUP (u)",
    "SELECT u, count(*) FROM a GROUP BY GROUPING SETS ((u), ())",
    "SELECT u, count(*) FROM a GROUP BY CUBE (u)",
    "SELECT id, sum(u) OVER (ORDER BY id) FROM a",
    "SELECT id, row_number() OVER w FROM a WINDOW w AS (ORDER BY u)",
    "SELECT sum(u ORDER BY id) FROM a",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) FROM a",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n + 1 FROM r) SEARCH DEPTH FIRST BY n SET o SELECT n FROM r",
    "SELECT id FROM a NATURAL JOIN b",
    "SELECT id FROM a WHERE u BETWEEN SYMMETRIC 3 AND 1",
    'SELECT id FROM a ORDER BY v COLLATE "C"',
    "SELECT now()",
    "SELECT random() FROM a",
    "SELECT id FROM a FULL JOIN LATERAL (SELECT b.v FROM b WHERE b.u = a.u) AS l ON TRUE",
    "SELECT count(*) IGNORE NULLS FROM a",
)


def test_no_argument_of_a_query_goes_unread():
    """T61: FOR UPDATE, DISTINCT ON, WITH TIES, TABLESAMPLE and their like are refused by name, not ignored."""
    for sql in UNREAD:
        with pytest.raises(SqlError) as refused:
            register(sql)
        if isinstance(refused.value, UnsupportedSql):
            assert refused.value.hint, sql
