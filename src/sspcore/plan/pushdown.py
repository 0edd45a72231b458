"""Push-down: every condition as near to the scans as it may go, and outer joins made inner where that changes nothing.

Owns the rules of descent, one per node, and the rule that a condition above which no padded row can pass turns an
outer join into an inner one. Keys stay, for a Filter passes its input's. Refuses to invent conditions (`infer` does).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import attrs

from sspcore.plan.expressions import (
    TRUTH,
    Call,
    Column,
    Constant,
    Expression,
    columns_read,
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
    Nest,
    Plan,
    Project,
    Rank,
    Recursive,
    SemiJoin,
    TopK,
    Union,
)
from sspcore.plan.recursion import passed
from sspcore.plan.traverse import children, columns, ordering, with_children
from sspcore.plan.truths import congruent, is_column, rejects

Parts = list[Expression]
"""Conditions of which all must be TRUE."""
LARGEST: Final = 100
"""Nodes of an expression; a condition that grows beyond while it descends stays where it is."""


def push_down(plan: Plan) -> Plan:
    """The plan with every condition as deep as it may be: same rows, keys, columns and order. Cost: O(plan²) at worst.

    >>> from sspcore.plan.nodes import Scan
    >>> late = Call(">", (Column(1), Constant(60)))
    >>> push_down(Filter(Join("inner", Scan("a", ("x", "late")), Scan("b", ("y",))), late)).left.predicate == late
    True
    """
    return _push(plan, [], [], top=True)


def _push(plan: Plan, down: Parts, above: Parts, *, top: bool = False) -> Plan:
    """The rows of the plan for which `down` holds. Rows that fail `above` do not matter to anyone, though they may
    stay. `top`: the plan's order matters."""
    match plan:
        case Filter():
            parts = conjuncts(plan.predicate) + down
            if not parts and ordering(plan.input) is not None:  # a filter of nothing, but it takes the order away
                return Filter(_push(plan.input, [], above, top=True), TRUTH)
            return _push(plan.input, parts, above)
        case Project():
            return _project(plan, down, above, top=top)
        case Join():
            return _join(plan, down, above)
        case Mark():
            return _mark(plan, down, above)
        case SemiJoin() | AntiJoin() | Nest():
            return _beside(plan, down, above, top=top)
        case TopK() if plan.limit is None and plan.offset is None and not top:
            return _push(plan.input, down, above)  # an order that nobody sees
        case TopK() | Rank():
            partition = plan.partition
            moved, kept = _split(down, lambda part: bool(partition) and congruent(part, lambda e: e in partition))
            return _kept(attrs.evolve(plan, input=_push(plan.input, moved, [])), kept)
        case Aggregate():
            groups = tuple([e for _, e in plan.groups])
            moved, kept = _split(down, lambda part: bool(groups) and _reads_below(part, len(groups)))
            below = [substitute(part, groups) for part in moved]
            return _kept(attrs.evolve(plan, input=_push(plan.input, below, [])), kept)
        case Union(all=True):
            return attrs.evolve(plan, inputs=tuple([_push(part, down, []) for part in plan.inputs]))
        case Distinct() | Union() | Intersect() | Except():
            moved, kept = _split(down, lambda part: congruent(part, is_column))
            return _kept(with_children(plan, tuple([_push(part, moved, []) for part in children(plan)])), kept)
        case Recursive():
            unchanged = {i for i, at in passed(plan.step, plan.name).items() if i == at}
            leaf = partial(_is_one_of, unchanged)
            moved, kept = _split(down, lambda part: congruent(part, leaf))
            return _kept(Recursive(_push(plan.base, moved, []), _push(plan.step, [], []), plan.name), kept)
        case _:
            return _kept(with_children(plan, tuple([_push(part, [], []) for part in children(plan)])), down)


def _is_one_of(places: set[int], expression: Expression) -> bool:
    return isinstance(expression, Column) and expression.index in places


def _split(parts: Parts, moves: Callable[[Expression], bool]) -> tuple[Parts, Parts]:
    return [p for p in parts if moves(p)], [p for p in parts if not moves(p)]


def _kept(plan: Plan, parts: Parts) -> Plan:
    predicate = conjunction(list(dict.fromkeys(parts)))
    return plan if predicate is None else Filter(plan, predicate)


def _reads_below(part: Expression, width: int) -> bool:
    """A condition over the first columns alone that equal values of theirs answer alike."""
    return congruent(part, lambda e: isinstance(e, Column) and e.index < width)


def _project(plan: Project, down: Parts, above: Parts, *, top: bool) -> Plan:
    cells = tuple([e for _, e in plan.columns])
    moved, kept = _split(down, lambda part: _size(substitute(part, cells)) <= LARGEST)
    hints = [hint for hint in (substitute(a, cells) for a in above) if _size(hint) <= LARGEST]
    below = _push(plan.input, [substitute(part, cells) for part in moved], hints, top=top and not down)
    return _kept(attrs.evolve(plan, input=below), kept)


def _size(expression: Expression) -> int:
    return sum(1 for _ in walk(expression))


# Joins


def _side(part: Expression, width: int) -> str:
    """Which columns a condition over a joined row reads: `left` ones alone, `right` ones alone, `both` or `none`."""
    read = columns_read(part)
    if not read:
        return "none"
    if max(read) < width:
        return "left"
    return "right" if min(read) >= width else "both"


