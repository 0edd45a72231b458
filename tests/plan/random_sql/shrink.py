"""Makes a wrong query small: parts of its tree are left out, one at a time, as long as it stays wrong.

Owns the search; what "wrong" is comes as a predicate over text. For people: no test runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp

Predicate = Callable[[str], bool]


def shrink(sql: str, wrong: Predicate, rounds: int = 30) -> str:
    """The smallest text found for which `wrong` still holds."""
    for _ in range(rounds):
        for smaller in sorted(set(candidates(sql)), key=len):
            if len(smaller) < len(sql) and wrong(smaller):
                sql = smaller
                break
        else:
            return sql
    return sql


def candidates(sql: str) -> Iterator[str]:
    """The query with one part left out, or replaced by a part of itself."""
    tree = sqlglot.parse_one(sql, dialect="postgres")
    for i in range(len(list(tree.walk()))):
        for change in (_omit, _hoist, _plain):
            copy = tree.copy()
            node = list(copy.walk())[i]
            for result in change(copy, node):
                try:
                    yield result.sql(dialect="postgres")
                except Exception:  # a tree that cannot be written
                    continue


def _omit(tree: exp.Expression, node: exp.Expression) -> Iterator[exp.Expression]:
    if node.parent is not None and node.key != "identifier":
        node.pop()
        yield tree


def _hoist(tree: exp.Expression, node: exp.Expression) -> Iterator[exp.Expression]:
    children = [c for c in node.iter_expressions() if _decides(c) == _decides(node)]
    if node.parent is None:
        yield from [c for c in children if isinstance(c, exp.Query)]
    elif children and isinstance(node, exp.Condition | exp.Query):
        node.replace(children[0].copy())
        yield tree


def _plain(tree: exp.Expression, node: exp.Expression) -> Iterator[exp.Expression]:
    if node.parent is not None and isinstance(node, exp.Condition) and not isinstance(node, exp.Column | exp.Literal):
        node.replace(sqlglot.parse_one("TRUE" if _decides(node) else "1"))
        yield tree


def _decides(node: exp.Expression) -> bool:
    """The node is a condition rather than a number or a text."""
    return isinstance(node, exp.Predicate | exp.Connector | exp.Not | exp.Boolean) or (
        isinstance(node, exp.Paren) and _decides(node.this)
    )
