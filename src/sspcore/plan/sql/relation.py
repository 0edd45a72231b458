"""A plan under construction, with the symbol that each of its columns carries.

Owns the step from symbols to positions, once per node. Refuses to know names and scopes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from sspcore.errors import InternalError
from sspcore.plan.expressions import Column, Expression, columns_read, conjunction, conjuncts, rewrite
from sspcore.plan.nodes import Distinct, Filter, Join, OrderTerm, Pairs, Plan, Project

Equalities = Sequence[tuple[Expression, Expression]]


@attrs.frozen
class Relation:
    """A plan whose column i is known as `symbols[i]`."""

    plan: Plan
    symbols: tuple[int, ...]

    def over(self, expression: Expression) -> Expression:
        """The expression with symbols made positions in this relation."""
        return placed(expression, self.symbols)

    def has(self, symbols: Iterable[int]) -> bool:
        """Every one of the symbols is a column here."""
        return set(symbols) <= set(self.symbols)

    def filtered(self, conditions: list[Expression]) -> Relation:
        """The rows that meet all conditions."""
        predicate = conjunction([part for c in conditions for part in conjuncts(c)])
        return self if predicate is None else Relation(Filter(self.plan, self.over(predicate)), self.symbols)

    def projected(self, cells: Sequence[tuple[int, str, Expression]]) -> Relation:
        """One column per (symbol, name, expression)."""
        named = tuple([(name, self.over(e)) for _, name, e in cells])
        return Relation(Project(self.plan, named), tuple([symbol for symbol, _, _ in cells]))

    def distinct(self) -> Relation:
        """Each row once."""
        return Relation(Distinct(self.plan), self.symbols)

    def joined(self, kind: str, right: Relation, on: Equalities, residual: list[Expression]) -> Relation:
        """Pairs of rows; `on` pairs an expression of ours with one of theirs."""
        both = self.symbols + right.symbols
        condition = conjunction(residual)
        rest = None if condition is None else placed(condition, both)
        return Relation(Join(kind, self.plan, right.plan, self.pairs(right, on), rest), both)

    def pairs(self, right: Relation, on: Equalities) -> Pairs:
        """Equalities, by position."""
        return tuple([(self.over(a), right.over(b)) for a, b in on])

    def ordered(self, terms: Sequence[OrderTerm]) -> tuple[OrderTerm, ...]:
        """Order terms, by position."""
        return tuple([attrs.evolve(t, expression=self.over(t.expression)) for t in terms])


def placed(expression: Expression, symbols: Sequence[int]) -> Expression:
    """The expression with symbols made positions among `symbols`."""
    positions: dict[int, int] = {}
    for position, symbol in enumerate(symbols):
        positions.setdefault(symbol, position)
    missing = columns_read(expression) - positions.keys()
    if missing:
        raise InternalError(f"lowering lost columns {sorted(missing)}", hint="please report the query")
    return rewrite(expression, lambda e: Column(positions[e.index], e.name) if isinstance(e, Column) else e)
