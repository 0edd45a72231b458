"""Block: when the queue is full, the producer waits its turn. Nothing is lost, nothing reordered."""

from __future__ import annotations

import attrs

from sspcore.abc import Accept, Park, QueueStatistics, Refuse
from sspcore.errors import UsageError

ACCEPT = Accept()


@attrs.frozen
class BlockOptions:
    """Options of `block`: `deadline`, the seconds a producer waits at most before it gets `Full`; none by default."""

    deadline: float | None = None

    def __attrs_post_init__(self) -> None:
        if self.deadline is not None and not self.deadline >= 0:
            raise UsageError(f"deadline is a number of seconds, not {self.deadline!r}")


class Block:
    """The producer waits until its batch fits, at most `deadline` seconds.

    >>> Block().admit(QueueStatistics(9, 0, 1, 10, 1000, 0.0), changes=2, size=0, now=1.0)
    Park(patience=None)
    """

    def __init__(self, options: BlockOptions | None = None) -> None:
        self.options = options or BlockOptions()

    def admit(self, queue: QueueStatistics, changes: int, size: int, now: float) -> Accept | Park | Refuse:
        """Accept what fits, park the rest."""
        return ACCEPT if queue.fits(changes, size) else Park(self.options.deadline)
