"""The select list: what `*` stands for, and what each output column is called.

Owns names of outputs, as Postgres gives them. Refuses to lower expressions.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from sqlglot import exp

from sspcore.errors import did_you_mean
from sspcore.plan.catalog import find_name
from sspcore.plan.expressions import Expression
from sspcore.plan.sql.aggregates import aggregate_of
from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.scope import Scope, Source, identifier
from sspcore.plan.sql.session import Session


@attrs.frozen
class Item:
    """One output: an expression yet to be lowered, or a column that `*` stands for (`expression`)."""

    alias: str
    node: exp.Expression | None
    expression: Expression | None
    source: exp.Expression = attrs.field(factory=exp.Null)
    """Where it stands, for errors."""


def expand(nodes: Sequence[exp.Expression], scope: Scope) -> list[Item]:
    """The select list with every `*` written out."""
    items: list[Item] = []
    for node in nodes:
        if isinstance(node, exp.Star):
            Arguments(node, scope.session.text).done()
            if not scope.sources:
                raise scope.session.text.error("SELECT * without FROM", node)
            items += _all(scope, node)
        elif isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
            items += _all_of(node, scope)
        elif isinstance(node, exp.Alias):
            arguments = Arguments(node, scope.session.text)
            inner, alias = arguments.node_at("this"), arguments.node_at("alias")
            arguments.done()
            items.append(Item(identifier(scope.session, alias)[0], inner, None, node))
        else:
            items.append(Item("", node, None, node))
    return items


def _all(scope: Scope, node: exp.Expression) -> list[Item]:
    """Columns of USING first, once, as SQL has it; then every table's."""
    items = [Item(name, None, value, node) for name, (value, _) in scope.merged.items()]
    hidden = frozenset[int]().union(*[symbols for _, symbols in scope.merged.values()])
    for source in scope.sources:
        items += [
            Item(name, None, scope.session.column(symbol), node)
            for name, symbol in source.all_columns()
            if symbol not in hidden
        ]
    return items


def _all_of(node: exp.Column, scope: Scope) -> list[Item]:
    arguments = Arguments(node, scope.session.text)
    Arguments(arguments.node_at("this"), scope.session.text).done()
    alias, exact = identifier(scope.session, arguments.node_at("table"))
    arguments.done()
    names = [s.alias for s in scope.sources]
    found = find_name(alias, names, exact=exact)
    if found is None:
        raise scope.session.text.error(f"no table {alias!r} in FROM", node, hint=did_you_mean(alias, names))
    source: Source = scope.sources[names.index(found)]
    return [Item(name, None, scope.session.column(symbol), node) for name, symbol in source.all_columns()]


def named(item: Item, session: Session) -> str:
    """The output's name: its alias, else its column's or function's name, else `?column?`."""
    if item.alias or item.node is None:
        return item.alias
    return _name(item.node, session) or "?column?"


def _name(node: exp.Expression, session: Session) -> str:
    if isinstance(node, exp.Paren):
        return _name(node.this, session)
    if isinstance(node, exp.Column):
        return identifier(session, node.this)[0]
    if isinstance(node, exp.Cast):
        return _name(node.this, session) or str(node.to.this.value).lower()
    if isinstance(node, exp.Case):
        return "case"
    if isinstance(node, exp.Exists):
        return "exists"
    if isinstance(node, exp.Subquery):
        inner = node.this
        shown = inner.expressions if isinstance(inner, exp.Select) else []
        if len(shown) == 1:
            return str(shown[0].alias) if isinstance(shown[0], exp.Alias) else _name(shown[0], session)
        return ""
    if isinstance(node, exp.Filter | exp.Window):
        return _name(node.this, session)
    if isinstance(node, exp.Func) and not isinstance(node, exp.Binary | exp.Connector):
        word = session.text.word_at(node).lower()
        return word if word.replace("_", "").isalnum() else aggregate_of(node) or str(node.key).lower()
    return ""
