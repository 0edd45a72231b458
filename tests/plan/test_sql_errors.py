"""Refusals: the place, what is wrong, and what to write instead."""

import pytest

from sspcore.errors import SqlError, UnsupportedSql
from sspcore.plan.sql.lower import lower
from tests.plan.sql_world import CATALOG


def refusal(sql):
    with pytest.raises(SqlError) as caught:
        lower(sql, CATALOG)
    return caught.value


UNSUPPORTED = [
    ("SELECT id FROM t FOR UPDATE", "FOR UPDATE", "leave it out", "FOR"),
    ("SELECT id FROM t ORDER BY a FETCH FIRST $n ROWS WITH TIES", "a parameter beside WITH TIES", "the number", "TIES"),
    ("SELECT id FROM t TABLESAMPLE SYSTEM (10)", "TABLESAMPLE", "filter on a column", ""),
    ("SELECT id, sum(a) OVER (ORDER BY a) FROM t", "'sum' with OVER", "row_number, rank and dense_rank", ""),
    ("SELECT id, lag(a) OVER (ORDER BY a) FROM t", "'lag' with OVER", "row_number, rank and dense_rank", ""),
    ("SELECT id, rank() OVER (ORDER BY a ROWS UNBOUNDED PRECEDING) FROM t", "a frame (ROWS", "leave it out", ""),
    ("SELECT id FROM t WINDOW w AS (ORDER BY a)", "WINDOW", "inside OVER", "WINDOW"),
    ("SELECT id FROM t QUALIFY rank() OVER (ORDER BY a) = 1", "QUALIFY", "into FROM", "QUALIFY"),
    ("SELECT a FROM t GROUP BY ROLLUP (a)", "ROLLUP", "UNION ALL", ""),
    ("SELECT a FROM t GROUP BY GROUPING SETS ((a), ())", "GROUPING SETS", "UNION ALL", ""),
    (
        "SELECT (SELECT sum(t.a + (SELECT max(x) FROM v)) FROM u) FROM t",
        "a subquery in an aggregate over columns of the query around", "compute it in that query", "sum",
    ),
    (
        "SELECT b, (WITH q AS (SELECT sum(t.a)) SELECT max(x) FROM u) FROM t GROUP BY b",
        "in a query of WITH that nothing reads", "leave that query out", "sum",
    ),
    (
        "SELECT (WITH q AS (SELECT sum(t.a)) SELECT max(x) FROM u) FROM t",
        "in a query of WITH that nothing reads", "leave that query out", "sum",
    ),
    ("SELECT a FROM t GROUP BY DISTINCT a", "GROUP BY DISTINCT", "list the columns", ""),
    ("WITH RECURSIVE r AS (SELECT id FROM t UNION ALL SELECT a FROM r) SELECT * FROM r", "UNION ALL", "UNION", "ALL"),
    ("WITH RECURSIVE r AS (SELECT id FROM r) SELECT * FROM r", "reads itself, but is no UNION", "UNION SELECT", ""),
    ("WITH RECURSIVE r AS (SELECT id FROM t UNION SELECT max(id) FROM r) SELECT * FROM r", "an aggregate over", "of the result", ""),
    ("WITH RECURSIVE r AS (SELECT id FROM t UNION SELECT id FROM t WHERE a NOT IN (SELECT id FROM r)) SELECT * FROM r", "a subquery over", "FROM", ""),
    ("WITH RECURSIVE r AS (SELECT id FROM t UNION SELECT p.id FROM r p JOIN r q ON p.id = q.id) SELECT * FROM r", "2 times", "once", ""),
    ("WITH RECURSIVE r AS (SELECT id FROM t UNION SELECT t.a FROM t LEFT JOIN r ON r.id = t.id) SELECT * FROM r", "padded side", "INNER JOIN", ""),
    ("WITH RECURSIVE r AS (SELECT id FROM t UNION SELECT id FROM r UNION SELECT id FROM r) SELECT * FROM r", "more than the last part", "one SELECT", ""),
    ("WITH RECURSIVE r AS (SELECT id FROM t UNION SELECT id FROM r ORDER BY 1) SELECT * FROM r", "ORDER BY and LIMIT", "around it", ""),
    ("SELECT * FROM t NATURAL JOIN u", "NATURAL JOIN", "USING", "NATURAL"),
    ("SELECT * FROM t RIGHT JOIN LATERAL (SELECT 1) q ON TRUE", "RIGHT JOIN LATERAL", "LEFT JOIN LATERAL", ""),
    ("SELECT * FROM t, generate_series(1, 3)", "functions in FROM", "one row per element", ""),
    ("SELECT * FROM public.t", "a schema in front of a table", "name the table alone", ""),
    ("SELECT now()", "'now'", "parameter", "now"),
    ("SELECT current_date", "", "parameter", ""),
    ("SELECT random()", "'random'", "parameter", "random"),
    ("SELECT b FROM t WHERE b ~ 'a'", "regular expressions", "LIKE", ""),
    ("SELECT b FROM t WHERE b SIMILAR TO 'a'", "SIMILAR TO", "LIKE", ""),
    ("SELECT extract(fortnight FROM '2013-06-24'::date)", "the field 'fortnight'", "century, day", ""),
    ("SELECT date_trunc('sec', '2013-06-24'::date)", "the unit 'sec'", "second", ""),
    ("SELECT date_trunc('day', interval '1 hour')", "date_trunc of an interval", "extract", "date_trunc"),
    ("SELECT '2013-06-24'::timestamp AT TIME ZONE 'Europe/Berlin'", "AT TIME ZONE", "UTC", "'Europe"),
    ("SELECT interval '1-2' YEAR TO MONTH", "an interval in this form", "interval '2 days'", ""),
    ("SELECT age('2013-06-24'::date)", "'age'", "subtract", "age"),
    ("SELECT b COLLATE \"C\" FROM t", "COLLATE", "lower(x)", ""),
    ("SELECT a FROM t WHERE a = $1", "numbered parameters", "$name", "1"),
    ("SELECT a FROM t WHERE a = ?", "parameter", "$name", ""),
    ("SELECT a FROM t WHERE a = :p", "parameter", "$name", ""),
    ("SELECT corr(a, c) FROM t", "'corr'", "docs/reference/sql.md lists", "corr"),
    ("SELECT string_agg(b, y) FROM t, u", "a computed separator", "$separator", ""),
    ("SELECT uper(b) FROM t", "'uper'", "did you mean 'upper'", "uper"),
    ("SELECT CAST(b AS varchar(10)) FROM t", "a size", "left(x, n)", ""),
    ("SELECT CAST(b AS time) FROM t", "a cast to time", "cast to boolean, integer", ""),
    ("SELECT CAST(b AS text[]) FROM t", "an array type", "leave it out", ""),
    ("SELECT id FROM t ORDER BY a LIMIT $n + 1", "a computed LIMIT", "$limit", ""),
    ("SELECT id FROM t WHERE (a, c) < ALL (SELECT x, id FROM u)", "a row of several values beside", "one by one", ""),
    ("SELECT a FROM t UNION SELECT x FROM u ORDER BY a + 1", "ORDER BY an expression", "name or position", ""),
    ("SELECT count(DISTINCT a, b) FROM t", "several values", "SELECT DISTINCT", "count"),
    ("SELECT sum(a ORDER BY b) FROM t", "ORDER BY inside sum", "no order", "sum"),
    ("DELETE FROM t", "DELETE is no query", "changes", ""),
    ("EXPLAIN SELECT 1", "EXPLAIN is no query", "SELECT", ""),
    ("SELECT x'ff'", "X'…'", "parameter", ""),
    ("SELECT a & 1 FROM t", "bitwise operators", "%", ""),
    ("SELECT (ARRAY[1, 2])[1:2]", "slices", "list[1]", ""),
    ("SELECT ('[1]'::jsonb -> 0)[1]", "subscripts of JSON values", "->", ""),
    ("SELECT ('[1]'::jsonb)['a']", "subscripts by name", "->", ""),
    ("SELECT array_length(ARRAY[1], 2)", "array_length of another dimension", "cardinality", ""),
    ("SELECT unnest(ARRAY[1])", "'unnest'", "one row per element", "unnest"),
    ("SELECT '[1]'::jsonb - '1'::text", "- of JSON", "array_remove", ""),
    ("SELECT '{}'::jsonb #- '{a}'", "#-", "without the member", ""),
    ("SELECT b LIKE ANY (ARRAY['a']) FROM t", "ANY here", "=", ""),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "message", "hint", "word"), UNSUPPORTED)
