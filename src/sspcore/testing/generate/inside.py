"""Expressions that look into lists and JSON objects, and that make lists.

Owns which names, positions and parts are drawn.
"""

from __future__ import annotations

from typing import Final

from sspcore.algebra.values import FrozenObject, Value
from sspcore.plan.expressions import Call, Constant, Expression
from sspcore.testing.generate.choices import Choices

STEPS: Final[tuple[Value, ...]] = ("k", 0, -1, "a", 1)
PARTS: Final[tuple[Value, ...]] = ((), (1,), FrozenObject({"k": 1}), FrozenObject({}), (True,), 1, (1, "a"), "a")
LISTS: Final[tuple[Value, ...]] = ((1, "a"), (1.0, 2, 3), (True, None), (), ("a", "b", ""), (0, 1))
QUANTIFIED: Final = ("= any", "= any", "<> all", "> any", "<= all", "= all", "<> any")

Typed = tuple[Expression, str]


def scalar(c: Choices, subject: Typed) -> Typed:
    """A member, an element, or a list made of the value."""
    value, _ = subject
    form = c.weighted(((4, "member"), (2, "path"), (2, "element"), (2, "list"), (1, "count"), (1, "longer")))
    if form == "member":
        name = c.pick(("->", "->>"))
        return Call(name, (value, Constant(c.pick(STEPS)))), "json" if name == "->" else "text"
    if form == "path":
        path = c.pick((("k",), ("k", "0"), ("0",), ()))
        return Call(c.pick(("#>", "#>>")), (value, Constant(path))), "any"
    if form == "element":
        return Call("[]", (value, Constant(c.between(0, 2)))), "any"
    if form == "list":
        return Call("array[]", (value, Constant(c.pick((1, "a", None, True))))), "json"
    if form == "count":
        return Call(c.pick(("cardinality", "jsonb_array_length")), (value,)), "integer"
    if c.chance(50):
        return Call("||", (value, Constant(c.pick(LISTS)))), "any"
    return Call(c.pick(("array_append", "array_remove")), (value, Constant(c.pick((1, True, "a"))))), "json"


def predicate(c: Choices, subject: Typed, other: Expression) -> Expression:
    """Containment, membership of another column's value, or a key."""
    value, _ = subject
    form = c.weighted(((3, "contains"), (4, "member"), (2, "constant"), (1, "overlap"), (1, "key")))
    if form == "contains":
        return Call(c.pick(("@>", "@>", "<@")), (value, Constant(c.pick(PARTS))))
    if form == "member":
        return Call(c.pick(QUANTIFIED), (other, Constant(c.pick(LISTS))))
    if form == "constant":
        return Call(c.pick(QUANTIFIED), (Constant(c.pick((1, "a", True, 2))), value))
    if form == "overlap":
        return Call("&&", (value, Constant(c.pick(LISTS))))
    return Call("?", (value, Constant(c.pick(("k", "a")))))
