"""What moves a circuit besides a batch: parameters, time, changes that were put off, and views that wait to be read.

Owns that part of the circuit's surface. How values move is `moving`; what a commit is, `commit`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sspcore.engine.change import Change
from sspcore.engine.deferred import Deferred
from sspcore.engine.moving import advance, rebind, refresh, unmoved
from sspcore.engine.sliced import apply_in_slices, register_in_slices
from sspcore.engine.update import Commit, Snapshot, ViewUpdate

if TYPE_CHECKING:
    from sspcore.engine.circuit import Circuit


class Moves:
    """The part of `Circuit` that this module owns; not to be used by itself."""

    now: datetime | None
    """What `$now` is: the time last told by `advance`; None (NULL) before."""
    _deferred: Deferred

    if TYPE_CHECKING:

        @property
        def _circuit(self) -> Circuit: ...

    def rebind(self, view_id: str, params: Mapping[str, Any]) -> ViewUpdate:
        """Give a view other parameters, and its readers the difference: a commit like any other.

        Args: `params`, the parameters that change; the others keep their values. Views whose queries read this view
        (`FROM view`) keep what they were registered with.
        Returns the update; without changes where the rows stay the same, and then no commit was made.
        Raises UnknownView, UsageError for a parameter the query lacks (the caller's); then nothing happened.
        Cost: O(rows that cross) where parameters are compared with columns of one table, as in `x BETWEEN $a AND $b`
        or `owner = $o`, once the first call has built the index that finds them; else that of computing the view.

        >>> from sspcore.engine.circuit import Circuit
        >>> circuit = Circuit()
        >>> _ = circuit.apply([Change("t", "upsert", n, {"x": n * 10}) for n in range(5)])
        >>> circuit.register("seen", "SELECT x FROM t WHERE x BETWEEN $from AND $to", {"from": 0, "to": 20}).rows
        [(0,), (10,), (20,)]
        >>> update = circuit.rebind("seen", {"from": 10, "to": 30})
        >>> update.added, update.removed
        (((30,),), ((0,),))
        """
        commit = rebind(self._circuit, view_id, params)
        return commit.updates[view_id] if view_id in commit.updates else self._circuit.view(view_id).unchanged()

    def advance(self, now: datetime) -> Commit:
        """Tell the time: every view that reads `$now` moves, all in one commit. Time never goes backwards.

        Args: `now`, an aware timestamp. Nothing else moves time, so a circuit without a clock is as good as one with.
        Raises UsageError (the caller's) for a time before the last, or none. No version is made where no row crosses.
        Cost: O(rows that cross), and a look at each view that tells the time.

        >>> from datetime import UTC, datetime, timedelta
        >>> from sspcore.engine.circuit import Circuit
        >>> circuit, noon = Circuit(), datetime(2013, 6, 24, 12, tzinfo=UTC)
        >>> _ = circuit.apply([Change("t", "upsert", n, {"at": noon + timedelta(minutes=n)}) for n in range(3)])
        >>> circuit.register("past", "SELECT id FROM t WHERE at <= $now").rows
        []
        >>> circuit.advance(noon + timedelta(minutes=1)).updates["past"].added
        ((0,), (1,))
        """
        return advance(self._circuit, now)

    def apply_sliced(self, changes: Iterable[Change], rows: int = 1_000) -> Generator[None, None, Commit]:
        """`apply` in steps of about so many rows, for those who must not be held up long: a generator to be driven.

        Until it ends the circuit serves nothing: all else raises Busy. It returns the Commit; closed before, or ended
        by an exception, it undoes everything. A view never is computed anew to save work, which would be one long step.
        Raises as `apply` does, when first driven. The steps are not all alike: judging the batch is one, and so is what
        each view tells of it.

        >>> from sspcore.engine.circuit import Circuit
        >>> from sspcore.engine.drained import drained
        >>> circuit = Circuit()
        >>> drained(circuit.apply_sliced([Change("t", "upsert", n, {"x": n}) for n in range(5)], rows=2)).version
        1
        """
        return apply_in_slices(self._circuit, list(changes), rows)

    def register_sliced(
        self, view_id: str, query: object, params: Mapping[str, Any] | None = None, *, replace: bool = False,
        format: str = "rows", lazy: bool = False, digest: bool = False, rows: int = 1_000,
    ) -> Generator[None, None, Snapshot]:  # fmt: skip
        """`register` in steps of about so many rows, for a view over tables that take long to go over.

        Until it ends the circuit serves nothing: all else raises Busy. It returns the Snapshot; closed before, or ended
        by an exception, nothing was registered. Raises as `register` does, when first driven. The rows are followed as
        if they came one by one, so the whole takes some times as long as `register`.

        >>> from sspcore.engine.circuit import Circuit
        >>> from sspcore.engine.drained import drained
        >>> circuit = Circuit()
        >>> _ = circuit.apply([Change("t", "upsert", n, {"x": n}) for n in range(5)])
        >>> drained(circuit.register_sliced("sum", "SELECT sum(x) AS x FROM t", rows=2)).rows
        [(10,)]
        """
        return register_in_slices(self._circuit, rows, (view_id, query, params, replace, format, lazy, digest))

    # Changes that wait, and views that wait

    @property
    def pending(self) -> int:
        """How many changes `defer` has put off."""
        return self._deferred.size

    def defer(self, changes: Iterable[Change]) -> int:
        """Put changes off until `flush`, or the next `apply`; gives how many wait then.

        They are judged when they are applied, since what precedes them may change the verdict.
        Raises Full, and takes none of them, where more than `options.pending_limit` would wait. Cost: O(changes).
        """
        return self._deferred.put(list(changes))

    def flush(self) -> Commit:
        """Apply all that was put off as one commit, and bring the lazy views up to date: their updates are in it.

        The update of a lazy view goes from when it was last read or flushed.
        Raises ChangeRejected (the producer's fault) when a change is refused: nothing happened then, and what was put
        off in one call together with that change is forgotten; the rest still waits, for another `flush`.
        """
        circuit, before = self._circuit, self._circuit.version
        commit = self._deferred.apply(circuit, []) if self._deferred.size else unmoved(circuit)
        return refresh(circuit, commit, before)
