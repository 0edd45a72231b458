"""Broadcast: every change goes to every circuit.

The simplest strategy that is right, and what the others are measured against.
"""

from __future__ import annotations

from collections.abc import Sequence

from sspcore.abc import Interests, Reason, Resolved, Routing, Target


class Broadcast:
    """Every change to every circuit. Cost: one delivery per circuit and row.

    >>> broadcast = Broadcast()
    >>> broadcast.circuit_added("ops")
    >>> list(broadcast.route([Resolved("flights", "AA1", ("AA1",), None)]))
    [(('ops', 'retract'),)]
    """

    def __init__(self) -> None:
        self._puts: tuple[Target, ...] = ()
        self._retracts: tuple[Target, ...] = ()

    def circuit_added(self, circuit: str) -> None:
        """Route everything there too."""
        self.circuit_removed(circuit)
        self._puts += ((circuit, "put"),)
        self._retracts += ((circuit, "retract"),)

    def circuit_removed(self, circuit: str) -> None:
        """Route nothing there any more."""
        self._puts = tuple([target for target in self._puts if target[0] != circuit])
        self._retracts = tuple([target for target in self._retracts if target[0] != circuit])

    def view_added(self, circuit: str, view: str, interests: Interests) -> None:
        """Nothing to note: every circuit gets every row."""

    def view_changed(self, circuit: str, view: str, old: Interests, new: Interests) -> None:
        """Nothing to note."""

    def view_settled(self, circuit: str, view: str) -> None:
        """Nothing to note."""

    def view_removed(self, circuit: str, view: str) -> None:
        """Nothing to note."""

    def route(self, rows: Sequence[Resolved]) -> Routing:
        """All circuits for every row."""
        puts, retracts = self._puts, self._retracts
        return [retracts if row[3] is None else puts for row in rows]

    def explain(self, row: Resolved) -> Sequence[Reason]:
        """All circuits, for the one reason there is."""
        return [Reason(circuit, True, "every circuit gets every change") for circuit, _ in self._puts]
