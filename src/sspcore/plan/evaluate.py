"""Expressions as closures over a row: what operators run, many times faster than walking the tree.

Owns speed: closures are specialised for what views ask most (a column against a constant, AND, IN, LIKE). Refuses to
generate source. The meaning is that of `functions`; `engine/interpret_expressions` says it a second time by walking
the tree, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final

from sspcore.algebra.values import Value, canonical, canonical_key
from sspcore.errors import InternalError, UsageError
from sspcore.plan.casts import CASTS
from sspcore.plan.evaluate_compare import SYMBOLS, Row, Scalar, column_against_constant, two_scalars
from sspcore.plan.expressions import Call, Column, Constant, Expression, Param
from sspcore.plan.functions import FUNCTIONS
from sspcore.plan.like import compile_like
from sspcore.plan.total import NULL_BY_ERROR

Predicate = Callable[[Row], bool]
Args = tuple[Expression, ...]


class NullCounter:
    """Counts the NULLs that stand for an error: division by zero, a failed cast, an operand of the wrong class.

    `errors` tells a user that a view does not fit its data. It is no exact figure: an operand that AND, OR or CASE
    need not look at is not counted.
    """

    __slots__ = ("errors",)

    def __init__(self) -> None:
        self.errors = 0


def compile_expression(expression: Expression, nulls: NullCounter) -> Scalar:
    """The function from a row to the expression's value; it never raises.

    Raises UsageError for a parameter without a value, InternalError for a function that does not exist (`plan.check`
    refuses it first). Cost: once per view, O(expression).

    >>> from sspcore.plan.expressions import Call, Column, Constant
    >>> half = compile_expression(Call("/", (Column(0), Constant(2))), NullCounter())
    >>> half((9,)), half((None,))
    (4, None)
    """
    match expression:
        case Column(index):
            return itemgetter(index)
        case Constant(value):
            return _constant(canonical(value))
        case Param(name):
            raise UsageError(f"parameter ${name} has no value")
        case Call(name, args):
            special = _SPECIAL.get(name)
            compiled = special(args, nulls) if special is not None else None
            return compiled if compiled is not None else _general(name, args, nulls)


def compile_predicate(expression: Expression | None, nulls: NullCounter) -> Predicate:
    """The function from a row to whether the expression is TRUE (not FALSE, not NULL); None is always TRUE.

    Cost of a call: some 0.1 µs for a column against a constant of its type.
    """
    if expression is None:
        return lambda row: True
    if isinstance(expression, Call):
        special = _PREDICATES.get(expression.function)
        if special is not None:
            return special(expression.args, nulls)
        if expression.function in SYMBOLS:
            meaning = counted_function(expression.function, nulls)
            return _comparison(
                expression, nulls, lambda a, b: a is not None and b is not None and meaning(a, b) is True
            )
    scalar = compile_expression(expression, nulls)

    def test(row: Row) -> bool:
        value = scalar(row)
        return value is True or _not_true(value, nulls)

    return test


def compile_row(expressions: Sequence[Expression], nulls: NullCounter) -> Callable[[Row], Row]:
    """The function from a row to the tuple of the expressions' values."""
    indexes = [e.index for e in expressions if isinstance(e, Column)]
    if len(indexes) == len(expressions) > 1:
        return itemgetter(*indexes)
    scalars = [compile_expression(e, nulls) for e in expressions]
    if len(scalars) == 1:
        only = scalars[0]
        return lambda row: (only(row),)
    return lambda row: tuple([scalar(row) for scalar in scalars])


def _constant(value: Value) -> Scalar:
    return lambda row: value


def _not_true(value: Value, nulls: NullCounter) -> bool:
    """False; a condition that is not boolean is counted."""
    if value is not None and value is not False:
        nulls.errors += 1
    return False


