"""Hybrid: named tables to every circuit, the others to their readers, and what nobody reads as configured.

Owns which of the three answers a row; the answers are those of `Broadcast`, and of `Dependency` or `Predicate`. Never
fewer circuits than those a row concerns, so views are right whatever is configured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from sspcore.abc import Interests, Reason, Resolved, Routing, Target
from sspcore.errors import UsageError, did_you_mean
from sspcore.index.statistics import IndexStatistics
from sspcore.routing.broadcast import Broadcast
from sspcore.routing.dependency import Dependency
from sspcore.routing.predicate import Predicate

BY = ("dependency", "predicate")
FALLBACKS = ("drop", "broadcast", "default")


@attrs.frozen
class HybridOptions:
    """Options of `hybrid`.

    Args: `broadcast`, tables whose rows go to every circuit; `by`, how the others are routed: "dependency", every row
    to the readers of its table, or "predicate", a row to those it concerns; `fallback`, what becomes of rows no view
    reads: "drop" (they stay in the runtime's base tables, counted as unrouted), "broadcast", or "default"; `default`,
    the circuit for them then.
    """

    broadcast: tuple[str, ...] = ()
    by: str = "dependency"
    fallback: str = "drop"
    default: str = "main"

    def __attrs_post_init__(self) -> None:
        if self.fallback not in FALLBACKS:
            raise UsageError(f"fallback {self.fallback!r} is none", hint=did_you_mean(self.fallback, FALLBACKS))
        if self.by not in BY:
            raise UsageError(f"by {self.by!r} is none", hint=did_you_mean(self.by, BY))
        if self.by == "predicate" and self.fallback != "drop":
            raise UsageError(
                f"fallback {self.fallback!r} sends rows to circuits they do not concern; by 'predicate' none go there",
                hint="leave out the fallback, or list those tables under broadcast",
            )
        if not self.default:
            raise UsageError("default is the name of a circuit, not ''")


class Hybrid:
    """Broadcast tables, then readers, then the fallback. Cost: two lookups a row, or a look into an index.

    >>> hybrid = Hybrid(HybridOptions(broadcast=("carriers",), fallback="default", default="ops"))
    >>> for circuit in ("main", "ops"):
    ...     hybrid.circuit_added(circuit)
    >>> list(hybrid.route([Resolved("carriers", "AA", None, ("AA",)), Resolved("weather", 1, None, (1,))]))
    [(('main', 'put'), ('ops', 'put')), (('ops', 'put'),)]
    """

    def __init__(self, options: HybridOptions | None = None) -> None:
        self.options = options or HybridOptions()
        self._tables = frozenset(self.options.broadcast)
        self._everyone = Broadcast()
        self._readers = Predicate() if self.options.by == "predicate" else Dependency()
        self._circuits: set[str] = set()
        self._default: tuple[tuple[Target, ...], tuple[Target, ...]] = (), ()

    def selects(self, table: str) -> bool:
        """By predicate, the tables that are not broadcast."""
        return self.options.by == "predicate" and table not in self._tables

    def circuit_added(self, circuit: str) -> None:
        """Broadcast there too; it may be the default."""
        self._circuits.add(circuit)
        self._everyone.circuit_added(circuit)
        self._readers.circuit_added(circuit)
        self._choose()

    def circuit_removed(self, circuit: str) -> None:
        """Nothing goes there any more, by none of the three ways."""
        self._circuits.discard(circuit)
        self._everyone.circuit_removed(circuit)
        self._readers.circuit_removed(circuit)
        self._choose()

    def view_added(self, circuit: str, view: str, interests: Interests) -> None:
        """Its circuit reads these tables."""
        self._readers.view_added(circuit, view, interests)

    def view_changed(self, circuit: str, view: str, old: Interests, new: Interests) -> None:
        """Its circuit reads old and new tables until `view_settled`."""
        self._readers.view_changed(circuit, view, old, new)

    def view_settled(self, circuit: str, view: str) -> None:
        """Its circuit reads the new tables only."""
        self._readers.view_settled(circuit, view)

    def view_removed(self, circuit: str, view: str) -> None:
        """Its circuit reads what its other views read."""
        self._readers.view_removed(circuit, view)

    def route(self, rows: Sequence[Resolved]) -> Routing:
        """Where the table is not broadcast, its readers; where there are none, the fallback."""
        tables, (puts, retracts) = self._tables, self._default
        everyone, readers = self._everyone.route(rows), self._readers.route(rows)
        if self.options.fallback == "broadcast":
            return [all_ if row[0] in tables else some or all_
                    for row, all_, some in zip(rows, everyone, readers, strict=True)]  # fmt: skip
        return [all_ if row[0] in tables else some or (retracts if row[3] is None else puts)
                for row, all_, some in zip(rows, everyone, readers, strict=True)]  # fmt: skip

    def explain(self, row: Resolved) -> Sequence[Reason]:
        """Which of the three ways answered."""
        if row.table in self._tables:
            return [Reason(r.circuit, True, f"{row.table} is a broadcast table") for r in self._everyone.explain(row)]
        reasons = self._readers.explain(row)
        if self.options.by == "predicate" or any(reason.routed for reason in reasons):
            return reasons
        ((*targets,),) = self.route([row])
        chosen = {circuit for circuit, _ in targets}
        return [
            Reason(r.circuit, True, f"nobody reads {row.table}; the fallback is {self.options.fallback}")
            if r.circuit in chosen else r
            for r in reasons
        ]  # fmt: skip

    def statistics(self) -> Mapping[str, IndexStatistics]:
        """Table → what its index holds, by predicate. Cost: O(interests)."""
        return self._readers.statistics() if isinstance(self._readers, Predicate) else {}

    def _choose(self) -> None:
        """The targets of rows nobody reads, unless they are broadcast."""
        default = self.options.default
        chosen = self.options.fallback == "default" and default in self._circuits
        self._default = (((default, "put"),), ((default, "retract"),)) if chosen else ((), ())
