"""Clauses: predicates in the form the index files them by, NOT pushed to the atoms, constants canonical.

Owns the step from an expression to "is TRUE" without a third value: a clause holds for a row or does not, and holds
exactly where the expression is TRUE. Refuses to know where clauses are filed.

A clause is a plain tuple, its tag first:

    TRUE FALSE   ("and", clauses)   ("or", clauses)        constants, junctions (flattened)
    ("=", i, key)        the canonical key of column i is `key`; IS NULL is `key` None
    ("in", i, keys)      it is one of several          ("notin", i, keys)   it is not NULL and none of these
    ("notnull", i)       column i is not NULL
    ("<", i, c)          and <= > >=: column i is of the class of c, and beyond it
    ("like", i, pattern) ("notlike", i, pattern)       column i is text, and matches or does not
    ("@>", i, keys)      column i is a list that holds all of these        ("&&", i, keys)   … one of these
    ("other", expression)                              anything else, evaluated
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sspcore.algebra.values import FALSE as FALSE_KEY
from sspcore.algebra.values import TRUE as TRUE_KEY
from sspcore.algebra.values import FrozenObject, Key, Value, canonical, canonical_key
from sspcore.errors import UsageError
from sspcore.index.patterns import Pattern, pattern_of
from sspcore.plan.evaluate import NullCounter, compile_expression
from sspcore.plan.expressions import Call, Column, Constant, Expression, Param, walk

Clause = tuple[Any, ...]

TRUE: Final[Clause] = ("true",)
FALSE: Final[Clause] = ("false",)

MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
NEGATED: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
ORDERED: Final = frozenset({int, float, Decimal, str, bytes, date, datetime})
"""Types of constants whose ranges are filed; NaN apart."""
_PLAIN: Final = frozenset({int, str})


def clause_of(expression: Expression, want: bool = True) -> Clause:
    """The clause that holds exactly where the expression is TRUE (or, without `want`, where it is FALSE).

    Raises UsageError for a parameter without a value. Cost: O(expression).

    >>> clause_of(Call("not", (Call("and", (Call("=", (Column(0), Constant(1))), Column(1))),)))
    ('or', (('notin', 0, (1,)), ('=', 1, FALSE)))
    """
    if isinstance(expression, Call):
        make = _CALLS.get(expression.function)
        if make is not None:
            clause = make(expression.args, want)
            if clause is not None:
                return clause
    elif isinstance(expression, Column):
        return ("=", expression.index, TRUE_KEY if want else FALSE_KEY)
    elif isinstance(expression, Constant):
        return TRUE if expression.value is want else FALSE
    for part in walk(expression):
        if isinstance(part, Param):
            raise UsageError(f"parameter ${part.name} has no value", hint="bind the parameters before filing")
    return ("other", expression if want else Call("not", (expression,)))


def both(clauses: list[Clause]) -> Clause:
    """The clause that holds where all of these do."""
    return _joined("and", TRUE, FALSE, clauses)


def either(clauses: list[Clause]) -> Clause:
    """The clause that holds where one of these does."""
    return _joined("or", FALSE, TRUE, clauses)


def _joined(tag: str, neutral: Clause, dominant: Clause, clauses: list[Clause]) -> Clause:
    parts: list[Clause] = []
    for clause in clauses:
        if clause is dominant:
            return dominant
        if clause[0] == tag:
            parts += clause[1]
        elif clause is not neutral:
            parts.append(clause)
    if len(parts) > 1:
        return (tag, tuple(parts))
    return parts[0] if parts else neutral


def key_of(value: Value) -> Key:
    """The canonical key of a constant, whatever form it comes in."""
    return value if type(value) in _PLAIN else canonical_key(canonical(value))


# What each function says when it is wanted TRUE, or FALSE


def _not(args: tuple[Expression, ...], want: bool) -> Clause:
    return clause_of(args[0], not want)


def _and(args: tuple[Expression, ...], want: bool) -> Clause:
    parts = [clause_of(a, want) for a in args]
    return both(parts) if want else either(parts)


def _or(args: tuple[Expression, ...], want: bool) -> Clause:
    parts = [clause_of(a, want) for a in args]
    return either(parts) if want else both(parts)


def _is_truth(truth: bool) -> Callable[[tuple[Expression, ...], bool], Clause | None]:
    return lambda args, want: clause_of(args[0], truth) if want else None


def _is_null(args: tuple[Expression, ...], want: bool) -> Clause | None:
    (subject,) = args
    if not isinstance(subject, Column):
        return None
    return ("=", subject.index, None) if want else ("notnull", subject.index)


def _column_and_constant(args: tuple[Expression, ...]) -> tuple[int, Value, bool] | None:
    """Position, constant, and whether the constant came first."""
    left, right = args
    if isinstance(left, Column):
        found = _constant(right)
        return None if found is None else (left.index, found.value, False)
    if isinstance(right, Column):
        found = _constant(left)
        return None if found is None else (right.index, found.value, True)
    return None


def _constant(expression: Expression) -> Constant | None:
    """The constant that an expression is, or comes to: one that reads no column is evaluated."""
    if isinstance(expression, Constant):
        return expression
    if not isinstance(expression, Call) or any(isinstance(e, Column | Param) for e in walk(expression)):
        return None
    return Constant(compile_expression(expression, NullCounter())(()))


def _equal(args: tuple[Expression, ...], want: bool) -> Clause | None:
    found = _column_and_constant(args)
    if found is None:
        return None
    index, value, _ = found
    if value is None:
        return FALSE
    return ("=", index, key_of(value)) if want else ("notin", index, (key_of(value),))


def _unequal(args: tuple[Expression, ...], want: bool) -> Clause | None:
    return _equal(args, not want)


def _distinct(args: tuple[Expression, ...], want: bool) -> Clause | None:
    found = _column_and_constant(args)
    if found is None:
        return None
    index, value, _ = found
    if not want:
        return ("=", index, key_of(value))
    return ("notnull", index) if value is None else None


def _in(args: tuple[Expression, ...], want: bool) -> Clause | None:
    subject, *items = args
    if not isinstance(subject, Column) or not items:
        return None
    keys: dict[Key, None] = {}
    nulls = False
    for item in items:
        if not isinstance(item, Constant):
            return None
        if item.value is None:
            nulls = True
        else:
            keys[key_of(item.value)] = None
    if not want:
        return FALSE if nulls else ("notin", subject.index, tuple(keys))
    if len(keys) == 1:
        return ("=", subject.index, next(iter(keys)))
    return ("in", subject.index, tuple(keys)) if keys else FALSE


def _range(symbol: str) -> Callable[[tuple[Expression, ...], bool], Clause | None]:
    def made(args: tuple[Expression, ...], want: bool) -> Clause | None:
        found = _column_and_constant(args)
        if found is None:
            return None
        index, value, exchanged = found
        if value is None:
            return FALSE
        bound = canonical(value)
        if type(bound) not in ORDERED or bound != bound:
            return None
        op = MIRRORED[symbol] if exchanged else symbol
        return (op if want else NEGATED[op], index, canonical_key(bound))

    return made


def _like(fold: bool) -> Callable[[tuple[Expression, ...], bool], Clause | None]:
    def made(args: tuple[Expression, ...], want: bool) -> Clause | None:
        subject, *texts = args
        if not isinstance(subject, Column) or not all(isinstance(t, Constant) and type(t.value) is str for t in texts):
            return None
        pattern = pattern_of(*[t.value for t in texts if isinstance(t, Constant)], fold=fold)
        if pattern is None:
            return None
        if pattern.whole and want:
            return ("=", subject.index, pattern.prefix)
        return ("like" if want else "notlike", subject.index, pattern)

    return made


def _starts_with(args: tuple[Expression, ...], want: bool) -> Clause | None:
    subject, text = args
    if not isinstance(subject, Column) or not isinstance(text, Constant) or type(text.value) is not str:
        return None
    return ("like" if want else "notlike", subject.index, Pattern(text.value, tail="%"))


def _list_keys(value: Value) -> tuple[Key, ...] | None:
    """The keys of a list's elements, each once; None unless it is a list of plain values."""
    items = canonical(value)
    if type(items) is not tuple or any(type(item) is tuple or type(item) is FrozenObject for item in items):
        return None
    return tuple(dict.fromkeys([canonical_key(item) for item in items]))


