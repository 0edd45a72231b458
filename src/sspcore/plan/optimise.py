"""The planner: from a plan as it was written to one that costs less and means the same.

Owns the sequence of rules. Each is a function from plan to plan in a module of its own, and each alone keeps the rows,
their keys, the names of the columns and the order (or that there is none). Parameters stay open: what holds of a rule
holds for every value they may get, NULL among them. Refuses to know rows, tables and views.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sspcore.plan.infer import infer
from sspcore.plan.join_order import Statistics, order_joins
from sspcore.plan.nodes import Plan
from sspcore.plan.normalise import normalise
from sspcore.plan.prune import prune
from sspcore.plan.pushdown import push_down
from sspcore.plan.tidy import tidy

Rule = Callable[[Plan], Plan]

RULES: Final[tuple[Rule, ...]] = (
    normalise, tidy, push_down, infer, push_down, infer, push_down, normalise, tidy, prune, tidy,
)  # fmt: skip
"""What is inferred once may say more of its neighbours, so that is done twice."""


def optimise(plan: Plan, statistics: Statistics | None = None) -> Plan:
    """A plan with the same rows, keys, columns and order, at less cost. The plan must be sound (`check`).

    Args: `statistics` of tables, to choose which tables are joined first; without them joins stay as written.
    Cost: some 0.1 ms a node, once per template.

    >>> from sspcore.plan.expressions import Call, Column, Param
    >>> from sspcore.plan.nodes import Filter, Join, Scan
    >>> flights, carriers = Scan("flights", ("id", "carrier")), Scan("carriers", ("code",))
    >>> joined = Join("left", flights, carriers, ((Column(1), Column(0)),))
    >>> made = optimise(Filter(joined, Call("=", (Column(2), Param("code")))))
    >>> made.kind, made.left.predicate, made.right.predicate.args[1]    # $code on both sides, and no row is padded
    ('inner', Call(function='=', args=(Column(index=1, name=''), Param(name='code'))), Param(name='code'))
    """
    for rule in RULES:
        plan = rule(plan)
    if statistics is None:
        return plan
    return tidy(prune(order_joins(plan, statistics)))
