"""Conditions: WHERE, HAVING and ON as conjuncts, those that are subqueries as semi- and anti-joins.

Owns which conjuncts decide rows by a join of their own. Refuses to know how such joins are made (`subqueries`).
"""

from __future__ import annotations

import attrs
from sqlglot import exp

from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.expressions import lower_expression
from sspcore.plan.sql.frame import Condition, Frame


def conditions(node: exp.Expression, frame: Frame) -> list[Condition]:
    """The conjuncts; `frame.steps` gets nothing, each condition holds its own."""
    parts: list[exp.Expression] = []
    rest = [node]
    while rest:
        top = rest.pop()
        if isinstance(top, exp.Paren) and isinstance(top.this, exp.And | exp.Paren | exp.Exists | exp.Not | exp.In):
            arguments = Arguments(top, frame.session.text)
            rest.append(arguments.node_at("this"))
            arguments.done()
        elif isinstance(top, exp.And):
            arguments = Arguments(top, frame.session.text)
            left, right = arguments.node_at("this"), arguments.node_at("expression")
            arguments.done()
            rest += [right, left]
        else:
            parts.append(top)
    return [_condition(part, frame) for part in parts]


def _condition(node: exp.Expression, frame: Frame) -> Condition:
    from sspcore.plan.sql.subqueries import semi_condition  # subqueries hold conditions in turn

    own = attrs.evolve(frame, steps=[])
    return semi_condition(node, own) or expression_condition(node, frame)


def expression_condition(node: exp.Expression, frame: Frame) -> Condition:
    """A conjunct as an expression; subqueries in it become columns."""
    own = attrs.evolve(frame, steps=[])
    expression = lower_expression(node, own)
    return Condition(tuple(own.steps), expression)
