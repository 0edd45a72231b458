"""Times and lists in random SQL, built on whole numbers: dates near the end of a month, spans, lists of two.

Owns forms that DuckDB and Postgres mean alike. Left out: NULL inside lists that contain others, positions below 1, and
dates far away (what is no date is NULL here, and an error there).
"""

from sspcore.testing.generate.choices import Choices

DAYS = ("date '2013-01-30'", "date '2012-02-28'", "date '2013-12-30'")
SPANS = ("1 day", "36 hours", "1 month", "1 year 2 days", "90 minutes", "-2 days", "24 hours")
FIELDS = ("day", "month", "year", "dow", "doy", "week", "quarter", "isodow")
CLOCK = ("hour", "minute", "epoch", "day")
UNITS = ("month", "year", "week", "day", "quarter")


def day(c: Choices, number: str) -> str:
    """A date near by."""
    return f"({c.pick(DAYS)} {c.pick('+-')} CAST({number} AS integer))"


def moment(c: Choices, number: str) -> str:
    """A timestamp near by."""
    form = c.below(3)
    if form == 0:
        return f"date_trunc('{c.pick(UNITS)}', {day(c, number)})"
    if form == 1:
        return f"({day(c, number)} {c.pick('+-')} interval '{c.pick(SPANS)}')"
    return f"(timestamp '2013-03-30 12:00:00' + {number} * interval '{c.pick(SPANS[:2])}')"


def number(c: Choices, one: str, two: str) -> str:
    """A whole number out of times or a list."""
    form = c.below(4)
    if form == 0:
        return f"CAST(extract({c.pick(FIELDS)} FROM {day(c, one)}) AS integer)"
    if form == 1:
        return f"CAST(extract({c.pick(CLOCK)} FROM {moment(c, one)}) AS bigint)"
    if form == 2:
        return f"({day(c, one)} - {day(c, two)})"
    return f"(ARRAY[{element(one)}, {element(two)}])[{c.between(1, 3)}]"


def element(number: str) -> str:
    """A number for a list; DuckDB errs about aggregates inside ARRAY[…]."""
    return "3" if "(" in number.strip("()") else number


def condition(c: Choices, one: str, two: str, symbol: str) -> str:
    """A condition over times or a list; what it is compared with is in parentheses."""
    form = c.below(6)
    if form == 0:
        return f"{day(c, one)} {symbol} {moment(c, two)}"
    if form == 5:
        return f"{moment(c, one)} {symbol} $now - interval '{c.pick(SPANS)}'"
    if form == 1:
        return f"{moment(c, one)} - {moment(c, two)} {symbol} interval '{c.pick(SPANS)}'"
    if form == 2:
        return f"{one} {c.pick(('= ANY', '<> ALL'))} (ARRAY[{element(two)}, {c.pick(('1', 'NULL', '2'))}])"
    if form == 3:
        return f"ARRAY[coalesce({element(one)}, 0), 1] {c.pick(('@>', '&&'))} ARRAY[coalesce({element(two)}, 2)]"
    return f"{day(c, one)} {symbol} '2013-01-31'"