def counted_function(name: str, nulls: NullCounter) -> Callable[..., Value]:
    """The function of that name, its errors counted and made NULL."""
    if name not in FUNCTIONS:
        raise InternalError(f"there is no function {name!r}")
    apply = FUNCTIONS[name].apply

    def counted(*values: Value) -> Value:
        value = apply(*values)
        if value is NULL_BY_ERROR:
            nulls.errors += 1
            return None
        return value

    return counted


def _general(name: str, args: Args, nulls: NullCounter) -> Scalar:
    """A call with every argument evaluated; of constants only, once for all (errors stay, to be counted)."""
    if name not in FUNCTIONS:
        raise InternalError(f"there is no function {name!r}")
    apply = FUNCTIONS[name].apply
    if all(isinstance(a, Constant) for a in args):
        value = apply(*[canonical(a.value) for a in args if isinstance(a, Constant)])
        if value is not NULL_BY_ERROR:
            return _constant(value)
    scalars = [compile_expression(a, nulls) for a in args]
    if len(scalars) == 1:
        (only,) = scalars
        return lambda row: _kept(apply(only(row)), nulls)
    if len(scalars) == 2:
        first, second = scalars

        def call(row: Row) -> Value:
            value = apply(first(row), second(row))
            if value is NULL_BY_ERROR:
                nulls.errors += 1
                return None
            return value

        return call
    return lambda row: _kept(apply(*[scalar(row) for scalar in scalars]), nulls)


def _kept(value: Value, nulls: NullCounter) -> Value:
    if value is NULL_BY_ERROR:
        nulls.errors += 1
        return None
    return value


# Comparisons


def _comparison(call: Call, nulls: NullCounter, slow: Callable[[Value, Value], Value]) -> Scalar:
    """`slow` gives the answer where there is no short cut: in three values, or for predicates in two."""
    left, right = call.args
    if isinstance(right, Column) and isinstance(left, Constant):
        mirrored = Call(SYMBOLS[call.function], (right, left))
        return _comparison(mirrored, nulls, lambda a, b: slow(b, a))
    if isinstance(left, Column) and isinstance(right, Constant):
        compiled = column_against_constant(call.function, left.index, canonical(right.value), slow)
        if compiled is not None:
            return compiled
    return two_scalars(call.function, compile_expression(left, nulls), compile_expression(right, nulls), slow)


def _compare_by(symbol: str) -> Callable[[Args, NullCounter], Scalar]:
    return lambda args, nulls: _comparison(Call(symbol, args), nulls, counted_function(symbol, nulls))


# Logic


def _junction(dominant: bool) -> Callable[[Args, NullCounter], Scalar]:
    """AND (dominated by FALSE), OR (by TRUE), left to right, no further than needed."""

    def compiled(args: Args, nulls: NullCounter) -> Scalar:
        scalars = [compile_expression(a, nulls) for a in args]

        def evaluate(row: Row) -> Value:
            result: Value = not dominant
            for scalar in scalars:
                value = scalar(row)
                if value is dominant:
                    return dominant
                if value is None:
                    result = None
                elif type(value) is not bool:
                    nulls.errors += 1
                    result = None
            return result

        return evaluate

    return compiled


def _all_of(args: Args, nulls: NullCounter) -> Predicate:
    tests = [compile_predicate(a, nulls) for a in args]
    if len(tests) == 2:
        first, second = tests
        return lambda row: first(row) and second(row)

    def test(row: Row) -> bool:
        for each in tests:  # noqa: SIM110 - a generator inside all() would cost a frame
            if not each(row):
                return False
        return True

    return test


def _any_of(args: Args, nulls: NullCounter) -> Predicate:
    tests = [compile_predicate(a, nulls) for a in args]
    if len(tests) == 2:
        first, second = tests
        return lambda row: first(row) or second(row)

    def test(row: Row) -> bool:
        for each in tests:  # noqa: SIM110
            if each(row):
                return True
        return False

    return test


