"""Random FROM clauses: tables, views, CTEs, derived tables and VALUES, joined in every way.

Owns aliases and joins. The queries inside FROM are `queries`'.
"""

from __future__ import annotations

import attrs

from sspcore.testing.generate.choices import Choices
from tests.plan.random_sql.expressions import NOT, Expressions
from tests.plan.random_sql.scopes import Scope, Source
from tests.plan.random_sql.tables import SCHEMAS

Columns = list[tuple[str, str]]


@attrs.frozen
class Query:
    """SQL text, what it shows, whether its rows are wholly ordered, and whether SQLite means the same by it."""

    text: str
    columns: Columns
    ordered: bool = False
    portable: bool = True


class Froms(Expressions):
    """Draws FROM clauses; knows the views and CTEs to choose from."""

    def __init__(self, c: Choices, views: dict[str, Columns] | None = None, tag: str = "") -> None:
        super().__init__(c)
        self.views = views or {}
        self.tag = tag
        self.ctes: dict[str, Columns] = {}
        self._names = 0
        self.budget = 14
        """SELECTs that may still be opened; then only the plainest things are drawn."""

    def fresh(self, prefix: str) -> str:
        """A name not given before."""
        self._names += 1
        return f"{self.tag}{prefix}{self._names}"

    def _from(self, scope: Scope, depth: int) -> str:
        c = self.c
        text, source = self._item(scope, depth)
        scope.sources.append(source)
        most = c.weighted(((45, 0), (38, 1), (17, 2))) if depth > 0 else c.weighted(((75, 0), (25, 1)))
        for _ in range(most):
            text = self._joined(text, scope, depth)
        return text

    def _joined(self, text: str, scope: Scope, depth: int, *, inside: bool = False) -> str:
        """One more source; `inside` parentheses, which are an operand of a join in turn."""
        c = self.c
        if not inside and self.budget > 2 and c.chance(7):
            return self._beside(text, scope)
        kind = c.weighted(
            (
                (8, "JOIN"),
                (6, "LEFT JOIN"),
                (3, "RIGHT JOIN"),
                (3, "FULL JOIN"),
                (0 if inside else 3, ","),
                (1, "CROSS JOIN"),
            )
        )
        right, source = self._item(scope, depth)
        before = scope.sources[scope.comma :]
        self.portable &= not scope.comma  # to SQLite a comma is a JOIN like others
        if kind == ",":
            scope.comma = len(scope.sources)
        added = [source]
        if not inside and c.chance(12):
            pair = Scope(c, [source], hides=scope.hides.union(*[{s.alias} for s in scope.sources]))
            right = f"({self._joined(right, pair, 0, inside=True)})"
            added = pair.sources
        scope.sources += added
        if kind in (",", "CROSS JOIN"):
            return f"{text}{'' if kind == ',' else ' '}{kind} {right}"
        names = [column for s in before for column in s.columns]
        shared = [n for n, k in source.columns if (n, k) in names and [m for m, _ in names].count(n) == 1]
        if shared and not scope.merged and not inside and len(added) == 1 and c.chance(25):
            scope.merged.add(c.pick(shared))
            return f"{text} {kind} {right} USING ({next(iter(scope.merged))})"
        # a comma binds less than JOIN: ON sees only what is joined to it
        near = Scope(c, [*before, *added], scope.parent if kind == "JOIN" else None)
        near.hides = {s.alias for s in scope.sources} | scope.hides
        parts = [self._equality(near, c.pick(added)) for _ in range(c.weighted(((6, 1), (2, 2))))]
        parts = [part for part in parts if part]
        if not parts and kind == "FULL JOIN":
            kind = "LEFT JOIN"
        if not parts or c.chance(35):
            parts.append(self.condition(near, 1).at(NOT))
        return f"{text} {kind} {right} ON {' AND '.join(parts)}"

    def _beside(self, text: str, scope: Scope) -> str:
        """A query that reads the sources before it."""
        c = self.c
        self.portable = False  # SQLite has no LATERAL
        made, alias = self.lateral(scope), self.fresh("d")
        scope.sources.append(Source(alias, made.columns))
        word = c.pick((" JOIN LATERAL", " LEFT JOIN LATERAL", " LEFT JOIN LATERAL", " CROSS JOIN LATERAL"))
        if word.startswith(" CROSS"):
            return f"{text}{word} ({made.text}) AS {alias}"
        on = "TRUE"
        if c.chance(30):
            near = Scope(c, [*scope.sources[scope.comma :]])
            near.hides = {s.alias for s in scope.sources} | scope.hides
            on = self.condition(near, 0).text
        return f"{text}{word} ({made.text}) AS {alias} ON {on}"

    def _equality(self, near: Scope, source: Source) -> str:
        """A column of the new source equal to one of those before."""
        c = self.c
        others = [(s.alias, n, k) for s in near.sources if s is not source for n, k in s.columns]
        pairs = [
            (f"{alias}.{n}", f"{source.alias}.{m}")
            for alias, n, k in others for m, own in source.columns if k == own and k != "boolean"
        ]  # fmt: skip
        if not pairs:
            return ""
        one, two = c.pick(pairs)
        return f"{one} = {two}" if c.chance(60) else f"{two} = {one}"

    def _item(self, scope: Scope, depth: int) -> tuple[str, Source]:
        """A table, view, CTE, derived table or VALUES, under an alias."""
        c = self.c
        taken = {s.alias for s in scope.sources} | scope.hides
        form = c.weighted(((70, "table"), (12, "cte"), (8, "view"), (10, "derived"), (3, "values"), (4, "ranked")))
        if form == "cte" and self.ctes:
            name = c.pick(tuple(self.ctes))
            return self._aliased(name, self.ctes[name], taken)
        if form == "view" and self.views:
            name = c.pick(tuple(self.views))
            return self._aliased(name, self.views[name], taken)
        if form == "derived" and depth > 0 and self.budget > 2:
            alias = self.fresh("d")
            known = dict(self.ctes)
            head = self._with(None) if c.chance(12) else ""
            made = self._body(None, None, depth - 1)
            self.ctes = known
            return f"({head}{made.text}) AS {alias}", Source(alias, made.columns)
        if form == "ranked" and depth > 0 and self.budget > 2:
            alias, made = self.fresh("d"), self.ranked(depth)
            return f"({made.text}) AS {alias}", Source(alias, made.columns, place=made.columns[-1][0])
        if form == "values" and depth > 0:
            self.portable = False
            alias, kinds = self.fresh("l"), [c.pick(("integer", "text")) for _ in range(2)]
            rows = [", ".join([self._literal(k) for k in kinds]) for _ in range(c.between(1, 3))]
            columns = [(self.fresh("c"), k) for k in kinds]
            listed = ", ".join([f"({row})" for row in rows])
            return f"(VALUES {listed}) AS {alias} ({', '.join([n for n, _ in columns])})", Source(alias, columns)
        schema = c.pick(SCHEMAS)
        text, source = self._aliased(schema.table, list(schema.columns.items()), taken)
        source.unique = "id"
        return text, source

    def _literal(self, kind: str) -> str:
        return self.c.pick(("1", "2", "3") if kind == "integer" else ("'a'", "'b'", "'ab'"))

    def _aliased(self, name: str, columns: Columns, taken: set[str]) -> tuple[str, Source]:
        if name not in taken and self.c.chance(50):
            return name, Source(name, columns)
        alias = self.fresh(self.c.pick(("q", "p", "z")))
        return f"{name} {self.c.pick(('', 'AS '))}{alias}", Source(alias, columns)

    def ranked(self, depth: int) -> Query:
        """A query whose last column is the place of a row among the others."""
        raise NotImplementedError

    def lateral(self, scope: Scope) -> Query:
        """A query that reads what stands before it in FROM."""
        raise NotImplementedError

    def _with(self, parent: Scope | None) -> str:
        """WITH, or nothing."""
        raise NotImplementedError

    def _body(self, kinds: list[str] | None, parent: Scope | None, depth: int, *, top: bool = False) -> Query:
        """A query of columns of these kinds."""
        raise NotImplementedError
