"""The oracle: what a circuit must show, computed from scratch, and a reader that believes only snapshots and updates.

Owns the judgement of the laws "incremental = recompute" and "updates chain". It trusts `engine.interpret` (the
specification) and nothing else of the engine. Every breach raises `LawBroken`, saying which view, row and law.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sspcore.algebra.values import Key, Value, same
from sspcore.engine.change import Change
from sspcore.engine.interpret import interpret
from sspcore.engine.schema import Schema, check_id, open_schema, typed
from sspcore.engine.update import Snapshot, ViewUpdate
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import ordering

if TYPE_CHECKING:
    from sspcore.engine.circuit import Circuit

Row = tuple[Value, ...]


class LawBroken(AssertionError):
    """A law of the engine does not hold; the message says where and how."""


def expect_same(held: Mapping[Key, Row], wanted: Mapping[Key, Row], what: str) -> None:
    """Raise LawBroken unless both maps have the same keys and, type by type, the same rows."""
    for key, row in wanted.items():
        if key not in held:
            raise LawBroken(f"{what}: row {row!r} (key {key!r}) is missing")
        if not same(held[key], row):
            raise LawBroken(f"{what}: key {key!r} shows {held[key]!r}, should be {row!r}")
    for key, row in held.items():
        if key not in wanted:
            raise LawBroken(f"{what}: row {row!r} (key {key!r}) should not be there")


def expect_value(keys: Sequence[Key], rows: Sequence[Row], plan: Plan, tables: Mapping[str, Any], what: str) -> None:
    """Raise LawBroken unless these keyed rows are the value of a bound plan over the tables, in its order."""
    if len(set(keys)) != len(keys) or len(keys) != len(rows):
        raise LawBroken(f"{what}: {len(rows)} rows under {len(set(keys))} different keys of {len(keys)}")
    wanted = interpret(plan, tables)
    expect_same(dict(zip(keys, rows, strict=True)), wanted, what)
    if ordering(plan) is not None and list(keys) != list(wanted):
        raise LawBroken(f"{what}: order is {list(keys)!r}, should be {list(wanted)!r}")


def check_circuit(circuit: Circuit, tables: Mapping[str, Any] | None = None) -> None:
    """Raise LawBroken unless every view of the circuit equals its plan recomputed over the tables.

    Args: `tables`, name → object with `.names` and `.rows`; the circuit's own when None.

    >>> from sspcore import Circuit, upsert
    >>> circuit = Circuit()
    >>> _ = circuit.register("all", "SELECT id, x FROM t")
    >>> _ = circuit.apply([upsert("t", 1, {"x": 2})])
    >>> check_circuit(circuit)
    """
    for view_id in circuit.views:
        view = circuit.view(view_id)
        what = f"view {view_id!r} at version {circuit.version}"
        expect_value(view.keys(), view.rows(), view.bound, circuit.tables if tables is None else tables, what)


class Mirror:
    """A reader of one view: it holds a snapshot and applies updates just as `ViewUpdate` documents, trusting nothing.

    Every update must chain, change each key at most once, change something, and name the old row the mirror holds.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.view, self.epoch, self.version = snapshot.view, snapshot.epoch, snapshot.version
        self.ordered = snapshot.ordered
        self.keys: list[Key] = list(snapshot.keys)
        self.held: dict[Key, Row] = dict(zip(snapshot.keys, snapshot.rows, strict=True))

    def rows(self) -> list[Row]:
        """The rows, in the view's order for an ordered one."""
        return [self.held[key] for key in self.keys]

    def apply(self, update: ViewUpdate) -> None:
        """Apply the next update. Raises LawBroken when it breaks a promise."""
        if update.reset:
            self.epoch, self.version = update.epoch, update.version
            self.held = {key: new for key, _, new in update.changes if new is not None}
            self.keys = [key for key, _, _ in update.changes]
            return
        if (update.epoch, update.from_version) != (self.epoch, self.version):
            self._broken(f"update {update.epoch}-{update.from_version}→{update.version} does not chain")
        if update.version <= self.version:
            self._broken(f"version {update.version} does not rise")
        if not update.changes and not update.placed:
            self._broken("an update that changes nothing")
        gone = self._change(update)
        if not self.ordered:
            self.keys = list(self.held)
            return
        placed = [key for key, _ in update.placed]
        out = gone.union(placed)
        self.keys = [key for key in self.keys if key not in out]
        for key, after in update.placed:
            if after is not None and after not in self.keys:
                self._broken(f"{key!r} is placed after {after!r}, which is not there")
            self.keys.insert(0 if after is None else self.keys.index(after) + 1, key)
        if len(self.keys) != len(self.held) or set(self.keys) != self.held.keys():
            self._broken(f"keys in order {self.keys!r} are not the rows held {list(self.held)!r}")

    def _change(self, update: ViewUpdate) -> set[Key]:
        seen: set[Key] = set()
        gone: set[Key] = set()
        for key, old, new in update.changes:
            if key in seen:
                self._broken(f"key {key!r} comes twice in one update")
            seen.add(key)
            if (old is None and new is None) or (old is not None and new is not None and same(old, new)):
                self._broken(f"a change of nothing: {key!r} from {old!r} to {new!r}")
            before = self.held.get(key)
            if before is not old and (before is None or old is None or not same(before, old)):
                self._broken(f"the old row of {key!r} is {before!r}, the update says {old!r}")
            if new is None:
                del self.held[key]
                gone.add(key)
            else:
                self.held[key] = new
        self.version = update.version
        return gone

    def _broken(self, how: str) -> None:
        raise LawBroken(f"view {self.view!r} at {self.epoch}-{self.version}: {how}")


