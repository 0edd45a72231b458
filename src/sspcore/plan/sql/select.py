"""One SELECT: its clauses lowered in the order in which names become visible, and assembled in the order they act.

Owns the block of FROM, WHERE, GROUP BY, HAVING, SELECT, DISTINCT, ORDER BY and LIMIT. Expressions are lowered first, so
that each table occurrence knows which of its columns are read before its scan is made.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from sqlglot import exp

from sspcore.plan.catalog import find_name
from sspcore.plan.expressions import Call, Column, Constant, Expression, conjunction
from sspcore.plan.nodes import OrderTerm, Plan, Project, Values
from sspcore.plan.sql.aggregates import LOWERED, NotGrouped, has_aggregate
from sspcore.plan.sql.arguments import Arguments, not_supported
from sspcore.plan.sql.conditions import conditions
from sspcore.plan.sql.domain import Domain, matching
from sspcore.plan.sql.expressions import cells, lower_expression
from sspcore.plan.sql.frame import Condition, Frame, Step, taken
from sspcore.plan.sql.from_clause import correlated_below, lower_from
from sspcore.plan.sql.grouping import Grouping
from sspcore.plan.sql.join_tree import Inner, Leaf, Tree, build, inner
from sspcore.plan.sql.ordering import Limits, limited, order_terms, position, take_limits
from sspcore.plan.sql.outputs import Item, expand, named
from sspcore.plan.sql.queries import Ctes, Query, take_ctes
from sspcore.plan.sql.relation import Relation
from sspcore.plan.sql.scope import Scope, identifier
from sspcore.plan.sql.session import Session
from sspcore.plan.traverse import columns


@attrs.define
class Block:
    """A SELECT, lowered and not yet assembled."""

    session: Session
    scope: Scope
    node: exp.Expression
    tree: Tree | None
    domain: Domain | None
    local: list[Condition] = attrs.field(factory=list)
    correlated: list[Condition] = attrs.field(factory=list)
    grouping: Grouping | None = None
    having: list[Condition] = attrs.field(factory=list)
    steps: list[Step] = attrs.field(factory=list)
    outputs: list[tuple[str, Expression]] = attrs.field(factory=list)
    distinct: bool = False
    first_of: list[Expression] | None = None
    """DISTINCT ON: the first row for each combination of these values."""
    order: tuple[OrderTerm, ...] = ()
    limits: Limits = attrs.field(factory=Limits)

    @property
    def names(self) -> list[str]:
        """The output columns' names."""
        return [name for name, _ in self.outputs]

    @property
    def types(self) -> list[str]:
        """Their types."""
        return [self.session.type_of(e) for _, e in self.outputs]

    @property
    def free(self) -> set[int]:
        """The outer symbols it reads."""
        return self.scope.free

    @property
    def one_row(self) -> bool:
        """It aggregates without GROUP BY, so it gives exactly one row (or, by HAVING, none)."""
        return self.grouping is not None and not self.grouping.explicit

    def base(self) -> Relation:
        """FROM and WHERE, without conditions that read outer columns."""
        tree = self.tree
        if self.domain is not None:
            around = self.domain.relation
            leaf = Leaf(frozenset([self.domain.source]), lambda: around)
            tree = leaf if tree is None else inner(leaf, tree, ())
        if tree is None:
            tree = Leaf(frozenset(), lambda: Relation(Values((), ((),)), ()))
        return build(tree, self.local, self.session)

    def relation(self, *, ordered: bool = False) -> Relation:
        """The rows it gives; the domain's columns, if it has one, in front."""
        front = self._front()
        relation = self.base()
        if self.grouping is not None:
            if self.domain is not None and self.one_row:
                one = self._one_row_each(relation, self.domain)
                return self._sorted(one, ()) if self.limits.any else one
            relation = self.grouping.grouped(relation, front)
            for condition in self.having:
                relation = condition.apply(relation)
        relation = taken(relation, self.steps)
        owner = self.session.source()
        shown = [(self.session.symbol(n, self.session.type_of(e), owner), n, e) for n, e in self.outputs]
        sorts = (ordered and bool(self.order)) or self.limits.any
        if self.distinct:
            given = _thin(relation.projected(front + shown), relation.plan).distinct()
            places = {e: self.session.column(symbol) for symbol, _, e in shown}
            terms = [attrs.evolve(t, expression=places[t.expression]) for t in self.order]
            return self._sorted(given, terms) if sorts else given
        if self.first_of is not None:
            each = [*self._domain_columns(), *self.first_of]
            relation = limited(relation, self.order, Limits(Constant(1)), self.session, each)
        if sorts:
            relation = self._sorted(relation, self.order)
        return _thin(relation.projected(front + shown), relation.plan)

    def _one_row_each(self, base: Relation, domain: Domain) -> Relation:
        """An aggregate without GROUP BY over a domain: it has its row also for outer values that nothing matches."""
        assert self.grouping is not None
        grouped = self.grouping.grouped(base, self._front())
        every = domain.again(self.session)
        own = {new: every.symbols[old] for old, new in domain.symbols.items()}
        pairs = matching([(mine, new) for new, mine in own.items()], self.session)
        joined = every.relation.joined("left", grouped, pairs, [])

        # of a padded row: counts are 0, and the domain's values are read from the side that is there
        front = [(s, n, self.session.column(own[s])) for s, n, _ in self._front()]
        calls = [(s, n, self.grouping.over_nothing(self.session.column(s))) for s, n in self.grouping.calls.values()]
        relation = joined.projected([*front, *calls])
        for condition in self.having:
            relation = condition.apply(relation)
        relation = taken(relation, self.steps)
        owner = self.session.source()
        shown = [(self.session.symbol(n, self.session.type_of(e), owner), n, e) for n, e in self.outputs]
        return relation.projected(self._front() + shown)

    @property
    def plain_above(self) -> bool:
        """Above the grouping there are no subqueries."""
        return not self.steps and all(c.plain for c in self.having)

    def value_over_nothing(self) -> Expression:
        """The one output of an aggregate without GROUP BY, after a left join: also where nothing was joined."""
        assert self.grouping is not None
        value = self.grouping.over_nothing(self.outputs[0][1])
        having = [self.grouping.over_nothing(c.expression) for c in self.having if c.expression is not None]
        condition = conjunction(having)
        return value if condition is None else Call("case", (condition, value, Constant(None)))

    def _sorted(self, relation: Relation, terms: Sequence[OrderTerm]) -> Relation:
        return limited(relation, terms, self.limits, self.session, self._domain_columns())

    def _domain_columns(self) -> list[Expression]:
        """What tells the outer rows apart: each has a window of its own."""
        return [] if self.domain is None else [self.session.column(s) for s in self.domain.relation.symbols]

    def _front(self) -> list[tuple[int, str, Expression]]:
        if self.domain is None:
            return []
        return [(s, self.session.names[s], self.session.column(s)) for s in self.domain.relation.symbols]


