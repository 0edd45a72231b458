"""Arrangements: the rows of a table by some of its columns, kept once for all views that look rows up that way.

Owns the index and its upkeep. Refuses to know who reads it, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sspcore.algebra.values import Key, Value, canonical_key

Row = tuple[Value, ...]
Buckets = dict[Key, dict[Any, Row]]

PLAIN: Final = frozenset({int, str, bytes, type(None)})
"""Types whose values are their own canonical keys, so that the call can be spared."""
KEY_TYPES: Final = frozenset({"integer", "text", "bytes"})
"""Types of columns that hold values of these types only."""


class Arrangement:
    """Canonical key of the columns at some positions → {id → row}; bare for one column, a tuple for several.

    Rows with a NULL in one of the columns are not filed: NULL equals nothing. `index` stays the same object and is
    always that of the table's present rows: the table writes it right after its own rows, before any view advances.

    Args: `positions`, of the columns; `plain`, whether all their values are of types in `PLAIN`.

    >>> by_carrier = Arrangement([1])
    >>> by_carrier.fill({"AA1": ("AA1", "AA"), "UA1": ("UA1", "UA")})
    >>> by_carrier.write([("AA2", None, ("AA2", "AA")), ("UA1", ("UA1", "UA"), None)])
    >>> by_carrier.index
    {'AA': {'AA1': ('AA1', 'AA'), 'AA2': ('AA2', 'AA')}}
    """

    __slots__ = ("_at", "_bare", "_key_of", "index", "uses")

    def __init__(self, positions: Sequence[int], plain: bool = False) -> None:
        self.index: Buckets = {}
        self.uses = 0
        self._at = positions[0] if len(positions) == 1 else None
        self._bare = self._at if plain else None
        self._key_of = _key_reader(positions)

    def fill(self, rows: Mapping[Any, Row]) -> None:
        """Forget everything and file these rows. Cost: O(rows)."""
        index, key_of = self.index, self._key_of
        index.clear()
        for row_id, row in rows.items():
            key = key_of(row)
            if key is None:
                continue
            bucket = index.get(key)
            if bucket is None:
                index[key] = {row_id: row}
            else:
                bucket[row_id] = row

    def write(self, net: Iterable[tuple[Any, Row | None, Row | None]]) -> None:
        """Follow the net changes of the table. Cost: two lookups each."""
        index, key_of, at, bare, plain = self.index, self._key_of, self._at, self._bare, PLAIN
        for row_id, old, new in net:
            before = after = None
            if bare is not None:
                if old is not None:
                    before = old[bare]
                if new is not None:
                    after = new[bare]
            else:
                if old is not None:
                    before = key_of(old) if at is None or type(old[at]) not in plain else old[at]
                if new is not None:
                    after = key_of(new) if at is None or type(new[at]) not in plain else new[at]
            if after is None or new is None:
                pass
            elif after == before:  # also where the value changed type, from 1 to 1.0
                index[after][row_id] = new
                continue
            elif after in index:
                index[after][row_id] = new
            else:
                index[after] = {row_id: new}
            if before is not None:
                bucket = index[before]
                del bucket[row_id]
                if not bucket:
                    del index[before]


def _key_reader(positions: Sequence[int]) -> Callable[[Row], Key | None]:
    if len(positions) == 1:
        at = positions[0]

        def key(row: Row) -> Key | None:
            value = row[at]
            return value if type(value) in PLAIN else canonical_key(value)

        return key

    def keys(row: Row) -> Key | None:
        parts = []
        for at in positions:
            value = row[at]
            if value is None:
                return None
            parts.append(value if type(value) in PLAIN else canonical_key(value))
        return tuple(parts)

    return keys
