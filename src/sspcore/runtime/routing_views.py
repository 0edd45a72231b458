"""Routing views of a runtime: the queries by which its strategy routes, read and watched like any view.

Owns the subscriptions to them, and that these end. Refuses to know strategies: one that has such views keeps them in a
`circuit` of its own and has a method `watch` (`routing.meta`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import trio

from sspcore.delivery.outbox import Outbox
from sspcore.engine.circuit import Circuit
from sspcore.engine.explain import Explanation
from sspcore.engine.update import Snapshot
from sspcore.errors import UsageError
from sspcore.index.statistics import IndexStatistics
from sspcore.routing.guard import Guard
from sspcore.runtime.subscription import Subscription


class RoutingViews:
    """The routing views of the strategy in force; found at `Runtime.routing`.

    Raises UsageError (the caller's) where the strategy has none, UnknownView for one it does not have.
    """

    def __init__(self, router: Guard, require_open: Callable[[], None]) -> None:
        self._router = router
        self._require_open = require_open
        self._outboxes: dict[Outbox, None] = {}

    @property
    def views(self) -> tuple[str, ...]:
        """Their names; none where the strategy has none."""
        circuit = getattr(self._router.strategy, "circuit", None)
        return tuple(circuit.views) if isinstance(circuit, Circuit) else ()

    def statistics(self) -> Mapping[str, IndexStatistics]:
        """Table → the index its rows are looked up in, by a strategy that keeps one. Cost: O(interests)."""
        statistics = getattr(self._router.strategy, "statistics", None)
        return {} if statistics is None else statistics()

    def snapshot(self, view: str) -> Snapshot:
        """What one of them says, as of everything admitted. Cost: O(rows)."""
        return self._strategy().circuit.view(view).snapshot()  # type: ignore[no-any-return]

    def explain(self, view: str) -> Explanation:
        """The plan of one of them, for people."""
        circuit = self._strategy().circuit
        circuit.view(view)
        return circuit.explain(view)  # type: ignore[no-any-return]

    @asynccontextmanager
    async def subscribe(self, view: str) -> AsyncIterator[Subscription]:
        """Watch one of them: its snapshot, then every change, as one cut; a slow reader delays nobody."""
        self._require_open()
        strategy = self._strategy()
        held = strategy.circuit.view(view)
        outbox = Outbox(view)
        snapshot = held.snapshot()
        outbox.begin(snapshot)
        leave = strategy.watch(view, lambda update: outbox.push(update, held.placements))
        self._outboxes[outbox] = None
        try:
            await trio.lowlevel.checkpoint()
            yield Subscription(outbox, snapshot)
        finally:
            leave()
            outbox.close()
            self._outboxes.pop(outbox, None)

    def close(self, reason: str) -> None:
        """Every subscription gets what happened before, then ends: the strategy is in force no more."""
        for outbox in self._outboxes:
            outbox.end(reason)
        self._outboxes = {}

    def _strategy(self) -> Any:
        if not self.views:
            raise UsageError(
                f"the routing strategy {self._router.name!r} has no routing views", hint="strategy 'meta' has"
            )
        return self._router.strategy
