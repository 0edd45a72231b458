"""Sharded: consistent hashing of a key over named circuits.

Owns the ring: the same in every process and on every machine, for it hashes the values themselves (blake2b).
Refuses to follow circuits as they come and go: the runtime cannot yet move rows between circuits that run.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import attrs

from sspcore.abc import Address
from sspcore.algebra.values import FrozenObject, canonical_key
from sspcore.engine.table import Row
from sspcore.errors import UsageError
from sspcore.routing.partition import EVERYWHERE, Homes, Partitioned

POINTS: Final = 128
"""Points of a circuit on the ring: shares differ by about a tenth."""


@attrs.frozen
class ShardedOptions:
    """Options of `sharded`.

    Args: `circuits`, the shards; `column`, whose value is hashed (the id where it is not given, missing or NULL);
    `everywhere`, tables that every shard holds whole.
    """

    circuits: tuple[str, ...]
    column: str | None = None
    everywhere: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not self.circuits or "" in self.circuits:
            raise UsageError("circuits are the names of the shards, one at least")
        if len(set(self.circuits)) < len(self.circuits):
            raise UsageError(f"a circuit is listed twice in {', '.join(self.circuits)}")


class Sharded(Partitioned):
    """Each row goes to one of the shards, as far as that reads its table. Cost: one hash an image.

    # Guarantees
    - A row's shard depends on its key and the list of shards only. Another list, at the next start, moves about the
      share of the shards that came or went, and no row between two that stay.
    - While the runtime runs the list does not change, whatever circuits are created and destroyed: no row moves unless
      its key does, and then it leaves the old shard. A row whose shard does not exist is refused with its batch; the
      rows of a shard that was destroyed wait in the base tables until it is created again.
    - Circuits that are not on the list hold every row of the tables they read.
    - Equal keys share a shard: rows of two tables meet in a join on the column, and only then.

    >>> sharded = Sharded(ShardedOptions(("north", "south")))
    >>> [sharded.homes("orders", key, (key,), ("id",)) for key in (3, 4)]
    [('south',), ('north',)]
    """

    def __init__(self, options: ShardedOptions) -> None:
        super().__init__()
        self.options = options
        self._shards = frozenset(options.circuits)
        self._everywhere = frozenset(options.everywhere)
        ring = sorted((_hash(f"{circuit}#{point}"), circuit) for circuit in options.circuits for point in range(POINTS))
        self._points = [point for point, _ in ring]
        self._owners = [(circuit,) for _, circuit in ring]

    def whole(self, circuit: str) -> bool:
        """Those that are no shards."""
        return circuit not in self._shards

    def homes(
        self, table: str, key: Any, image: Row, columns: Sequence[str], address: Address | None = None
    ) -> Homes | None:
        """The owner of the first point after the key's."""
        if table in self._everywhere:
            return EVERYWHERE
        column, value = self.options.column, None
        if column is not None and column in columns:
            at = columns.index(column)
            value = image[at] if at < len(image) else None
        at = bisect_right(self._points, _hash(spelled(key if value is None else value)))
        return self._owners[at % len(self._owners)]


def spelled(value: Any) -> str:
    """A text per value, equal for equal values, whatever their type, and different for different ones.

    >>> spelled(1) == spelled(1.0) == spelled(Decimal("1.00")), spelled(1) == spelled("1"), spelled(1) == spelled(True)
    (True, False, False)
    """
    if isinstance(value, bool):
        return f"o{value}"
    if isinstance(value, int | float | Decimal):
        if value != value or value in (float("inf"), float("-inf")):
            return f"n{float(value)}"
        over, under = value.as_integer_ratio()
        return f"n{over:x}/{under:x}"
    if isinstance(value, str):
        return "t" + value
    if isinstance(value, tuple):
        return "l" + _joined(value)
    value = canonical_key(value)
    if isinstance(value, datetime):
        return "d" + (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    if isinstance(value, FrozenObject):
        return "j" + _joined([part for name in sorted(value) for part in (name, value[name])])
    return f"v{value!r}"


def _joined(values: Sequence[Any]) -> str:
    texts = [spelled(value) for value in values]
    return "".join([f"{len(text)}:{text}" for text in texts])


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
