"""How often a circuit may fail: back off a little longer each time, give up when it fails again and again.

Owns the decision; time and chance are arguments.
"""

from __future__ import annotations

from collections import deque

MOST = 5
WITHIN = 60.0
"""More than five restarts in a minute is no hiccup. (Erlang allows one in five seconds, but has no backoff.)"""
FIRST, LONGEST = 0.1, 30.0
"""The bounds of the backoff, in seconds."""
HEALTHY = 60.0
"""After so many seconds without a failure the backoff starts from the beginning."""


class Restarts:
    """The failures of one circuit.

    >>> restarts = Restarts()
    >>> restarts.failed(now=0.0, chance=1.0), restarts.failed(now=0.2, chance=1.0)
    (0.1, 0.2)
    """

    def __init__(self, most: int = MOST, within: float = WITHIN) -> None:
        self.count = 0
        self._most = most
        self._within = within
        self._recent: deque[float] = deque()
        self._streak = 0

    def failed(self, now: float, chance: float) -> float | None:
        """A failure at `now`: the seconds to wait before the restart, or None: give up.

        `chance`, in [0, 1), is full jitter: circuits that failed together do not come back together.
        """
        if self._recent and now - self._recent[-1] >= HEALTHY:
            self._streak = 0
        self._recent.append(now)
        while now - self._recent[0] > self._within:
            self._recent.popleft()
        if len(self._recent) > self._most:
            return None
        self.count += 1
        wait = min(LONGEST, FIRST * 2.0**self._streak) * chance
        self._streak = min(self._streak + 1, 16)
        return wait
