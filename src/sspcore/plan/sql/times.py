"""Times in SQL: intervals, fields, truncation, and arithmetic with the types that it has in Postgres.

Owns which types of times add up, and what a quoted literal is beside `+` and `-`. Refuses to compute.
"""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

from sspcore.plan.expressions import Call, Constant, Expression
from sspcore.plan.functions_time import FIELDS, TRUNCATIONS
from sspcore.plan.interval_text import read_interval
from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.frame import Frame
from sspcore.plan.sql.functions import called, lowered
from sspcore.plan.sql.literals import adapt, is_quoted
from sspcore.plan.types import of_times

TIMES: Final = frozenset({"timestamp", "date", "interval"})
ARITHMETIC: Final[dict[type[exp.Expression], str]] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}
_BESIDE: Final = {
    ("+", "timestamp"): "interval", ("+", "interval"): "interval", ("-", "timestamp"): "timestamp",
    ("-", "date"): "date", ("-", "interval"): "interval",
}  # fmt: skip
"""What a quoted literal is beside a type; beside `date +` it might be several things."""
_COUNT: Final = re.compile(r" *[+-]?[0-9]{1,15}(\.[0-9]*)? *")
_PARTS: Final = ("year", "month", "week", "day", "hour", "minute", "second")
_NAMED_PARTS: Final = {"years": 0, "months": 1, "weeks": 2, "days": 3, "hours": 4, "mins": 5, "secs": 6}


def arithmetic(node: exp.Expression, left: exp.Expression, right: exp.Expression, frame: Frame) -> Expression:
    """+ - * / of numbers, times and JSON values."""
    session, symbol = frame.session, ARITHMETIC[type(node)]
    pair = [lowered(left, frame), lowered(right, frame)]
    kinds = [session.type_of(e) for e in pair]
    for i, n in enumerate((left, right)):
        if is_quoted(n) and kinds[1 - i] in TIMES:
            wanted = _BESIDE.get((symbol, kinds[1 - i]))
            if wanted is None:
                raise session.text.error(
                    "a quoted literal beside a time needs a type", n, hint="write interval '1 day'"
                )
            pair[i] = adapt(n, pair[i], wanted, session)
    kinds = [session.type_of(e) for e in pair]
    known = all(k != "any" for k in kinds)
    if known and {*kinds} & TIMES and of_times(symbol, *kinds) is None:
        raise session.text.error(
            f"{kinds[0]} {symbol} {kinds[1]} has no meaning", node,
            hint="a timestamp or date and an interval add up, a date and a number of days",
        )  # fmt: skip
    if symbol == "-" and kinds[0] == "json" and kinds[1] in ("text", "json"):
        raise session.text.unsupported("- of JSON is not supported", node, hint="use array_remove for an element")
    if "decimal" in kinds:
        pair = [adapt(n, e, "decimal", session) for n, e in zip((left, right), pair, strict=True)]
    return Call(symbol, tuple(pair))


def interval(node: exp.Expression, frame: Frame) -> Expression:
    """INTERVAL '2' DAY. (The common INTERVAL '2 days' arrives as a cast.)"""
    text, arguments = frame.session.text, Arguments(node, frame.session.text)
    value, unit = arguments.optional("this"), arguments.optional("unit")
    arguments.done()
    if value is None or not is_quoted(value) or type(unit) is not exp.Var:
        raise text.unsupported(
            "an interval in this form is not supported", node, hint="write interval '2 days', or $n * interval '1 day'"
        )
    written, field = str(value.this), str(unit.this).lower()
    if _COUNT.fullmatch(written) and field != "second":
        written = written.partition(".")[0]  # as in Postgres, what is smaller than the field is cut off
    found = read_interval(f"{written} {field}") if _COUNT.fullmatch(written) else None
    if found is None:
        raise text.error(f"{written[:40]!r} is no number of {field}s", node, hint="write interval '1 day 2 hours'")
    return Constant(found)


