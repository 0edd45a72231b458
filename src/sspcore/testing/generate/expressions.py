"""Expressions over the columns of a row: mostly sensible, now and then across classes.

Owns which functions are drawn and with what arguments. Refuses to know plans.
A column is described by its *kind*, one of the column types; `any` may hold anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sspcore.plan.expressions import Call, Column, Constant, Expression
from sspcore.testing.generate import inside, moments, values
from sspcore.testing.generate.choices import Choices

NUMBERS: Final = ("integer", "real", "decimal")
COMPARISONS: Final = ((5, ">="), (4, "="), (4, "<>"), (3, "<="), (2, "<"), (2, ">"), (2, "is distinct"))
PATTERNS: Final = ("%a%", "%", "a%", "_", "%b", "a\\_%", "", "%a_b%")
TEXT_FUNCTIONS: Final = ("upper", "lower", "trim", "reverse")
NUMBER_FUNCTIONS: Final = ("abs", "floor", "round", "sign", "neg")


def column(c: Choices, kinds: Sequence[str], wanted: Sequence[str] = ()) -> tuple[Expression, str]:
    """A column and its kind; one of the wanted kinds where there is one, in nine of ten cases."""
    fitting = [i for i, kind in enumerate(kinds) if kind in wanted]
    at = c.pick(fitting) if fitting and not c.chance(10) else c.below(len(kinds))
    return Column(at), kinds[at]


def constant(c: Choices, kind: str, nulls: int = 2) -> Expression:
    """A literal of the kind's domain, now and then of another."""
    return Constant(values.value(c, kind if not c.chance(8) else "any", nulls=nulls))


def scalar(c: Choices, kinds: Sequence[str], depth: int = 1) -> tuple[Expression, str]:
    """A value computed from a row, and its kind. With no columns, a constant."""
    if not kinds:
        return constant(c, "integer"), "integer"
    if depth <= 0 or c.chance(55):
        return column(c, kinds)
    form = c.weighted(((5, "arithmetic"), (2, "number"), (3, "text"), (3, "case"), (2, "coalesce"), (2, "boolean"),
                       (1, "cast"), (2, "extreme"), (3, "time"), (3, "inside")))  # fmt: skip
    if form == "arithmetic":
        left, kind = column(c, kinds, NUMBERS)
        right = column(c, kinds, (kind,))[0] if c.chance(40) else constant(c, kind)
        return Call(c.pick(("+", "-", "*", "/", "%")), (left, right)), kind if kind in NUMBERS else "any"
    if form == "number":
        return Call(c.pick(NUMBER_FUNCTIONS), (column(c, kinds, NUMBERS)[0],)), "any"
    if form == "text":
        text = column(c, kinds, ("text",))[0]
        if c.chance(40):
            return Call("||", (text, constant(c, "text"))), "text"
        if c.chance(40):
            return Call("substr", (text, Constant(1), Constant(c.between(0, 2)))), "text"
        return Call(c.pick(TEXT_FUNCTIONS), (text,)), "text"
    if form == "case":
        then, kind = column(c, kinds)
        other = constant(c, kind) if c.chance(50) else column(c, kinds, (kind,))[0]
        return Call("case", (predicate(c, kinds, depth - 1), then, other)), "any"
    if form == "coalesce":
        first, kind = column(c, kinds)
        return Call(c.pick(("coalesce", "coalesce", "nullif")), (first, constant(c, kind))), kind
    if form == "cast":
        return Call("cast", (column(c, kinds)[0], Constant(c.pick(("text", "integer", "real"))))), "any"
    if form == "extreme":
        first, kind = column(c, kinds)
        return Call(c.pick(("greatest", "least")), (first, constant(c, kind))), "any"
    if form == "time":
        return moments.scalar(c, column(c, kinds, moments.TIMES))
    if form == "inside":
        return inside.scalar(c, column(c, kinds, ("json",)))
    return predicate(c, kinds, depth - 1), "boolean"


def predicate(c: Choices, kinds: Sequence[str], depth: int = 2) -> Expression:
    """A condition that more rows meet than not, so that results are seldom empty."""
    if not kinds:
        return Constant(True)
    form = c.weighted(((9, "compare"), (4, "compare columns"), (2, "null"), (2, "in"), (1, "like"), (1, "between"),
                       (4, "or"), (1, "and"), (3, "not"), (1, "truth"), (1, "time"), (1, "inside")))  # fmt: skip
    if depth <= 0 and form in ("or", "and", "not"):
        form = "compare"
    if form == "or":
        return Call("or", (predicate(c, kinds, depth - 1), predicate(c, kinds, depth - 1)))
    if form == "and":
        return Call("and", (lenient(c, kinds), predicate(c, kinds, depth - 1)))
    if form == "not":
        return Call("not", (_narrow(c, kinds),))
    if form == "null":
        test = Call("is null", (column(c, kinds)[0],))
        return test if c.chance(25) else Call("not", (test,))
    if form == "truth":
        return Call(c.pick(("is true", "is false")), (column(c, kinds, ("boolean",))[0],))
    if form == "time":
        return _often(c, moments.predicate(c, column(c, kinds, moments.TIMES)), kinds)
    if form == "inside":
        return _often(c, inside.predicate(c, column(c, kinds, ("json",)), column(c, kinds)[0]), kinds)
    if form == "in":
        subject, kind = column(c, kinds)
        return Call("in", (subject, *[constant(c, kind) for _ in range(c.between(2, 4))]))
    if form == "like":
        test = Call(c.pick(("like", "like", "ilike")), (column(c, kinds, ("text",))[0], Constant(c.pick(PATTERNS))))
        return Call("not", (test,)) if c.chance(25) else test
    if form == "between":
        subject, kind = column(c, kinds, NUMBERS)
        low, high = constant(c, kind), constant(c, kind)
        return Call("or", (Call("and", (Call(">=", (subject, low)), Call("<=", (subject, high)))), lenient(c, kinds)))
    subject, kind = scalar(c, kinds, depth - 1) if depth > 1 and c.chance(20) else column(c, kinds)
    other = column(c, kinds, (kind,))[0] if form == "compare columns" else constant(c, kind)
    return Call(c.weighted(COMPARISONS), (subject, other))


def lenient(c: Choices, kinds: Sequence[str]) -> Expression:
    """A condition that nearly all rows meet, yet not all."""
    subject, kind = column(c, kinds)
    if c.chance(40):
        return Call("not", (Call("is null", (subject,)),))
    return Call(c.pick(("is distinct", "<>")), (subject, constant(c, kind)))


def _often(c: Choices, narrow: Expression, kinds: Sequence[str]) -> Expression:
    """A narrow condition, most often made wide."""
    return narrow if c.chance(20) else Call("or", (narrow, lenient(c, kinds)))


def _narrow(c: Choices, kinds: Sequence[str]) -> Expression:
    """A condition that few rows meet: what NOT is put before."""
    subject, kind = column(c, kinds)
    if c.chance(30):
        return Call("in", (subject, constant(c, kind), constant(c, kind)))
    return Call(c.pick(("=", "<")), (subject, constant(c, kind)))
