"""What waits for one peer's socket: answers first, then one text of a view at a time.

Owns the order of what is sent and its bound: a view's text is handed over only when the writer is ready for it, so
what a slow peer has not read yet stays where it coalesces, in its subscriptions. Refuses to know sockets and messages.
"""

from __future__ import annotations

from collections import deque

import trio

from sspcore.wire.session import SLOW, Hangup


class Outgoing:
    """Two lanes to one writer. `reply` never waits; `push` waits until the writer has taken the text."""

    def __init__(self, max_replies: int) -> None:
        self._replies: deque[str] = deque()
        self._max_replies = max_replies
        self._text: str | None = None
        self._taken = trio.Event()
        self._turn = trio.StrictFIFOLock()
        self._hangup: Hangup | None = None
        self._due = trio.Event()

    def reply(self, text: str) -> None:
        """Queue an answer ahead of every view. A peer that asks on and on without reading is hung up on."""
        if len(self._replies) >= self._max_replies:
            self.hang_up(Hangup(SLOW, "answers are not read"))
        else:
            self._replies.append(text)
            self._due.set()

    def hang_up(self, hangup: Hangup) -> None:
        """Close after the answers that are due; the first reason given stands."""
        self._hangup = self._hangup or hangup
        self._due.set()

    async def push(self, text: str) -> None:
        """Hand over a text of a view; views take turns. Cancelled before the writer took it, it is not sent."""
        async with self._turn:
            self._text, self._taken = text, trio.Event()
            self._due.set()
            try:
                await self._taken.wait()
            finally:
                if not self._taken.is_set():
                    self._text = None

    async def take(self) -> str | Hangup:
        """The next thing to do; waits for it. For the one writer."""
        while True:
            if self._replies:
                return self._replies.popleft()
            if self._hangup is not None:
                return self._hangup
            if self._text is not None:
                text, self._text = self._text, None
                self._taken.set()
                return text
            self._due = trio.Event()
            await self._due.wait()
