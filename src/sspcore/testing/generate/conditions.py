"""Plans full of conditions that a planner likes to move: filters on join columns, on groups, above outer joins.

Owns the mix; the nodes are drawn as `plans` draws them. What random plans have now and then, these have in every one:
a condition above or below a node that it must not pass, and one that may.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sspcore.engine.schema import Schema
from sspcore.plan import nodes
from sspcore.plan.expressions import Call, Column, Constant, Expression
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import columns
from sspcore.testing.generate import values
from sspcore.testing.generate.choices import Choices
from sspcore.testing.generate.expressions import NUMBERS, constant, predicate
from sspcore.testing.generate.plans import Planner, Sub

FORMS = ((12, "join"), (3, "semi"), (3, "anti"), (2, "mark"), (1, "union"), (1, "union all"), (1, "intersect"),
         (1, "except"))  # fmt: skip
ABOVE = ((2, "project"), (5, "distinct"), (3, "aggregate"), (2, "topk"))


def conditional(c: Choices, schemas: Sequence[Schema]) -> Plan:
    """A few tables joined, conditions everywhere, and a node or two above them with conditions again."""
    planner = Planner(c, schemas)
    sub = _leaf(c, planner)
    for _ in range(c.between(0, 2)):
        right = _leaf(c, planner)
        if c.chance(25):
            sub, right = right, sub
        sub = _joined(c, planner, sub, right)
    for _ in range(c.between(0, 3)):
        form = c.weighted(ABOVE)
        sub = planner.unary(form, sub)
        if form in ("distinct", "aggregate") and c.chance(25):
            at = c.below(len(sub.kinds))
            sub = attrs.evolve(sub, plan=nodes.Filter(sub.plan, written(c, at, sub.kinds[at])))
        else:
            sub = _thinned(c, sub)
    return sub.plan


def inner_joins(c: Choices, schemas: Sequence[Schema]) -> Plan:
    """Three or four tables joined by inner joins, in any bracketing; a condition above, now and then."""
    planner = Planner(c, schemas)
    parts = [_leaf(c, planner) for _ in range(c.between(3, 4))]
    while len(parts) > 1:
        at = c.below(len(parts) - 1)
        left, right = parts[at], parts[at + 1]
        residual = predicate(c, left.kinds + right.kinds, 1) if c.chance(15) else None
        plan = nodes.Join("inner", left.plan, right.plan, planner.pairs(left, right), residual)
        parts[at : at + 2] = [Sub(plan, left.kinds + right.kinds, left.scans + right.scans)]
    return _thinned(c, parts[0], 40).plan


def _leaf(c: Choices, planner: Planner) -> Sub:
    """A table, conditions on it; some integers of it written as 1 in some rows and as 1.0 in others."""
    sub = planner.leaf()
    if "integer" in sub.kinds and c.chance(40):
        at = sub.kinds.index("integer")
        real = Call("cast", (Column(at), Constant("real")))
        cells: list[Expression] = [Column(i) for i in range(len(sub.kinds))]
        cells[at] = Call("case", (predicate(c, sub.kinds, 0), Column(at), real))
        plan = nodes.Project(sub.plan, tuple(zip(columns(sub.plan), cells, strict=True)))
        sub = attrs.evolve(sub, plan=plan)
    return _thinned(c, sub)


def _joined(c: Choices, planner: Planner, left: Sub, right: Sub) -> Sub:
    """The two together, a condition above; as often as not on a column of the join."""
    both = planner.binary(c.weighted(FORMS), left, right)
    plan = both.plan
    if isinstance(plan, nodes.Join) and plan.on and c.chance(60):
        ours, theirs = plan.on[0]
        if isinstance(ours, Column) and isinstance(theirs, Column):
            at, kind = c.pick(((ours.index, left.kinds), (theirs.index, right.kinds)))
            place = at if kind is left.kinds else len(left.kinds) + at
            return attrs.evolve(both, plan=nodes.Filter(plan, telling(c, place, kind[at])))
    return _thinned(c, both, 60)


def _thinned(c: Choices, sub: Sub, percent: int = 50) -> Sub:
    if not sub.kinds or not c.chance(percent):
        return sub
    if c.chance(25):
        return attrs.evolve(sub, plan=nodes.Filter(sub.plan, predicate(c, sub.kinds)))
    at = c.below(len(sub.kinds))
    return attrs.evolve(sub, plan=nodes.Filter(sub.plan, telling(c, at, sub.kinds[at])))


def telling(c: Choices, at: int, kind: str) -> Expression:
    """A condition on one column: of values, of NULL, or of how a value is written, which equal ones differ in."""
    column = Column(at)
    form = c.weighted(((6, "compare"), (2, "in"), (2, "null"), (2, "other"), (2, "written"), (1, "either")))
    if form == "compare":
        return Call(c.pick(("=", ">=", "<=", "<>", "=")), (column, constant(c, kind, nulls=4)))
    if form == "in":
        return Call("in", (column, *[constant(c, kind) for _ in range(c.between(1, 3))]))
    if form == "null":
        test = Call("is null", (column,))
        return test if c.chance(50) else Call("not", (test,))
    if form == "other":
        return Call("=", (Call("coalesce", (column, constant(c, kind))), constant(c, kind)))
    if form == "either":
        return Call("or", (Call("=", (column, constant(c, kind))), Call("is null", (column,))))
    return written(c, at, kind)


def written(c: Choices, at: int, kind: str) -> Expression:
    """A condition on how a value is written: half of 1 is 0, half of 1.0 is 0.5."""
    column = Column(at)
    if kind in NUMBERS and not c.chance(20):
        return Call("=", (Call("/", (column, Constant(2))), Constant(0.5)))
    return Call("=", (Call("cast", (column, Constant("text"))), Constant(str(values.value(c, kind)))))
