"""What functions of times, lists and JSON mean: a second time, apart from `plan/functions_*`, written to be read.

Owns the calendar by way of printed dates, and containment and membership by their definitions. Together with
`interpret_expressions` it is the specification. Refuses to be fast; a value of the wrong class is NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from sspcore.algebra.interval import Interval
from sspcore.algebra.values import BYTES, INTERVAL, TIME, FrozenObject, Value, class_of, order_key
from sspcore.plan.casts import to_text
from sspcore.plan.total import NULL_BY_ERROR

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

# Times


def is_time(value: Value) -> bool:
    """A timestamp, a date or an interval."""
    return class_of(value) in (TIME, INTERVAL)


def as_moment(value: Value) -> datetime | None:
    """A timestamp, or the start of a day; None for anything else."""
    if isinstance(value, datetime):
        return value
    return datetime.combine(value, time(0), UTC) if isinstance(value, date) else None


def date_trunc(unit: Value, value: Value) -> Value:
    """The printed time cut after the unit, and filled up from the start of the year 1."""
    t = as_moment(value)
    if t is None:
        return None
    year, month = t.year, t.month
    digits = {"microseconds": 26, "milliseconds": 23, "second": 19, "minute": 16, "hour": 13, "day": 10, "month": 7}
    if unit in digits:
        printed = f"{t.replace(tzinfo=None).isoformat(timespec='microseconds')}"[: digits[unit]]
        return datetime.fromisoformat(printed + "0001-01-01T00:00:00.000000+00:00"[digits[unit] :])
    if unit == "week":
        week = t.isocalendar()
        if week.year < 1:
            return None
        return as_moment(date.fromisocalendar(week.year, week.week, 1))
    if unit == "quarter":
        return datetime(year, (1, 4, 7, 10)[(month - 1) // 3], 1, tzinfo=UTC)
    first = {"year": year, "decade": int(f"{year:04d}"[:3] + "0")}.get(str(unit))
    if unit in ("century", "millennium"):
        size = 100 if unit == "century" else 1000
        first = max(y for y in range(1, 10_000, size) if y <= year)
    return datetime(first, 1, 1, tzinfo=UTC) if first else None


def extract(field: Value, value: Value) -> Value:
    """The field as `strftime` prints it."""
    if isinstance(value, Interval):
        return _of_interval(field, value)
    t = as_moment(value)
    printed = {"year": "%Y", "isoyear": "%G", "month": "%m", "week": "%V", "day": "%d", "doy": "%j", "dow": "%w",
               "isodow": "%u", "hour": "%H", "minute": "%M", "second": "%S.%f"}  # fmt: skip
    if t is None or (type(value) is date and field in ("hour", "minute", "second", "milliseconds", "microseconds")):
        return None
    if field in printed:
        return float(t.strftime(printed[field]))
    if field == "epoch":
        return float(Fraction((t - EPOCH) // MICROSECOND, 1_000_000))
    if field == "decade":
        return float(f"{t.year:04d}"[:3])
    if field in ("century", "millennium"):
        size = 100 if field == "century" else 1000
        return float(sum(1 for y in range(1, 10_000, size) if y <= t.year))
    if field == "quarter":
        return float("111222333444"[t.month - 1])
    if field in ("milliseconds", "microseconds"):
        microseconds = int(t.strftime("%S%f"))
        return float(Fraction(microseconds, 1000 if field == "milliseconds" else 1))
    return None


def _of_interval(field: Value, span: Interval) -> Value:
    """Fields of the size of each part, with the part's sign."""
    months, micros = abs(span.months), abs(span.microseconds)
    up, along = (-1 if span.months < 0 else 1), (-1 if span.microseconds < 0 else 1)
    clock = {
        "hour": Fraction(micros // 3_600_000_000), "minute": Fraction(micros // 60_000_000 % 60),
        "second": Fraction(micros % 60_000_000, 1_000_000), "milliseconds": Fraction(micros % 60_000_000, 1000),
        "microseconds": Fraction(micros % 60_000_000),
    }  # fmt: skip
    calendar = {"millennium": months // 12_000, "century": months // 1200, "decade": months // 120,
                "year": months // 12, "month": months % 12}  # fmt: skip
    if field in clock:
        return float(along * clock[field]) + 0.0
    if field in calendar:
        return float(up * calendar[field]) + 0.0
    if field == "quarter":
        return float(up * (months % 12 // 3) + 1)
    if field == "day":
        return float(span.days)
    if field == "epoch":
        days = up * (months // 12 * Fraction(1461, 4) + months % 12 * 30) + span.days
        return float(days * 86_400 + Fraction(span.microseconds, 1_000_000))
    return None


def add(a: Value, b: Value) -> Value:
    """Sums in which there is a time or an interval; NULL where there is none such."""
    if isinstance(b, Interval):
        return _plus(a, b.months, b.days, b.microseconds)
    if isinstance(a, Interval):
        return _plus(b, a.months, a.days, a.microseconds)
    day, count = (a, b) if type(a) is date else (b, a)
    return _shifted(day, count) if type(day) is date and type(count) is int else None


def subtract(a: Value, b: Value) -> Value:
    """Differences in which there is a time or an interval."""
    if isinstance(b, Interval):
        return _plus(a, -b.months, -b.days, -b.microseconds)
    if type(a) is date and type(b) is int:
        return _shifted(a, -b)
    if type(a) is date and type(b) is date:
        return a.toordinal() - b.toordinal()
    left, right = as_moment(a), as_moment(b)
    if left is None or right is None:
        return None
    size = abs((left - right) // MICROSECOND)
    sign = 1 if left >= right else -1
    return Interval(0, sign * (size // 86_400_000_000), sign * (size % 86_400_000_000))


def _shifted(day: date, count: int) -> Value:
    ordinal = day.toordinal() + count
    return date.fromordinal(ordinal) if 1 <= ordinal <= date.max.toordinal() else None


def _plus(value: Value, months: int, days: int, microseconds: int) -> Value:
    """The span added: to another part by part; to a time by its months, to the last day there is, then the rest."""
    if isinstance(value, Interval):
        total = Interval(value.months + months, value.days + days, value.microseconds + microseconds)
        return total if total.fits else None
    t = as_moment(value)
    if t is None:
        return None
    count = t.year * 12 + t.month - 1 + months
    year, month, day = count // 12, count % 12 + 1, t.day
    if not 1 <= year <= 9999:
        return None
    while not _exists(year, month, day):
        day -= 1
    size = (t.replace(year=year, month=month, day=day) - EPOCH) // MICROSECOND + days * 86_400_000_000 + microseconds
    least, most = (datetime.min.replace(tzinfo=UTC) - EPOCH, datetime.max.replace(tzinfo=UTC) - EPOCH)
    return EPOCH + size * MICROSECOND if least // MICROSECOND <= size <= most // MICROSECOND else None


def _exists(year: int, month: int, day: int) -> bool:
    try:
        return bool(date(year, month, day))
    except ValueError:
        return False


# Lists and JSON


def same_place(a: Value, b: Value) -> bool:
    """Not distinct: the same place in the total order."""
    return order_key(a) == order_key(b)


def element(items: Value, position: Value) -> Value:
    """The element whose place, counted from 1, is the position."""
    if not isinstance(items, tuple) or type(position) is not int:
        return None
    return next((item for place, item in enumerate(items, 1) if place == position), None)


def get(document: Value, at: Value) -> Value:
    """A member by its name, or an element by its place from 0, or from the end by a negative one."""
    if isinstance(document, FrozenObject) and type(at) is str:
        return dict(document).get(at)
    if isinstance(document, tuple) and type(at) is int:
        return element(document, at + 1) if at >= 0 else element(tuple(reversed(document)), -at)
    return None


def get_path(document: Value, path: Value) -> Value:
    """One step after the other; in a list a step is a number."""
    if not isinstance(path, tuple) or any(step is not None and type(step) is not str for step in path):
        return None
    for step in path:
        if isinstance(document, tuple):
            digits = (step or "").removeprefix("-") if (step or "").startswith("-") else (step or "").removeprefix("+")
            small = digits.isascii() and digits.isdigit() and len(digits) < 10
            document = get(document, int(step)) if small and step is not None else None
        else:
            document = get(document, step)
    return document


def contains(a: Value, b: Value) -> Value:
    """By the definition of jsonb: like holds like, and a list a bare value."""
    if any(class_of(side) in (BYTES, TIME, INTERVAL) for side in (a, b)):
        return None
    bare = isinstance(a, tuple) and not isinstance(b, tuple | FrozenObject)
    return any(same_place(item, b) for item in a) if bare else holds(a, b)


def holds(a: Value, b: Value) -> bool:
    """Every member and element of b is in a, at any depth; other values are equal."""
    if isinstance(a, FrozenObject) and isinstance(b, FrozenObject):
        return all(any(n == name and holds(v, wanted) for n, v in a.items()) for name, wanted in b.items())
    if isinstance(a, tuple) and isinstance(b, tuple):
        return all(any(holds(item, wanted) for item in a) for wanted in b)
    return type(a) not in (tuple, FrozenObject) and same_place(a, b)


def overlap(a: Value, b: Value) -> Value:
    """Some element of one is one of the other; NULL is none."""
    if not isinstance(a, tuple) or not isinstance(b, tuple):
        return None
    return any(x is not None and same_place(x, y) for x in a for y in b)


def has_key(document: Value, name: Value) -> Value:
    """The name is a member's; or a text of the list; or the text."""
    if type(name) is not str or class_of(document) in (BYTES, TIME, INTERVAL):
        return None
    inside = list(document) if isinstance(document, tuple | FrozenObject) else [document]
    return any(same_place(x, name) for x in inside)


def has_keys(quantifier: Callable[[list[Value]], bool], document: Value, names: Value) -> Value:
    """`has_key` of any or of all names."""
    known = [n for n in names if n is not None] if isinstance(names, tuple) else [0]
    answers = [has_key(document, n) for n in known]
    if class_of(document) in (BYTES, TIME, INTERVAL) or None in answers:
        return None
    return quantifier(answers)


def _shown(value: Value) -> Value:
    text = None if value is None else to_text(value)
    return None if text is NULL_BY_ERROR else text


def position(items: Value, x: Value) -> Value:
    """The place, from 1, of the first element that is not distinct from the value."""
    if not isinstance(items, tuple):
        return None
    return next((place for place, item in enumerate(items, 1) if same_place(item, x)), None)


MEANINGS: Final[Mapping[str, Callable[..., Value]]] = MappingProxyType({
    "date_trunc": date_trunc,
    "extract": extract,
    "[]": element,
    "->": get,
    "->>": lambda document, at: _shown(get(document, at)),
    "#>": get_path,
    "#>>": lambda document, path: _shown(get_path(document, path)),
    "@>": contains,
    "<@": lambda a, b: contains(b, a),
    "&&": overlap,
    "?": has_key,
    "?|": lambda document, names: has_keys(any, document, names),
    "?&": lambda document, names: has_keys(all, document, names),
    "cardinality": lambda items: sum(1 for _ in items) if isinstance(items, tuple) else None,
    "jsonb_array_length": lambda items: sum(1 for _ in items) if isinstance(items, tuple) else None,
})  # fmt: skip
"""Function → what it means for arguments of which none is NULL; with a NULL among them it is NULL."""
MOVING: Final[Mapping[str, Callable[[Value, Value], Value]]] = MappingProxyType({"+": add, "-": subtract})
"""Operators as they are where an operand is a time or an interval."""
