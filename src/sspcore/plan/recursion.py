"""Recursion in plans: where a step reads what was found so far, and what a step must be.

Owns the form of a *linear* step, why a step is not one, and the limits within which a recursion must end. Refuses to
know how a fixpoint is reached (`engine/interpret`, `engine/operators/recursive`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from sspcore.plan.expressions import Column
from sspcore.plan.nodes import (
    Aggregate,
    AntiJoin,
    Distinct,
    Except,
    Filter,
    Join,
    Mark,
    Nest,
    Plan,
    Project,
    Rank,
    Recursive,
    SemiJoin,
    TopK,
    Working,
)
from sspcore.plan.traverse import children, columns

MAX_ROUNDS: Final = 10_000
"""Rounds of one commit: the length of the longest chain that a change may set off."""
MAX_ROWS: Final = 1_000_000
"""Rows that a recursion may find."""

_KEEPS_LEFT: Final = ("inner", "left")
_KEEPS_RIGHT: Final = ("inner", "right")


@attrs.frozen
class Fault:
    """Why a node is no recursion that can be kept live: the place below it, and what to do."""

    message: str
    place: str
    hint: str


def references(plan: Plan, path: str = "") -> Iterator[tuple[str, Working]]:
    """The Workings of recursions around the plan, with their places."""
    if isinstance(plan, Working):
        yield path, plan
    for place, child in _places(plan):
        for found, working in references(child, f"{path}.{place}"):
            if not (isinstance(plan, Recursive) and place == "step" and working.name == plan.name):
                yield found, working


def _places(plan: Plan) -> list[tuple[str, Plan]]:
    inputs = children(plan)
    if isinstance(plan, Recursive):
        names = ["base", "step"]
    elif hasattr(plan, "inputs"):
        names = [f"inputs[{i}]" for i in range(len(inputs))]
    else:
        names = ["input"] if len(inputs) == 1 else ["left", "right"]
    return list(zip(names, inputs, strict=False))


def reads(plan: Plan, name: str) -> bool:
    """The plan reads what the recursion of this name around it has found."""
    return any(working.name == name for _, working in references(plan))


def fault_of(plan: Recursive) -> Fault | None:
    """Why the recursion is none that can be kept live; None when it is.

    >>> from sspcore.plan.nodes import Scan
    >>> fault_of(Recursive(Scan("t", ("a",)), Distinct(Working("r", ("a",))), "r")).message
    'DISTINCT over the rows of the recursion itself'
    """
    if reads(plan.base, plan.name):
        return Fault("the first part of a recursion reads the recursion itself", ".base", "it is where rows start")
    times = sum(working.name == plan.name for _, working in references(plan.step))
    if times != 1:
        said = "does not read the recursion itself" if not times else f"reads the recursion itself {times} times"
        return Fault(f"the recursive part {said}", ".step", "it must read it once")
    return _on_the_way(plan.step, plan.name, ".step")


def _on_the_way(plan: Plan, name: str, path: str) -> Fault | None:
    """What stands between the root of a step and its Working and must not."""
    match plan:
        case Working():
            return None
        case Filter() | Project():
            return _on_the_way(plan.input, name, f"{path}.input")
        case Join():
            side, kinds = ("left", _KEEPS_LEFT) if reads(plan.left, name) else ("right", _KEEPS_RIGHT)
            if plan.kind not in kinds:
                return Fault(
                    f"the rows of the recursion itself on the padded side of a {plan.kind.upper()} JOIN", path,
                    "join them with INNER JOIN, or on the preserved side",
                )  # fmt: skip
            return _on_the_way(plan.left if side == "left" else plan.right, name, f"{path}.{side}")
        case SemiJoin() | AntiJoin() | Mark() | Nest():
            if reads(plan.left, name):
                return _on_the_way(plan.left, name, f"{path}.left")
            return Fault("a subquery over the rows of the recursion itself", path, "join them in FROM")
    return Fault(
        f"{_word(plan)} over the rows of the recursion itself", path, "recurse first, and ask that of the result"
    )


def _word(plan: Plan) -> str:
    match plan:
        case Aggregate():
            return "an aggregate"
        case Distinct():
            return "DISTINCT"
        case TopK():
            return "ORDER BY or LIMIT"
        case Rank():
            return "a window function"
        case Except():
            return "EXCEPT"
        case Recursive():
            return "another recursion"
    return "a set operation"


def passed(step: Plan, name: str) -> dict[int, int]:
    """Columns of a linear step that are, unchanged, columns of the row it comes of: position → position.

    >>> from sspcore.plan.nodes import Scan
    >>> passed(Join("inner", Scan("e", ("a",)), Working("r", ("x", "y"))), "r")
    {1: 0, 2: 1}
    """
    match step:
        case Working():
            return {i: i for i in range(len(step.columns))}
        case Filter():
            return passed(step.input, name)
        case Project():
            below = passed(step.input, name)
            return {
                i: below[e.index]
                for i, (_, e) in enumerate(step.columns) if isinstance(e, Column) and e.index in below
            }  # fmt: skip
        case Join():
            if reads(step.left, name):
                return passed(step.left, name)
            front = len(columns(step.left))
            return {front + i: at for i, at in passed(step.right, name).items()}
        case SemiJoin() | AntiJoin() | Mark() | Nest():
            return passed(step.left, name)
        case _:
            return {}
