"""The fluent way to write a query, for programs: immutable, clauses in any order, names checked against the table.

Owns the clauses and what they mean together (as in SQL). Refuses joins for now: SQL has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from sspcore.errors import PlanError, UnknownTable, UsageError, did_you_mean
from sspcore.plan.catalog import Catalog, Lowered, TableInfo, find_name, unseen
from sspcore.plan.check import check
from sspcore.plan.expressions import Column, Constant, Expression, Param, conjunction, conjuncts, remap
from sspcore.plan.nodes import Aggregate, Distinct, Filter, OrderTerm, Plan, Project, Scan, TopK
from sspcore.plan.terms import Aggregated, Sort, Term, col, term

Named = tuple[tuple[str, Term], ...]
Count = int | Term | None


def query(table: str) -> Query:
    """A query of all rows and columns of a table, to be narrowed by its methods.

    >>> late = query("flights").where(col("dep_delay") > 60, origin="JFK")
    >>> board = late.group_by("carrier").aggregate(worst=col("dep_delay").max()).order_by("-worst").limit(10)
    >>> board.table
    'flights'
    """
    if not isinstance(table, str) or not table:
        raise UsageError(f"a table has a name, not {table!r}")
    return Query(table)


@attrs.frozen(eq=False)
class Query:
    """A query of one table. Every method gives a new one; `Circuit.register` and `Runtime.register` take it.

    Errors in names are raised when the query is registered, as PlanError with the place (`$.where[0]`).
    """

    table: str
    predicates: tuple[Term, ...] = ()
    outputs: Named | None = None
    groups: Named | None = None
    aggregates: tuple[tuple[str, Aggregated], ...] = ()
    groups_where: tuple[Term, ...] = ()
    order: tuple[Sort, ...] = ()
    is_distinct: bool = False
    rows: Count = None
    skipped: Count = None

    def where(self, *predicates: Term, **equalities: object) -> Query:
        """Only rows that meet every predicate and have these values (`carrier="AA"`; None means NULL)."""
        added = [_condition(p) for p in predicates] + [col(name) == value for name, value in equalities.items()]
        return attrs.evolve(self, predicates=(*self.predicates, *added))

    def select(self, *columns: str | Term, **expressions: object) -> Query:
        """These columns, and computed ones by name: `select("carrier", late=col("dep_delay") > 60)`."""
        return attrs.evolve(self, outputs=(*(self.outputs or ()), *_named(columns, expressions)))

    def distinct(self) -> Query:
        """Each different row once."""
        return attrs.evolve(self, is_distinct=True)

    def group_by(self, *columns: str | Term, **expressions: object) -> Query:
        """One row for each combination of these values; `aggregate` says what more it shows."""
        return attrs.evolve(self, groups=(*(self.groups or ()), *_named(columns, expressions)))

    def aggregate(self, **aggregates: Aggregated) -> Query:
        """What to compute of each group (of all rows, without `group_by`): `aggregate(n=count())`."""
        for name, value in aggregates.items():
            if not isinstance(value, Aggregated):
                raise UsageError(f"{name!r} is no aggregate", hint="write count() or col('x').sum()")
        return attrs.evolve(self, aggregates=(*self.aggregates, *aggregates.items()))

    def having(self, *predicates: Term, **equalities: object) -> Query:
        """Only groups that meet every predicate over the groups' and aggregates' names."""
        added = [_condition(p) for p in predicates] + [col(name) == value for name, value in equalities.items()]
        return attrs.evolve(self, groups_where=(*self.groups_where, *added))

    def order_by(self, *by: str | Term | Sort) -> Query:
        """The order: an output's name, `"-name"` for descending, or `col("name").desc(nulls_first=False)`."""
        return attrs.evolve(self, order=(*self.order, *[_sort(b) for b in by]))

    def limit(self, rows: int | Term | None, offset: int | Term | None = None) -> Query:
        """At most so many rows, after skipping `offset`; each a number, `param("n")` or None."""
        return attrs.evolve(self, rows=_counted(rows, "limit"), skipped=_counted(offset, "offset"))

    def lower(self, catalog: Catalog) -> Lowered:
        """The plan over the tables of `catalog`, and warnings. Raises UnknownTable or PlanError (the caller's)."""
        try:
            info = catalog[self.table]
        except KeyError:
            raise UnknownTable(self.table, catalog) from None
        lowering = _Lowering(self, info)
        plan = lowering.plan()
        check(plan)
        return Lowered(plan, tuple(lowering.warnings))


