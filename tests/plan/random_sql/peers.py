"""DuckDB and SQLite with the same rows, asked the same text.

Owns the connections, and the comparison of their answers with ours: TRUE is 1 in SQLite, numbers agree to twelve
digits. What a database refuses, or reports as out of its range, is no answer.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import duckdb

from tests.plan.random_sql.tables import PARAMS, SCHEMAS

TYPES = {"integer": "BIGINT", "real": "DOUBLE", "text": "TEXT", "boolean": "BOOLEAN"}
Row = tuple


def literal(value: object) -> str:
    """A value as SQL."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return f"(timestamp '{value:%Y-%m-%d %H:%M:%S}')"
    return "NULL" if value is None else f"({value!r})"


def without_params(sql: str, values: Mapping[str, object] = PARAMS) -> str:
    """The text with each $name as its value, and each literal with a point as a float, which DuckDB takes for exact.

    (No quoted literal of ours holds a dollar or a point.)
    """
    sql = re.sub(r"(\d\.\d)(?!e)", r"\1e0", sql)
    return re.sub(
        r"(LIMIT |OFFSET )?\$(\w+)", lambda m: f"{m[1]}{values[m[2]]}" if m[1] else literal(values[m[2]]), sql
    )


def plain(row: Iterable, *, booleans: bool) -> Row:
    """A row as all print it: rounded numbers; booleans kept apart from numbers where the database has them."""
    return tuple([_cell(cell, booleans) for cell in row])


def _cell(cell: object, booleans: bool) -> object:
    if isinstance(cell, list | tuple):
        return tuple([_cell(part, booleans) for part in cell])
    if isinstance(cell, bool):
        return f"<{cell}>" if booleans else float(cell)
    if isinstance(cell, int | float | Decimal):
        return float(f"{float(cell):.12g}") + 0.0
    return cell


class Peer:
    """A database that holds the tables."""

    name = ""
    booleans = True

    def run(self, sql: str) -> list[Row]:
        """Execute a statement. Raises the database's own error."""
        raise NotImplementedError

    def create(self) -> None:
        """The empty tables."""
        for schema in SCHEMAS:
            columns = ", ".join([f"{n} {TYPES[k]}" for n, k in schema.columns.items()])
            self.run(f"CREATE TABLE {schema.table} ({columns})")

    def load(self, tables: Mapping) -> None:
        """These rows and no others."""
        for schema in SCHEMAS:
            self.run(f"DELETE FROM {schema.table}")
            rows = [f"({', '.join(map(literal, row))})" for row in tables[schema.table].rows.values()]
            if rows:
                self.run(f"INSERT INTO {schema.table} VALUES {', '.join(rows)}")

    def view(self, name: str, sql: str | None) -> None:
        """A view of this name instead of an older one; none where the database would not understand it."""
        self.run(f"DROP VIEW IF EXISTS {name}")
        if sql is not None:
            self.ask(f"CREATE VIEW {name} AS {sql}")

    def ask(self, sql: str, values: Mapping[str, object] = PARAMS) -> list[Row] | None:
        """The rows, with these values for parameters; None when the database has no answer to this."""
        raise NotImplementedError

    def ask_plainly(self, sql: str, values: Mapping[str, object] = PARAMS) -> list[Row] | None:
        """The same by another way of working it out; None where the database has but one."""
        return None


