"""Expressions over times: moved, truncated, taken apart and subtracted.

Owns which intervals, units and fields are drawn.
"""

from __future__ import annotations

from typing import Final

from sspcore.algebra.interval import Interval
from sspcore.plan.expressions import Call, Constant, Expression
from sspcore.testing.generate import values
from sspcore.testing.generate.choices import Choices

TIMES: Final = ("timestamp", "date")
SPANS: Final = (
    Interval(days=1), Interval(0, 0, 1_800_000_000), Interval(months=1), Interval(0, 0, 86_400_000_000),
    Interval(-1, 30), Interval(), Interval(months=100_000),
)  # fmt: skip
"""A day and 24 hours are equal, and so are nothing and a month less than 30 days; the last leaves the calendar."""
UNITS: Final = ("day", "hour", "month", "week", "quarter", "year")
FIELDS: Final = ("dow", "hour", "day", "epoch", "month", "week")

Typed = tuple[Expression, str]


def scalar(c: Choices, subject: Typed) -> Typed:
    """A time, an interval or a number computed from a time (or, now and then, from something else)."""
    value, kind = subject
    form = c.weighted(((4, "moved"), (3, "truncated"), (4, "part"), (4, "difference"), (1, "days"), (1, "scaled")))
    if form == "truncated":
        return Call("date_trunc", (Constant(c.pick(UNITS)), value)), "timestamp"
    if form == "part":
        source = value if c.chance(70) else Call("-", (value, Constant(values.value(c, kind, nulls=0))))
        return Call("extract", (Constant(c.pick(FIELDS)), source)), "real"
    if form == "difference":
        return Call("-", (value, Constant(values.value(c, c.pick(TIMES), nulls=5)))), "any"
    if form == "days":
        return Call(c.pick("+-"), (value, Constant(c.between(0, 2)))), "any"
    if form == "scaled":
        return Call("*", (Constant(c.pick(SPANS)), Constant(c.pick((2, -1, 0.5))))), "any"
    return Call(c.pick("+-"), (value, Constant(c.pick(SPANS)))), "timestamp"


def predicate(c: Choices, subject: Typed) -> Expression:
    """A time compared with another, or the span between them with an interval."""
    value, kind = subject
    symbol = c.pick((">=", "<=", "<>", ">", "=", "is distinct"))
    other = values.value(c, c.pick(TIMES), nulls=5)
    if c.chance(40):
        return Call(symbol, (Call("-", (value, Constant(other))), Constant(c.pick(SPANS))))
    moved = Call(c.pick("+-"), (Constant(other), Constant(c.pick(SPANS))))
    return Call(symbol, (value, moved if c.chance(70) else Constant(values.value(c, kind, nulls=0))))
