"""FROM: tables, views, CTEs, derived tables and VALUES by name, and the joins between them.

Owns what stands in FROM and how joins are written. Where conditions end up is `join_tree`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import attrs
from sqlglot import exp

from sspcore.errors import InternalError, did_you_mean
from sspcore.plan.catalog import find_name
from sspcore.plan.expressions import Call, Column, Expression, columns_read
from sspcore.plan.nodes import Plan, Project, Scan, TopK
from sspcore.plan.sql.arguments import Arguments, not_supported
from sspcore.plan.sql.conditions import conditions, expression_condition
from sspcore.plan.sql.domain import matching
from sspcore.plan.sql.frame import Condition, Frame
from sspcore.plan.sql.join_tree import Inner, Lateral, Leaf, Outer, Tree, inner, sources_of
from sspcore.plan.sql.refusals import NAMES
from sspcore.plan.sql.relation import Relation
from sspcore.plan.sql.scope import Cte, Scope, Source, identifier
from sspcore.plan.sql.session import Session
from sspcore.plan.traverse import columns
from sspcore.plan.types import column_types

if TYPE_CHECKING:
    from sspcore.plan.sql.queries import Query

SIDES = {"": "inner", "LEFT": "left", "RIGHT": "right", "FULL": "full"}


def lower_from(node: exp.Expression | None, joins: Sequence[exp.Expression], scope: Scope) -> Tree | None:
    """The tree of everything in FROM, its sources added to the scope. None without FROM."""
    session = scope.session
    if node is None:
        for join in joins:
            raise session.text.error("JOIN without FROM", join)
        return None
    arguments = Arguments(node, session.text)
    tree = _item(arguments.node_at("this"), scope)
    arguments.done()
    return _chain(tree, joins, scope)


def _chain(tree: Tree, joins: Sequence[exp.Expression], scope: Scope) -> Tree:
    """The joins that follow a table. A comma binds less than JOIN: `a, b RIGHT JOIN c` is `a, (b RIGHT JOIN c)`."""
    apart: Tree | None = None
    for join in joins:
        bare = isinstance(join, exp.Join) and not any(v for k, v in join.args.items() if k != "this")
        if bare and not isinstance(join.this, exp.Lateral):
            apart = tree if apart is None else inner(apart, tree, ())
            tree = _item(join.this, scope)
        else:
            apart, tree = _join(apart, tree, join, scope)
    return tree if apart is None else inner(apart, tree, ())


def _item(node: exp.Expression, scope: Scope) -> Tree:
    """One table, or a join in parentheses."""
    session = scope.session
    nested = node.args.get("joins") or []
    if not isinstance(nested, list):
        raise session.text.unsupported("joins in this form are not supported", node, hint="write JOIN … ON …")
    if isinstance(node, exp.Table):
        tree: Tree = _table(node, scope)
    elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table | exp.Subquery):
        arguments = Arguments(node, session.text)
        tree = _item(arguments.node_at("this"), scope)
        arguments.take("joins")
        if arguments.optional("alias") is not None:
            raise session.text.unsupported("an alias for a join is not supported", node, hint="name its tables instead")
        arguments.done()
    elif isinstance(node, exp.Subquery | exp.Values):
        tree = _derived(node, scope)
    elif type(node) in NAMES:
        raise session.text.unsupported(not_supported(NAMES[type(node)][0]), node, hint=NAMES[type(node)][1])
    else:
        raise session.text.unsupported(
            "FROM takes tables, views, CTEs, subqueries and VALUES", node, hint="use one row per element"
        )
    return _chain(tree, nested, scope)


def _table(node: exp.Table, scope: Scope) -> Tree:
    session = scope.session
    arguments = Arguments(node, session.text)
    arguments.take("joins")
    this = arguments.node_at("this")
    alias, renamed = alias_of(arguments.optional("alias"), session)
    if isinstance(this, exp.Values):  # at the beginning of a join in parentheses
        arguments.done()
        return _query(Cte(this, (), scope.parent, scope.ctes), alias, renamed, node, scope)
    if not isinstance(this, exp.Identifier):
        raise session.text.unsupported("functions in FROM are not supported", node, hint="use one row per element")
    name, exact = identifier(session, this)
    arguments.done()
    key = find_name(name, scope.ctes, exact=exact)
    if key is not None:
        return _query(scope.ctes[key], alias or key, renamed, node, scope)
    view = find_name(name, session.views, exact=exact)
    if view is not None:
        return _view(session.views[view], alias or view, renamed, node, scope)
    table = find_name(name, session.catalog, exact=exact) or name
    try:
        info = session.catalog[table]
    except KeyError:
        known = [*session.catalog, *session.views]
        raise session.text.error(f"unknown table {name!r}", node, hint=did_you_mean(name, known)) from None
    source = Source(session, alias or table, table, info)
    if renamed:
        raise session.text.unsupported(
            "names for the columns of a table are not supported", node, hint="rename them in SELECT … AS …"
        )
    scope.add(source, node)
    return Leaf(frozenset([source.id]), lambda: _scan(source))


def _scan(source: Source) -> Relation:
    """A scan of the columns read, in the table's order, then those it does not have yet."""
    read = dict(source.columns)
    order = {name: i for i, name in enumerate(source.names)}
    names = sorted(read, key=lambda name: order[name])
    plan = Scan(source.table, tuple(names), source.star, source.alias)
    return Relation(plan, tuple([read[name] for name in names]))