def test_what_is_not_supported_is_named_and_comes_with_what_to_write_instead(sql, message, hint, word):
    error = refusal(sql)
    assert isinstance(error, UnsupportedSql)
    assert message in error.message
    assert hint in error.hint
    if word:
        assert sql[error.column - 1 :].startswith(word)


ERRORS = [
    ("SELECT aa FROM t", "unknown column 'aa'", "did you mean 'a'?", "aa"),
    ("SELECT t.xx FROM t", "'t' has no column 'xx'", "known: id, a, b, c", "t.xx"),
    ("SELECT q.a FROM t", "no table 'q' in FROM", "known: t", "q.a"),
    ("SELECT t.a FROM t AS q", "no table 't' in FROM", "known: q", "t.a"),
    ("SELECT a FROM tt", "unknown table 'tt'", "did you mean 't'?", "tt"),
    ("SELECT id FROM t, u", "column 'id' is ambiguous", "t.id or u.id", "id"),
    ("SELECT 1 FROM t, t", "two tables in FROM are called 't'", "AS another_name", "t"),
    ("SELECT a FROM t WHERE count(*) > 1", "an aggregate in WHERE", "use HAVING", "count"),
    ("SELECT sum(count(*)) FROM t", "an aggregate in an aggregate", "use a subquery", "count"),
    ("SELECT a, (SELECT sum(t.a) FROM u) FROM t", "neither grouped by nor inside an aggregate", "GROUP BY", "a"),
    ("SELECT id FROM t WHERE EXISTS (SELECT sum(t.a) FROM u)", "an aggregate in WHERE", "use HAVING", "sum"),
    ("SELECT id FROM t JOIN LATERAL (SELECT sum(t.a) FROM u) AS q ON TRUE", "an aggregate in FROM", "subquery", "sum"),
    ("SELECT sum((SELECT sum(t.a) FROM u)) FROM t", "an aggregate in an aggregate", "use a subquery", ""),
    ("SELECT a, count(*) FROM t", "neither grouped by nor inside an aggregate", "GROUP BY", "a"),
    ("SELECT DISTINCT a FROM t ORDER BY b", "SELECT DISTINCT does not show", "select it too", "b"),
    ("SELECT a FROM t ORDER BY 2", "ORDER BY 2: there is no such column", "from 1 to 1", "2"),
    ("SELECT a FROM t GROUP BY 0", "GROUP BY 0", "from 1 to 1", "0"),
    ("SELECT a, b FROM t UNION SELECT x FROM u", "UNION of 2 columns and 1", "select as many", ""),
    ("SELECT a FROM t WHERE a IN (SELECT x, y FROM u)", "1 values IN a subquery of 2 columns", "", "a IN"),
    ("SELECT (SELECT x, y FROM u) FROM t", "gives one column, not 2", "", ""),
    ("SELECT a FROM t WHERE a = 'x'", "'x' is no integer", "", "'x'"),
    ("SELECT string_agg(b) FROM t", "string_agg needs a separator", "string_agg(x, ', ')", "b"),
    ("SELECT array_agg(DISTINCT a ORDER BY c) FROM t", "ordered by another value", "the value itself", ""),
    ("SELECT id FROM t WHERE rank() OVER (ORDER BY a) = 1", "a window function in WHERE", "into FROM", ""),
    ("SELECT DISTINCT ON (a) b FROM t ORDER BY b", "DISTINCT ON lists", "these values first", "a"),
    ("SELECT a FROM t FETCH FIRST 2 ROWS WITH TIES", "WITH TIES without ORDER BY", "order the rows", ""),
    ("SELECT t.id FROM t LEFT JOIN LATERAL (SELECT 1) q", "LEFT JOIN needs ON", "ON TRUE", ""),
    ("SELECT a FROM t LIMIT -1", "LIMIT is -1", "from 0 on", "1"),
    ("SELECT a FROM t LIMIT 'x'", "LIMIT is 'x'", "from 0 on", "'x'"),
    ("SELECT round(a, 1, 2) FROM t", "", "", ""),
    ("SELECT sum(*) FROM t", "sum(*) has no meaning", "only count", "sum"),
    ("SELECT *", "SELECT * without FROM", "", "*"),
    ("SELECT a FROM t WHERE a = 1 1", "syntax error", "", "1"),
    ("SELECT a FROM t GROUP", "syntax error near 'GROUP'", 'write "GROUP"', "GROUP"),
    ("SELECT a, FROM t", "a comma with nothing after it", "", ", FROM"),
    ("SELECT a FROM t; SELECT 1", "more than one statement", "a view of its own", ""),
    ("", "there is no query", "SELECT", ""),
    ("hello", "does not begin with 'hello'", "SELECT or WITH", ""),
    ("SELECT 'abc", "this is not SQL", "", ""),
    ("WITH q AS (SELECT 1), q AS (SELECT 2) SELECT * FROM q", "WITH names 'q' twice", "", ""),
    ("SELECT 1e999", "beyond the range", "", "1e999"),
    ("SELECT extract(year FROM a) FROM t", "integer has no fields of time", "x::timestamp", ""),
    ("SELECT a + INTERVAL '1 day' FROM t", "integer + interval has no meaning", "a date and a number", "a +"),
    ("SELECT '2013-06-24'::date + '2013-06-25'::date", "date + date has no meaning", "", ""),
    ("SELECT '2013-06-24'::date + '1 day'", "needs a type", "interval '1 day'", "'1 day'"),
    ("SELECT interval 'soon'", "'soon' is no interval", "", "'soon'"),
    ("SELECT interval '1 hour' day", "not understood whole", "", ""),
    ("SELECT interval 'x' day", "'x' is no number of days", "interval '1 day", ""),
    ("SELECT date_trunc(b, '2013-06-24'::date) FROM t", "the unit of date_trunc is a quoted text", "", "b"),
    ("SELECT make_interval(fortnights => 1)", "", "", ""),
    ("SELECT a -> 'b' FROM t", "integer has no members", "x::jsonb", ""),
    ("SELECT b @> '[1]' FROM t", "text holds nothing", "lists", "b"),
    ("SELECT '[1]'::jsonb @> 'x'", "'x' is no JSON", "->>", "'x'"),
    ("SELECT ARRAY[1] @> '{}'", "an object and an array", "ARRAY[]", "'{}'"),
    ("SELECT '[1]'::jsonb #> 'a'", "'a' is no list of names", "{a,b}", "'a'"),
    ("SELECT a = ANY (b) FROM t", "ANY takes a list, not text", "IN", "b"),
    ("SELECT a = ANY ('1,2') FROM t", "'1,2' is no array", "{1,2}", "'1,2'"),
    ("SELECT a = ANY ('{x}') FROM t", "'x' is no integer", "", "'{x}'"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "message", "hint", "word"), ERRORS)
def test_what_is_wrong_is_told_with_its_place(sql, message, hint, word):
    error = refusal(sql)
    assert message in error.message
    assert hint in error.hint
    if word:
        assert sql[error.column - 1 :].startswith(word)


def test_the_place_is_right_in_a_text_of_several_lines():
    sql = "SELECT a,\r\n       b\n  FROM t\n WHERE zzz = 1"
    error = refusal(sql)
    assert (4, 8) == (error.line, error.column)
    assert " WHERE zzz = 1\n       ^" == error.caret


def test_views_that_double_at_each_step_are_stopped():
    steps = ["q0 AS (SELECT a FROM t)"] + [f"q{i} AS (SELECT r.a FROM q{i - 1} r, q{i - 1} s)" for i in range(1, 12)]
    assert "more than 500 SELECTs" in refusal(f"WITH {', '.join(steps)} SELECT a FROM q11").message
