"""Schemas, rows, and histories of changes that a strict circuit accepts.

Owns the bookkeeping of which rows exist, so that histories create what is missing and update what is there.
Refuses to know views.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs

from sspcore.algebra.values import Value
from sspcore.engine import change as changes
from sspcore.engine.change import Change
from sspcore.engine.schema import Schema
from sspcore.testing.generate import values
from sspcore.testing.generate.choices import Choices

TABLES: Final = ("a", "b", "c")
COLUMNS: Final = ("u", "v", "w", "x")
IDS: Final[tuple[Any, ...]] = (1, 2, 3, "1", "x:01", "2024:01", "o'k", 4, "é", 5, "y", ("x", 1), 6, 7)
"""Ids that a careless engine takes for one another; the integers come first."""

OPS: Final = (
    (30, "upsert"), (24, "merge"), (18, "delete"), (14, "create"), (10, "update"), (4, "clear"), (4, "replace"),
)  # fmt: skip


def schema(c: Choices, table: str) -> Schema:
    """A schema: declared or open; keyed by `id`, by two columns, or by nothing."""
    if c.chance(25):
        names = c.some(COLUMNS[:3], 1, 2)
        return Schema(table, {"id": "any", **dict.fromkeys(names, "any")}, "id", open=True)
    columns = {name: values.kind(c) for name in COLUMNS[: c.between(2, 4)]}
    form = c.weighted(((60, "id"), (20, "composite"), (20, "none")))
    if form == "composite":
        return Schema(table, {"k": "integer", "l": "text", **columns}, ("k", "l"))
    return Schema(table, columns, "id" if form == "id" else None)


def schemas(c: Choices) -> tuple[Schema, ...]:
    """One to three tables."""
    return tuple([schema(c, table) for table in TABLES[: c.weighted(((2, 2), (3, 3), (1, 1)))]])


def row(c: Choices, schema: Schema) -> dict[str, Value]:
    """A row's columns other than its key; of an open table now and then one that no row had before."""
    cells = {n: values.value(c, k) for n, k in schema.columns.items() if n not in schema.key_columns}
    if schema.open and c.chance(8):
        cells[c.pick(COLUMNS)] = values.value(c, "any")
    return cells


@attrs.define
class History:
    """Makes changes valid in sequence under `strict`: it knows which rows its own changes have left."""

    choices: Choices
    schemas: Sequence[Schema]
    rows: dict[str, dict[Any, dict[str, Value]]] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for schema in self.schemas:
            self.rows.setdefault(schema.table, {})

    def fill(self, low: int = 4, high: int = 9) -> list[Change]:
        """A batch that creates some rows in every table."""
        out = []
        for schema in self.schemas:
            for _ in range(self.choices.between(low, high)):
                key = self._absent(schema)
                if key is not None:
                    out.append(self._put(changes.create, schema, key, row(self.choices, schema)))
        return out

    def batch(self, low: int = 1, high: int = 6) -> list[Change]:
        """A batch of changes of any op."""
        return [self.change() for _ in range(self.choices.between(low, high))]

    def change(self) -> Change:
        """One change."""
        c, schema = self.choices, self.choices.pick(self.schemas)
        poor = [s for s in self.schemas if len(self.rows[s.table]) < 4]
        if poor and c.chance(50):  # an empty view proves little: tables do not run dry for long
            schema = c.pick(poor)
        held = self.rows[schema.table]
        op = c.weighted(OPS)
        if op in ("update", "merge") and not held:
            op = "upsert"
        if len(held) < 4 and op in ("delete", "clear"):
            op = "upsert"
        if op == "clear":
            held.clear()
            return changes.clear(schema.table)
        if op == "replace":
            return self._replace(schema)
        if op == "delete":
            key = self._id(schema) if c.chance(10) else c.pick(list(held))
            held.pop(key, None)
            return changes.delete(schema.table, key)
        if op == "create":
            key = self._absent(schema)
            if key is not None:
                return self._put(changes.create, schema, key, row(c, schema))
            op = "upsert"
        if op == "upsert":
            return self._put(changes.upsert, schema, self._id(schema), row(c, schema))
        return self._touch(op, schema, c.pick(list(held)))

    def _put(self, make: Any, schema: Schema, key: Any, cells: dict[str, Value]) -> Change:
        self.rows[schema.table][key] = cells
        if not schema.open and self.choices.chance(15):  # rows may come as tuples in schema order, too
            full = dict.fromkeys(schema.names) | cells
            return make(schema.table, key, tuple(full.values()))  # type: ignore[no-any-return]
        return make(schema.table, key, dict(cells))  # type: ignore[no-any-return]

    def _touch(self, op: str, schema: Schema, key: Any) -> Change:
        """Change few columns of a row: what moves sort keys, join keys and group keys alone."""
        c, held = self.choices, self.rows[schema.table][key]
        fresh = row(c, schema)
        patch = {name: fresh[name] for name in c.some(sorted(fresh), 1, 2)}
        cells = held | patch
        if op == "merge":
            self.rows[schema.table][key] = cells
            return changes.merge(schema.table, key, patch)
        return self._put(changes.update, schema, key, cells)

    def _replace(self, schema: Schema) -> Change:
        c, held = self.choices, self.rows[schema.table]
        kept = {key: cells for key, cells in held.items() if c.chance(70)}
        for _ in range(c.between(1, 3)):
            kept[self._id(schema)] = row(c, schema)
        self.rows[schema.table] = kept
        return changes.replace(schema.table, {key: dict(cells) for key, cells in kept.items()})

    def _id(self, schema: Schema) -> Any:
        if isinstance(schema.key, tuple):
            return (self.choices.below(3), self.choices.pick(("p", "q", "x:01")))
        return self.choices.pick(IDS)

    def _absent(self, schema: Schema) -> Any:
        """An id with no row, or None when eight tries find none."""
        for _ in range(8):
            key = self._id(schema)
            if key not in self.rows[schema.table]:
                return key
        return None


def history(c: Choices, schemas: Sequence[Schema], batches: int = 8) -> list[list[Change]]:
    """A filling batch, then so many batches of any ops."""
    maker = History(c, schemas)
    return [maker.fill(), *[maker.batch() for _ in range(batches)]]
