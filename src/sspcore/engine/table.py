"""Tables: the current row of every id, as plain tuples in schema order.

Owns storage and widening. Refuses to judge changes (`door`) and to know views.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sspcore.algebra.values import Value
from sspcore.engine.schema import Schema

Row = tuple[Value, ...]
Id = Any
Net = tuple[Id, Row | None, Row | None]
"""(id, old row or None, new row or None), once per id, never a no-op."""


class Table:
    """A keyed relation. `rows` maps id → row tuple; `versions` holds row versions where changes carry them.

    Both are written only through `write`, `widen` and the door's commit.
    """

    __slots__ = ("names", "rows", "schema", "versions")

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.names = schema.names
        self.rows: dict[Id, Row] = {}
        self.versions: dict[Id, int] = {}

    def write(self, net: Iterable[Net]) -> None:
        """Put every new row, drop every id without one. Cost: O(net)."""
        rows = self.rows
        for key, _, new in net:
            if new is None:
                rows.pop(key, None)
            else:
                rows[key] = new

    def unwrite(self, net: Iterable[Net]) -> None:
        """The inverse of `write`: the old rows again."""
        self.write([(key, new, old) for key, old, new in net])

    def widen(self, schema: Schema) -> None:
        """Adopt a schema with more columns at the end: every row is padded with NULL. Cost: O(rows)."""
        pad = (None,) * (len(schema.names) - len(self.names))
        self.schema, self.names = schema, schema.names
        if pad:
            self.rows = {key: row + pad for key, row in self.rows.items()}

    def narrow(self, schema: Schema) -> None:
        """The inverse of `widen`, for rolling back."""
        width = len(schema.names)
        self.schema, self.names = schema, schema.names
        self.rows = {key: row[:width] for key, row in self.rows.items()}
