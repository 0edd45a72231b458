"""What names mean in a builder query: the tables and queries it reads, and the columns in order of reading.

Owns names. Refuses to know clauses and how plans are put together (`building`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from sspcore.errors import PlanError, UnknownTable, did_you_mean
from sspcore.plan.catalog import Catalog, TableInfo, find_name, unseen
from sspcore.plan.expressions import Call, Column, Expression, columns_read, remap
from sspcore.plan.nodes import Plan, Scan
from sspcore.plan.terms import Partner
from sspcore.plan.traverse import columns


@attrs.define
class Part:
    """One of what stands in FROM: a table, of which only the columns read are scanned, or a query."""

    alias: str
    names: tuple[str, ...]
    table: str = ""
    info: TableInfo | None = None
    whole: Plan | None = None
    read: dict[str, None] = attrs.field(factory=dict)

    @classmethod
    def of_table(cls, table: str, alias: str, catalog: Catalog) -> Part:
        """A table. Raises UnknownTable."""
        try:
            info = catalog[table]
        except KeyError:
            raise UnknownTable(table, catalog) from None
        return cls(alias, tuple(info.columns), table, info)

    @classmethod
    def of_plan(cls, plan: Plan, alias: str) -> Part:
        """A query in FROM."""
        return cls(alias, columns(plan), whole=plan)

    @property
    def open(self) -> bool:
        """May rows bring columns that are not listed?"""
        return self.info is not None and self.info.open

    def found(self, name: str) -> list[str]:
        """The column that is meant, if any; twice when two have the name."""
        found = find_name(name, [*self.names, *self.read])
        return [] if found is None else [found] * max(1, self.names.count(found))

    def order(self) -> list[str]:
        """The columns of the part's plan."""
        if self.whole is not None:
            return list(self.names)
        return [n for n in dict.fromkeys([*self.names, *self.read]) if n in self.read]

    def plan(self, star: bool) -> Plan:
        """The query, or the scan of the columns read, in the table's order."""
        if self.whole is not None:
            return self.whole
        return Scan(self.table, tuple(self.order()), star, self.alias)


@attrs.define(eq=False)
class Subquery:
    """An `exists`, met while reading: its place in the order of reading, and our side of its equalities."""

    partner: Partner
    path: str
    column: Column
    keys: list[Expression]
    uses: int = 1
    settled: int | None = None
    """Where its verdict stands among the columns of the plan."""


@attrs.define
class Scope:
    """The parts of FROM, and what was read of them: a column's index is the place in the order of reading."""

    parts: list[Part]
    warnings: dict[str, None]
    cells: list[tuple[int, int] | Subquery] = attrs.field(factory=list)
    _known: dict[tuple[int, str, int], int] = attrs.field(factory=dict)
    _names: list[str] = attrs.field(factory=list)
    subqueries: list[Subquery] = attrs.field(factory=list)

    def find(self, name: Any, place: str, among: Sequence[int] | None = None) -> Expression:
        """The column of a name, `column` or `table.column`; of an `exists` its verdict.

        Raises PlanError (the caller's) for a name nobody has, or that two have.
        """
        if isinstance(name, Partner):
            return self._partner(name, place)
        reach = range(len(self.parts)) if among is None else among
        found = [(at, f) for at in reach for f in self.parts[at].found(name)]
        qualifier, dot, rest = name.partition(".")
        if not found and dot:
            named = [at for at in reach if self.parts[at].alias == qualifier]
            if named:
                return self._in_part(rest, named, place)
        if len(found) > 1:
            told = " and ".join(sorted({repr(self.parts[at].alias) for at, _ in found}))
            hint = "write it with its table: " + f"{self.parts[found[0][0]].alias}.{name}"
            raise PlanError(f"{name!r} is a column of {told}", place, hint=hint)
        if found:
            return self._read(*found[0])
        return self._in_part(name, list(reach), place)

    def _in_part(self, name: str, reach: list[int], place: str) -> Expression:
        """The column of one of these parts; of an open table also one that no row has brought yet."""
        found = [(at, f) for at in reach for f in self.parts[at].found(name)]
        if len(found) == 1:
            return self._read(*found[0])
        opened = [at for at in reach if self.parts[at].open]
        if len(opened) == 1 and not found:
            part = self.parts[opened[0]]
            self.warnings[unseen(part.table, name, part.names)] = None
            return self._read(opened[0], name)
        known = [n for at in reach for n in self.parts[at].names]
        hint = did_you_mean(name, known)
        if len(reach) == 1 and not found:
            part = self.parts[reach[0]]
            what = f"table {part.table!r}" if part.table else f"query {part.alias!r}" if part.alias else "the query"
            raise PlanError(f"{what} has no column {name!r}", place, hint=hint)
        told = " and ".join(repr(self.parts[at].alias) for at in reach)
        if opened:
            hint = f"write it with its table: {self.parts[opened[0]].alias}.{name}"
        raise PlanError(f"no column {name!r} in {told}" if not found else f"{name!r} is ambiguous", place, hint=hint)

    def _read(self, at: int, name: str, occurrence: int = 0) -> Expression:
        self.parts[at].read[name] = None
        return self._cell(at, name, occurrence)

    def _cell(self, at: int, name: str, occurrence: int) -> Expression:
        key = (at, name, occurrence)
        if key not in self._known:
            self._known[key] = len(self.cells)
            self.cells.append((at, occurrence))
            self._names.append(name)
        return Column(self._known[key], name)

    def everything(self) -> list[tuple[str, Expression]]:
        """All columns of all parts, in order."""
        out = []
        for at, part in enumerate(self.parts):
            part.read.update(dict.fromkeys(part.names))
            for i, name in enumerate(part.names):
                out.append((name, self._cell(at, name, part.names[:i].count(name))))
        return out

    def _partner(self, partner: Partner, place: str) -> Expression:
        for known in self.subqueries:
            if known.partner is partner:
                known.uses += 1
                return known.column
        keys = [self.find(a, place) for a, _ in partner.on]
        column = Column(len(self.cells), "exists")
        subquery = Subquery(partner, place, column, keys)
        self.cells.append(subquery)
        self._names.append("exists")
        self.subqueries.append(subquery)
        return column

    def equality(self, test: Expression, right: int) -> tuple[Expression, Expression] | None:
        """An equality between a value of the parts before `right` and one of that part, in this order; else None."""
        if not isinstance(test, Call) or test.function != "=":
            return None
        sides = [{self._part_of(i) for i in columns_read(e)} for e in test.args]
        first, second = test.args
        if sides[1] == {right} and sides[0] and right not in sides[0]:
            return first, second
        if sides[0] == {right} and sides[1] and right not in sides[1]:
            return second, first
        return None

    def _part_of(self, index: int) -> int:
        cell = self.cells[index]
        return -1 if isinstance(cell, Subquery) else cell[0]

    def settle(self, subquery: Subquery, at: int) -> None:
        """The verdict of an `exists` is now a column of the plan."""
        subquery.settled = at

    def place(self, expression: Expression) -> Expression:
        """The expression with its columns where they stand in the plan, now that all of FROM is read."""
        starts, at = [], 0
        for part in self.parts:
            starts.append(at)
            at += len(part.order())
        positions = {}
        for index, cell in enumerate(self.cells):
            if isinstance(cell, Subquery):
                positions[index] = -1 if cell.settled is None else cell.settled
                continue
            where, occurrence = cell
            order = self.parts[where].order()
            places = [i for i, n in enumerate(order) if n == self._names[index]]
            positions[index] = starts[where] + places[occurrence]
        return remap(expression, positions)
