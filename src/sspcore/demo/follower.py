"""A subscriber that keeps a view's rows by key from its first snapshot on, applying every update.

Owns that copy. It exists to be compared: whoever follows all updates must have what a newcomer is given.
"""

from __future__ import annotations

from typing import Any

import trio

from sspcore.runtime.runtime import Runtime


class Follower:
    """`rows`, key → row, as of `version`."""

    def __init__(self) -> None:
        self.rows: dict[Any, tuple[Any, ...]] = {}
        self.version = -1
        self._moved = trio.Event()

    async def follow(
        self, runtime: Runtime, view_id: str, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Follow the view until cancelled."""
        async with runtime.subscribe(view_id) as updates:
            self.rows = dict(zip(updates.snapshot.keys, updates.snapshot.rows, strict=True))
            self._reached(updates.snapshot.version)
            task_status.started()
            async for update in updates:
                if update.reset:
                    self.rows = {}
                for key, _, new in update.changes:
                    if new is None:
                        del self.rows[key]
                    else:
                        self.rows[key] = new
                self._reached(update.version)

    async def reach(self, version: int) -> None:
        """Wait until the copy is as new as `version`."""
        while self.version < version:
            await self._moved.wait()

    def _reached(self, version: int) -> None:
        self.version = version
        self._moved.set()
        self._moved = trio.Event()