def _thin(projected: Relation, below: Plan) -> Relation:
    """Without a projection that changes nothing."""
    assert isinstance(projected.plan, Project)
    cells = projected.plan.columns
    if cells == tuple([(name, Column(i)) for i, name in enumerate(columns(below))]):
        return Relation(below, projected.symbols)
    return projected


def lower_select(
    node: exp.Expression, session: Session, around: Scope | None, ctes: Ctes, domain: Domain | None
) -> Query:
    """A SELECT inside `around`. Raises SqlError or UnsupportedSql with the place."""
    scope = Scope(session, around, ctes, domain=domain)
    try:
        return _lowered(node, scope, grouped=False)
    except NotGrouped as found:
        if found.scope is not scope:
            raise
    return _lowered(node, Scope(session, around, ctes, domain=domain), grouped=True)


def _lowered(node: exp.Expression, scope: Scope, *, grouped: bool) -> Block:
    """`grouped` when it is known to be, by an aggregate that is not written in its own clauses."""
    session, domain = scope.session, scope.domain
    arguments = Arguments(node, session.text)
    scope.ctes = take_ctes(arguments, session, scope.parent, scope.ctes)
    tree = lower_from(arguments.optional("from_"), arguments.nodes("joins"), scope)
    if domain is not None and correlated_below(tree, set(domain.relation.symbols)):
        raise session.text.unsupported(
            "a query in FROM that reads columns of the query around is not supported beside an outer join", node,
            hint="move the condition into that query's WHERE",
        )  # fmt: skip
    block = Block(session, scope, node, tree, domain)
    items = expand(arguments.nodes("expressions"), scope)
    if not items:
        raise session.text.error("SELECT of nothing", node, hint="write SELECT * or list columns")
    where, group, having = (arguments.optional(name) for name in ("where", "group", "having"))
    order = arguments.optional("order")
    on = _distinct(arguments, session)
    block.distinct = on is not None and not on
    block.limits = take_limits(arguments, session)
    arguments.done()

    if where is not None:
        scope.clause = "WHERE"
        inside = Arguments(where, session.text)
        block.local = conditions(inside.node_at("this"), Frame(session, scope, "WHERE"))
        inside.done()
    shown = [item.node for item in items if item.node is not None] + [n for n in (having, order) if n is not None]
    if grouped or group is not None or having is not None or any(has_aggregate(n, scope) for n in shown):
        scope.clause = "GROUP BY"
        block.grouping = scope.grouping = Grouping(session, scope, group is not None)
        _group_by(group, items, block)
    scope.clause = "SELECT"
    frame = Frame(session, scope, "SELECT", block.grouping, steps=block.steps)
    block.outputs = [(named(item, session), _shown(item, frame, block)) for item in items]
    if block.grouping is not None:
        for name, expression in reversed(block.outputs):  # of several names for one value the first
            if isinstance(expression, Column):
                block.grouping.rename(expression.index, name)
    if having is not None:
        inside = Arguments(having, session.text)
        block.having = _having(inside.node_at("this"), block)
        inside.done()
    block.order = order_terms(order, session, lambda by: _order_value(by, block, frame))
    if on:
        block.first_of = [_order_value(by, block, frame) for by in on]
        _judge_first(block, on[0])
    scope.clause = LOWERED
    _pull_up(block)
    return block


