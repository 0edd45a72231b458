"""Pruning: no column is carried that nobody reads.

Owns which columns each node needs of its inputs. The result keeps its columns; a scan marked `star` keeps them all.
Keys do not depend on columns, but where rows are compared whole (DISTINCT, set operations) all of them count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from sspcore.plan.expressions import Column, Expression, columns_read, remap
from sspcore.plan.nodes import (
    Aggregate,
    AggregateCall,
    AntiJoin,
    Filter,
    Join,
    Mark,
    Nest,
    Plan,
    Project,
    Scan,
    SemiJoin,
    TopK,
    Union,
    Values,
)
from sspcore.plan.traverse import call_expressions, children, columns, map_call, map_expressions, shown, with_children

Places = Mapping[int, int]
"""Where the columns of a plan are in the pruned one."""


def prune(plan: Plan) -> Plan:
    """The plan without columns that are not read: same rows, keys, columns and order. Cost: O(plan × columns).

    >>> prune(Project(Scan("t", ("a", "b")), (("b", Column(1)),))).input
    Scan(table='t', columns=('b',), star=False, alias='')
    """
    return _exactly(plan, range(len(columns(plan))))


def _exactly(plan: Plan, needed: Iterable[int]) -> Plan:
    """The pruned plan with the needed columns alone, in order."""
    wanted = sorted(set(needed))
    pruned, places = _prune(plan, set(wanted))
    if [places[i] for i in wanted] == list(range(len(columns(pruned)))):
        return pruned
    names = columns(plan)
    return Project(pruned, tuple([(names[i], Column(places[i], names[i])) for i in wanted]))


def _prune(plan: Plan, needed: set[int]) -> tuple[Plan, Places]:
    """The plan with the needed columns and perhaps more, in the order they had, and where they are."""
    match plan:
        case Scan(star=False) | Values():
            return _leaf(plan, needed)
        case Project():
            kept = sorted(needed)
            cells = [plan.columns[i] for i in kept]
            below, at = _prune(plan.input, _read(e for _, e in cells))
            return Project(below, tuple([(n, remap(e, at)) for n, e in cells])), {i: n for n, i in enumerate(kept)}
        case Filter():
            below, at = _prune(plan.input, needed | columns_read(plan.predicate))
            return Filter(below, remap(plan.predicate, at)), at
        case TopK():
            used = _read([t.expression for t in plan.order]) | _read(plan.partition)
            below, at = _prune(plan.input, needed | used)
            return map_expressions(attrs.evolve(plan, input=below), lambda e: remap(e, at)), at
        case Aggregate():
            return _aggregate(plan, needed)
        case Join():
            return _join(plan, needed)
        case Mark() | Nest() if len(columns(plan.left)) not in needed:
            return _prune(plan.left, needed)
        case SemiJoin() | AntiJoin() | Mark() | Nest():
            return _beside(plan, needed)
        case Union(all=True) if needed != set(range(len(columns(plan)))):
            return attrs.evolve(plan, inputs=tuple([_exactly(part, needed) for part in plan.inputs])), {
                i: n for n, i in enumerate(sorted(needed))
            }
        case _:
            whole = with_children(plan, tuple([_exactly(part, range(len(columns(part)))) for part in children(plan)]))
            return whole, {i: i for i in range(len(columns(plan)))}


def _read(expressions: Iterable[Expression]) -> set[int]:
    return {i for e in expressions for i in columns_read(e)}


def _leaf(plan: Scan | Values, needed: set[int]) -> tuple[Plan, Places]:
    kept = sorted(needed)
    places = {i: n for n, i in enumerate(kept)}
    names = tuple([plan.columns[i] for i in kept])
    if isinstance(plan, Scan):
        return attrs.evolve(plan, columns=names), places
    return Values(names, tuple([tuple([row[i] for i in kept]) for row in plan.rows])), places


def _aggregate(plan: Aggregate, needed: set[int]) -> tuple[Plan, Places]:
    """Groups stay, for they are the key; aggregates that nobody reads go, but for one if nothing else was left."""
    front = len(plan.groups)
    every = range(len(plan.aggregates))
    kept = [i for i in every if front + i in needed] or [*every[: 0 if front else 1]]
    calls = [plan.aggregates[i] for i in kept]
    used = _read(e for _, e in plan.groups) | _read(e for _, call in calls for e in call_expressions(call))
    below, at = _prune(plan.input, used)

    def moved(call: AggregateCall) -> AggregateCall:
        return map_call(call, lambda e: remap(e, at))

    groups = tuple([(name, remap(e, at)) for name, e in plan.groups])
    places = {i: i for i in range(front)} | {front + i: front + n for n, i in enumerate(kept)}
    return Aggregate(below, groups, tuple([(name, moved(call)) for name, call in calls])), places


def _join(plan: Join, needed: set[int]) -> tuple[Plan, Places]:
    width = len(columns(plan.left))
    across = needed | ({*()} if plan.residual is None else columns_read(plan.residual))
    left, at = _prune(plan.left, {i for i in across if i < width} | _read(e for e, _ in plan.on))
    right, far = _prune(plan.right, {i - width for i in across if i >= width} | _read(e for _, e in plan.on))
    both = dict(at) | {i + width: n + len(columns(left)) for i, n in far.items()}
    on = tuple([(remap(a, at), remap(b, far)) for a, b in plan.on])
    residual = None if plan.residual is None else remap(plan.residual, both)
    return Join(plan.kind, left, right, on, residual), both


def _beside(plan: SemiJoin | AntiJoin | Mark | Nest, needed: set[int]) -> tuple[Plan, Places]:
    width = len(columns(plan.left))
    across = set() if plan.residual is None else columns_read(plan.residual)
    ours = {i for i in needed | across if i < width} | _read(e for e, _ in plan.on)
    theirs = {i - width for i in across if i >= width} | _read(e for _, e in plan.on)
    if isinstance(plan, Mark) and plan.key is not None:
        ours |= columns_read(plan.key[0])
        theirs |= columns_read(plan.key[1])
    if isinstance(plan, Nest):
        theirs |= _read(e for _, e in shown(plan)) | _read(t.expression for t in plan.order)
    left, at = _prune(plan.left, ours)
    right, far = _prune(plan.right, theirs)
    both = dict(at) | {i + width: n + len(columns(left)) for i, n in far.items()}
    changed = attrs.evolve(
        plan, left=left, right=right, on=tuple([(remap(a, at), remap(b, far)) for a, b in plan.on]),
        residual=None if plan.residual is None else remap(plan.residual, both),
    )  # fmt: skip
    if isinstance(changed, Mark) and changed.key is not None:
        changed = attrs.evolve(changed, key=(remap(changed.key[0], at), remap(changed.key[1], far)))
    if isinstance(plan, Nest) and isinstance(changed, Nest):
        order = tuple([attrs.evolve(t, expression=remap(t.expression, far)) for t in plan.order])
        cells = tuple([(name, remap(e, far)) for name, e in plan.cells])
        if not cells and columns(right) != columns(plan.right):
            cells = tuple([(name, remap(e, far)) for name, e in shown(plan)])
        changed = attrs.evolve(changed, order=order, cells=cells)
    places = dict(at)
    if isinstance(plan, Mark | Nest):
        places[width] = len(columns(left))
    return changed, places
