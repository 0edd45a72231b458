"""What a random expression may read: the columns of the tables around it, or a group's values and aggregates.

Owns names: which ones are visible, which shadow others, when a column may go without its table's name.
"""

from __future__ import annotations

import attrs

from sspcore.testing.generate.choices import Choices
from tests.plan.random_sql.expressions import NOT, SQL_TYPES, Expressions, Names, Sql


@attrs.define(eq=False)
class Source:
    """A table occurrence, or what stands for one."""

    alias: str
    columns: list[tuple[str, str]]
    """(name, kind)"""
    unique: str = ""
    """A column no two rows share, if one is known."""
    place: str = ""
    """A column that counts its rows."""


@attrs.define(eq=False)
class Scope(Names):
    """The sources of one SELECT inside another."""

    c: Choices
    sources: list[Source] = attrs.field(factory=list)
    parent: Scope | None = None
    merged: set[str] = attrs.field(factory=set)
    """Columns of USING: without a table's name they mean both sides'."""
    comma: int = 0
    """The first source after the last comma of FROM: what ON may speak of."""
    hides: set[str] = attrs.field(factory=set)
    """Names that are taken here although what they name cannot be read."""
    bare: bool = True
    """A column may go without its table's name: all columns around are known here."""
    above: Grouped | None = None
    """What it is seen over, where it is what a subquery sees over groups."""

    def atom(self, kind: str) -> Sql | None:
        if self.c.chance(25):
            call = self.outer_call(kind)
            if call is not None:
                return call
        own = self.own(kind)
        around = [] if self.parent is None else self.parent.seen(kind, self._shadows())
        if around and (not own or self.c.chance(30)):
            return Sql(self.c.pick(around))
        return Sql(self.c.pick(own)) if own else None

    def own(self, kind: str) -> list[str]:
        """This SELECT's columns of the kind, each as it may be written."""
        names = [n for s in self.sources for n, _ in s.columns]
        out = []
        for source in self.sources:
            for name, its in source.columns:
                if its != kind:
                    continue
                out.append(f"{source.alias}.{name}")
                if not self.bare:
                    continue
                if names.count(name) == 1 or (name in self.merged and names.count(name) == 2):
                    out.append(name)
        return out

    def seen(self, kind: str, shadows: set[str]) -> list[str]:
        """Columns of the kind as an inner SELECT may name them, which has sources called `shadows`."""
        out = [
            f"{s.alias}.{name}"
            for s in self.sources
            if s.alias not in shadows
            for name, its in s.columns
            if its == kind
        ]
        if self.parent is not None:
            out += self.parent.seen(kind, shadows | self._shadows())
        return out

    def all_columns(self) -> list[str]:
        """Every column of this SELECT: rows that agree in them are alike."""
        return [f"{s.alias}.{name}" for s in self.sources for name, _ in s.columns]

    def outer_call(self, kind: str, shadows: frozenset[str] = frozenset()) -> Sql | None:
        """An aggregate of a query around, which is over groups."""
        if self.above is not None:
            call = self.above.call_from_inside(kind, shadows)
            if call is not None and (self.parent is None or self.c.chance(70)):
                return call
        return None if self.parent is None else self.parent.outer_call(kind, shadows | self._shadows())

    def emptied(self) -> Scope:
        """This scope above a GROUP BY that has no groups yet: what is outside, less what has a name of ours."""
        return Scope(self.c, [], self.parent, hides=self._shadows(), bare=False)

    def _shadows(self) -> set[str]:
        return self.hides.union(*[{s.alias} for s in self.sources])

    def subquery(self) -> Scope:
        return self