def _distinct(arguments: Arguments, session: Session) -> list[exp.Expression] | None:
    """What DISTINCT ON lists; nothing of a plain DISTINCT, None without one."""
    node = arguments.optional("distinct")
    if node is None:
        return None
    inner = Arguments(node, session.text)
    listed = inner.optional("on")
    inner.done()
    if listed is None:
        return []
    values = Arguments(listed, session.text)
    on = values.nodes("expressions") if isinstance(listed, exp.Tuple) else [values.node_at("this")]
    values.done()
    return on


def _judge_first(block: Block, node: exp.Expression) -> None:
    """ORDER BY must begin with what DISTINCT ON lists: else rows would be shown by another order than chosen by."""
    on = block.first_of or []
    leading = [t.expression for t in block.order[: len(set(on))]]
    if set(leading) - set(on):
        raise block.session.text.error(
            "ORDER BY does not begin with what DISTINCT ON lists", node, hint="order by these values first"
        )


def _group_by(node: exp.Expression | None, items: list[Item], block: Block) -> None:
    session, grouping = block.session, block.grouping
    if node is None or grouping is None:
        return
    arguments = Arguments(node, session.text)
    if "all" in node.args and node.args["all"] is not None:
        raise session.text.unsupported(
            "GROUP BY ALL and GROUP BY DISTINCT are not supported", node, hint="list the columns"
        )
    frame = Frame(session, block.scope, "GROUP BY", steps=grouping.steps)
    for by in arguments.nodes("expressions"):
        if isinstance(by, exp.Rollup | exp.Cube | exp.GroupingSets):
            raise session.text.unsupported(
                not_supported(type(by).__name__.replace("gS", "g S").upper()), by,
                hint="register one view for each grouping, or UNION ALL of them",
            )  # fmt: skip
        for part in cells(by, frame):
            item = _group_item(part, items, block)
            expression = item.expression
            if expression is None:
                assert item.node is not None
                if has_aggregate(item.node, block.scope):
                    raise session.text.error("GROUP BY an aggregate", part, hint="aggregates are of groups")
                before = len(grouping.steps)
                expression = lower_expression(item.node, frame)
                if len(grouping.steps) > before:
                    grouping.written.append((item.node, expression))
                for i, shown in enumerate(items):  # an output that is grouped by is computed below, once
                    if shown is item:
                        items[i] = attrs.evolve(item, expression=expression)
            grouping.group(expression, named(item, session))
    arguments.done()


