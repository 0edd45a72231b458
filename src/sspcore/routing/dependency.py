"""Dependency: a change goes to the circuits with a view that reads its table.

Owns the targets of each table. Rows no view reads stay in the runtime's base tables.
"""

from __future__ import annotations

from collections.abc import Sequence

from sspcore.abc import Reason, Resolved, Routing, Target
from sspcore.routing.readers import Readers


class Dependency(Readers):
    """Table → circuits with a view on it. Cost: one lookup a row; O(circuits of the table) when a view comes or goes.

    >>> from sspcore.abc import ALL
    >>> dependency = Dependency()
    >>> dependency.circuit_added("ops")
    >>> dependency.view_added("ops", "late", {"flights": ALL})
    >>> list(dependency.route([Resolved("flights", 1, None, (1,)), Resolved("weather", 1, None, (1,))]))
    [(('ops', 'put'),), ()]
    """

    def __init__(self) -> None:
        super().__init__()
        self._puts: dict[str, tuple[Target, ...]] = {}
        self._retracts: dict[str, tuple[Target, ...]] = {}

    def route(self, rows: Sequence[Resolved]) -> Routing:
        """One lookup a row. The interest is the whole table, so a row is put whenever it has a new image."""
        puts, retracts = self._puts, self._retracts
        return [(retracts if row[3] is None else puts).get(row[0], ()) for row in rows]

    def explain(self, row: Resolved) -> Sequence[Reason]:
        """Names the views that read the table."""
        readers = self.readers(row.table)
        return [
            Reason(circuit, True, f"read by {', '.join(sorted(readers[circuit]))}") if circuit in readers
            else Reason(circuit, False, f"no view of it reads {row.table}")
            for circuit in self.circuits
        ]  # fmt: skip

    def changed(self, table: str) -> None:
        """The targets of its rows, made once for all of them."""
        readers = self.readers(table)
        if readers:
            self._puts[table] = tuple([(circuit, "put") for circuit in readers])
            self._retracts[table] = tuple([(circuit, "retract") for circuit in readers])
        else:
            del self._puts[table], self._retracts[table]
