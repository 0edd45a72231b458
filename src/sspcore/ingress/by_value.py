"""Ids by value: which ids of a base table have some value in a column, so that a walk over a tenant's rows costs these.

Owns one such index, and when it is complete. It is never filled in one step: it follows every write from the start on,
and walks that go over the whole table file what they see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sspcore.algebra.values import Key, canonical_key
from sspcore.engine.arrangement import PLAIN
from sspcore.engine.table import Id, Net, Row


class ByValue:
    """Canonical key of one column → the ids that have it. NULL is not filed.

    `complete` once a walk that began after it did has seen every row. Written to as one of a table's arrangements.

    >>> owners = ByValue(1)
    >>> owners.write([(1, None, (1, "ann")), (2, None, (2, "bob")), (1, (1, "ann"), (1, "bob"))])
    >>> sorted(owners.ids(["bob", "cat"]))
    [1, 2]
    """

    __slots__ = ("_column", "_index", "complete")

    def __init__(self, column: int) -> None:
        self.complete = False
        self._column = column
        self._index: dict[Key, dict[Id, None]] = {}

    def ids(self, keys: Iterable[Key]) -> list[Id]:
        """The ids that have one of these values. Cost: O(ids)."""
        index = self._index
        return [id for key in keys for id in index.get(key, ())]

    def see(self, id: Id, row: Row) -> None:
        """File a row that is there."""
        key = self._key(row)
        if key is not None:
            self._index.setdefault(key, {})[id] = None

    def write(self, net: Iterable[Net]) -> None:
        """Follow the net changes of the table. Cost: two lookups each."""
        for id, old, new in net:
            before = None if old is None else self._key(old)
            after = None if new is None else self._key(new)
            if before == after:
                if new is None or after is None or id in self._index.get(after, ()):
                    continue
            elif before is not None and before in self._index:
                ids = self._index[before]
                ids.pop(id, None)  # not there when no walk has seen it yet
                if not ids:
                    del self._index[before]
            if after is not None:
                self._index.setdefault(after, {})[id] = None

    def fill(self, rows: Mapping[Id, Row]) -> None:
        """The table has more columns; values by key are what they were."""

    def _key(self, row: Row) -> Any:
        value = row[self._column]
        return value if type(value) in PLAIN else canonical_key(value)
