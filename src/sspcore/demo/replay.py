"""When the day's changes are due: its own clock, made faster.

Owns the arithmetic of time. Refuses to wait, and to know what time it is: moments and seconds are arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sspcore.engine.change import Change

THREE_MINUTES = 180.0
LONGEST_WAIT = 1.0
"""Seconds without a change after which someone watching thinks that it hangs; before dawn there are hours of them."""
BATCH = 250
"""Changes per batch where many are due at once: a morning's schedule should not be one jump on the page."""


def default_speed(first: datetime, last: datetime) -> float:
    """How many times faster the day must run to take three minutes."""
    return max(1.0, (last - first).total_seconds() / THREE_MINUTES)


def due(
    changes: Iterable[tuple[datetime, Change]],
    speed: float | None,
    most: int = BATCH,
    longest: float | None = None,
) -> Iterator[tuple[float, datetime, list[Change]]]:
    """(seconds after the start, moment of the day, changes) in order: what has one moment goes together.

    `speed` None means everything is due at once. At most `most` changes are given at a time. No wait is longer than
    `longest` seconds, where it is given: quiet hours are cut short.

    >>> from datetime import UTC
    >>> from sspcore.engine.change import delete
    >>> noon = datetime(2013, 6, 24, 12, tzinfo=UTC)
    >>> [(s, len(c)) for s, _, c in due([(noon, delete("t", 1)), (noon.replace(hour=13), delete("t", 2))], 60)]
    [(0.0, 1), (60.0, 1)]
    """
    now: datetime | None = None
    seconds = 0.0
    pending: list[Change] = []
    for moment, change in changes:
        if now is not None and (len(pending) >= most or (speed is not None and moment != now)):
            yield seconds, now, pending
            pending = []
        if now is not None and speed is not None:
            wait = (moment - now).total_seconds() / speed
            seconds += wait if longest is None else min(wait, longest)
        now = moment
        pending.append(change)
    if now is not None:
        yield seconds, now, pending
