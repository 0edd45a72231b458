"""Tidying: nodes that do nothing go, and nodes that do one thing together become one.

Owns rewrites that look at a node and its inputs only: projections over projections, filters over filters, DISTINCT over
rows that are distinct already, unions of unions. Refuses to move conditions (`pushdown`) and columns (`prune`).
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import attrs

from sspcore.plan.expressions import (
    TRUTH,
    Column,
    Constant,
    Expression,
    Param,
    conjunction,
    conjuncts,
    shift,
    substitute,
    walk,
)
from sspcore.plan.nodes import (
    Aggregate,
    AntiJoin,
    Distinct,
    Except,
    Filter,
    Intersect,
    Join,
    Mark,
    Plan,
    Project,
    Recursive,
    SemiJoin,
    Union,
)
from sspcore.plan.traverse import children, columns, expressions, ordering, with_children
from sspcore.plan.truths import congruent, is_column

LARGEST: Final = 100
"""Nodes of an expression that merging may make."""


def tidy(plan: Plan) -> Plan:
    """The plan without what has no effect: same rows, keys, columns and order. Cost: O(plan).

    >>> from sspcore.plan.nodes import Scan
    >>> tidy(Distinct(Project(Distinct(Scan("t", ("a",))), (("a", Column(0)),))))
    Distinct(input=Scan(table='t', columns=('a',), star=False, alias=''))
    """
    plan = with_children(plan, tuple([tidy(part) for part in children(plan)]))
    match plan:
        case Filter():
            return _filter(plan)
        case Project():
            return _project(plan)
        case Distinct():
            return _distinct(plan)
        case Union(all=False):
            return _union(plan)
        case Intersect(all=False) | Except(all=False):
            return with_children(plan, tuple([_undistinguished(part) for part in children(plan)]))
        case SemiJoin() | AntiJoin() | Mark():
            return _beside(plan)
        case Join():
            return _join(plan)
        case _:
            return plan


def _filter(plan: Filter) -> Plan:
    parts = conjuncts(plan.predicate)
    if isinstance(plan.input, Filter):
        parts = conjuncts(plan.input.predicate) + parts
        plan = attrs.evolve(plan, input=plan.input.input)
    predicate = conjunction(list(dict.fromkeys(parts)))
    if predicate is None:  # but a filter of nothing takes an order away
        return plan.input if ordering(plan.input) is None else Filter(plan.input, TRUTH)
    return attrs.evolve(plan, predicate=predicate)


def _project(plan: Project) -> Plan:
    below = plan.input
    if isinstance(below, Project):
        inner = tuple([e for _, e in below.columns])
        merged = tuple([(name, substitute(e, inner)) for name, e in plan.columns])
        if _worth(plan, inner) and all(_size(e) <= LARGEST for _, e in merged):
            return _project(Project(below.input, merged))
        return plan
    same = tuple([(name, Column(i)) for i, name in enumerate(columns(below))])
    return below if plan.columns == same else plan


def _worth(plan: Project, inner: tuple[Expression, ...]) -> bool:
    """Merging computes nothing twice."""
    reads = Counter([e.index for _, cell in plan.columns for e in walk(cell) if isinstance(e, Column)])
    return all(isinstance(inner[i], Column | Constant | Param) for i, times in reads.items() if times > 1)


def _size(expression: Expression) -> int:
    return sum(1 for _ in walk(expression))


def _distinct(plan: Distinct) -> Plan:
    below = plan.input
    if canonical_keys(below):
        return below
    return _union(Union(below.inputs)) if isinstance(below, Union) and below.all else plan


def canonical_keys(plan: Plan) -> bool:
    """The plan's rows are all different and their keys are the rows themselves: DISTINCT would change nothing."""
    match plan:
        case Distinct() | Union(all=False) | Intersect(all=False) | Except(all=False) | Recursive():
            return True
        case Aggregate():
            return bool(plan.groups) and not plan.aggregates
        case Filter():
            return canonical_keys(plan.input)
        case SemiJoin() | AntiJoin():
            return canonical_keys(plan.left)
        case _:
            return False


def _union(plan: Union) -> Plan:
    """A UNION of what UNION or DISTINCT have sifted already sifts once."""
    inputs = tuple([part for branch in plan.inputs for part in _branches(branch)])
    return Distinct(inputs[0]) if len(inputs) == 1 else attrs.evolve(plan, inputs=inputs)


def _branches(plan: Plan) -> tuple[Plan, ...]:
    plan = _undistinguished(plan)
    if not isinstance(plan, Union):
        return (plan,)
    return tuple([part for branch in plan.inputs for part in _branches(branch)])


def _undistinguished(plan: Plan) -> Plan:
    return plan.input if isinstance(plan, Distinct) else plan


def _beside(plan: SemiJoin | AntiJoin | Mark) -> Plan:
    """Whether there is a partner depends neither on how often there is one, nor on what it shows beside its key."""
    while isinstance(plan.right, Distinct | Project):
        right = plan.right
        if isinstance(right, Distinct):
            asked = [theirs for _, theirs in plan.on]
            if isinstance(plan, Mark) and plan.key is not None:
                asked.append(plan.key[1])
            if plan.residual is not None or not all(congruent(e, is_column) for e in asked):
                return plan
            plan = attrs.evolve(plan, right=right.input)
            continue
        cells = tuple([e for _, e in right.columns])
        row = (*[Column(i) for i in range(len(columns(plan.left)))],)
        both = row + tuple([shift(e, len(row)) for e in cells])
        on = tuple([(ours, substitute(theirs, cells)) for ours, theirs in plan.on])
        residual = None if plan.residual is None else substitute(plan.residual, both)
        made = attrs.evolve(plan, right=right.input, on=on, residual=residual)
        if isinstance(made, Mark) and made.key is not None:
            made = attrs.evolve(made, key=(made.key[0], substitute(made.key[1], cells)))
        if any(_size(e) > LARGEST for e in expressions(made)):
            return plan
        plan = made
    return plan


def _join(plan: Join) -> Plan:
    """Projections that only choose columns are made after the join: its inputs are then what the conditions read."""
    sides = [_chosen(plan.left), _chosen(plan.right)]
    if sides == [None, None]:
        return plan
    (left, ours), (right, theirs) = (
        (side, [Column(i) for i in range(len(columns(side)))]) if chosen is None else chosen
        for side, chosen in zip((plan.left, plan.right), sides, strict=True)
    )
    far = [shift(e, len(columns(left))) for e in theirs]
    on = tuple([(substitute(a, tuple(ours)), substitute(b, tuple(theirs))) for a, b in plan.on])
    residual = None if plan.residual is None else substitute(plan.residual, (*ours, *far))
    cells = tuple(zip(columns(plan), [*ours, *far], strict=True))
    return _project(Project(Join(plan.kind, left, right, on, residual), cells))


def _chosen(plan: Plan) -> tuple[Plan, list[Expression]] | None:
    """The input of a projection that only chooses columns, and what it chooses."""
    if not isinstance(plan, Project) or not all(isinstance(e, Column) for _, e in plan.columns):
        return None
    return plan.input, [e for _, e in plan.columns]
