"""About how many bytes a batch takes in a queue, from a sample of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sspcore.engine.table import Net, Row

SAMPLE = 64
"""One row in so many is looked at: a percent of what admitting it costs."""
TUPLE, CELL, TEXT = 120, 32, 50
"""Bytes of an entry with its row tuple, of a number, and of a text or bytes apart from its characters (CPython)."""


class RowSizes:
    """A running mean of the size of each table's rows.

    >>> RowSizes().estimate({"t": [(1, None, (1, "abc")), (2, None, (2, "abc"))]})
    410
    """

    def __init__(self) -> None:
        self._mean: dict[str, int] = {}
        self._until: dict[str, int] = {}

    def estimate(self, net: Mapping[str, Sequence[Net]]) -> int:
        """The bytes of a batch's new rows, about."""
        total = 0
        for table, rows in net.items():
            count = len(rows)
            until = self._until.get(table, 0) - count
            if until < 0:
                self._look(table, rows[::SAMPLE])
                until = SAMPLE
            self._until[table] = until
            total += self._mean[table] * count
        return total

    def _look(self, table: str, sample: Sequence[Net]) -> None:
        mean = sum([_size(new) for _, _, new in sample]) // len(sample)
        before = self._mean.get(table)
        self._mean[table] = mean if before is None else (3 * before + mean) // 4


def _size(row: Row | None) -> int:
    if row is None:
        return TUPLE
    return TUPLE + sum([TEXT + len(cell) if isinstance(cell, str | bytes) else CELL for cell in row])
