"""The guard around a strategy: its faults make routing slower, never wrong.

Owns the plain truth of which circuits read which table, and falls back on it ("falls open") when the strategy raises
or answers nonsense; a partition, whose circuits hold shares, cannot: there the batch is refused. Refuses to log: it
counts, and keeps the first error for those who do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sspcore.abc import Interests, Reason, Resolved, Routing, RoutingStrategy
from sspcore.errors import ChangeRejected, PluginError
from sspcore.routing.dependency import Dependency


class Guard:
    """A strategy that cannot lose rows by failing.

    A `route` that raises falls open for that batch. A strategy that raises while being told of a circuit or a view
    no longer knows what it must, so from then on every batch falls open.

    Attributes: `fell_open`, how many batches; `error`, the first fault; `on_fault`, called with it, once.
    """

    def __init__(self, strategy: RoutingStrategy, name: str = "") -> None:
        self.strategy = strategy
        self.name = name or type(strategy).__name__
        self.fell_open = 0
        self.error: PluginError | None = None
        self.on_fault: Callable[[PluginError], None] = _nobody
        self._trusted = True
        self._truth = Dependency()
        self._circuits: set[str] = set()
        self._holds: Callable[[str, Resolved], bool] | None = getattr(strategy, "holds", None)

    def share(self, circuit: str) -> Callable[[Resolved], bool] | None:
        """Whether a circuit holds a row, under a partition; None when it holds every row of the tables it reads."""
        return None if self._holds is None else partial(self._held, circuit)

    def _held(self, circuit: str, row: Resolved) -> bool:
        try:
            return bool(self._holds is not None and self._holds(circuit, row))
        except Exception as error:  # noqa: BLE001 - a row too few in one circuit, not one that is another's
            self._note("holds", error)
            return False

    def circuit_added(self, circuit: str) -> None:
        """Tell of a circuit."""
        self._circuits.add(circuit)
        self._tell("circuit_added", circuit)

    def circuit_removed(self, circuit: str) -> None:
        """Tell that a circuit is gone."""
        self._circuits.discard(circuit)
        self._tell("circuit_removed", circuit)

    def view_added(self, circuit: str, view: str, interests: Interests) -> None:
        """Tell of a view."""
        self._tell("view_added", circuit, view, interests)

    def view_removed(self, circuit: str, view: str) -> None:
        """Tell that a view is gone."""
        self._tell("view_removed", circuit, view)

    def route(self, rows: Sequence[Resolved]) -> Routing:
        """The strategy's answer; where it fails, every circuit that reads the row's table.

        Raises ChangeRejected or PluginError where a partition has no answer.
        """
        if self._trusted:
            try:
                routing = self.strategy.route(rows)
                if len(routing) == len(rows) and self._sound(routing):
                    return routing
                raise ValueError(f"{shown_routing(routing)} does not answer {len(rows)} rows with known circuits")
            except Exception as error:
                if self._holds is not None and isinstance(error, ChangeRejected):
                    raise
                self._note("route", error)
                self._refuse(error)
        self._refuse(self.error)
        self.fell_open += 1
        return self._truth.route(rows)

    def explain(self, row: Resolved) -> Sequence[Reason]:
        """The strategy's reasons; where it fails, the truth's, saying so."""
        if self._trusted:
            try:
                return list(self.strategy.explain(row))
            except Exception as error:
                if self._holds is not None and isinstance(error, ChangeRejected):
                    raise
                self._note("explain", error)
        return [
            Reason(r.circuit, r.routed, f"{r.why} (strategy {self.name!r} failed, so all readers get it)")
            for r in self._truth.explain(row)
        ]

    def _sound(self, routing: Routing) -> bool:
        """Whether every target is a circuit there is. Strategies hand out few tuples again and again: look once."""
        seen: set[int] = set()
        known = self._circuits
        for targets in routing:
            mark = id(targets)
            if mark in seen:
                continue
            seen.add(mark)
            for circuit, kind in targets:
                if circuit not in known or (kind != "put" and kind != "retract"):
                    return False
        return True

    def _tell(self, event: str, *args: Any) -> None:
        getattr(self._truth, event)(*args)
        if self._trusted:
            try:
                getattr(self.strategy, event)(*args)
            except Exception as error:  # noqa: BLE001 - as above
                self._trusted = False
                self._note(event, error)

    def _refuse(self, error: Exception | None) -> None:
        if self._holds is not None:
            raise PluginError(
                f"routing strategy {self.name!r} failed: {error}",
                hint="nothing was accepted: circuits hold shares, so the rows cannot go to all of them",
            ) from error

    def _note(self, event: str, error: Exception) -> None:
        if self.error is None:
            told = "from now on " if not self._trusted else ""
            consequence = f"{told}all circuits that read a table get its changes; views stay right, work is wasted"
            if self._holds is not None:
                consequence = f"{told}batches it has no answer for are refused"
            self.error = PluginError(
                f"routing strategy {self.name!r}: {event} failed with {type(error).__name__}: {error}",
                hint=consequence,
            )
            self.on_fault(self.error)


def shown_routing(routing: object) -> str:
    """A routing for a message: its beginning."""
    text = repr(routing)
    return text if len(text) <= 80 else text[:79] + "…"


def _nobody(error: PluginError) -> None:
    """Nobody wants to know."""
