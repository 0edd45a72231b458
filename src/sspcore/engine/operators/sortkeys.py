"""Sort keys: from a row to the flat tuple that sorts as ORDER BY says.

Owns the layout of entries: the parts of every term, then those of the key that breaks ties, then the key.
Plain tuples compare in C; a `__lt__` in Python would cost ten times as much. Flattening is sound since no part of a
value's order key is a prefix of another's: where two differ, they do so at the same position.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sspcore.algebra.values import NUMBER, TEXT, Key, Value, descending_key, order_key
from sspcore.engine.operators.base import Row
from sspcore.engine.operators.ordered import Entry
from sspcore.engine.operators.readers import read_value
from sspcore.plan.evaluate import NullCounter
from sspcore.plan.nodes import OrderTerm

Part = Callable[[Value], tuple[Any, ...]]

BEFORE_ALL = (-NUMBER - 100,)
"""Sorts before the key of any value, in either direction: classes are small numbers."""
AFTER_ALL = (NUMBER + 100,)
"""Sorts after the key of any value."""


def ascending(value: Value) -> tuple[Any, ...]:
    """`order_key`, with a short cut for the common types."""
    kind = type(value)
    if kind is int or (kind is float and value == value):
        return (NUMBER, 0, value)
    if kind is str:
        return (TEXT, value)
    return order_key(value)


def descending(value: Value) -> tuple[Any, ...]:
    """`descending_key`, with a short cut for numbers."""
    kind = type(value)
    if kind is int or (kind is float and value == value):
        return (-NUMBER, 0, -value)
    return descending_key(value)


def tie(key: Key) -> tuple[Any, ...]:
    """The end of an entry: the key's own order, and the key itself as the last element."""
    kind = type(key)
    if kind is str:
        return (TEXT, key)
    if kind is int:
        return (NUMBER, 0, key)
    return (*order_key(key), key)


def part_of(term: OrderTerm) -> Part:
    """The function from a term's value to its part of the entry: direction and place of NULL settled."""
    part = descending if term.descending else ascending
    if term.nulls_first == term.descending:
        return part  # as the one total order has it: NULL is the largest
    null = BEFORE_ALL if term.nulls_first else AFTER_ALL
    return lambda value: null if value is None else part(value)


def entry_of(order: Sequence[OrderTerm], nulls: NullCounter) -> Callable[[Key, Row], Entry]:
    """The function from a key and its row to the entry that `Ordered` keeps.

    >>> from sspcore.plan.expressions import Column
    >>> entry_of([OrderTerm(Column(0), descending=True, nulls_first=True)], NullCounter())("a", (7,))
    (-1, 0, -7, 2, 'a')
    """
    terms = [(read_value(term.expression, nulls), part_of(term)) for term in order]
    if len(terms) == 1:
        ((read, part),) = terms
        return lambda key, row: part(read(row)) + tie(key)
    if len(terms) == 2:
        (read, part), (read2, part2) = terms
        return lambda key, row: part(read(row)) + part2(read2(row)) + tie(key)

    def many(key: Key, row: Row) -> Entry:
        parts: list[Any] = []
        for read, part in terms:
            parts += part(read(row))
        return (*parts, *tie(key))

    return many


def peers_entry_of(order: Sequence[OrderTerm], nulls: NullCounter) -> Callable[[Key, Row], Entry]:
    """The same with the parts of all terms as one element in front: rows are peers where it is equal.

    >>> from sspcore.plan.expressions import Column
    >>> peers_entry_of([OrderTerm(Column(0))], NullCounter())("a", (7,))
    ((1, 0, 7), 2, 'a')
    """
    terms = [(read_value(term.expression, nulls), part_of(term)) for term in order]

    def entry(key: Key, row: Row) -> Entry:
        parts: list[Any] = []
        for read, part in terms:
            parts += part(read(row))
        return (tuple(parts), *tie(key))

    return entry
