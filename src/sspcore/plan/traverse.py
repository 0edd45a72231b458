"""Walking plans: the inputs, the columns and the expressions of a node, and plans rebuilt with others.

Owns what every pass over a plan needs to know of each node. What nodes mean is not its business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from sspcore.algebra.values import Value
from sspcore.plan.expressions import Column, Expression, Param, bind, walk
from sspcore.plan.nodes import (
    Aggregate,
    AggregateCall,
    AntiJoin,
    Except,
    Filter,
    Intersect,
    Join,
    Mark,
    Nest,
    OrderTerm,
    Pairs,
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


def children(plan: Plan) -> tuple[Plan, ...]:
    """The inputs of a node, in order."""
    match plan:
        case Scan() | Values() | Working():
            return ()
        case Recursive():
            return (plan.base, plan.step)
        case Union():
            return plan.inputs
        case Join() | SemiJoin() | AntiJoin() | Mark() | Nest() | Intersect() | Except():
            return (plan.left, plan.right)
        case _:
            return (plan.input,)


def inputs(plan: Plan) -> tuple[Plan, ...]:
    """What an operator of the node is fed: its children; a recursion, which runs them again and again, its tables."""
    return scans_of(plan) if isinstance(plan, Recursive) else children(plan)


def scans_of(plan: Plan) -> tuple[Scan, ...]:
    """One scan for each table the plan reads, of all columns that it reads anywhere."""
    read: dict[str, dict[str, None]] = {}
    for node in walk_plan(plan):
        if isinstance(node, Scan):
            read.setdefault(node.table, {}).update(dict.fromkeys(node.columns))
    return tuple([Scan(table, tuple(names)) for table, names in read.items()])


def with_children(plan: Plan, inputs: tuple[Plan, ...]) -> Plan:
    """The node over other inputs."""
    match plan:
        case Scan() | Values() | Working():
            return plan
        case Recursive():
            return attrs.evolve(plan, base=inputs[0], step=inputs[1])
        case Union():
            return attrs.evolve(plan, inputs=inputs)
        case Join() | SemiJoin() | AntiJoin() | Mark() | Nest() | Intersect() | Except():
            return attrs.evolve(plan, left=inputs[0], right=inputs[1])
        case _:
            return attrs.evolve(plan, input=inputs[0])


def columns(plan: Plan) -> tuple[str, ...]:
    """The names of a node's output columns; names may repeat."""
    match plan:
        case Scan() | Values() | Working():
            return plan.columns
        case Recursive():
            return columns(plan.base)
        case Project():
            return tuple([name for name, _ in plan.columns])
        case Join():
            return columns(plan.left) + columns(plan.right)
        case Mark() | Nest():
            return (*columns(plan.left), plan.name)
        case Rank():
            return (*columns(plan.input), plan.name)
        case Aggregate():
            return tuple([name for name, _ in plan.groups]) + tuple([name for name, _ in plan.aggregates])
        case Union():
            return columns(plan.inputs[0])
        case SemiJoin() | AntiJoin() | Intersect() | Except():
            return columns(plan.left)
        case _:
            return columns(plan.input)


def shown(plan: Nest) -> tuple[tuple[str, Expression], ...]:
    """What a child of a Nest shows: its cells, or all columns of the right side."""
    return plan.cells or tuple([(name, Column(i, name)) for i, name in enumerate(columns(plan.right))])


def expressions(plan: Plan) -> Iterator[Expression]:
    """The expressions of the node itself (not of its inputs)."""
    match plan:
        case Values():
            for row in plan.rows:
                yield from row
        case Filter():
            yield plan.predicate
        case Project():
            yield from (e for _, e in plan.columns)
        case Join() | SemiJoin() | AntiJoin() | Mark() | Nest():
            for pair in plan.on:
                yield from pair
            if plan.residual is not None:
                yield plan.residual
            if isinstance(plan, Mark) and plan.key is not None:
                yield from plan.key
            if isinstance(plan, Nest):
                yield from _window(plan)
                yield from (e for _, e in plan.cells)
        case Aggregate():
            yield from (e for _, e in plan.groups)
            for _, call in plan.aggregates:
                yield from call_expressions(call)
        case TopK():
            yield from plan.partition
            yield from _window(plan)
        case Rank():
            yield from plan.partition
            yield from (t.expression for t in plan.order)
            if plan.limit is not None:
                yield plan.limit
        case _:
            return


