"""Scalar subqueries: a query's one value, joined to the row it stands in.

Owns the left join to the subquery's aggregate. No row gives NULL (of an aggregate: its value over nothing, so count
gives 0); more than one row gives NULL too, for a view cannot raise.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from sqlglot import exp

from sspcore.plan.expressions import Call, Column, Constant, Expression, columns_read, conjunction, rewrite
from sspcore.plan.nodes import Aggregate, AggregateCall
from sspcore.plan.sql.domain import Domain, domain_of, matching
from sspcore.plan.sql.frame import Frame, Step
from sspcore.plan.sql.ordering import limited
from sspcore.plan.sql.partners import split
from sspcore.plan.sql.queries import Query, lower_query
from sspcore.plan.sql.relation import Relation
from sspcore.plan.sql.select import Block
from sspcore.plan.sql.session import Session
from sspcore.plan.traverse import call_expressions

NULL = Constant(None)


@attrs.frozen
class Scalar:
    """A scalar subquery in some expression."""

    node: exp.Expression
    frame: Frame

    @property
    def session(self) -> Session:
        """The lowering's."""
        return self.frame.session

    def lowered(self, domain: Domain | None = None) -> Query:
        """The subquery; over a domain where it reads outer columns in ways that need one."""
        scope = self.frame.scope
        query = lower_query(self.node, self.session, scope, scope.ctes, domain)
        if len(query.names) != 1:
            raise self.session.text.error(
                f"a subquery used as a value gives one column, not {len(query.names)}", self.node
            )
        return query

    def value(self) -> Expression:
        """The value; steps that make it available go to the frame."""
        query = self.lowered()
        if isinstance(query, Block):
            inlined = self._inlined(query)
            if inlined is not None:
                return inlined
        if not query.free:
            return self._independent(query)
        if isinstance(query, Block):
            on, rest = split([c.expression for c in query.correlated if c.expression is not None], query.free)
            if (
                on
                and not rest
                and all(c.plain for c in query.correlated)
                and not query.steps
                and not query.scope.lateral
                and query.first_of is None
            ):
                if query.one_row and self._aggregates_inside(query) and not query.limits.any:
                    return self._by_key(query, on)
                shown = query.outputs[0][1]
                read = columns_read(shown).union(*[columns_read(t.expression) for t in query.order])
                if query.grouping is None and not query.distinct and not read & query.free:
                    return self._single_by_key(query, on, shown)
        return self._over_domain(query)

    def _inlined(self, block: Block) -> Expression | None:
        """(SELECT x WHERE …) without FROM is CASE WHEN … THEN x END."""
        conditions = [*block.local, *block.correlated]
        plain = block.tree is None and block.grouping is None and not block.limits.any and not block.steps
        if not plain or not all(c.plain for c in conditions):
            return None
        value = block.outputs[0][1]
        condition = conjunction([c.expression for c in conditions if c.expression is not None])
        return value if condition is None else Call("case", (condition, value, NULL))

    def _independent(self, query: Query) -> Expression:
        """The same value for all rows."""
        relation = query.relation()
        certain = isinstance(query, Block) and query.one_row and not query.having and not query.limits.any
        if certain:
            value: Expression = Column(relation.symbols[-1])
        else:
            relation, value = self._single(relation, [], Column(relation.symbols[-1]))
        self._step(frozenset(), relation, "inner", [])
        return value

    def _step(
        self, needs: frozenset[int], relation: Relation, kind: str, on: Sequence[tuple[Expression, Expression]]
    ) -> None:
        gives = frozenset(relation.symbols)
        self.frame.steps.append(Step(needs, gives, lambda outer: outer.joined(kind, relation, on, [])))

    def _single(
        self, relation: Relation, keys: Sequence[tuple[int, str, Expression]], shown: Expression
    ) -> tuple[Relation, Expression]:
        """One row per key with the value of its only row, NULL where it has several."""
        owner = self.session.source()
        count = self.session.symbol("n", "integer", owner)
        value = self.session.symbol("value", self.session.type_of(shown), owner)
        plan = Aggregate(
            relation.plan,
            tuple([(name, relation.over(e)) for _, name, e in keys]),
            (("n", AggregateCall("count")), ("value", AggregateCall("min", relation.over(shown)))),
        )
        one = Call("=", (self.session.column(count), Constant(1)))
        symbols = tuple([symbol for symbol, _, _ in keys])
        return Relation(plan, (*symbols, count, value)), Call("case", (one, self.session.column(value), NULL))

    def _aggregates_inside(self, block: Block) -> bool:
        """The aggregates read the subquery's own columns only, and HAVING is plain."""
        assert block.grouping is not None
        read = set[int]().union(*[columns_read(e) for c in block.grouping.calls for e in call_expressions(c)])
        steps = any(s.needs & block.free for s in block.grouping.steps)
        return not read & block.free and not steps and all(c.plain for c in block.having)

    def _keys(self, on: Sequence[tuple[Expression, Expression]]) -> list[tuple[int, str, Expression]]:
        """The inner sides of equalities, as groups."""
        owner = self.session.source()
        return [
            (self.session.symbol(f"key{i}", self.session.type_of(inner), owner), f"key{i}", inner)
            for i, (_, inner) in enumerate(on)
        ]

    def _by_key(self, block: Block, on: Sequence[tuple[Expression, Expression]]) -> Expression:
        """WHERE inner = outer under an aggregate: group by the inner side, left join on it."""
        assert block.grouping is not None
        keys = self._keys(on)
        relation = block.grouping.grouped(block.base(), keys)
        pairs = [(outer, self.session.column(s)) for (outer, _), (s, _, _) in zip(on, keys, strict=True)]
        self._step(frozenset(block.free), relation, "left", pairs)
        return block.value_over_nothing()

    def _single_by_key(
        self, block: Block, on: Sequence[tuple[Expression, Expression]], shown: Expression
    ) -> Expression:
        keys, base = self._keys(on), block.base()
        if block.limits.any:
            base = limited(base, block.order, block.limits, self.session, [inner for _, _, inner in keys])
        relation, value = self._single(base, keys, shown)
        pairs = [(outer, self.session.column(s)) for (outer, _), (s, _, _) in zip(on, keys, strict=True)]
        self._step(frozenset(block.free), relation, "left", pairs)
        return value

    def _over_domain(self, query: Query) -> Expression:
        """The general way: a column computed from a left join to the subquery over its domain."""
        result = self.session.symbol("value", query.types[0], self.session.source())

        def apply(outer: Relation) -> Relation:
            domain = domain_of(outer, query.free, self.session)
            again = self.lowered(domain)
            keys = _carried(domain.relation, self.session)
            plain = isinstance(again, Block) and again.one_row and again.plain_above and not again.limits.any
            if plain and isinstance(again, Block) and again.grouping is not None:
                relation, value = again.grouping.grouped(again.base(), keys), again.value_over_nothing()
            else:
                inner = again.relation()
                relation, value = self._single(inner, keys, Column(inner.symbols[-1]))
            joined = outer.joined("left", relation, matching(domain.symbols.items(), self.session), [])
            value = rewrite(value, lambda e: _outer_again(e, domain))
            return joined.projected([*_carried(outer, self.session), (result, "value", value)])

        self.frame.steps.append(Step(frozenset(query.free), frozenset([result]), apply))
        return self.session.column(result)


def _carried(relation: Relation, session: Session) -> list[tuple[int, str, Expression]]:
    """The relation's columns, as they are."""
    return [(s, session.names[s], session.column(s)) for s in relation.symbols]


def _outer_again(e: Expression, domain: Domain) -> Expression:
    """Over an outer row with no partner the domain's columns are padding: read the outer row's own."""
    back = {new: old for old, new in domain.symbols.items()}
    return Column(back[e.index], e.name) if isinstance(e, Column) and e.index in back else e
