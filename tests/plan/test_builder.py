"""The builder says what SQL says: the same plans, and errors that name the place."""

from datetime import timedelta

import pytest

from sspcore.engine.schema import Schema, open_schema
from sspcore.errors import PlanError, UnknownTable, UsageError
from sspcore.plan.builder import query
from sspcore.plan.sql.lower import lower
from sspcore.plan.terms import call, col, count, param

COLUMNS = {"id": "text", "carrier": "text", "dep_delay": "integer", "origin": "text", "Gate": "text"}
CATALOG = {
    "flights": Schema("flights", COLUMNS),
    "open": open_schema("open"),
    "places": Schema("places", {"id": "text", "tags": "json", "doc": "json", "at": "timestamp", "done": "timestamp"}),
}
LATE = query("flights").where(col("dep_delay") > 60)

SAME = [
    (query("flights"), "SELECT * FROM flights"),
    (LATE, "SELECT * FROM flights WHERE dep_delay > 60"),
    (LATE.where(carrier="AA", origin=None),
     "SELECT * FROM flights WHERE dep_delay > 60 AND carrier = 'AA' AND origin IS NULL"),
    (LATE.select("carrier", "id"), "SELECT carrier, id FROM flights WHERE dep_delay > 60"),
    (query("flights").select("id", late=col("dep_delay") - 15, loud=col("carrier").call("upper")),
     "SELECT id, dep_delay - 15 AS late, upper(carrier) AS loud FROM flights"),
    (query("flights").where((col("dep_delay") >= param("m")) | ~(col("origin") == "JFK")).select("id"),
     "SELECT id FROM flights WHERE dep_delay >= $m OR NOT origin = 'JFK'"),
    (query("flights").where(col("carrier").is_in(["AA", "UA"]), col("id").like("A%"), col("Gate") != None).select("id"),  # noqa: E711
     "SELECT id FROM flights WHERE carrier IN ('AA', 'UA') AND id LIKE 'A%' AND gate IS NOT NULL"),
    (query("flights").where(col("dep_delay").between(1, 5) & (1 + col("dep_delay") * 2 < 9)).select("id"),
     "SELECT id FROM flights WHERE dep_delay BETWEEN 1 AND 5 AND 1 + dep_delay * 2 < 9"),
    (LATE.group_by("carrier").aggregate(n=count(), mean=col("dep_delay").avg()).order_by("-n").limit(10),
     "SELECT carrier, count(*) n, avg(dep_delay) mean FROM flights WHERE dep_delay > 60 GROUP BY 1 ORDER BY 2 DESC LIMIT 10"),
    (query("flights").group_by(hour=col("id").call("substr", 1, 2)).aggregate(worst=col("dep_delay").max()),
     "SELECT substr(id, 1, 2) AS hour, max(dep_delay) AS worst FROM flights GROUP BY 1"),
    (query("flights").aggregate(n=count(), kinds=col("carrier").count(distinct=True)).having(col("n") > 1),
     "SELECT count(*) AS n, count(DISTINCT carrier) AS kinds FROM flights HAVING count(*) > 1"),
    (query("flights").select("carrier").distinct().order_by("carrier"),
     "SELECT DISTINCT carrier FROM flights ORDER BY carrier"),
    (query("flights").select("id").order_by("-dep_delay", col("carrier").asc(nulls_first=True), "id").limit(3, 2),
     "SELECT id FROM flights ORDER BY dep_delay DESC, carrier NULLS FIRST, id LIMIT 3 OFFSET 2"),
    (query("flights").select("id", d=col("dep_delay") + 1).order_by("d").limit(param("n"), param("skip")),
     "SELECT id, dep_delay + 1 AS d FROM flights ORDER BY d LIMIT $n OFFSET $skip"),
    (query("flights").select(text=col("dep_delay").cast("text"), rest=-col("dep_delay") % 7),
     "SELECT CAST(dep_delay AS text) AS text, -dep_delay % 7 AS rest FROM flights"),
    (query("flights").group_by("carrier").aggregate(
        ids=col("id").array_agg(col("dep_delay").desc()), gates=col("Gate").string_agg(", ", distinct=True),
        spread=col("dep_delay").stddev(), all=col("dep_delay").variance(population=True),
        every=(col("dep_delay") > 0).bool_and(), some=(col("dep_delay") > 60).bool_or()),
     """SELECT carrier, array_agg(id ORDER BY dep_delay DESC) AS ids, string_agg(DISTINCT "Gate", ', ') AS gates,
        stddev(dep_delay) AS spread, var_pop(dep_delay) AS "all", bool_and(dep_delay > 0) AS every,
        bool_or(dep_delay > 60) AS some FROM flights GROUP BY 1"""),
    (query("places").where(col("tags").has("art"), col("doc").contains({"open": True}), col("tags").has_any(["a", "b"]))
     .select("id", city=col("doc").at("city"), line=col("doc").text_at("lines", 0)),
     """SELECT id, doc -> 'city' AS city, doc #>> '{lines,0}' AS line FROM places
        WHERE 'art' = ANY (tags) AND doc @> '{"open": true}' AND tags && ARRAY['a', 'b']"""),
    (query("places").where(col("at") > param("now") - timedelta(minutes=30)).group_by(hour=col("at").truncated("hour"))
     .aggregate(n=count(), mean=(col("done") - col("at")).part("epoch").avg()),
     """SELECT date_trunc('hour', at) AS hour, count(*) AS n, avg(extract(epoch FROM done - at)) AS mean
        FROM places WHERE at > $now - interval '30 minutes' GROUP BY 1"""),
    (query("open").where(gate="A").select("id"), "SELECT id FROM open WHERE gate = 'A'"),
]  # fmt: skip


