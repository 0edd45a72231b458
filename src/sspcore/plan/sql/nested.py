"""Nested rows in SQL: ARRAY(SELECT …), a list of the values of a query's one column, or of objects.

Owns the way from such a query to a `Nest`. ARRAY(SELECT json_build_object('a', x, 'b', y) …) is a list of objects with
these members; the members may hold such lists themselves. Without rows the list is empty. Where outer columns are read
in plain conditions of WHERE only, these become the conditions of the nest; else the query is lowered over its domain.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from sqlglot import exp

from sspcore.plan.expressions import Column, Expression, columns_read, conjunction
from sspcore.plan.nodes import Nest, OrderTerm
from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.domain import Pairs, domain_of, matching
from sspcore.plan.sql.frame import Frame, Step
from sspcore.plan.sql.ordering import Limits
from sspcore.plan.sql.partners import split
from sspcore.plan.sql.queries import Query, lower_query
from sspcore.plan.sql.relation import Relation, placed
from sspcore.plan.sql.select import Block

BUILDERS = ("json_build_object", "jsonb_build_object")


@attrs.frozen
class Children:
    """The rows of the query beside an outer row: equalities, further conditions, their order, window and values."""

    right: Relation
    on: Pairs
    residual: list[Expression]
    order: Sequence[OrderTerm]
    limits: Limits
    outputs: list[Expression]


def list_of(node: exp.Expression, frame: Frame) -> Expression:
    """The list a query in ARRAY(…) gives: a column after the step that it leaves in the frame."""
    session = frame.session
    names, node = _members(node, frame)
    query = lower_query(node, session, frame.scope, frame.scope.ctes)
    if len(query.names) != (1 if names is None else len(names)):
        raise session.text.error(
            f"ARRAY of a query of {len(query.names)} columns", node,
            hint="select one column, or json_build_object('name', column, …)",
        )  # fmt: skip
    symbol = session.symbol("array", "json", session.source())

    def apply(outer: Relation) -> Relation:
        children = _children(query, node, frame, outer)
        right, both = children.right, outer.symbols + children.right.symbols
        rest = conjunction(children.residual)
        cells = [(n, right.over(e)) for n, e in zip(names or ("value",), children.outputs, strict=True)]
        plan = Nest(
            outer.plan, right.plan, "array", outer.pairs(right, children.on),
            None if rest is None else placed(rest, both), right.ordered(children.order),
            children.limits.limit, children.limits.offset, tuple(cells), "values" if names is None else "objects",
        )  # fmt: skip
        return Relation(plan, (*outer.symbols, symbol))

    frame.steps.append(Step(frozenset(query.free), frozenset([symbol]), apply))
    return session.column(symbol)


def _members(node: exp.Expression, frame: Frame) -> tuple[tuple[str, ...] | None, exp.Expression]:
    """The members of the objects that a query builds, and the query with a column for each; None for plain values."""
    text = frame.session.text
    inside = node
    while isinstance(inside, exp.Subquery) and inside.this is not None and not inside.args.get("with_"):
        inside = inside.this
    items = inside.expressions if isinstance(inside, exp.Select) else []
    built = items[0].unalias() if len(items) == 1 else None
    if not isinstance(built, exp.Anonymous) or str(built.this).lower() not in BUILDERS:
        return None, node
    for clause in ("order", "group"):
        by = inside.args.get(clause)
        if by is not None and any(isinstance(part.unnest(), exp.Literal) for o in by.expressions for part in (
            o.this if isinstance(o, exp.Ordered) else o,)):  # fmt: skip
            raise text.unsupported(
                "a position beside json_build_object is not supported", by, hint="name the column", word="BY"
            )
    arguments = Arguments(built, text)
    arguments.take("this")
    parts = arguments.nodes("expressions")
    arguments.done()
    names = [part.this for part in parts[::2] if isinstance(part, exp.Literal) and part.is_string]
    if len(parts) % 2 or len(names) * 2 != len(parts) or len(set(names)) < len(names):
        raise text.unsupported(
            "json_build_object of these arguments is not supported", built,
            hint="write pairs of a quoted name and a value, each name once",
        )  # fmt: skip
    again = inside.copy()
    values = [part.copy() for part in parts[1::2]]
    again.set("expressions", [exp.alias_(v, f"json_build_object {i}", quoted=True) for i, v in enumerate(values)])
    return tuple(names), again


def _children(query: Query, node: exp.Expression, frame: Frame, outer: Relation) -> Children:
    if isinstance(query, Block) and _simple(query):
        right = query.base()
        for step in query.steps:
            right = step.apply(right)
        on, residual = split([c.expression for c in query.correlated if c.expression is not None], query.free)
        return Children(right, on, residual, query.order, query.limits, [e for _, e in query.outputs])
    if not query.free:
        return _whole(query, [], node, frame)
    domain = domain_of(outer, query.free, frame.session)
    again = lower_query(node, frame.session, frame.scope, frame.scope.ctes, domain)
    return _whole(again, matching(domain.symbols.items(), frame.session), node, frame)


def _simple(block: Block) -> bool:
    """Outer columns are read in plain conditions of WHERE only, and each row is a row of FROM."""
    if (
        block.grouping is not None or block.distinct or block.first_of is not None or block.limits.ties
        or block.scope.lateral or block.scope.windows or not all(c.plain for c in block.correlated)
    ):  # fmt: skip
        return False
    read = [e for _, e in block.outputs] + [t.expression for t in block.order]
    return not any(columns_read(e) & block.free for e in read) and not any(s.needs & block.free for s in block.steps)


def _whole(query: Query, on: Pairs, node: exp.Expression, frame: Frame) -> Children:
    """The query as it is: its window is its own, and its order is over the columns it shows."""
    relation = query.relation()
    shown = relation.symbols[len(relation.symbols) - len(query.names) :]
    columns: list[Expression] = [Column(s) for s in shown]
    order: Sequence[OrderTerm] = getattr(query, "order", ())
    if isinstance(query, Block):
        given = dict(zip([e for _, e in query.outputs][::-1], columns[::-1], strict=True))
        if any(t.expression not in given for t in order):
            raise frame.session.text.unsupported(
                "ORDER BY a value that is not selected is not supported in ARRAY of such a query", node,
                hint="select it too, in json_build_object", word="ORDER",
            )  # fmt: skip
        order = [attrs.evolve(t, expression=given[t.expression]) for t in order]
    return Children(relation, on, [], order, Limits(), columns)