def _view(plan: Plan, alias: str, renamed: list[str], node: exp.Expression, scope: Scope) -> Leaf:
    """A view by name: its plan in place of a table. Its order means nothing here."""
    kinds = column_types(plan, scope.session.catalog)
    source = named_source(alias, columns(plan), kinds, renamed, node, scope)
    symbols = tuple([symbol for _, symbol in source.columns])
    return Leaf(frozenset([source.id]), lambda: Relation(_unordered(plan), symbols))


def _unordered(plan: Plan) -> Plan:
    """The plan without the order it ends in, where that does not decide which rows there are."""
    if isinstance(plan, Project):
        return attrs.evolve(plan, input=_unordered(plan.input))
    if isinstance(plan, TopK) and plan.limit is None and plan.offset is None:
        return plan.input
    return plan


def _derived(node: exp.Expression, scope: Scope) -> Tree:
    """(SELECT …) AS name, (VALUES …) AS name (a, b)."""
    session = scope.session
    arguments = Arguments(node, session.text)
    alias, renamed = alias_of(arguments.optional("alias"), session)
    arguments.take("joins")
    if isinstance(node, exp.Values):
        inside: exp.Expression = exp.Values(expressions=arguments.nodes("expressions"))
    else:
        inside = arguments.node_at("this")
    arguments.done()
    return _query(Cte(inside, (), scope.parent, scope.ctes), alias, renamed, node, scope)


def _query(cte: Cte, alias: str, renamed: list[str], node: exp.Expression, scope: Scope) -> Tree:
    """A query in FROM; it sees CTEs and what is around the SELECT, not its neighbours."""
    from sspcore.plan.sql.recursive import lower_cte  # queries hold FROM, FROM holds queries

    session = scope.session
    query = lower_cte(cte, session)
    names = [*cte.names, *query.names[len(cte.names) :]]
    if len(cte.names) > len(query.names):
        raise session.text.error(f"{len(cte.names)} names for {len(query.names)} columns", node)
    source = named_source(alias, names, query.types, renamed, node, scope)
    symbols = tuple([symbol for _, symbol in source.columns])
    if query.free:
        return _lateral(query, cte, source.id, symbols, node, scope)
    relation = query.relation()
    return Leaf(frozenset([source.id]), lambda: Relation(relation.plan, symbols))


def _lateral(query: Query, cte: Cte, source: int, symbols: tuple[int, ...], node: exp.Expression, scope: Scope) -> Tree:
    """A query in FROM that reads columns of a query around this SELECT: it starts from the same domain."""
    from sspcore.plan.sql.queries import lower_query

    session = scope.session
    if cte.around is not scope.parent:
        raise session.text.unsupported(
            "a query in FROM that reads columns of the query around is not supported", node,
            hint="move the condition into that query's WHERE",
        )  # fmt: skip
    if scope.domain is None:  # seen for the first time; whoever wants rows lowers this SELECT again, over a domain
        scope.free |= query.free
        scope.lateral = True
        return Leaf(frozenset([source]), unmade)
    own = scope.domain.again(session)
    relation = lower_query(cte.query, session, cte.around, cte.ctes, own).relation()
    made = Relation(relation.plan, own.relation.symbols + symbols)
    pairs = matching([(scope.domain.symbols[old], new) for old, new in own.symbols.items()], session)
    leaf = Leaf(frozenset([source, own.source]), lambda: made)
    return Inner((leaf,), tuple([Condition((), Call("=", pair)) for pair in pairs]))


def unmade() -> Relation:
    """What a tree is made with that will be lowered again: it must not be."""
    raise InternalError("a query was made without its domain", hint="please report the query")


