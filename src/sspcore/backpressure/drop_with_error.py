"""Drop with error: when the queue is full, the batch is refused whole, at once. The producer never waits."""

from __future__ import annotations

import attrs

from sspcore.abc import Accept, Park, QueueStatistics, Refuse
from sspcore.backpressure.block import ACCEPT
from sspcore.errors import UsageError


@attrs.frozen
class DropWithErrorOptions:
    """Options of `drop_with_error`: the bounds, in seconds, of the `retry_after` a refused producer is told."""

    least_retry: float = 0.05
    most_retry: float = 5.0

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.least_retry <= self.most_retry:
            raise UsageError(f"0 <= least_retry <= most_retry, not {self.least_retry!r} and {self.most_retry!r}")


class DropWithError:
    """A full queue refuses with `Full`, naming when to try again.

    The front of the queue has waited about as long as the whole queue takes to drain: that is the time told.

    >>> DropWithError().admit(QueueStatistics(9, 0, 1, 10, 1000, 0.5), changes=2, size=0, now=1.5)
    Refuse(retry_after=1.0)
    """

    def __init__(self, options: DropWithErrorOptions | None = None) -> None:
        self.options = options or DropWithErrorOptions()

    def admit(self, queue: QueueStatistics, changes: int, size: int, now: float) -> Accept | Park | Refuse:
        """Accept what fits, refuse the rest."""
        if queue.fits(changes, size):
            return ACCEPT
        waited = 0.0 if queue.oldest is None else now - queue.oldest
        return Refuse(min(max(waited, self.options.least_retry), self.options.most_retry))