@attrs.define(eq=False)
class Grouped(Names):
    """A scope above GROUP BY: group values as they were written, and aggregates."""

    below: Scope
    writer: Expressions
    groups: list[tuple[str, Sql]]
    around: Scope
    """What a subquery sees: the columns grouped by, and what is outside."""
    depth: int = 1

    def atom(self, kind: str) -> Sql | None:
        c = self.below.c
        if self.below.parent is not None and c.chance(15):
            call = self.below.parent.outer_call(kind, frozenset(self.below._shadows()))
            if call is not None:
                return call
        groups = [sql for its, sql in self.groups if its == kind]
        if groups and c.chance(50):
            return c.pick(groups)
        return self.aggregate(kind) or (c.pick(groups) if groups else None)

    def __attrs_post_init__(self) -> None:
        self.around.above = self

    def call_from_inside(self, kind: str, shadows: frozenset[str]) -> Sql | None:
        """An aggregate as a subquery over these groups may write it: over columns of this SELECT only."""
        c = self.below.c
        seen = [(f"{s.alias}.{n}", k) for s in self.below.sources if s.alias not in shadows for n, k in s.columns]
        functions = {"boolean": ("bool_and", "bool_or"), "text": ("min", "max")}.get(kind, ("sum", "min", "max"))
        fits = [(c.pick(functions), name) for name, its in seen if its == kind]
        if kind == "integer":
            fits += [("count", name) for name, _ in seen]
        if not fits:
            return None
        self.writer.portable &= kind != "boolean"
        function, name = c.pick(fits)
        distinct = "DISTINCT " if c.chance(15) else ""
        condition = f" FILTER (WHERE {c.pick(seen)[0]} IS NOT NULL)" if c.chance(15) else ""
        return Sql(f"{function}({distinct}{name}){condition}")

    def aggregate(self, kind: str) -> Sql | None:
        """A call of the kind, perhaps DISTINCT or filtered."""
        c, writer = self.below.c, self.writer
        distinct = "DISTINCT " if c.chance(20) else ""
        if kind in ("boolean", "spread", "list") or (kind == "text" and c.chance(25)):
            writer.portable = False  # SQLite has no such aggregates, or no order in them
            call = self._rare(kind, distinct)
        elif kind == "integer" and c.chance(55):
            over = c.pick(("*", "integer", "text", "real", "boolean"))
            call = "count(*)" if over == "*" else f"count({distinct}{self._argument(over)})"
        elif kind == "ratio":
            call = f"avg({distinct}{self._argument(c.pick(('integer', 'real')))})"
        else:
            functions = ("min", "max") if kind == "text" else ("sum", "min", "max", "sum")
            call = f"{c.pick(functions)}({distinct}{self._argument(kind)})"
        if c.chance(15):
            condition = writer.condition(self.below, 1)
            anchored = f"{self._anchor()} IS NOT NULL AND {condition.at(NOT)}"
            call += f" FILTER (WHERE {anchored if call == 'count(*)' else condition.text})"
        return Sql(call)

    def _rare(self, kind: str, distinct: str) -> str:
        """An aggregate of booleans, a variance, or a list or text of the values in their order."""
        c = self.below.c
        if kind == "boolean":
            return f"{c.pick(('bool_and', 'bool_or'))}({self._argument('boolean')})"
        if kind == "spread":
            function = c.pick(("stddev", "stddev_pop", "var_samp", "var_pop", "variance", "stddev_samp"))
            return f"{function}({distinct}{self._argument(c.pick(('integer', 'real')))})"
        argument = self._argument("text" if kind == "text" else c.pick(("integer", "text")))
        order = f"ORDER BY {argument}{c.pick(('', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'))}"
        if kind == "list":
            return f"array_agg({distinct}{argument} {order})"
        between = c.pick(("'-'", "', '", "''"))
        return f"string_agg({distinct}{argument}, {between} {order})"

    def _argument(self, kind: str) -> str:
        own = self.below.own(kind)
        if own and self.below.c.chance(70):
            return self.below.c.pick(own)
        # at least one column of this SELECT: an aggregate over outer columns only is the outer SELECT's
        value = self.writer.value(kind, self.below, self.depth).text
        return f"CASE WHEN {self._anchor()} IS NOT NULL THEN {value} END"

    def _anchor(self) -> str:
        """A column of this SELECT."""
        return self.below.c.pick([n for k in SQL_TYPES for n in self.below.own(k)])

    def subquery(self) -> Scope:
        return self.around
