"""Questions for policies: a queue, a batch, a time; and flows of batches from producers.

Owns what is likely to find a fault out: full, overfull and empty queues, batches larger than any, queues whose room is
spoken for (they look full and have no oldest batch). Refuses to judge answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import attrs

from sspcore.abc import QueueStatistics
from sspcore.testing.generate.choices import Choices

CAPACITIES: Final = (1, 2, 10, 1_000)
AGES: Final = (0.0, 0.125, 1.0, 60.0, 90_000.0)
TICK: Final = 0.125
"""Times are multiples of it, so that sums and differences of them are exact."""


@attrs.frozen
class Question:
    """What a policy is asked."""

    queue: QueueStatistics
    changes: int
    size: int
    now: float

    def ask(self, policy: Any) -> Any:
        """The answer."""
        return policy.admit(self.queue, self.changes, self.size, self.now)

    def shifted(self, seconds: float) -> Question:
        """The same, by a clock that began earlier."""
        oldest = self.queue.oldest
        queue = self.queue._replace(oldest=None if oldest is None else oldest + seconds)
        return attrs.evolve(self, queue=queue, now=self.now + seconds)

    def others(self) -> Iterator[Question]:
        """The same queue and time, and batches of other sizes."""
        capacity, most = self.queue.capacity, self.queue.max_bytes
        for changes in (1, 2, capacity // 2, capacity, capacity + 1, 50 * capacity):
            for size in {0, min(changes, most), most}:
                yield attrs.evolve(self, changes=max(1, changes), size=size)

    def __str__(self) -> str:
        queue = self.queue
        held = f"a queue of {queue.depth} of {queue.capacity} changes ({queue.size} of {queue.max_bytes} bytes)"
        if queue.oldest is not None:
            held += f", the oldest waiting {self.now - queue.oldest:g} s"
        return f"{held}; a batch of {self.changes} ({self.size} bytes) at {self.now:g} s"


def question(c: Choices) -> Question:
    """A question."""
    capacity, most = c.pick(CAPACITIES), c.pick((10, 100, 1_000_000))
    now = TICK * c.below(80_000)
    changes = c.pick((1, 1, 2, capacity, capacity + 1, 50 * capacity))
    size = c.pick((changes, 0, most, most + 1, 7))
    form = c.weighted(((3, "some"), (3, "full"), (2, "empty"), (1, "claimed"), (1, "overfull")))
    if form == "empty":
        return Question(QueueStatistics(0, 0, 0, capacity, most, None), changes, size, now)
    depth = {"some": c.between(1, capacity), "full": capacity, "claimed": capacity, "overfull": 60 * capacity}[form]
    held = c.pick((depth, c.below(most + 1), most))
    if form == "claimed":
        return Question(QueueStatistics(depth, max(held, most), 0, capacity, most, None), changes, size, now)
    oldest = now - c.pick(AGES)
    return Question(QueueStatistics(depth, held, c.between(1, depth), capacity, most, oldest), changes, size, now)


@attrs.frozen
class Flow:
    """Batches offered to one queue, and the seconds between."""

    capacity: int
    max_bytes: int
    batches: tuple[int, ...]
    interval: float

    @classmethod
    def drawn(cls, c: Choices) -> Flow:
        """A flow whose batches each fit the queue."""
        capacity = c.pick(CAPACITIES[1:])
        sizes = [c.pick((1, 2, max(1, capacity // 2), capacity)) for _ in range(c.between(1, 12))]
        return cls(capacity, 100 * capacity, tuple(sizes), c.pick((0.0, TICK, 60.0)))

    def endless(self) -> Iterator[int]:
        """The batches again and again, as many as any queue should refuse."""
        for at in range(40 * self.capacity + 40):
            yield self.batches[at % len(self.batches)]


def lesser(one: Question | Flow) -> Iterator[Question | Flow]:
    """Plainer ones of the kind."""
    if isinstance(one, Flow):
        for at in range(len(one.batches) if len(one.batches) > 1 else 0):
            yield attrs.evolve(one, batches=one.batches[:at] + one.batches[at + 1 :])
        for capacity in CAPACITIES[1:]:
            if capacity < one.capacity:
                yield Flow(capacity, 100 * capacity, tuple([min(b, capacity) for b in one.batches]), one.interval)
        if one.batches != (1,) * len(one.batches):
            yield attrs.evolve(one, batches=(1,) * len(one.batches))
        if one.interval:
            yield attrs.evolve(one, interval=0.0)
        return
    yield from _lesser_question(one)


def _lesser_question(one: Question) -> Iterator[Question]:
    queue = one.queue
    for depth in {0, 1, queue.capacity} if queue.depth else ():
        if depth < queue.depth:
            less = (0, 0, 0, None) if depth == 0 else (depth, queue.size, min(queue.batches, depth), queue.oldest)
            plain = queue._replace(depth=less[0], size=less[1], batches=less[2], oldest=less[3])
            yield attrs.evolve(one, queue=plain)
    for capacity in (1, 2, 10):
        if capacity < queue.capacity and queue.depth <= capacity:
            yield attrs.evolve(one, queue=queue._replace(capacity=capacity))
    if queue.max_bytes < 1_000_000 and queue.size <= queue.max_bytes:
        yield attrs.evolve(one, queue=queue._replace(max_bytes=1_000_000))
    if queue.depth and queue.size != queue.depth:
        yield attrs.evolve(one, queue=queue._replace(size=queue.depth))
    if queue.oldest is not None and one.now - queue.oldest not in (0.0, 1.0):
        yield attrs.evolve(one, queue=queue._replace(oldest=one.now - 1.0))
    if one.now != 100.0:
        yield one.shifted(100.0 - one.now)
    for changes in (1, 2, queue.capacity):
        if changes < one.changes:
            yield attrs.evolve(one, changes=changes)
    if one.size not in (0, one.changes):
        yield attrs.evolve(one, size=one.changes)
