"""A circuit's input queue as a state machine: batches and commands, in the order they came.

Owns order, capacity figures and the accounting identity. Refuses to decide who may enter (policies do) and to wait
(the runtime does). What is in a batch is opaque here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import attrs

from sspcore.abc import QueueStatistics

TAKE = 256
"""Changes taken at once: enough that the cost of waking up (some 4 µs) vanishes, few enough that a step stays short."""


class Waiter(Protocol):
    """Whoever waits for a batch: told once per circuit what became of it."""

    def applied(self, circuit: str, version: int) -> None:
        """It is in the circuit's tables and views, by this version."""

    def lost(self, circuit: str) -> None:
        """The circuit gave up its queue; it will have the batch's effect after its refill."""


class Command(Protocol):
    """Something a circuit's task must do in its turn, outside capacity."""

    @property
    def survives(self) -> bool:
        """Whether it stays when the queue is given up (questions do; what a refill does anyway does not)."""


@attrs.define(eq=False, slots=True)
class Batch:
    """What one circuit gets of one admitted batch: (table, id, row or None) entries, and who waits for it."""

    entries: Sequence[tuple[str, Any, Any]]
    size: int = 0
    offset: int = 0
    waiter: Waiter | None = None
    backfill: bool = False
    at: float = 0.0

    @property
    def changes(self) -> int:
        """How many rows it carries."""
        return len(self.entries)


class Mailbox:
    """Batches and commands in order.

    Whenever no step is running: delivered = applied + no_ops + queued + discarded, all in rows.

    >>> mailbox = Mailbox(capacity=10)
    >>> mailbox.put(Batch([("t", 1, ("a",))]))
    >>> mailbox.put(Batch([("t", 2, ("b",))]))
    >>> run = mailbox.take()
    >>> len(run), mailbox.queued
    (2, 0)
    """

    def __init__(self, capacity: int, max_bytes: int = 2**26) -> None:
        self.capacity = capacity
        self.max_bytes = max_bytes
        self.wake: Callable[[], None] = _nobody
        self.delivered = self.applied = self.no_ops = self.discarded = 0
        self.queued = 0
        self.offset = 0
        self._depth = self._size = self._batches = 0
        self._items: deque[Any] = deque()

    def put(self, batch: Batch) -> None:
        """Queue a batch; whether it may enter was decided before."""
        changes = len(batch.entries)
        self.delivered += changes
        self.queued += changes
        if not batch.backfill:
            self._depth += changes
            self._size += batch.size
            self._batches += 1
        self._items.append(batch)
        self.wake()

    def command(self, command: Command) -> None:
        """Queue a command behind everything put before it."""
        self._items.append(command)
        self.wake()

    def urge(self, command: Command) -> None:
        """Queue a command ahead of everything."""
        self._items.appendleft(command)
        self.wake()

    def take(self, most: int = TAKE) -> list[Batch] | Command | None:
        """What comes next: a command; or at least one whole batch, and more while they hold `most` rows together."""
        items = self._items
        if not items:
            return None
        item = items.popleft()
        if type(item) is not Batch:
            command: Command = item
            return command
        run = [item]
        changes = self._left(item)
        while items and type(items[0]) is Batch and changes + len(items[0].entries) <= most:
            item = items.popleft()
            changes += self._left(item)
            run.append(item)
        return run

    def settle(self, run: Sequence[Batch], applied: int, no_ops: int) -> None:
        """Account for a run that was taken and applied."""
        self.applied += applied
        self.no_ops += no_ops
        self.offset = max(self.offset, run[-1].offset)

    def discard(self, taken: Sequence[Batch] = ()) -> list[Batch]:
        """Give up every batch queued, and `taken`, a run that could not be applied; commands that survive stay.

        Gives the batches given up. Their waiters are the caller's to tell.
        """
        lost = [*taken, *(item for item in self._items if type(item) is Batch)]
        self._items = deque(item for item in self._items if type(item) is not Batch and item.survives)
        self.discarded += sum([len(batch.entries) for batch in lost])
        self.queued = self._depth = self._size = self._batches = 0
        return lost

    def commands(self) -> list[Command]:
        """Take every command left, for a circuit that will never run again."""
        left, self._items = self._items, deque()
        return list(left)

    def statistics(self) -> QueueStatistics:
        """The queue as policies see it."""
        return QueueStatistics(
            self._depth, self._size, self._batches, self.capacity, self.max_bytes, self._oldest()
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self._items)

    def _left(self, batch: Batch) -> int:
        changes = len(batch.entries)
        self.queued -= changes
        if not batch.backfill:
            self._depth -= changes
            self._size -= batch.size
            self._batches -= 1
        return changes

    def _oldest(self) -> float | None:
        if not self._batches:
            return None
        for item in self._items:  # the front, but for the few commands and slices ahead of it
            if type(item) is Batch and not item.backfill:
                return item.at
        return None


def _nobody() -> None:
    """Nobody waits for items."""