def _contains(args: tuple[Expression, ...], want: bool) -> Clause | None:
    subject, items = args
    keys = _list_keys(items.value) if isinstance(items, Constant) and type(items.value) in (tuple, list) else None
    if not want or not isinstance(subject, Column) or not keys:
        return None
    return ("@>", subject.index, keys)


def _contained(args: tuple[Expression, ...], want: bool) -> Clause | None:
    return _contains(args[::-1], want)


def _overlaps(args: tuple[Expression, ...], want: bool) -> Clause | None:
    subject, items = args if isinstance(args[0], Column) else args[::-1]
    keys = _list_keys(items.value) if isinstance(items, Constant) and type(items.value) in (tuple, list) else None
    if not want or not isinstance(subject, Column) or keys is None:
        return None
    keys = tuple([key for key in keys if key is not None])
    return ("@>" if len(keys) == 1 else "&&", subject.index, keys) if keys else FALSE


def _equals_any(args: tuple[Expression, ...], want: bool) -> Clause | None:
    """`x = ANY (list)`: IN where the list is a constant, an element of the list where `x` is one."""
    value, items = args
    if isinstance(value, Column) and isinstance(items, Constant) and type(items.value) in (tuple, list) and items.value:
        return _in((value, *map(Constant, items.value)), want)
    if want and isinstance(value, Constant) and isinstance(items, Column):
        if value.value is None:
            return FALSE
        if type(value.value) not in (tuple, list) and not isinstance(value.value, Mapping):
            return ("@>", items.index, (key_of(value.value),))
    return None


def _differs_from_all(args: tuple[Expression, ...], want: bool) -> Clause | None:
    value, items = args
    if isinstance(value, Column) and isinstance(items, Constant) and type(items.value) in (tuple, list) and items.value:
        return _in((value, *map(Constant, items.value)), not want)
    return None


_CALLS: Final[dict[str, Callable[[tuple[Expression, ...], bool], Clause | None]]] = {
    "=": _equal, "<>": _unequal, "and": _and, "or": _or, "not": _not, "in": _in, "is null": _is_null,
    "is true": _is_truth(True), "is false": _is_truth(False), "is distinct": _distinct,
    **{symbol: _range(symbol) for symbol in MIRRORED}, "like": _like(False), "ilike": _like(True),
    "starts_with": _starts_with, "@>": _contains, "<@": _contained, "&&": _overlaps, "= any": _equals_any,
    "<> all": _differs_from_all,
}  # fmt: skip
