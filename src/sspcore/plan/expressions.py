"""Expressions: frozen trees over the columns of one input row.

Owns their form and nothing else: what they mean is in `functions` (the table of functions), in
`engine/interpret` (tree walking, the specification) and in `plan/evaluate` (closures, what operators run).

Expressions are *total*: they never raise. Division by zero, a failed CAST, an operand of the wrong class
give NULL. So filters may be reordered freely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs

from sspcore.algebra.values import Value, canonical_key, type_rank
from sspcore.errors import UsageError, did_you_mean


@attrs.frozen
class Column:
    """The value at position `index` of the input row; `name` is for people and takes no part in equality."""

    index: int
    name: str = attrs.field(default="", eq=False)


def _identity(value: Value) -> Any:
    return (canonical_key(value), type_rank(value))


@attrs.frozen
class Constant:
    """A literal. Equality tells `1` from `True` and from `1.0`, also inside lists; NaN is equal to itself."""

    value: Value = attrs.field(eq=_identity)
    kind: str = attrs.field(init=False, repr=False)

    @kind.default
    def _kind(self) -> str:
        return type(self.value).__name__


@attrs.frozen
class Param:
    """A value given at registration, written `$name` in SQL."""

    name: str


@attrs.frozen
class Call:
    """A function or operator of `plan/functions.py` applied to its arguments, such as `=`, `and`, `like`, `case`."""

    function: str
    args: tuple[Expression, ...] = ()


Expression = Column | Constant | Param | Call

NOW: Final = "now"
"""The parameter that tells the time, `$now`: its value is the circuit's, and moves."""

TRUTH = Constant(True)


def conjuncts(expression: Expression | None) -> list[Expression]:
    """The operands of a (nested) AND, in order; none for None or a constant TRUE."""
    if expression is None or expression == TRUTH:
        return []
    if isinstance(expression, Call) and expression.function == "and":
        return [c for a in expression.args for c in conjuncts(a)]
    return [expression]


def conjunction(parts: list[Expression]) -> Expression | None:
    """AND of the parts; None when there are none."""
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else Call("and", tuple(parts))


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and everything below it, outermost first."""
    yield expression
    if isinstance(expression, Call):
        for argument in expression.args:
            yield from walk(argument)


def columns_read(expression: Expression) -> set[int]:
    """Positions of the input row that the expression reads."""
    return {e.index for e in walk(expression) if isinstance(e, Column)}


def rewrite(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The expression with `change` applied to every node, innermost first."""
    if isinstance(expression, Call):
        expression = Call(expression.function, tuple([rewrite(a, change) for a in expression.args]))
    return change(expression)


def shift(expression: Expression, offset: int) -> Expression:
    """The expression over a row that has `offset` more columns in front."""
    return rewrite(expression, lambda e: Column(e.index + offset, e.name) if isinstance(e, Column) else e)


def remap(expression: Expression, positions: Mapping[int, int]) -> Expression:
    """The expression with each column position looked up in `positions`."""
    return rewrite(expression, lambda e: Column(positions[e.index], e.name) if isinstance(e, Column) else e)


def substitute(expression: Expression, inputs: tuple[Expression, ...]) -> Expression:
    """The expression with each column replaced by the expression that computes it."""
    return rewrite(expression, lambda e: inputs[e.index] if isinstance(e, Column) else e)


def bind(expression: Expression, params: Mapping[str, Any]) -> Expression:
    """The expression with every `Param` replaced by its constant; UsageError when one is missing.

    Without a value `$now` alone stays open: a query that is part of another still tells the time.
    """

    def value_of(e: Expression) -> Expression:
        if not isinstance(e, Param):
            return e
        if e.name not in params:
            if e.name == NOW:
                return e
            raise UsageError(f"parameter ${e.name} has no value", hint=did_you_mean(e.name, params))
        return Constant(params[e.name])

    return rewrite(expression, value_of)
