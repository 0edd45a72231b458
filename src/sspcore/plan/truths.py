"""What is known of a condition without its row: which truths it can take, and whether equal values get equal answers.

Owns two guesses that are never wrong, only vague: `possible` and `congruent`. Rewrites of plans rest on them. Refuses
to know plans. What is not listed here is taken to be anything.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Final

from sspcore.plan.expressions import Call, Column, Constant, Expression, Param

Truths = frozenset[bool | str | None]
"""Of TRUE, FALSE and NULL those an expression may give, and `OTHER` for values that are no truths."""

OTHER: Final = "other"
ANYTHING: Final[Truths] = frozenset({True, False, None, OTHER})
NULL: Final[Truths] = frozenset({None})
TRUTH: Final[Truths] = frozenset({True, False, None})

_COMPARISONS: Final = frozenset({"=", "<>", "<", "<=", ">", ">=", "like", "ilike", "starts_with"})
_STRICT: Final = _COMPARISONS | {
    "+", "-", "*", "/", "%", "mod", "neg", "abs", "sign", "round", "trunc", "floor", "ceil", "||", "upper", "lower",
    "initcap", "length", "trim", "ltrim", "rtrim", "substr", "replace", "strpos", "left", "right", "reverse", "cast",
}  # fmt: skip
"""Functions that give NULL as soon as one argument is NULL."""

CONGRUENT: Final = _COMPARISONS | {
    "and", "or", "not", "in", "is null", "is true", "is false", "is distinct", "coalesce", "nullif", "case", "greatest",
    "least", "upper", "lower", "trim", "ltrim", "rtrim", "reverse",
}  # fmt: skip
"""Functions that give equal values for equal arguments, whatever their types: 1, 1.0 and Decimal 1 are one to them.
(CAST to text and integer division are not among them.)"""


def possible(expression: Expression, nulls: Container[int] = ()) -> Truths:
    """The truths the expression may give over rows whose columns `nulls` are NULL, the others being anything.

    >>> possible(Call(">", (Column(0), Constant(5))), {0})
    frozenset({None})
    >>> True in possible(Call("is null", (Column(0),)), {0})
    True
    """
    match expression:
        case Column(index):
            return NULL if index in nulls else ANYTHING
        case Constant(value):
            return frozenset({value}) if value is None or type(value) is bool else frozenset({OTHER})
        case Param():
            return ANYTHING
        case Call("case", (*branches, otherwise)):
            return _of_case([possible(b, nulls) for b in branches], possible(otherwise, nulls))
        case Call(function, args):
            return _of_call(function, [possible(a, nulls) for a in args])


def _of_case(branches: list[Truths], otherwise: Truths) -> Truths:
    out: Truths = frozenset()
    for condition, value in zip(branches[::2], branches[1::2], strict=True):
        if True in condition:
            out |= value
        if condition == {True}:
            return out
    return out | otherwise


def _of_call(function: str, args: list[Truths]) -> Truths:
    if function == "not":
        return frozenset({not t if type(t) is bool else None for t in args[0]})
    if function in ("and", "or"):
        return _junction([_as_truths(a) for a in args], function == "or")
    if function == "is null":
        return frozenset({t is None for t in args[0]})
    if function in ("is true", "is false"):
        return frozenset({t is (function == "is true") for t in args[0]})
    if function == "is distinct":
        return frozenset({False}) if all(a == NULL for a in args) else frozenset({True, False})
    if function == "coalesce":
        values = frozenset({t for a in args for t in a if t is not None})
        return values | NULL if all(None in a for a in args) else values
    if function == "in":
        return NULL if args[0] == NULL and len(args) > 1 else TRUTH
    if function in _STRICT and NULL in args:
        return NULL
    return TRUTH if function in _COMPARISONS else ANYTHING


def _as_truths(truths: Truths) -> Truths:
    """As an operand of AND and OR, where what is no truth counts as NULL."""
    return frozenset({t if type(t) is bool else None for t in truths})


def _junction(args: list[Truths], dominant: bool) -> Truths:
    out: set[bool | str | None] = {dominant} if any(dominant in a for a in args) else set()
    others = [a - {dominant} for a in args]
    if all(others):
        out |= {None} if any(None in a for a in others) else set()
        out |= {not dominant} if all((not dominant) in a for a in others) else set()
    return frozenset(out)


def rejects(condition: Expression, nulls: Container[int]) -> bool:
    """The condition is never TRUE over rows whose columns `nulls` are all NULL."""
    return True not in possible(condition, nulls)


def congruent(condition: Expression, leaf: Callable[[Expression], bool]) -> bool:
    """The condition reads rows only through leaves, and rows with equal leaves get equal answers.

    >>> congruent(Call("=", (Column(0), Constant(1))), lambda e: isinstance(e, Column))
    True
    >>> congruent(Call("/", (Column(0), Constant(2))), lambda e: isinstance(e, Column))    # 3/2 is 1, 3.0/2 is 1.5
    False
    """
    if leaf(condition) or isinstance(condition, Constant | Param):
        return True
    if not isinstance(condition, Call) or condition.function not in CONGRUENT:
        return False
    return all(congruent(a, leaf) for a in condition.args)


def is_column(expression: Expression) -> bool:
    """The plainest leaf."""
    return isinstance(expression, Column)
