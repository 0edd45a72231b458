"""The task of one circuit: takes what its mailbox holds, in order, and obeys.

Owns the loop, and what a circuit's task is asked to do for others (`ask`). Refuses to survive a failure: that is the
supervisor's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, Final, TypeVar

import attrs
import trio

from sspcore.backpressure.mailbox import Batch, Command
from sspcore.delivery.stage import Stage
from sspcore.engine.update import Commit, Snapshot, ViewUpdate
from sspcore.errors import CircuitFailed, Closed, InternalError, SspError
from sspcore.ingress.admission import Admission
from sspcore.ingress.lane import (
    Advance,
    CreateTable,
    DropTable,
    Lane,
    Registration,
    RemoveView,
    State,
    Tend,
    WidenTable,
)
from sspcore.ingress.registry import Registry
from sspcore.ingress.walk import Errand, Walk
from sspcore.runtime.parking import Parking, Reply

T = TypeVar("T")

SLICE: Final = 2_000
"""Rows of a step: a bigger run of batches is applied in several, so that the loop's lag stays bounded."""
LARGE: Final = 50_000
"""Rows of a view's tables from which on it is computed in steps too, at some times the cost of doing it at once."""


@attrs.frozen(eq=False)
class Ask:
    """Something to do between two commits, and where its answer goes."""

    action: Callable[[Stage], Any]
    reply: Reply[Any]
    survives: bool = True


@attrs.frozen(eq=False)
class Install:
    """A view to register between two commits, and where its snapshot goes."""

    registration: Registration
    reply: Reply[Snapshot]
    survives: bool = True


@attrs.frozen(eq=False)
class Derive:
    """The circuit, which is behind, is to be made anew."""

    action: Callable[[], None]
    survives: bool = True


@attrs.frozen
class Stop:
    """End the task, once everything ahead is done."""

    survives: bool = True


