"""The rows of a subquery beside an outer row, for semi-joins, anti-joins and marks.

Owns the choice of the way. Where outer columns are read in plain conditions of WHERE only, these conditions become
those of the join (`simple`); else the subquery is lowered again over its domain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
from sqlglot import exp

from sspcore.plan.expressions import Call, Column, Expression, columns_read
from sspcore.plan.sql.domain import Pairs, domain_of, matching
from sspcore.plan.sql.frame import Frame
from sspcore.plan.sql.queries import Query, lower_query
from sspcore.plan.sql.relation import Relation
from sspcore.plan.sql.select import Block


@attrs.frozen
class Partners:
    """The rows of a subquery beside an outer row: equalities, further conditions, and the subquery's columns."""

    right: Relation
    on: Pairs
    residual: list[Expression]
    outputs: list[Expression]


def partners(query: Query, node: exp.Expression, frame: Frame, *, shows: bool) -> Callable[[Relation], Partners]:
    """How to find the subquery's rows beside the rows of a relation; `shows` when its columns matter too."""
    session = frame.session
    if not query.free:
        return lambda outer: _independent(query.relation(), query)
    if isinstance(query, Block) and simple(query, shows=shows):
        return lambda outer: _simple(query)

    def over_domain(outer: Relation) -> Partners:
        domain = domain_of(outer, query.free, session)
        again = lower_query(node, session, frame.scope, frame.scope.ctes, domain)
        found = _independent(again.relation(), again)
        return attrs.evolve(found, on=matching(domain.symbols.items(), session))

    return over_domain


def _independent(relation: Relation, query: Query) -> Partners:
    shown = relation.symbols[len(relation.symbols) - len(query.names) :]
    return Partners(relation, [], [], [Column(s) for s in shown])


def simple(block: Block, *, shows: bool) -> bool:
    """The outer columns are read in plain conditions of WHERE only (and, unless it `shows`, in the select list)."""
    free = block.free
    if (
        block.grouping is not None
        or (block.limits.any and (shows or not block.limits.admits_one))
        or (block.first_of is not None and shows)
        or block.scope.lateral
        or block.scope.windows
        or not all(c.plain for c in block.correlated)
    ):
        return False
    shown = [e for _, e in block.outputs] if shows else []
    steps = block.steps if shows else []
    return not any(columns_read(e) & free for e in shown) and not any(s.needs & free for s in steps)


def _simple(block: Block) -> Partners:
    """The conditions that read outer columns are those of the join. DISTINCT does not change who has a partner."""
    right = block.base()
    for step in block.steps:
        if right.has(step.needs):
            right = step.apply(right)
    on, residual = split([c.expression for c in block.correlated if c.expression is not None], block.free)
    return Partners(right, on, residual, [e for _, e in block.outputs])


def split(expressions: Sequence[Expression], outside: set[int]) -> tuple[Pairs, list[Expression]]:
    """Equalities between an outer and an inner expression, as such pairs; and the rest."""
    on: Pairs = []
    residual = []
    for expression in expressions:
        pair = None
        if isinstance(expression, Call) and expression.function == "=":
            for ours, theirs in (expression.args, expression.args[::-1]):
                read = columns_read(theirs)
                if columns_read(ours) and columns_read(ours) <= outside and read and not read & outside:
                    pair = (ours, theirs)
        if pair is None:
            residual.append(expression)
        else:
            on.append(pair)
    return on, residual
