"""Dependency: a change goes to the circuits with a view that reads its table.

Owns table → circuits, kept as views come and go. Rows no view reads stay in the runtime's base tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sspcore.abc import Interests, Reason, Resolved, Routing, Target


class Dependency:
    """Table → circuits with a view on it. Cost: one lookup a row; O(circuits of the table) when a view comes or goes.

    >>> from sspcore.abc import ALL
    >>> dependency = Dependency()
    >>> dependency.circuit_added("ops")
    >>> dependency.view_added("ops", "late", {"flights": ALL})
    >>> list(dependency.route([Resolved("flights", 1, None, (1,)), Resolved("weather", 1, None, (1,))]))
    [(('ops', 'put'),), ()]
    """

    def __init__(self) -> None:
        self._circuits: list[str] = []
        self._tables: dict[tuple[str, str], set[str]] = {}
        """(circuit, view) → the tables routed for it."""
        self._settling: dict[tuple[str, str], set[str]] = {}
        """(circuit, view) → the tables that stay once a change of interests has settled."""
        self._readers: dict[str, dict[str, set[str]]] = {}
        """Table → circuit → its views on the table: two levels, so that the last view to go takes the route along."""
        self._puts: dict[str, tuple[Target, ...]] = {}
        self._retracts: dict[str, tuple[Target, ...]] = {}

    def circuit_added(self, circuit: str) -> None:
        """Nothing is routed there before it has a view."""
        if circuit not in self._circuits:
            self._circuits.append(circuit)

    def circuit_removed(self, circuit: str) -> None:
        """All its views go."""
        for owner, view in list(self._tables):
            if owner == circuit:
                self.view_removed(owner, view)
        if circuit in self._circuits:
            self._circuits.remove(circuit)

    def view_added(self, circuit: str, view: str, interests: Interests) -> None:
        """Route the tables of the view to its circuit."""
        self.view_removed(circuit, view)
        self._tables[circuit, view] = set(interests)
        self._read(circuit, view, interests)

    def view_changed(self, circuit: str, view: str, old: Interests, new: Interests) -> None:
        """Route old and new tables until `view_settled`."""
        self._settling[circuit, view] = set(new)
        self._tables.setdefault((circuit, view), set(old)).update(new)
        self._read(circuit, view, new)

    def view_settled(self, circuit: str, view: str) -> None:
        """Route the new tables only."""
        kept = self._settling.pop((circuit, view), None)
        if kept is not None:
            gone = self._tables[circuit, view] - kept
            self._tables[circuit, view] = kept
            self._unread(circuit, view, gone)

    def view_removed(self, circuit: str, view: str) -> None:
        """Give up its tables, where no other view of the circuit reads them."""
        self._settling.pop((circuit, view), None)
        self._unread(circuit, view, self._tables.pop((circuit, view), ()))

    def route(self, rows: Sequence[Resolved]) -> Routing:
        """One lookup a row. The interest is the whole table, so a row is put whenever it has a new image."""
        puts, retracts = self._puts, self._retracts
        return [(retracts if row[3] is None else puts).get(row[0], ()) for row in rows]

    def explain(self, row: Resolved) -> Sequence[Reason]:
        """Names the views that read the table."""
        readers = self._readers.get(row.table, {})
        return [
            Reason(circuit, True, f"read by {', '.join(sorted(readers[circuit]))}") if circuit in readers
            else Reason(circuit, False, f"no view of it reads {row.table}")
            for circuit in self._circuits
        ]  # fmt: skip

    def _read(self, circuit: str, view: str, tables: Iterable[str]) -> None:
        for table in tables:
            readers = self._readers.setdefault(table, {})
            if circuit in readers:
                readers[circuit].add(view)
            else:
                readers[circuit] = {view}
                self._compile(table)

    def _unread(self, circuit: str, view: str, tables: Iterable[str]) -> None:
        for table in tables:
            readers = self._readers[table]
            readers[circuit].discard(view)
            if not readers[circuit]:
                del readers[circuit]
                self._compile(table)

    def _compile(self, table: str) -> None:
        readers = self._readers.get(table)
        if readers:
            self._puts[table] = tuple([(circuit, "put") for circuit in readers])
            self._retracts[table] = tuple([(circuit, "retract") for circuit in readers])
        else:
            for held in (self._readers, self._puts, self._retracts):
                held.pop(table, None)
