"""Who is measured: the engine, naive recomputation, SQLite queried again, SQLite with hand-written triggers.

Each subject is made over a workload's tables, then either hydrates or takes batches, and can give its answer. What a
user would also pay is inside the measured step: building `Change` objects, committing, fetching rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import attrs

from benchmarks.triggers import TRIGGERS
from benchmarks.workloads import COLUMNS, Answer, Op, Tables, Workload
from sspcore import Circuit, Schema, delete, upsert
from sspcore.engine.interpret import interpret
from sspcore.plan.nodes import Plan
from sspcore.plan.sql.lower import lower

SCHEMAS = {table: Schema(table, columns) for table, columns in COLUMNS.items()}


class Subject(Protocol):
    """One way to keep a workload's answers."""

    def hydrate(self) -> None:
        """Compute every answer from the tables, for the first time."""

    def step(self, batch: Sequence[Op]) -> None:
        """Take a batch and have every answer up to date."""

    def answer(self) -> list[Answer]:
        """The answers, one per query."""


class Unsuited(Exception):
    """The subject is not measured on this workload; the text says why."""


def _plans(workload: Workload) -> list[tuple[Plan, dict[str, Any]]]:
    plans: dict[str, Plan] = {}
    for sql, _ in workload.queries:
        if sql not in plans:
            plans[sql] = lower(sql, SCHEMAS).plan
    return [(plans[sql], dict(params)) for sql, params in workload.queries]


class Engine:
    """`Circuit.apply` with mappings in, `ViewUpdate`s out. Plans are given: reading SQL is not what is measured."""

    def __init__(self, workload: Workload, tables: Tables) -> None:
        self._circuit = Circuit(schemas=[SCHEMAS[table] for table in tables])
        for table, rows in tables.items():
            self._circuit.apply([upsert(table, key, row) for key, row in rows.items()])
        self._queries = [(f"v{n}", plan, params) for n, (plan, params) in enumerate(_plans(workload))]
        if not workload.hydrate:
            self.hydrate()

    def hydrate(self) -> None:
        register = self._circuit.register
        for view, plan, params in self._queries:
            register(view, plan, params)

    def step(self, batch: Sequence[Op]) -> None:
        changes = [delete(table, key) if row is None else upsert(table, key, row) for table, key, row in batch]
        commit = self._circuit.apply(changes)
        assert not commit.failed

    def answer(self) -> list[Answer]:
        return [self._circuit.rows(view) for view, _, _ in self._queries]


@attrs.frozen
class _Table:
    names: tuple[str, ...]
    rows: dict[Any, tuple[Any, ...]]


class Naive:
    """`engine/interpret`: every answer from scratch after every batch."""

    def __init__(self, workload: Workload, tables: Tables) -> None:
        if len(workload.queries) > 100:
            raise Unsuited("recomputing more than 100 views takes minutes a change")
        self._plans = _plans(workload)
        self._tables = {
            table: _Table(tuple(COLUMNS[table]), {key: tuple(row.values()) for key, row in rows.items()})
            for table, rows in tables.items()
        }
        self._values: list[Answer] = []
        self._names = {table: tuple(columns) for table, columns in COLUMNS.items()}

    def hydrate(self) -> None:
        self._values = [list(interpret(plan, self._tables, params).values()) for plan, params in self._plans]

    def step(self, batch: Sequence[Op]) -> None:
        for table, key, row in batch:
            if row is None:
                del self._tables[table].rows[key]
            else:
                self._tables[table].rows[key] = tuple([row[name] for name in self._names[table]])
        self.hydrate()

    def answer(self) -> list[Answer]:
        return self._values


class Requery:
    """SQLite in memory, indexed on the columns the queries read; the queries run again after every batch."""

    def __init__(self, workload: Workload, tables: Tables) -> None:
        if len(workload.queries) > 1000:
            raise Unsuited("10,000 queries a change")
        self._connection = connect(tables)
        for index in ("status, priority", "owner", "score DESC, id"):
            self._connection.execute(f'CREATE INDEX "{index}" ON issue ({index})')
        self._queries = [(sql, dict(params)) for sql, params in workload.queries]
        self._values: list[Answer] = []

    def hydrate(self) -> None:
        run = self._connection.execute
        self._values = [run(sql, params).fetchall() for sql, params in self._queries]

    def step(self, batch: Sequence[Op]) -> None:
        write(self._connection, batch)
        self.hydrate()

    def answer(self) -> list[Answer]:
        return self._values


class Triggers:
    """SQLite in memory with triggers written by hand that keep a result table, as one does without a library.

    Only the write is measured: unlike the others it does not say what changed.
    """

    def __init__(self, workload: Workload, tables: Tables) -> None:
        made = None if workload.hydrate else TRIGGERS.get(workload.name)
        if made is None:
            raise Unsuited("a first value is a query" if workload.hydrate else "no triggers keep this in order")
        if len(workload.queries) > 1000:
            raise Unsuited("20,000 triggers")
        self._connection = connect(tables)
        self._answer = made(self._connection, workload.queries)

    def hydrate(self) -> None:
        raise NotImplementedError

    def step(self, batch: Sequence[Op]) -> None:
        write(self._connection, batch)

    def answer(self) -> list[Answer]:
        return self._answer()


def connect(tables: Tables) -> sqlite3.Connection:
    """An in-memory database with the tables in it."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for table, columns in COLUMNS.items():
        types = ", ".join(f"{name} {kind}" + " PRIMARY KEY" * (name == "id") for name, kind in columns.items())
        connection.execute(f"CREATE TABLE {table} ({types}) WITHOUT ROWID")
        marks = ", ".join("?" * len(columns))
        rows = [tuple(row.values()) for row in tables.get(table, {}).values()]
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    return connection


_UPDATE = {
    table: f"UPDATE {table} SET {', '.join(f'{c} = ?' for c in list(columns)[1:])} WHERE id = ?"
    for table, columns in COLUMNS.items()
}
_INSERT = {table: f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})" for table, columns in COLUMNS.items()}


def write(connection: sqlite3.Connection, batch: Sequence[Op]) -> None:
    """Apply a batch, in one transaction when it has more than one change."""
    run = connection.execute
    if len(batch) > 1:
        run("BEGIN")
    for table, key, row in batch:
        if row is None:
            run(f"DELETE FROM {table} WHERE id = ?", (key,))
            continue
        values = tuple(row.values())
        if run(_UPDATE[table], (*values[1:], key)).rowcount == 0:
            run(_INSERT[table], values)
    if len(batch) > 1:
        run("COMMIT")


SUBJECTS: dict[str, Callable[[Workload, Tables], Subject]] = {
    "sspcore": Engine, "naive": Naive, "SQLite again": Requery, "SQLite triggers": Triggers,
}  # fmt: skip
