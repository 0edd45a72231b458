"""Partitions: strategies under which a circuit holds its share of a table, and its views are views of that share.

Owns what follows from a row's homes: who gets the row, who must give it up, what a late view finds. Refuses to know how
the homes are found (`routed`, `sharded`): they are a pure function of the row, its address and the configuration, never
of which circuits or views there are, so that a circuit filled late, anew or after a failure holds what it would have.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

from sspcore.abc import Address, Interests, Reason, Resolved, Routing, Target
from sspcore.engine.table import Row
from sspcore.errors import ChangeRejected, shown
from sspcore.routing.dependency import Dependency

Homes = tuple[str, ...]
EVERYWHERE: Final = None
"""The homes of a row that every circuit holds."""

_REMEMBERED: Final = 10_000
"""Targets kept for the next row that comes from and goes to the same homes."""


class Partitioned(ABC):
    """Readers of the table among the homes of the row. Cost: the homes of both images, then one lookup.

    Old and new image are asked: a row that moves is put into its new homes and retracted from the old ones. Rows whose
    home reads their table in no view stay in the runtime's base tables.
    """

    def __init__(self) -> None:
        self._readers = Dependency()
        self._circuits: set[str] = set()
        self._targets: dict[tuple[str, bool, Homes | None, Homes | None], tuple[Target, ...]] = {}
        """Forgotten whenever a circuit or a view comes or goes."""

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

    def circuit_added(self, circuit: str) -> None:
        """Rows may have it as their home."""
        self._targets.clear()
        self._circuits.add(circuit)
        self._readers.circuit_added(circuit)

    def circuit_removed(self, circuit: str) -> None:
        """Rows whose home it was stay in the base tables."""
        self._targets.clear()
        self._circuits.discard(circuit)
        self._readers.circuit_removed(circuit)

    def view_added(self, circuit: str, view: str, interests: Interests) -> None:
        """Its circuit gets its share of these tables."""
        self._targets.clear()
        self._readers.view_added(circuit, view, interests)

    def view_changed(self, circuit: str, view: str, old: Interests, new: Interests) -> None:
        """Its circuit gets its share of old and new tables until `view_settled`."""
        self._targets.clear()
        self._readers.view_changed(circuit, view, old, new)

    def view_settled(self, circuit: str, view: str) -> None:
        """Its circuit gets its share of the new tables only."""
        self._targets.clear()
        self._readers.view_settled(circuit, view)

    def view_removed(self, circuit: str, view: str) -> None:
        """Its circuit gets its share of what its other views read."""
        self._targets.clear()
        self._readers.view_removed(circuit, view)

    def route(self, rows: Sequence[Resolved]) -> Routing:
        """Puts where the row is at home now, retractions where it was. Raises ChangeRejected for a row without home."""
        known = self._targets
        if len(known) > _REMEMBERED:
            known.clear()
        routing = []
        for row, readers in zip(rows, self._readers.route(rows), strict=True):
            table, key, old, new, columns, address, was = row
            before = () if old is None else self._left(table, key, old, columns, was)
            after = () if new is None else self._present(row, self.homes(table, key, new, columns, address))
            way = table, new is None, before, after
            targets = known.get(way)
            if targets is None:
                targets = known[way] = self._among(readers, before, after)
            routing.append(targets)
        return routing

    def explain(self, row: Resolved) -> Sequence[Reason]:
        """Names the homes. Raises ChangeRejected for a row without home."""
        (targets,) = self.route([row])
        kinds = dict(targets)
        reasons = []
        for reason in self._readers.explain(row):
            if not reason.routed:
                reasons.append(reason)
                continue
            circuit = reason.circuit
            kind = kinds.get(circuit)
            if kind is None:
                why = "its home, before and after, is elsewhere"
            elif kind == "retract":
                why = "it leaves this home"
            elif self.whole(circuit):
                why = f"{reason.why}, and this circuit holds every row"
            else:
                why = f"{reason.why}, and this is a home of it"
            reasons.append(Reason(circuit, kind is not None, why))
        return reasons

    def _left(self, table: str, key: Any, image: Row, columns: Sequence[str], was: Address | None) -> Homes | None:
        """The homes a row had; none where it could not have any: it came in while another strategy routed."""
        try:
            return self.homes(table, key, image, columns, was)
        except ChangeRejected:
            return ()

    def _among(
        self, readers: tuple[Target, ...], before: Homes | None, after: Homes | None
    ) -> tuple[Target, ...]:  # fmt: skip
        """The readers that must hear of a row with these homes. Cost: O(readers), once per pair of homes."""
        targets: list[Target] = []
        for reader in readers:
            circuit = reader[0]
            if self.whole(circuit):
                targets.append(reader)  # put or retracted, as for a reader of the whole table
            elif after is EVERYWHERE or circuit in after:
                targets.append((circuit, "put"))
            elif before is EVERYWHERE or circuit in before:
                targets.append((circuit, "retract"))
        return tuple(targets)

    def _present(self, row: Resolved, homes: Homes | None) -> Homes | None:
        """The homes of a row that comes or changes, which must be there. Other tenants' names are nobody's business."""
        if homes is not EVERYWHERE:
            for circuit in homes:
                if circuit not in self._circuits:
                    raise ChangeRejected(
                        f"row {shown(row.id)} of {row.table!r} belongs to circuit {circuit!r}, which does not exist",
                        hint="create it first, or correct the row",
                    )
        return homes
