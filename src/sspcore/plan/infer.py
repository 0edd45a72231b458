"""Transitive equality: what a condition on one column says of the columns that a join makes equal to it.

Owns conditions that follow from others: `a.x = b.y AND b.y = 5` gives `a.x = 5`, so that both sides hold fewer rows and
both can be found by an index. Adds filters above the inputs of joins and moves nothing (`pushdown` does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import eq
from typing import Final

import attrs

from sspcore.plan.expressions import (
    Call,
    Column,
    Expression,
    columns_read,
    conjunction,
    conjuncts,
    remap,
    shift,
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
    Nest,
    Plan,
    Project,
    Rank,
    SemiJoin,
    TopK,
)
from sspcore.plan.traverse import children, columns, with_children
from sspcore.plan.truths import congruent

Facts = list[Expression]
"""Conditions that are TRUE for every row."""
MOST: Final = 60
"""Facts looked at, per node; more of them say little more."""
LARGEST: Final = 30
"""Nodes of a condition worth a second time."""

_THINNED: Final = {"inner": (True, True), "left": (False, True), "right": (True, False), "full": (False, False)}
"""Per kind of join: may the left side, may the right side lose rows that have no partner?"""


def infer(plan: Plan) -> Plan:
    """The plan with the conditions that follow by equality, each above the input that it speaks of: same rows, keys,
    columns and order. Cost: O(plan²) at worst.

    >>> from sspcore.plan.expressions import Constant
    >>> from sspcore.plan.nodes import Scan
    >>> five = Filter(Scan("b", ("y",)), Call("=", (Column(0), Constant(5))))
    >>> infer(Join("inner", Scan("a", ("x",)), five, ((Column(0), Column(0)),))).left == attrs.evolve(
    ...     five, input=Scan("a", ("x",)))
    True
    """
    return _infer(plan, [])


def _infer(plan: Plan, known: Facts) -> Plan:
    """`known` holds above: rows of the plan for which it does not are of no use."""
    match plan:
        case Filter():
            return attrs.evolve(plan, input=_infer(plan.input, _most(known + conjuncts(plan.predicate))))
        case Project():
            cells = {i: e.index for i, (_, e) in enumerate(plan.columns) if isinstance(e, Column)}
            passed = [remap(fact, cells) for fact in known if columns_read(fact) <= cells.keys()]
            return attrs.evolve(plan, input=_infer(plan.input, passed))
        case Join() | SemiJoin() | AntiJoin() | Mark() | Nest():
            return _partners(plan, known)
        case _:
            return with_children(plan, tuple([_infer(part, []) for part in children(plan)]))


def _partners(plan: Join | SemiJoin | AntiJoin | Mark | Nest, known: Facts) -> Plan:
    width = len(columns(plan.left))
    of_left, of_right = facts(plan.left), [shift(fact, width) for fact in facts(plan.right)]
    thin_left, thin_right = _THINNED[plan.kind] if isinstance(plan, Join) else (isinstance(plan, SemiJoin), True)
    own = _own(plan, width)
    useful_left = [f for f in known if _within(f, 0, width)] if not isinstance(plan, Join) or thin_right else []
    useful_right = [f for f in known if _within(f, width)] if isinstance(plan, Join) and thin_left else []
    both = isinstance(plan, Join) and thin_left and thin_right
    across = [f for f in known if both and f not in useful_left and f not in useful_right]
    pool = _most(of_left + of_right + own + useful_left + useful_right + across)
    same = classes(pool)
    left, right = plan.left, plan.right
    told_left, told_right = list(useful_left), [shift(f, -width) for f in useful_right]
    if thin_left:
        left, new = _told(left, list(derived(pool, same, lambda e: _within(e, 0, width))), of_left + useful_left)
        told_left += new
    if thin_right:
        fresh = list(derived(pool, same, lambda e: _within(e, width)))
        right, new = _told(
            right, [shift(f, -width) for f in fresh], [shift(f, -width) for f in of_right + useful_right]
        )
        told_right += new
    return with_children(plan, (_infer(left, _most(told_left)), _infer(right, _most(told_right))))


def _told(side: Plan, new: Facts, had: Facts) -> tuple[Plan, Facts]:
    fresh = [fact for fact in dict.fromkeys(new) if fact not in had]
    predicate = conjunction(fresh)
    return (side if predicate is None else Filter(side, predicate)), fresh


def _within(expression: Expression, low: int, high: int | None = None) -> bool:
    read = columns_read(expression)
    return bool(read) and min(read) >= low and (high is None or max(read) < high)


def _most(facts: Facts) -> Facts:
    return list(dict.fromkeys(facts))[:MOST]


def _own(plan: Join | SemiJoin | AntiJoin | Mark | Nest, width: int) -> Facts:
    """What holds for every pair of partners."""
    pairs: Facts = [Call("=", (ours, shift(theirs, width))) for ours, theirs in plan.on]
    return pairs + conjuncts(plan.residual)


def facts(plan: Plan) -> Facts:
    """Conditions that every row of the plan meets, as far as they are easily seen."""
    match plan:
        case Filter():
            return _most(facts(plan.input) + conjuncts(plan.predicate))
        case Project():
            return _passed(facts(plan.input), [e for _, e in plan.columns])
        case Aggregate() if plan.groups:  # the values shown for a group are all of one of its rows
            return _passed(facts(plan.input), [e for _, e in plan.groups])
        case Join():
            keeps_left, keeps_right = (not thin for thin in _THINNED[plan.kind])
            width = len(columns(plan.left))
            left = [] if keeps_right else facts(plan.left)
            right = [] if keeps_left else [shift(fact, width) for fact in facts(plan.right)]
            return _most(left + right + ([] if keeps_left or keeps_right else _own(plan, width)))
        case SemiJoin() | AntiJoin() | Mark() | Nest() | Intersect() | Except():
            return facts(plan.left)
        case Distinct() | TopK() | Rank():
            return facts(plan.input)
        case _:
            return []


def _passed(below: Facts, cells: list[Expression]) -> Facts:
    places = {e.index: i for i, e in reversed(list(enumerate(cells))) if isinstance(e, Column)}
    return [remap(fact, places) for fact in below if columns_read(fact) <= places.keys()]


def classes(pool: Facts) -> list[list[Expression]]:
    """Expressions that equalities among the facts make equal, in classes of two and more."""
    found: list[list[Expression]] = []
    for fact in pool:
        if not isinstance(fact, Call) or fact.function != "=" or not all(map(columns_read, fact.args)):
            continue
        touched = [c for c in found if fact.args[0] in c or fact.args[1] in c]
        merged = list(dict.fromkeys([e for c in touched for e in c] + list(fact.args)))
        found = [c for c in found if c not in touched] + [merged]
    return found


def derived(pool: Facts, same: list[list[Expression]], wanted: Callable[[Expression], bool]) -> Iterator[Expression]:
    """The facts that follow for other members of a class, of those that `wanted` takes."""
    for fact in pool:
        if not isinstance(fact, Call) or sum(1 for _ in walk(fact)) > LARGEST:
            continue
        for members in same:
            for term in members:
                if columns_read(fact) != columns_read(term) or not congruent(fact, partial(eq, term)):
                    continue
                for other in members:
                    if other != term and wanted(other):
                        yield _replaced(fact, term, other)


def _replaced(fact: Expression, term: Expression, other: Expression) -> Expression:
    if fact == term:
        return other
    if isinstance(fact, Call):
        return Call(fact.function, tuple([_replaced(a, term, other) for a in fact.args]))
    return fact
