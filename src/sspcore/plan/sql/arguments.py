"""The allow-list's teeth: every argument of a syntax node is taken by its handler, or the query is refused.

Owns the rule that nothing is dropped silently, and what to write instead of the arguments we know people use.
"""

from __future__ import annotations

from typing import Any, Final

from sqlglot import exp

from sspcore.plan.sql.text import Text

LEFTOVERS: Final[dict[str, tuple[str, str, str]]] = {
    "locks": ("FOR UPDATE and FOR SHARE", "FOR", "a view locks nothing: leave it out"),
    "windows": ("WINDOW", "WINDOW", "write what it names inside OVER (…)"),
    "qualify": ("QUALIFY", "QUALIFY", "put the query into FROM and filter there"),
    "sample": ("TABLESAMPLE", "TABLESAMPLE", "filter on a column, such as WHERE id % 10 = 0"),
    "into": ("SELECT INTO", "INTO", "register the query as a view instead"),
    "only": ("FROM ONLY", "ONLY", "tables have no children: leave ONLY out"),
    "search": ("SEARCH and CYCLE", "", "UNION ends circles; ORDER BY a depth that you count"),
    "limit_options": ("this form of LIMIT", "LIMIT", "use LIMIT n"),
    "by_name": ("UNION BY NAME", "NAME", "list the columns of both sides in the same order"),
    "db": ("a schema in front of a table", "", "name the table alone"),
    "catalog": ("a database in front of a table", "", "name the table alone"),
    "symmetric": ("BETWEEN SYMMETRIC", "SYMMETRIC", "use BETWEEN least(a, b) AND greatest(a, b)"),
    "except_": ("* EXCEPT", "EXCEPT", "list the columns you want"),
    "replace": ("* REPLACE", "REPLACE", "list the columns you want"),
    "rename": ("* RENAME", "RENAME", "list the columns you want"),
    "laterals": ("LATERAL VIEW", "LATERAL", "write JOIN LATERAL (SELECT …) AS name ON TRUE"),
    "pivots": ("PIVOT", "PIVOT", "use sum(CASE WHEN … THEN … END), one for each column"),
    "unnest": ("IN UNNEST", "UNNEST", "list the values"),
    "rollup": ("ROLLUP", "ROLLUP", "register one view for each level, or UNION ALL of them"),
    "cube": ("CUBE", "CUBE", "register one view for each grouping, or UNION ALL of them"),
    "grouping_sets": ("GROUPING SETS", "GROUPING", "register one view for each grouping, or UNION ALL of them"),
    "totals": ("WITH TOTALS", "TOTALS", "UNION ALL with the query without GROUP BY"),
    "connect": ("CONNECT BY", "CONNECT", "write the steps out as joins"),
    "hint": ("hints", "", "leave them out"),
    "collate": ("COLLATE", "COLLATE", "text compares by code point; use lower(x) to ignore case"),
    "with_fill": ("WITH FILL", "FILL", "leave it out"),
    "kind": ("this kind", "", ""),
}
"""Argument → what it is called, its keyword, and what to write instead."""


class Arguments:
    """The arguments of one node, taken one by one; `done` refuses whatever is left.

    Empty arguments (absent, False, an empty list) need not be taken.
    """

    def __init__(self, node: exp.Expression, text: Text) -> None:
        self.node, self.text = node, text
        self._left = {k: v for k, v in node.args.items() if v is not None and v is not False and v != []}

    def take(self, name: str, default: Any = None) -> Any:
        """The argument's value, now accounted for."""
        return self._left.pop(name, default)

    def node_at(self, name: str) -> exp.Expression:
        """The argument, which must be a node."""
        value = self.take(name)
        if not isinstance(value, exp.Expression):
            raise self.text.unsupported(f"{describe(self.node, self.text)} without its operand", self.node)
        return value

    def optional(self, name: str) -> exp.Expression | None:
        """The argument, which must be a node if it is there."""
        return self.node_at(name) if name in self._left else None

    def nodes(self, name: str) -> list[exp.Expression]:
        """The argument, a list of nodes; empty where there is none."""
        value = self.take(name, [])
        if not isinstance(value, list) or not all(isinstance(v, exp.Expression) for v in value):
            raise self.text.unsupported(f"{describe(self.node, self.text)} in this form", self.node)
        return value

    def flag(self, name: str) -> bool:
        """The argument, which must be true, false or absent."""
        value = self.take(name, False)
        if not isinstance(value, bool):
            raise self._refusal(name)
        return value

    def expect(self, name: str, *values: object) -> None:
        """The argument is one of these (which the dialect always sets so), or the query is refused."""
        value = self.node.args.get(name)
        if not any(type(value) is type(v) and value == v for v in values):
            raise self._refusal(name)
        self._left.pop(name, None)

    def done(self) -> None:
        """Refuse the query if an argument was not taken."""
        for name in self._left:
            raise self._refusal(name)

    def _refusal(self, name: str) -> Exception:
        what, word, hint = LEFTOVERS.get(name, ("", "", ""))
        owner = describe(self.node, self.text)
        message = not_supported(what or f"{owner} with {name}")
        value = self.node.args.get(name)
        place = value if isinstance(value, exp.Expression) else self.node
        return self.text.unsupported(message, place, hint=hint or "leave it out", word=word)


def not_supported(what: str) -> str:
    """The sentence that refuses something.

    >>> not_supported("intervals"), not_supported("TABLESAMPLE")
    ('intervals are not supported', 'TABLESAMPLE is not supported')
    """
    many = " and " in what or what.split(" (")[0].endswith("s")
    return f"{what} {'are' if many else 'is'} not supported"


def describe(node: exp.Expression, text: Text) -> str:
    """A node as people call it: a function by its name as written, else its kind in words."""
    if isinstance(node, exp.Anonymous):
        return f"function {str(node.this)[:60]!r}"
    if isinstance(node, exp.Func) and text.word_at(node):
        return f"function {text.word_at(node)[:60]!r}"
    name = type(node).__name__
    return "".join([f" {c.lower()}" if c.isupper() and i and not name[i - 1].isupper() else c.lower()
                    for i, c in enumerate(name)])  # fmt: skip