class _Lowering:
    """One query over one table."""

    def __init__(self, query: Query, info: TableInfo) -> None:
        self.query, self.info = query, info
        self.read: dict[str, None] = {}
        self.warnings: dict[str, None] = {}

    def plan(self) -> Plan:
        query = self.query
        grouped = query.groups is not None or bool(query.aggregates)
        if query.groups_where and not grouped:
            raise PlanError("having without groups", "$.having", hint="use where")
        if not grouped:
            return self._flat()
        if query.outputs is not None:
            raise PlanError("select beside group_by", "$.select", hint="name the values in group_by and aggregate")
        return self._grouped()

    def _flat(self) -> Plan:
        """WHERE, then the outputs; ordered below them, where every column is at hand, unless DISTINCT is between."""
        query = self.query
        star = query.outputs is None
        outputs = query.outputs if query.outputs is not None else tuple([(n, col(n)) for n in self.info.columns])
        known = {name: value for name, value in outputs if not star}

        def by(name: str) -> Expression:
            column = self._column("$.order_by")
            return known[name].resolve(column) if name in known else column(name)

        terms = self._order(by)
        where = self._conditions(query.predicates, "$.where", self._column)
        cells = [(n, t.resolve(self._column(f"$.select.{n}"))) for n, t in outputs]
        scan, place = self._scan(star)
        plan = scan if where is None else Filter(scan, place(where))
        placed = [(n, place(e)) for n, e in cells]
        if query.is_distinct:
            shown = {e: Column(i, n) for i, (n, e) in enumerate(placed)}
            for i, t in enumerate(terms):
                if place(t.expression) not in shown:
                    raise PlanError("a value that distinct does not show", f"$.order_by[{i}]", hint="select it too")
            above = [attrs.evolve(t, expression=shown[place(t.expression)]) for t in terms]
            return self._limited(Distinct(_projected(plan, placed)), above)
        ordered = [attrs.evolve(t, expression=place(t.expression)) for t in terms]
        return _projected(self._limited(plan, ordered), placed)

    def _grouped(self) -> Plan:
        query = self.query
        groups = [(n, t.resolve(self._column(f"$.group_by.{n}"))) for n, t in query.groups or ()]
        calls = [(n, a.resolve(self._column(f"$.aggregate.{n}"))) for n, a in query.aggregates]
        where = self._conditions(query.predicates, "$.where", self._column)
        scan, place = self._scan(False)
        below = scan if where is None else Filter(scan, place(where))
        plan: Plan = Aggregate(
            below,
            tuple([(n, place(e)) for n, e in groups]),
            tuple([(n, attrs.evolve(c, argument=None if c.argument is None else place(c.argument))) for n, c in calls]),
        )
        names = [n for n, _ in groups] + [n for n, _ in calls]

        def output(place: str) -> Callable[[str], Expression]:
            return lambda name: _position(name, names, place)

        having = self._conditions(query.groups_where, "$.having", output)
        plan = plan if having is None else Filter(plan, having)
        plan = Distinct(plan) if query.is_distinct else plan
        return self._limited(plan, self._order(output("$.order_by")))

    def _column(self, place: str) -> Callable[[str], Expression]:
        """What a name means: the column by the order of reading; `_scan` gives the way to its place in the scan."""

        def find(name: str) -> Expression:
            found = find_name(name, [*self.info.columns, *self.read])
            if found is None and not self.info.open:
                hint = did_you_mean(name, self.info.columns)
                raise PlanError(f"table {self.query.table!r} has no column {name!r}", place, hint=hint)
            if found is None:
                self.warnings[unseen(self.query.table, name, self.info.columns)] = None
            self.read[found or name] = None
            return Column(list(self.read).index(found or name), found or name)

        return find

    def _scan(self, star: bool) -> tuple[Plan, Callable[[Expression], Expression]]:
        """The scan of the columns read, in the table's order, and the way from reading order to it."""
        order = list(dict.fromkeys([*self.info.columns, *self.read]))
        names = [n for n in order if n in self.read]
        positions = {i: names.index(n) for i, n in enumerate(self.read)}
        scan = Scan(self.query.table, tuple(names), star, self.query.table)
        return scan, lambda e: remap(e, positions)

    def _conditions(
        self, predicates: tuple[Term, ...], place: str, column: Callable[[str], Callable[[str], Expression]]
    ) -> Expression | None:
        lowered = [p.resolve(column(f"{place}[{i}]")) for i, p in enumerate(predicates)]
        return conjunction([part for e in lowered for part in conjuncts(e)])

    def _order(self, column: Callable[[str], Expression]) -> list[OrderTerm]:
        return [OrderTerm(s.term.resolve(column), s.descending, s.nulls_first) for s in self.query.order]

    def _limited(self, plan: Plan, terms: list[OrderTerm]) -> Plan:
        limit, offset = (_bound(self.query.rows), _bound(self.query.skipped))
        if not terms and limit is None and offset is None:
            return plan
        return TopK(plan, tuple(terms), limit, offset)


