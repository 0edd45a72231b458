"""Is what the live views show right? Every view against recomputation from the change file read anew, and SQLite.

Owns an independent reading of the day: plain JSON, plain dicts, none of the code that the live path runs. The
recomputation is `engine/interpret`, the naive specification; SQLite shares nothing with us at all.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from sspcore.algebra.values import same
from sspcore.demo.day import SCHEMAS
from sspcore.demo.views import DemoView
from sspcore.engine.interpret import interpret
from sspcore.plan.sql.lower import lower
from sspcore.plan.traverse import ordering

Row = tuple[Any, ...]


@attrs.frozen
class PlainTable:
    """A table as the oracle reads it."""

    names: tuple[str, ...]
    rows: dict[Any, Row]


@attrs.frozen
class Verdict:
    """What became of one view: how many rows, and what each check said (empty: it agrees; None: not asked)."""

    view: str
    rows: int
    recomputed: str
    sqlite: str | None

    @property
    def right(self) -> bool:
        """Whether every check that was asked agrees."""
        return not self.recomputed and not self.sqlite


def read_anew(path: Path) -> dict[str, PlainTable]:
    """The tables at the end of a change file, read without the library's reader and door.

    >>> from sspcore.demo.day import path
    >>> len(read_anew(path())["flights"].rows)
    994
    """
    columns = {schema.table: dict(schema.columns) for schema in SCHEMAS}
    keys = {schema.table: schema.key for schema in SCHEMAS}
    tables = {table: PlainTable(tuple(names), {}) for table, names in columns.items()}
    for line in path.read_text("utf-8").splitlines():
        change = json.loads(line)
        table = change["table"]
        if change["op"] == "delete":
            del tables[table].rows[change["id"]]
            continue
        cells = {keys[table]: change["id"]} | change["row"]
        tables[table].rows[change["id"]] = tuple(
            [
                float(cells[name]) if kind == "real" and cells.get(name) is not None else cells.get(name)
                for name, kind in columns[table].items()
            ]
        )
    return tables


def verify(view: DemoView, rows: Sequence[Row], keyed: Mapping[Any, Row], tables: Mapping[str, PlainTable]) -> Verdict:
    """Compare what a view shows (`rows`, and by key `keyed`) with recomputation and, where it is asked, SQLite."""
    plan = lower(view.sql, {schema.table: schema for schema in SCHEMAS}).plan
    expected = interpret(plan, tables)
    ordered = ordering(plan) is not None
    recomputed = _difference(list(expected.values()), rows, ordered)
    if not recomputed and not (expected.keys() == keyed.keys() and all(same(keyed[k], expected[k]) for k in expected)):
        recomputed = "a subscriber who followed every update has other rows"
    answer = _difference(_sqlite(view.sql, tables), rows, ordered) if view.sqlite else None
    return Verdict(view.id, len(rows), recomputed, answer)


def _difference(expected: Sequence[Row], shown: Sequence[Row], ordered: bool) -> str:
    """What differs, in words; empty when nothing does."""
    left = list(expected) if ordered else sorted(expected, key=repr)
    right = list(shown) if ordered else sorted(shown, key=repr)
    if len(left) != len(right):
        return f"{len(right)} rows instead of {len(left)}"
    for a, b in zip(left, right, strict=True):
        if not same(tuple(a), tuple(b)):
            return f"shows {b!r} instead of {a!r}"
    return ""


def _sqlite(sql: str, tables: Mapping[str, PlainTable]) -> list[Row]:
    types = {schema.table: schema.columns for schema in SCHEMAS}
    connection = sqlite3.connect(":memory:")
    try:
        for name, table in tables.items():
            connection.execute(f"CREATE TABLE {name} ({', '.join(f'{c} {types[name][c]}' for c in table.names)})")
            marks = ", ".join("?" * len(table.names))
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", table.rows.values())
        return connection.execute(sql).fetchall()
    finally:
        connection.close()
