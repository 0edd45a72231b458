"""Crossings: which rows of a table a change of parameters can let into a plan, or out of it.

Owns the reading of a plan for parameters that stand where one column is compared with them, `at > $now - interval
'1 hour'`; then the rows that matter are those between the old bound and the new. Refuses to hold rows.

Sound because what is compared is a table's own column, carried up unchanged: a row outside of the set below is judged
alike before and after, wherever in the plan the filter stands. A column padded with NULL is judged NULL both times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from sspcore.algebra.values import Value
from sspcore.engine.cuts import ValueSet, difference, intersection, satisfying, union
from sspcore.plan import nodes
from sspcore.plan.evaluate import NullCounter, compile_expression
from sspcore.plan.evaluate_compare import SYMBOLS
from sspcore.plan.expressions import (
    NOW,
    Call,
    Column,
    Expression,
    Param,
    bind,
    columns_read,
    conjunction,
    conjuncts,
    walk,
)
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import children, columns, expressions, walk_plan

Atom = tuple[str, tuple[Expression, ...]]
"""A comparison, its column on the left left out: the symbol, and what the column is compared with."""
TIME: Final = frozenset({NOW})
_LIMIT: Final = 64
"""Members of an IN list beyond which a change of parameters is not looked at closely."""

_KNOWN: Final = frozenset({
    nodes.Scan, nodes.Values, nodes.Filter, nodes.Project, nodes.Join, nodes.SemiJoin, nodes.AntiJoin, nodes.Mark,
    nodes.Nest, nodes.Aggregate, nodes.Distinct, nodes.Union, nodes.Intersect, nodes.Except, nodes.TopK, nodes.Rank,
})  # fmt: skip
"""Nodes of which it is known that a change of their inputs' rows is all that reaches them."""
_STATELESS: Final = (nodes.Scan, nodes.Filter, nodes.Project)


@attrs.frozen
class Bounds:
    """All that one filter says of one column by comparing it with what reads no row."""

    column: str
    atoms: tuple[Atom, ...]

    def values(self, params: Mapping[str, Value]) -> ValueSet:
        """The values for which all of it is TRUE, under these parameters."""
        found: ValueSet | None = None
        for symbol, others in self.atoms:
            constants = tuple([_evaluate(other, params) for other in others])
            here = satisfying(symbol, constants)
            found = here if found is None else intersection(found, here)
        return found or {}


@attrs.frozen
class Crossing:
    """Where parameters stand in a plan that looks at one table through them: its name, and the columns' bounds.

    `direct`: all the filters stand right over the table, nothing that keeps rows between; `stateless`: nothing in the
    plan keeps rows; `params`: the other parameters that the bounds read.
    """

    table: str
    bounds: tuple[Bounds, ...]
    direct: bool
    stateless: bool
    params: tuple[str, ...]

    def values(self, old: Mapping[str, Value], new: Mapping[str, Value]) -> dict[str, ValueSet]:
        """Column → the values whose rows are judged differently under `new` than under `old`."""
        out: dict[str, ValueSet] = {}
        for bounds in self.bounds:
            crossed = difference(bounds.values(old), bounds.values(new))
            if crossed:
                out[bounds.column] = union(out[bounds.column], crossed) if bounds.column in out else crossed
        return out


def crossing_of(plan: Plan, moving: frozenset[str]) -> Crossing | None:
    """How a change of the parameters `moving` reaches a plan; None when it cannot be told by columns of one table.

    That is so when one of them stands elsewhere than in the conjuncts of filters (in a column, a LIMIT, an OR), where
    it is compared with more than a bare column, and when the table is read in several places. Cost: O(plan).

    >>> from sspcore.plan.nodes import Filter, Scan
    >>> plan = Filter(Scan("t", ("id", "at")), Call(">", (Column(1), Param("now"))))
    >>> crossing_of(plan, frozenset({"now"})).bounds[0].column
    'at'
    """
    found: dict[tuple[str, str], list[Bounds]] = {}
    direct = True
    for node in walk_plan(plan):
        if type(node) not in _KNOWN:
            return None
        if not isinstance(node, nodes.Filter):
            if any(_reads(expression, moving) for expression in expressions(node)):
                return None
            continue
        if _reads(node.predicate, moving):
            if not _note(node, moving, found):
                return None
            direct = direct and all(isinstance(below, _STATELESS) for below in walk_plan(node))
    tables = {table for table, _ in found}
    if len(tables) != 1:
        return None
    (table,) = tables
    if sum(isinstance(node, nodes.Scan) and node.table == table for node in walk_plan(plan)) != 1:
        return None
    bounds = tuple([bounds for several in found.values() for bounds in several])
    stateless = all(isinstance(node, _STATELESS) for node in walk_plan(plan))
    return Crossing(table, bounds, direct, stateless, _others(bounds, moving))


