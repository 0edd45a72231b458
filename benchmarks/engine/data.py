"""The tables and the streams of changes: seeded, the same for every subject, written once as JSON for the drivers.

Owns what an issue tracker's rows look like and how they change. Refuses to know views and subjects.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.engine.shapes import Row, Tables

Op = tuple[str, Any, Row | None]
"""(table, id, the new row, or None: the row goes)."""
Batches = list[list[Op]]

COLUMNS: dict[str, dict[str, str]] = {
    "issue": {"id": "text", "owner": "text", "status": "text", "priority": "integer", "score": "real", "title": "text"},
    "event": {"id": "text", "kind": "text", "second": "integer", "at": "timestamp"},
    "person": {"id": "text", "name": "text", "email": "text", "team": "text", "level": "integer", "rating": "real"},
}
STATUSES = ("open", "closed", "blocked", "review")
EDITED = ("owner", "status", "priority", "score", "title")


def issues(count: int, owners: int = 1000, seed: int = 1) -> dict[Any, Row]:
    """Rows like those of an issue tracker: a few words, numbers, one owner of many."""
    rng = random.Random(seed)
    return {f"i{n:06}": {"id": f"i{n:06}"} | {c: cell(rng, c, owners) for c in EDITED} for n in range(count)}


def people(count: int, seed: int = 2) -> dict[Any, Row]:
    """The owners."""
    rng = random.Random(seed)
    return {
        f"u{n}": {
            "id": f"u{n}", "name": word(rng, 12), "email": word(rng, 20), "team": f"t{rng.randrange(20)}",
            "level": rng.randrange(10), "rating": round(rng.uniform(0, 5), 2),
        }
        for n in range(count)
    }  # fmt: skip


def events(count: int, kinds: int) -> dict[Any, Row]:
    """One thing of many kinds every second."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return {
        f"e{n:06}": {
            "id": f"e{n:06}", "kind": f"k{n % kinds}", "second": n, "at": (begin + timedelta(seconds=n)).isoformat(),
        }
        for n in range(count)
    }  # fmt: skip


def cell(rng: random.Random, column: str, owners: int) -> Any:
    """A value for one column of an issue, or a person's name."""
    match column:
        case "owner":
            return f"u{rng.randrange(owners)}"
        case "status":
            return rng.choice(STATUSES)
        case "priority":
            return rng.randrange(10)
        case "score":
            return round(rng.uniform(0, 1000), 3) + 0.0005  # never a whole number: JSON has one kind of number
        case "name":
            return word(rng, 12)
        case _:
            return word(rng, 30)


def word(rng: random.Random, length: int) -> str:
    """Letters."""
    return "".join(rng.choices(string.ascii_lowercase, k=length))


def edits(
    table: str = "issue", columns: Sequence[str] = EDITED, size: int = 1, owners: int = 1000
) -> Callable[[Tables, int], Batches]:
    """Batches of `size` changes, each setting one random column of one random row."""

    def batches(tables: Tables, count: int) -> Batches:
        rng = random.Random(3)
        current = dict(tables[table])
        ids = list(current)
        out = []
        for _ in range(count):
            batch: list[Op] = []
            for _ in range(size):
                key, column = rng.choice(ids), rng.choice(columns)
                current[key] = {**current[key], column: cell(rng, column, owners)}
                batch.append((table, key, current[key]))
            out.append(batch)
        return out

    return batches


def requeues(tables: Tables, count: int) -> Batches:
    """A work queue: each change takes the row at the top of the order and puts it somewhere below."""
    import heapq

    rng = random.Random(4)
    rows = dict(tables["issue"])
    heap = [(-row["score"], key) for key, row in rows.items()]
    heapq.heapify(heap)
    out: Batches = []
    for _ in range(count):
        score, key = heap[0]
        rows[key] = {**rows[key], "score": -score * rng.random()}
        heapq.heapreplace(heap, (-rows[key]["score"], key))
        out.append([("issue", key, rows[key])])
    return out


def after(tables: Tables, batches: Batches, applied: int, once: bool) -> Tables:
    """The tables as `applied` batches leave them: forwards, and unless `once` backwards again, and so on."""
    current = {name: dict(rows) for name, rows in tables.items()}
    if not once:
        applied %= 2 * len(batches)
        applied = min(applied, 2 * len(batches) - applied)  # on the way back only the beginning still holds
    for batch in batches[:applied]:
        for table, key, row in batch:
            if row is None:
                del current[table][key]
            else:
                current[table][key] = row
    return current


def write_tables(path: Path, tables: Tables, columns: dict[str, dict[str, str]]) -> None:
    """The tables as a file for drivers (`drivers/clock.py` says the form)."""
    data = {
        name: {"columns": columns[name], "rows": [[row[c] for c in columns[name]] for row in rows.values()]}
        for name, rows in tables.items()
    }
    path.write_text(json.dumps(data), "utf-8")


def write_stream(path: Path, batches: Batches, columns: dict[str, dict[str, str]]) -> None:
    """The stream as a file for drivers."""
    data = [[[t, k, None if row is None else [row[c] for c in columns[t]]] for t, k, row in b] for b in batches]
    path.write_text(json.dumps(data), "utf-8")
