"""What a plan means: its value from scratch, over whole tables. The specification and the oracle.

Owns the meaning of every node, one short function each, as if sets were small and time were free. Refuses to
remember anything between calls: no operator may call it, and every operator is tested against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from sspcore.algebra.values import FrozenObject, Key, Value, full_order_key, row_key, type_rank
from sspcore.engine.interpret_aggregates import aggregate
from sspcore.engine.interpret_expressions import disjunction, equality, evaluate, is_true
from sspcore.engine.interpret_order import ranked, top_k
from sspcore.errors import TooExpensive
from sspcore.plan import recursion
from sspcore.plan.expressions import Expression
from sspcore.plan.keys import join_key
from sspcore.plan.nodes import (
    Aggregate,
    AntiJoin,
    Distinct,
    Except,
    Filter,
    Intersect,
    Join,
    Mark,
    Nest,
    Plan,
    Project,
    Rank,
    Recursive,
    Scan,
    SemiJoin,
    TopK,
    Union,
    Values,
    Working,
)
from sspcore.plan.traverse import bind_plan, columns, shown
from sspcore.plan.trees import key_value

Row = tuple[Value, ...]
Rows = dict[Key, Row]


class TableLike(Protocol):
    """What a table must show to be read: its columns in order, and its rows by id."""

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in the order of the row tuples."""

    @property
    def rows(self) -> Mapping[Any, Row]:
        """Every row by id."""


def interpret(plan: Plan, tables: Mapping[str, TableLike], params: Mapping[str, Value] | None = None) -> Rows:
    """The value of a plan: key → row, in order where the plan has one (`nodes.ordering`).

    Args: `tables` by name, a missing one reads as empty; `params` for the plan's parameters.
    Raises UsageError (the caller's) for a missing parameter, or a LIMIT that is not a count.
    Cost: the size of the tables; joins on equalities are hashed, others take the product.
    """
    bound = plan if params is None else bind_plan(plan, params)
    return _rows(bound, tables)


def _rows(plan: Plan, tables: Mapping[str, TableLike]) -> Rows:
    def of(child: Plan) -> Rows:
        return _rows(child, tables)

    match plan:
        case Scan():
            return _scan(plan, tables.get(plan.table))
        case Values():
            return {i: tuple([evaluate(cell, ()) for cell in row]) for i, row in enumerate(plan.rows)}
        case Filter():
            return {key: row for key, row in of(plan.input).items() if is_true(plan.predicate, row)}
        case Project():
            return {key: _cells([e for _, e in plan.columns], row) for key, row in of(plan.input).items()}
        case Join():
            return _join(plan, of(plan.left), of(plan.right))
        case SemiJoin():
            partners = _partners(plan, of(plan.right))
            return {key: row for key, row in of(plan.left).items() if partners(row)}
        case AntiJoin():
            partners = _partners(plan, of(plan.right))
            return {key: row for key, row in of(plan.left).items() if not partners(row)}
        case Mark():
            partners = _partners(plan, of(plan.right))
            return {key: (*row, _mark(plan, row, partners(row))) for key, row in of(plan.left).items()}
        case Nest():
            partners = _partners(plan, of(plan.right))
            return {key: (*row, _nested(plan, partners(row))) for key, row in of(plan.left).items()}
        case Aggregate():
            return _aggregate(plan, of(plan.input))
        case Distinct():
            return _distinct(of(plan.input).values())
        case Union(inputs, all=True):
            return {(i, key): row for i, part in enumerate(inputs) for key, row in of(part).items()}
        case Union(inputs):
            return _distinct([row for part in inputs for row in of(part).values()])
        case Intersect(all=True):
            counts = _counts(of(plan.right))
            return _copies(of(plan.left), lambda key, count: min(count, counts.get(key, 0)))
        case Except(all=True):
            counts = _counts(of(plan.right))
            return _copies(of(plan.left), lambda key, count: count - counts.get(key, 0))
        case Intersect():
            right = _distinct(of(plan.right).values())
            return {key: row for key, row in _distinct(of(plan.left).values()).items() if key in right}
        case Except():
            right = _distinct(of(plan.right).values())
            return {key: row for key, row in _distinct(of(plan.left).values()).items() if key not in right}
        case Recursive():
            return _recursive(plan, tables)
        case Working():
            return tables[_found(plan.name)].rows  # type: ignore[return-value]
        case TopK():
            return top_k(plan, of(plan.input))
        case Rank():
            return ranked(plan, of(plan.input))


def _cells(expressions: Iterable[Expression], row: Row) -> Row:
    return tuple([evaluate(e, row) for e in expressions])


def _scan(plan: Scan, table: TableLike | None) -> Rows:
    if table is None:
        return {}
    places = {name: i for i, name in enumerate(table.names)}
    wanted = [places.get(name) for name in plan.columns]
    return {key: tuple([None if i is None else row[i] for i in wanted]) for key, row in table.rows.items()}


