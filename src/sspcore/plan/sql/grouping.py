"""GROUP BY: what the rows after grouping are made of.

Owns the groups and aggregate calls of one SELECT, and the rule that whatever is shown of a group follows from them.
How calls are written is `aggregates`'.
A group that is a plain column keeps its symbol, so that expressions and subqueries above read it as before.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs
from sqlglot import exp

from sspcore.plan.expressions import Call, Column, Constant, Expression, rewrite
from sspcore.plan.nodes import Aggregate, AggregateCall
from sspcore.plan.sql.frame import Step, taken
from sspcore.plan.sql.relation import Relation
from sspcore.plan.sql.scope import Scope, Source
from sspcore.plan.sql.session import Session
from sspcore.plan.traverse import map_call
from sspcore.plan.types import type_of_aggregate


@attrs.define
class Grouping:
    """The groups and calls of one SELECT; `steps` are those of subqueries below the grouping."""

    session: Session
    scope: Scope
    explicit: bool
    """There is a GROUP BY: without one there is exactly one group, also over no rows."""
    groups: list[tuple[int, str, Expression]] = attrs.field(factory=list)
    calls: dict[AggregateCall, tuple[int, str]] = attrs.field(factory=dict)
    steps: list[Step] = attrs.field(factory=list)
    written: list[tuple[exp.Expression, Expression]] = attrs.field(factory=list)
    """Groups that hold a subquery, as written: written again they are this group, not another subquery."""
    id: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.id = self.session.source()

    def group(self, expression: Expression, name: str) -> None:
        """One more group; the same twice is one."""
        if any(known == expression for _, _, known in self.groups):
            return
        if isinstance(expression, Column):
            self.groups.append((expression.index, name, expression))
        else:
            kind = self.session.type_of(expression)
            self.groups.append((self.session.symbol(name, kind, self.id), name, expression))

    def as_written(self, node: exp.Expression) -> Expression | None:
        """The group that is written just so; only groups that hold a subquery are found this way."""
        return next((value for known, value in self.written if known == node), None)

    def call(self, call: AggregateCall, name: str) -> Expression:
        """The aggregate's value, computed once however often it is written."""
        if call not in self.calls:
            kind = type_of_aggregate(call, self.session.types)
            self.calls[call] = (self.session.symbol(name, kind, self.id), name)
        return self.session.column(self.calls[call][0])

    def rename(self, symbol: int, name: str) -> None:
        """Call a group or an aggregate as its output is called, so that the plan reads well."""
        self.groups = [(s, name if s == symbol else n, e) for s, n, e in self.groups]
        self.calls = {call: (s, name if s == symbol else n) for call, (s, n) in self.calls.items()}

    def folded(self, expression: Expression, node: exp.Expression, given: frozenset[int]) -> Expression:
        """The expression over a group: every part that is a group reads it. SqlError when a column is left over.

        `given` are symbols that steps above the grouping add.
        """
        for symbol, _, known in self.groups:
            if known == expression:
                return self.session.column(symbol)
        if isinstance(expression, Column):
            self.require({expression.index} - given, node)
            return expression
        if isinstance(expression, Call):
            return Call(expression.function, tuple([self.folded(a, node, given) for a in expression.args]))
        return expression

    def over_nothing(self, expression: Expression) -> Expression:
        """The expression after a left join to the groups: where there is no group, a count is 0."""
        counts = {symbol for call, (symbol, _) in self.calls.items() if call.function == "count"}
        return rewrite(
            expression,
            lambda e: Call("coalesce", (e, Constant(0))) if isinstance(e, Column) and e.index in counts else e,
        )

    def require(self, symbols: Iterable[int], node: exp.Expression) -> None:
        """Each column is one of a group's: grouped by, an aggregate, or determined by a key that is grouped by."""
        ours = {symbol for symbol, _, _ in self.groups} | {symbol for symbol, _ in self.calls.values()}
        outer = self.scope.free | set(self.scope.domain.symbols.values() if self.scope.domain else ())
        for symbol in sorted(set(symbols) - ours - outer):
            if not self._determined(symbol):
                raise self.session.text.error(
                    f"column {self.session.names[symbol]!r} is neither grouped by nor inside an aggregate", node,
                    hint="add it to GROUP BY, or write max(…) of it",
                )  # fmt: skip
            self.group(self.session.column(symbol), self.session.names[symbol])

    def _determined(self, symbol: int) -> bool:
        """The symbol's table occurrence is grouped by its key."""
        source = next((s for s in self.scope.sources if s.id == self.session.owners[symbol]), None)
        if source is None or source.info is None or not source.info.key_columns:
            return False
        return self._keys(source) <= {e.index for _, _, e in self.groups if isinstance(e, Column)}

    def _keys(self, source: Source) -> set[int]:
        assert source.info is not None
        return {source.symbols(name)[0] for name in source.info.key_columns}

    def grouped(self, relation: Relation, extra: list[tuple[int, str, Expression]]) -> Relation:
        """The relation's groups; `extra` are more groups in front, which a subquery is joined on."""
        relation = taken(relation, self.steps)
        groups = extra + self.groups
        plan = Aggregate(
            relation.plan,
            tuple([(name, relation.over(e)) for _, name, e in groups]),
            tuple([(name, map_call(call, relation.over)) for call, (_, name) in self.calls.items()]),
        )
        return Relation(plan, tuple([s for s, _, _ in groups] + [s for s, _ in self.calls.values()]))
