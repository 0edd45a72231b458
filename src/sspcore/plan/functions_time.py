"""Functions of timestamps, dates and intervals: truncation, fields, and times made from numbers.

Owns the calendar: fields and units under their Postgres names. Times are UTC: there is no other zone, and nothing here
asks for the time of day. Sums and differences are in `time_arithmetic`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from sspcore.algebra.interval import Interval
from sspcore.algebra.values import Value
from sspcore.plan.time_arithmetic import interval, midnight
from sspcore.plan.total import NULL_BY_ERROR, Function, strict

PARTS: Final = ("months", "days", "microseconds")
"""The parts that an interval is made of."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS: Final = frozenset({int, float, Decimal})


def _period(years: int, first: int = 0) -> Callable[[datetime], datetime]:
    """The start of the period of so many years; centuries and millennia begin with their year 1."""

    def start(moment: datetime) -> datetime:
        year = (moment.year - first) // years * years + first
        return _day(moment).replace(year=year, month=1, day=1)  # ValueError for the decade of the years before 10

    return start


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


TRUNCATIONS: Final[dict[str, Callable[[datetime], datetime]]] = {
    "microseconds": lambda t: t,
    "milliseconds": lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000),
    "second": lambda t: t.replace(microsecond=0),
    "minute": lambda t: t.replace(second=0, microsecond=0),
    "hour": lambda t: t.replace(minute=0, second=0, microsecond=0),
    "day": _day,
    "week": lambda t: _day(t) - timedelta(days=t.weekday()),
    "month": lambda t: _day(t).replace(day=1),
    "quarter": lambda t: _day(t).replace(month=(t.month - 1) // 3 * 3 + 1, day=1),
    "year": _period(1),
    "decade": _period(10),
    "century": _period(100, 1),
    "millennium": _period(1000, 1),
}
"""Unit of date_trunc → the start of the unit that holds a moment."""


@strict
def _date_trunc(unit: Value, moment: Value) -> Value:
    truncate = TRUNCATIONS.get(unit) if type(unit) is str else None
    if type(moment) is date:
        moment = midnight(moment)
    if truncate is None or type(moment) is not datetime:
        return NULL_BY_ERROR
    try:
        return truncate(moment)
    except (OverflowError, ValueError):  # the week of the first of January in the year 1
        return NULL_BY_ERROR


_OF_DAY: Final[dict[str, Callable[[date], int]]] = {
    "millennium": lambda d: (d.year - 1) // 1000 + 1,
    "century": lambda d: (d.year - 1) // 100 + 1,
    "decade": lambda d: d.year // 10,
    "year": lambda d: d.year,
    "isoyear": lambda d: d.isocalendar()[0],
    "quarter": lambda d: (d.month - 1) // 3 + 1,
    "month": lambda d: d.month,
    "week": lambda d: d.isocalendar()[1],
    "day": lambda d: d.day,
    "doy": lambda d: d.timetuple().tm_yday,
    "dow": lambda d: d.isoweekday() % 7,
    "isodow": lambda d: d.isoweekday(),
}
_OF_MOMENT: Final[dict[str, Callable[[datetime], int | float]]] = {
    "hour": lambda t: t.hour,
    "minute": lambda t: t.minute,
    "second": lambda t: (t.second * 1_000_000 + t.microsecond) / 1_000_000,
    "milliseconds": lambda t: (t.second * 1_000_000 + t.microsecond) / 1000,
    "microseconds": lambda t: t.second * 1_000_000 + t.microsecond,
    "epoch": lambda t: Interval.of(t - _EPOCH).length / 1_000_000,
}


def _cut(value: int, divisor: int) -> int:
    """The quotient, cut toward zero."""
    return abs(value) // divisor * (-1 if value < 0 else 1)


def _rest(value: int, divisor: int) -> int:
    """The rest, with the sign of the value."""
    return abs(value) % divisor * (-1 if value < 0 else 1)


