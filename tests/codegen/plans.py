"""The plans whose generated code is kept in `golden`: one or two of each emitter, and the boards of the demo.

`python -m tests.codegen.plans` writes the files anew; read the difference before committing it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sspcore.demo.day import SCHEMAS
from sspcore.demo.views import VIEWS
from sspcore.engine.circuit import Circuit
from sspcore.engine.schema import Schema
from sspcore.plan.builder import query

GOLDEN: Final = Path(__file__).parent / "golden"

TABLES: Final = (
    *SCHEMAS,
    Schema("seats", {"flight": "text", "seat": "text", "price": "decimal", "kind": "any"}, ("flight", "seat")),
    Schema("log", {"level": "text", "size": "any"}, None),
)

QUERIES: Final = {
    "scan": "SELECT carrier, dest FROM flights",
    "filter_constant": "SELECT * FROM flights WHERE dep_delay > 60 AND carrier = 'AA'",
    "filter_params": "SELECT id FROM flights WHERE dep_delay BETWEEN $low AND $high OR origin IN ('JFK', $where)",
    "filter_any": "SELECT * FROM log WHERE size >= 10 AND level <> 'debug'",
    "filter_functions": "SELECT id FROM flights WHERE upper(dest) LIKE 'B%' AND NOT (dep_delay < 5 OR arr_delay IS NULL)",
    "project_case": "SELECT id, CASE WHEN dep_delay > 15 THEN 'late' ELSE coalesce(status, '?') END AS how FROM flights",
    "join_inner": "SELECT f.id, a.name FROM flights f JOIN airlines a ON a.carrier = f.carrier WHERE f.dep_delay > 60",
    "join_many": "SELECT f.id, s.seat, s.price FROM flights f JOIN seats s ON s.flight = f.id",
    "join_three": (
        "SELECT f.id, a.name, p.model FROM flights f JOIN airlines a ON a.carrier = f.carrier "
        "JOIN planes p ON p.tailnum = f.tailnum WHERE p.seats > f.dep_delay"
    ),
    "join_left": "SELECT f.id, p.model FROM flights f LEFT JOIN planes p ON p.tailnum = f.tailnum",
    "join_left_filtered": (
        "SELECT f.id, p.model FROM flights f LEFT JOIN planes p ON p.tailnum = f.tailnum AND p.seats > 100 "
        "WHERE p.model IS NULL OR f.dep_delay > 5"
    ),
    "join_full": "SELECT f.id, p.model FROM flights f FULL JOIN planes p ON p.tailnum = f.tailnum",
    "join_full_where": (
        "SELECT f.id, p.model FROM flights f FULL JOIN planes p ON p.tailnum = f.tailnum AND p.seats > f.dep_delay"
    ),
    "join_left_many": (
        "SELECT a.name, f.id FROM airlines a LEFT JOIN flights f ON f.carrier = a.carrier AND f.dep_delay > $late"
    ),
    "join_of_itself": (
        "SELECT f.id, g.id AS other FROM flights f JOIN flights g ON g.tailnum = f.tailnum WHERE g.dep_delay > f.dep_delay"
    ),
    "aggregate_groups": "SELECT carrier, count(*) AS n, sum(dep_delay) AS s, avg(dep_delay) AS a FROM flights GROUP BY carrier",
    "aggregate_floats": "SELECT origin, sum(temp) AS s, avg(temp) AS a, avg(precip + 1) AS p FROM weather GROUP BY origin",
    "aggregate_whole": "SELECT count(*) AS n, max(dep_delay) AS worst FROM flights WHERE origin = 'JFK'",
    "aggregate_any": "SELECT level, sum(size) AS s, count(DISTINCT size) AS n FROM log GROUP BY level",
    "aggregate_having": "SELECT dest, count(*) AS n FROM flights GROUP BY dest HAVING count(*) > 5",
    "distinct": "SELECT DISTINCT origin, dest FROM flights",
    "topk": "SELECT id, dep_delay FROM flights WHERE origin = 'JFK' ORDER BY dep_delay DESC, id LIMIT 10",
    "topk_offset": "SELECT id, dest FROM flights ORDER BY dest LIMIT 10 OFFSET 5",
    "topk_of_aggregate": "SELECT dest, count(*) AS n FROM flights GROUP BY dest ORDER BY count(*) DESC LIMIT 3",
    "semi_join": "SELECT carrier FROM airlines a WHERE EXISTS (SELECT 1 FROM flights f WHERE f.carrier = a.carrier)",
    "semi_join_filtered": (
        "SELECT f.id, f.dest FROM flights f WHERE f.origin = 'JFK' AND f.carrier IN (SELECT carrier FROM airlines WHERE name LIKE 'A%')"
    ),
    "semi_join_of_itself": (
        "SELECT f.id FROM flights f WHERE EXISTS (SELECT 1 FROM flights g WHERE g.tailnum = f.tailnum AND g.dep_delay > 60)"
    ),
    "semi_join_where": (
        "SELECT f.id FROM flights f WHERE EXISTS (SELECT 1 FROM flights g WHERE g.tailnum = f.tailnum AND g.id <> f.id)"
    ),
    "anti_join": "SELECT id FROM flights f WHERE NOT EXISTS (SELECT 1 FROM seats s WHERE s.flight = f.id)",
    "mark_exists": (
        "SELECT f.id FROM flights f WHERE f.dep_delay > 60 OR EXISTS (SELECT 1 FROM planes p WHERE p.tailnum = f.tailnum)"
    ),
    "nest": query("airlines").related(
        "departures",
        query("flights").where(origin="JFK").order_by("dep_delay").select("id", "dest", "dep_delay"),
        on={"carrier": "carrier"},
    ),
    "nest_window": query("airlines")
    .select("name")
    .related(
        "first",
        query("flights").order_by("departed").limit(3).select("id", "departed"),
        on={"carrier": "carrier"},
    ),
    "nest_deep": query("airlines")
    .select("name")
    .related(
        "planes",
        query("flights").select("id").related("seats", query("seats").select("seat", "price"), on={"id": "flight"}),
        on={"carrier": "carrier"},
    ),
    "nest_one": query("flights")
    .select("id")
    .related("plane", query("planes").select("model"), {"tailnum": "tailnum"}, one=True),
    "mark_in": "SELECT f.id, f.carrier IN (SELECT carrier FROM airlines WHERE name LIKE 'A%') AS known FROM flights f",
    "mark_not_in": (
        "SELECT p.tailnum FROM planes p WHERE p.model NOT IN "
        "(SELECT f.dest FROM flights f WHERE f.tailnum = p.tailnum AND f.dep_delay > 60)"
    ),
    "mark_in_where": (
        "SELECT p.tailnum, p.seats IN (SELECT f.dep_delay FROM flights f WHERE f.tailnum = p.tailnum AND f.dest <> p.model) AS x "
        "FROM planes p"
    ),
    **{f"board_{view.id}": view.sql for view in VIEWS if "departures" in view.id},
}


def explained(name: str) -> str:
    """The plan of a query and its generated code, as `sspcore explain --code` prints them."""
    return f"{Circuit(schemas=TABLES).explain(QUERIES[name], code=True)}\n"


def main() -> None:
    """Write all golden files anew."""
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("*.txt"):
        old.unlink()
    for name in QUERIES:
        (GOLDEN / f"{name}.txt").write_text(explained(name), encoding="utf-8")


if __name__ == "__main__":
    main()
