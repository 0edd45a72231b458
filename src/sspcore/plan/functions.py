"""The library of functions and operators that expressions may call, by name.

Owns logic, comparison and choice, and gathers the rest (`functions_number`, `_text`, `_time`, `_list`, `_json` and
`casts`). Every function is total and pure, with all arguments as values. Refuses to know expressions: who evaluates may
skip arguments (`and`, `case`), which never changes the value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from sspcore.algebra.values import Value, canonical_key, compare, equals, order_key
from sspcore.plan import casts, functions_json, functions_list, functions_number, functions_text, functions_time
from sspcore.plan.total import NULL_BY_ERROR, Function


def _not(x: Value) -> Value:
    if x is None:
        return None
    return not x if type(x) is bool else NULL_BY_ERROR


def _and(*values: Value) -> Value:
    """FALSE if one is, else NULL if one is, else TRUE; what is not boolean counts as NULL."""
    return _junction(values, False)


def _or(*values: Value) -> Value:
    return _junction(values, True)


def _junction(values: tuple[Value, ...], dominant: bool) -> Value:
    result: Value = not dominant
    for value in values:
        if value is dominant:
            return dominant
        if value is None:
            result = None if result is not NULL_BY_ERROR else result
        elif type(value) is not bool:
            result = NULL_BY_ERROR
    return result


def _unequal(a: Value, b: Value) -> Value:
    result = equals(a, b)
    return None if result is None else not result


def _ordering(test: Callable[[int], bool]) -> Callable[[Value, Value], Value]:
    def apply(a: Value, b: Value) -> Value:
        if a is None or b is None:
            return None
        order = compare(a, b)
        return NULL_BY_ERROR if order is None else test(order)

    return apply


def distinct(a: Value, b: Value) -> bool:
    """IS DISTINCT FROM: not equal, NULL being equal to NULL."""
    left, right = canonical_key(a), canonical_key(b)
    return not (left is right or left == right)


def _in(x: Value, *items: Value) -> Value:
    """TRUE if the value equals an item; else NULL if it or an item is NULL; else FALSE."""
    answers = [equals(x, item) for item in items]
    if True in answers:
        return True
    return None if None in answers else False


def _case(*values: Value) -> Value:
    """Conditions and their values in turn, then the value of ELSE."""
    for condition, value in zip(values[:-1:2], values[1::2], strict=True):
        if condition is True:
            return value
    return values[-1]


def _coalesce(*values: Value) -> Value:
    return next((v for v in values if v is not None), None)


def _nullif(a: Value, b: Value) -> Value:
    return None if equals(a, b) is True else a


def _greatest(*values: Value) -> Value:
    return max([v for v in values if v is not None], key=order_key, default=None)


def _least(*values: Value) -> Value:
    return min([v for v in values if v is not None], key=order_key, default=None)


_LOGIC: Final = (
    Function("and", 1, None, _and, "FALSE if one is FALSE, else NULL if one is NULL, else TRUE."),
    Function("or", 1, None, _or, "TRUE if one is TRUE, else NULL if one is NULL, else FALSE."),
    Function("not", 1, 1, _not, "TRUE and FALSE exchanged; NULL stays."),
    Function("=", 2, 2, equals, "Equal by value; FALSE across classes, NULL beside NULL."),
    Function("<>", 2, 2, _unequal, "Not equal; TRUE across classes, NULL beside NULL."),
    Function("<", 2, 2, _ordering(lambda order: order < 0), "Less; NULL across classes."),
    Function("<=", 2, 2, _ordering(lambda order: order <= 0), "Less or equal; NULL across classes."),
    Function(">", 2, 2, _ordering(lambda order: order > 0), "Greater; NULL across classes."),
    Function(">=", 2, 2, _ordering(lambda order: order >= 0), "Greater or equal; NULL across classes."),
    Function("is null", 1, 1, lambda x: x is None, "The value is NULL."),
    Function("is true", 1, 1, lambda x: x is True, "The value is TRUE, not NULL."),
    Function("is false", 1, 1, lambda x: x is False, "The value is FALSE, not NULL."),
    Function("is distinct", 2, 2, distinct, "Not equal, NULL being equal to NULL."),
    Function("in", 1, None, _in, "The first argument equals one of the others; NULL when a NULL leaves it open."),
    Function("case", 3, None, _case, "The value after the first condition that is TRUE, else the last argument."),
    Function("coalesce", 1, None, _coalesce, "The first argument that is not NULL."),
    Function("nullif", 2, 2, _nullif, "NULL when both are equal, else the first."),
    Function("greatest", 1, None, _greatest, "The greatest argument in the total order, NULLs skipped."),
    Function("least", 1, None, _least, "The least argument in the total order, NULLs skipped."),
)

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        f.name: f
        for part in (functions_number, functions_text, functions_time, functions_list, functions_json, casts)
        for f in (*_LOGIC, *part.FUNCTIONS)
    }
)
"""Every function by name; operators by their symbol."""
