"""Queries: SELECT, UNION and its kin, VALUES, and WITH around them.

Owns the dispatch and the set operations. What one SELECT is made of is in `select`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import attrs
from sqlglot import exp

from sspcore.plan.expressions import Column, Constant, Expression, Param
from sspcore.plan.nodes import Except, Intersect, OrderTerm, Plan, Project, Union, Values
from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.domain import Domain
from sspcore.plan.sql.expressions import lower_expression
from sspcore.plan.sql.frame import Frame
from sspcore.plan.sql.literals import as_number, as_one_number, widest_number
from sspcore.plan.sql.ordering import Limits, limited, output_order, take_limits
from sspcore.plan.sql.relation import Relation
from sspcore.plan.sql.scope import Cte, Scope, identifier
from sspcore.plan.sql.session import Session
from sspcore.plan.traverse import columns
from sspcore.plan.types import common

Ctes = Mapping[str, Cte]


class Query(Protocol):
    """A lowered query."""

    @property
    def names(self) -> list[str]:
        """Its columns' names."""

    @property
    def types(self) -> list[str]:
        """Their types."""

    @property
    def free(self) -> set[int]:
        """The symbols of queries around that it reads."""

    def relation(self, *, ordered: bool = False) -> Relation:
        """Its rows: with a domain, the domain's columns in front. An order without a limit is kept only if asked."""


def lower_query(
    node: exp.Expression, session: Session, around: Scope | None, ctes: Ctes, domain: Domain | None = None
) -> Query:
    """Any query, inside the scope `around`. With a domain, the outer columns are read from it.

    Raises SqlError or UnsupportedSql with the place.
    """
    from sspcore.plan.sql.select import lower_select  # a SELECT holds queries

    session.count_query()
    session.lowered.add(id(node))
    if isinstance(node, exp.Select):
        return lower_select(node, session, around, ctes, domain)
    if isinstance(node, exp.SetOperation):
        return _set_operation(node, session, around, ctes, domain)
    if isinstance(node, exp.Subquery):
        return _wrapped(node, session, around, ctes, domain)
    if isinstance(node, exp.Values):
        return _values(node, session, ctes, domain)
    raise session.text.unsupported("this is no query", node, hint="write SELECT … FROM …")


def take_ctes(arguments: Arguments, session: Session, around: Scope | None, ctes: Ctes) -> Ctes:
    """The CTEs that are visible with those of the node's WITH; each sees those before it."""
    node = arguments.optional("with_")
    if node is None:
        return ctes
    inner = Arguments(node, session.text)
    recursive = inner.flag("recursive")
    visible = dict(ctes)
    own: set[str] = set()
    for item in inner.nodes("expressions"):
        parts = Arguments(item, session.text)
        query, alias = parts.node_at("this"), Arguments(parts.node_at("alias"), session.text)
        parts.take("materialized")  # a promise about how, not about what
        parts.done()
        name = identifier(session, alias.node_at("this"))[0]
        names = tuple([identifier(session, n)[0] for n in alias.nodes("columns")])
        alias.done()
        if name in own:
            raise session.text.error(f"WITH names {name!r} twice", item)
        own.add(name)
        visible[name] = Cte(query, names, around, dict(visible), name if recursive else "")
        session.ctes.append(visible[name])
    inner.done()
    return visible


def judge_unread(session: Session) -> None:
    """Refuse what is wrong in CTEs that nothing reads: they have no effect, but no part of a query goes unread."""
    from sspcore.plan.sql.recursive import lower_cte  # a recursion holds queries

    for cte in session.ctes:  # those of a CTE judged here are appended while we go
        if id(cte.query) not in session.lowered:
            lower_cte(cte, session)


@attrs.define
class Combined:
    """Several queries made one (by a set operation or a wrapper), perhaps ordered and limited."""

    session: Session
    make: Callable[[], Plan]
    """Called only where every column that is read is there: what reads outer columns is lowered again over a domain."""
    symbols: tuple[int, ...]
    names: list[str]
    types: list[str]
    free: set[int]
    order: tuple[OrderTerm, ...]
    limits: Limits

    def relation(self, *, ordered: bool = False) -> Relation:
        """Its rows."""
        relation = Relation(self.make(), self.symbols)
        if (ordered and self.order) or self.limits.any:
            each = [self.session.column(s) for s in self.symbols[: len(self.symbols) - len(self.names)]]
            return limited(relation, self.order, self.limits, self.session, each)
        return relation


def _combined(
    arguments: Arguments, session: Session, make: Callable[[], Plan], names: list[str], types: list[str],
    free: set[int], domain: Domain | None,
) -> Combined:  # fmt: skip
    """What remains of a node besides its parts: ORDER BY its columns, LIMIT, OFFSET."""
    owner = session.source()
    outputs = [session.symbol(name, kind, owner) for name, kind in zip(names, types, strict=True)]
    symbols = (*(() if domain is None else domain.relation.symbols), *outputs)
    order = output_order(arguments.optional("order"), names, [session.column(s) for s in outputs], session)
    limits = take_limits(arguments, session)
    arguments.done()
    return Combined(session, make, symbols, names, types, free, order, limits)