@pytest.mark.parametrize(("built", "sql"), SAME, ids=[sql for _, sql in SAME])
def test_a_built_query_is_the_plan_of_its_sql(built, sql):
    expected, actual = lower(sql, CATALOG), built.lower(CATALOG)
    assert expected.plan == actual.plan
    assert expected.warnings == actual.warnings


def test_a_query_is_never_changed_by_its_methods():
    before = LATE.lower(CATALOG)
    LATE.where(carrier="AA").select("id").order_by("id").limit(1)
    assert before == LATE.lower(CATALOG)


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (lambda: query("flights").where(col("carier") == "AA"), r"column 'carier'; did you mean 'carrier'.*\$.where\[0\]"),
        (lambda: query("flights").select("id", x=col("nope")), r"no column 'nope'.*\$.select.x"),
        (lambda: query("flights").order_by("nope"), r"no column 'nope'.*\$.order_by"),
        (lambda: query("flights").group_by("carrier").order_by("id"), "no group or aggregate is called 'id'"),
        (lambda: query("flights").group_by("carrier").having(n=1), r"called 'n'.*\$.having\[0\]"),
        (lambda: query("flights").having(n=1), "having without groups"),
        (lambda: query("flights").select("id").group_by("carrier"), "select beside group_by"),
        (lambda: query("flights").select("id").distinct().order_by("carrier"), "select it too"),
    ],
)  # fmt: skip
def test_a_fault_in_names_is_told_when_the_table_is_known(built, message):
    with pytest.raises(PlanError, match=message):
        built().lower(CATALOG)


def test_an_unknown_table_is_told_with_the_nearest():
    with pytest.raises(UnknownTable, match="did you mean 'flights'"):
        query("flihgts").lower(CATALOG)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: query(""), "a table has a name"),
        (lambda: query("flights").where(True), "True is no predicate"),
        (lambda: query("flights").where("dep_delay > 60"), "no predicate"),
        (lambda: query("flights").select(col("a") + 1), "needs a name"),
        (lambda: query("flights").aggregate(n=col("a")), "'n' is no aggregate"),
        (lambda: query("flights").limit(-1), "limit is -1"),
        (lambda: query("flights").limit(3, 1.5), "offset is 1.5"),
        (lambda: query("flights").limit(col("n")), "limit is"),
        (lambda: col(""), "a column has a name"),
        (lambda: col("a").cast("number"), "unknown type 'number'"),
        (lambda: col("a").call("uper"), "did you mean 'upper'"),
        (lambda: call("upper"), "does not take 0 arguments"),
        (lambda: col("a") == object(), "no constant"),
        (lambda: col("a") > count(), "aggregates go to aggregate"),
        (lambda: 1 < col("a") < 3, "neither true nor false"),
        (lambda: col("a") and col("b"), "write & | ~"),
    ],
)
def test_a_slip_is_told_where_it_is_written(build, message):
    with pytest.raises(UsageError, match=message):
        build()


def test_a_circuit_takes_a_built_query():
    from sspcore.engine.change import upsert
    from sspcore.engine.circuit import Circuit

    circuit = Circuit()
    circuit.register("board", LATE.group_by("carrier").aggregate(n=count()).order_by("-n", "carrier"))
    circuit.apply([upsert("flights", str(i), {"carrier": c, "dep_delay": 61 + i}) for i, c in enumerate("ABB")])
    assert [("B", 2), ("A", 1)] == circuit.rows("board")
