"""Where to look for the rows of a region: by id, by the value of a column, or everywhere.

Owns the indexes by value of the base tables: kept of large tables, while circuits have interests that ask for a value
of the column. Refuses to judge rows: what it finds holds all rows of the region, and maybe others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from sspcore.abc import Everything, Interest
from sspcore.algebra.values import Key
from sspcore.engine.table import Id, Table
from sspcore.ingress.by_value import ByValue

LARGE: Final = 4_096
"""Rows from which on an index by value is kept: below, looking at all of them takes some milliseconds."""

_IDS: Final = (int, str)
"""Types of values that are ids as they are: 5.0 finds the row whose id is 5, but is not its id."""

Region = Everything | Interest


class Regions:
    """The rows of regions, of the tables given."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables
        self._asked: dict[tuple[str, int], Counter[Key]] = {}
        """(table, column) → for each value how many ask for it."""
        self._kept: dict[tuple[str, int], tuple[Table, ByValue]] = {}

    def noted(self, table: str, region: Region) -> None:
        """A circuit wants the rows of a region from now on."""
        for column, keys in _keys(region).items():
            self._asked.setdefault((table, column), Counter()).update(keys)

    def forgotten(self, table: str, region: Region) -> None:
        """A circuit wants them no more; an index nobody asks goes."""
        for column, keys in _keys(region).items():
            asked = self._asked[table, column]
            asked.subtract(keys)
            for key in keys:
                if not asked[key]:
                    del asked[key]
            if not asked:
                del self._asked[table, column]
                kept = self._kept.pop((table, column), None)
                if kept is not None:
                    del kept[0].arrangements["by value", column]

    def ids(self, table: str, region: Region) -> tuple[Iterable[Id], ByValue | None]:
        """The ids that rows of a region can have, and the index to be completed by going over them, if any."""
        held = self._tables[table]
        keys = _keys(region)
        if not keys:
            return held.rows, None
        for at, column in enumerate(held.names):
            if column == held.schema.key and at in keys and all(type(key) in _IDS for key in keys[at]):
                return [key for key in keys[at] if key in held.rows], None
        best = max(keys, key=lambda column: len(self._asked.get((table, column), ())))  # tells tenants apart, say
        by_value = self._by_value(table, best)
        if by_value is None:
            return held.rows, None
        return (by_value.ids(keys[best]), None) if by_value.complete else (held.rows, by_value)

    def candidates(self, table: str, regions: Iterable[Region]) -> Iterable[Id]:
        """The ids that rows of any of these can have, each once."""
        everything = self._tables[table].rows
        found: dict[Id, None] = {}
        for region in regions:
            ids, _ = self.ids(table, region)
            if ids is everything:
                return everything
            found.update(dict.fromkeys(ids))
        return found

    def _by_value(self, table: str, column: int) -> ByValue | None:
        held = self._tables[table]
        kept = self._kept.get((table, column))
        if kept is not None and kept[0] is held:
            return kept[1]
        if (table, column) not in self._asked or len(held.rows) < LARGE:
            return None
        made = held.arrangements["by value", column] = ByValue(column)
        self._kept[table, column] = held, made
        return made


def _keys(region: Region) -> Mapping[int, frozenset[Key]]:
    keys: Mapping[int, frozenset[Key]] = getattr(region, "keys", {})
    return keys
