"""What an expression means, by walking its tree: the specification, written to be read.

Owns logic, comparison and choice, said here a second time and independently of `plan/evaluate` and of the fast paths
there, in terms of the one total order; times, lists and JSON likewise in `interpret_functions`. Other functions (upper,
round, casts) it takes from `plan/functions`. Refuses to be fast, and to count errors: they are NULL.
"""

from __future__ import annotations

from collections.abc import Sequence

from sspcore.algebra.values import Value, canonical, class_of, order_key
from sspcore.engine import interpret_functions
from sspcore.errors import UsageError
from sspcore.plan.expressions import Call, Column, Constant, Expression, Param
from sspcore.plan.functions import FUNCTIONS
from sspcore.plan.total import NULL_BY_ERROR

Row = tuple[Value, ...]
Truth = bool | None
"""TRUE, FALSE or unknown."""


def evaluate(expression: Expression, row: Row) -> Value:
    """The value of the expression over a row. Total, but for a parameter without a value (UsageError).

    >>> from sspcore.plan.expressions import Call, Column, Constant
    >>> evaluate(Call("or", (Call("=", (Column(0), Constant(1))), Constant(None))), (2,)) is None
    True
    """
    match expression:
        case Column(index):
            return row[index]
        case Constant(value):
            return canonical(value)
        case Param(name):
            raise UsageError(f"parameter ${name} has no value")
        case Call(function, args):
            return _call(function, [evaluate(a, row) for a in args])


def is_true(expression: Expression | None, row: Row) -> bool:
    """The condition is TRUE, not FALSE or NULL; no condition is always TRUE."""
    return expression is None or evaluate(expression, row) is True


def _call(function: str, values: Sequence[Value]) -> Value:
    match function, values:
        case "and", _:
            return negation(disjunction([negation(truth(v)) for v in values]))
        case "or", _:
            return disjunction([truth(v) for v in values])
        case "not", [x]:
            return negation(truth(x))
        case "=", [a, b]:
            return equality(a, b)
        case "<>", [a, b]:
            return negation(equality(a, b))
        case "<", [a, b]:
            return less(a, b)
        case ">", [a, b]:
            return less(b, a)
        case "<=", [a, b]:
            return negation(less(b, a))
        case ">=", [a, b]:
            return negation(less(a, b))
        case "in", [x, *items]:
            return disjunction([equality(x, item) for item in items])
        case "is null", [x]:
            return x is None
        case "is true", [x]:
            return truth(x) is True
        case "is false", [x]:
            return truth(x) is False
        case "is distinct", [a, b]:
            return order_key(a) != order_key(b)
        case "coalesce", _:
            return next((v for v in values if v is not None), None)
        case "nullif", [a, b]:
            return None if equality(a, b) is True else a
        case "case", [*branches, otherwise]:
            for condition, value in zip(branches[::2], branches[1::2], strict=True):
                if condition is True:
                    return value
            return otherwise
        case "array_position", [items, x] if items is not None:
            return interpret_functions.position(items, x)
        case "+" | "-", [a, b] if any(map(interpret_functions.is_time, values)):
            return None if None in (a, b) else interpret_functions.MOVING[function](a, b)
        case _ if function in interpret_functions.MEANINGS:
            missing = any(v is None for v in values)
            return None if missing else interpret_functions.MEANINGS[function](*values)
        case _ if function.endswith((" any", " all")):
            return _quantified(function, *values)
        case _:
            value = FUNCTIONS[function].apply(*values)
            return None if value is NULL_BY_ERROR else value


def _quantified(function: str, x: Value, items: Value) -> Truth:
    """ANY is the disjunction of the comparisons with each element, ALL the conjunction (De Morgan)."""
    if not isinstance(items, tuple):
        return None
    symbol, _, word = function.partition(" ")
    answers = [truth(_call(symbol, (x, item))) for item in items]
    return disjunction(answers) if word == "any" else negation(disjunction([negation(a) for a in answers]))


def truth(value: Value) -> Truth:
    """The value as a condition: what is not boolean is unknown."""
    return value if value is True or value is False else None


def negation(x: Truth) -> Truth:
    """TRUE and FALSE exchanged."""
    return None if x is None else not x


def disjunction(truths: Sequence[Truth]) -> Truth:
    """TRUE if one is TRUE, else unknown if one is, else FALSE; AND is its dual (De Morgan)."""
    if any(t is True for t in truths):
        return True
    return None if any(t is None for t in truths) else False


def equality(a: Value, b: Value) -> Truth:
    """Unknown beside NULL; else the same place in the one total order, so FALSE across classes."""
    return None if a is None or b is None else order_key(a) == order_key(b)


def less(a: Value, b: Value) -> Truth:
    """Unknown beside NULL and across classes; else by the total order."""
    if a is None or b is None or class_of(a) != class_of(b):
        return None
    return order_key(a) < order_key(b)
