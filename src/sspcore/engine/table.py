"""Tables: the current row of every id, as plain tuples in schema order, and the arrangements kept of them.

Owns storage and widening. Refuses to judge changes (`door`) and to know views.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sspcore.algebra.values import Value
from sspcore.engine.arrangement import KEY_TYPES, Arrangement
from sspcore.engine.schema import Schema
from sspcore.engine.sorted_index import SortedBy, SortedIndex

Row = tuple[Value, ...]
Id = Any
Net = tuple[Id, Row | None, Row | None]
"""(id, old row or None, new row or None), once per id, never a no-op."""


def declines(change: Any) -> Net | None:
    """What a table nothing is known of does with a change that stands alone: it goes the long way."""
    return None


class Table:
    """A keyed relation. `rows` maps id → row tuple; `versions` holds row versions where changes carry them.

    Both are written only through `write`, `widen` and the door's commit, and stay the same objects as long as the
    table lives: generated code holds on to them. `arrangements` are the indexes of the rows that views asked for:
    columns → Arrangement, `SortedBy` → SortedIndex. `maker` and `one` are the door's: what makes rows of the layout the
    table has now, and what gives the net change of a plain upsert that stands alone, or None.
    """

    __slots__ = ("arrangements", "maker", "names", "one", "rows", "schema", "versions")

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.names = schema.names
        self.rows: dict[Id, Row] = {}
        self.versions: dict[Id, int] = {}
        self.arrangements: dict[Any, Any] = {}
        self.maker: Any = None
        self.one: Callable[[Any], Net | None] = declines

    def write(self, net: Iterable[Net]) -> None:
        """Put every new row, drop every id without one. Cost: O(net), once more per arrangement."""
        rows = self.rows
        for key, _, new in net:
            if new is None:
                rows.pop(key, None)
            else:
                rows[key] = new
        for arrangement in self.arrangements.values():
            arrangement.write(net)

    def unwrite(self, net: Iterable[Net]) -> None:
        """The old rows again, also where `write` stopped half-way. Cost: O(net), and O(rows) per arrangement."""
        rows = self.rows
        for key, old, _ in net:
            if old is None:
                rows.pop(key, None)
            else:
                rows[key] = old
        self._rearrange()

    def widen(self, schema: Schema) -> None:
        """Adopt a schema with more columns at the end: every row is padded with NULL. Cost: O(rows)."""
        pad = (None,) * (len(schema.names) - len(self.names))
        self.schema, self.names = schema, schema.names
        self.forget()
        if pad:
            rows = self.rows
            for key, row in rows.items():
                rows[key] = row + pad
            self._rearrange()

    def narrow(self, schema: Schema) -> None:
        """The inverse of `widen`, for rolling back, also where it stopped half-way."""
        width = len(schema.names)
        self.schema, self.names = schema, schema.names
        self.forget()
        rows = self.rows
        for key, row in rows.items():
            rows[key] = row[:width]
        self._rearrange()

    def forget(self) -> None:
        """Let the door make rows anew."""
        self.maker, self.one = None, declines

    # Arrangements

    def arrange(self, columns: tuple[str, ...]) -> dict[Any, dict[Id, Row]]:
        """The live index of the rows by these columns, shared by all who ask for it. Cost: O(rows) for the first.

        See `Arrangement`. Whoever asked calls `release` when done. Raises KeyError for a column the table lacks.
        """
        held: Arrangement | None = self.arrangements.get(columns)
        if held is None:
            plain = all(self.schema.columns[name] in KEY_TYPES for name in columns)
            held = Arrangement([self.names.index(name) for name in columns], plain)
            held.fill(self.rows)
            self.arrangements[columns] = held
        held.uses += 1
        return held.index

    def sort(self, column: str) -> SortedIndex:
        """The live index of the ids by the order of a column, shared. Cost: O(rows log rows) for the first.

        Whoever asked calls `release(SortedBy(column))` when done. Raises ValueError for a column the table lacks.
        """
        name = SortedBy(column)
        held: SortedIndex | None = self.arrangements.get(name)
        if held is None:
            held = SortedIndex(self.names.index(column))
            held.fill(self.rows)
            self.arrangements[name] = held
        held.uses += 1
        return held

    def release(self, name: tuple[str, ...] | SortedBy) -> None:
        """One user less of an arrangement or sorted index; the last one takes it along."""
        held = self.arrangements[name]
        held.uses -= 1
        if not held.uses:
            del self.arrangements[name]

    def _rearrange(self) -> None:
        for arrangement in self.arrangements.values():
            arrangement.fill(self.rows)
