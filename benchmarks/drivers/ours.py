"""sspcore itself: `Circuit.apply` with mappings (or tuples) in, `ViewUpdate`s out, every one of them looked at.

Building the `Change` is inside what is measured, and so is walking the updates.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import perf_counter, process_time
from typing import Any

import clock

from sspcore import Circuit, Schema, delete, query, upsert

BEGIN = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=1000)
"""Where the windows of W12 stand first: their events begin a thousand seconds before."""


class Ours:
    """The driver."""

    def __init__(self) -> None:
        self.circuit = Circuit()
        self.views: list[str] = []
        self.nested: set[str] = set()
        self.seen = 0

    def load(self, tables: dict[str, Any]) -> None:
        """Declare and fill the tables."""
        self.names = {name: list(table["columns"]) for name, table in tables.items()}
        self.circuit = Circuit(schemas=[Schema(name, table["columns"]) for name, table in tables.items()])
        for name, table in tables.items():
            columns, rows = self.names[name], table["rows"]
            for place, kind in enumerate(table["columns"].values()):
                if kind == "timestamp":
                    rows = [[*row[:place], datetime.fromisoformat(row[place]), *row[place + 1 :]] for row in rows]
            self.circuit.apply([upsert(name, row[0], dict(zip(columns, row, strict=True))) for row in rows])

    def open(self, views: list[Any]) -> None:
        """Register the views beside those there are."""
        self.told = views
        if views[0][0] == "window":
            self._windows(views)
            return
        register = self.circuit.register
        for shape, _, sql, values in views:
            view = f"v{len(self.views)}"
            if shape == "nested":
                self.nested.add(view)
                register(view, NESTED)
            else:
                register(view, sql, values)
            self.views.append(view)

    def _windows(self, views: list[Any]) -> None:
        """Sliding windows: by `$now`, which moves them all, or each by a parameter of its own."""
        if not ANEW:
            self.circuit.advance(BEGIN)
        for n, (_, _, sql, values) in enumerate(views):
            self.views.append(f"v{n}")
            moment = {"until": BEGIN} if ANEW else {}
            self.circuit.register(f"v{n}", sql.replace("$now", "$until") if ANEW else sql, values | moment)

    def to(self, place: int) -> None:
        """W12: other parameters, or a later time; with `--anew` by asking again."""
        shape, params, sql, values = self.told[0]
        circuit = self.circuit
        if shape == "window":
            now = BEGIN + timedelta(seconds=place)
            if ANEW:
                for view, (_, _, sql, values) in zip(self.views, self.told, strict=True):
                    circuit.unregister(view)
                    circuit.register(view, sql.replace("$now", "$until"), values | {"until": now})
            else:
                self.seen += sum(len(update.changes) for update in circuit.advance(now).updates.values())
            return
        low = params["start"] + place * params["by"]
        values = {"low": low, "high": low + params["width"]}
        if ANEW:
            circuit.unregister("v0")
            circuit.register("v0", sql, values)
        else:
            self.seen += len(circuit.rebind("v0", values).changes)

    def close(self) -> None:
        """Forget the views."""
        for view in self.views:
            self.circuit.unregister(view)
        self.views = []

    def prepare(self, batches: list[Any]) -> list[Any]:
        """Rows as a program has them: mappings, or tuples in schema order."""

        def made(table: str, row: list[Any] | None) -> Any:
            if row is None:
                return None
            return tuple(row) if TUPLES else dict(zip(self.names[table], row, strict=True))

        prepared = [[(table, key, made(table, new)) for table, key, _, new in batch] for batch in batches]
        self._single = all(len(batch) == 1 for batch in prepared)
        return [batch[0] for batch in prepared] if self._single else prepared

    def run(self, part: list[Any]) -> None:
        """Apply, and read what changed."""
        apply = self.circuit.apply
        seen = 0
        if self._single:
            for table, key, row in part:
                commit = apply([upsert(table, key, row) if row is not None else delete(table, key)])
                for update in commit.updates.values():
                    seen += len(update.changes)
            return
        for batch in part:
            commit = apply([upsert(t, k, row) if row is not None else delete(t, k) for t, k, row in batch])
            for update in commit.updates.values():
                seen += len(update.changes)

    def answers(self) -> list[Any]:
        """The rows of every view."""
        assert not self.circuit.failed, dict(self.circuit.failed)
        return [
            [_plain(row) for row in self.circuit.rows(view)] if view in self.nested else self.circuit.rows(view)
            for view in self.views
        ]

    def image(self, task: dict[str, Any]) -> dict[str, Any]:
        """W11: an image, or a circuit made from one."""
        self.load(clock.read_tables(task))
        self.open(task["views"])
        data = self.circuit.image()
        wall, cpu = [], []
        for _ in range(task["repeats"]):
            busy, start = process_time(), perf_counter()
            if task["restore"]:
                circuit = Circuit.restore(data)
            else:
                data = self.circuit.image()
            wall.append(perf_counter() - start)
            cpu.append(process_time() - busy)
        self.circuit = circuit if task["restore"] else Circuit.restore(data)
        note = f"{len(data) / 1e6:.1f} MB"
        return {"wall": wall, "cpu": cpu, "steps": 1, "answers": self.answers(), "applied": 0, "note": note}


def _plain(row: Any) -> Any:
    """A parent with its children as lists."""
    key, name, children = row
    return [key, name, [[child["id"], child["status"], child["title"]] for child in children]]


NESTED = query("person").select("id", "name").related(
    "issues", query("issue").order_by("id").select("id", "status", "title"), on={"id": "owner"}
)  # fmt: skip


if __name__ == "__main__":
    import sys

    TUPLES, ANEW = "--tuples" in sys.argv, "--anew" in sys.argv
    clock.main(Ours())
