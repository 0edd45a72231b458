"""Readers: from a row to the cells or the key an operator needs, as fast as plain Python goes.

Owns the choice of closure for common forms (all columns, one column). Refuses to know what an expression means:
that is `plan/evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final

from sspcore.algebra.values import Key, Value, canonical_key, row_key
from sspcore.engine.operators.base import Row
from sspcore.plan.evaluate import NullCounter, compile_expression
from sspcore.plan.expressions import Column, Expression

PLAIN: Final = frozenset({type(None), int, str, bytes})
"""Types whose values are their own canonical keys, so that the call can be spared."""


def read_columns(indices: Sequence[int]) -> Callable[[Row], Row]:
    """The cells at these positions, as a row."""
    if not indices:
        return lambda row: ()
    if list(indices) == list(range(indices[0], indices[0] + len(indices))):
        return itemgetter(slice(indices[0], indices[0] + len(indices)))
    return itemgetter(*indices)


def read_row(expressions: Sequence[Expression], nulls: NullCounter) -> Callable[[Row], Row]:
    """The values of the expressions over a row, as a row."""
    if all(isinstance(e, Column) for e in expressions):
        return read_columns([e.index for e in expressions if isinstance(e, Column)])
    functions = [compile_expression(e, nulls) for e in expressions]
    if len(functions) == 1:
        only = functions[0]
        return lambda row: (only(row),)
    if len(functions) == 2:
        a, b = functions
        return lambda row: (a(row), b(row))
    if len(functions) == 3:
        a, b, c = functions
        return lambda row: (a(row), b(row), c(row))
    return lambda row: tuple([f(row) for f in functions])


def read_value(expression: Expression, nulls: NullCounter) -> Callable[[Row], Value]:
    """The value of one expression over a row."""
    if isinstance(expression, Column):
        return itemgetter(expression.index)
    return compile_expression(expression, nulls)


def read_group(expressions: Sequence[Expression], nulls: NullCounter) -> Callable[[Row], Key]:
    """The canonical key of the values over a row, NULLs equal."""
    read = read_row(expressions, nulls)
    return lambda row: row_key(read(row))


def read_join_key(expressions: Sequence[Expression], nulls: NullCounter) -> Callable[[Row], Key | None]:
    """The canonical key of the values over a row; None when one of them is NULL, which joins nothing.

    Without expressions every row has the same key: one bucket holds them all.
    """
    if not expressions:
        return lambda row: ()
    if len(expressions) == 1:
        return _one_key(expressions[0], nulls)
    read = read_row(expressions, nulls)

    def key(row: Row) -> Key | None:
        parts = []
        for value in read(row):
            if value is None:
                return None
            parts.append(value if type(value) in PLAIN else canonical_key(value))
        return tuple(parts)

    return key


def _one_key(expression: Expression, nulls: NullCounter) -> Callable[[Row], Key | None]:
    plain = PLAIN
    if isinstance(expression, Column):
        index = expression.index

        def column_key(row: Row) -> Key | None:
            value = row[index]
            return value if type(value) in plain else canonical_key(value)

        return column_key
    read = compile_expression(expression, nulls)

    def key(row: Row) -> Key | None:
        value = read(row)
        return value if type(value) in plain else canonical_key(value)

    return key
