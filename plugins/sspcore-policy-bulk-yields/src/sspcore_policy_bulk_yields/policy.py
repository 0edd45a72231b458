"""The policy: a batch is bulk or live by its size; bulk may fill a part of the queue, and only while that moves.

Owns the rule. Pure: what it answers depends on its options and the arguments, and on nothing it saw before.
"""

from __future__ import annotations

import attrs

from sspcore.abc import Accept, Park, QueueStatistics, Refuse
from sspcore.errors import UsageError

ACCEPT = Accept()


@attrs.frozen
class BulkYieldsOptions:
    """Options of `bulk_yields`.

    Args: `bulk`, a batch of more changes than this is bulk; `share`, the part of the queue, in changes and in bytes,
    that bulk may fill; `lag`, seconds: while the oldest batch has waited longer, no bulk gets in (none: however long);
    `patience`, seconds a live batch waits for room in a full queue before it is refused (none: as long as it takes);
    `least_retry` and `most_retry`, the bounds of the `retry_after` that refused bulk is told.
    """

    bulk: int = 100
    share: float = 0.5
    lag: float | None = None
    patience: float | None = None
    least_retry: float = 0.05
    most_retry: float = 5.0

    def __attrs_post_init__(self) -> None:
        if self.bulk < 1:
            raise UsageError(f"bulk is a number of changes, at least 1, not {self.bulk!r}")
        if not 0 < self.share < 1:
            raise UsageError(f"share is a part of the queue, between 0 and 1, not {self.share!r}")
        for name, seconds in (("lag", self.lag), ("patience", self.patience)):
            if seconds is not None and not seconds >= 0:
                raise UsageError(f"{name} is a number of seconds, not {seconds!r}")
        if not 0 < self.least_retry <= self.most_retry:
            raise UsageError(f"0 < least_retry <= most_retry, not {self.least_retry!r} and {self.most_retry!r}")


class BulkYields:
    """Live batches use the whole queue and wait when it is full; bulk uses its share, and is refused beyond it.

    # Promises
    - A live batch is never refused; only its patience may end.
    - What bulk leaves stays free for live batches: behind an accepted bulk batch there is room for every other part of
      the queue, unless the queue was empty before it (into an empty queue goes any batch, or nothing might ever).
    - Bulk never waits in line: those behind a waiting batch wait, too, and bulk may wait long. It is refused with the
      time the part of the queue that is in its way takes to drain, judged by how long the oldest batch has waited.
    - Cost: a few comparisons.

    >>> policy = BulkYields(BulkYieldsOptions(bulk=10, share=0.5))
    >>> queue = QueueStatistics(depth=40, size=0, batches=1, capacity=100, max_bytes=1000, oldest=0.0)
    >>> policy.admit(queue, changes=60, size=0, now=1.0), policy.admit(queue, changes=10, size=0, now=1.0)
    (Refuse(retry_after=1.0), Accept())
    """

    def __init__(self, options: BulkYieldsOptions | None = None) -> None:
        self.options = options or BulkYieldsOptions()

    def admit(self, queue: QueueStatistics, changes: int, size: int, now: float) -> Accept | Park | Refuse:
        """Accept what fits; beyond that let live batches wait and refuse bulk."""
        options = self.options
        if queue.depth == 0:
            return ACCEPT
        if changes <= options.bulk:
            return ACCEPT if queue.fits(changes, size) else Park(options.patience)
        waited = 0.0 if queue.oldest is None else max(0.0, now - queue.oldest)
        over = max(  # how much of what is queued must go before it fits its share, as a part of what is queued
            (queue.depth + changes - options.share * queue.capacity) / queue.depth,
            (queue.size + size - options.share * queue.max_bytes) / queue.size if queue.size else 0.0,
        )
        late = options.lag is not None and waited > options.lag
        if over <= 0.0 and not late:
            return ACCEPT
        share = 1.0 if late else min(over, 1.0)  # once late it stays so until what came too fast is gone: all of it
        return Refuse(min(max(waited * share, options.least_retry), options.most_retry))
