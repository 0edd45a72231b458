"""What the strategy was told: the interests of every view, those that route on until they have settled among them.

Owns their numbers, by which the rows of the table `interests` and the indexes name them. Refuses to route.
"""

from __future__ import annotations

from itertools import count
from typing import Any, Final

import attrs

from sspcore.abc import ALL, Everything, Interest, Interests

Entries = dict[tuple[str, Any], tuple[Any, ...] | None]
"""(table, id) → row, or None where it goes: one commit of the strategy's own tables."""

ACTIVE: Final = "active"
RETIRING: Final = "retiring"


@attrs.define
class _Of:
    """The interests of one view: table → number of those told last, and the numbers of those that retire."""

    active: dict[str, int] = attrs.field(factory=dict)
    retiring: list[int] = attrs.field(factory=list)


class Told:
    """The views of all circuits and what they are interested in, and what follows for the tables that show it.

    >>> told = Told()
    >>> told.view_added("ops", "late", {"flights": ALL})
    {('views', ('ops', 'late')): ('ops', 'late'), ('interests', 0): (0, 'ops', 'late', 'flights', None, 'active')}
    >>> told.view_changed("ops", "late", {"flights": ALL}, {})
    {('interests', 0): (0, 'ops', 'late', 'flights', None, 'retiring')}
    >>> told.view_settled("ops", "late")
    {('interests', 0): None}
    """

    def __init__(self) -> None:
        self.interests: dict[int, Everything | Interest] = {}
        """Number → interest; kept until `forget`, for whoever hears of its end needs it."""
        self._views: dict[tuple[str, str], _Of] = {}
        self._numbers = count()

    def forget(self, entries: Entries) -> None:
        """The interests that these entries took away are needed no more."""
        for (table, number), row in entries.items():
            if table == "interests" and row is None:
                self.interests.pop(number, None)

    def circuit_removed(self, circuit: str) -> Entries:
        """All its views go."""
        entries: Entries = {("circuits", circuit): None}
        for owner, view in list(self._views):
            if owner == circuit:
                entries |= self.view_removed(owner, view)
        return entries

    def view_added(self, circuit: str, view: str, interests: Interests) -> Entries:
        """A view, in place of one of the same name."""
        entries = self.view_removed(circuit, view)
        of = self._views[circuit, view] = _Of()
        entries["views", (circuit, view)] = (circuit, view)
        for table, interest in interests.items():
            self._activate(entries, circuit, view, of, table, interest)
        return entries

    def view_changed(self, circuit: str, view: str, old: Interests, new: Interests) -> Entries:
        """What was told last retires, but for what is among the new."""
        entries: Entries = {}
        of = self._views.get((circuit, view))
        if of is None:
            entries = self.view_added(circuit, view, old)
            of = self._views[circuit, view]
        for table, number in list(of.active.items()):
            if table not in new or not _alike(self.interests[number], new[table]):
                del of.active[table]
                of.retiring.append(number)
                entries["interests", number] = self._row(number, circuit, view, table, RETIRING)
        for table, interest in new.items():
            if table not in of.active:
                self._activate(entries, circuit, view, of, table, interest)
        return entries

    def view_settled(self, circuit: str, view: str) -> Entries:
        """Those that retire are gone."""
        of = self._views.get((circuit, view), _Of())
        entries: Entries = {("interests", number): None for number in of.retiring}
        of.retiring.clear()
        return entries

    def view_removed(self, circuit: str, view: str) -> Entries:
        """The view and all its interests are gone."""
        of = self._views.pop((circuit, view), None)
        if of is None:
            return {}
        entries: Entries = {("interests", number): None for number in (*of.active.values(), *of.retiring)}
        entries["views", (circuit, view)] = None
        return entries

    def _activate(
        self, entries: Entries, circuit: str, view: str, of: _Of, table: str, interest: Everything | Interest
    ) -> None:
        number = of.active[table] = next(self._numbers)
        self.interests[number] = interest
        entries["interests", number] = self._row(number, circuit, view, table, ACTIVE)

    def _row(self, number: int, circuit: str, view: str, table: str, state: str) -> tuple[Any, ...]:
        interest = self.interests[number]
        return number, circuit, view, table, None if interest is ALL else str(interest), state


def _alike(a: Everything | Interest, b: Everything | Interest) -> bool:
    return a is b or (a is not ALL and b is not ALL and a == b)
