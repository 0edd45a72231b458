"""Where an expression is being lowered: in which scope, in which clause, and what subqueries there add to the rows.

Owns the hand-over between expressions and the clauses that hold them. Refuses to lower anything itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from sspcore.plan.expressions import Expression, columns_read
from sspcore.plan.sql.relation import Relation
from sspcore.plan.sql.scope import Scope
from sspcore.plan.sql.session import Session

if TYPE_CHECKING:
    from sspcore.plan.sql.grouping import Grouping


@attrs.frozen
class Step:
    """What a subquery does to the relation around it: a semi-join, or a join that adds the columns `gives`.

    It reads the columns `needs` of that relation.
    """

    needs: frozenset[int]
    gives: frozenset[int]
    apply: Callable[[Relation], Relation]


@attrs.define
class Frame:
    """One clause. Subqueries leave their steps here; aggregates go to `grouping`, or are refused where it is None."""

    session: Session
    scope: Scope
    clause: str
    grouping: Grouping | None = None
    steps: list[Step] = attrs.field(factory=list)
    aliases: dict[str, Expression] = attrs.field(factory=dict)
    """Output names an expression may use where no column has the name (ORDER BY)."""


@attrs.frozen
class Condition:
    """One conjunct: steps to take first, then an expression that must be TRUE (None where a step decides)."""

    steps: tuple[Step, ...]
    expression: Expression | None

    @property
    def needs(self) -> frozenset[int]:
        """The columns it reads of the relation it is applied to."""
        read = frozenset() if self.expression is None else frozenset(columns_read(self.expression))
        return read.union(*[s.needs for s in self.steps]) - frozenset().union(*[s.gives for s in self.steps])

    @property
    def plain(self) -> bool:
        """It is an expression and nothing else."""
        return not self.steps

    def apply(self, relation: Relation) -> Relation:
        """The rows that meet it."""
        relation = taken(relation, self.steps)
        return relation if self.expression is None else relation.filtered([self.expression])


def taken(relation: Relation, steps: tuple[Step, ...] | list[Step]) -> Relation:
    """The relation after the steps, in order."""
    for step in steps:
        relation = step.apply(relation)
    return relation
