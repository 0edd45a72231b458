"""The data and the queries that are measured: seeded, the same for every subject.

Owns tables, streams of changes, SQL, and for each workload an oracle in plain Python comprehensions.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

Row = dict[str, Any]
Tables = dict[str, dict[str, Row]]
Op = tuple[str, str, Row | None]
"""(table, id, the new row, or None: the row goes). The row exists already unless the op before removed it."""
Answer = list[tuple[Any, ...]]

STATUSES = ("open", "closed", "blocked", "review")
ISSUE = {"id": "text", "owner": "text", "status": "text", "priority": "integer", "score": "real", "title": "text"}
PERSON = {"id": "text", "name": "text", "email": "text", "team": "text", "level": "integer", "rating": "real"}
COLUMNS = {"issue": ISSUE, "person": PERSON}

FILTER = "SELECT id, owner, status, priority, score, title FROM issue WHERE status = 'open' AND priority >= 5"
KEYED = "SELECT id, owner, status, priority, score, title FROM issue WHERE owner = $owner"
JOIN = "SELECT i.id, i.owner, p.name FROM issue i JOIN person p ON p.id = i.owner"
GROUPS = "SELECT status, count(*) AS n, sum(score) AS total, avg(score) AS mean FROM issue GROUP BY status"
TOP = "SELECT id, owner, status, priority, score, title FROM issue ORDER BY score DESC, id LIMIT 50"


@attrs.frozen
class Workload:
    """One thing to measure: `hydrate` computes views over full tables, otherwise batches of changes are applied.

    Attributes: `queries`, (SQL, params) per view; `batches(n)`, n batches that follow each other; `oracle`, the
    right answer of every view, from tables, rows sorted unless `ordered`.
    """

    name: str
    title: str
    tables: Callable[[], Tables]
    queries: Sequence[tuple[str, Mapping[str, Any]]]
    oracle: Callable[[Tables], list[Answer]]
    batches: Callable[[Tables, int], list[list[Op]]] | None = None
    ordered: bool = False
    note: str = ""

    @property
    def hydrate(self) -> bool:
        """Whether the first full value is measured instead of changes."""
        return self.batches is None


# Data


def issues(count: int, owners: int = 1000, seed: int = 1) -> dict[str, Row]:
    """Rows like those of an issue tracker: a few words, numbers, one owner of many."""
    rng = random.Random(seed)
    return {f"i{n:06}": {"id": f"i{n:06}"} | {c: _cell(rng, c, owners) for c in list(ISSUE)[1:]} for n in range(count)}


def people(count: int, seed: int = 2) -> dict[str, Row]:
    """The owners."""
    rng = random.Random(seed)
    return {
        f"u{n}": {
            "id": f"u{n}", "name": _word(rng, 12), "email": _word(rng, 20), "team": f"t{rng.randrange(20)}",
            "level": rng.randrange(10), "rating": round(rng.uniform(0, 5), 2),
        }
        for n in range(count)
    }  # fmt: skip


def _cell(rng: random.Random, column: str, owners: int) -> Any:
    match column:
        case "owner":
            return f"u{rng.randrange(owners)}"
        case "status":
            return rng.choice(STATUSES)
        case "priority":
            return rng.randrange(10)
        case "score":
            return round(rng.uniform(0, 1000), 3)
        case _:
            return _word(rng, 30)


def _word(rng: random.Random, length: int) -> str:
    return "".join(rng.choices(string.ascii_lowercase, k=length))


def edits(
    table: str, columns: Sequence[str], size: int = 1, owners: int = 1000
) -> Callable[[Tables, int], list[list[Op]]]:
    """Batches of `size` changes, each setting one random column of one random row."""

    def batches(tables: Tables, count: int) -> list[list[Op]]:
        rng = random.Random(3)
        current = dict(tables[table])
        ids = list(current)
        out = []
        for _ in range(count):
            batch: list[Op] = []
            for _ in range(size):
                key, column = rng.choice(ids), rng.choice(columns)
                current[key] = {**current[key], column: _cell(rng, column, owners)}
                batch.append((table, key, current[key]))
            out.append(batch)
        return out

    return batches


def beheadings(tables: Tables, count: int) -> list[list[Op]]:
    """Each change removes the row at the top of the order, or puts back, lower down, the one removed before."""
    rng = random.Random(4)
    current = dict(tables["issue"])
    out: list[list[Op]] = []
    gone: Row | None = None
    for _ in range(count):
        if gone is None:
            gone = max(current.values(), key=lambda r: (r["score"], [-ord(c) for c in r["id"]]))
            del current[gone["id"]]
            out.append([("issue", gone["id"], None)])
        else:
            current[gone["id"]] = {**gone, "score": round(rng.uniform(0, 500), 3)}
            out.append([("issue", gone["id"], current[gone["id"]])])
            gone = None
    return out


def after(tables: Tables, batches: Sequence[Sequence[Op]]) -> Tables:
    """The tables as the batches leave them."""
    current = {name: dict(rows) for name, rows in tables.items()}
    for batch in batches:
        for table, key, row in batch:
            if row is None:
                del current[table][key]
            else:
                current[table][key] = row
    return current


# Oracles: each says again, in a comprehension, what the SQL says


def _issue(row: Row) -> tuple[Any, ...]:
    return tuple([row[c] for c in ISSUE])


def _filtered(tables: Tables) -> list[Answer]:
    return [sorted(_issue(r) for r in tables["issue"].values() if r["status"] == "open" and r["priority"] >= 5)]


def _by_owner(views: int) -> Callable[[Tables], list[Answer]]:
    def oracle(tables: Tables) -> list[Answer]:
        found: dict[str, Answer] = {f"u{n}": [] for n in range(views)}
        for row in tables["issue"].values():
            if row["owner"] in found:
                found[row["owner"]].append(_issue(row))
        return [sorted(rows) for rows in found.values()]

    return oracle


def _joined(tables: Tables) -> list[Answer]:
    people = tables["person"]
    return [sorted((r["id"], r["owner"], people[r["owner"]]["name"]) for r in tables["issue"].values())]


def _grouped(tables: Tables) -> list[Answer]:
    scores: dict[str, list[float]] = {}
    for row in tables["issue"].values():
        scores.setdefault(row["status"], []).append(row["score"])
    return [sorted((status, len(s), sum(s), sum(s) / len(s)) for status, s in scores.items())]


def _top(tables: Tables) -> list[Answer]:
    return [[_issue(r) for r in sorted(tables["issue"].values(), key=lambda r: (-r["score"], r["id"]))[:50]]]


# The list


def _keyed(views: int, rows: int, note: str = "") -> Workload:
    return Workload(
        "W3", f"{views:,} keyed views, {rows:,} rows", lambda: {"issue": issues(rows, owners=views)},
        [(KEYED, {"owner": f"u{n}"}) for n in range(views)], _by_owner(views),
        edits("issue", list(ISSUE)[1:], owners=views), note=note,
    )  # fmt: skip


def _pairs() -> Tables:
    return {"issue": issues(1000), "person": people(1000)}


_ALL = list(ISSUE)[1:]
_TEN = {"issue": issues(10_000)}
WORKLOADS: tuple[Workload, ...] = (
    Workload("W1", "hydrate filter, 10,000 rows", lambda: _TEN, [(FILTER, {})], _filtered),
    Workload("W1", "hydrate filter, 100,000 rows", lambda: {"issue": issues(100_000)}, [(FILTER, {})], _filtered),
    Workload("W2", "1 filter view, 10,000 rows", lambda: _TEN, [(FILTER, {})], _filtered, edits("issue", _ALL)),
    _keyed(100, 10_000),
    _keyed(1000, 10_000),
    _keyed(
        10_000, 1000, "over 1,000 rows: hydrating 10,000 views of 10,000 rows each takes the reference engine minutes"
    ),
    Workload("W4", "a batch of 100, 1 filter view", lambda: _TEN, [(FILTER, {})], _filtered, edits("issue", _ALL, 100)),
    Workload("W5", "hydrate join, 1,000 × 1,000", _pairs, [(JOIN, {})], _joined),
    Workload("W5", "join, left row changes", _pairs, [(JOIN, {})], _joined, edits("issue", _ALL)),
    Workload("W5", "join, right row changes", _pairs, [(JOIN, {})], _joined, edits("person", ["name"])),
    Workload("W6", "count, sum, avg by group", lambda: _TEN, [(GROUPS, {})], _grouped, edits("issue", _ALL)),
    Workload("W7", "top 50 of 10,000", lambda: _TEN, [(TOP, {})], _top, edits("issue", _ALL), ordered=True),
    Workload("W7", "top 50, the first leaves", lambda: _TEN, [(TOP, {})], _top, beheadings, ordered=True),
)
