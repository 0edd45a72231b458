"""What a view can be: its SQL, and its right answer said again in plain Python.

Owns the vocabulary in which drivers are told their views. The answers are comprehensions over the tables: slow, and
too plain to be wrong in the way an engine is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import attrs

Row = dict[str, Any]
Tables = dict[str, dict[Any, Row]]
Params = Mapping[str, Any]
Answer = list[tuple[Any, ...]]

ISSUE = ("id", "owner", "status", "priority", "score", "title")
_ALL = ", ".join(ISSUE)
OPERATORS = {"=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


@attrs.frozen
class Shape:
    """A kind of view: `sql` (a text, or made from its params), whose values are `bound`, and `answer`, the oracle."""

    sql: str | Callable[[Params], str]
    answer: Callable[[Tables, Params], Answer]
    ordered: bool = False
    bound: tuple[str, ...] = ()

    def text(self, params: Params) -> str:
        """The SQL of one view of this shape."""
        return self.sql if isinstance(self.sql, str) else self.sql(params)

    def values(self, params: Params) -> dict[str, Any]:
        """The values of the SQL's own `$name` parameters."""
        return {name: params[name] for name in self.bound}


def _issue(row: Row) -> tuple[Any, ...]:
    return tuple([row[c] for c in ISSUE])


def _where(tables: Tables, keep: Callable[[Row], bool]) -> Answer:
    return [_issue(row) for row in tables["issue"].values() if keep(row)]


def _owned(tables: Tables, params: Params) -> list[Row]:
    """The issues of one owner; filed once per set of tables, for thousands of views ask."""
    if not _OWNED or _OWNED[0] is not tables:
        filed: dict[Any, list[Row]] = defaultdict(list)
        for row in tables["issue"].values():
            filed[row["owner"]].append(row)
        _OWNED[:] = [tables, filed]
    found: list[Row] = _OWNED[1].get(params["owner"], [])
    return found


_OWNED: list[Any] = []
"""The tables last asked about, and their issues by owner."""


def _moved(tables: Tables, params: Params) -> Answer:
    low = params["start"] + params["place"] * params["by"]
    return _where(tables, lambda row: low <= row["score"] < low + params["width"])


def _keyed_join(tables: Tables, params: Params) -> Answer:
    person = tables["person"].get(params["owner"])
    return [(row["id"], row["title"], person["name"]) for row in _owned(tables, params)] if person else []


def _keyed_group(tables: Tables, params: Params) -> Answer:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in _owned(tables, params):
        groups[row["status"]].append(row)
    return [
        (status, len(rows), min(scores), max(scores), sum(r["priority"] for r in rows))
        for status, rows in groups.items()
        for scores in [[r["score"] for r in rows]]
    ]


def _best(rows: list[Row], count: int) -> list[Row]:
    return sorted(rows, key=lambda r: (-r["score"], r["id"]))[:count]


def _groups(tables: Tables, params: Params) -> Answer:
    scores: dict[str, list[float]] = defaultdict(list)
    for row in tables["issue"].values():
        if params.get("priority") in (None, row["priority"]):
            scores[row["status"]].append(row["score"])
    return [(status, len(s), sum(s), sum(s) / len(s)) for status, s in scores.items()]


def _unlike_sql(params: Params) -> str:
    return (
        f"SELECT {', '.join(params['columns'])} FROM issue WHERE status = '{params['status']}' "
        f"AND score {params['score_op']} {params['score']} AND priority {params['priority_op']} {params['priority']}"
    )


def _unlike(tables: Tables, params: Params) -> Answer:
    score, priority = OPERATORS[params["score_op"]], OPERATORS[params["priority_op"]]
    return [
        tuple([row[c] for c in params["columns"]]) for row in tables["issue"].values()
        if row["status"] == params["status"] and score(row["score"], params["score"])
        and priority(row["priority"], params["priority"])
    ]  # fmt: skip


def _joined(tables: Tables, _: Params) -> Answer:
    people = tables["person"]
    return [(r["id"], r["owner"], people[r["owner"]]["name"]) for r in tables["issue"].values() if r["owner"] in people]


def _team(tables: Tables, params: Params) -> Answer:
    people = tables["person"]
    return [
        (r["id"], r["score"], people[r["owner"]]["name"]) for r in tables["issue"].values()
        if r["owner"] in people and people[r["owner"]]["team"] == params["team"]
    ]  # fmt: skip


def _busy(tables: Tables, params: Params) -> Answer:
    owners = {r["owner"] for r in tables["issue"].values() if r["priority"] == params["priority"]}
    return [(p["id"], p["name"]) for p in tables["person"].values() if p["id"] in owners]


def _nested(tables: Tables, _: Params) -> Answer:
    children: dict[Any, list[Any]] = defaultdict(list)
    for row in sorted(tables["issue"].values(), key=lambda r: r["id"]):
        children[row["owner"]].append([row["id"], row["status"], row["title"]])
    return [(p["id"], p["name"], children[p["id"]]) for p in tables["person"].values()]


def _airlines(tables: Tables, _: Params) -> Answer:
    names = {row["carrier"]: row["name"] for row in tables["airlines"].values()}
    makers = {row["tailnum"]: row["manufacturer"] for row in tables["planes"].values()}
    groups: dict[Any, list[Any]] = defaultdict(list)
    for row in tables["flights"].values():
        if row["carrier"] in names and row["tailnum"] in makers:
            groups[names[row["carrier"]], makers[row["tailnum"]]].append(row["arr_delay"])
    return [(*key, len(found), _total(found)) for key, found in groups.items()]


def _total(values: list[Any]) -> Any:
    return sum(value or 0 for value in values)