def _partners(plan: Join | SemiJoin | AntiJoin | Mark | Nest, right: Rows) -> Callable[[Row], Rows]:
    """The function from a left row to the right rows for which all equalities and the residual are TRUE."""
    buckets: dict[Key, Rows] = {}
    for key, row in right.items():
        buckets.setdefault(_match_key([e for _, e in plan.on], row), {})[key] = row
    buckets.pop(None, None)

    def partners(left_row: Row) -> Rows:
        candidates = buckets.get(_match_key([e for e, _ in plan.on], left_row), {})
        return {key: row for key, row in candidates.items() if is_true(plan.residual, left_row + row)}

    return partners


def _match_key(expressions: list[Expression], row: Row) -> Key | None:
    """What equal rows have in common; None when a value is NULL, which equals nothing."""
    values = _cells(expressions, row)
    return None if any(v is None for v in values) else row_key(values)


def _join(plan: Join, left: Rows, right: Rows) -> Rows:
    pair, partners = join_key(plan.left, plan.right), _partners(plan, right)
    left_pad, right_pad = ((None,) * len(columns(side)) for side in (plan.left, plan.right))
    result: Rows = {}
    matched: set[Key] = set()
    for left_key, left_row in left.items():
        found = partners(left_row)
        matched.update(found)
        for right_key, right_row in found.items():
            result[pair(left_key, right_key)] = left_row + right_row
        if not found and plan.kind in ("left", "full"):
            result[pair(left_key, None)] = left_row + right_pad
    if plan.kind in ("right", "full"):
        for right_key, right_row in right.items():
            if right_key not in matched:
                result[pair(None, right_key)] = left_pad + right_row
    return result


def _mark(plan: Mark, row: Row, candidates: Rows) -> Value:
    if plan.key is None:
        return bool(candidates)
    probe = evaluate(plan.key[0], row)
    return disjunction([equality(probe, evaluate(plan.key[1], candidate)) for candidate in candidates.values()])


def _nested(plan: Nest, candidates: Rows) -> Value:
    """The cell of a parent: its children in order, in the form the plan asks for."""
    children: list[Value] = []
    for key, row in top_k(plan, candidates).items():
        members = {name: evaluate(e, row) for name, e in shown(plan)}
        child = next(iter(members.values())) if plan.form in ("values", "value") else FrozenObject(members)
        children.append((key_value(key), child) if plan.keyed else child)
    if plan.form in ("objects", "values"):
        return tuple(children)
    if plan.keyed:
        return tuple(children[:1])
    return children[0] if children else None


def _least(rows: Iterable[Row]) -> Row:
    """The representative of equal rows: the least, types breaking ties."""
    return min(rows, key=lambda row: tuple([full_order_key(v) for v in row]))


def _distinct(rows: Iterable[Row]) -> Rows:
    equals: dict[Key, list[Row]] = {}
    for row in rows:
        equals.setdefault(row_key(row), []).append(row)
    return {key: _least(group) for key, group in equals.items()}


class _Found:
    """What a recursion has found so far, as a table."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.names: tuple[str, ...] = ()
        self.rows: Rows = {(row_key(row), type_rank(row)): row for row in rows}


def _found(name: str) -> str:
    return f"\0recursion {name}"


def _recursive(plan: Recursive, tables: Mapping[str, TableLike]) -> Rows:
    """All again in every round, until a round finds nothing; rows that differ in type are different until the end."""
    base = list(_rows(plan.base, tables).values())
    found, rounds = _Found(base), 0
    while True:
        made = _rows(plan.step, {**tables, _found(plan.name): found}).values()
        grown = _Found([*base, *made])
        if grown.rows.keys() == found.rows.keys():
            return _distinct(found.rows.values())
        found, rounds = grown, rounds + 1
        for what, limit, actual in (
            ("rounds", recursion.MAX_ROUNDS, rounds), ("rows", recursion.MAX_ROWS, len(found.rows))
        ):  # fmt: skip
            if actual > limit:
                raise TooExpensive(f"{what} of the recursion {plan.name!r}", limit=limit, actual=actual)


def _counts(rows: Rows) -> dict[Key, int]:
    counts: dict[Key, int] = {}
    for row in rows.values():
        counts[row_key(row)] = counts.get(row_key(row), 0) + 1
    return counts


def _copies(left: Rows, times: Callable[[Key, int], int]) -> Rows:
    """Each different row as often as `times` says, given how often it is there."""
    counts = _counts(left)
    return {
        (key, n): row for key, row in _distinct(left.values()).items() for n in range(times(key, counts[key]))
    }  # fmt: skip


def _aggregate(plan: Aggregate, rows: Rows) -> Rows:
    shown = {key: _cells([e for _, e in plan.groups], row) for key, row in rows.items()}
    groups: dict[Key, Rows] = {} if plan.groups else {(): {}}
    for key, row in rows.items():
        groups.setdefault(row_key(shown[key]), {})[key] = row
    return {
        group: (_least([shown[key] for key in members]) if members else ())
        + tuple([aggregate(call, members) for _, call in plan.aggregates])
        for group, members in groups.items()
    }
