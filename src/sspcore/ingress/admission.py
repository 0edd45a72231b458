"""Admission: a batch gets in whole, at once, everywhere; or it waits its turn; or it is refused, and nothing happened.

Owns the one synchronous step of ingest (resolve, route, ask every target's policy, write, queue), the order of those
who wait, and the runtime's offsets. Refuses to wait itself: the runtime parks producers and asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import attrs

from sspcore.abc import Accept, Park, Refuse, Resolved, Target
from sspcore.backpressure.mailbox import Batch, Waiter
from sspcore.engine.change import Change
from sspcore.engine.draft import Resolution
from sspcore.engine.table import Net
from sspcore.errors import ChangeRejected, Full, PluginError, defined_at
from sspcore.ingress.addresses import Addressing, joined
from sspcore.ingress.base_tables import BaseTables
from sspcore.ingress.lane import Lane
from sspcore.ingress.sizes import RowSizes
from sspcore.ingress.walk import Wanted
from sspcore.routing.guard import Guard

Entry = tuple[str, Any, Any]
Entries = list[Entry]


@attrs.frozen
class Admitted:
    """A batch that got in: its offset, the circuits that queued it, those that will have it from their refill, and
    how many of its row changes reached any circuit, and how many none."""

    offset: int
    targets: tuple[str, ...]
    behind: tuple[str, ...]
    routed: int
    unrouted: int


@attrs.define(eq=False)
class Ticket:
    """A batch that waits: none overtakes it that shares a target. `wake` is called when asking again is worth it."""

    number: int
    changes: Sequence[Change]
    waiter: Waiter | None
    since: float
    targets: frozenset[str]
    patience: float | None
    wake: Callable[[], None]


@attrs.define
class _Routed:
    """A resolved batch spread over its targets; nothing is written yet."""

    resolution: Resolution
    addressing: Addressing | None
    net: Mapping[str, Sequence[Net]]
    parts: dict[str, Entries]
    tables: dict[str, list[str]]
    behind: dict[str, None]
    rows: Sequence[Resolved] = ()
    unrouted: int = 0


def _nobody() -> None:
    """Nobody waits yet."""


def _nothing(widened: Iterable[str], rows: Sequence[Resolved]) -> None:
    """Nothing follows from a batch."""


def _judged(entries: Entries, wanted: Wanted, entry: Entry) -> None:
    """Put only what the circuit wants; what it is only about to give up leaves now."""
    table, key, row = entry
    entries.append(entry if row is None or wanted(key, row) else (table, key, None))


class Admission:
    """The door of the runtime.

    Args: `base`, the truth; `router`, which circuits get a row; `lanes`, circuit → lane, owned by the caller; `then`,
    told of every batch that got in: which tables it widened, and its row changes.

    Counters, in changes: `received` = `accepted` + `refused` + `duplicates`; `unrouted` row changes reached no circuit.
    """

    def __init__(
        self, base: BaseTables, router: Guard, lanes: Mapping[str, Lane],
        then: Callable[[Iterable[str], Sequence[Resolved]], None] = _nothing,
    ) -> None:  # fmt: skip
        self.base = base
        self.router = router
        self.lanes = lanes
        self.offset = 0
        self.received = self.accepted = self.refused = self.duplicates = self.unrouted = 0
        self._tickets: dict[int, Ticket] = {}
        self._number = 0
        self._sizes = RowSizes()
        self._then = then

    @property
    def waiting(self) -> int:
        """How many batches wait for room."""
        return len(self._tickets)

    def submit(self, changes: Sequence[Change], now: float, waiter: Waiter | None = None) -> Admitted | Ticket:
        """Admit a batch, or give it a ticket. Raises ChangeRejected or Full: then nothing happened."""
        outcome = self._attempt(changes, now, waiter, self._number + 1)
        if isinstance(outcome, Admitted):
            return outcome
        targets, patience = outcome
        self._number += 1
        ticket = Ticket(self._number, changes, waiter, now, targets, patience, _nobody)
        self._tickets[ticket.number] = ticket
        return ticket

    def submit_now(self, changes: Sequence[Change], now: float) -> Admitted:
        """Admit a batch, or raise Full where `submit` would have it wait."""
        outcome = self._attempt(changes, now, None, self._number + 1)
        if isinstance(outcome, Admitted):
            return outcome
        raise self._full(outcome[0], len(changes), 0.05)

    def again(self, ticket: Ticket, now: float) -> Admitted | None:
        """Ask again for a ticket, against the state as it is now: admitted, or None: wait on.

        Raises ChangeRejected or Full; then, as when admitted, the ticket is gone.
        """
        try:
            outcome = self._attempt(ticket.changes, now, ticket.waiter, ticket.number)
        except BaseException:
            self.forget(ticket)
            raise
        if isinstance(outcome, Admitted):
            self.forget(ticket)
            return outcome
        left = ticket.targets - outcome[0]
        ticket.targets, ticket.patience = outcome
        for circuit in left:
            self.room(circuit)
        return None

    def forget(self, ticket: Ticket) -> None:
        """A ticket leaves (admitted, refused, or its producer gave up): those behind it get their turn."""
        if self._tickets.pop(ticket.number, None) is not None:
            for circuit in ticket.targets:
                self.room(circuit)

    def expired(self, ticket: Ticket) -> Full:
        """The error for a producer whose patience ended; its ticket is gone."""
        self.forget(ticket)
        self._refuse(ticket.changes)
        return self._full(ticket.targets, len(ticket.changes), ticket.patience or 0.0)

    def room(self, circuit: str) -> None:
        """A circuit's queue has room, or the circuit is gone: whoever waits longest for it gets to ask again."""
        if self._tickets:
            for ticket in self._tickets.values():
                if circuit in ticket.targets:
                    ticket.wake()
                    return

    def wake_all(self) -> None:
        """Every waiting producer looks again (the runtime closes)."""
        for ticket in list(self._tickets.values()):
            ticket.wake()

    def explain(self, change: Change) -> Resolved | None:
        """The row change a change would be now, or None for a no-op; nothing is written. Raises ChangeRejected."""
        rows = self._rows(*self._resolve([change]))[1]
        return rows[0] if rows else None

    # The step

    def _attempt(
        self, changes: Sequence[Change], now: float, waiter: Waiter | None, number: int
    ) -> Admitted | tuple[frozenset[str], float | None]:
        try:
            batch = self._route(*self._resolve(changes))
            size = self._sizes.estimate(batch.net)
            wait = self._ask(batch, size, now, number)
        except (ChangeRejected, Full, PluginError):
            self._refuse(changes)
            raise
        if wait is not None:
            return wait
        return self._admit(batch, size, now, waiter)

    def _resolve(self, changes: Sequence[Change]) -> tuple[Resolution, Addressing | None]:
        """Judge a batch; its addresses too, where the strategy asks them."""
        addresses = self.base.addresses
        return addresses.resolve(changes) if addresses.active else (self.base.resolve(changes), None)

    def _rows(
        self, resolution: Resolution, addressing: Addressing | None
    ) -> tuple[Mapping[str, Sequence[Net]], list[Resolved]]:
        """What strategies are asked about: rows that change, and those of which only the address does."""
        changed: Mapping[str, Sequence[Net]] = resolution.net
        if addressing is not None and addressing.moves:
            changed = joined(resolution.net, addressing.moves)
        addresses = self.base.addresses
        rows: list[Resolved] = []
        make = tuple.__new__
        for table, net in changed.items():
            columns = self._columns(resolution, table)
            if addresses.active and addresses.addressed(table):
                after, before = addresses.finder(table, addressing), addresses.finder(table)
                rows += [Resolved(table, key, old, new, columns, after(key), before(key)) for key, old, new in net]
            else:
                rows += [make(Resolved, (table, key, old, new, columns, None, None)) for key, old, new in net]
        return changed, rows

    def _route(self, resolution: Resolution, addressing: Addressing | None) -> _Routed:
        changed, rows = self._rows(resolution, addressing)
        answers = iter(self.router.route(rows) if rows else ())
        routed = _Routed(resolution, addressing, changed, {}, {}, {}, rows)
        for table, net in changed.items():
            last: object = None
            sinks: list[tuple[Callable[[Entry], None], bool]] = []
            for (key, _, new), targets in zip(net, answers, strict=False):
                if targets is not last:  # strategies hand out one tuple for many rows: look into it once
                    last, sinks = targets, self._sinks(routed, table, targets)
                if not targets:
                    routed.unrouted += 1
                for append, put in sinks:
                    append((table, key, new if put else None))
        return routed

    def _columns(self, resolution: Resolution, table: str) -> tuple[str, ...]:
        """The columns of a table as the batch would leave it."""
        schema = resolution.widened.get(table) or resolution.created.get(table) or self.base.tables[table].schema
        return schema.names

    def _sinks(
        self, routed: _Routed, table: str, targets: Sequence[Target]
    ) -> list[tuple[Callable[[Entry], None], bool]]:
        """Where the rows of a table with these targets go: per circuit that runs, and whether as puts."""
        sinks: list[tuple[Callable[[Entry], None], bool]] = []
        for circuit, kind in targets:
            lane = self.lanes[circuit]
            if table not in lane.tables and self.router.selects(table):
                continue  # by an interest that is about to settle, of a view that is gone
            entries = routed.parts.get(circuit)
            if entries is None:
                if not lane.running:
                    routed.behind[circuit] = None
                    continue
                entries = routed.parts[circuit] = []
                routed.tables[circuit] = []
            if table not in routed.tables[circuit]:
                routed.tables[circuit].append(table)
            if lane.unsettled and (wanted := self._judge(lane, table, routed)) is not None:
                sinks.append((partial(_judged, entries, wanted), kind == "put"))
            else:
                sinks.append((entries.append, kind == "put"))
        return sinks

    def _judge(self, lane: Lane, table: str, routed: _Routed) -> Wanted | None:
        """What a circuit wants of a table as the batch would leave it, while less is wanted than is routed there."""
        find = self.base.addresses.finder(table, routed.addressing)
        return lane.judge(table, self._columns(routed.resolution, table), find)

    def _ask(self, batch: _Routed, size: int, now: float, number: int) -> tuple[frozenset[str], float | None] | None:
        """What the targets' policies say together: None to go ahead, whom to wait for; or Full."""
        claimed = self._claimed(number)
        parked = False
        patience: float | None = None
        for circuit, entries in batch.parts.items():
            lane = self.lanes[circuit]
            queue = lane.mailbox.statistics()
            if circuit in claimed:  # the room there may be belongs to whoever waits already: to others it is full
                queue = queue._replace(depth=max(queue.depth, queue.capacity, 1), size=max(queue.size, queue.max_bytes))
            try:
                answer = lane.policy.admit(queue, len(entries), size, now)
            except Exception as error:
                raise PluginError(
                    f"policy {lane.policy_name!r} of circuit {circuit!r}: admit{defined_at(lane.policy.admit)} "
                    f"failed with {type(error).__name__}: {error}", hint="nothing was accepted",
                ) from error  # fmt: skip
            if isinstance(answer, Refuse):
                raise self._full({circuit}, len(entries), answer.retry_after)
            if isinstance(answer, Park):
                parked = True
                if answer.patience is not None:
                    patience = answer.patience if patience is None else min(patience, answer.patience)
            elif isinstance(answer, Accept):
                parked = parked or circuit in claimed  # a policy that lets everything in still overtakes nobody
            else:
                raise PluginError(
                    f"policy {lane.policy_name!r} of circuit {circuit!r}: admit{defined_at(lane.policy.admit)} "
                    f"answered {answer!r}",
                    hint="it must answer Accept, Park or Refuse",
                )
        return (frozenset(batch.parts), patience) if parked else None

    def _claimed(self, number: int) -> set[str]:
        claimed: set[str] = set()
        if self._tickets:
            for ticket in self._tickets.values():
                if ticket.number < number:
                    claimed |= ticket.targets
        return claimed

    def _admit(self, batch: _Routed, size: int, now: float, waiter: Waiter | None) -> Admitted:
        """Write and queue. From here nothing raises."""
        resolution, lanes = batch.resolution, self.lanes
        self.offset = offset = self.offset + 1
        self.base.commit(resolution, batch.addressing)
        for schema in resolution.widened.values():
            for lane in lanes.values():
                lane.widen(schema)
        for circuit, entries in batch.parts.items():
            lane = lanes[circuit]
            for table in batch.tables[circuit]:
                lane.receive(table, self.base)
            lane.mailbox.put(Batch(entries, size, offset, waiter, False, now))
        self.received += resolution.received
        self.duplicates += resolution.duplicates
        self.accepted += resolution.received - resolution.duplicates
        self.unrouted += batch.unrouted
        if resolution.widened or self.router.watching:
            self._then(resolution.widened, batch.rows)
        routed = len(batch.rows) - batch.unrouted
        return Admitted(offset, tuple(batch.parts), tuple(batch.behind), routed, batch.unrouted)

    def _refuse(self, changes: Sequence[Change]) -> None:
        self.received += len(changes)
        self.refused += len(changes)

    def _full(self, circuits: Iterable[str], changes: int, retry_after: float) -> Full:
        queues = [(self.lanes[name].mailbox.statistics(), name) for name in circuits if name in self.lanes]
        if not queues:
            return Full("the circuits waited for are gone", depth=0, capacity=0, retry_after=retry_after)
        queue, circuit = max(queues, key=lambda pair: pair[0].depth / pair[0].capacity)
        return Full(
            f"the queue of circuit {circuit!r} has no room for {changes} more changes: it holds {queue.depth} of "
            f"{queue.capacity}",
            depth=queue.depth, capacity=queue.capacity, retry_after=retry_after,
        )  # fmt: skip
