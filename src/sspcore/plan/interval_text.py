"""Intervals as text, as Postgres reads them: `1 day 2 hours`, `01:30`, `-2 days +3:00`, `1 mon ago`, `P1DT2H`, `1-6`.

Owns the grammar, and what a fraction of a unit is (half a month is 15 days). Refuses other languages' units.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from sspcore.algebra.interval import DAY, Interval

MAX_LENGTH: Final = 200
_BLANKS: Final = " \t\n\r\f\v"
_NUMBER: Final = r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})"
_CLOCK: Final = re.compile(r"([+-]?)([0-9]{1,10}):([0-9]{1,2})(?::([0-9]{1,2}(?:\.[0-9]{0,18})?))?")
_PART: Final = re.compile(rf"({_NUMBER}) *([a-z]*)")
_YEARS_AND_MONTHS: Final = re.compile(r"([+-]?)([0-9]{1,9})-([0-9]{1,2})")
_DESIGNATED: Final = re.compile(rf"({_NUMBER})([YMWDHS])")
_MICROSECONDS: Final = {
    "microsecond": 1, "millisecond": 1000, "second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000,
}  # fmt: skip
_DAYS: Final = {"day": 1, "week": 7}
_MONTHS: Final = {"month": 1, "year": 12, "decade": 120, "century": 1200, "millennium": 12000}
UNITS: Final[dict[str, str]] = {spelled: unit for unit, spellings in (
    ("microsecond", "us usec usecs usecond useconds microsecond microseconds"),
    ("millisecond", "ms msec msecs msecond mseconds millisecond milliseconds"),
    ("second", "s sec secs second seconds"), ("minute", "m min mins minute minutes"),
    ("hour", "h hr hrs hour hours"), ("day", "d day days"), ("week", "w week weeks"),
    ("month", "mon mons month months"), ("year", "y yr yrs year years"), ("decade", "dec decs decade decades"),
    ("century", "c cent century centuries"), ("millennium", "mil mils millennium millennia"),
) for spelled in spellings.split()}  # fmt: skip
"""Every spelling of a unit → the unit."""


def read_interval(text: str) -> Interval | None:
    """The interval that the text says, or None. Cost: O(size), and short text only.

    >>> str(read_interval("1 day 2 hours")), str(read_interval("1.5 months ago")), read_interval("soon")
    ('1 day 02:00:00', '-1 mons -15 days', None)
    """
    trimmed = text.strip(_BLANKS)
    if not trimmed or len(trimmed) > MAX_LENGTH or not trimmed.isascii():
        return None
    pair = _YEARS_AND_MONTHS.fullmatch(trimmed)
    if pair is not None and int(pair[3]) < 12:
        months = 12 * int(pair[2]) + int(pair[3])
        return _fitting(Interval(-months if pair[1] == "-" else months))
    parts = _designated(trimmed[1:]) if trimmed[0] == "P" else _worded(trimmed.lower())
    return None if parts is None else _fitting(_sum(parts))


def _fitting(interval: Interval) -> Interval | None:
    return interval if interval.fits else None


Parts = list[tuple[Fraction, str]]


def _worded(text: str) -> Parts | None:
    """Numbers with units, one clock time, and `ago` at the end; a number alone is seconds, before a clock time days."""
    backwards = text.endswith("ago") and text[:-3].endswith(tuple(_BLANKS))
    rest = text[:-3].rstrip(_BLANKS) if backwards else text
    parts: Parts = []
    while rest:
        clock = _CLOCK.match(rest)
        if clock is not None:
            sign = -1 if clock[1] == "-" else 1
            if int(clock[3]) > 59 or Fraction(clock[4] or 0) >= 60:
                return None
            found = [(clock[2], "hour"), (clock[3], "minute"), (clock[4] or "0", "second")]
            parts += [(sign * Fraction(number), unit) for number, unit in found]
            end = clock.end()
        else:
            part = _PART.match(rest)
            if part is None:
                return None
            end = part.end()
            following = rest[end:].lstrip(_BLANKS)
            alone = "day" if _CLOCK.match(following) else "second"
            unit = UNITS.get(part[2]) if part[2] else alone
            if unit is None:
                return None
            parts.append((Fraction(part[1]), unit))
        rest = rest[end:].lstrip(_BLANKS)
    units = [unit for _, unit in parts]
    if not parts or len(set(units)) < len(units):
        return None
    return [(-number, unit) for number, unit in parts] if backwards else parts


def _designated(text: str) -> Parts | None:
    """ISO 8601 after its P: `1Y2M3DT4H5M6S`."""
    calendar, marked, clock = text.partition("T")
    parts: Parts = []
    for section, names in (
        (calendar, {"Y": "year", "M": "month", "W": "week", "D": "day"}),
        (clock, {"H": "hour", "M": "minute", "S": "second"}),
    ):
        found = list(_DESIGNATED.finditer(section))
        if "".join([m[0] for m in found]) != section or any(m[2] not in names for m in found):
            return None
        parts += [(Fraction(m[1]), names[m[2]]) for m in found]
    units = [unit for _, unit in parts]
    if not parts or (marked and not clock) or len(set(units)) < len(units):
        return None
    return parts


def _sum(parts: Parts) -> Interval:
    """Fractions of months are days, of days time: 30 days to the month, 24 hours to the day; of years months."""
    months, days, microseconds = 0, 0, 0
    for number, unit in parts:
        if unit in _MICROSECONDS:
            microseconds += round(number * _MICROSECONDS[unit])
            continue
        spare = Fraction(0)
        if unit == "month":
            whole = int(number)
            months += whole
            spare = (number - whole) * 30
        elif unit in _MONTHS:
            months += round(number * _MONTHS[unit])
        else:
            spare = number * _DAYS[unit]
        days += int(spare)
        microseconds += round((spare - int(spare)) * DAY)
    return Interval(months, days, microseconds)
