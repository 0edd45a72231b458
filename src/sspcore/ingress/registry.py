"""The registry: which circuits there are and which views the runtime promises to keep in them.

Owns what a view's coming and going means for names, routing and tables, as one step each. Circuits are told through
their mailboxes; that a circuit really has a view is noted by who runs it (`Registration.live`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sspcore.abc import ALL
from sspcore.engine.options import CircuitOptions
from sspcore.engine.query import Bound, moved_params
from sspcore.engine.schema import Schema
from sspcore.engine.template import Understood
from sspcore.engine.update import Result
from sspcore.errors import AlreadyExists, NotCovered, UnknownCircuit, UnknownView, UsageError
from sspcore.ingress.base_tables import BaseTables
from sspcore.ingress.lane import Lane, Registration
from sspcore.ingress.needs import needs_of
from sspcore.ingress.walk import Walk
from sspcore.ingress.working import Promise, Working
from sspcore.plan.check import check
from sspcore.plan.expressions import NOW
from sspcore.plan.traverse import bind_plan
from sspcore.routing.guard import Guard


class Registry:
    """Circuits, their views, and the names taken.

    Args: `router`, told of everything that comes and goes; `options` of the base tables, which the registry makes.
    """

    def __init__(self, router: Guard, options: CircuitOptions) -> None:
        self.router = router
        self.lanes: dict[str, Lane] = {}
        self._names: dict[str, int] = {}
        self.base = BaseTables(options, self._names)
        self.base.addresses.follow(router.addressed, router.by_address)
        self.working = Working(router, self.base, self.lanes)

    def declare(self, schema: Schema) -> None:
        """Create a table. Raises AlreadyExists."""
        if schema.table in self._names:
            raise AlreadyExists(f"{schema.table!r} is a view", hint="views and tables share one namespace")
        self.base.declare(schema)

    def lane(self, circuit: str) -> Lane:
        """The lane of a circuit. Raises UnknownCircuit."""
        lane = self.lanes.get(circuit)
        if lane is None:
            raise UnknownCircuit(circuit, self.lanes)
        return lane

    def registration(self, circuit: str, view: str) -> Registration:
        """A view. Raises UnknownCircuit or UnknownView."""
        views = self.lane(circuit).views
        found = views.get(view)
        if found is None:
            raise UnknownView(view, views)
        return found

    def add_circuit(self, lane: Lane) -> None:
        """A circuit from now on. Raises AlreadyExists."""
        if not isinstance(lane.name, str) or not lane.name:
            raise UsageError(f"a circuit's name is text, not {lane.name!r}")
        if lane.name in self.lanes:
            raise AlreadyExists(f"circuit {lane.name!r} exists", hint="choose another name, or destroy it first")
        lane.share = self.router.share(lane.name)
        lane.read_in(self.base.library)
        self.lanes[lane.name] = lane
        self.router.circuit_added(lane.name)

    def remove_circuit(self, lane: Lane) -> None:
        """A circuit no more: nothing is routed to it from now on; its queue is the caller's to drain or discard."""
        del self.lanes[lane.name]
        for view in lane.told:
            self.router.view_removed(lane.name, view)
        lane.told = {}
        for view in lane.views:
            self._release_name(view)
        self.router.circuit_removed(lane.name)
        lane.unnote(self.base)
        self._forget_unread(lane.needed())

    def reroute(self, router: Guard) -> list[Lane]:
        """Have another strategy route, from now on. Gives the circuits that would hold other rows under it: they have
        fallen behind, in this step, and are to be derived anew.

        Raises PluginError where the strategy fails at being told what there is: then nothing happened.
        """
        self.working.introduce(router)
        if router.error is not None:
            raise router.error
        lanes = self.lanes.values()
        changed = [lane for lane in lanes if lane.running and self.working.differs(lane, router)]
        for lane in changed:
            lane.fall_behind(UsageError(f"rows are routed by {router.name!r} from now on"))
        self.router.become(router)
        self.base.addresses.follow(self.router.addressed, self.router.by_address)
        for lane in lanes:
            lane.share = self.router.share(lane.name)
            if not lane.running:
                self.working.rewish(lane)
        return changed

    def register(
        self, circuit: str, view: str, query: object, params: Mapping[str, Any] | None, *,
        format: str = "rows", named: bool = True, lazy: bool = False,
    ) -> tuple[Registration, list[Walk] | None]:  # fmt: skip
        """Promise a view: its changes are routed from now on.

        Gives the registration, and the walks that bring its rows, behind which the circuit may be asked to register it
        (`Lane.begin`); None for those when the view is there already.
        Raises SqlError, PlanError, AlreadyExists or UsageError (the caller's).
        """
        lane = self.lane(circuit)
        if not isinstance(view, str) or not view:
            raise UsageError(f"a view id is text, not {view!r}")
        if view in self.base.tables:
            raise AlreadyExists(f"{view!r} is a table", hint="views and tables share one namespace")
        understood = self.understand(lane, query, params)
        held = lane.views.get(view)
        if held is not None:
            if (held.format, held.lazy) != (format, lazy) or not held.means(query, understood.plan, understood.params):
                raise AlreadyExists(
                    f"view {view!r} exists with another query or other parameters",
                    hint="unregister it first, or choose another id",
                )
            if held.failed is None:
                return held, None
            held.failed = None  # registering again revives it
            return held, self.working.revive(lane, held)
        tables = understood.template.tables
        if view in tables:
            raise UsageError(f"view {view!r} would read a table of the same name", hint="choose another id")
        self.base.ensure(tables)
        registration = Registration(
            view, query, understood.plan if understood.inlines else query, understood.template, understood.plan,
            understood.params, tables, format=format,
            interests=self.base.needs(understood.template).bound(understood.params), named=named, lazy=lazy,
        )  # fmt: skip
        self._names[view] = self._names.get(view, 0) + 1
        lane.add_view(registration)
        return registration, self.working.come(lane, registration)

    def promise(self, lane: Lane, registration: Registration, params: Mapping[str, Any]) -> Promise:
        """Promise other parameters of a view: what it needs with them is routed from now on.

        Gives the promise, with the walks behind which the circuit may be asked to move them. What came of it must be
        told (`Working.moved`). Raises UsageError (the caller's): then nothing happened.
        """
        if lane.views.get(registration.view) is not registration:
            raise UnknownView(registration.view, lane.views)
        template = registration.template
        if NOW in params:
            raise UsageError(f"${NOW} is not given: the circuit tells the time")
        given = moved_params(registration.query, template.params - {NOW}, registration.params, params)
        if template.counts:
            check(bind_plan(template.plan, given))
        return self.working.promise(lane, registration, given)

    def understand(self, lane: Lane, query: object, params: Mapping[str, Any] | None) -> Understood:
        """What a query means among the views of a circuit; `$now` is the circuit's. Raises as `register` does."""
        understood = self._among_views(lane, query, params, None)
        given = {name: value for name, value in understood.params.items() if name != NOW}
        return understood._replace(params=given)

    def _among_views(
        self, lane: Lane, query: object, params: Mapping[str, Any] | None, now: datetime | None
    ) -> Understood:
        understood = self.base.understand(query, params, Bound(lane.views), now, lane.templates(self.base.forms))
        for name in sorted(self._names.keys() & understood.template.tables):  # one's own have been inlined
            homes = [circuit for circuit, other in self.lanes.items() if name in other.views]
            raise UsageError(
                f"{name!r} is a view of circuit {', '.join(homes)}, not of {lane.name!r}",
                hint="a query reads tables, and views of its own circuit",
            )
        return understood

    def query(self, lane: Lane, query: object, params: Mapping[str, Any] | None, now: datetime) -> Result:
        """Answer a one-off query over the base tables, where the views of a circuit may be named; `$now` is `now`."""
        return self.base.answer(self._among_views(lane, query, params, now))

    def require_covered(self, lane: Lane, query: object, params: Mapping[str, Any] | None) -> None:
        """Raises NotCovered when a circuit that runs does not hold the rows a query needs, or as `register` does."""
        understood = self.understand(lane, query, params)
        tables = dict(self.base.tables) | self.base.missing(understood.template.tables)
        for table, interest in needs_of(understood.template, tables).bound(understood.params).items():
            holding = lane.tables.get(table)
            wish = interest if self.router.selects(table) else ALL
            if table in self.base.tables and (holding is None or not holding.implies(wish)):
                raise NotCovered(table, str(interest))

    def unregister(self, lane: Lane, registration: Registration) -> bool:
        """Give up a view and the tables only it read; False when that has happened before."""
        if lane.views.get(registration.view) is not registration or self.lanes.get(lane.name) is not lane:
            return False
        gone = lane.remove_view(registration, self.base)
        self.working.go(lane, registration)
        self._release_name(registration.view)
        self._forget_unread(gone)
        return True

    def _release_name(self, view: str) -> None:
        self._names[view] -= 1
        if not self._names[view]:
            del self._names[view]

    def _forget_unread(self, tables: frozenset[str]) -> None:
        needed = {table for lane in self.lanes.values() for table in lane.needed() | lane.tables.keys()}
        self.base.forget_empty(tables - needed)
