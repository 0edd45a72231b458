"""What order means: sorted rows, windows of them, and places in them. Part of the oracle.

Owns ORDER BY, LIMIT and OFFSET, per partition too, and the ranks. Refuses to be fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sspcore.algebra.values import Key, Value, canonical, descending_key, order_key, row_key
from sspcore.engine.interpret_expressions import Row, evaluate, less, negation
from sspcore.errors import UsageError
from sspcore.plan.expressions import Constant, Expression, Param
from sspcore.plan.nodes import Nest, OrderTerm, Rank, TopK

Rows = dict[Key, Row]


def in_order(order: Sequence[OrderTerm], rows: Mapping[Key, Row]) -> list[tuple[Key, Row]]:
    """The rows sorted by the terms, ties by key."""
    return sorted(rows.items(), key=lambda entry: (_terms(order, entry[1]), order_key(entry[0])))


def _terms(order: Sequence[OrderTerm], row: Row) -> tuple[Any, ...]:
    parts: list[Any] = []
    for term in order:
        value = evaluate(term.expression, row)
        parts.append((value is None) != term.nulls_first)
        parts.append(descending_key(value) if term.descending else order_key(value))
    return tuple(parts)


def top_k(plan: TopK | Nest, rows: Rows) -> Rows:
    """The rows in order, cut to the window; of each partition, where there are any."""
    start = count_of(plan.offset, "OFFSET") or 0
    limit = count_of(plan.limit, "LIMIT")
    end = None if limit is None else start + limit
    if isinstance(plan, TopK) and plan.partition:
        parts = _partitions(plan.partition, rows)
        return {key: row for part in parts for key, row in in_order(plan.order, part)[start:end]}
    return dict(in_order(plan.order, rows)[start:end])


def ranked(plan: Rank, rows: Rows) -> Rows:
    """The rows with their places, those within the limit."""
    result: Rows = {}
    for part in _partitions(plan.partition, rows):
        peers: list[tuple[Any, ...]] = []
        for place, (key, row) in enumerate(in_order(plan.order, part), 1):
            terms = _terms(plan.order, row)
            different = len({*peers, terms})
            first = peers.index(terms) + 1 if terms in peers else place
            peers.append(terms)
            result[key] = (*row, {"row_number": place, "rank": first, "dense_rank": different}[plan.function])
    if plan.limit is None:
        return result
    bound = evaluate(plan.limit, ())
    return {key: row for key, row in result.items() if negation(less(bound, row[-1])) is True}


def _partitions(partition: Sequence[Expression], rows: Rows) -> Iterable[Rows]:
    parts: dict[Key, Rows] = {}
    for key, row in rows.items():
        parts.setdefault(row_key(tuple([evaluate(e, row) for e in partition])), {})[key] = row
    return parts.values()


def count_of(expression: Constant | Param | None, word: str) -> int | None:
    """A LIMIT or OFFSET as a number of rows; None for NULL or none given. UsageError when it is not a count."""
    value: Value = None if expression is None else canonical(evaluate(expression, ()))
    if value is not None and (type(value) is not int or value < 0):
        raise UsageError(f"{word} is {value!r}", hint="give a whole number from 0 on, or NULL for none")
    return value
