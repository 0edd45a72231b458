"""The ledger: which circuits are interested in which rows, from what was told of circuits and views.

Owns what every strategy that goes by interests must keep in mind: all interests of a view count until it has settled,
and the same interest of several views of a circuit is one. Refuses to be fast: `targets` asks them one by one, so that
there is something plain to fall back on and to compare with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sspcore.abc import Everything, Interest, Interests, Reason, Resolved, Target
from sspcore.engine.table import Row

Filing = Callable[[str, str, Everything | Interest], None]
"""Told of (table, circuit, interest) when the first view of a circuit has an interest, or the last one lost it."""


class Ledger:
    """Table → circuit → interest → the views that have it.

    Args: `filed` and `unfiled`, told of every interest of a circuit that comes and goes.

    >>> from sspcore.abc import ALL
    >>> ledger = Ledger()
    >>> ledger.circuit_added("ops")
    >>> ledger.view_added("ops", "late", {"flights": ALL})
    >>> ledger.targets(Resolved("flights", 1, (1,), None))
    (('ops', 'retract'),)
    """

    def __init__(self, filed: Filing | None = None, unfiled: Filing | None = None) -> None:
        self._circuits: dict[str, dict[str, set[tuple[str, Everything | Interest]]]] = {}
        """Circuit → view → every (table, interest) of it that counts."""
        self._newest: dict[tuple[str, str], Interests] = {}
        self._tables: dict[str, dict[str, dict[Everything | Interest, set[str]]]] = {}
        self._filed = filed or _nobody
        self._unfiled = unfiled or _nobody

    @property
    def circuits(self) -> Iterable[str]:
        """The circuits there are."""
        return self._circuits.keys()

    def readers(self, table: str) -> Mapping[str, Mapping[Everything | Interest, set[str]]]:
        """The circuits with an interest in a table: which, and of which views."""
        return self._tables.get(table, {})

    def circuit_added(self, circuit: str) -> None:
        """A circuit without views."""
        self._circuits.setdefault(circuit, {})

    def circuit_removed(self, circuit: str) -> None:
        """All its views go."""
        for view in list(self._circuits.get(circuit, ())):
            self.view_removed(circuit, view)
        self._circuits.pop(circuit, None)

    def view_added(self, circuit: str, view: str, interests: Interests) -> None:
        """Its interests count, and no others."""
        self.view_removed(circuit, view)
        self._newest[circuit, view] = interests
        self._file(circuit, view, interests)

    def view_changed(self, circuit: str, view: str, old: Interests, new: Interests) -> None:
        """The new ones count as well as all before."""
        if (circuit, view) not in self._newest:
            self._file(circuit, view, old)
        self._newest[circuit, view] = new
        self._file(circuit, view, new)

    def view_settled(self, circuit: str, view: str) -> None:
        """Only the newest count."""
        held = self._circuits.get(circuit, {}).get(view)
        if held is not None:
            self._unfile(circuit, view, held - set(self._newest.get((circuit, view), {}).items()))

    def view_removed(self, circuit: str, view: str) -> None:
        """None of its interests count."""
        self._newest.pop((circuit, view), None)
        held = self._circuits.get(circuit, {}).get(view)
        if held is not None:
            self._unfile(circuit, view, set(held))

    def targets(self, row: Resolved) -> tuple[Target, ...]:
        """Exactly the circuits concerned: put for the new image, retract for the old. Cost: O(interests)."""
        targets: list[Target] = []
        for circuit, interests in self.readers(row.table).items():
            if row.new is not None and any(meets(each, row.new) for each in interests):
                targets.append((circuit, "put"))
            elif row.old is not None and any(meets(each, row.old) for each in interests):
                targets.append((circuit, "retract"))
        return tuple(targets)

    def reasons(self, row: Resolved) -> Sequence[Reason]:
        """For each circuit whose interest met the row, before and after, or why none did."""
        return [self._reason(circuit, row) for circuit in self._circuits]

    def _reason(self, circuit: str, row: Resolved) -> Reason:
        interests = self.readers(row.table).get(circuit)
        if interests is None:
            return Reason(circuit, False, f"no view of it reads {row.table}")
        after = _meeting(interests, row.new)
        if after:
            return Reason(circuit, True, f"the row meets {after}")
        before = _meeting(interests, row.old)
        if before:
            left = "the row is gone" if row.new is None else "the new one does not"
            return Reason(circuit, True, f"the old image meets {before}, {left}: retract")
        return Reason(circuit, False, f"the row meets none of its interests in {row.table}: {_all(interests)}")

    def _file(self, circuit: str, view: str, interests: Interests) -> None:
        held = self._circuits.setdefault(circuit, {}).setdefault(view, set())
        for table, interest in interests.items():
            held.add((table, interest))
            of_circuit = self._tables.setdefault(table, {}).setdefault(circuit, {})
            if interest not in of_circuit:
                of_circuit[interest] = set()
                self._filed(table, circuit, interest)
            of_circuit[interest].add(view)

    def _unfile(self, circuit: str, view: str, gone: set[tuple[str, Everything | Interest]]) -> None:
        held = self._circuits[circuit][view]
        held -= gone
        for table, interest in gone:
            of_table = self._tables[table]
            of_circuit = of_table[circuit]
            of_circuit[interest].discard(view)
            if not of_circuit[interest]:
                del of_circuit[interest]
                self._unfiled(table, circuit, interest)
                if not of_circuit:
                    del of_table[circuit]
                    if not of_table:
                        del self._tables[table]
        if not held and (circuit, view) not in self._newest:
            del self._circuits[circuit][view]


def meets(interest: Everything | Interest, row: Row) -> bool:
    """Whether a row is among those of an interest."""
    return isinstance(interest, Everything) or interest.matches(row)


MOST = 3
"""Interests told in a reason; of more, how many there are."""


def _meeting(interests: Mapping[Everything | Interest, set[str]], row: Row | None) -> str:
    """The interests a row meets, with their views; empty for none."""
    if row is None:
        return ""
    return _all({interest: views for interest, views in interests.items() if meets(interest, row)})


def _all(interests: Mapping[Everything | Interest, set[str]]) -> str:
    told = [f"{interest} of {', '.join(sorted(views)[:MOST])}" for interest, views in list(interests.items())[:MOST]]
    more = len(interests) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")


def _nobody(table: str, circuit: str, interest: Everything | Interest) -> None:
    """Nobody wants to know."""