def _is_false(args: Args, nulls: NullCounter) -> Predicate:
    """NOT x is TRUE exactly where x is FALSE."""
    scalar = compile_expression(args[0], nulls)

    def test(row: Row) -> bool:
        value = scalar(row)
        return value is False or (value is not True and _not_true(value, nulls))

    return test


def _is_null(args: Args, nulls: NullCounter) -> Predicate:
    scalar = compile_expression(args[0], nulls)
    return lambda row: scalar(row) is None


# Choice


def _case(args: Args, nulls: NullCounter) -> Scalar:
    branches = [
        (compile_predicate(condition, nulls), compile_expression(value, nulls))
        for condition, value in zip(args[:-1:2], args[1::2], strict=True)
    ]
    otherwise = compile_expression(args[-1], nulls)

    def evaluate(row: Row) -> Value:
        for condition, value in branches:
            if condition(row):
                return value(row)
        return otherwise(row)

    return evaluate


def _coalesce(args: Args, nulls: NullCounter) -> Scalar:
    scalars = [compile_expression(a, nulls) for a in args]

    def evaluate(row: Row) -> Value:
        for scalar in scalars:
            value = scalar(row)
            if value is not None:
                return value
        return None

    return evaluate


def _in(args: Args, nulls: NullCounter) -> Scalar | None:
    """Against constants: one look into a set of canonical keys."""
    if len(args) < 2 or not all(isinstance(a, Constant) for a in args[1:]):
        return None
    items = [canonical(a.value) for a in args[1:] if isinstance(a, Constant)]
    keys = frozenset([canonical_key(item) for item in items if item is not None])
    absent = None if any(item is None for item in items) else False
    scalar = compile_expression(args[0], nulls)

    def evaluate(row: Row) -> Value:
        value = scalar(row)
        kind = type(value)
        if value is None:
            return None
        key = value if kind is int or kind is str else canonical_key(value)
        return True if key in keys else absent

    return evaluate


def _any(args: Args, nulls: NullCounter) -> Scalar | None:
    """= ANY of a constant list is IN."""
    items = canonical(args[1].value) if isinstance(args[1], Constant) else None
    return _in((args[0], *map(Constant, items)), nulls) if type(items) is tuple else None


# Constant second arguments


def _like(fold: bool) -> Callable[[Args, NullCounter], Scalar | None]:
    def compiled(args: Args, nulls: NullCounter) -> Scalar | None:
        texts = [a.value for a in args[1:] if isinstance(a, Constant) and type(a.value) is str]
        if len(texts) < len(args) - 1:
            return None
        match = compile_like(texts[0], texts[1] if len(texts) > 1 else "\\", fold)
        if match is None:
            return None
        scalar = compile_expression(args[0], nulls)

        def evaluate(row: Row) -> Value:
            value = scalar(row)
            if type(value) is str:
                return match(value)
            if value is not None:
                nulls.errors += 1
            return None

        return evaluate

    return compiled


def _cast(args: Args, nulls: NullCounter) -> Scalar | None:
    kind = args[1]
    if not isinstance(kind, Constant) or kind.value not in CASTS:
        return None
    scalar, convert = compile_expression(args[0], nulls), CASTS[kind.value]

    def evaluate(row: Row) -> Value:
        value = scalar(row)
        return None if value is None else _kept(convert(value), nulls)

    return evaluate


_SPECIAL: Final[dict[str, Callable[[Args, NullCounter], Scalar | None]]] = {
    **{symbol: _compare_by(symbol) for symbol in SYMBOLS},
    "and": _junction(False), "or": _junction(True), "is null": _is_null, "case": _case, "coalesce": _coalesce,
    "in": _in, "= any": _any, "like": _like(False), "ilike": _like(True), "cast": _cast,
}  # fmt: skip
_PREDICATES: Final[dict[str, Callable[[Args, NullCounter], Predicate]]] = {
    "and": _all_of, "or": _any_of, "not": _is_false, "is null": _is_null,
}  # fmt: skip
