"""Any text whatsoever is a plan, a SqlError or an UnsupportedSql; and a plan can be checked, written and read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.schema import open_schema
from sspcore.errors import SqlError, UnsupportedSql
from sspcore.plan.check import check
from sspcore.plan.json import from_json, to_json
from sspcore.plan.sql.lower import lower
from tests.plan.sql_corpus import QUERIES
from tests.plan.sql_world import SCHEMAS
from tests.profiles import fuzz

pytestmark = pytest.mark.fuzz

CATALOG = SCHEMAS | {"open": open_schema("open"), "other": open_schema("other")}
_KEYWORDS = """
SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT OFFSET UNION ALL INTERSECT EXCEPT DISTINCT ON USING JOIN LEFT RIGHT FULL
CROSS NATURAL LATERAL WITH RECURSIVE AS IN NOT EXISTS ANY SOME AND OR IS NULL TRUE FALSE UNKNOWN BETWEEN SYMMETRIC LIKE
ILIKE ESCAPE CASE WHEN THEN ELSE END CAST COALESCE NULLIF VALUES FETCH FIRST ROWS ONLY TIES FILTER OVER PARTITION WINDOW
WITHIN ASC DESC NULLS LAST COLLATE INTERVAL DATE TIMESTAMP EXTRACT ARRAY ROW FOR UPDATE TABLESAMPLE GROUPING SETS ROLLUP
CUBE INTO SIMILAR TO AT TIME ZONE
"""
_OTHERS = """
count sum avg min max now random substr trim position overlay concat t u v open other id a b c x y z q nope t.a u.x v.*
t.* * ( ) ( ) , , . ; : :: || + - / % ^ = <> < <= > >= != -> ->> @> # ~ !~ [ ] { } $p $1 ? :n @v 0 1 2 1.5 1e400 .5
99999999999999999999 'a' '' '2013-06-24' "a" "" $$x$$ E'x' X'0' B'1' -- /* */ \\ ' " é \x00
"""
WORDS = (_KEYWORDS + _OTHERS).split()
BEGINNINGS = ("", "SELECT ", "SELECT a FROM t WHERE ", "SELECT a FROM t ")


def outcome(sql):
    """A plan with warnings, or the error; any other exception is a bug."""
    try:
        return lower(sql, CATALOG)
    except SqlError as refused:
        return refused


def judge(sql):
    """The one promise."""
    found = outcome(sql)
    if isinstance(found, SqlError):
        assert str(found)
        assert found.line >= 1
        assert found.column >= 1
        assert found.hint or not isinstance(found, UnsupportedSql), "what is refused comes with what to write instead"
    else:
        check(found.plan)
        assert found.plan == from_json(to_json(found.plan))


@fuzz()
@given(st.sampled_from(BEGINNINGS), st.text(max_size=60))
def test_any_text(beginning, text):
    judge(beginning + text)


@fuzz()
@given(st.sampled_from(BEGINNINGS), st.lists(st.sampled_from(WORDS), max_size=14))
def test_any_words_of_sql(beginning, words):
    judge(beginning + " ".join(words))


@fuzz()
@given(st.data())
def test_any_query_with_some_of_its_words_dropped_doubled_moved_or_replaced(data):
    sql = data.draw(st.sampled_from([sql for _, sql in QUERIES]))
    words = re.findall(r"'[^']*'|\w+|[^\w\s]", sql)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(0, len(words) - 1)))
        other = data.draw(st.integers(0, max(0, len(words) - 1)))
        change = data.draw(st.sampled_from(("drop", "double", "move", "replace", "insert")))
        if not words or change == "insert":
            words.insert(at, data.draw(st.sampled_from(WORDS)))
        elif change == "drop":
            del words[at]
        elif change == "double":
            words.insert(at, words[at])
        elif change == "move":
            words.insert(other, words.pop(at))
        else:
            words[at] = data.draw(st.sampled_from([*words, *WORDS]))
    judge(" ".join(words))


@fuzz()
@given(st.data())
def test_any_query_with_another_inside(data):
    """Subqueries in every place where an operand or a table stands."""
    pick = st.sampled_from([sql for _, sql in QUERIES])
    sql, inner = data.draw(pick), data.draw(pick)
    places = [m.span() for m in re.finditer(r"\b(?:[tuv]\.)?[abcxyz]\b|\b[tuv]\b(?!\.)|\b\d\b", sql)]
    if places:
        start, end = data.draw(st.sampled_from(places))
        sql = f"{sql[:start]}({inner}){sql[end:]}"
    judge(sql)


@pytest.mark.parametrize(
    ("open_", "close"), [("(", ")"), ("NOT ", ""), ("a + ", ""), ("- ", ""), ("a OR ", ""), ("a || ", ""), ("f(", ")")]
)
@pytest.mark.parametrize("depth", [10, 90, 1_000, 10_000])
def test_any_depth(open_, close, depth):
    judge("SELECT * FROM t WHERE " + open_ * depth + "a" + close * depth)


@pytest.mark.parametrize("depth", [5, 50, 500])
def test_any_depth_of_queries(depth):
    judge("SELECT * FROM " + "(SELECT * FROM " * depth + "t" + ") q" * depth)
    judge("SELECT a FROM t WHERE a IN " + "(SELECT a FROM t WHERE a IN " * depth + "(1)" + ")" * depth)
    judge("SELECT a FROM t WHERE " + "NOT EXISTS (SELECT 1 FROM u WHERE u.x = t.a AND " * depth + "TRUE" + ")" * depth)
    judge("SELECT a FROM t" + " UNION SELECT x FROM u" * depth)
    judge("SELECT a FROM t" + " UNION SELECT x FROM u EXCEPT SELECT z FROM v" * depth)
    judge("WITH " + ", ".join([f"q{i} AS (SELECT * FROM q{i - 1}, q{i - 1} AS r)" if i else "q0 AS (SELECT a FROM t)"
                               for i in range(depth)]) + f" SELECT 1 FROM q{depth - 1}")  # fmt: skip
