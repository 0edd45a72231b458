"""Walks: the rows of a region that a table has already, brought to a circuit or taken from it in slices.

Owns the ids there were at the start. Each slice looks at the rows as they are when it is queued. Changes meanwhile are
routed by the old region and by the new one, so that no row is missed, stale or resurrected, however long it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from sspcore.abc import ALL, Everything, Interest
from sspcore.engine.table import Id, Row
from sspcore.ingress.by_value import ByValue
from sspcore.routing.ledger import meets

SLICE = 512
"""Rows looked at at once: well under a millisecond of work, and some hundred kilobytes waiting at most."""

Wanted = Callable[[Id, Row], bool]
"""Whether a circuit wants a row, as things are now."""


class Walk:
    """A walk over ids of a table, `over` when each was looked at (`done`) or nobody needs it any more (`called_off`).

    Args: `table`; `ids`, which to look at; `region`, which of them it is about; `takes`, retract those that are wanted
    no more, instead of putting those that are wanted; `completes`, an index to file on the way what all ids have.

    >>> walk = Walk("t", {1: ("a",), 2: ("b",)})
    >>> walk.slice({2: ("c",), 3: ("d",)}), walk.over
    ([('t', 2, ('c',))], True)
    """

    __slots__ = ("_at", "_completes", "_ids", "_slice", "called_off", "region", "table", "takes")

    def __init__(
        self, table: str, ids: Iterable[Id], region: Everything | Interest = ALL, takes: bool = False,
        slice: int | None = None, completes: ByValue | None = None,
    ) -> None:  # fmt: skip
        self.table = table
        self.region = region
        self.takes = takes
        self.called_off = False
        self._ids: list[Any] = list(ids)
        self._at = 0
        self._slice = slice or SLICE
        self._completes = completes

    @property
    def done(self) -> bool:
        """Whether every row was looked at."""
        return self._at >= len(self._ids)

    @property
    def over(self) -> bool:
        """Whether there is nothing more to do."""
        return self.called_off or self.done

    def slice(self, rows: Mapping[Id, Row], wanted: Wanted | None = None) -> list[tuple[str, Id, Row | None]]:
        """What the next ids come to: those of them that still exist, as they are now. Cost: O(slice).

        `wanted`: what the circuit wants now, if not everything.
        """
        table, region, takes, completes = self.table, self.region, self.takes, self._completes
        ids = self._ids[self._at : self._at + self._slice]
        self._at += len(ids)
        found: list[tuple[str, Id, Row | None]] = []
        for key in ids:
            row = rows.get(key)
            if row is None:
                continue
            if completes is not None:
                completes.see(key, row)
            if not meets(region, row):
                continue
            if takes:
                if wanted is not None and not wanted(key, row):
                    found.append((table, key, None))
            elif wanted is None or wanted(key, row):
                found.append((table, key, row))
        if completes is not None and self.done:
            completes.complete = True
        return found


@attrs.define(eq=False)
class Errand:
    """Walks, one after the other, and what is to be done behind the last slice.

    `then` is called once: also when the circuit has given up its queue, and with it the rows on their way.
    """

    walks: list[Walk]
    then: Callable[[], None]
