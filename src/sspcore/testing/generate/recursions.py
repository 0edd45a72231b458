"""Recursions that end: closures of one table's rows over another's, in circles too, and bounded walks.

Owns the forms of a linear step. New values come of the tables alone, or are counted up to a bound, so every recursion
reaches its end. Refuses to draw the inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

from sspcore.plan import nodes
from sspcore.plan.expressions import Call, Column, Constant, Expression
from sspcore.plan.nodes import Plan
from sspcore.testing.generate.choices import Choices
from sspcore.testing.generate.expressions import column, lenient, predicate

NAME = "r"


def recursive(
    c: Choices, base: Plan, kinds: Sequence[str], other: Plan, other_kinds: Sequence[str]
) -> tuple[Plan, tuple[str, ...]]:
    """A recursion from the rows of `base`, cut to a column or two, over the rows of `other`; and its kinds."""
    first, shared = _meeting(c, kinds, other_kinds)
    picked = [first, *c.some([i for i in range(len(kinds)) if i != first], 0, 1)]
    cells: list[tuple[str, Expression]] = [(f"r{i}", Column(at)) for i, at in enumerate(picked)]
    own = [kinds[at] for at in picked]
    bounded = c.chance(30)
    if bounded:
        cells.append(("depth", Constant(0)))
        own.append("integer")
    start = nodes.Project(base, tuple(cells))
    working: Plan = nodes.Working(NAME, tuple([name for name, _ in cells]))
    if bounded:
        bound = Call("<", (Column(len(cells) - 1), Constant(c.between(1, 3))))
        working = nodes.Filter(working, bound)
    elif c.chance(15):
        working = nodes.Filter(working, lenient(c, own))
    step, places = _stepped(c, working, own, other, other_kinds, shared)
    return nodes.Recursive(start, _shown(c, step, places, own, other_kinds, bounded), NAME), tuple(own)


def _meeting(c: Choices, kinds: Sequence[str], other_kinds: Sequence[str]) -> tuple[int, int]:
    """A column of each that may be equal; the first of each when none may."""
    pairs = [(i, j) for i, a in enumerate(kinds) for j, b in enumerate(other_kinds) if a == b]
    return c.pick(pairs) if pairs else (0, 0)


def _stepped(
    c: Choices, working: Plan, own: Sequence[str], other: Plan, other_kinds: Sequence[str], at: int
) -> tuple[Plan, tuple[int, int]]:
    """The working rows beside the others, and where both begin; now and then sifted by others first."""
    if c.chance(20):
        on = ((Column(0), Column(c.below(len(other_kinds)))),)
        if c.chance(50):
            working = nodes.AntiJoin(working, nodes.Filter(other, predicate(c, other_kinds)), on)
        else:
            working = nodes.SemiJoin(working, other, on)
    kinds = [*own, *other_kinds]
    residual = lenient(c, kinds) if c.chance(15) else None
    if c.chance(25):
        kind = c.pick(("inner", "inner", "right"))
        return nodes.Join(kind, other, working, ((Column(at), Column(0)),)), (len(other_kinds), 0)
    kind = c.pick(("inner", "inner", "inner", "left"))
    return nodes.Join(kind, working, other, ((Column(0), Column(at)),), residual), (0, len(own))


def _shown(
    c: Choices, step: Plan, places: tuple[int, int], own: Sequence[str], other_kinds: Sequence[str], bounded: bool
) -> Plan:
    """What a step makes: for each column one of the other's of that kind, or the working row's again."""
    mine, theirs = places
    cells: list[tuple[str, Expression]] = []
    for i, kind in enumerate(own):
        if bounded and i == len(own) - 1:
            cells.append(("depth", Call("+", (Column(mine + i), Constant(1)))))
        elif i == 0 or c.chance(40):
            found = column(c, other_kinds, (kind,))[0]
            assert isinstance(found, Column)
            cells.append((f"s{i}", Column(theirs + found.index)))
        else:
            cells.append((f"s{i}", Column(mine + i)))
    return nodes.Project(step, tuple(cells))
