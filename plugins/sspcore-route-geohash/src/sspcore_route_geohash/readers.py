"""Who reads what: the circuits with a view on a table, as views come, change and go.

Owns the bookkeeping any strategy needs that asks "who reads this table?". Knows nothing of rows.
"""

from __future__ import annotations

from collections.abc import Collection


class Readers:
    """The circuits there are, and which of them have views on a table. Cost of a question: one lookup."""

    def __init__(self) -> None:
        self.circuits: set[str] = set()
        self._told: dict[str, dict[str, list[Collection[str]]]] = {}
        """circuit → view → the tables it reads; several times while its interests change."""
        self._views: dict[str, dict[str, int]] = {}
        """table → circuit → how many of these read it."""

    def of(self, table: str) -> Collection[str]:
        """The circuits with a view on a table."""
        return self._views.get(table, ())

    def circuit_added(self, circuit: str) -> None:
        """A circuit without views."""
        self.circuits.add(circuit)

    def circuit_removed(self, circuit: str) -> None:
        """A circuit is gone, with its views."""
        self.circuits.discard(circuit)
        for view in list(self._told.get(circuit, ())):
            self.view_removed(circuit, view)
        self._told.pop(circuit, None)

    def view_added(self, circuit: str, view: str, tables: Collection[str]) -> None:
        """A view reads these tables."""
        self.view_removed(circuit, view)
        self._told.setdefault(circuit, {})[view] = []
        self.view_changed(circuit, view, tables)

    def view_changed(self, circuit: str, view: str, tables: Collection[str]) -> None:
        """A view reads these tables too, until it settles on them alone."""
        self._told[circuit][view].append(tuple(tables))
        for table in tables:
            circuits = self._views.setdefault(table, {})
            circuits[circuit] = circuits.get(circuit, 0) + 1

    def view_settled(self, circuit: str, view: str) -> None:
        """Only what was told last counts."""
        told = self._told[circuit][view]
        while len(told) > 1:
            self._forget(circuit, told.pop(0))

    def view_removed(self, circuit: str, view: str) -> None:
        """A view is gone."""
        for tables in self._told.get(circuit, {}).pop(view, ()):
            self._forget(circuit, tables)

    def _forget(self, circuit: str, tables: Collection[str]) -> None:
        for table in tables:
            circuits = self._views[table]
            circuits[circuit] -= 1
            if not circuits[circuit]:
                del circuits[circuit]
                if not circuits:
                    del self._views[table]