class Worker:
    """One circuit at work: its lane, its stage, and the task that owns both."""

    def __init__(self, lane: Lane, stage: Stage, registry: Registry, admission: Admission) -> None:
        self.lane = lane
        self.stage = stage
        self.registry = registry
        self.admission = admission
        self.scope = trio.CancelScope()
        self.done = trio.Event()
        self.stopping = False
        self.late = False
        """A time was told and not yet heard."""
        self.installing: dict[Registration, Reply[Snapshot]] = {}
        self.moving: dict[Registration, Reply[ViewUpdate]] = {}
        """Views whose parameters are on the move."""
        self.taken: Sequence[Batch] = ()
        """What was taken and is not yet applied: what a failure loses."""
        self._parking = Parking()
        lane.mailbox.wake = self._parking.wake

    async def work(self) -> None:
        """Take and obey, until told to stop. Raises whatever the circuit raises."""
        mailbox, name = self.lane.mailbox, self.lane.name
        while True:
            item = mailbox.take()
            if item is None:
                await self._parking.park()
                continue
            if isinstance(item, list):
                await self._apply(item)
                self.admission.room(name)
            elif isinstance(item, Stop):
                return
            elif isinstance(item, Install):
                await self._install(item)
            else:
                self._obey(item)
            if len(mailbox):  # otherwise it parks at once, which is a checkpoint too
                await trio.lowlevel.checkpoint()

    async def _apply(self, run: list[Batch]) -> None:
        self.taken = run
        if len(run) == 1:
            entries = run[0].entries
        else:
            entries = [entry for batch in run for entry in batch.entries]
        if len(entries) <= SLICE:
            commit = self.stage.deliver(entries)
        else:
            commit = await self._in_slices(entries)
        self.taken = ()
        self.lane.mailbox.settle(run, commit.stats.netted, commit.stats.no_ops)
        for batch in run:
            if batch.waiter is not None:
                batch.waiter.applied(self.lane.name, commit.version)
        self._note(commit)

    async def _in_slices(self, entries: Sequence[Any]) -> Commit:
        """One commit, with a look at everybody else between its steps. Cancelled, it did not happen."""
        with closing(self.stage.deliver_sliced(entries, SLICE)) as slices:
            while True:
                try:
                    next(slices)
                except StopIteration as end:
                    commit: Commit = end.value
                    return commit
                await trio.lowlevel.checkpoint()

    async def _register_in_slices(self, registration: Registration) -> Snapshot:
        """A snapshot, with a look at everybody else between the steps. Cancelled, there is no such view."""
        what = registration.view, registration.given, registration.params, registration.format, registration.lazy
        slices = self.stage.register_sliced(*what, SLICE)
        with closing(slices):
            while True:
                try:
                    next(slices)
                except StopIteration as end:
                    snapshot: Snapshot = end.value
                    return snapshot
                await trio.lowlevel.checkpoint()

    def _obey(self, command: Command) -> None:
        stage = self.stage
        match command:
            case Ask():
                try:
                    answer = command.action(stage)
                except Exception as error:  # noqa: BLE001 - the asker's to handle; the circuit goes on
                    command.reply.fail(error)
                else:
                    command.reply.set(answer)
            case Advance():
                self.late = False
                self._note(stage.advance(command.now))
            case CreateTable():
                stage.create_table(command.schema)
            case WidenTable():
                self._note(stage.widen(command.schema), widened=True)
            case DropTable():
                stage.drop_table(command.table)
            case RemoveView():
                stage.unregister(command.view)
            case Derive():
                command.action()
            case Tend():
                self.lane.tend(command.errand, self.registry.base)
            case _:
                raise InternalError(f"a circuit's task knows no command {command!r}")

    def _note(self, commit: Commit, widened: bool = False) -> None:
        """Keep the registrations true: views that failed, and plans that a wider table changed."""
        for view, error in commit.failed.items():
            registration = self.lane.views.get(view)
            if registration is not None:
                registration.live, registration.failed = False, error
        if widened:
            for view in commit.updates:
                registration = self.lane.views.get(view)
                if registration is not None and registration.live:
                    held = self.stage.circuit.views[view]
                    registration.plan, registration.template = held.plan, held.template
                    self.registry.working.changed(self.lane, registration)

    # What others ask of it

    def require(self) -> None:
        """Raises CircuitFailed or Closed when nobody will answer any more."""
        if self.lane.state is State.FAILED:
            raise CircuitFailed(
                f"circuit {self.lane.name!r} failed too often: {self.lane.error!r}",
                hint="destroy it and create it again",
            )
        if self.stopping:
            raise Closed(f"circuit {self.lane.name!r} was destroyed")

    async def ask(self, action: Callable[[Stage], T]) -> T:
        """Have something done in turn, and wait for the answer. Raises what it raises, CircuitFailed or Closed.

        A circuit that is behind answers after its refill.
        """
        self.require()
        reply: Reply[T] = Reply()
        self.lane.mailbox.command(Ask(action, reply))
        return await reply.wait()

    async def catch_up(self) -> None:
        """Wait until everything put before is done, or never will be."""
        try:
            await self.ask(lambda stage: None)
        except (CircuitFailed, Closed):
            return

    def install(self, registration: Registration, walks: list[Walk]) -> Reply[Snapshot]:
        """Have a view registered behind the rows it needs; the reply to wait for."""
        reply: Reply[Snapshot] = Reply()
        self.installing[registration] = reply
        self.behind(walks, lambda: self._register_in_turn(registration, reply))
        return reply

    def behind(self, walks: list[Walk], then: Callable[[], None]) -> None:
        """Bring or take rows; when the last ones are queued, do something: what it queues is behind them."""
        self.lane.begin(Errand(walks, then), self.registry.base)

    def _register_in_turn(self, registration: Registration, reply: Reply[Snapshot]) -> None:
        try:
            self.require()
        except SspError as error:
            self.installing.pop(registration, None)
            reply.fail(error)
        else:
            self.lane.mailbox.command(Install(registration, reply))

    async def _install(self, command: Install) -> None:
        try:
            snapshot = await self._register(command.registration)
        except Exception as error:  # noqa: BLE001 - the asker's to handle; the circuit goes on
            command.reply.fail(error)
        else:
            command.reply.set(snapshot)

    async def _register(self, registration: Registration) -> Snapshot:
        self.installing.pop(registration, None)
        view, stage = registration.view, self.stage
        if self.lane.views.get(view) is not registration:
            raise Closed(f"view {view!r} was unregistered before it was ready")
        held = stage.circuit.tables
        rows = sum([len(held[table].rows) for table in registration.tables if table in held])
        try:
            if rows < LARGE:
                made = registration.given, registration.params, registration.format, registration.lazy
                snapshot = stage.register(view, *made)
            else:
                snapshot = await self._register_in_slices(registration)
        except Exception as error:
            self.registry.unregister(self.lane, registration)
            if isinstance(error, SspError):
                raise
            raise CircuitFailed(f"view {view!r} cannot be computed: {type(error).__name__}: {error}") from error
        registration.live = True
        self.registry.working.installed(self.lane, registration)
        return snapshot
