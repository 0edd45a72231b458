"""Keys of join results: how the keys of two inputs make one.

Owns the rule that `(a JOIN b) JOIN c` has keys `(id_a, id_b, id_c)`, and which nodes keep the parts of their input
apart. Refuses to know rows. Both meanings of a plan (`engine/interpret` and `engine/operators`) use it, so that they
cannot drift apart. Keys follow from the plan as written, never from statistics, so that they are stable.
"""

from __future__ import annotations

from collections.abc import Callable

from sspcore.algebra.values import Key
from sspcore.plan.nodes import AntiJoin, Filter, Join, Mark, Nest, Plan, Project, Rank, SemiJoin, TopK


def width(plan: Plan) -> int:
    """How many parts a row of `plan` contributes to the key of a join above it.

    A join contributes those of its sides; nodes that pass their input's key pass its parts; every other key,
    also a composite id or a group's tuple, is one part, whatever it is made of.
    """
    match plan:
        case Join():
            return width(plan.left) + width(plan.right)
        case Filter() | Project() | TopK() | Rank():
            return width(plan.input)
        case SemiJoin() | AntiJoin() | Mark() | Nest():
            return width(plan.left)
        case _:
            return 1


def is_flat(plan: Plan) -> bool:
    """True when a key of `plan` is already the tuple of its parts: below the passing nodes there is a join."""
    match plan:
        case Join():
            return True
        case Filter() | Project() | TopK() | Rank():
            return is_flat(plan.input)
        case SemiJoin() | AntiJoin() | Mark() | Nest():
            return is_flat(plan.left)
        case _:
            return False


def join_key(left: Plan, right: Plan) -> Callable[[Key | None, Key | None], tuple[Key, ...]]:
    """The function from a left key and a right key to the joined key; None stands for a padded side.

    >>> from sspcore.plan.nodes import Scan
    >>> a, b, c = (Scan(name, ("x",)) for name in "abc")
    >>> join_key(Join("inner", a, b), c)((1, "x"), ("p", "q"))
    (1, 'x', ('p', 'q'))
    >>> join_key(a, Join("inner", b, c))(1, None)
    (1, None, None)
    """
    left_pad, right_pad = (None,) * width(left), (None,) * width(right)
    if not is_flat(left) and not is_flat(right):
        return lambda a, b: (a, b)
    if is_flat(left) and not is_flat(right):
        return lambda a, b: (*(left_pad if a is None else a), b)
    if is_flat(right) and not is_flat(left):
        return lambda a, b: (a, *(right_pad if b is None else b))
    return lambda a, b: (*(left_pad if a is None else a), *(right_pad if b is None else b))
