"""The guard around a strategy: its faults make routing slower, never wrong.

Owns the plain truth of which circuits are interested in which rows, and falls back on it ("falls open") when the
strategy raises or answers nonsense; a partition, whose circuits hold shares, cannot: there the batch is refused.
Refuses to log: it counts, and keeps the first error for those who do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sspcore.abc import Move, Reason, Resolved, Routing, RoutingStrategy, Target
from sspcore.errors import ChangeRejected, PluginError, defined_at
from sspcore.routing.ledger import Ledger
from sspcore.routing.listening import Listening


class Guard(Listening):
    """A strategy that cannot lose rows by failing.

    A `route` that raises falls open for that batch: to every reader of a table, and where the strategy selects rows, to
    exactly those interested, each asked. A strategy that raises while being told of a circuit or a view no longer knows
    what it must, so from then on every batch falls open.

    Attributes: `fell_open`, how many batches; `error`, the strategy's first fault; `on_fault`, called with it, once.
    """

    def __init__(self, strategy: RoutingStrategy, name: str = "") -> None:
        self.fell_open = 0
        self.on_fault: Callable[[PluginError], None] = _nobody
        self._take(strategy, name or type(strategy).__name__)

    def _take(self, strategy: RoutingStrategy, name: str) -> None:
        self.strategy = strategy
        self.name = name
        self.error: PluginError | None = None
        self._trusted = True
        self._truth = Ledger()
        self._circuits: set[str] = set()
        self._holds: Callable[[str, Resolved], bool] | None = getattr(strategy, "holds", None)
        self._selects: Callable[[str], bool] | None = getattr(strategy, "selects", None)
        self._selected: dict[str, bool] = {}
        self._addressed: Callable[[str], bool] | None = getattr(strategy, "addressed", None)
        self._by_address: dict[str, bool] = {}
        self.watching = callable(getattr(strategy, "admitted", None))
        """Whether the strategy must be told of rows that are in."""

    def become(self, other: Guard) -> None:
        """Go on with another guard's strategy, and all it was told; for everyone who holds this one."""
        self._take(other.strategy, other.name)
        self._truth, self._circuits, self._selected = other._truth, other._circuits, other._selected
        self._by_address = other._by_address

    @property
    def by_address(self) -> bool:
        """Whether the strategy may ask addresses of a table."""
        return self._addressed is not None

    def addressed(self, table: str) -> bool:
        """Whether the strategy asks addresses of this table. What was answered once holds for good."""
        return self._answer("addressed", self._addressed, self._by_address, table)

    @property
    def partition(self) -> bool:
        """Whether circuits hold shares."""
        return self._holds is not None

    def selects(self, table: str) -> bool:
        """Whether circuits hold of a table only what interests their views. What was answered once holds for good."""
        return self._answer("selects", self._selects, self._selected, table)

    def _answer(self, event: str, ask: Callable[[str], bool] | None, known: dict[str, bool], table: str) -> bool:
        """What the strategy says of a table, asked once; no, where it does not offer the question."""
        if ask is None:
            return False
        answer = known.get(table)
        if answer is None:
            try:
                answer = bool(ask(table))
            except Exception as error:  # noqa: BLE001 - what it does with the table cannot be known
                answer, self._trusted = False, False
                self._note(event, error)
            known[table] = answer
        return answer

    def admitted(self, rows: Sequence[Resolved]) -> Sequence[Move]:
        """Tell a strategy that watches of the rows that are in; gives what moves between circuits."""
        if not (self.watching and self._trusted):
            return ()
        try:
            watched = [row for row in rows if self.strategy.watches(row.table)]  # type: ignore[attr-defined]
            if not watched:
                return ()
            moves = [Move(*move) for move in self.strategy.admitted(watched)]  # type: ignore[attr-defined]
            return [move for move in moves if move.circuit in self._circuits]
        except Exception as error:  # noqa: BLE001 - it no longer knows what it must
            self._trusted = False
            self._note("admitted", error)
            return ()

    def settled(self, circuit: str, table: str) -> None:
        """Tell a strategy that a circuit has given up what it lost of a table."""
        self._tell_strategy("settled", circuit, table)

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
        super().circuit_added(circuit)

    def circuit_removed(self, circuit: str) -> None:
        """Tell that a circuit is gone."""
        self._circuits.discard(circuit)
        super().circuit_removed(circuit)

    def route(self, rows: Sequence[Resolved]) -> Routing:
        """The strategy's answer; where it fails, every circuit that reads the row's table, or is interested in the row.

        Raises ChangeRejected or PluginError where a partition has no answer.
        """
        if self._trusted:
            try:
                routing = self.strategy.route(rows)
                if len(routing) == len(rows) and self._sound(routing):
                    return routing
                raise ValueError(
                    f"{shown_routing(routing)} does not answer {len(rows)} rows with circuits there are; a routing "
                    "has, for each row in order, (circuit, 'put' or 'retract') pairs"
                )
            except Exception as error:
                if self._holds is not None and isinstance(error, ChangeRejected):
                    raise
                self._note("route", error)
                self._refuse(error)
        self._refuse(self.error)
        self.fell_open += 1
        return self._open(rows)

    def explain(self, row: Resolved) -> Sequence[Reason]:
        """The strategy's reasons; where it fails, the truth's, saying so."""
        if self._trusted:
            try:
                return list(self.strategy.explain(row))
            except Exception as error:
                if self._holds is not None and isinstance(error, ChangeRejected):
                    raise
                self._note("explain", error)
        return self._reasons(row)

    def _open(self, rows: Sequence[Resolved]) -> Routing:
        """What the truth says of each row."""
        readers: dict[tuple[str, bool], tuple[Target, ...]] = {}
        routing: list[tuple[Target, ...]] = []
        for row in rows:
            if self.selects(row.table):
                routing.append(self._truth.targets(row))
                continue
            way = row.table, row.new is None
            targets = readers.get(way)
            if targets is None:
                kind: Any = "retract" if row.new is None else "put"
                targets = readers[way] = tuple([(circuit, kind) for circuit in self._truth.readers(row.table)])
            routing.append(targets)
        return routing

    def _reasons(self, row: Resolved) -> Sequence[Reason]:
        failed = f"(strategy {self.name!r} failed, so all readers get it)"
        if self.selects(row.table):
            failed = f"(strategy {self.name!r} failed, so each interest was asked)"
            return [Reason(r.circuit, r.routed, f"{r.why} {failed}") for r in self._truth.reasons(row)]
        readers = self._truth.readers(row.table)
        reasons = []
        for circuit in self._truth.circuits:
            views = sorted({view for of in readers.get(circuit, {}).values() for view in of})
            why = f"read by {', '.join(views)}" if views else f"no view of it reads {row.table}"
            reasons.append(Reason(circuit, circuit in readers, f"{why} {failed}"))
        return reasons

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
        self._tell_strategy(event, *args)

    def _tell_strategy(self, event: str, *args: Any) -> None:
        if self._trusted:
            try:
                getattr(self.strategy, event)(*args)
            except Exception as error:  # noqa: BLE001 - it no longer knows what it must
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
            if self._selects is not None:
                consequence = f"{told}each interest is asked about each row; views stay right, it takes longer"
            if self._holds is not None:
                consequence = f"{told}batches it has no answer for are refused"
            where = defined_at(getattr(self.strategy, event, None))
            self.error = PluginError(
                f"routing strategy {self.name!r}: {event}{where} failed with {type(error).__name__}: {error}",
                hint=consequence,
            )
            self.on_fault(self.error)


def shown_routing(routing: object) -> str:
    """A routing for a message: its beginning."""
    text = repr(routing)
    return text if len(text) <= 80 else text[:79] + "…"


def _nobody(error: PluginError) -> None:
    """Nobody wants to know."""