def without_time(condition: Expression | None) -> Expression | None:
    """A weaker condition that does not change with time: it holds for every row for which, ever, the given one does.

    >>> late = Call("and", (Call(">", (Column(0), Param("now"))), Call("=", (Column(1), Param("owner")))))
    >>> without_time(late)
    Call(function='=', args=(Column(index=1, name=''), Param(name='owner')))
    """
    if condition is None or not _reads(condition, TIME):
        return condition
    if isinstance(condition, Call) and condition.function == "and":
        kept = [part for part in map(without_time, condition.args) if part is not None]
        return conjunction(kept)
    if isinstance(condition, Call) and condition.function == "or":
        parts = [without_time(part) for part in condition.args]
        return None if None in parts else Call("or", tuple([part for part in parts if part is not None]))
    return None


def _note(node: nodes.Filter, moving: frozenset[str], found: dict[tuple[str, str], list[Bounds]]) -> bool:
    """File the bounds of one filter; False when a moving parameter stands where they cannot say what it does."""
    atoms: dict[int, list[Atom]] = {}
    moved: set[int] = set()
    for part in conjuncts(node.predicate):
        atom = _atom(part)
        if atom is not None:
            atoms.setdefault(atom[0], []).append(atom[1])
        if _reads(part, moving):
            if atom is None:
                return False
            moved.add(atom[0])
    for index in moved:
        place = _source(node.input, index)
        if place is None:
            return False
        found.setdefault(place, []).append(Bounds(place[1], tuple(atoms[index])))
    return True


def _atom(part: Expression) -> tuple[int, Atom] | None:
    """(position of the column, comparison) of a conjunct that compares a bare column with what reads no row."""
    if not isinstance(part, Call):
        return None
    if part.function in SYMBOLS:
        left, right = part.args
        symbol = part.function
        if isinstance(right, Column):
            left, right, symbol = right, left, SYMBOLS[symbol]
        if isinstance(left, Column) and not columns_read(right):
            return left.index, (symbol, (right,))
    elif part.function == "in" and len(part.args) <= _LIMIT:
        first, *others = part.args
        if isinstance(first, Column) and not any(columns_read(other) for other in others):
            return first.index, ("in", tuple(others))
    return None


def _others(bounds: tuple[Bounds, ...], moving: frozenset[str]) -> tuple[str, ...]:
    sides = [side for one in bounds for _, others in one.atoms for side in others]
    return tuple(sorted({e.name for side in sides for e in walk(side) if isinstance(e, Param)} - moving))


def _source(plan: Plan, index: int) -> tuple[str, str] | None:
    """The table and column whose values, or NULL for padding, stand at a position of a node's rows."""
    match plan:
        case nodes.Scan():
            return plan.table, plan.columns[index]
        case nodes.Project():
            expression = plan.columns[index][1]
            return _source(plan.input, expression.index) if isinstance(expression, Column) else None
        case nodes.Filter() | nodes.TopK() | nodes.Distinct():
            return _source(plan.input, index)
        case nodes.Aggregate():
            group = plan.groups[index][1] if index < len(plan.groups) else None
            return _source(plan.input, group.index) if isinstance(group, Column) else None
        case nodes.Join():
            width = len(columns(plan.left))
            return _source(plan.left, index) if index < width else _source(plan.right, index - width)
        case nodes.SemiJoin() | nodes.AntiJoin() | nodes.Mark() | nodes.Nest() | nodes.Rank():
            first = children(plan)[0]  # the input whose columns come first, unchanged
            return _source(first, index) if index < len(columns(first)) else None
        case _:
            return None


def _reads(expression: Expression, params: frozenset[str]) -> bool:
    return any(isinstance(e, Param) and e.name in params for e in walk(expression))


def _evaluate(expression: Expression, params: Mapping[str, Value]) -> Value:
    return compile_expression(bind(expression, params), NullCounter())(())
