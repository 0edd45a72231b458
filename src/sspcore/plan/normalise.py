"""Normal form: conditions that mean the same written the same way, and what needs no row computed at once.

Owns rewrites of single expressions that never change their value: constants folded, AND and OR flattened, NOT carried
into comparisons, constants on the right. Refuses to know plans beyond their expressions.
"""

from __future__ import annotations

from typing import Final

import attrs

from sspcore.algebra.values import canonical
from sspcore.plan.expressions import Call, Constant, Expression, Param, conjunction, conjuncts, rewrite
from sspcore.plan.functions import FUNCTIONS
from sspcore.plan.nodes import AntiJoin, Filter, Join, Mark, Nest, Plan, SemiJoin
from sspcore.plan.total import NULL_BY_ERROR
from sspcore.plan.traverse import children, map_expressions, with_children
from sspcore.plan.truths import OTHER, possible

_MIRRORED: Final = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NEGATED: Final = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def normalise(plan: Plan) -> Plan:
    """The plan with every expression in normal form: same rows, keys, columns and order. Cost: its size.

    >>> from sspcore.plan.expressions import Column
    >>> from sspcore.plan.nodes import Scan
    >>> normalise(Filter(Scan("t", ("a",)), Call("<", (Call("+", (Constant(2), Constant(3))), Column(0))))).predicate
    Call(function='>', args=(Column(index=0, name=''), Constant(value=5)))
    """
    plan = with_children(plan, tuple([normalise(part) for part in children(plan)]))
    plan = map_expressions(plan, normal)
    match plan:
        case Filter():
            return attrs.evolve(plan, predicate=_condition(plan.predicate) or Constant(True))
        case Join() | SemiJoin() | AntiJoin() | Mark() | Nest():
            return attrs.evolve(plan, residual=_condition(plan.residual))
        case _:
            return plan


def _condition(expression: Expression | None) -> Expression | None:
    """As a condition, of which only TRUE counts: repetitions go, and one part that is never TRUE says it all."""
    parts = list(dict.fromkeys(conjuncts(expression)))
    if any(True not in possible(part) for part in parts):
        return Constant(False)
    return conjunction(parts)


def normal(expression: Expression) -> Expression:
    """The expression in normal form; over every row it has the same value.

    >>> normal(Call("not", (Call("<", (Param("p"), Param("q"))),)))
    Call(function='>=', args=(Param(name='p'), Param(name='q')))
    """
    return rewrite(expression, _step)


def _step(expression: Expression) -> Expression:
    """The normal form of a call whose arguments are in normal form."""
    if not isinstance(expression, Call):
        return expression
    function, args = expression.function, expression.args
    if all(isinstance(a, Constant) for a in args):
        value = FUNCTIONS[function].apply(*[canonical(a.value) for a in args if isinstance(a, Constant)])
        return expression if value is NULL_BY_ERROR else Constant(value)  # errors are counted when they happen
    match function, args:
        case "and" | "or", _:
            return _junction(function, args)
        case "not", (Call(test, parts),) if test in _NEGATED:
            return _step(Call(_NEGATED[test], parts))
        case "not", (Call("not", (inner,)),) if OTHER not in possible(inner):
            return inner
        case (("=" | "<>" | "<" | "<=" | ">" | ">="), (a, b)) if _fixed(a) and not _fixed(b):
            return Call(_MIRRORED[function], (b, a))
        case "in", (subject, item):
            return _step(Call("=", (subject, item)))
        case "case", _:
            return _case(args)
        case _:
            return expression


def _fixed(expression: Expression) -> bool:
    return isinstance(expression, Constant | Param)


def _junction(function: str, args: tuple[Expression, ...]) -> Expression:
    """Flat, without what decides nothing; decided, if one operand decides it."""
    dominant = Constant(function == "or")
    flat: list[Expression] = []
    for arg in args:
        flat += arg.args if isinstance(arg, Call) and arg.function == function else (arg,)
    if dominant in flat:
        return dominant
    neutral = Constant(function == "and")
    left = [arg for arg in dict.fromkeys(flat) if arg != neutral]
    if not left:
        return neutral
    if len(left) == 1 and OTHER not in possible(left[0]):
        return left[0]
    return Call(function, tuple(left))


def _case(args: tuple[Expression, ...]) -> Expression:
    """Without branches that are never taken, and without what stands after one that always is."""
    kept: list[Expression] = []
    for condition, value in zip(args[:-1:2], args[1::2], strict=True):
        if condition == Constant(True):
            return Call("case", (*kept, value)) if kept else value
        if not isinstance(condition, Constant):
            kept += [condition, value]
    return Call("case", (*kept, args[-1])) if kept else args[-1]
