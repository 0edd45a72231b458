"""Subqueries in conditions: EXISTS, IN, comparisons with ANY and ALL, and the dispatch of scalar ones.

Owns the choice between semi-join, anti-join and mark. A conjunct of WHERE decides rows, so EXISTS and IN are semi-joins
there and NOT EXISTS an anti-join; NOT IN is one only where neither side can be NULL. Everywhere else, and for NOT IN,
the three-valued answer becomes a column (`Mark`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs
from sqlglot import exp

from sspcore.plan.expressions import Call, Column, Constant, Expression, columns_read
from sspcore.plan.nodes import AntiJoin, Mark, SemiJoin
from sspcore.plan.sql import lists
from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.expressions import COMPARISONS, cells, lower_expression
from sspcore.plan.sql.frame import Condition, Frame, Step
from sspcore.plan.sql.literals import adapt
from sspcore.plan.sql.partners import Partners, partners
from sspcore.plan.sql.queries import Query, lower_query
from sspcore.plan.sql.refusals import refused
from sspcore.plan.sql.relation import Relation, placed
from sspcore.plan.sql.scalar import Scalar
from sspcore.plan.sql.select import Block

OPPOSITE: Final = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@attrs.frozen
class Membership:
    """[NOT] EXISTS (query), probes [NOT] IN (query), or [NOT] a probe compared with ANY (query)."""

    node: exp.Expression
    query: exp.Expression
    probes: tuple[exp.Expression, ...]
    negated: bool
    operator: str = "="
    """How the probe compares with some row of the query."""


def membership(node: exp.Expression, frame: Frame) -> Membership | None:
    """The node read as such; None when it is something else."""
    text = frame.session.text
    if isinstance(node, exp.Not | exp.Paren):
        arguments = Arguments(node, text)
        inside = membership(arguments.node_at("this"), frame)
        if inside is None:
            return None
        arguments.done()
        return attrs.evolve(inside, negated=inside.negated != isinstance(node, exp.Not))
    if isinstance(node, exp.Exists):
        arguments = Arguments(node, text)
        query = arguments.node_at("this")
        arguments.done()
        return Membership(node, query, (), False)
    if isinstance(node, exp.In) and node.args.get("query") is not None:
        arguments = Arguments(node, text)
        probe, query = arguments.node_at("this"), arguments.node_at("query")
        negated = arguments.flag("negate")
        arguments.done()
        return Membership(node, query, tuple(cells(probe, frame)), negated)
    if isinstance(node, exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE):
        return _quantified(node, frame)
    return None


def _quantified(node: exp.Expression, frame: Frame) -> Membership | None:
    """x = ANY (query) is IN, x <> ALL (query) is NOT IN; x < ALL (query) is NOT x >= ANY (query)."""
    text = frame.session.text
    quantifier = node.args.get("expression")
    if not isinstance(quantifier, exp.Expression) or not lists.quantifies_query(quantifier):
        return None
    arguments, inner = Arguments(node, text), Arguments(quantifier, text)
    probe = arguments.node_at("this")
    arguments.take("expression")
    arguments.done()
    negated = isinstance(quantifier, exp.All)
    if isinstance(quantifier, exp.Anonymous):
        negated = str(inner.take("this")).upper() == "ALL"
        (query,) = inner.nodes("expressions")
    else:
        query = inner.node_at("this")
    inner.done()
    probes = tuple(cells(probe, frame))
    operator = COMPARISONS[type(node)]
    operator = OPPOSITE[operator] if negated else operator
    if operator != "=" and len(probes) > 1:
        raise text.unsupported(
            "a row of several values beside ANY or ALL is supported as = ANY and <> ALL only", node,
            hint="compare the columns one by one, in [NOT] EXISTS",
        )  # fmt: skip
    return Membership(node, query, probes, negated, operator)


def semi_condition(node: exp.Expression, frame: Frame) -> Condition | None:
    """A conjunct as a semi- or anti-join; None when it is no subquery, or must be a column."""
    found = membership(node, frame)
    if found is None:
        return None
    reader = _Reader(found, frame)
    if reader.is_value or (found.operator == "=" and found.negated and found.probes and not reader.never_null):
        return None
    step = reader.step(AntiJoin if found.negated else SemiJoin)
    return Condition((*frame.steps, step), None)


def lower_subquery(node: exp.Expression, frame: Frame) -> Expression:
    """A subquery as a value: its column after the steps it leaves in the frame."""
    found = membership(node, frame)
    if found is None:
        if isinstance(node, exp.Query):
            return Scalar(node, frame).value()
        raise refused(node, frame)
    reader = _Reader(found, frame)
    answer = reader.value() if reader.is_value else reader.mark()
    return Call("not", (answer,)) if found.negated else answer


class _Reader:
    """One membership in one frame: its probes and its query, lowered once."""

    def __init__(self, found: Membership, frame: Frame) -> None:
        self.found, self.frame, self.session = found, frame, frame.session
        self.query: Query = lower_query(found.query, self.session, frame.scope, frame.scope.ctes)
        self.probes = [self._probe(node, i) for i, node in enumerate(found.probes)]
        if self.probes and len(self.probes) != len(self.query.names):
            raise self.session.text.error(
                f"{len(self.probes)} values IN a subquery of {len(self.query.names)} columns", found.node
            )
        self.needs = frozenset(self.query.free).union(*[columns_read(p) for p in self.probes])

    def _probe(self, node: exp.Expression, index: int) -> Expression:
        value = lower_expression(node, self.frame)
        if self.frame.grouping is not None:
            given = frozenset[int]().union(*[s.gives for s in self.frame.steps])
            value = self.frame.grouping.folded(value, node, given)
        kinds = self.query.types
        return adapt(node, value, kinds[index], self.session) if index < len(kinds) else value

    @property
    def is_value(self) -> bool:
        """A correlated aggregate without GROUP BY and HAVING: it has its one row also where nothing matches."""
        block = self.query
        return (
            isinstance(block, Block) and block.one_row and bool(block.free) and not block.having
            and not block.limits.any and len(self.probes) <= 1
        )  # fmt: skip

    def value(self) -> Expression:
        """EXISTS of such a query is TRUE; IN is equality with its value."""
        if not self.probes:
            return Constant(True)
        return Call(self.found.operator, (self.probes[0], Scalar(self.found.query, self.frame).value()))

    @property
    def never_null(self) -> bool:
        """No probe and no value of the query can be NULL."""
        return all(self._is_never_null(p, set()) for p in self.probes) and self._shows_no_null()

    def _shows_no_null(self) -> bool:
        if not isinstance(self.query, Block):
            return False
        tested = {
            c.expression.args[0].args[0]
            for c in self.query.local
            if c.plain and isinstance(c.expression, Call) and c.expression.function == "not"
            and isinstance(c.expression.args[0], Call) and c.expression.args[0].function == "is null"
        }  # fmt: skip
        return all(self._is_never_null(e, tested) for _, e in self.query.outputs)

    def _is_never_null(self, expression: Expression, tested: set[Expression]) -> bool:
        if isinstance(expression, Constant):
            return expression.value is not None
        if expression in tested:
            return True
        return isinstance(expression, Column) and self.session.is_never_null(expression.index)

    def _made(self) -> Callable[[Relation], Partners]:
        return partners(self.query, self.found.query, self.frame, shows=bool(self.probes))

    def step(self, node: type[SemiJoin | AntiJoin]) -> Step:
        """The rows with, or without, a partner."""
        make = self._made()

        def apply(outer: Relation) -> Relation:
            made = make(outer)
            if self.found.operator != "=":  # an anti-join is of rows for which it is known of no partner to be FALSE
                compared = self._compared(made)
                made = attrs.evolve(made, residual=[*made.residual, compared if node is SemiJoin else _may(compared)])
                on = made.on
            else:
                on = made.on + list(zip(self.probes, made.outputs, strict=False))
            plan = node(outer.plan, made.right.plan, outer.pairs(made.right, on), residual(outer, made))
            return Relation(plan, outer.symbols)

        return Step(self.needs, frozenset(), apply)

    def _compared(self, made: Partners) -> Expression:
        pairs = zip(self.probes, made.outputs, strict=True)
        parts = tuple([Call(self.found.operator, pair) for pair in pairs])
        return parts[0] if len(parts) == 1 else Call("and", parts)

    def compared(self) -> Expression:
        """The answer of a comparison: TRUE with some row, else NULL if it is unknown with some, else FALSE."""
        true = self._matched() if self.found.operator == "=" else self._marked(self._compared)
        unknown = self._marked(lambda made: Call("is null", (self._compared(made),)))
        return Call("case", (true, Constant(True), unknown, Constant(None), Constant(False)))

    def _marked(self, condition: Callable[[Partners], Expression]) -> Expression:
        """Whether there is a partner for which the condition is TRUE."""
        symbol = self.session.symbol("any", "boolean", self.session.source())
        make = self._made()

        def apply(outer: Relation) -> Relation:
            made = make(outer)
            made = attrs.evolve(made, residual=[*made.residual, condition(made)])
            plan = Mark(outer.plan, made.right.plan, "any", outer.pairs(made.right, made.on), residual(outer, made))
            return Relation(plan, (*outer.symbols, symbol))

        self.frame.steps.append(Step(self.needs, frozenset([symbol]), apply))
        return self.session.column(symbol)

    def mark(self) -> Expression:
        """The answer as a column."""
        if self.found.operator != "=" or (len(self.probes) > 1 and not self.never_null):
            return self.compared()
        return self._matched()

    def _matched(self) -> Expression:
        """Whether there is a partner; for one probe three-valued."""
        name = "in" if self.probes else "exists"
        symbol = self.session.symbol(name, "boolean", self.session.source())
        make = self._made()

        def apply(outer: Relation) -> Relation:
            made = make(outer)
            on, key = made.on, None
            if len(self.probes) == 1:
                key = (outer.over(self.probes[0]), made.right.over(made.outputs[0]))
            elif self.probes:
                on = on + list(zip(self.probes, made.outputs, strict=True))
            pairs = outer.pairs(made.right, on)
            plan = Mark(outer.plan, made.right.plan, name, pairs, residual(outer, made), key)
            return Relation(plan, (*outer.symbols, symbol))

        self.frame.steps.append(Step(self.needs, frozenset([symbol]), apply))
        return self.session.column(symbol)


def _may(condition: Expression) -> Expression:
    """It is TRUE or unknown."""
    return Call("not", (Call("is false", (condition,)),))


def residual(outer: Relation, made: Partners) -> Expression | None:
    """The further conditions over both rows, as one."""
    if not made.residual:
        return None
    both = outer.symbols + made.right.symbols
    parts = tuple([placed(e, both) for e in made.residual])
    return parts[0] if len(parts) == 1 else Call("and", parts)
