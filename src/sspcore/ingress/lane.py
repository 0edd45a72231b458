"""A lane: what the ingress knows of one circuit: its queue, its policy, whether it runs, its views and tables.

Owns which tables a circuit holds, and how whole. Refuses to know the circuit itself: what it must do goes into its
mailbox, in order. Truth about a circuit that fails is here and in the base tables, so it can be derived anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final

import attrs

from sspcore.abc import BackpressurePolicy, Resolved
from sspcore.algebra.values import Value, same
from sspcore.backpressure.mailbox import Batch, Mailbox
from sspcore.engine.schema import Schema
from sspcore.engine.template import Templates
from sspcore.ingress.backfill import Backfill
from sspcore.ingress.base_tables import BaseTables
from sspcore.ingress.restarts import Restarts
from sspcore.plan.expressions import NOW
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import params_of

PARTIAL: Final = "partial"
"""Rows have come as routing sent them; no view reads the table, and it may be stale: made anew before one does."""
WHOLE: Final = "whole"
"""Every current row of the circuit's share is there, or queued; every change of these is routed here."""


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


@attrs.define(eq=False)
class Registration:
    """A view the runtime promises to keep: what a refill needs to make it again.

    `query` is as written, `given` what the circuit registers: the query, or its plan where the text names other views
    (they may be gone, or mean something else, when the circuit must be derived anew). `live` once the circuit has it;
    `pinned` when registered by name, to stay until unregistered; `holders` counts those who hold it otherwise.
    """

    view: str
    query: object
    given: object
    plan: Plan
    bound: Plan
    params: Mapping[str, Value]
    tables: frozenset[str]
    live: bool = False
    failed: Exception | None = None
    pinned: bool = False
    holders: int = 0
    format: str = "rows"
    named: bool = True
    """Known by a name of its own; otherwise by its query and parameters, and whoever asks the same reads it too."""

    @property
    def timed(self) -> bool:
        """Whether it tells the time."""
        return NOW in params_of(self.plan)

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
        self._templates, self._forms = Templates(), 0
        self._readers: dict[str, int] = {}
        self.share: Callable[[Resolved], bool] | None = None
        """Which rows of the tables it reads it holds; None for all of them."""
        self.tables: dict[str, str | Backfill] = {}
        """Table → WHOLE, PARTIAL, or the Backfill at work."""

    @property
    def running(self) -> bool:
        """Whether it queues what is routed to it."""
        return self.state is State.RUNNING

    def needed(self) -> frozenset[str]:
        """The tables its views read."""
        return frozenset(self._readers)

    def templates(self, forms: int) -> Templates:
        """What was understood among this circuit's views, as long as tables have the same `forms` (`BaseTables`)."""
        if forms != self._forms:
            self._templates.forget()
            self._forms = forms
        return self._templates

    def add_view(self, registration: Registration) -> None:
        """A view from now on."""
        self.views[registration.view] = registration
        self._templates.forget(registration.view)
        for table in registration.tables:
            self._readers[table] = self._readers.get(table, 0) + 1

    def remove_view(self, registration: Registration) -> frozenset[str]:
        """A view no more; gives the tables no other view reads, and gives them up: unrouted they would go stale."""
        del self.views[registration.view]
        self._templates.forget(registration.view)
        if self.running:
            self.mailbox.command(RemoveView(registration.view))
        gone = set()
        for table in registration.tables:
            self._readers[table] -= 1
            if not self._readers[table]:
                del self._readers[table]
                gone.add(table)
                self._drop(table)
        return frozenset(gone)

    def receive(self, table: str, base: BaseTables) -> None:
        """Make sure the circuit has a table that a row is about to be queued for."""
        if table not in self.tables:
            self.mailbox.command(CreateTable(base.tables[table].schema))
            self.tables[table] = PARTIAL

    def widen(self, schema: Schema) -> None:
        """Queue new columns of a table, where the circuit has it."""
        if self.running and schema.table in self.tables:
            self.mailbox.command(WidenTable(schema))

    def want(self, tables: Iterable[str], base: BaseTables) -> list[Backfill]:
        """Queue what makes the tables whole, all of it when they are small; the backfills still to be walked.

        Changes must be routed here already: what is copied now and what comes later then miss nothing between them.
        """
        if not self.running:
            return []  # the refill makes them whole
        walks = []
        for table in tables:
            held = self.tables.get(table)
            if held == PARTIAL:
                self.mailbox.command(DropTable(table))
            if held is None or held == PARTIAL:
                self.mailbox.command(CreateTable(base.tables[table].schema))
                walk = Backfill(table, base.tables[table].rows)
                self.tables[table] = walk
                self.walk(walk, base)
            if isinstance(unfinished := self.tables[table], Backfill):
                walks.append(unfinished)
        return walks

    def walk(self, walk: Backfill, base: BaseTables) -> Batch | None:
        """Queue the next slice of a backfill that is not over: the rows current now. None when it has none of them."""
        entries = walk.slice(base.tables[walk.table].rows)
        if self.share is not None:
            mine = self.mine(base.tables[walk.table].schema)
            entries = [entry for entry in entries if mine(entry[1], entry[2])]
        if walk.done:
            self.tables[walk.table] = WHOLE
        if not entries:
            return None
        batch = Batch(entries, backfill=True)
        self.mailbox.put(batch)
        return batch

    def mine(self, schema: Schema) -> Callable[[Any, Any], bool]:
        """(id, row) → whether the circuit holds a row of a table it reads."""
        share, table, columns = self.share, schema.table, schema.names
        return lambda key, row: share is None or share(Resolved(table, key, None, row, columns))

    def _drop(self, table: str) -> None:
        held = self.tables.pop(table, None)
        if isinstance(held, Backfill):
            held.called_off = True
        if held is not None and self.running:
            self.mailbox.command(DropTable(table))

    def fall_behind(self, error: Exception, taken: Iterable[Batch] = ()) -> None:
        """Give up the queue: the circuit will be derived anew. Who waited is told."""
        self.state, self.error = State.BEHIND, error
        self._give_up(taken)

    def fail(self, error: Exception) -> None:
        """Give up for good."""
        self.state, self.error = State.FAILED, error

    def stop(self) -> None:
        """The circuit is destroyed; what is still queued is discarded."""
        self.state = State.STOPPED
        self._give_up()

    def refilled(self) -> None:
        """The circuit was derived anew, with every table its views read."""
        self.tables = dict.fromkeys(self.needed(), WHOLE)
        self.state = State.RUNNING

    def _give_up(self, taken: Iterable[Batch] = ()) -> None:
        for held in self.tables.values():
            if isinstance(held, Backfill):
                held.called_off = True
        self.tables = {}
        for batch in self.mailbox.discard([*taken]):
            if batch.waiter is not None:
                batch.waiter.lost(self.name)