def _carriers(tables: Tables, _: Params) -> Answer:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for row in tables["flights"].values():
        groups[row["carrier"]].append(row["dep_delay"])
    return [(carrier, len(found), _total(found)) for carrier, found in groups.items()]


def _late(tables: Tables, _: Params) -> Answer:
    known = [(key, row["dep_delay"]) for key, row in tables["flights"].items() if row["dep_delay"] is not None]
    return sorted(known, key=lambda r: (-r[1], r[0]))[:10]


_TOP = f"SELECT {_ALL} FROM issue ORDER BY score DESC, id LIMIT 50"

SHAPES: dict[str, Shape] = {
    "filter": Shape(
        f"SELECT {_ALL} FROM issue WHERE status = 'open' AND priority >= 5",
        lambda t, p: _where(t, lambda r: r["status"] == "open" and r["priority"] >= 5),
    ),
    "keyed": Shape(
        f"SELECT {_ALL} FROM issue WHERE owner = $owner", lambda t, p: [_issue(r) for r in _owned(t, p)],
        bound=("owner",),
    ),
    "keyed_join": Shape(
        "SELECT i.id, i.title, p.name FROM issue i JOIN person p ON p.id = i.owner WHERE i.owner = $owner",
        _keyed_join, bound=("owner",),
    ),
    "keyed_group": Shape(
        "SELECT status, count(*) AS n, min(score) AS least, max(score) AS most, sum(priority) AS total "
        "FROM issue WHERE owner = $owner GROUP BY status",
        _keyed_group, bound=("owner",),
    ),
    "keyed_top": Shape(
        "SELECT id, score FROM issue WHERE owner = $owner ORDER BY score DESC, id LIMIT 5",
        lambda t, p: [(r["id"], r["score"]) for r in _best(_owned(t, p), 5)], ordered=True, bound=("owner",),
    ),
    "unlike": Shape(_unlike_sql, _unlike),
    "join": Shape("SELECT i.id, i.owner, p.name FROM issue i JOIN person p ON p.id = i.owner", _joined),
    "groups": Shape(
        "SELECT status, count(*) AS n, sum(score) AS total, avg(score) AS mean FROM issue GROUP BY status", _groups
    ),
    "top": Shape(_TOP, lambda t, p: [_issue(r) for r in _best(list(t["issue"].values()), 50)], ordered=True),
    "range": Shape(
        f"SELECT {_ALL} FROM issue WHERE score >= $low AND score < $high",
        lambda t, p: _where(t, lambda r: p["low"] <= r["score"] < p["high"]), bound=("low", "high"),
    ),
    "nested": Shape("", _nested),
    "moving": Shape(
        f"SELECT {_ALL} FROM issue WHERE score >= $low AND score < $high",
        _moved,
        bound=("low", "high"),
    ),
    "window": Shape(
        "SELECT id, second FROM event "
        "WHERE kind = $kind AND at > $now - interval '10 minutes' AND at <= $now",
        lambda t, p: [
            (r["id"], r["second"]) for r in t["event"].values()
            if r["kind"] == p["kind"] and 400 + p["place"] < r["second"] <= 1000 + p["place"]
        ],
        bound=("kind",),
    ),
    # The hundred broad views of the scale: each is reached by a good part of all changes.
    "broad_range": Shape(
        f"SELECT {_ALL} FROM issue WHERE score >= $low AND priority >= $priority",
        lambda t, p: _where(t, lambda r: r["score"] >= p["low"] and r["priority"] >= p["priority"]),
        bound=("low", "priority"),
    ),
    "broad_join": Shape(
        "SELECT i.id, i.score, p.name FROM issue i JOIN person p ON p.id = i.owner WHERE p.team = $team",
        _team, bound=("team",),
    ),
    "broad_group": Shape(
        "SELECT status, count(*) AS n, sum(score) AS total, avg(score) AS mean FROM issue "
        "WHERE priority = $priority GROUP BY status",
        _groups, bound=("priority",),
    ),
    "broad_top": Shape(
        f"SELECT {_ALL} FROM issue WHERE priority = $priority ORDER BY score DESC, id LIMIT 50",
        lambda t, p: [_issue(r) for r in _best([r for r in t["issue"].values() if r["priority"] == p["priority"]], 50)],
        ordered=True, bound=("priority",),
    ),
    "broad_exists": Shape(
        "SELECT id, name FROM person WHERE EXISTS "
        "(SELECT 1 FROM issue WHERE issue.owner = person.id AND issue.priority = $priority)",
        _busy, bound=("priority",),
    ),
    "broad_distinct": Shape(
        "SELECT DISTINCT owner FROM issue WHERE priority = $priority",
        lambda t, p: [(o,) for o in {r["owner"] for r in t["issue"].values() if r["priority"] == p["priority"]}],
        bound=("priority",),
    ),
    # The year of flights
    "airlines": Shape(
        "SELECT al.name, p.manufacturer, count(*) AS flights, sum(coalesce(f.arr_delay, 0)) AS minutes FROM flights f "
        "JOIN airlines al ON al.carrier = f.carrier JOIN planes p ON p.tailnum = f.tailnum "
        "GROUP BY al.name, p.manufacturer",
        _airlines,
    ),
    "carriers": Shape(
        "SELECT carrier, count(*) AS flights, sum(coalesce(dep_delay, 0)) AS minutes FROM flights GROUP BY carrier",
        _carriers,
    ),
    "late": Shape(
        "SELECT id, dep_delay FROM flights WHERE dep_delay IS NOT NULL ORDER BY dep_delay DESC, id LIMIT 10",
        _late, ordered=True,
    ),
}  # fmt: skip