def named_source(
    alias: str, names: Sequence[str], kinds: Sequence[str], renamed: list[str], node: exp.Expression, scope: Scope
) -> Source:
    """The source of a query's columns, under their own names or those given."""
    if len(renamed) > len(names):
        raise scope.session.text.error(f"{len(renamed)} names for {len(names)} columns", node)
    source = Source(scope.session, alias or f"?{len(scope.sources)}")
    for name, kind in zip([*renamed, *names[len(renamed) :]], kinds, strict=True):
        source.add(name, scope.session.symbol(name, kind, source.id))
    scope.add(source, node)
    return source


def alias_of(node: exp.Expression | None, session: Session) -> tuple[str, list[str]]:
    """An alias and the names it gives to columns."""
    if node is None:
        return "", []
    arguments = Arguments(node, session.text)
    name = arguments.optional("this")
    names = [identifier(session, n)[0] for n in arguments.nodes("columns")]
    arguments.done()
    return ("" if name is None else identifier(session, name)[0]), names


def _join(apart: Tree | None, left: Tree, node: exp.Expression, scope: Scope) -> tuple[Tree | None, Tree]:
    """One JOIN to what stands left of it; what commas set `apart` is joined to the result later."""
    session = scope.session
    if not isinstance(node, exp.Join):
        raise session.text.unsupported("this kind of join is not supported", node)
    arguments = Arguments(node, session.text)
    side, kind = str(arguments.take("side", "")), str(arguments.take("kind", ""))
    method = arguments.take("method")
    if method is not None:
        raise session.text.unsupported(
            f"{method} JOIN is not supported", node, hint="name the columns: JOIN … USING (a, b)", word=str(method)
        )
    if side not in SIDES or kind not in ("", "INNER", "OUTER", "CROSS") or (side and kind == "CROSS"):
        hint = "use EXISTS" if kind == "SEMI" else "use NOT EXISTS" if kind == "ANTI" else "use INNER or LEFT JOIN"
        raise session.text.unsupported(f"{side} {kind} JOIN is not supported".strip(), node, hint=hint)
    before, known = [s for s in scope.sources if s.id in left.sources], list(scope.sources)
    joined = arguments.node_at("this")
    if isinstance(joined, exp.Lateral):
        return _with_lateral(joined, SIDES[side], apart, left, arguments, scope)
    right = _item(joined, scope)
    on, using = arguments.optional("on"), arguments.nodes("using")
    arguments.done()
    added = [s for s in scope.sources if s not in known]
    if kind == "CROSS" and (on is not None or using):
        raise session.text.error("CROSS JOIN takes no condition", node, hint="write JOIN … ON …")
    if side and on is None and not using:
        raise session.text.error(f"{side} JOIN needs ON or USING", node)
    _mark_padded(side, before, added, left, right, session)
    if using:
        equal = [_using(n, SIDES[side], before, added, scope) for n in using]
        return apart, _made(SIDES[side], left, right, [Condition((), e) for e in equal])
    if on is None:
        return apart, inner(left, right, ())
    frame = Frame(session, attrs.evolve(scope, near=[*before, *added]), "ON")
    parts = [expression_condition(part, frame) for part in _conjuncts(on)] if side else conditions(on, frame)
    if apart is not None and any(sources_of(part, session) & apart.sources for part in parts):
        if side in ("RIGHT", "FULL"):
            raise session.text.error(
                f"ON of a {side} JOIN reads a table that a comma sets apart", node, hint="write CROSS JOIN for it"
            )
        left, apart = inner(apart, left, ()), None  # no SQL, but it can mean only this, and others allow it
    return apart, _made(SIDES[side], left, right, parts)


def _with_lateral(
    node: exp.Lateral, kind: str, apart: Tree | None, left: Tree, arguments: Arguments, scope: Scope
) -> tuple[Tree | None, Tree]:
    """JOIN LATERAL (query) ON …; its ON may read all that stands before."""
    from sspcore.plan.sql.lateral import lower_lateral  # it holds a whole query

    session = scope.session
    on = arguments.optional("on")
    arguments.done()
    if kind not in ("inner", "left"):
        raise session.text.unsupported(
            f"{kind.upper()} JOIN LATERAL is not supported", node, hint="use JOIN LATERAL or LEFT JOIN LATERAL"
        )
    if kind == "left" and on is None:
        raise session.text.error("LEFT JOIN needs ON", node, hint="write ON TRUE")
    known, before = list(scope.sources), [s for s in scope.sources if s.id in left.sources]
    apart, tree = lower_lateral(node, kind, apart, left, scope)
    added = [s for s in scope.sources if s not in known]
    if kind == "left":
        session.padded |= frozenset([s.id for s in added])
    if on is None:
        return apart, tree
    frame = Frame(session, attrs.evolve(scope, near=[*before, *added]), "ON")
    if kind == "inner":
        inside = tree if isinstance(tree, Inner) else Inner((tree,))
        return apart, attrs.evolve(inside, conditions=(*inside.conditions, *conditions(on, frame)))
    parts = tuple([expression_condition(part, frame) for part in _conjuncts(on)])
    return apart, _conditioned(tree, parts)