def _projected(plan: Plan, cells: list[tuple[str, Expression]]) -> Plan:
    """The outputs; nothing where they are the input's columns as they are."""
    scan = plan
    while isinstance(scan, Filter | TopK):
        scan = scan.input
    assert isinstance(scan, Scan)
    if cells == [(n, Column(i)) for i, n in enumerate(scan.columns)]:
        return plan
    return Project(plan, tuple(cells))


def _position(name: str, names: list[str], place: str) -> Expression:
    found = find_name(name, names)
    if found is None:
        raise PlanError(f"no group or aggregate is called {name!r}", place, hint=did_you_mean(name, names))
    return Column(names.index(found), found)


def _condition(value: object) -> Term:
    if isinstance(value, bool):
        raise UsageError(f"{value} is no predicate", hint="compare columns: col('carrier') == 'AA'")
    if not isinstance(value, Term):
        raise UsageError(f"{value!r} is no predicate", hint="write col('dep_delay') > 60")
    return value


def _named(columns: tuple[str | Term, ...], expressions: Mapping[str, object]) -> Named:
    out = []
    for column in columns:
        value = col(column) if isinstance(column, str) else column
        if not isinstance(value, Term) or not value.name:
            raise UsageError("a computed value needs a name", hint="write name=…")
        out.append((value.name, value))
    return (*out, *[(name, term(value)) for name, value in expressions.items()])


def _sort(by: str | Term | Sort) -> Sort:
    if isinstance(by, Sort):
        return by
    if isinstance(by, str):
        return col(by[1:]).desc() if by.startswith("-") else col(by).asc()
    return term(by).asc()


def _counted(value: object, word: str) -> Count:
    if value is None or (type(value) is int and value >= 0):
        return value
    if isinstance(value, Term):
        bound: Any = value.resolve(lambda name: Column(0, name))
        if isinstance(bound, Param):
            return value
    raise UsageError(f"{word} is {value!r}", hint="give a whole number from 0 on, param('name') or None")


def _bound(value: Count) -> Constant | Param | None:
    if value is None:
        return None
    resolved = term(value).resolve(lambda name: Column(0, name))
    assert isinstance(resolved, Constant | Param)
    return resolved
