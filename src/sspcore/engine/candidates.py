"""Candidates: the rows of a table that a change of parameters may concern, found through its indexes.

Owns the choice of index, and the indexes taken out for a template: they stay as long as a view of it does. Refuses to
know plans and views.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from sspcore.algebra.values import NUMBER, TEXT
from sspcore.engine.cuts import ValueSet, points
from sspcore.engine.sorted_index import SortedBy, SortedIndex
from sspcore.engine.table import Id, Net, Row, Table

SHARE: Final = 2
"""When more than one row in so many crosses, computing a view anew is cheaper."""
FEW: Final = 16
"""So few rows are always looked at one by one."""


class Indexes:
    """The indexes taken out so that parameters can move, by table.

    Attributes: `held`, table → the names its indexes are filed under.
    """

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held: dict[Table, list[Any]] = {}

    def candidates(self, table: Table, crossed: Mapping[str, ValueSet], most: int | None = None) -> list[Net] | None:
        """The rows whose value in some column is in its set, as deletions; None when there are more than `most`.

        Not given, that is where it no longer pays: half the table.

        Cost: O(log rows + candidates); the first time for a column O(rows log rows), to build its index.
        """
        if any(column not in table.names for column in crossed):
            return []  # a column nobody has yet reads NULL, which is in no set
        if most is None:
            most = max(len(table.rows) // SHARE, FEW)
        found: dict[Id, Row] = {}
        for key in chain.from_iterable(self._ids(table, column, values) for column, values in crossed.items()):
            if len(found) == most:
                return None
            found[key] = table.rows[key]
        return [(key, row, None) for key, row in found.items()]

    def release(self) -> None:
        """Give all indexes back."""
        for table, names in self.held.items():
            for name in names:
                table.release(name)
        self.held = {}

    def _ids(self, table: Table, column: str, values: ValueSet) -> Iterator[Id]:
        at = points(values)
        if at is not None and all(lane in (NUMBER, TEXT) for lane, _ in at):
            return self._equal(table, column, [value for _, value in at])
        name = SortedBy(column)
        if name not in self.held.get(table, ()):
            table.sort(column)
            self.held.setdefault(table, []).append(name)
        index = table.arrangements[name]
        assert isinstance(index, SortedIndex)
        return index.between(values)

    def _equal(self, table: Table, column: str, values: Iterable[Any]) -> Iterator[Id]:
        """The rows with one of these values, by a dict: the ids themselves, or an arrangement."""
        if table.schema.key_columns == (column,):
            return iter([value for value in values if value in table.rows])
        name = (column,)
        if name not in self.held.get(table, ()):
            table.arrange(name)
            self.held.setdefault(table, []).append(name)
        index = table.arrangements[name].index
        return chain.from_iterable([index.get(value, ()) for value in values])
