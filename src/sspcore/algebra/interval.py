"""Intervals: spans of calendar time, such as a month, two days or half an hour.

Owns their form (months, days and microseconds apart, since a month has no fixed number of days), their one length for
comparison, and how they are printed. Refuses to know timestamps, and to read text (`plan/interval_text`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import attrs

DAY: Final = 86_400_000_000
"""Microseconds of a day; all times are UTC, where every day has as many."""
MONTH: Final = 30 * DAY
"""Microseconds of a month where lengths are compared, as in Postgres."""
_CALENDAR_END: Final = 1 << 31
_CLOCK_END: Final = 1 << 63


@attrs.frozen(repr=False)
class Interval:
    """A span of time in Postgres's three parts. Each part has a sign of its own.

    `==` tells spans of different parts apart; in queries a month equals 30 days and a day 24 hours (`length`).

    >>> from datetime import timedelta
    >>> str(Interval(months=14, days=-1)), str(Interval.of(timedelta(minutes=30)))
    ('1 year 2 mons -1 days', '00:30:00')
    """

    months: int = 0
    days: int = 0
    microseconds: int = 0

    @classmethod
    def of(cls, delta: timedelta) -> Interval:
        """The span of a `timedelta`; never months."""
        return cls(0, delta.days, delta.seconds * 1_000_000 + delta.microseconds)

    @property
    def length(self) -> int:
        """Microseconds by which intervals compare: 30 days to the month, 24 hours to the day."""
        return self.months * MONTH + self.days * DAY + self.microseconds

    @property
    def fits(self) -> bool:
        """The parts are within Postgres's range: 2³¹ months and days, 2⁶³ microseconds."""
        calendar = -_CALENDAR_END <= self.months < _CALENDAR_END and -_CALENDAR_END <= self.days < _CALENDAR_END
        return calendar and -_CLOCK_END <= self.microseconds < _CLOCK_END

    def timedelta(self) -> timedelta:
        """The span as Python has it. Raises ValueError for one with months, OverflowError beyond Python's range."""
        if self.months:
            raise ValueError(f"{self} has months, which have no fixed length")
        return timedelta(days=self.days, microseconds=self.microseconds)

    def __repr__(self) -> str:
        return f"Interval({str(self)!r})"

    def __str__(self) -> str:
        """As Postgres prints it: after a negative part a positive one is told by its sign."""
        years = abs(self.months) // 12 * (-1 if self.months < 0 else 1)
        parts, after_negative = [], False
        for value, unit in ((years, "year"), (self.months - 12 * years, "mon"), (self.days, "day")):
            if value:
                sign = "+" if after_negative and value > 0 else ""
                parts.append(f"{sign}{value} {unit}{'' if value == 1 else 's'}")
                after_negative = value < 0
        if self.microseconds or not parts:
            seconds, rest = divmod(abs(self.microseconds), 1_000_000)
            clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            fraction = f".{rest:06d}".rstrip("0") if rest else ""
            parts.append(f"{'-' if self.microseconds < 0 else '+' if after_negative else ''}{clock}{fraction}")
        return " ".join(parts)
