"""Bounds of ranks: a filter `place <= k` above a Rank becomes its limit, so that rows beyond it are not looked at.

Owns this one rewrite. The filter stays: it decides, the limit only spares work; so a bound may be taken generously.
Refuses to look through anything but projections and filters, below which each row is still the Rank's.
"""

from __future__ import annotations

from typing import Final

import attrs

from sspcore.plan.expressions import Call, Column, Constant, Expression, Param, conjuncts
from sspcore.plan.nodes import Filter, Plan, Project, Rank
from sspcore.plan.traverse import children, columns, with_children

_AT_MOST: Final = {"<": False, "<=": False, "=": False, ">": True, ">=": True}
"""Comparisons that bound one side; True where that is the right one."""


def bounded(plan: Plan) -> Plan:
    """The plan with every Rank limited by the filters right above it. Its value and its keys are the same.

    >>> from sspcore.plan.nodes import Scan
    >>> worst = Filter(Rank(Scan("flights", ("late",)), "n", "rank"), Call("<=", (Column(1), Constant(3))))
    >>> bounded(worst).input.limit
    Constant(value=3)
    """
    plan = with_children(plan, tuple([bounded(child) for child in children(plan)]))
    if isinstance(plan, Filter):
        for part in conjuncts(plan.predicate):
            found = _bound(part)
            if found is not None:
                plan = attrs.evolve(plan, input=_limited(plan.input, *found))
    return plan


def _bound(condition: Expression) -> tuple[int, Constant | Param] | None:
    """The column that a condition bounds from above, and by what."""
    if isinstance(condition, Call) and condition.function in ("=", *_AT_MOST):
        left, right = condition.args
        for flipped, (column, bound) in ((False, (left, right)), (True, (right, left))):
            sided = condition.function == "=" or _AT_MOST[condition.function] is flipped
            if sided and isinstance(column, Column) and isinstance(bound, Constant | Param):
                return column.index, bound
    return None


def _limited(plan: Plan, index: int, bound: Constant | Param) -> Plan:
    if isinstance(plan, Project):
        cell = plan.columns[index][1]
        return attrs.evolve(plan, input=_limited(plan.input, cell.index, bound)) if isinstance(cell, Column) else plan
    if isinstance(plan, Filter):
        return attrs.evolve(plan, input=_limited(plan.input, index, bound))
    if isinstance(plan, Rank):
        if index == len(columns(plan)) - 1:
            tighter = plan.limit is None or _less(bound, plan.limit)
            return attrs.evolve(plan, limit=bound) if tighter else plan
        return plan
    return plan


def _less(one: Constant | Param, two: Constant | Param) -> bool:
    """Known to be the tighter of two bounds."""
    if not isinstance(one, Constant) or not isinstance(two, Constant):
        return False
    return type(one.value) is int and type(two.value) is int and one.value < two.value
