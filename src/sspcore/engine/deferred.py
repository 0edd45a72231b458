"""Changes put off: what waits for a flush, in the order it came.

Owns the queue and its limit, and which call's changes a refusal takes out. Refuses to judge changes (`door`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sspcore.engine.change import Change
from sspcore.engine.commit import commit_batch
from sspcore.engine.update import Commit
from sspcore.errors import ChangeRejected, Full

if TYPE_CHECKING:
    from sspcore.engine.circuit import Circuit


class Deferred:
    """Calls of `defer`, and how many changes they hold.

    Args: `limit`, the most changes that may wait; None: as many as there is memory for.
    """

    __slots__ = ("_calls", "_limit", "size")

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._calls: list[list[Change]] = []
        self.size = 0

    def put(self, changes: list[Change]) -> int:
        """Take the changes of one call, or raise Full and take none; gives how many wait."""
        if self._limit is not None and self.size + len(changes) > self._limit:
            raise Full(
                f"{self.size} changes wait, {len(changes)} more would be above pending_limit = {self._limit}",
                depth=self.size, capacity=self._limit, retry_after=0.0, hint="flush, then defer them again",
            )  # fmt: skip
        if changes:
            self._calls.append(changes)
            self.size += len(changes)
        return self.size

    def apply(self, circuit: Circuit, after: Sequence[Change]) -> Commit:
        """Apply what waits, then `after`, as one batch. Raises ChangeRejected, its index within the call at fault.

        Then nothing happened, and where the fault is in a call that waited, that call is taken out.
        """
        batch = [change for call in self._calls for change in call]
        batch += after
        try:
            resolution = circuit._door.resolve(batch)
        except ChangeRejected as error:
            self._take_out(error)
            raise
        commit = commit_batch(circuit, resolution)
        self._calls, self.size = [], 0
        return commit

    def _take_out(self, error: ChangeRejected) -> None:
        at = error.index or 0
        for number, call in enumerate(self._calls):
            if at < len(call):
                del self._calls[number]
                self.size -= len(call)
                break
            at -= len(call)
        error.index = at
