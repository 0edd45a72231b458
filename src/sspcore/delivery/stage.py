"""The stage: a circuit and those who watch its views.

Owns that snapshot and updates are one cut, that each update reaches every outbox of its view, and what subscribers are
told when a view ends, fails, or comes back in a circuit derived anew. Refuses to know why it is asked.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from datetime import datetime
from typing import Any

from sspcore.delivery.outbox import Outbox
from sspcore.engine.circuit import Circuit
from sspcore.engine.moving import rebind
from sspcore.engine.schema import Schema
from sspcore.engine.sliced import deliver_in_slices
from sspcore.engine.update import Commit, Snapshot, ViewUpdate
from sspcore.errors import CircuitFailed, UsageError

REFILLED = "the circuit was derived anew"


class Stage:
    """A circuit at work before its subscribers."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self._watchers: dict[str, list[Outbox]] = {}

    def watchers(self, view: str) -> int:
        """How many subscribers a view has."""
        return len(self._watchers.get(view, ()))

    # What moves the circuit

    def deliver(self, entries: Iterable[tuple[str, Any, Any]]) -> Commit:
        """Apply resolved rows as one commit, and pass its updates on."""
        return self._publish(self.circuit.deliver(entries))

    def deliver_sliced(self, entries: Iterable[tuple[str, Any, Any]], rows: int) -> Generator[None, None, Commit]:
        """`deliver` in steps; outboxes keep what they have until it ends. Closed before, nothing happened."""
        held = [outbox for watchers in self._watchers.values() for outbox in watchers]
        for outbox in held:
            outbox.held = True
        try:
            commit = yield from deliver_in_slices(self.circuit, entries, rows)
        except BaseException:
            self.lose()  # what is pending may ask for the order of a view that must be computed anew first
            raise
        finally:
            for outbox in held:
                outbox.held = False
        self._publish(commit)
        for outbox in held:
            outbox.wake()
        return commit

    def create_table(self, schema: Schema) -> None:
        """Create a table."""
        self.circuit.create_table(schema)

    def widen(self, schema: Schema) -> Commit:
        """Add columns to a table, and pass on what views show of it."""
        return self._publish(self.circuit.widen(schema))

    def drop_table(self, table: str) -> None:
        """Forget a table."""
        self.circuit.drop_table(table)

    def register(
        self, view: str, query: object, params: Mapping[str, Any], format: str = "rows", lazy: bool = False
    ) -> Snapshot:
        """Register a view."""
        return self.circuit.register(view, query, params, format=format, lazy=lazy)

    def register_sliced(
        self, view: str, query: object, params: Mapping[str, Any], format: str, lazy: bool, rows: int
    ) -> Generator[None, None, Snapshot]:
        """`register` in steps of about so many rows. Closed before it ends, there is no such view."""
        return self.circuit.register_sliced(view, query, params, format=format, lazy=lazy, rows=rows)

    def rebind(self, view: str, params: Mapping[str, Any]) -> ViewUpdate:
        """Give a view other parameters, and pass the difference on. Raises UnknownView, CircuitFailed, UsageError."""
        commit = self._publish(rebind(self.circuit, view, params))
        return commit.updates[view] if view in commit.updates else self.circuit.view(view).unchanged()

    def advance(self, now: datetime) -> Commit:
        """Tell the time, and pass on what moved; a clock that was set back is waited for."""
        before = self.circuit.now
        return self._publish(self.circuit.advance(now if before is None or now > before else before))

    def unregister(self, view: str) -> None:
        """Forget a view, if it is there; its subscriptions end."""
        self._end(view, f"view {view!r} was unregistered")
        if view in self.circuit.views or view in self.circuit.failed:
            self.circuit.unregister(view)

    # Who watches

    def attach(self, view: str, outbox: Outbox) -> Snapshot:
        """The view's value now, and every update after it into the outbox.

        Raises UnknownView, UsageError (the caller's) for a lazy view, which has no updates, or CircuitFailed.
        """
        watched = self.circuit.view(view)
        if watched.materialisation.lazy:
            raise UsageError(
                f"view {view!r} is lazy: it is computed when it is read, and tells no changes",
                hint="read it with rows() or snapshot(), subscribe to its query, or register it without lazy",
            )
        snapshot = watched.snapshot()
        if not outbox.closed:
            outbox.begin(snapshot)
            self._watchers.setdefault(view, []).append(outbox)
        return snapshot

    def detach(self, outbox: Outbox) -> None:
        """A subscriber leaves; the others go on."""
        outbox.close()
        watchers = self._watchers.get(outbox.view)
        if watchers is not None and outbox in watchers:
            watchers.remove(outbox)
            if not watchers:
                del self._watchers[outbox.view]

    # What goes wrong

    def lose(self) -> None:
        """The circuit failed: nothing pending of it is to be trusted."""
        for watchers in self._watchers.values():
            for outbox in watchers:
                outbox.lose()

    def adopt(self, circuit: Circuit, failed: Mapping[str, Exception], reason: str = REFILLED) -> None:
        """Go on with a circuit derived anew: subscribers get everything again, in its epoch.

        `failed`: the views that could not be computed this time.
        """
        self.circuit = circuit
        for view in list(self._watchers):
            held = circuit.views.get(view)
            if held is not None:
                reset = held.reset(held.version, held.epoch, reason)
                for outbox in self._watchers[view]:
                    outbox.push(reset, held.placements)
            elif view in failed:
                self._fail(view, failed[view])
            else:
                self._end(view, f"view {view!r} was unregistered")

    def close(self, reason: str, error: Exception | None = None) -> None:
        """The circuit is gone: every subscription ends."""
        for view in list(self._watchers):
            self._end(view, reason, error)

    def _publish(self, commit: Commit) -> Commit:
        watchers = self._watchers
        if watchers:
            for view, update in commit.updates.items():
                outboxes = watchers.get(view)
                if outboxes:
                    place = self.circuit.views[view].placements
                    for outbox in outboxes:
                        outbox.push(update, place)
            for view, error in commit.failed.items():
                self._fail(view, error)
        return commit

    def _fail(self, view: str, error: Exception) -> None:
        told = CircuitFailed(
            f"view {view!r} failed: {type(error).__name__}: {error}", hint="register it again to revive it"
        )
        self._end(view, told.message, told)

    def _end(self, view: str, reason: str, error: Exception | None = None) -> None:
        for outbox in self._watchers.pop(view, ()):
            outbox.end(reason, error)
