"""What a program holds of one circuit: a name, and a look at how it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sspcore.delivery.stage import Stage
from sspcore.engine.update import Result
from sspcore.runtime.circuit_task import Worker
from sspcore.runtime.environment import Environment
from sspcore.runtime.statistics import CircuitCounters, RuntimeView, circuit_of, views_of


class CircuitHandle:
    """A circuit of a runtime. Changes and views go through the runtime; this is for looking.

    Attributes: `name`.
    """

    def __init__(self, worker: Worker, environment: Environment) -> None:
        self.name = worker.lane.name
        self._worker = worker
        self._environment = environment

    def __repr__(self) -> str:
        return f"<CircuitHandle {self.name!r} {self.state}>"

    @property
    def state(self) -> str:
        """running, behind (it failed and will be derived anew), failed (it did so too often) or stopped."""
        return self._worker.lane.state.value

    @property
    def version(self) -> int:
        """The circuit's last commit."""
        return self._worker.stage.circuit.version

    @property
    def epoch(self) -> str:
        """The name of its numbering history: another one after every failure."""
        return self._worker.stage.circuit.epoch

    @property
    def views(self) -> Mapping[str, RuntimeView]:
        """View id → the view as it is now. Cost: O(views)."""
        return views_of(self._worker)

    async def query(self, query: object, params: Mapping[str, Any] | None = None) -> Result:
        """Answer a one-off query from the rows the circuit holds, after everything admitted before; nothing is kept.

        Args: `query`, as for `Runtime.query`; the circuit's views may be named. A partition's circuit holds its share.
        Raises NotCovered when it takes rows the circuit does not hold, SqlError, PlanError or UsageError (the caller's)
        or CircuitFailed. Cost: that of computing it once, in the circuit's turn.
        """
        worker = self._worker
        worker.require()
        asked = worker.stage.circuit if worker.lane.running else None
        if asked is not None:
            worker.registry.require_covered(worker.lane, query, params)

        def answer(stage: Stage) -> Result:
            if stage.circuit is not asked:  # derived anew meanwhile, with what its views want by now
                worker.registry.require_covered(worker.lane, query, params)
            return stage.circuit.query(query, params)

        return await worker.ask(answer)

    def statistics(self) -> CircuitCounters:
        """Counters, frozen. Cost: O(views)."""
        return circuit_of(self._worker, self._environment.now())
