"""DuckDB in memory: the query again after every change. A batch goes in as columns, the way DuckDB likes it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import clock
import duckdb

TYPES = {"text": "VARCHAR", "integer": "BIGINT", "real": "DOUBLE", "boolean": "BOOLEAN"}


class DuckDb:
    """The driver."""

    def load(self, tables: dict[str, Any]) -> None:
        """Create and fill the tables."""
        self.connection = duckdb.connect(":memory:")
        self.columns = {name: table["columns"] for name, table in tables.items()}
        for name, table in tables.items():
            names = list(table["columns"])
            types = {c: TYPES[kind] for c, kind in table["columns"].items()}
            declared = ", ".join(f"{c} {kind}" + " PRIMARY KEY" * (c == names[0]) for c, kind in types.items())
            self.connection.execute(f"CREATE TABLE {name} ({declared})")
            if not table["rows"]:
                continue
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "rows.json"
                rows = (json.dumps(dict(zip(names, row, strict=True))) for row in table["rows"])
                file.write_text("\n".join(rows), "utf-8")
                self.connection.execute(
                    f"INSERT INTO {name} SELECT {', '.join(names)} "
                    f"FROM read_json('{file}', columns = {types}, format = 'newline_delimited')"
                )

    def open(self, views: list[Any]) -> None:
        """Compute the views."""
        if any(shape == "nested" for shape, *_ in views):
            raise clock.Unsuited("measured flat only")
        if len(views) > 100:
            raise clock.Unsuited(f"{len(views):,} queries of a millisecond a change")
        self.queries = [(sql, values) for _, _, sql, values in views]
        self.query()

    def close(self) -> None:
        """Forget the results."""
        self.values = None

    def query(self) -> None:
        """Every query again."""
        run = self.connection.execute
        self.values = [run(sql, values).fetchall() for sql, values in self.queries]

    def prepare(self, batches: list[Any]) -> list[Any]:
        """Single changes as UPDATE, INSERT or DELETE, batches as one upsert per table."""
        return [[self._one(*batch[0])] if len(batch) == 1 else self._many(batch) for batch in batches]

    def _one(self, table: str, key: Any, old: Any, new: Any) -> tuple[str, list[Any]]:
        if new is None:
            return f"DELETE FROM {table} WHERE id = ?", [key]
        if old is None:
            return f"INSERT INTO {table} VALUES ({', '.join('?' * len(new))})", new
        sets = ", ".join(f"{c} = ?" for c in list(self.columns[table])[1:])
        return f"UPDATE {table} SET {sets} WHERE id = ?", [*new[1:], key]

    def _many(self, batch: list[Any]) -> list[tuple[str, list[Any]]]:
        last: dict[str, dict[Any, Any]] = {}
        for table, key, _, new in batch:
            last.setdefault(table, {})[key] = new
        statements: list[tuple[str, list[Any]]] = []
        for table, rows in last.items():
            gone = [key for key, row in rows.items() if row is None]
            kept = [row for row in rows.values() if row is not None]
            if gone:
                statements.append((f"DELETE FROM {table} WHERE id IN (SELECT unnest(?))", [gone]))
            if kept:
                kinds = self.columns[table].values()
                cells = ", ".join(f"unnest(?::{TYPES[kind]}[])" for kind in kinds)
                columns = [list(column) for column in zip(*kept, strict=True)]
                statements.append((f"INSERT OR REPLACE INTO {table} SELECT {cells}", columns))
        return statements

    def run(self, part: list[Any]) -> None:
        """Write and query again."""
        run = self.connection.execute
        for statements in part:
            if len(statements) > 1:
                run("BEGIN")
            for statement, values in statements:
                run(statement, values)
            if len(statements) > 1:
                run("COMMIT")
            self.query()

    def answers(self) -> list[Any]:
        """The rows of every view."""
        return self.values


if __name__ == "__main__":
    clock.main(DuckDb())