def _join(plan: Join, down: Parts, above: Parts) -> Plan:
    width = len(columns(plan.left))
    kind = stricter(plan.kind, down + above, width, len(columns(plan)))
    enter, thinned = _may_enter(kind), _may_be_thinned(kind)
    given = _Given(width, plan.on)
    stay: Parts = []
    for part in down:
        side = _side(part, width)
        if kind == "inner":
            given.take(part, thinned, side)
        elif side in enter:
            given.sides[side].append(part)
        else:
            stay.append(part)
    for part in conjuncts(plan.residual):
        given.take(part, thinned, _side(part, width))
    hints = {side: [part for part in above if side in enter and _side(part, width) == side] for side in given.sides}
    known = {"left": [_known(ours) for ours, _ in given.on], "right": [_known(theirs) for _, theirs in given.on]}
    left = hints["left"] + (known["left"] if "left" in thinned else [])
    right = [shift(part, -width) for part in hints["right"]] + (known["right"] if "right" in thinned else [])
    made = Join(
        kind, _push(plan.left, given.sides["left"], left), _push(plan.right, given.shifted(), right),
        tuple(given.on), conjunction(given.residual),
    )  # fmt: skip
    return _kept(made, stay)


def stricter(kind: str, conditions: Sequence[Expression], width: int, total: int) -> str:
    """The kind of join that gives the same rows once the conditions, over the joined row, have sifted them.

    >>> stricter("left", [Call("=", (Column(1), Constant(5)))], 1, 2)
    'inner'
    """
    no_left = any(rejects(c, range(width)) for c in conditions)
    no_right = any(rejects(c, range(width, total)) for c in conditions)
    keeps_left = kind in ("left", "full") and not no_right
    keeps_right = kind in ("right", "full") and not no_left
    if keeps_left:
        return "full" if keeps_right else "left"
    return "right" if keeps_right else "inner"


def _may_enter(kind: str) -> frozenset[str]:
    """The sides that a condition above the join (WHERE) may go to: preserved, or beside no preserved one."""
    return frozenset({"inner": ("left", "right"), "left": ("left",), "right": ("right",)}.get(kind, ()))


def _may_be_thinned(kind: str) -> frozenset[str]:
    """The sides that a condition of the join itself (ON) may go to: those not preserved."""
    return frozenset({"inner": ("left", "right"), "left": ("right",), "right": ("left",)}.get(kind, ()))


def _known(expression: Expression) -> Expression:
    return Call("not", (Call("is null", (expression,)),))


class _Given:
    """Conditions on their way into a join: to a side, to its equalities, or to its residual."""

    def __init__(self, width: int, on: Sequence[tuple[Expression, Expression]]) -> None:
        self.width = width
        self.on = list(dict.fromkeys(on))
        self.sides: dict[str, Parts] = {"left": [], "right": []}
        self.residual: Parts = []

    def take(self, part: Expression, thinned: frozenset[str], side: str) -> None:
        """A condition of the join itself."""
        if side in thinned:
            self.sides[side].append(part)
        elif side == "none" and len(thinned) == 2:
            self.sides["left"].append(part)
        elif (pair := self._pair(part)) is not None:
            if pair not in self.on:
                self.on.append(pair)
        elif part not in self.residual:
            self.residual.append(part)

    def _pair(self, part: Expression) -> tuple[Expression, Expression] | None:
        if not isinstance(part, Call) or part.function != "=":
            return None
        a, b = part.args
        sides = _side(a, self.width), _side(b, self.width)
        if sides == ("left", "right"):
            return a, shift(b, -self.width)
        return (b, shift(a, -self.width)) if sides == ("right", "left") else None

    def shifted(self) -> Parts:
        """What goes to the right side, over its own columns."""
        return [shift(part, -self.width) for part in self.sides["right"]]


# What stands beside rows: semi-joins, anti-joins, marks, nests


def _beside(plan: SemiJoin | AntiJoin | Mark | Nest, down: Parts, above: Parts, *, top: bool = False) -> Plan:
    width = len(columns(plan.left))
    semi = isinstance(plan, SemiJoin)
    given = _Given(width, plan.on)
    stay: Parts = []
    for part in down:
        (given.sides["left"] if all(i < width for i in columns_read(part)) else stay).append(part)
    for part in conjuncts(plan.residual):
        given.take(part, frozenset({"left", "right"} if semi else {"right"}), _side(part, width))
    hints = [part for part in above if columns_read(part) and all(i < width for i in columns_read(part))]
    if semi:
        hints += [_known(ours) for ours, _ in given.on]
    passes = top and isinstance(plan, Nest) and not down
    left = _push(plan.left, given.sides["left"], hints, top=passes)
    right = _push(plan.right, given.shifted(), [_known(theirs) for _, theirs in given.on])
    made = attrs.evolve(plan, left=left, right=right, on=tuple(given.on), residual=conjunction(given.residual))
    return _kept(made, stay)


def _mark(plan: Mark, down: Parts, above: Parts) -> Plan:
    """A mark whose rows must be TRUE is a semi-join; one of EXISTS whose rows must not be, an anti-join."""
    width = len(columns(plan.left))
    mark = Column(width)
    no_mark = Call("not", (mark,))
    for part, node, value in ((mark, SemiJoin, True), (no_mark, AntiJoin, False)):
        if part in down and (node is SemiJoin or plan.key is None):
            on = plan.on if plan.key is None else (*plan.on, plan.key)
            cells = [(name, Column(i, name)) for i, name in enumerate(columns(plan.left))]
            judged = node(plan.left, plan.right, on, plan.residual)
            shown = Project(judged, (*cells, (plan.name, Constant(value))))
            return _push(shown, [p for p in down if p != part], above)
    return _beside(plan, down, above)
