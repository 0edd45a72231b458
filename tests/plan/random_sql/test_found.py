"""What random queries have found, kept: each was refused, raised or answered wrongly once."""

import pytest

from sspcore.engine.circuit import Circuit
from sspcore.errors import SqlError, UnsupportedSql
from tests.plan.random_sql.queries import Query
from tests.plan.random_sql.runner import Case, databases
from tests.plan.random_sql.tables import SCHEMAS

FOUND = (
    # set operations whose parts read outer columns elsewhere than in WHERE
    "SELECT id FROM t WHERE b IN (SELECT y FROM u UNION ALL SELECT t.b || y FROM v)",
    "SELECT id FROM t WHERE a IN (SELECT a FROM u EXCEPT SELECT t.id FROM v WHERE x = 1)",
    "SELECT id FROM t WHERE EXISTS (SELECT x FROM v WHERE r <> ALL (SELECT 1.5 INTERSECT SELECT w * a FROM u) OR x = 1)",
    # a comma binds less than JOIN
    "SELECT t.id, u.id, v.id FROM t, u RIGHT JOIN v ON u.a = v.x",
    "SELECT t.id, u.id, v.id FROM t, u FULL JOIN v ON u.a = v.x WHERE t.a = 1 OR v.x IS NULL",
    "SELECT t.id, q.id, u.y FROM t, t AS q JOIN u USING (id)",
    "SELECT t.id, u.id, v.id FROM t, u LEFT JOIN v ON u.a = v.x AND v.w > 0, t AS q WHERE q.id = u.id",
    # what USING merges is one of several columns of the name, and none where only the others are in sight
    "SELECT u.id, q.id FROM u JOIN t USING (a), (v RIGHT JOIN t AS q ON x <= a)",
    "SELECT u.id, p.y, q.w FROM u JOIN t USING (a), u AS p LEFT JOIN v AS q ON a = x OR w > 1",
    "SELECT a, t.id, u.id, q.id FROM t FULL JOIN u USING (a) FULL JOIN t AS q USING (a)",
    # one column, one type: what `/` means does not depend on which branch a row takes
    "SELECT coalesce(r, 1) / 2, (CASE WHEN f THEN 1 ELSE r END) / 2, greatest(a, r) / 2 FROM t",
    "SELECT q.a / 2 FROM (SELECT a FROM t UNION ALL SELECT r FROM t UNION ALL SELECT 1) AS q",
    "SELECT q.n / 2 FROM (VALUES (1, 'a'), (2.5, 'b'), (NULL, 'c')) AS q (n, s)",
    "SELECT id FROM t WHERE 1.5 IN (SELECT a UNION SELECT r FROM u)",
    # a parameter, and an empty text at the very end
    "SELECT id FROM t WHERE a = $n OR b LIKE ''",
    # a parameter that no value depends on
    "SELECT id FROM t WHERE EXISTS (SELECT $s FROM u WHERE u.a = t.a)",
    "WITH unread AS (SELECT id FROM t WHERE a = $n) SELECT id FROM u",
    # ON of a lateral join sees what it joins first, also where the query inside reads what a comma sets apart
    "SELECT v.id, q.id, d.n FROM v, v AS q LEFT JOIN LATERAL (SELECT t.a AS n FROM t WHERE t.b = v.y) AS d ON x > d.n",
    "SELECT v.id, q.id, d.n FROM v, v AS q JOIN LATERAL (SELECT t.a AS n FROM t WHERE t.a = v.x) AS d ON x = d.n",
    # an aggregate of nothing, without groups: HAVING makes it, and nobody reads a value of it
    "SELECT u.id FROM u JOIN (SELECT 1 AS one FROM t HAVING 1 = 1) AS q ON u.a = q.one",
    "SELECT id FROM u WHERE NOT EXISTS (SELECT a FROM t WHERE b IN (SELECT 'a' FROM v HAVING 2 > 1))",
    # rows found in a table by their id, and by another key among those that the code files itself
    "SELECT id FROM v WHERE NOT 1 IN (SELECT 1 AS c INTERSECT SELECT id FROM u WHERE y <> v.id)",
    "SELECT id, x IN (SELECT a FROM t WHERE b = v.id OR r > 1) FROM v WHERE w IN (1, 2, 3)",
    # a subquery beside an aggregate, both for each row around (DuckDB errs)
    "SELECT id, (SELECT (SELECT max(w) FROM v WHERE x <= count(u.y)) FROM u WHERE u.a > t.a HAVING count(*) > 1) FROM t",
    "SELECT id, (SELECT count(*) + (SELECT count(*) FROM v WHERE v.x < count(u.y)) FROM u WHERE u.a > t.a) FROM t",
)
UNLIKE = ("ALL", "RIGHT", "FULL", "USING", "VALUES", "UNION", "LATERAL")
"""What SQLite does not know or takes otherwise: to it a comma is a JOIN."""
REFUSED = (
    "WITH unread AS (SELECT nothing FROM t) SELECT id FROM u",
    "WITH unread AS (WITH inside AS (SELECT id FROM t FOR UPDATE) SELECT a FROM u) SELECT id FROM u",
    "SELECT t.id FROM t, u RIGHT JOIN v ON t.a = v.x",
    "SELECT a FROM t JOIN u USING (a), t AS q",
)
UNSUPPORTED = (
    "SELECT t.id FROM t JOIN u USING (a), t AS q JOIN u AS p USING (a)",
    "SELECT t.id FROM t LEFT JOIN u ON t.a = u.a AND t.b IN (SELECT v.y FROM v WHERE v.x = u.a)",
    "SELECT t.id FROM t FULL JOIN u ON t.a = u.a AND EXISTS (SELECT 1 FROM v WHERE v.x > t.id + u.id)",
)


@pytest.mark.parametrize("sql", FOUND)
def test_what_was_wrong_is_right(sql):
    portable = not any(word in sql for word in UNLIKE)
    for seed in range(3):
        case = Case(seed, databases())
        case.run(given=[Query(sql, [], False, portable), Query(sql, [], False, portable)])
        assert case.counts["DuckDb answers"] + case.counts["Sqlite answers"]
        assert not case.counts["unsupported"]


@pytest.mark.parametrize("sql", REFUSED)
def test_what_was_let_pass_is_refused(sql):
    with pytest.raises(SqlError):
        Circuit(schemas=SCHEMAS).register("view", sql)


@pytest.mark.parametrize("sql", UNSUPPORTED)
def test_what_broke_the_lowering_is_refused_by_name(sql):
    with pytest.raises(UnsupportedSql) as refused:
        Circuit(schemas=SCHEMAS).register("view", sql)
    assert refused.value.hint
