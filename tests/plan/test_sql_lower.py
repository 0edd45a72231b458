"""The plans that SQL becomes: which nodes, which columns, which keys, which names."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sspcore.algebra.interval import Interval
from sspcore.algebra.values import canonical
from sspcore.engine.schema import Schema, open_schema
from sspcore.errors import SqlError
from sspcore.plan.expressions import Call, Column, Constant, Param
from sspcore.plan.nodes import (
    Aggregate,
    AggregateCall,
    AntiJoin,
    Distinct,
    Filter,
    Join,
    Mark,
    Project,
    Scan,
    SemiJoin,
    TopK,
    Values,
)
from sspcore.plan.sql.lower import lower
from sspcore.plan.traverse import columns, params_of, walk_plan
from sspcore.plan.types import column_types
from tests.plan.sql_world import SCHEMAS

TYPED = Schema(
    "typed",
    {"id": "integer", "at": "timestamp", "day": "date", "price": "decimal", "raw": "bytes", "ok": "boolean",
     "n": "integer", "x": "real", "name": "text", "Mixed": "integer", "free": "any"},
)  # fmt: skip
CATALOG = SCHEMAS | {"typed": TYPED, "open": open_schema("open"), "Weird Table": Schema("Weird Table", {"id": "any"})}


def plan(sql, **views):
    return lower(sql, CATALOG, views=views).plan


def predicate(where):
    """The predicate over the columns of `typed` by name."""
    found = plan(f"SELECT * FROM typed WHERE {where}")
    assert isinstance(found, Filter)
    return found.predicate


def kinds(found):
    return [type(node).__name__ for node in walk_plan(found)]


def scans(found):
    return {n.table: n.columns for n in walk_plan(found) if isinstance(n, Scan)}


def test_a_scan_lists_only_the_columns_that_are_read():
    assert ("b", "a") == columns(plan("SELECT b, a FROM t WHERE c > 1"))
    assert {"t": ("a", "b", "c")} == scans(plan("SELECT b, a FROM t WHERE c > 1"))
    assert plan("SELECT count(*) FROM t") == Aggregate(Scan("t", ()), (), (("count", AggregateCall("count")),))


def test_a_star_marks_the_scan():
    star = plan("SELECT * FROM t")
    assert isinstance(star, Scan)
    assert (star.columns, star.star) == (("id", "a", "b", "c"), True)
    both = plan("SELECT u.* FROM t, u WHERE t.a = u.x")
    assert [False, True] == [n.star for n in walk_plan(both) if isinstance(n, Scan)]


def test_equalities_of_a_comma_join_are_pairs_of_the_join():
    found = plan("SELECT t.id FROM t, u WHERE u.x = t.a AND t.b > 'a' AND t.c < u.id")
    (join,) = [n for n in walk_plan(found) if isinstance(n, Join)]
    assert ((Column(1), Column(1)),) == join.on
    assert Call("<", (Column(3), Column(4))) == join.residual
    assert isinstance(join.left, Filter)


@pytest.mark.parametrize(
    ("tables", "where"),
    [
        ("t, u, v", "t.a = v.x AND u.x = v.z"),
        ("t, u, v, t AS w", "t.a = w.a AND u.x = w.c AND v.z = w.id"),
        ("t JOIN u ON TRUE JOIN v ON t.a = v.x AND u.x = v.z", "TRUE"),
    ],
)
def test_tables_are_bracketed_in_from_order_so_that_no_join_lacks_an_equality(tables, where):
    found = plan(f"SELECT t.id FROM {tables} WHERE {where}")
    joins = [n for n in walk_plan(found) if isinstance(n, Join)]
    assert all(join.on for join in joins)
    names = [n.alias for n in walk_plan(found) if isinstance(n, Scan)]
    assert ["t", "u", "v", "w"][: len(names)] == names


def test_tables_are_joined_in_another_order_only_where_from_order_would_multiply_them():
    found = plan("SELECT 1 FROM t a, t b, t c, t d WHERE c.a = a.a AND a.b = d.b AND d.c = b.c")
    assert all(n.on for n in walk_plan(found) if isinstance(n, Join))
    crossed = plan("SELECT 1 FROM t a, t b, t c WHERE a.a = c.a")
    assert 1 == sum(not n.on for n in walk_plan(crossed) if isinstance(n, Join))


def test_conditions_go_below_the_sides_of_an_outer_join_where_they_may():
    found = plan("SELECT t.id FROM t LEFT JOIN u ON t.a = u.x AND u.y = 'a' AND t.b = 'a' WHERE t.c = 1 AND u.y > 'b'")
    above = next(n for n in walk_plan(found) if isinstance(n, Filter))
    join = next(n for n in walk_plan(found) if isinstance(n, Join))
    assert above.input is join
    assert Call("=", (Column(2), Constant("a"))) == join.residual  # t.b = 'a' unmakes a pair, not the row of t
    assert isinstance(join.left, Filter)
    assert isinstance(join.right, Filter)


@pytest.mark.parametrize(
    ("where", "node"),
    [
        ("a IN (SELECT x FROM u)", SemiJoin),
        ("EXISTS (SELECT 1 FROM u WHERE u.x = t.a)", SemiJoin),
        ("NOT EXISTS (SELECT 1 FROM u WHERE u.x = t.a)", AntiJoin),
        ("NOT (EXISTS (SELECT 1 FROM u WHERE u.x = t.a))", AntiJoin),
        ("a NOT IN (SELECT x FROM u)", Mark),
        ("id NOT IN (SELECT x FROM u)", Mark),
        ("id NOT IN (SELECT id FROM u)", AntiJoin),
        ("id NOT IN (SELECT x FROM u WHERE x IS NOT NULL)", AntiJoin),
        ("id NOT IN (SELECT u.id FROM v LEFT JOIN u ON u.x = v.x)", Mark),
        ("a IN (SELECT x FROM u) OR b = 'a'", Mark),
        ("NOT a IN (SELECT x FROM u)", Mark),
        ("a = ANY (SELECT x FROM u)", SemiJoin),
        ("id <> ALL (SELECT id FROM v)", AntiJoin),
    ],
)
def test_a_subquery_in_where_is_a_semi_join_an_anti_join_or_a_mark(where, node):
    found = {type(n) for n in walk_plan(plan(f"SELECT id FROM t WHERE {where}"))} & {SemiJoin, AntiJoin, Mark}
    assert {node} == found


def test_correlation_becomes_the_conditions_of_the_join():
    found = plan("SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.x = t.a AND u.id > t.id AND u.y = 'a')")
    (semi,) = [n for n in walk_plan(found) if isinstance(n, SemiJoin)]
    assert ((Column(1), Column(1)),) == semi.on
    assert Call(">", (Column(2), Column(0))) == semi.residual
    assert isinstance(semi.right, Filter)


def test_an_equality_correlates_an_aggregate_by_its_key():
    found = plan("SELECT id, (SELECT count(*) FROM u WHERE u.x = t.a) AS n FROM t")
    assert ["Project", "Join", "Scan", "Aggregate", "Scan"] == kinds(found)
    assert Call("coalesce", (Column(3), Constant(0))) == found.columns[1][1]


def test_order_is_taken_below_the_projection_so_that_it_may_use_what_is_not_shown():
    found = plan("SELECT a FROM t ORDER BY b DESC, c NULLS FIRST LIMIT 3 OFFSET $skip")
    assert isinstance(found, Project)
    assert isinstance(found.input, TopK)
    assert [(True, True), (False, True)] == [(t.descending, t.nulls_first) for t in found.input.order]
    assert (Constant(3), Param("skip")) == (found.input.limit, found.input.offset)


def test_order_without_a_limit_means_nothing_inside():
    assert "TopK" not in kinds(plan("SELECT a FROM (SELECT a FROM t ORDER BY b) q"))
    assert "TopK" not in kinds(plan("SELECT a FROM t WHERE a IN (SELECT x FROM u ORDER BY y)"))
    assert "TopK" in kinds(plan("SELECT a FROM (SELECT a FROM t ORDER BY b LIMIT 2) q"))


def test_aggregates_are_computed_once_and_called_as_they_are_shown():
    found = plan("SELECT b AS label, count(*) AS n, sum(a) / count(*) AS mean FROM t GROUP BY b HAVING count(*) > 1")
    (aggregate,) = [n for n in walk_plan(found) if isinstance(n, Aggregate)]
    assert ("label", "n", "sum") == columns(aggregate)
    assert isinstance(plan("SELECT b, count(*) AS n FROM t GROUP BY b"), Aggregate)


def test_columns_that_a_grouped_key_determines_need_no_grouping():
    assert ("b", "n") == columns(plan("SELECT t.b, count(u.id) AS n FROM t LEFT JOIN u ON t.a = u.x GROUP BY t.id"))
    with pytest.raises(SqlError, match="'b' is neither grouped by nor inside an aggregate"):
        plan("SELECT b, count(*) FROM t GROUP BY a")


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT a, t.b, a AS k, a + 1, count(*) FROM t GROUP BY a, b", ("a", "b", "k", "?column?", "count")),
        ("SELECT upper(b), substring(b from 2), char_length(b), coalesce(a, 1) FROM t",
         ("upper", "substring", "char_length", "coalesce")),
        ("SELECT a::text, CASE WHEN a = 1 THEN 2 END, EXISTS (SELECT 1), (SELECT max(x) FROM u), 'x' FROM t",
         ("a", "case", "exists", "max", "?column?")),
        ("SELECT MIXED, \"Mixed\" FROM typed", ("MIXED", "Mixed")),
        ("SELECT a AS \"A b\" FROM t UNION SELECT x AS z FROM u", ("A b",)),
        ("VALUES (1, 2)", ("column1", "column2")),
        ("SELECT * FROM u JOIN v USING (x)", ("x", "id", "y", "id", "z")),
        ("SELECT * FROM (SELECT a, b FROM t) AS q (n)", ("n", "b")),
    ],
)  # fmt: skip
def test_outputs_are_called_as_in_postgres(sql, names):
    assert names == columns(plan(sql))


def test_names_match_exactly_else_without_regard_to_case_unless_quoted():
    exact = plan('SELECT "Mixed" AS m FROM "typed" WHERE typed."Mixed" = 1')
    assert exact == plan("SELECT mixed AS m FROM TYPED WHERE MIXED = 1")
    assert ("id",) == columns(plan('SELECT * FROM "Weird Table"'))
    with pytest.raises(SqlError, match="unknown column 'mixed'; did you mean 'Mixed'"):
        plan('SELECT "mixed" FROM typed')


MOMENT = datetime(2013, 6, 24, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("where", "constant"),
    [
        ("at > '2013-06-24 15:00:00'", MOMENT),
        ("'2013-06-24T17:00+02:00' = at", MOMENT),
        ("at > TIMESTAMP '2013-06-24 15:00:00'", MOMENT),
        ("day = '2013-06-24'", date(2013, 6, 24)),
        ("day = DATE '2013-06-24'", date(2013, 6, 24)),
        ("price = '1.50'", Decimal("1.50")),
        ("price = 1.1", Decimal("1.1")),
        ("price > -1.1", Decimal("-1.1")),
        ("raw = '\\x00ff'", b"\x00\xff"),
        ("ok = 'yes'", True),
        ("n = '5'", 5),
        ("x = '2'", 2.0),
        ("x = 0.1", 0.1),
        ("n = 5", 5),
        ("free = '5'", "5"),
        ("name = '2013-06-24'", "2013-06-24"),
    ],
)
def test_a_literal_takes_the_type_of_the_other_side(where, constant):
    found = [a for a in predicate(where).args if isinstance(a, Constant)]
    assert [Constant(constant)] == found


def test_literals_take_the_type_in_lists_ranges_and_choices_too():
    assert Call("in", (Column(2), Constant(date(2013, 6, 24)), Param("d"))) == predicate("day IN ('2013-06-24', $d)")
    low, high = predicate("at BETWEEN '2013-06-24 15:00' AND $to").args
    assert (Constant(MOMENT), Param("to")) == (low.args[1], high.args[1])
    assert Call("=", (Call("coalesce", (Column(2), Constant(date(2013, 1, 1)))), Column(2))) == predicate(
        "coalesce(day, '2013-01-01') = day"
    )
    with pytest.raises(SqlError, match="'tomorrow' is no date, such as '2013-06-24'"):
        predicate("day = 'tomorrow'")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("9223372036854775808", 9223372036854775808), ("-5", -5), ("1.0", 1.0), ("1e3", 1000.0), (".5", 0.5),
        ("'it''s'", "it's"), ("$$a'b$$", "a'b"), ("'a\\n'", "a\\n"), ("TRUE", True), ("NULL", None), ("-0.0", 0.0),
        ("DATE '2013-06-24'", date(2013, 6, 24)), ("'12'::integer", 12), ("CAST('x' AS text)", None),
    ],
)  # fmt: skip
def test_literals(text, value):
    ((_, found),) = plan(f"SELECT {text}").columns
    if value is not None or text == "NULL":
        assert Constant(value) == found


def test_params_are_by_name_anywhere_a_value_is():
    found = plan("SELECT a + $one FROM t WHERE b = $two AND c IN ($three, 4) ORDER BY a LIMIT $four OFFSET $five")
    assert {"one", "two", "three", "four", "five"} == params_of(found)
    assert Values(("column1",), ((Param("p"),),)) == plan("VALUES ($p)")


def test_any_name_is_a_column_of_an_open_table():
    lowered = lower("SELECT id, gate FROM open WHERE Id > 5", CATALOG)
    assert ("no row of table 'open' has brought column 'gate' yet: it reads as NULL; known: id",) == lowered.warnings
    assert ("id", "gate") == columns(lowered.plan)
    assert () == lower("SELECT id FROM open", CATALOG).warnings


def test_an_unknown_name_is_of_the_only_open_table_else_it_must_be_qualified():
    found = plan("SELECT gate, b FROM open, t WHERE open.id = t.id")
    assert {"open": ("id", "gate"), "t": ("id", "b")} == scans(found)
    with pytest.raises(SqlError, match="which table is column 'gate' of.*open.gate or o2.gate"):
        plan("SELECT gate FROM open, open AS o2")
    inner = plan("SELECT id FROM t WHERE EXISTS (SELECT 1 FROM open WHERE gate = t.b AND b = 'a')")
    assert {"open": ("gate",), "t": ("id", "b")} == scans(inner)


def test_a_catalog_may_make_tables_up():
    class Making(dict):
        def __missing__(self, name):
            return open_schema(name)

    assert Scan("flights", ("id",)) == lower("SELECT id FROM flights", Making()).plan


def test_a_view_is_inlined_without_the_order_it_ends_in():
    board = plan("SELECT b, count(*) AS n FROM t GROUP BY b ORDER BY n DESC")
    found = plan("SELECT n FROM board WHERE b = 'a'", board=board)
    assert "TopK" not in kinds(found)
    assert Distinct(Project(board.input, (("n", Column(1)),))) == plan("SELECT DISTINCT n FROM board", board=board)
    limited = plan("SELECT b FROM t ORDER BY b LIMIT 2")
    assert "TopK" in kinds(plan("SELECT * FROM limited", limited=limited))


def test_a_query_without_from_has_one_row():
    assert Project(Values((), ((),)), (("one", Constant(1)),)) == plan("SELECT 1 AS one")
    assert "Filter" in kinds(plan("SELECT 1 WHERE $p > 1"))


def test_literals_beside_times_and_json_take_their_type():
    june, day = datetime(2013, 6, 24, tzinfo=UTC), Interval(days=1)
    at, doc = Column(1), Column(0)

    assert predicate("at - '2013-06-24' > '1 day'") == Call(">", (Call("-", (at, Constant(june))), Constant(day)))
    assert predicate("at > at + '1 day'").args[1] == Call("+", (at, Constant(day)))
    assert documents("doc = '{\"a\": [1]}'") == Call("=", (doc, Constant(canonical({"a": [1]}))))
    assert documents("doc -> 'a' <> '\"x\"'") == Call("<>", (Call("->", (doc, Constant("a"))), Constant("x")))
    assert documents("doc @> '{1,x,\"2\",NULL,true}'") == Call("@>", (doc, Constant((1, "x", "2", None, True))))
    assert documents("doc = 1") == Call("=", (doc, Constant(1)))


def documents(where):
    """The predicate over a JSON column."""
    found = lower(f"SELECT * FROM d WHERE {where}", {"d": Schema("d", {"doc": "json"}, None)}).plan
    assert isinstance(found, Filter)
    return found.predicate


def test_membership_of_a_constant_list_is_in():
    n = Column(6)

    assert predicate("n = ANY (ARRAY[1, 2])") == predicate("n = ANY ('{1,2}')") == predicate("n IN (1, 2)")
    assert predicate("n <> ALL (ARRAY[1, $m])") == predicate("n NOT IN (1, $m)")
    assert predicate("day = ANY (ARRAY['2013-06-24'])").args[1] == Constant(date(2013, 6, 24))
    assert predicate("n = ANY ($list)") == Call("= any", (n, Param("list")))
    assert predicate("n < SOME (ARRAY[1, 2])") == Call("< any", (n, Constant((1, 2))))


@pytest.mark.parametrize(
    ("written", "meant"),
    [("'30 minutes'", Interval(0, 0, 1_800_000_000)), ("'1' DAY", Interval(days=1)), ("'1.5' DAY", Interval(days=1)),
     ("'1.5 days'", Interval(0, 1, 43_200_000_000)), ("'-2' HOUR", Interval(0, 0, -7_200_000_000)),
     ("'1.5' SECOND", Interval(0, 0, 1_500_000)), ("'1h'", Interval(0, 0, 3_600_000_000)), ("'5 m'", Interval(0, 0, 300_000_000)),
     ("'1 month' AS day", Interval(months=1)), ("'1 day'", Interval(days=1))],
)  # fmt: skip
def test_intervals_are_read_as_they_are_written(written, meant):
    """sqlglot splits short ones and takes h, m and d for units of its own."""
    assert plan(f"SELECT interval {written}").columns[0][1] == Constant(meant)


def test_subscripts_are_read_as_they_are_written():
    for position in (1, 0, -1, 7):
        found = plan(f"SELECT free[{position}], free[n + {position}] FROM typed").columns
        assert [e.args[1] for _, e in found] == [Constant(position), Call("+", (Column(0), Constant(position)))]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [("at - at", "interval"), ("day - day", "integer"), ("day + 1", "date"), ("day - interval '1 day'", "timestamp"),
     ("date_trunc('day', day)", "timestamp"), ("extract(day FROM at)", "real"), ("2 * interval '1 day'", "interval"),
     ("free - interval '1 day'", "any"), ("free -> 'a'", "json"), ("free ->> 'a'", "text"), ("free @> '[1]'", "boolean"),
     ("ARRAY[n]", "json"), ("free || 'a'", "any"), ("name || 'a'", "text"), ("cardinality(free)", "integer")],
)  # fmt: skip
def test_the_type_of_an_output_is_known_as_far_as_it_is_certain(sql, kind):
    assert column_types(plan(f"SELECT {sql} FROM typed"), CATALOG) == (kind,)