_OF_INTERVAL: Final[dict[str, Callable[[Interval], int | float]]] = {
    "millennium": lambda i: _cut(i.months, 12_000),
    "century": lambda i: _cut(i.months, 1200),
    "decade": lambda i: _cut(i.months, 120),
    "year": lambda i: _cut(i.months, 12),
    "quarter": lambda i: _cut(_rest(i.months, 12), 3) + 1,
    "month": lambda i: _rest(i.months, 12),
    "day": lambda i: i.days,
    "hour": lambda i: _cut(i.microseconds, 3_600_000_000),
    "minute": lambda i: _cut(_rest(i.microseconds, 3_600_000_000), 60_000_000),
    "second": lambda i: _rest(i.microseconds, 60_000_000) / 1_000_000,
    "milliseconds": lambda i: _rest(i.microseconds, 60_000_000) / 1000,
    "microseconds": lambda i: _rest(i.microseconds, 60_000_000),
    "epoch": lambda i: float(
        _cut(i.months, 12) * Fraction("365.25") * 86_400
        + (_rest(i.months, 12) * 30 + i.days) * 86_400
        + Fraction(i.microseconds, 1_000_000)
    ),
}
FIELDS: Final = frozenset({*_OF_DAY, *_OF_MOMENT})
"""What extract may take out of a timestamp."""


@strict
def _extract(field: Value, source: Value) -> Value:
    """A float, as date_part gives it: so that `extract(hour FROM t) / 2` is no division of integers."""
    kind = type(source)
    if kind is date and field == "epoch":
        source, kind = midnight(source), datetime
    if kind is datetime:
        read: Callable[[Any], int | float] | None = _OF_DAY.get(field) or _OF_MOMENT.get(field)
    else:
        read = _OF_DAY.get(field) if kind is date else _OF_INTERVAL.get(field) if kind is Interval else None
    return NULL_BY_ERROR if read is None else float(read(source)) + 0.0


@strict
def _to_timestamp(seconds: Value) -> Value:
    if type(seconds) not in _NUMBERS:
        return NULL_BY_ERROR
    try:
        return _EPOCH + timedelta(microseconds=round(Fraction(seconds) * 1_000_000))
    except (OverflowError, ValueError):
        return NULL_BY_ERROR


@strict
def _make_interval(*parts: Value) -> Value:
    """years, months, weeks, days, hours and minutes, all whole, and seconds."""
    years, months, weeks, days, hours, minutes, seconds = (*parts, 0, 0, 0, 0, 0, 0, 0)[:7]
    whole = (years, months, weeks, days, hours, minutes)
    if any(type(n) is not int for n in whole) or type(seconds) not in _NUMBERS:
        return NULL_BY_ERROR
    try:
        fine = round(Fraction(seconds) * 1_000_000)
    except (OverflowError, ValueError):
        return NULL_BY_ERROR
    return interval(years * 12 + months, weeks * 7 + days, (hours * 60 + minutes) * 60_000_000 + fine)


@strict
def _interval_part(span: Value, part: Value) -> Value:
    if type(span) is not Interval or part not in PARTS:
        return NULL_BY_ERROR
    whole: int = getattr(span, part)
    return whole


@strict
def _interval_of(months: Value, days: Value, microseconds: Value) -> Value:
    if any(type(n) is not int for n in (months, days, microseconds)):
        return NULL_BY_ERROR
    return interval(months, days, microseconds)


FUNCTIONS: Final = (
    Function("date_trunc", 2, 2, _date_trunc, "The start of the unit (the first argument) that holds the time."),
    Function("extract", 2, 2, _extract, "A field (the first argument) of a time or an interval, as a float."),
    Function("to_timestamp", 1, 1, _to_timestamp, "The time so many seconds after the start of 1970."),
    Function("make_interval", 0, 7, _make_interval, "Of years, months, weeks, days, hours, minutes and seconds."),
    Function("interval part", 2, 2, _interval_part, "The whole months, days or microseconds of an interval."),
    Function("interval of", 3, 3, _interval_of, "The interval of so many months, days and microseconds."),
)
