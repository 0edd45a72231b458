"""Z-sets: finite maps from row to non-zero integer weight; a delta is a Z-set read as change.

Owns the group they form. Refuses to know what the rows mean. Canonical at birth: the constructor is the one gate
that sums weights and removes zeros, so equality, emptiness and membership are right by construction.
Rows are told apart by value *and* by type, as updates are (`(1,)` and `(True,)` are two rows).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sspcore.algebra.values import canonical_key, type_rank

Row = tuple[Any, ...]


def _identity(row: Row) -> Any:
    return (canonical_key(row), type_rank(row))


class ZSet:
    """A Z-set of rows. Immutable.

    Args: pairs of (row, weight), in any order, repeated or cancelling.

    >>> ZSet([(("a",), 2), (("b",), 1), (("b",), -1)])
    ZSet({('a',): 2})
    """

    __slots__ = ("_entries",)

    def __init__(self, pairs: Iterable[tuple[Row, int]] = ()) -> None:
        entries: dict[Any, tuple[Row, int]] = {}
        for row, weight in pairs:
            key = _identity(row)
            total = entries[key][1] + weight if key in entries else weight
            entries[key] = (row, total)
        self._entries = {k: e for k, e in entries.items() if e[1]}

    def __getitem__(self, row: Row) -> int:
        """The weight of a row; 0 when absent."""
        entry = self._entries.get(_identity(row))
        return entry[1] if entry else 0

    def __contains__(self, row: Row) -> bool:
        return _identity(row) in self._entries

    def __iter__(self) -> Iterator[Row]:
        return (row for row, _ in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def items(self) -> list[tuple[Row, int]]:
        """(row, weight) pairs."""
        return list(self._entries.values())

    def __add__(self, other: ZSet) -> ZSet:
        return ZSet([*self.items(), *other.items()])

    def __neg__(self) -> ZSet:
        return ZSet([(row, -weight) for row, weight in self.items()])

    def __sub__(self, other: ZSet) -> ZSet:
        return self + -other

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ZSet) and {k: w for k, (_, w) in self._entries.items()} == {
            k: w for k, (_, w) in other._entries.items()
        }

    def __hash__(self) -> int:
        return hash(frozenset((k, w) for k, (_, w) in self._entries.items()))

    def __repr__(self) -> str:
        return "ZSet({" + ", ".join(f"{row!r}: {weight}" for row, weight in self.items()) + "})"

    def distinct(self) -> ZSet:
        """Weight 1 for every row of positive weight."""
        return ZSet([(row, 1) for row, weight in self.items() if weight > 0])

    def filter(self, predicate: Callable[[Row], bool]) -> ZSet:
        """The part whose rows satisfy the predicate; linear."""
        return ZSet([(row, weight) for row, weight in self.items() if predicate(row)])

    def map(self, function: Callable[[Row], Row]) -> ZSet:
        """The image; weights of rows that meet add up; linear."""
        return ZSet([(function(row), weight) for row, weight in self.items()])
