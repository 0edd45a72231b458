"""What sqlglot lets pass and SQL does not: stray commas, words of SQL as names, letters no name has, lost literals.

sqlglot reads many dialects and forgives; a query that it reads as less than was written must be refused, not run.
Owns these checks over tokens and tree. Refuses to know what anything means.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from sqlglot import Token, TokenType, exp

RESERVED: Final = frozenset({
    "ALL", "AND", "AS", "BETWEEN", "CASE", "CROSS", "DISTINCT", "ELSE", "EXCEPT", "FETCH", "FOR", "FROM", "FULL",
    "GROUP", "HAVING", "IN", "INNER", "INTERSECT", "INTO", "IS", "JOIN", "LATERAL", "LEFT", "LIKE", "LIMIT", "NATURAL",
    "NOT", "NULL", "OFFSET", "ON", "ONLY", "OR", "ORDER", "RIGHT", "SELECT", "TABLE", "THEN", "UNION", "USING", "WHEN",
    "WHERE", "WINDOW", "WITH",
})  # fmt: skip
"""Words that begin or join clauses: a name made of one is a clause that was not understood."""

_BEFORE_NOTHING: Final = frozenset({
    TokenType.COMMA, TokenType.L_PAREN, TokenType.SELECT, TokenType.FROM, TokenType.WHERE, TokenType.GROUP_BY,
    TokenType.ORDER_BY, TokenType.HAVING,
})  # fmt: skip
_AFTER_NOTHING: Final = frozenset({
    TokenType.COMMA, TokenType.R_PAREN, TokenType.SEMICOLON, TokenType.FROM, TokenType.WHERE, TokenType.GROUP_BY,
    TokenType.ORDER_BY, TokenType.HAVING, TokenType.LIMIT, TokenType.OFFSET, TokenType.FETCH, TokenType.UNION,
    TokenType.INTERSECT, TokenType.EXCEPT, TokenType.WINDOW, TokenType.FOR, TokenType.ON, TokenType.JOIN,
})  # fmt: skip
_NAME: Final = re.compile(r"[^\W\d][\w$]*")


def faults_of_tokens(tokens: Sequence[Token]) -> Iterator[tuple[int, str]]:
    """Each comma with nothing before or after it, each unit of time that is no text: (offset, message)."""
    for name, unit in units_of_time(tokens):
        if unit.token_type is not TokenType.STRING:
            yield unit.start, f"the unit of {name.text.lower()} is a quoted text"
    for i, token in enumerate(tokens):
        if token.token_type is not TokenType.COMMA:
            continue
        if i == 0 or tokens[i - 1].token_type in _BEFORE_NOTHING:
            yield token.start, "syntax error: a comma with nothing before it"
        if i + 1 == len(tokens) or tokens[i + 1].token_type in _AFTER_NOTHING:
            yield token.start, "syntax error: a comma with nothing after it"


def units_of_time(tokens: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    """What stands first in each date_trunc(…) and date_part(…): the function and the token."""
    for name, bracket, unit in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if name.text.lower() in ("date_trunc", "date_part") and bracket.token_type is TokenType.L_PAREN:
            yield name, unit


def faults_of_tree(tree: exp.Expression, tokens: Sequence[Token]) -> Iterator[tuple[exp.Expression, str, str]]:
    """Each name that cannot be one, and literals that the tree has lost: (node, message, hint)."""
    for node in tree.find_all(exp.Identifier):
        name = node.this
        if node.args.get("quoted") or not isinstance(name, str):
            continue
        if name.upper() in RESERVED:
            yield node, f"syntax error near {name!r}", f'to use it as a name, write "{name}"'
        elif not _NAME.fullmatch(name):
            yield node, f"{name[:40]!r} is no name", "quote a name that has other symbols than letters, digits and _"
    written = Counter([t.text for t in tokens if t.token_type in (TokenType.NUMBER, TokenType.STRING)])
    steps = tree.find_all(exp.JSONPathKey, exp.JSONPathSubscript)
    read = Counter([str(node.this) for node in (*tree.find_all(exp.Literal), *steps)])
    read += Counter([t.text for before, t in units_of_time(tokens)])
    for text in written - read:
        if f"0.{text}" in read:  # .5 is read as 0.5
            continue
        yield tree, f"the query is not understood whole: {text[:40]!r} has no meaning in its place", "leave it out"
