"""A lane: what the ingress knows of one circuit: its queue, its policy, whether it runs, its views and tables.

Owns what a circuit holds of each table, and the errands that bring rows and take them back. Refuses to know the circuit
itself: what it must do goes into its mailbox, in order. Truth about a circuit that fails is here and in the base
tables, so it can be derived anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import Enum

import attrs

from sspcore.abc import BackpressurePolicy, Everything, Interest, Interests, Resolved
from sspcore.algebra.values import Value, same
from sspcore.backpressure.mailbox import Batch, Mailbox
from sspcore.engine.library import Library
from sspcore.engine.schema import Schema
from sspcore.engine.template import Template, Templates
from sspcore.ingress.addresses import Find
from sspcore.ingress.base_tables import BaseTables
from sspcore.ingress.holding import Holding
from sspcore.ingress.restarts import Restarts
from sspcore.ingress.walk import Errand, Walk, Wanted
from sspcore.plan.expressions import NOW
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import bind_plan
from sspcore.routing.any_of import AnyOf


class State(Enum):
    """Whether a circuit takes part."""

    RUNNING = "running"
    BEHIND = "behind"
    FAILED = "failed"
    STOPPED = "stopped"


@attrs.frozen
class CreateTable:
    """The circuit must create a table, ahead of its first row."""

    schema: Schema
    survives: bool = False


@attrs.frozen
class WidenTable:
    """The circuit must add columns to a table, ahead of the rows that have them."""

    schema: Schema
    survives: bool = False


@attrs.frozen
class DropTable:
    """The circuit must forget a table no view of it reads any more."""

    table: str
    survives: bool = False


@attrs.frozen
class RemoveView:
    """The circuit must forget a view, ahead of the tables only it read, and end its subscriptions."""

    view: str
    survives: bool = False


@attrs.frozen
class Advance:
    """The circuit must tell its views the time."""

    now: datetime
    survives: bool = False


@attrs.frozen(eq=False)
class Tend:
    """The next slice of an errand is due: everything queued with the one before has been taken."""

    errand: Errand
    survives: bool = False


@attrs.define(eq=False)
class Telling:
    """What the strategy was told of a view last, and how much must be over before older interests settle."""

    interests: Interests
    unsettled: int = 0


@attrs.define(eq=False)
class Registration:
    """A view the runtime promises to keep: what a refill needs to make it again.

    `query` is as written, `given` what the circuit registers: the query, or its plan where the text names other views
    (they may be gone, or mean something else, when the circuit must be derived anew). `live` once the circuit has it;
    `pinned` when registered by name, to stay until unregistered; `holders` counts those who hold it otherwise.
    `interests` are what it needs with its present parameters, `coming` with those it is about to have, if any; `busy`
    while it is on its way into the circuit.
    """

    view: str
    query: object
    given: object
    template: Template
    plan: Plan
    params: Mapping[str, Value]
    tables: frozenset[str]
    live: bool = False
    failed: Exception | None = None
    pinned: bool = False
    holders: int = 0
    format: str = "rows"
    interests: Interests = attrs.field(factory=dict)
    coming: Interests | None = None
    busy: bool = False
    named: bool = True
    """Known by a name of its own; otherwise by its query and parameters, and whoever asks the same reads it too."""
    lazy: bool = False

    @property
    def bound(self) -> Plan:
        """The plan with the parameters' values in it. Cost: O(plan)."""
        return bind_plan(self.plan, self.params)

    @property
    def timed(self) -> bool:
        """Whether it tells the time."""
        return NOW in self.template.params

    def means(self, query: object, plan: Plan, params: Mapping[str, Value]) -> bool:
        """Whether this is the same query with the same parameters; the same text is, also where a `*` now sees more."""
        mine = self.params
        alike = self.plan == plan or self.query is query or (isinstance(query, str) and self.query == query)
        return alike and mine.keys() == params.keys() and all(same(mine[k], params[k]) for k in mine)


