"""Sums, differences and products of timestamps, dates and intervals, as in Postgres at UTC.

Owns which of them add up, and calendar sums: months first, clamped to the end of the month, then days, then time.
Refuses to know numbers among themselves (`functions_number`). What has no meaning, or leaves the years 1 to 9999, is
NULL by error.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from typing import Final

from sspcore.algebra.interval import DAY, Interval
from sspcore.algebra.values import Value
from sspcore.plan.total import NULL_BY_ERROR

_FACTORS: Final = frozenset({int, float, Decimal})


def midnight(day: date) -> datetime:
    """A date as a timestamp."""
    return datetime.combine(day, time.min, UTC)


def interval(months: int, days: int, microseconds: int) -> Value:
    """An interval, within its range."""
    made = Interval(months, days, microseconds)
    return made if made.fits else NULL_BY_ERROR


def add(a: Value, b: Value) -> Value:
    """`a + b` where one is a time or an interval."""
    first, second = type(a), type(b)
    if second is Interval:
        if first is Interval:
            return interval(a.months + b.months, a.days + b.days, a.microseconds + b.microseconds)
        return moved(a, b)
    if first is Interval:
        return moved(b, a)
    if first is date and second is int:
        return _day_after(a, b)
    return _day_after(b, a) if second is date and first is int else NULL_BY_ERROR


def subtract(a: Value, b: Value) -> Value:
    """`a - b` where one is a time or an interval."""
    first, second = type(a), type(b)
    if second is Interval:
        if first is Interval:
            return interval(a.months - b.months, a.days - b.days, a.microseconds - b.microseconds)
        return moved(a, Interval(-b.months, -b.days, -b.microseconds))
    if first is date:
        if second is int:
            return _day_after(a, -b)
        if second is date:
            return (a - b).days
        a = midnight(a)
    elif second is date:
        b = midnight(b)
    if type(a) is not datetime or type(b) is not datetime:
        return NULL_BY_ERROR
    return _whole_days(a - b)


def _whole_days(difference: timedelta) -> Interval:
    """Days and the time left over, both of one sign."""
    length = Interval.of(difference).length
    days = abs(length) // DAY * (-1 if length < 0 else 1)
    return Interval(0, days, length - days * DAY)


def _day_after(day: date, days: int) -> Value:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return NULL_BY_ERROR


def moved(moment: Value, by: Interval) -> Value:
    """A timestamp (a date becomes one) moved by an interval."""
    if type(moment) is date:
        moment = midnight(moment)
    elif type(moment) is not datetime:
        return NULL_BY_ERROR
    try:
        if by.months:
            year, month = divmod(moment.year * 12 + moment.month - 1 + by.months, 12)
            month += 1
            if not 1 <= year <= 9999:
                return NULL_BY_ERROR
            moment = moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))
        return moment + timedelta(days=by.days, microseconds=by.microseconds)
    except OverflowError:
        return NULL_BY_ERROR


def multiply(a: Value, b: Value) -> Value:
    """An interval times a number, either way round."""
    if type(b) is Interval:
        a, b = b, a
    return _scaled(a, b, False)


def divide(a: Value, b: Value) -> Value:
    """An interval by a number."""
    return _scaled(a, b, True)


def negate(x: Value) -> Value:
    """The interval with every sign exchanged."""
    return interval(-x.months, -x.days, -x.microseconds) if type(x) is Interval else NULL_BY_ERROR


def _scaled(span: Value, number: Value, inverse: bool) -> Value:
    """Each part times the number (a float as it prints); what is left of months goes to the days, of days to the time.

    As in Postgres what is left of months is rounded to millionths of a day.
    """
    if type(span) is not Interval or type(number) not in _FACTORS:
        return NULL_BY_ERROR
    if type(number) is float and not isfinite(number):
        return NULL_BY_ERROR
    factor = Fraction(repr(number)) if type(number) is float else Fraction(number)
    if inverse:
        if not factor:
            return NULL_BY_ERROR
        factor = 1 / factor
    months, days = span.months * factor, span.days * factor
    of_month = round((months - int(months)) * 30, 6)
    of_day = days - int(days) + of_month - int(of_month)
    rest = round(span.microseconds * factor + (of_day - int(of_day)) * DAY)
    return interval(int(months), int(days) + int(of_month) + int(of_day), rest)