def _window(plan: TopK | Nest) -> Iterator[Expression]:
    yield from (t.expression for t in plan.order)
    yield from (e for e in (plan.limit, plan.offset) if e is not None)


def call_expressions(call: AggregateCall) -> Iterator[Expression]:
    """The expressions of an aggregate."""
    if call.argument is not None:
        yield call.argument
    yield from (t.expression for t in call.order)
    yield from (e for e in (call.separator, call.where) if e is not None)


def map_call(call: AggregateCall, change: Callable[[Expression], Expression]) -> AggregateCall:
    """The aggregate with every expression replaced."""

    def maybe(e: Any) -> Any:
        return None if e is None else change(e)

    return attrs.evolve(
        call, argument=maybe(call.argument), order=_terms(call.order, change), separator=maybe(call.separator),
        where=maybe(call.where),
    )  # fmt: skip


def _terms(order: tuple[OrderTerm, ...], change: Callable[[Expression], Expression]) -> tuple[OrderTerm, ...]:
    return tuple([attrs.evolve(t, expression=change(t.expression)) for t in order])


def walk_plan(plan: Plan) -> Iterator[Plan]:
    """The node and everything below it, outermost first."""
    yield plan
    for child in children(plan):
        yield from walk_plan(child)


def map_expressions(plan: Plan, change: Callable[[Expression], Expression]) -> Plan:
    """The node with every expression of its own replaced."""

    def pairs(on: Pairs) -> Pairs:
        return tuple([(change(a), change(b)) for a, b in on])

    def maybe(e: Any) -> Any:
        return None if e is None else change(e)

    match plan:
        case Values():
            return attrs.evolve(plan, rows=tuple([tuple([change(c) for c in row]) for row in plan.rows]))
        case Filter():
            return attrs.evolve(plan, predicate=change(plan.predicate))
        case Project():
            return attrs.evolve(plan, columns=tuple([(n, change(e)) for n, e in plan.columns]))
        case Join() | SemiJoin() | AntiJoin():
            return attrs.evolve(plan, on=pairs(plan.on), residual=maybe(plan.residual))
        case Mark():
            key = None if plan.key is None else (change(plan.key[0]), change(plan.key[1]))
            return attrs.evolve(plan, on=pairs(plan.on), residual=maybe(plan.residual), key=key)
        case Aggregate():
            calls = [(n, map_call(a, change)) for n, a in plan.aggregates]
            return attrs.evolve(plan, groups=tuple([(n, change(e)) for n, e in plan.groups]), aggregates=tuple(calls))
        case TopK() | Nest():
            terms = _terms(plan.order, change)
            limit, offset = maybe(plan.limit), maybe(plan.offset)
            if isinstance(plan, TopK):
                partition = tuple([change(e) for e in plan.partition])
                return attrs.evolve(plan, order=terms, limit=limit, offset=offset, partition=partition)
            on, residual = pairs(plan.on), maybe(plan.residual)
            cells = tuple([(n, change(e)) for n, e in plan.cells])
            return attrs.evolve(plan, on=on, residual=residual, order=terms, limit=limit, offset=offset, cells=cells)
        case Rank():
            partition = tuple([change(e) for e in plan.partition])
            return attrs.evolve(plan, order=_terms(plan.order, change), limit=maybe(plan.limit), partition=partition)
        case _:
            return plan


def bind_plan(plan: Plan, params: Mapping[str, Value]) -> Plan:
    """The plan with every parameter replaced by its constant; UsageError when one other than `$now` is missing."""
    inputs = tuple([bind_plan(c, params) for c in children(plan)])
    return map_expressions(with_children(plan, inputs), lambda e: bind(e, params))


def params_of(plan: Plan) -> set[str]:
    """The names of all parameters the plan reads."""
    return {e.name for node in walk_plan(plan) for top in expressions(node) for e in walk(top) if isinstance(e, Param)}


def tables_of(plan: Plan) -> set[str]:
    """The names of all tables the plan reads."""
    return {node.table for node in walk_plan(plan) if isinstance(node, Scan)}


def ordering(plan: Plan) -> TopK | None:
    """The TopK that orders the plan's result, or None for an unordered one."""
    while isinstance(plan, Project | Nest):
        plan = plan.input if isinstance(plan, Project) else plan.left
    return plan if isinstance(plan, TopK) and not plan.partition else None
