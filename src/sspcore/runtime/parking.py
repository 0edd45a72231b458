"""Waiting: for the next item, for an answer, for a batch to be applied.

Owns who sleeps and who wakes them. Each sleeper looks and parks without a pause between, so no wake-up is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import trio

T = TypeVar("T")


class Parking:
    """A place for one task. `wake` does nothing when nobody is parked: the sleeper looks before it parks."""

    __slots__ = ("_task",)

    def __init__(self) -> None:
        self._task: trio.lowlevel.Task | None = None

    def wake(self) -> None:
        """Let the parked task go on."""
        task = self._task
        if task is not None:
            self._task = None
            trio.lowlevel.reschedule(task)

    async def park(self) -> None:
        """Sleep until `wake`. Cancellable. Raises BusyResourceError when another task is parked here."""
        if self._task is not None:
            raise trio.BusyResourceError("another task is waiting here already")
        self._task = trio.lowlevel.current_task()

        def abort(_: object) -> trio.lowlevel.Abort:
            self._task = None
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)


class Reply(Generic[T]):
    """An answer somebody will give, once; any number may wait for it."""

    __slots__ = ("_error", "_lot", "_value", "done")

    def __init__(self) -> None:
        self.done = False
        self._value: T | None = None
        self._error: Exception | None = None
        self._lot = trio.lowlevel.ParkingLot()

    def set(self, value: T) -> None:
        """Answer."""
        self._value, self.done = value, True
        self._lot.unpark_all()

    def fail(self, error: Exception) -> None:
        """Answer with an error, raised in everyone who waits."""
        if not self.done:
            self._error, self.done = error, True
            self._lot.unpark_all()

    async def wait(self) -> T:
        """The answer. A checkpoint."""
        if self.done:
            await trio.lowlevel.checkpoint()
        else:
            await self._lot.park()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set, when there is no error


class Applied:
    """Waits until a batch is applied in every circuit that queued it, or given up there."""

    __slots__ = ("_left", "_parking", "behind", "versions")

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.behind: list[str] = []
        self._left = 0
        self._parking = Parking()

    def applied(self, circuit: str, version: int) -> None:
        """One circuit has it."""
        self.versions[circuit] = version
        self._answered()

    def lost(self, circuit: str) -> None:
        """One circuit gave up its queue."""
        self.behind.append(circuit)
        self._answered()

    async def wait(self, circuits: Sequence[str]) -> None:
        """Sleep until each of the circuits has answered; those that have done so already count."""
        self._left += len(circuits)
        if self._left > 0:
            await self._parking.park()
        else:
            await trio.lowlevel.checkpoint()

    def _answered(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._parking.wake()
