"""Subqueries inside expressions."""

from __future__ import annotations

from sqlglot import exp

from sspcore.plan.expressions import Expression
from sspcore.plan.sql.frame import Condition, Frame


def semi_condition(node: exp.Expression, frame: Frame) -> Condition | None:
    return None


def lower_subquery(node: exp.Expression, frame: Frame) -> Expression:
    raise frame.session.text.unsupported("subqueries", node)
