"""Readers: which circuits have views on which table, from what a strategy is told of circuits and views.

Owns what every strategy that goes by tables must keep in mind: all tables of a view count until it has settled, and the
last view to go takes its circuit along. A public base for strategies. Refuses to route.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final

from sspcore.abc import Interests

_NOBODY: Final[Mapping[str, AbstractSet[str]]] = MappingProxyType({})


class Readers:
    """Who reads which table: the base of a strategy of your own, which is told of circuits and views, and asked.

    A strategy made of it adds `route` and `explain` (and what makes it of another kind, such as `holds`). Cost: of a
    question, one lookup; when a view comes or goes, its tables.

    >>> from sspcore.abc import ALL
    >>> readers = Readers()
    >>> readers.circuit_added("ops")
    >>> readers.view_added("ops", "late", {"flights": ALL})
    >>> readers.view_changed("ops", "late", {"flights": ALL}, {"weather": ALL})
    >>> list(readers.readers("flights")), list(readers.readers("weather"))
    (['ops'], ['ops'])
    >>> readers.view_settled("ops", "late")
    >>> list(readers.readers("flights")), list(readers.readers("weather"))
    ([], ['ops'])
    """

    def __init__(self) -> None:
        # names of its own: a strategy made of it may call its attributes as it likes
        self.__circuits: dict[str, None] = {}
        self.__tables: dict[tuple[str, str], set[str]] = {}
        """(circuit, view) → the tables it reads."""
        self.__settling: dict[tuple[str, str], set[str]] = {}
        """(circuit, view) → the tables that stay once a change of interests has settled."""
        self.__readers: dict[str, dict[str, set[str]]] = {}
        """Table → circuit → its views on the table: two levels, so that the last view to go takes the circuit along."""

    @property
    def circuits(self) -> Collection[str]:
        """The circuits there are, in the order they came."""
        return self.__circuits.keys()

    def readers(self, table: str) -> Mapping[str, AbstractSet[str]]:
        """The circuits with views on a table, in the order they came to it: circuit → these views."""
        return self.__readers.get(table, _NOBODY)

    def changed(self, table: str) -> None:
        """Called when other circuits read a table than before. Override it to forget the answers you remember."""

    def circuit_added(self, circuit: str) -> None:
        """A circuit without views."""
        self.__circuits.setdefault(circuit)

    def circuit_removed(self, circuit: str) -> None:
        """All its views go."""
        for owner, view in list(self.__tables):
            if owner == circuit:
                self.view_removed(owner, view)
        self.__circuits.pop(circuit, None)

    def view_added(self, circuit: str, view: str, interests: Interests) -> None:
        """Its circuit reads these tables."""
        self.view_removed(circuit, view)
        self.__tables[circuit, view] = set(interests)
        self.__read(circuit, view, interests)

    def view_changed(self, circuit: str, view: str, old: Interests, new: Interests) -> None:
        """Its circuit reads old and new tables until `view_settled`."""
        self.__settling[circuit, view] = set(new)
        self.__tables.setdefault((circuit, view), set(old)).update(new)
        self.__read(circuit, view, new)

    def view_settled(self, circuit: str, view: str) -> None:
        """Its circuit reads the new tables only."""
        kept = self.__settling.pop((circuit, view), None)
        if kept is not None:
            gone = self.__tables[circuit, view] - kept
            self.__tables[circuit, view] = kept
            self.__unread(circuit, view, gone)

    def view_removed(self, circuit: str, view: str) -> None:
        """Its circuit reads what its other views read."""
        self.__settling.pop((circuit, view), None)
        self.__unread(circuit, view, self.__tables.pop((circuit, view), ()))

    def __read(self, circuit: str, view: str, tables: Iterable[str]) -> None:
        for table in tables:
            readers = self.__readers.setdefault(table, {})
            if circuit in readers:
                readers[circuit].add(view)
            else:
                readers[circuit] = {view}
                self.changed(table)

    def __unread(self, circuit: str, view: str, tables: Iterable[str]) -> None:
        for table in tables:
            readers = self.__readers[table]
            readers[circuit].discard(view)
            if not readers[circuit]:
                del readers[circuit]
                if not readers:
                    del self.__readers[table]
                self.changed(table)