class DuckDb(Peer):
    """Set to divide and to order as Postgres does."""

    name = "DuckDb"

    def __init__(self) -> None:
        self.refused: dict[str, int] = {}
        self._views: dict[str, str | None] = {}
        self._tables: Mapping | None = None
        self._start()

    def _connect(self) -> None:
        self.database = duckdb.connect(":memory:", config={"threads": "1"})

    def _start(self) -> None:
        self._connect()
        self.run("SET integer_division = true; SET default_null_order = 'nulls_last_on_asc_first_on_desc'")
        self.create()

    def load(self, tables: Mapping) -> None:
        """These rows and no others, kept for the database that follows where a query is the end of this one."""
        self._tables = tables
        super().load(tables)

    def view(self, name: str, sql: str | None) -> None:
        """A view of this name, kept likewise."""
        super().view(name, sql)
        self._views[name] = sql

    def run(self, sql: str) -> list[Row]:
        return self.database.execute(sql).fetchall()

    def ask(self, sql: str, values: Mapping[str, object] = PARAMS) -> list[Row] | None:
        try:
            return self.run(without_params(sql, values))
        except duckdb.Error as error:
            text = re.sub(r"\d+|\"[^\"]*\"", "#", str(error).splitlines()[0])[:110]
            self.refused[text] = self.refused.get(text, 0) + 1
            self.last = str(error)
            if isinstance(error, duckdb.FatalException):  # it answers nothing more: go on with another
                self._again()
            return None

    def ask_plainly(self, sql: str, values: Mapping[str, object] = PARAMS) -> list[Row] | None:
        """Without its optimiser, which has been seen to keep rows for which the condition is NULL."""
        self.run("PRAGMA disable_optimizer")
        try:
            return self.ask(sql, values)
        finally:
            self.run("PRAGMA enable_optimizer")

    def _again(self) -> None:
        """Another database with the same rows and views; without those that were the end of it in turn."""
        self._start()
        if self._tables is not None:
            self.load(self._tables)
        views, self._views = self._views, {}
        for name, sql in views.items():
            self.view(name, sql)


class Sqlite(Peer):
    """Given the functions it lacks. Left to the others: set operations in parentheses, where NULLs go by default."""

    name = "Sqlite"
    booleans = False

    def __init__(self) -> None:
        self.database = sqlite3.connect(":memory:")
        self.run("PRAGMA case_sensitive_like = ON")
        for name, count, function in FUNCTIONS:
            self.database.create_function(name, count, function, deterministic=True)
        self.create()

    def run(self, sql: str) -> list[Row]:
        return self.database.execute(sql).fetchall()

    def ask(self, sql: str, values: Mapping[str, object] = PARAMS) -> list[Row] | None:
        try:
            return self.run(SPELLED.sub(lambda m: SPELLING[m[0]], without_params(sql, values)))
        except sqlite3.Error as error:
            self.last = str(error)
            return None


def _known(function: Callable) -> Callable:
    """NULL where an argument is."""
    return lambda *values: None if None in values else function(*values)


def _ilike(pattern: str, text: str) -> bool:
    """ILIKE as GLOB, which SQLite lets one define."""
    parts = [{"%": ".*", "_": "."}.get(symbol, re.escape(symbol)) for symbol in pattern.lower()]
    return re.fullmatch("".join(parts), text.lower(), re.DOTALL) is not None


SPELLING = {"ILIKE": "GLOB", "left(": "left_(", "right(": "right_(", "= ANY (": "IN (", "<> ALL (": "NOT IN ("}
SPELLED = re.compile("|".join(map(re.escape, SPELLING)))
FUNCTIONS = (
    ("glob", 2, _known(_ilike)),
    ("floor", 1, _known(math.floor)),
    ("ceil", 1, _known(math.ceil)),
    ("strpos", 2, _known(lambda text, part: text.find(part) + 1)),
    ("left_", 2, _known(lambda text, count: text[:count])),
    ("right_", 2, _known(lambda text, count: text[-count:])),
    ("greatest", -1, lambda *values: max([v for v in values if v is not None], default=None)),
    ("least", -1, lambda *values: min([v for v in values if v is not None], default=None)),
)


def differs(peer: Peer, theirs: Sequence[Row], ours: Sequence[Row], *, ordered: bool) -> bool:
    """The answers are not the same rows (in order, where there is one)."""
    one = [plain(row, booleans=peer.booleans) for row in theirs]
    two = [plain(row, booleans=peer.booleans) for row in ours]
    if ordered:
        return one != two
    return sorted(map(repr, one)) != sorted(map(repr, two))