class PlainTable:
    """A table as the oracle keeps it: names and rows, with the meaning of each op written out once, naively."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.rows: dict[Any, Row] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in order."""
        return self.schema.names

    def apply(self, change: Change) -> None:
        """Apply one change, upserting (what a strict door admits means the same)."""
        if change.op == "clear":
            self.rows = {}
        elif change.op == "replace":
            self.rows = {check_id(key): self._row(check_id(key), row) for key, row in change.row.items()}
            self.rows = {key: row + (None,) * (len(self.names) - len(row)) for key, row in self.rows.items()}
        elif change.op == "delete":
            self.rows.pop(check_id(change.id), None)
        else:
            key = check_id(change.id)
            given = change.row
            if change.op == "merge" and key in self.rows:
                given = dict(zip(self.names, self.rows[key], strict=True)) | dict(given)
            self.rows[key] = self._row(key, given)

    def _row(self, key: Any, given: Any) -> Row:
        if not isinstance(given, Mapping):
            given = dict(zip(self.names, given, strict=True))
        new = [name for name in given if name not in self.schema.columns]
        if new:
            self.schema = self.schema.widened(new)
            self.rows = {k: row + (None,) * len(new) for k, row in self.rows.items()}
        parts = key if isinstance(self.schema.key, tuple) else (key,)
        cells = dict(given) | dict(zip(self.schema.key_columns, parts, strict=False))
        return tuple([typed(cells.get(name), kind) for name, kind in self.schema.columns.items()])


def plain_tables(schemas: Iterable[Schema], history: Iterable[Iterable[Change]]) -> dict[str, PlainTable]:
    """The tables after a history of admissible batches, computed by no code of the engine's.

    >>> from sspcore.engine.change import upsert
    >>> plain_tables([], [[upsert("t", 1, {"x": 2})]])["t"].rows
    {1: (1, 2)}
    """
    tables = {schema.table: PlainTable(schema) for schema in schemas}
    for batch in history:
        for change in batch:
            if change.table not in tables:
                tables[change.table] = PlainTable(open_schema(change.table))
            tables[change.table].apply(change)
    return tables
