"""Random queries as text: FROM and joins, subqueries, groups, set operations, derived tables, CTEs, views, order.

Owns the shape of queries; their FROM is `froms`'. Every LIMIT stands behind an ORDER BY of all output columns, so that
rows it might choose between are equal; every scalar subquery has one row at most, because a database would raise where
a view cannot.
"""

from __future__ import annotations

import attrs

from tests.plan.random_sql.expressions import ATOM, COMPARE, COMPARISONS, LIKE, NOT, OR, OTHER, SQL_TYPES, Names, Sql
from tests.plan.random_sql.froms import Columns, Froms, Query
from tests.plan.random_sql.recursions import recursion
from tests.plan.random_sql.scopes import Grouped, Scope, Source

KINDS = ("integer", "integer", "text", "real", "boolean")
AGGREGATES = (
    "count", "sum", "avg", "min", "max", "bool_and", "bool_or", "string_agg", "array_agg", "stddev", "stddev_pop",
    "stddev_samp", "var_samp", "var_pop", "variance",
)  # fmt: skip
TAKEN = ("a", "x", "y")
"""Names of columns that outputs are given too. In ORDER BY an expression means the column, to DuckDB the output."""


class Queries(Froms):
    """Draws queries over the tables, and over views that were drawn before."""

    def query(self) -> Query:
        """A whole query."""
        head = self._with(None)
        made = self._body(None, None, 2, top=True)
        return attrs.evolve(made, text=head + made.text, portable=self.portable)

    def view(self) -> Query:
        """A query to be registered, whose columns have names of their own."""
        made = self._body(None, None, 1)
        return attrs.evolve(made, portable=self.portable)

    def _with(self, parent: Scope | None) -> str:
        c, parts, word = self.c, [], "WITH"
        for _ in range(c.weighted(((70, 0), (20, 1), (10, 2)))):
            name = self.fresh("w")
            if c.chance(25):
                budget, self.budget = self.budget, 0
                text, self.ctes[name] = recursion(c, name, self)
                self.budget, word = budget, "WITH RECURSIVE"
                parts.append(text)
                continue
            made = self._body(None, parent, 1)
            listed = ""
            if c.chance(25):
                made = attrs.evolve(made, columns=[(self.fresh("e"), kind) for _, kind in made.columns])
                listed = f" ({', '.join([n for n, _ in made.columns])})"
            self.ctes[name] = made.columns
            parts.append(f"{name}{listed} AS ({made.text})")
        return f"{word} {', '.join(parts)} " if parts else ""

    def _body(self, kinds: list[str] | None, parent: Scope | None, depth: int, *, top: bool = False) -> Query:
        """A SELECT or a set operation of two or three."""
        if depth > 0 and self.budget > 2 and self.c.chance(16):
            return self._combined(kinds, parent, depth, top=top)
        return self.select(kinds, parent, depth, top=top)

    def _combined(self, kinds: list[str] | None, parent: Scope | None, depth: int, *, top: bool) -> Query:
        c = self.c
        kinds = kinds or self._kinds(2)
        words = ("UNION", "UNION", "UNION ALL", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL")
        count = c.weighted(((3, 2), (1, 3)))
        arms = [self.select(kinds, parent, depth - 1, plain=True)]
        for _ in range(1, count):  # beside a real column one of integers is real too
            near = ["integer" if kind == "real" and c.chance(20) else kind for kind in kinds]
            arms.append(self.select(near, parent, depth - 1, plain=True))
        text = arms[0].text
        for i, arm in enumerate(arms[1:]):
            right = arm.text
            if c.chance(15):
                right, self.portable = f"({right})", False
            word = c.pick(words)
            self.portable &= word not in ("INTERSECT ALL", "EXCEPT ALL")  # SQLite has none
            text = f"{text} {word} {right}"
            if i == 0 and len(arms) == 3:
                self.portable = False  # SQLite gives INTERSECT no precedence
                if c.chance(40):
                    text = f"({text})"
        columns = arms[0].columns
        if top and c.chance(40):
            return self._ordered(text, columns, None)
        return Query(text, columns)

    def _kinds(self, most: int) -> list[str]:
        return [self.c.pick(KINDS) for _ in range(self.c.between(1, most))]

    def select(
        self, kinds: list[str] | None, parent: Scope | None, depth: int, *, top: bool = False, plain: bool = False
    ) -> Query:
        """One SELECT. A `plain` one has no ORDER BY."""
        c = self.c
        self.budget -= 1
        scope = Scope(c, [], parent)
        from_ = self._from(scope, depth)
        where = self._where(scope, 60, 2 if depth > 0 else 1)
        grouped = c.chance(28)
        if kinds is None:
            kinds = self._kinds(4 if top else 3)
            if top and grouped and c.chance(30):
                kinds.append(c.pick(("ratio", "ratio", "spread", "list")))
            if top and c.chance(10):
                kinds.append("rows")
        if grouped:
            return self._grouped(kinds, scope, f"{from_}{where}", depth, top=top, plain=plain)
        distinct = c.chance(14)
        if top and c.chance(4):
            source = c.pick(scope.sources)
            shown = self.value(kinds[0], scope, 2)
            return Query(
                f"SELECT {source.alias}.*, {shown.text} FROM {from_}{where}", [*source.columns, ("", kinds[0])]
            )
        if top and c.chance(6):
            star = [(n, k) for s in scope.sources for n, k in s.columns]
            if not scope.merged and len({n for n, _ in star}) == len(star):
                return Query(f"SELECT * FROM {from_}{where}", star)
        shown = [self.value(kind, scope, 2 if top else 1) for kind in kinds]
        if c.chance(9):
            shown = [self.place(scope) if k == "integer" and c.chance(60) else s
                     for k, s in zip(kinds, shown, strict=True)]  # fmt: skip
        columns, items = self._named(kinds, shown)
        if not plain and not distinct and c.chance(4):
            return self._first_of_each(items, columns, scope, f"{from_}{where}")
        text = f"SELECT {'DISTINCT ' if distinct else ''}{items} FROM {from_}{where}"
        return self._finished(text, columns, None if distinct else scope, top=top, plain=plain)

    def place(self, scope: Scope) -> Sql:
        """A rank among the rows of the SELECT; rows that row_number cannot tell apart are alike."""
        c, every = self.c, scope.all_columns()
        function = c.pick(("rank", "dense_rank", "row_number"))
        by = every if function == "row_number" else c.some(tuple(every), 1, min(2, len(every)))
        order = ", ".join([f"{column}{c.pick(('', ' DESC'))} NULLS {c.pick(('FIRST', 'LAST'))}" for column in by])
        parts = f"PARTITION BY {c.pick(every)} " if c.chance(65) else ""
        return Sql(f"{function}() OVER ({parts}ORDER BY {order})")

    def _first_of_each(self, items: str, columns: Columns, scope: Scope, rest: str) -> Query:
        """DISTINCT ON: which row is the first is settled by all its columns."""
        c, every = self.c, scope.all_columns()
        self.portable = False  # SQLite has no DISTINCT ON
        on = c.some(tuple(every), 1, min(2, len(every)))
        ways = [f"{name}{c.pick(('', ' DESC'))}" for name in [*on, *[n for n in every if n not in on]]]
        return Query(
            f"SELECT DISTINCT ON ({', '.join(on)}) {items} FROM {rest} ORDER BY {', '.join(ways)}", columns, True
        )

    def _cut(self, made: Query) -> Query:
        """The query with its rows in order, and the first of them only."""
        c = self.c
        terms = [f"{i + 1}{c.pick(('', ' DESC'))} NULLS {c.pick(('FIRST', 'LAST'))}" for i in range(len(made.columns))]
        window = c.pick((" LIMIT 1", " LIMIT 2", " LIMIT 1 OFFSET 1", " LIMIT $few", " LIMIT 3 OFFSET 1"))
        return attrs.evolve(made, text=f"{made.text} ORDER BY {', '.join(terms)}{window}")

    def _where(self, scope: Scope, percent: int, depth: int) -> str:
        """WHERE: often a plain comparison with a column outside, now and then any condition."""
        c, parts = self.c, []
        if scope.parent is not None and c.chance(55):
            kind = c.pick(("integer", "integer", "text", "real", "boolean"))
            own, outside = scope.own(kind), scope.parent.seen(kind, {s.alias for s in scope.sources})
            if own and outside:
                operator = c.weighted(((6, "="), (1, "<"), (1, "<>"), (1, "IS NOT DISTINCT FROM")))
                pair = [c.pick(own), c.pick(outside)]
                parts.append(f" {operator} ".join(pair if c.chance(50) else pair[::-1]))
        if c.chance(15):  # what a view can be moved by at the cost of the rows that cross
            kind, names = c.pick((("integer", ("$n", "$m")), ("text", ("$s",)), ("real", ("$h",))))
            own = scope.own(kind)
            if own:
                parts.append(f"{c.pick(own)} {c.pick(('=', '<', '<=', '>', '>='))} {c.pick(names)}")
        for source in scope.sources:
            if source.place and c.chance(75):
                bound = c.pick(("= 1", "<= 2", "< 3", "<= $few", "= 2"))
                parts.append(f"{source.alias}.{source.place} {bound}")
        if c.chance(percent):
            parts.append(self.condition(scope, depth).at(NOT if parts else OR))
        return f" WHERE {' AND '.join(parts)}" if parts else ""

    def _named(self, kinds: list[str], shown: list[Sql]) -> tuple[Columns, str]:
        columns = [(self.fresh("c"), kind) for kind in kinds]
        if self.c.chance(5):
            columns[0] = (self.c.pick(TAKEN), kinds[0])
        word = self.c.pick((" AS ", " AS ", " "))
        items = [f"{sql.text}{word}{n}" for (n, _), sql in zip(columns, shown, strict=True)]
        return columns, ", ".join(items)

    def _finished(self, text: str, columns: Columns, hidden: Names | None, *, top: bool, plain: bool) -> Query:
        if not plain and self.c.chance(30 if top else 6) and not {"list", "rows"} & {k for _, k in columns}:
            return self._ordered(text, columns, hidden)
        return Query(text, columns)

    def _ordered(self, text: str, columns: Columns, hidden: Names | None) -> Query:
        """ORDER BY all output columns, some hidden values before them; often cut to a window."""
        c = self.c
        terms = []
        if hidden is not None and columns[0][0] not in TAKEN and c.chance(40):
            kind = c.pick(("integer", "text", "real"))
            value = self.value(kind, hidden, 1).text
            column = hidden.atom(kind)
            if column is not None and not column.text.isdigit():  # a bare number would be a position
                terms.append(c.pick((column.text, f"coalesce({value}, {column.text})")))
        for i, (name, _) in c.pick((list(enumerate(columns)), list(enumerate(columns))[::-1])):
            terms.append(c.pick((name, str(i + 1))))
        written = []
        for term in terms:
            way = c.pick(("", " DESC", " ASC"))
            nulls = c.pick(("", " NULLS FIRST", " NULLS LAST"))
            self.portable &= nulls != ""  # where NULLs go by default differs
            written.append(f"{term}{way}{nulls}")
        window = ""
        if c.chance(55):
            window = c.pick(
                (" LIMIT 3", " LIMIT 1", " LIMIT $few", " LIMIT 4 OFFSET 1", " LIMIT 2 OFFSET $skip", " LIMIT 0")
            )
        return Query(f"{text} ORDER BY {', '.join(written)}{window}", columns, True)

    def _grouped(self, kinds: list[str], scope: Scope, rest: str, depth: int, *, top: bool, plain: bool) -> Query:
        """GROUP BY columns or expressions, by position or alias where they are shown; or no GROUP BY at all."""
        c = self.c
        groups: list[tuple[str, Sql]] = []
        around = scope.emptied()
        for _ in range(c.weighted(((30, 0), (45, 1), (25, 2)))):
            kind = c.pick(("integer", "text", "boolean", "real"))
            own = scope.own(kind)
            if own and c.chance(75):
                column = c.pick([o for o in own if "." in o and o.split(".")[1] not in scope.merged] or [""])
                if not column:
                    continue
                groups.append((kind, Sql(column)))
                alias, name = column.split(".")
                source = next((s for s in around.sources if s.alias == alias), None)
                if source is None:
                    source = Source(alias, [])
                    around.sources.append(source)
                source.columns.append((name, kind))
            elif own:
                budget, self.budget = self.budget, 0  # two subqueries of the same text are not one value
                value = self.value(kind, Scope(c, scope.sources), 1).text
                self.budget = budget
                groups.append((kind, Sql(f"coalesce({c.pick(own)}, {value})")))
        above = Grouped(scope, self, groups, around)
        shown = [self.value(kind, above, 1) for kind in kinds]
        columns, items = self._named(kinds, shown)
        by = []
        for _, sql in groups:
            at = next((i for i, s in enumerate(shown) if s.text == sql.text), None)
            if at is not None and columns[at][0] not in TAKEN and c.chance(30):
                by.append(c.pick((str(at + 1), columns[at][0])))
            else:
                by.append(sql.text)
        having = f" HAVING {self.condition(above, 1).text}" if c.chance(30) else ""
        if not groups and not _aggregates(items + having):
            having = " HAVING count(*) >= 0"
        text = f"SELECT {items} FROM {rest}" + (f" GROUP BY {', '.join(by)}" if by else "") + having
        return self._finished(text, columns, above if groups else None, top=top, plain=plain)

    def _around(self, names: Names) -> Scope | None:
        """What a subquery sees; now and then it is not to look."""
        scope = names.subquery()
        assert isinstance(scope, Scope)
        return scope if self.c.chance(75) else None

    def membership(self, names: Names, depth: int) -> Sql | None:
        c = self.c
        if self.budget <= 0:
            return None
        around = self._around(names)
        negation = "NOT " if c.chance(40) else ""
        if c.chance(50):
            made = self._inner(None, around, depth)
            return Sql(f"{negation}EXISTS ({made.text})", NOT if negation else ATOM)
        kind = c.pick(("integer", "integer", "text", "real"))
        if c.chance(8):
            made = self._inner([kind, "integer"], around, depth)
            probes = f"({self.value(kind, names, 1).text}, {self.value('integer', names, 0).text})"
            return Sql(f"{probes} {negation}IN ({made.text})", LIKE)
        made = self._inner([kind], around, depth)
        probe = self.value(kind, names, 1).at(OTHER)
        if c.chance(8):
            quantified = c.pick(("= ANY", "<> ALL", *[f"{o} {q}" for o in COMPARISONS for q in ("ANY", "ALL")]))
            self.portable &= quantified in ("= ANY", "<> ALL")  # SQLite has neither, but these are IN and NOT IN
            return Sql(f"{probe} {quantified} ({made.text})", COMPARE)
        return Sql(f"{probe} {negation}IN ({made.text})", LIKE)

    def _inner(self, kinds: list[str] | None, around: Scope | None, depth: int) -> Query:
        """A query that reads the rows around it: set operations now and then, a LIMIT now and then."""
        if around is None:
            return self._body(kinds, None, min(depth - 1, 1))
        if self.budget > 2 and self.c.chance(5):
            return self._combined(kinds or ["integer"], around, 1, top=False)
        made = self.select(kinds, around, min(depth - 1, 1), plain=True)
        return self._cut(made) if self.c.chance(10) else made

    def lateral(self, scope: Scope) -> Query:
        """A query in FROM that reads what stands before it."""
        made = self.select(None, scope, 0, plain=True)
        return self._cut(made) if self.c.chance(50) else made

    def rows(self, names: Names) -> Sql:
        c = self.c
        self.budget -= 1
        self.portable = False  # SQLite has no lists
        scope = Scope(c, [], self._around(names))
        from_ = self._from(scope, 0)
        where = self._where(scope, 40, 1)
        shown = self.value(c.pick(("integer", "text")), scope, 1)
        way = f"{c.pick(('', ' DESC'))} NULLS {c.pick(('FIRST', 'LAST'))}"
        window = c.pick(("", "", " LIMIT 2", " LIMIT $few", " LIMIT 2 OFFSET 1"))
        distinct = "DISTINCT " if c.chance(10) else ""
        return Sql(f"ARRAY(SELECT {distinct}{shown.text} AS one FROM {from_}{where} ORDER BY one{way}{window})")

    def ranked(self, depth: int) -> Query:
        scope = Scope(self.c, [], None)
        self.budget -= 1
        from_ = self._from(scope, depth - 1)
        where = self._where(scope, 40, 1)
        kinds = self._kinds(2)
        columns, items = self._named(kinds, [self.value(kind, scope, 1) for kind in kinds])
        name = self.fresh("c")
        return Query(
            f"SELECT {items}, {self.place(scope).text} AS {name} FROM {from_}{where}", [*columns, (name, "integer")]
        )

    def scalar(self, kind: str, names: Names, depth: int) -> Sql | None:
        c = self.c
        if self.budget <= 0 or kind not in SQL_TYPES:
            return None
        around = self._around(names)
        self.budget -= 1
        scope = Scope(c, [], around)
        form = c.weighted(((6, "aggregate"), (2, "by id"), (2, "first"), (1, "nothing")))
        if form == "nothing" and around is not None:
            return Sql(f"(SELECT {self.value(kind, around, 1).text})")
        from_ = self._from(scope, 0)
        where = self._where(scope, 40, 1)
        source = scope.sources[0]
        if form == "by id" and len(scope.sources) == 1 and source.unique and source.columns[0][1] == "integer":
            outside = Scope(c, [], around, hides={source.alias})
            inside = f"{source.alias}.id = {self.value('integer', outside, 0).at(OTHER)}"
            return Sql(f"(SELECT {self.value(kind, scope, 1).text} FROM {from_} WHERE {inside})")
        if form == "first":
            free = Scope(c, scope.sources, around if c.chance(60) else None)
            where = self._where(free, 50, 1)
            shown = self.value(kind, free, 1).text
            return Sql(f"(SELECT {shown} AS one FROM {from_}{where} ORDER BY one NULLS LAST LIMIT 1)")
        above = Grouped(scope, self, [], scope.emptied())
        call = above.aggregate(kind)
        if call is None:
            return None
        if c.chance(25) and kind != "text":
            call = self._infix("+", call, Sql("1"))
        having = f" HAVING {self.condition(above, 0).text}" if c.chance(8) else ""
        return Sql(f"(SELECT {call.text} FROM {from_}{where}{having})")


def _aggregates(text: str) -> bool:
    return any(f"{name}(" in text for name in AGGREGATES)
