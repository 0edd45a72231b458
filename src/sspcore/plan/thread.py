"""Steps of a recursion with a thread: each row they make tells which row it comes of.

Owns one rewrite: of a linear step into a plan over a table of the rows found so far, with one more column that is
carried from these rows, unchanged, to what is made of them. Refuses to know what is done with it.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from sspcore.errors import InternalError
from sspcore.plan.expressions import Column, Expression, remap
from sspcore.plan.nodes import AntiJoin, Filter, Join, Mark, Nest, Plan, Project, Scan, SemiJoin, Working
from sspcore.plan.recursion import reads
from sspcore.plan.traverse import columns

THREAD = "thread"
Places = Mapping[int, int]


def threaded(step: Plan, name: str, table: str) -> Plan:
    """The step reading `table` for Working, whose last column, `thread`, is the last of the result too.

    The step must be linear (`recursion.fault_of`).

    >>> threaded(Filter(Working("r", ("a",)), Column(0)), "r", "found").columns
    (('a', Column(index=0, name='a')), ('thread', Column(index=1, name='thread')))
    """
    plan, places, thread = _threaded(step, name, table)
    cells: list[tuple[str, Expression]] = [(n, Column(places[i], n)) for i, n in enumerate(columns(step))]
    return Project(plan, (*cells, (THREAD, Column(thread, THREAD))))


def _threaded(plan: Plan, name: str, table: str) -> tuple[Plan, Places, int]:
    """The plan with the thread somewhere, where its columns are now, and where the thread is."""
    match plan:
        case Working():
            width = len(plan.columns)
            names = tuple([f"c{i}" for i in range(width)])
            return Scan(table, (*names, THREAD)), {i: i for i in range(width)}, width
        case Filter():
            below, places, thread = _threaded(plan.input, name, table)
            return Filter(below, remap(plan.predicate, places)), places, thread
        case Project():
            below, places, thread = _threaded(plan.input, name, table)
            cells = tuple([(n, remap(e, places)) for n, e in plan.columns])
            made = Project(below, (*cells, (THREAD, Column(thread, THREAD))))
            return made, {i: i for i in range(len(cells))}, len(cells)
        case Join() | SemiJoin() | AntiJoin() | Mark() | Nest():
            return _partners(plan, name, table)
    raise InternalError(f"a step of a recursion goes through {type(plan).__name__}", hint="please report the query")


def _partners(plan: Join | SemiJoin | AntiJoin | Mark | Nest, name: str, table: str) -> tuple[Plan, Places, int]:
    width = len(columns(plan.left))
    far = len(columns(plan.right))
    if reads(plan.left, name):
        left, places, thread = _threaded(plan.left, name, table)
        grown = len(columns(left))
        both = {**places, **{width + i: grown + i for i in range(far)}}
        on = tuple([(remap(a, places), b) for a, b in plan.on])
        made: Plan = attrs.evolve(plan, left=left, on=on, residual=_moved(plan.residual, both))
        if isinstance(made, Mark) and made.key is not None:
            made = attrs.evolve(made, key=(remap(made.key[0], places), made.key[1]))
        if isinstance(plan, Mark | Nest):
            return made, {**places, width: grown}, thread
        return made, (both if isinstance(plan, Join) else places), thread
    right, places, thread = _threaded(plan.right, name, table)
    both = {**{i: i for i in range(width)}, **{width + i: width + at for i, at in places.items()}}
    on = tuple([(a, remap(b, places)) for a, b in plan.on])
    return attrs.evolve(plan, right=right, on=on, residual=_moved(plan.residual, both)), both, width + thread


def _moved(expression: Expression | None, places: Places) -> Expression | None:
    return None if expression is None else remap(expression, places)
