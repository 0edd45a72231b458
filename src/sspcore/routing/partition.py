"""Partitions: strategies under which a circuit holds its share of a table, and its views are views of that share.

Owns what follows from a row's homes: who gets the row, who must give it up, what a late view finds. Refuses to know how
the homes are found (`routed`, `sharded`): they are a pure function of the row, its address and the configuration, never
of which circuits or views there are, so that a circuit filled late, anew or after a failure holds what it would have.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

from sspcore.abc import Address, Reason, Resolved, Routing, Target
from sspcore.engine.table import Row
from sspcore.errors import ChangeRejected, shown
from sspcore.routing.readers import Readers

Homes = tuple[str, ...]
EVERYWHERE: Final = None
"""The homes of a row that every circuit holds."""

_REMEMBERED: Final = 10_000
"""Targets kept for the next row that comes from and goes to the same homes."""


class Partitioned(Readers, ABC):
    """Readers of the table among the homes of the row. Cost: the homes of both images, then one lookup.

    Old and new image are asked: a row that moves is put into its new homes and retracted from the old ones. Rows whose
    home reads their table in no view stay in the runtime's base tables.
    """

    def __init__(self) -> None:
        super().__init__()
        self._targets: dict[tuple[str, bool, Homes | None, Homes | None], tuple[Target, ...]] = {}

    @abstractmethod
    def homes(
        self, table: str, key: Any, image: Row, columns: Sequence[str], address: Address | None = None
    ) -> Homes | None:
        """The circuits that hold a row, whether they exist or not, or EVERYWHERE. Raises ChangeRejected for none."""

    @abstractmethod
    def whole(self, circuit: str) -> bool:
        """Whether a circuit holds every row of the tables it reads, whatever their homes."""

    def holds(self, circuit: str, row: Resolved) -> bool:
        """Whether a circuit holds the row as it is now."""
        if row.new is None:
            return False
        if self.whole(circuit):
            return True
        homes = self.homes(row.table, row.id, row.new, row.columns, row.address)
        return homes is EVERYWHERE or circuit in homes

    def changed(self, table: str) -> None:
        """Targets are worked out anew."""
        self._targets.clear()

    def route(self, rows: Sequence[Resolved]) -> Routing:
        """Puts where the row is at home now, retractions where it was. Raises ChangeRejected for a row without home."""
        known = self._targets
        if len(known) > _REMEMBERED:
            known.clear()
        routing = []
        for row in rows:
            table, key, old, new, columns, address, was = row
            before = () if old is None else self._left(table, key, old, columns, was)
            after = () if new is None else self._present(row, self.homes(table, key, new, columns, address))
            way = table, new is None, before, after
            targets = known.get(way)
            if targets is None:
                targets = known[way] = self._among(*way)
            routing.append(targets)
        return routing

    def explain(self, row: Resolved) -> Sequence[Reason]:
        """Names the homes. Raises ChangeRejected for a row without home."""
        (targets,) = self.route([row])
        kinds = dict(targets)
        reasons, readers = [], self.readers(row.table)
        for circuit in self.circuits:
            kind, views = kinds.get(circuit), ", ".join(sorted(readers.get(circuit, ())))
            if not views:
                why = f"no view of it reads {row.table}"
            elif kind is None:
                why = "its home, before and after, is elsewhere"
            elif kind == "retract":
                why = "it leaves this home"
            elif self.whole(circuit):
                why = f"read by {views}, and this circuit holds every row"
            else:
                why = f"read by {views}, and this is a home of it"
            reasons.append(Reason(circuit, kind is not None, why))
        return reasons

    def _left(self, table: str, key: Any, image: Row, columns: Sequence[str], was: Address | None) -> Homes | None:
        """The homes a row had; none where it could not have any: it came in while another strategy routed."""
        try:
            return self.homes(table, key, image, columns, was)
        except ChangeRejected:
            return ()

    def _among(
        self, table: str, gone: bool, before: Homes | None, after: Homes | None
    ) -> tuple[Target, ...]:  # fmt: skip
        """The readers that must hear of a row with these homes. Cost: O(readers), once per pair of homes."""
        targets: list[Target] = []
        for circuit in self.readers(table):
            whole = self.whole(circuit)
            if not gone and (whole or after is EVERYWHERE or circuit in after):
                targets.append((circuit, "put"))
            elif whole or before is EVERYWHERE or circuit in before:
                targets.append((circuit, "retract"))
        return tuple(targets)

    def _present(self, row: Resolved, homes: Homes | None) -> Homes | None:
        """The homes of a row that comes or changes, which must be there. Other tenants' names are nobody's business."""
        if homes is not EVERYWHERE:
            for circuit in homes:
                if circuit not in self.circuits:
                    raise ChangeRejected(
                        f"row {shown(row.id)} of {row.table!r} belongs to circuit {circuit!r}, which does not exist",
                        hint="create it first, or correct the row",
                    )
        return homes
