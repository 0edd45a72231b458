"""SQLite in memory, as one uses it without a library: the query again after every change, or triggers by hand.

Rows come back as tuples. Queried again, what changed would still have to be found; with triggers only the write is
measured. Both are measured as they are.
"""

from __future__ import annotations

import sqlite3
import sys
from time import perf_counter, process_time
from typing import Any

import clock
from triggers import TRIGGERS

INDEXES = {
    "issue": ("status, priority", "owner", "score DESC, id", "priority, score"),
    "person": ("team",),
    "flights": ("carrier", "tailnum", "dep_delay DESC, id"),
    "planes": ("tailnum",),
    "airlines": ("carrier",),
}


class Sqlite:
    """The driver; with `triggers`, result tables instead of queries."""

    def __init__(self, triggers: bool) -> None:
        self.triggers = triggers
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.queries: list[tuple[str, dict[str, Any]]] = []

    def load(self, tables: dict[str, Any]) -> None:
        """Create and fill the tables, with the indexes the queries can use."""
        run = self.connection.execute
        self.update, self.insert = {}, {}
        for name, table in tables.items():
            columns = list(table["columns"])
            types = ", ".join(
                f"{c} {kind}" + " PRIMARY KEY" * (c == columns[0]) for c, kind in table["columns"].items()
            )
            run(f"CREATE TABLE {name} ({types}) WITHOUT ROWID")
            marks = ", ".join("?" * len(columns))
            self.insert[name] = f"INSERT INTO {name} VALUES ({marks})"
            sets = ", ".join(f"{c} = ?" for c in columns[1:])
            self.update[name] = f"UPDATE {name} SET {sets} WHERE {columns[0]} = ?"
            self.connection.executemany(self.insert[name], table["rows"])
            if not self.triggers:
                for index in INDEXES.get(name, ()):
                    run(f'CREATE INDEX "{name} {index}" ON {name} ({index})')

    def open(self, views: list[Any]) -> None:
        """Compute the views, or make triggers that keep them."""
        if any(shape == "nested" for shape, *_ in views):
            raise clock.Unsuited("results are flat")
        if self.triggers:
            shape = views[0][0]
            if shape not in TRIGGERS or any(view[0] != shape for view in views):
                raise clock.Unsuited("no triggers were written for this")
            if len(views) > 1000:
                raise clock.Unsuited(f"{2 * len(views):,} triggers")
            self.read = TRIGGERS[shape](self.connection, views)
            return
        if len(views) > 1000:
            raise clock.Unsuited(f"{len(views):,} queries a change")
        self.queries = [(sql, values) for _, _, sql, values in views]
        self.params = views[0][1]
        self.query()

    def close(self) -> None:
        """Forget the results."""
        self.values = None

    def query(self) -> None:
        """Every query again."""
        run = self.connection.execute
        self.values = [run(sql, values).fetchall() for sql, values in self.queries]

    def prepare(self, batches: list[Any]) -> list[Any]:
        """Statements with their values."""
        return [[self._statement(*op) for op in batch] for batch in batches]

    def _statement(self, table: str, key: Any, old: Any, new: Any) -> tuple[str, tuple[Any, ...]]:
        if new is None:
            return f"DELETE FROM {table} WHERE id = ?", (key,)
        if old is None:
            return self.insert[table], tuple(new)
        return self.update[table], (*new[1:], key)

    def run(self, part: list[Any]) -> None:
        """Write, and query again unless triggers did the work."""
        run = self.connection.execute
        for batch in part:
            if len(batch) == 1:
                run(*batch[0])
            else:
                run("BEGIN")
                for statement, values in batch:
                    run(statement, values)
                run("COMMIT")
            if not self.triggers:
                self.query()

    def to(self, place: int) -> None:
        """The query again, with other values."""
        params = self.params
        low = params["start"] + place * params["by"]
        self.queries = [(self.queries[0][0], {"low": low, "high": low + params["width"]})]
        self.query()

    def answers(self) -> list[Any]:
        """The rows of every view."""
        return self.read() if self.triggers else self.values

    def image(self, task: dict[str, Any]) -> dict[str, Any]:
        """W11: the database as bytes, or a database from them."""
        self.load(clock.read_tables(task))
        data = self.connection.serialize()
        wall, cpu = [], []
        for _ in range(task["repeats"]):
            fresh = sqlite3.connect(":memory:", isolation_level=None)
            busy, start = process_time(), perf_counter()
            if task["restore"]:
                fresh.deserialize(data)
            else:
                data = self.connection.serialize()
            wall.append(perf_counter() - start)
            cpu.append(process_time() - busy)
        if task["restore"]:
            self.connection = fresh
        self.open(task["views"])
        note = f"{len(data) / 1e6:.1f} MB, no result kept"
        return {"wall": wall, "cpu": cpu, "steps": 1, "answers": self.answers(), "applied": 0, "note": note}


if __name__ == "__main__":
    clock.main(Sqlite("--triggers" in sys.argv))
