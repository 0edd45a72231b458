"""Interests at work: what the strategy is told as views come, change and go, and what circuits are brought for it.

Owns the order of both, so that no row is missed and none stays that nobody wants: new interests are told before their
rows are walked; what older ones alone wanted is taken back while they still route; then they settle. A table that the
strategy does not select from is wanted whole, whatever the interests say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import attrs

from sspcore.abc import ALL, Everything, Interest, Interests, Move, Resolved
from sspcore.algebra.values import Value
from sspcore.ingress.addresses import nowhere
from sspcore.ingress.base_tables import BaseTables
from sspcore.ingress.lane import Lane, Registration, Telling
from sspcore.ingress.walk import Errand, Walk
from sspcore.routing.guard import Guard


@attrs.frozen(eq=False)
class Promise:
    """A view is about to have other parameters; its older interests do not settle before it has, or could not."""

    registration: Registration
    params: Mapping[str, Value]
    walks: list[Walk]
    telling: Telling


class Working:
    """The interests of all views.

    Args: `router`, told of them; `base`, whose rows are walked; `lanes`, circuit → lane, owned by the caller.
    """

    def __init__(self, router: Guard, base: BaseTables, lanes: Mapping[str, Lane]) -> None:
        self.router = router
        self.base = base
        self.lanes = lanes
        self._sought: dict[tuple[str, int], Everything | Interest] = {}
        """(table, column) → a region that moved; what moves once by a column does so again."""

    # Views

    def come(self, lane: Lane, registration: Registration) -> list[Walk]:
        """A view is there: its interests are told. Gives the walks that bring its rows."""
        telling = lane.told.get(registration.view)
        if telling is None:
            lane.told[registration.view] = Telling(registration.interests)
            self.router.view_added(lane.name, registration.view, registration.interests)
        else:  # what it wanted under the same name, before, is still being taken back
            self._tell(lane, registration.view, telling, registration.interests)
        registration.busy = True
        return self._wish(lane, registration.interests)

    def revive(self, lane: Lane, registration: Registration) -> list[Walk]:
        """A view that failed is wanted again; its interests never went. The walks that were not over."""
        registration.busy = True
        wishes = self._wishes(registration.interests)
        return [walk for wish in wishes if (walk := lane.fill(*wish, self.base)) is not None]

    def go(self, lane: Lane, registration: Registration) -> None:
        """A view is gone from its lane: what it alone wanted is taken back, then its interests settle."""
        view, telling = registration.view, lane.told[registration.view]
        sweeps = self._give_up(lane, registration.interests) + self._give_up(lane, registration.coming or {})
        if sweeps or telling.unsettled:
            self._tell(lane, view, telling, {})
            self._settle_behind(lane, view, telling, sweeps)
        else:
            del lane.told[view]
            self.router.view_removed(lane.name, view)

    def installed(self, lane: Lane, registration: Registration) -> None:
        """The circuit has the view: from now on its interests follow its tables."""
        registration.busy = False
        self.changed(lane, registration)

    def changed(self, lane: Lane, registration: Registration) -> None:
        """The plan of a view is another one, for its tables are."""
        self._derive(lane, registration)

    def promise(self, lane: Lane, registration: Registration, params: Mapping[str, Value]) -> Promise:
        """A view is about to have these parameters, all of them: what it needs then is routed and walked as well."""
        coming = self.base.needs(registration.template).bound(params)
        telling = lane.told[registration.view]
        registration.coming, registration.busy = coming, True
        self._tell(lane, registration.view, telling, coming)
        telling.unsettled += 1
        lane.unsettled += 1
        return Promise(registration, params, self._wish(lane, coming), telling)

    def moved(self, lane: Lane, promise: Promise, kept: bool) -> None:
        """The circuit has moved the view's parameters as promised, or could not: the other interests go."""
        if self.lanes.get(lane.name) is not lane:
            return  # destroyed: it applies what it has queued, and that is all
        registration, telling = promise.registration, promise.telling
        view, coming = registration.view, registration.coming
        if lane.views.get(view) is registration and coming is not None:
            gone = registration.interests if kept else coming
            if kept:
                registration.interests = coming
            else:
                self._tell(lane, view, telling, registration.interests)
            registration.coming, registration.busy = None, False
            self._settle_behind(lane, view, telling, self._give_up(lane, gone))
            self._derive(lane, registration)
        self._settled(lane, view, telling)

    # Another strategy

    def introduce(self, router: Guard) -> None:
        """Tell another strategy all there is, as it is once nothing is under way but promises."""
        for (table, _), region in self._sought.items():
            self.base.regions.forgotten(table, region)
        self._sought = {}
        for lane in self.lanes.values():
            router.circuit_added(lane.name)
            for view, registration in lane.views.items():
                router.view_added(lane.name, view, registration.interests)
                if registration.coming is not None:
                    router.view_changed(lane.name, view, registration.interests, registration.coming)
        if router.watching:
            rows: list[Resolved] = []
            for name, held in self.base.tables.items():
                find = self.base.addresses.finder(name) if router.addressed(name) else nowhere
                rows += [Resolved(name, key, None, row, held.names, find(key)) for key, row in held.rows.items()]
            for move in router.admitted(rows):
                if move.lost is not None:
                    router.settled(move.circuit, move.table)

    def differs(self, lane: Lane, router: Guard) -> bool:
        """Whether a circuit may hold other rows under another strategy, or is about to by what is under way."""
        if lane.unsettled or lane.occupied or self.router.partition or router.partition:
            return True
        return any(self.router.selects(table) != router.selects(table) for table in lane.needed())

    def rewish(self, lane: Lane) -> None:
        """What a circuit that is behind will be derived with, under the strategy there is now."""
        told = [t for view in lane.views.values() for t in (view.interests, view.coming) if t is not None]
        lane.wish_anew([wish for interests in told for wish in self._wishes(interests)], self.base)

    # Tables

    def admitted(self, widened: Iterable[str], rows: Sequence[Resolved]) -> None:
        """A batch is in: views on tables that are wider now may need less, and placement may have changed."""
        tables = frozenset(widened)
        if tables:
            for lane in self.lanes.values():
                for registration in lane.views.values():
                    if tables & registration.tables:
                        self._derive(lane, registration)
        for move in self.router.admitted(rows):
            self._place(move)

    def _derive(self, lane: Lane, registration: Registration) -> None:
        """Bring a view's interests up to date with the columns of its tables, unless it is on its way: then later."""
        if registration.busy or lane.views.get(registration.view) is not registration:
            return
        if self.lanes.get(lane.name) is not lane:
            return
        before = registration.interests
        after = self.base.needs(registration.template).bound(registration.params)
        if after == before:
            return
        registration.interests = after
        telling = lane.told[registration.view]
        self._tell(lane, registration.view, telling, after)
        walks = self._wish(lane, after) + self._give_up(lane, before)
        self._settle_behind(lane, registration.view, telling, walks)

    def _place(self, move: Move) -> None:
        """Rows move between circuits that go on: some are brought, some taken back."""
        circuit, table, gained, lost = move
        lane = self.lanes.get(circuit)
        walks = []
        if lane is not None and lane.running and table in lane.needed():
            for region, takes in ((gained, False), (lost, True)):
                if region is not None:
                    self._seek(table, region)
                    walks.append(lane.over(table, region, self.base, takes))
        if lane is None:
            self.router.settled(circuit, table)
            return
        lane.unsettled += 1
        lane.leaving[table] = lane.leaving.get(table, 0) + 1
        lane.begin(Errand(walks, partial(self._placed, lane, table)), self.base)

    def _seek(self, table: str, region: Everything | Interest) -> None:
        """Have an index of the columns that tell what moves: the first walk fills it, the next ones cost less."""
        width = len(self.base.tables[table].names)
        for column in getattr(region, "keys", ()):
            if column < width and (table, column) not in self._sought:
                self._sought[table, column] = region
                self.base.regions.noted(table, region)

    def _placed(self, lane: Lane, table: str) -> None:
        lane.unsettled -= 1
        lane.leaving[table] -= 1
        if not lane.leaving[table]:
            del lane.leaving[table]
            if self.lanes.get(lane.name) is lane:
                self.router.settled(lane.name, table)

    # Both

    def _wishes(self, interests: Interests) -> list[tuple[str, Everything | Interest]]:
        selects = self.router.selects
        return [(table, interest if selects(table) else ALL) for table, interest in interests.items()]

    def _wish(self, lane: Lane, interests: Interests) -> list[Walk]:
        return [w for wish in self._wishes(interests) if (w := lane.wish(*wish, self.base)) is not None]

    def _give_up(self, lane: Lane, interests: Interests) -> list[Walk]:
        return [w for wish in self._wishes(interests) if (w := lane.give_up(*wish, self.base)) is not None]

    def _tell(self, lane: Lane, view: str, telling: Telling, interests: Interests) -> None:
        self.router.view_changed(lane.name, view, telling.interests, interests)
        telling.interests = interests

    def _settle_behind(self, lane: Lane, view: str, telling: Telling, walks: list[Walk]) -> None:
        """Let only the newest interests of a view route once these walks are over, and all others under way."""
        telling.unsettled += 1
        lane.unsettled += 1
        lane.begin(Errand(walks, partial(self._settled, lane, view, telling)), self.base)

    def _settled(self, lane: Lane, view: str, telling: Telling) -> None:
        telling.unsettled -= 1
        lane.unsettled -= 1
        if telling.unsettled or lane.told.get(view) is not telling:
            return
        self.router.view_settled(lane.name, view)
        if view not in lane.views:
            del lane.told[view]
            self.router.view_removed(lane.name, view)
