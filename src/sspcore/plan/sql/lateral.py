"""LATERAL: a query in FROM that reads columns of what stands before it, so that each row there has rows of its own.

Owns how such a query finds its place in the tree. It is computed for all rows before it at once, over their domain
(`domain`), and joined to them by these values.
"""

from __future__ import annotations

import attrs
from sqlglot import exp

from sspcore.plan.expressions import Call
from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.domain import Pairs, domain_of, matching
from sspcore.plan.sql.frame import Condition
from sspcore.plan.sql.from_clause import alias_of, named_source, unmade
from sspcore.plan.sql.join_tree import Inner, Lateral, Leaf, Outer, Tree, inner
from sspcore.plan.sql.queries import lower_query
from sspcore.plan.sql.relation import Relation
from sspcore.plan.sql.scope import Scope


def lower_lateral(
    node: exp.Expression, kind: str, apart: Tree | None, left: Tree, scope: Scope
) -> tuple[Tree | None, Tree]:
    """The tree with the query joined to what stands before it; what commas set `apart` is taken in if it is read.

    Conditions of ON are the caller's to add.
    """
    session = scope.session
    arguments = Arguments(node, session.text)
    wrapped = arguments.node_at("this")
    alias, renamed = alias_of(arguments.optional("alias"), session)
    arguments.done()
    if not isinstance(wrapped, exp.Subquery):
        raise session.text.unsupported(
            "LATERAL over anything but a query is not supported", node, hint="write LATERAL (SELECT …) AS name"
        )
    around = attrs.evolve(scope, sources=list(scope.sources), merged=dict(scope.merged), near=[])
    own = None if scope.domain is None else scope.domain.again(session)
    around.domain = own
    query = lower_query(wrapped, session, around, scope.ctes)
    source = named_source(alias, query.names, query.types, renamed, node, scope)
    symbols = tuple([symbol for _, symbol in source.columns])
    if not query.free:
        relation = query.relation()
        leaf = Leaf(frozenset([source.id]), lambda: Relation(relation.plan, symbols))
        return apart, _joined(kind, left, leaf)
    read = {session.owners[symbol] for symbol in query.free}
    if apart is not None and read & apart.sources:
        left, apart = inner(apart, left, ()), None
    outside = read - left.sources
    if outside and own is None:  # seen for the first time; whoever wants rows lowers this SELECT again, over a domain
        scope.lateral = True
        return apart, Leaf(left.sources | {source.id}, unmade)
    if outside and own is not None:
        around_rows = own.relation
        left = inner(Leaf(frozenset([own.source]), lambda: around_rows), left, ())

    def beside(outer: Relation) -> tuple[Relation, Pairs]:
        domain = domain_of(outer, query.free, session)
        again = lower_query(wrapped, session, around, scope.ctes, domain).relation()
        made = Relation(again.plan, domain.relation.symbols + symbols)
        return made, matching(domain.symbols.items(), session)

    left, above = _lifted(left, scope)
    if outside and own is not None and scope.domain is not None:
        pairs = matching([(scope.domain.symbols[old], new) for old, new in own.symbols.items()], session)
        above += [Condition((), Call("=", pair)) for pair in pairs]
    tree: Tree = Lateral(kind, left, frozenset([source.id]), beside)
    return apart, Inner((tree,), tuple(above)) if above else tree


def _lifted(tree: Tree, scope: Scope) -> tuple[Tree, list[Condition]]:
    """The tree without those of its conditions that read the domain, which is joined to it from outside."""
    if not isinstance(tree, Inner) or scope.domain is None:
        return tree, []
    around = set(scope.domain.relation.symbols)
    above = [c for c in tree.conditions if c.needs & around]
    return attrs.evolve(tree, conditions=tuple([c for c in tree.conditions if not c.needs & around])), above


def _joined(kind: str, left: Tree, right: Tree) -> Tree:
    """A query that reads nothing of what stands before it is a table like others."""
    return inner(left, right, ()) if kind == "inner" else Outer(kind, left, right)
