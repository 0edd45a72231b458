"""Backfill: the rows a table has already, copied to a circuit in slices, while changes go on.

Owns the walk over the ids there were at its start. Each slice carries the rows current when it is queued: with changes
routed to the circuit from before the start, no row is missed, stale or resurrected, however long the walk takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sspcore.engine.table import Id, Row

SLICE = 512
"""Rows queued at once: well under a millisecond of work, and some hundred kilobytes waiting at most."""


class Backfill:
    """A walk over a table, `over` when every row is queued (`done`) or nobody needs the walk any more (`called_off`).

    >>> walk = Backfill("t", {1: ("a",), 2: ("b",)})
    >>> walk.slice({2: ("c",), 3: ("d",)}), walk.over
    ([('t', 2, ('c',))], True)
    """

    def __init__(self, table: str, rows: Mapping[Id, Row], slice: int | None = None) -> None:
        self.table = table
        self._ids: list[Any] = list(rows)
        self._at = 0
        self._slice = slice or SLICE
        self.called_off = False

    @property
    def done(self) -> bool:
        """Whether every row is queued."""
        return self._at >= len(self._ids)

    @property
    def over(self) -> bool:
        """Whether there is nothing more to do."""
        return self.called_off or self.done

    def slice(self, rows: Mapping[Id, Row]) -> list[tuple[str, Id, Row]]:
        """The next rows: those of the walk's ids that still exist, as they are now. Cost: O(slice)."""
        table = self.table
        ids = self._ids[self._at : self._at + self._slice]
        self._at += len(ids)
        return [(table, key, rows[key]) for key in ids if key in rows]