class Lane:
    """One circuit as the ingress sees it."""

    def __init__(self, name: str, policy: BackpressurePolicy, policy_name: str, mailbox: Mailbox) -> None:
        self.name = name
        self.policy = policy
        self.policy_name = policy_name
        self.mailbox = mailbox
        self.state = State.RUNNING
        self.error: Exception | None = None
        self.restarts = Restarts()
        self.views: dict[str, Registration] = {}
        self.share: Callable[[Resolved], bool] | None = None
        """Which rows of the tables it reads it holds; None for all of them."""
        self.tables: dict[str, Holding] = {}
        """Table → what of it the circuit holds, and what its views want of it."""
        self.told: dict[str, Telling] = {}
        """View → what the strategy was told; also of views that are gone, until their rows are."""
        self.unsettled = 0
        """How much is under way after which fewer rows are wanted than are routed here."""
        self.leaving: dict[str, int] = {}
        """Table → moves of the strategy's that are under way."""
        self._errands: dict[Errand, None] = {}
        self._templates, self._forms = Templates(), 0

    @property
    def running(self) -> bool:
        """Whether it queues what is routed to it."""
        return self.state is State.RUNNING

    @property
    def occupied(self) -> bool:
        """Whether rows are on their way by errands."""
        return bool(self._errands)

    def needed(self) -> frozenset[str]:
        """The tables its views read."""
        return frozenset([table for table, holding in self.tables.items() if holding.readers])

    def templates(self, forms: int) -> Templates:
        """What was understood among this circuit's views, as long as tables have the same `forms` (`BaseTables`)."""
        if forms != self._forms:
            self._templates.forget()
            self._forms = forms
        return self._templates

    def read_in(self, library: Library) -> None:
        """Have its queries read where those of others are; before it has views."""
        self._templates = Templates(library)

    # Views

    def add_view(self, registration: Registration) -> None:
        """A view from now on."""
        self.views[registration.view] = registration
        self._templates.named(registration.view)
        for table in registration.tables:
            self._holding(table).readers += 1

    def remove_view(self, registration: Registration, base: BaseTables) -> frozenset[str]:
        """A view no more; gives the tables no other view reads, and gives them up: unrouted they would go stale."""
        del self.views[registration.view]
        self._templates.unnamed(registration.view)
        if self.running:
            self.mailbox.command(RemoveView(registration.view))
        gone = set()
        for table in registration.tables:
            holding = self.tables[table]
            holding.readers -= 1
            if not holding.readers:
                gone.add(table)
                for wish in holding.wishes:
                    base.regions.forgotten(table, wish)
                self._drop(holding)
        return frozenset(gone)

    # Tables

    def receive(self, table: str, base: BaseTables) -> None:
        """Make sure the circuit has a table that a row is about to be queued for."""
        holding = self.tables.get(table)
        if holding is None or not holding.there:
            self._create(self._holding(table), base)

    def widen(self, schema: Schema) -> None:
        """Queue new columns of a table, where the circuit has it."""
        holding = self.tables.get(schema.table)
        if self.running and holding is not None and holding.there:
            self.mailbox.command(WidenTable(schema))

    def wish(self, table: str, interest: Everything | Interest, base: BaseTables) -> Walk | None:
        """A view wants these rows from now on; the walk that brings them, None where they are there or queued.

        Changes must be routed here already: what is copied now and what comes later then miss nothing between them.
        """
        if self._holding(table).wishes.add(interest):
            base.regions.noted(table, interest)
        return self.fill(table, interest, base)

    def fill(self, table: str, interest: Everything | Interest, base: BaseTables) -> Walk | None:
        """The walk that brings rows a view wants; None where they are there or queued, or the refill brings them."""
        if not self.running:
            return None
        holding = self._holding(table)
        if holding.partial:
            self.mailbox.command(DropTable(table))
            holding.there = False
        if not holding.there:
            self._create(holding, base)
        if holding.covers(interest):
            holding.filled.add(interest)
            return None
        walk = holding.filling.get(interest)
        if walk is None:
            walk = holding.filling[interest] = self.over(table, interest, base)
        return walk

    def give_up(self, table: str, interest: Everything | Interest, base: BaseTables) -> Walk | None:
        """A view wants these rows no more; the walk that takes back those nobody wants, None where there are none."""
        holding = self.tables.get(table)
        if holding is None or not holding.drop(interest):
            return None
        takes = self.running and not holding.wishes.everything
        walk = self.over(table, interest, base, takes=True) if takes else None
        base.regions.forgotten(table, interest)
        return walk

    def over(self, table: str, region: Everything | Interest, base: BaseTables, takes: bool = False) -> Walk:
        """A walk over the rows of a region there are."""
        ids, completes = base.regions.ids(table, region)
        return Walk(table, ids, region, takes, completes=completes)

    def wish_anew(self, wishes: Iterable[tuple[str, Everything | Interest]], base: BaseTables) -> None:
        """What views want of every table, of a circuit that is to be derived anew."""
        self.unnote(base)
        for holding in self.tables.values():
            holding.wishes = AnyOf()
        for table, interest in wishes:
            self.wish(table, interest, base)

    def unnote(self, base: BaseTables) -> None:
        """Nothing it wants is to be looked for any more."""
        for table, holding in self.tables.items():
            for wish in holding.wishes:
                base.regions.forgotten(table, wish)

    def wanted(self, table: str, columns: tuple[str, ...], find: Find) -> Wanted:
        """(id, row) → whether the circuit wants a row of a table, as things are now; `find` gives its address."""
        share, wants = self.share, self.tables[table].wants
        if share is None:
            return lambda key, row: wants(row)
        return lambda key, row: wants(row) and share(Resolved(table, key, None, row, columns, find(key)))

    def judge(self, table: str, columns: tuple[str, ...], find: Find) -> Wanted | None:
        """What decides, while rows are being given up, whether an image routed here is put or retracted; else None.

        What routes a row may be an interest that is about to settle: it would stay here, of no concern to anybody.
        """
        if not self.unsettled:
            return None
        holding = self.tables.get(table)
        return None if holding is None or holding.partial else self.wanted(table, columns, find)

    # Errands

    def begin(self, errand: Errand, base: BaseTables) -> None:
        """Queue the first slice of an errand; the others follow, each when the one before has been taken."""
        self._errands[errand] = None
        self.tend(errand, base)

    def tend(self, errand: Errand, base: BaseTables) -> None:
        """Queue the next slice of an errand: the rows as they are now. Behind the last one do what it was for."""
        if errand not in self._errands:
            return
        walks = errand.walks
        while walks:
            if not walks[0].over:
                self.walk(walks[0], base)
            if not walks[0].over:
                break
            del walks[0]
        if walks:
            self.mailbox.command(Tend(errand))
        else:
            del self._errands[errand]
            errand.then()

    def walk(self, walk: Walk, base: BaseTables) -> Batch | None:
        """Queue the next slice of a walk that is not over. None when nothing came of it."""
        if walk.table not in self.tables:
            walk.called_off = True
            return None
        table = base.tables[walk.table]
        entries = walk.slice(table.rows, self.wanted(walk.table, table.names, base.addresses.finder(walk.table)))
        if walk.done:
            self.tables[walk.table].arrived(walk)
        if not entries:
            return None
        batch = Batch(entries, backfill=True)
        self.mailbox.put(batch)
        return batch

    # What goes wrong

    def fall_behind(self, error: Exception, taken: Iterable[Batch] = ()) -> None:
        """Give up the queue: the circuit will be derived anew. Who waited is told."""
        self.state, self.error = State.BEHIND, error
        self._lose(taken)

    def fail(self, error: Exception) -> None:
        """Give up for good."""
        self.state, self.error = State.FAILED, error

    def stop(self) -> None:
        """The circuit is destroyed; what is still queued is discarded."""
        self.state = State.STOPPED
        self._lose()

    def refilled(self) -> None:
        """The circuit was derived anew, with every row its views want."""
        for holding in self.tables.values():
            holding.refilled()
        self.state = State.RUNNING

    def _lose(self, taken: Iterable[Batch] = ()) -> None:
        for holding in list(self.tables.values()):
            holding.lose()
            if not holding.readers:
                del self.tables[holding.table]
        for batch in self.mailbox.discard([*taken]):
            if batch.waiter is not None:
                batch.waiter.lost(self.name)
        errands, self._errands = self._errands, {}
        for errand in errands:
            errand.then()

    def _holding(self, table: str) -> Holding:
        holding = self.tables.get(table)
        if holding is None:
            holding = self.tables[table] = Holding(table)
        return holding

    def _create(self, holding: Holding, base: BaseTables) -> None:
        self.mailbox.command(CreateTable(base.tables[holding.table].schema))
        holding.there = True

    def _drop(self, holding: Holding) -> None:
        del self.tables[holding.table]
        if holding.there and self.running:
            self.mailbox.command(DropTable(holding.table))
        holding.lose()