def _group_item(by: exp.Expression, items: Sequence[Item], block: Block) -> Item:
    """What GROUP BY names: an output by position, a column, else an output by alias, else an expression."""
    at = position(by, len(items), "GROUP BY", block.session)
    if at is not None:
        return items[at]
    if isinstance(by, exp.Column) and by.args.get("table") is None:
        name, exact = identifier(block.session, by.this)
        alias = find_name(name, [i.alias for i in items if i.alias], exact=exact)
        if alias is not None and block.scope.own(name, exact, by) is None:
            return next(i for i in items if i.alias == alias)
    return Item("", by, None)


def _shown(item: Item, frame: Frame, block: Block) -> Expression:
    """The value of an output; over a group, if there are groups."""
    if item.expression is not None:
        return _folded(item.expression, item.source, block, frame.steps)
    assert item.node is not None
    return _folded(lower_expression(item.node, frame), item.node, block, frame.steps)


def _folded(expression: Expression, node: exp.Expression, block: Block, steps: Sequence[Step]) -> Expression:
    if block.grouping is None:
        return expression
    given = frozenset[int]().union(*[s.gives for s in steps])
    for step in steps:
        block.grouping.require(step.needs - given, node)
    return block.grouping.folded(expression, node, given)


def _having(node: exp.Expression, block: Block) -> list[Condition]:
    # Names of outputs are no SQL here, but no column can be meant, and others (SQLite, DuckDB, MySQL) allow them.
    frame = Frame(block.session, block.scope, "HAVING", block.grouping, aliases=dict(block.outputs))
    out = []
    for condition in conditions(node, frame):
        value = Constant(True) if condition.expression is None else condition.expression
        folded = _folded(value, node, block, condition.steps)
        out.append(Condition(condition.steps, None if condition.expression is None else folded))
    return out


def _order_value(by: exp.Expression, block: Block, frame: Frame) -> Expression:
    """What ORDER BY names: an output by position or name, else an expression over columns."""
    session = block.session
    at = position(by, len(block.outputs), "ORDER BY", session)
    if at is None and isinstance(by, exp.Column) and by.args.get("table") is None:
        name, exact = identifier(session, by.this)
        found = find_name(name, block.names, exact=exact)
        matching = {e for n, e in block.outputs if n == found}
        if len(matching) > 1:
            raise session.text.error(f"two output columns are called {name!r}", by, hint="order by position")
        at = None if found is None else block.names.index(found)
    if at is not None:
        return block.outputs[at][1]
    own = attrs.evolve(frame, clause="ORDER BY", aliases=dict(block.outputs))
    value = _folded(lower_expression(by, own), by, block, own.steps)
    if block.distinct and value not in [e for _, e in block.outputs]:
        raise session.text.error("ORDER BY a value that SELECT DISTINCT does not show", by, hint="select it too")
    return value


def _pull_up(block: Block) -> None:
    """Set apart the conditions that read outer columns."""
    free = block.scope.free
    if not free:
        return
    if correlated_below(block.tree, free):
        raise block.session.text.unsupported(
            "a column of the query around is not supported in ON of an outer join", block.node,
            hint="move the condition to WHERE", word="ON",
        )  # fmt: skip
    if isinstance(block.tree, Inner):
        block.local = [*block.tree.conditions, *block.local]
        block.tree = attrs.evolve(block.tree, conditions=())
    block.correlated = [c for c in block.local if c.needs & free]
    block.local = [c for c in block.local if not c.needs & free]