def _wrapped(node: exp.Expression, session: Session, around: Scope | None, ctes: Ctes, domain: Domain | None) -> Query:
    """(SELECT …), perhaps with ORDER BY and LIMIT outside the parentheses."""
    arguments = Arguments(node, session.text)
    ctes = take_ctes(arguments, session, around, ctes)
    if arguments.optional("alias") is not None:
        raise session.text.error("an alias has no meaning here", node)
    query = lower_query(arguments.node_at("this"), session, around, ctes, domain)
    if not any(node.args.get(name) for name in ("order", "limit", "offset")):
        arguments.done()
        return query
    return _combined(arguments, session, lambda: query.relation().plan, query.names, query.types, query.free, domain)


def _set_operation(
    node: exp.Expression, session: Session, around: Scope | None, ctes: Ctes, domain: Domain | None
) -> Combined:
    arguments = Arguments(node, session.text)
    ctes = take_ctes(arguments, session, around, ctes)
    name = type(node).__name__.upper()
    keeps_all = not arguments.flag("distinct")
    parts = [arguments.node_at("this"), arguments.node_at("expression")]
    while name == "UNION" and type(parts[0]) is type(node) and _same_union(parts[0], node):
        inner = Arguments(parts[0], session.text)  # a UNION b UNION c is one union of three
        inner.flag("distinct")
        parts[:1] = [inner.node_at("this"), inner.node_at("expression")]
        inner.done()
    queries = [lower_query(part, session, around, ctes, domain) for part in parts]
    widths = [len(query.names) for query in queries]
    for part, width in zip(parts, widths, strict=True):
        if width != widths[0]:
            raise session.text.error(f"{name} of {widths[0]} columns and {width}", part, hint="select as many")
    sides = list(zip(*[q.types for q in queries], strict=True))
    types = [kinds[0] if len(set(kinds)) == 1 else widest_number(set(kinds)) or "any" for kinds in sides]
    free = set().union(*[query.free for query in queries])

    def plan() -> Plan:
        plans = tuple([as_types(query.relation().plan, query.types, types) for query in queries])
        if name == "UNION":
            return Union(plans, keeps_all)
        left, right = plans
        return (Intersect if name == "INTERSECT" else Except)(left, right, keeps_all)

    return _combined(arguments, session, plan, queries[0].names, types, free, domain)


def as_types(plan: Plan, own: Sequence[str], wanted: Sequence[str]) -> Plan:
    """The plan with its last columns' numbers as numbers of the wanted types."""
    if all(a == b or b == "any" for a, b in zip(own, wanted, strict=True)):
        return plan
    front = len(columns(plan)) - len(own)
    cells = [Column(i, name) for i, name in enumerate(columns(plan))]
    shown = [c if b == "any" else as_number(c, a, b) for c, a, b in zip(cells[front:], own, wanted, strict=True)]
    return Project(plan, tuple(zip(columns(plan), [*cells[:front], *shown], strict=True)))


def _same_union(part: exp.Expression, node: exp.Expression) -> bool:
    """The left side is a union of the same kind with nothing of its own."""
    others = {k for k, v in part.args.items() if v not in (None, False, [])} - {"this", "expression", "distinct"}
    return not others and bool(part.args.get("distinct")) == bool(node.args.get("distinct"))


def _values(node: exp.Expression, session: Session, ctes: Ctes, domain: Domain | None) -> Combined:
    """VALUES (…), (…): constant rows, expressions over constants allowed."""
    arguments = Arguments(node, session.text)
    ctes = take_ctes(arguments, session, None, ctes)
    if domain is not None:
        raise session.text.unsupported("VALUES in a correlated subquery is not supported", node, hint="use SELECT")
    frame = Frame(session, Scope(session), "VALUES")
    rows: list[tuple[Expression, ...]] = []
    for row in arguments.nodes("expressions"):
        inner = Arguments(row, session.text)
        items = inner.nodes("expressions") if isinstance(row, exp.Tuple) else [row]
        if isinstance(row, exp.Tuple):
            inner.done()
        rows.append(tuple([lower_expression(item, frame) for item in items]))
        if len(items) != len(rows[0]):
            raise session.text.error(f"a row of {len(items)} values beside one of {len(rows[0])}", row)
    if frame.steps:
        raise session.text.unsupported("subqueries in VALUES are not supported", node, hint="use SELECT … UNION ALL")
    names = [f"column{i + 1}" for i in range(len(rows[0]))]
    sides = [as_one_number(cells, session) for cells in zip(*rows, strict=True)]
    types = [common([session.type_of(e) for e in cells], cells) for cells in sides]
    rows = list(zip(*sides, strict=True))
    return _combined(arguments, session, lambda: _rows(names, rows), names, types, set(), None)


def _rows(names: Sequence[str], rows: Sequence[tuple[Expression, ...]]) -> Plan:
    """Constant rows; a row that computes becomes a projection of one empty row."""
    if all(isinstance(cell, Constant | Param) for row in rows for cell in row):
        return Values(tuple(names), tuple(rows))
    parts = tuple([Project(Values((), ((),)), tuple(zip(names, row, strict=True))) for row in rows])
    return parts[0] if len(parts) == 1 else Union(parts, all=True)