def extract(node: exp.Expression, frame: Frame) -> Expression:
    """EXTRACT(field FROM x) and date_part('field', x)."""
    arguments = Arguments(node, frame.session.text)
    field, source = arguments.node_at("this"), arguments.node_at("expression")
    arguments.done()
    return Call("extract", (Constant(_word(field, FIELDS, "field", frame)), _moment(source, frame)))


def date_trunc(node: exp.Expression, frame: Frame) -> Expression:
    """date_trunc('unit', x), with 'UTC' as the zone or none."""
    arguments = Arguments(node, frame.session.text)
    source, unit = arguments.node_at("this"), arguments.node_at("unit")
    zone = arguments.optional("zone")
    arguments.done()
    if zone is not None:
        _at_utc(zone, frame)
    value = _moment(source, frame)
    if frame.session.type_of(value) == "interval":
        raise frame.session.text.unsupported("date_trunc of an interval is not supported", node, hint="use extract")
    return Call("date_trunc", (Constant(_word(unit, frozenset(TRUNCATIONS), "unit", frame)), value))


def _moment(node: exp.Expression, frame: Frame) -> Expression:
    """An operand that is a time: text, quoted or not, is none until it is cast."""
    value = lowered(node, frame)
    kind = frame.session.type_of(value)
    if kind not in TIMES and kind != "any":
        raise frame.session.text.error(f"{kind} has no fields of time", node, hint="cast it: x::timestamp")
    return value


def _word(node: exp.Expression, known: frozenset[str], what: str, frame: Frame) -> str:
    word = str(node.this).lower() if isinstance(node, exp.Var) or is_quoted(node) else ""
    if word not in known:
        raise frame.session.text.unsupported(
            f"the {what} {word!r} of a time is not supported", node, hint="one of " + ", ".join(sorted(known))
        )
    return word


def at_time_zone(node: exp.Expression, frame: Frame) -> Expression:
    """x AT TIME ZONE 'UTC': the timestamp itself, since there is no other zone."""
    arguments = Arguments(node, frame.session.text)
    value, zone = arguments.node_at("this"), arguments.node_at("zone")
    arguments.done()
    _at_utc(zone, frame)
    return Call("cast", (_moment(value, frame), Constant("timestamp")))


def _at_utc(zone: exp.Expression, frame: Frame) -> None:
    if not is_quoted(zone) or str(zone.this).upper() not in ("UTC", "ETC/UTC", "GMT", "Z"):
        raise frame.session.text.unsupported(
            "AT TIME ZONE other than 'UTC' is not supported", zone, hint="timestamps are UTC: add an interval"
        )


def to_date(node: exp.Expression, frame: Frame) -> Expression:
    """date(x) is CAST(x AS date)."""
    arguments = Arguments(node, frame.session.text)
    value = arguments.node_at("this")
    arguments.done()
    return Call("cast", (lowered(value, frame), Constant("date")))


def make_interval(node: exp.Expression, frame: Frame) -> Expression:
    """make_interval(years, months, …) by position or by name (mins => 5)."""
    arguments = Arguments(node, frame.session.text)
    parts: list[Expression] = [Constant(0)] * len(_PARTS)
    for i, name in enumerate(_PARTS):
        part = arguments.optional(name)
        if isinstance(part, exp.Kwarg):
            inner = Arguments(part, frame.session.text)
            word, part = str(inner.node_at("this").this).lower(), inner.node_at("expression")
            inner.done()
            if _NAMED_PARTS.get(word) != i:
                raise frame.session.text.error(
                    f"make_interval has no {word!r}", node, hint="years, months, weeks, days, hours, mins, secs"
                )
        if part is not None:
            parts[i] = lowered(part, frame)
    arguments.done()
    return called("make_interval", parts, node, frame)


HANDLERS: Final = {
    exp.Interval: interval,
    exp.Extract: extract,
    exp.TimestampTrunc: date_trunc,
    exp.AtTimeZone: at_time_zone,
    exp.MakeInterval: make_interval,
    exp.Date: to_date,
}