def _conditioned(tree: Tree, conditions: tuple[Condition, ...]) -> Tree:
    """The left join that a tree is, or was made of, under these conditions of its ON."""
    if isinstance(tree, Lateral | Outer):
        return attrs.evolve(tree, conditions=conditions)
    if isinstance(tree, Inner):  # a lateral join within another query's
        return attrs.evolve(tree, items=tuple([_conditioned(item, conditions) for item in tree.items]))
    return tree


def _made(kind: str, left: Tree, right: Tree, on: list[Condition]) -> Tree:
    return inner(left, right, on) if kind == "inner" else Outer(kind, left, right, tuple(on))


def _conjuncts(node: exp.Expression) -> list[exp.Expression]:
    parts: list[exp.Expression] = []
    rest = [node]
    while rest:
        top = rest.pop()
        if isinstance(top, exp.And):
            rest += [top.expression, top.this]
        elif isinstance(top, exp.Paren) and isinstance(top.this, exp.And):
            rest.append(top.this)
        else:
            parts.append(top)
    return parts


def _mark_padded(
    side: str, before: list[Source], added: list[Source], left: Tree, right: Tree, session: Session
) -> None:
    """Remember whose columns may be NULL by padding, even key columns."""
    if side in ("RIGHT", "FULL"):
        session.padded |= left.sources
    if side in ("LEFT", "FULL"):
        session.padded |= right.sources


def _using(
    node: exp.Expression, kind: str, before: Sequence[Source], added: Sequence[Source], scope: Scope
) -> Expression:
    """USING (name): the equality; and the name alone now means the one column both sides share."""
    session = scope.session
    name, exact = identifier(session, node)
    left = _shared(name, exact, before, node, scope)
    right = _shared(name, exact, added, node, scope)
    values: dict[str, Callable[[], Expression]] = {
        "right": lambda: right, "full": lambda: Call("coalesce", (left, right)),
    }  # fmt: skip
    key = next(n for s in before for n in s.names if n == name or n.casefold() == name.casefold())
    hidden = {e.index for e in (left, right) if isinstance(e, Column)}
    if key in scope.merged:
        if not scope.merged[key][1] & columns_read(left):
            raise session.text.unsupported(
                f"USING ({name}) beside another join's USING ({name}) is not supported", node, hint="write ON for one"
            )
        hidden |= scope.merged[key][1]
    scope.merged[key] = (values.get(kind, lambda: left)(), frozenset(hidden))
    return Call("=", (left, right))


def _shared(name: str, exact: bool, sources: Sequence[Source], node: exp.Expression, scope: Scope) -> Expression:
    """The column of USING on one side."""
    side = Scope(scope.session, sources=list(sources), merged={
        n: (e, hidden) for n, (e, hidden) in scope.merged.items() if any(n in s.names for s in sources)
    })  # fmt: skip
    found = side.own(name, exact, node)
    if found is None:
        known = [n for s in sources for n in s.names]
        raise scope.session.text.error(f"USING: one side has no column {name!r}", node, hint=did_you_mean(name, known))
    return found


def correlated_below(tree: Tree | None, outside: set[int]) -> bool:
    """A condition that reads outer columns stands where it cannot be pulled up: below a left, right or full join."""
    if tree is None or isinstance(tree, Leaf):
        return False
    if isinstance(tree, Inner):
        return any(correlated_below(item, outside) for item in tree.items)
    if isinstance(tree, Lateral):
        return any(c.needs & outside for c in tree.conditions) or correlated_below(tree.left, outside)
    inside = [tree.left, tree.right]
    return any(c.needs & outside for t in _all(tree) for c in t.conditions) or any(
        correlated_below(t, outside) for t in inside
    )


def _all(tree: Tree) -> list[Inner | Outer | Lateral]:
    """The tree's joins, itself first."""
    if isinstance(tree, Leaf):
        return []
    if isinstance(tree, Inner):
        parts = tree.items
    else:
        parts = (tree.left,) if isinstance(tree, Lateral) else (tree.left, tree.right)
    return [tree, *[t for part in parts for t in _all(part)]]
