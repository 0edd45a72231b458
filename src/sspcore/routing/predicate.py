"""Predicate: a change goes to the circuits with a view that some row of it, before or after, can concern.

Owns, per table, an index of the interests of all circuits. Circuits hold only the rows their views need; whoever runs
them fills in and takes back the rest, and tells when that is done (`Selective`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sspcore.abc import Everything, Interest, Interests, Reason, Resolved, Routing, Target
from sspcore.engine.table import Row
from sspcore.index.moves import LEFT
from sspcore.index.predicate_index import PredicateIndex
from sspcore.index.statistics import IndexStatistics
from sspcore.routing.ledger import Ledger

Targets = tuple[Target, ...]

_REMEMBERED: Final = 10_000
"""Combinations of postings whose targets are kept for the next row that meets them."""


class Predicate:
    """Rows to whom they concern. Cost: a look into an index a row, about the same for any number of views.

    # Guarantees
    - Exact, also where the index cannot tell: then every interest is asked by itself.
    - Rows that meet the same interests get the same tuple of targets.

    >>> from sspcore.plan.expressions import Call, Column, Constant
    >>> from sspcore.routing.interest import Region
    >>> predicate = Predicate()
    >>> predicate.circuit_added("acme")
    >>> predicate.view_added("acme", "mine", {"orders": Region(Call("=", (Column(1), Constant("acme"))))})
    >>> list(predicate.route([Resolved("orders", 1, (1, "acme"), (1, "duff")), Resolved("orders", 2, None, (2, "x"))]))
    [(('acme', 'retract'),), ()]
    """

    def __init__(self) -> None:
        self._ledger = Ledger(self._file, self._unfile)
        self._tables: dict[str, _Postings] = {}

    def selects(self, table: str) -> bool:
        """Every table."""
        return True

    def circuit_added(self, circuit: str) -> None:
        """Nothing is routed there before it has a view."""
        self._ledger.circuit_added(circuit)

    def circuit_removed(self, circuit: str) -> None:
        """Its interests leave the index."""
        self._ledger.circuit_removed(circuit)

    def view_added(self, circuit: str, view: str, interests: Interests) -> None:
        """File its interests, unless another view of the circuit has the same."""
        self._ledger.view_added(circuit, view, interests)

    def view_changed(self, circuit: str, view: str, old: Interests, new: Interests) -> None:
        """File the new interests beside the old."""
        self._ledger.view_changed(circuit, view, old, new)

    def view_settled(self, circuit: str, view: str) -> None:
        """The old interests leave the index."""
        self._ledger.view_settled(circuit, view)

    def view_removed(self, circuit: str, view: str) -> None:
        """Its interests leave the index."""
        self._ledger.view_removed(circuit, view)

    def route(self, rows: Sequence[Resolved]) -> Routing:
        """One look into the index a row, at both of its images at once."""
        tables = self._tables
        routing: list[Targets] = []
        for row in rows:
            postings = tables.get(row[0])
            if postings is None:
                routing.append(())
                continue
            try:
                routing.append(postings.targets(row[2], row[3]))
            except Exception:  # noqa: BLE001 - the index cannot tell: ask everyone
                routing.append(self._ledger.targets(row))
        return routing

    def explain(self, row: Resolved) -> Sequence[Reason]:
        """Which interest of which view the row meets, or why none."""
        return self._ledger.reasons(row)

    def statistics(self) -> Mapping[str, IndexStatistics]:
        """Table → what its index holds, and how it is looked through. Cost: O(interests)."""
        return {table: postings.index.statistics() for table, postings in self._tables.items()}

    def _file(self, table: str, circuit: str, interest: Everything | Interest) -> None:
        postings = self._tables.get(table)
        if postings is None:
            postings = self._tables[table] = _Postings()
        postings.add(circuit, interest)

    def _unfile(self, table: str, circuit: str, interest: Everything | Interest) -> None:
        postings = self._tables[table]
        postings.remove(circuit, interest)
        if not postings:
            del self._tables[table]


class _Posting:
    """One interest of one circuit, and the targets of a row that meets it alone."""

    __slots__ = ("circuit", "puts", "retracts")

    def __init__(self, circuit: str) -> None:
        self.circuit = circuit
        self.puts: Targets = ((circuit, "put"),)
        self.retracts: Targets = ((circuit, "retract"),)


class _Postings:
    """One table: who wants every row, and an index of who wants some."""

    __slots__ = ("_filed", "_puts", "_retracts", "_some", "_ways", "_whole", "index")

    def __init__(self) -> None:
        self.index = PredicateIndex(on_error=_raise)
        self._filed: dict[tuple[str, Interest], _Posting] = {}
        self._some = False
        self._whole: dict[str, None] = {}
        self._puts: Targets = ()
        self._retracts: Targets = ()
        self._ways: dict[Any, Targets] = {}

    def __len__(self) -> int:
        return len(self._filed) + len(self._whole)

    def add(self, circuit: str, interest: Everything | Interest) -> None:
        if isinstance(interest, Everything):
            self._whole[circuit] = None
        else:
            posting = self._filed[circuit, interest] = _Posting(circuit)
            self.index.add(posting, interest.condition)
        self._changed()

    def remove(self, circuit: str, interest: Everything | Interest) -> None:
        if isinstance(interest, Everything):
            del self._whole[circuit]
        else:
            self.index.remove(self._filed.pop((circuit, interest)))
        self._changed()

    def _changed(self) -> None:
        self._some = bool(self._filed)
        self._ways.clear()
        if len(self._puts) != len(self._whole):
            self._puts = tuple([(circuit, "put") for circuit in self._whole])
            self._retracts = tuple([(circuit, "retract") for circuit in self._whole])

    def targets(self, old: Row | None, new: Row | None) -> Targets:
        """Put where an interest meets the new image, retract where one meets the old image only."""
        if old is not None and new is not None:
            return self._of_both(old, new)
        if new is not None:
            found = self.index.route(new) if self._some else ()
            if not found:
                return self._puts
            if len(found) == 1 and not self._whole:
                alone: _Posting = found[0]
                return alone.puts
        else:
            assert old is not None, "a row that was not, and is not"
            found = self.index.route(old) if self._some else ()
            if not found:
                return self._retracts
            if len(found) == 1 and not self._whole:
                alone = found[0]
                return alone.retracts
        way = new is None, *found
        targets = self._ways.get(way)
        if targets is None:
            circuits = dict.fromkeys([*self._whole, *[posting.circuit for posting in found]])
            targets = self._remember(way, tuple([(c, "retract" if new is None else "put") for c in circuits]))
        return targets

    def _of_both(self, old: Row, new: Row) -> Targets:
        found: dict[_Posting, str] = self.index.route2(old, new) if self._some else {}
        if not found:
            return self._puts
        if len(found) == 1 and not self._whole:
            for posting, moved in found.items():
                return posting.retracts if moved == LEFT else posting.puts
        way = tuple(found.items())
        targets = self._ways.get(way)
        if targets is None:
            puts = dict.fromkeys([*self._whole, *[posting.circuit for posting, moved in way if moved != LEFT]])
            left = dict.fromkeys([p.circuit for p, moved in way if moved == LEFT and p.circuit not in puts])
            targets = self._remember(way, (*[(c, "put") for c in puts], *[(c, "retract") for c in left]))
        return targets

    def _remember(self, way: Any, targets: Any) -> Targets:
        if len(self._ways) >= _REMEMBERED:
            self._ways.clear()
        self._ways[way] = targets
        return targets  # type: ignore[no-any-return]


def _raise(error: Exception) -> None:
    """The index would answer with everyone, which is more than those concerned."""
    raise error
