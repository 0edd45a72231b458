"""The fluent way to write a query, for programs: immutable, clauses in any order, names checked against the table.

Owns the clauses as they are written. What they mean together is in `building`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Literal, TypeVar, overload

import attrs

from sspcore.errors import UsageError
from sspcore.plan.building import lowered
from sspcore.plan.catalog import Catalog, Lowered
from sspcore.plan.check import check
from sspcore.plan.expressions import Constant, Param
from sspcore.plan.nodes import JOIN_KINDS
from sspcore.plan.record import record
from sspcore.plan.terms import Aggregated, Partner, Sort, Term, col, term

Named = tuple[tuple[str, Term], ...]
Count = int | Term | None
On = str | Iterable[str] | Mapping[str, str]
"""Columns that are equal: of one name on both sides, or ours → theirs."""
Pairs = tuple[tuple[str, str], ...]
T = TypeVar("T")
Cell = str | Term | Callable[[T], object]
By = str | Term | Sort | Callable[[T], object]


@overload
def query(table: str | Query[Any], of: type[T], *, alias: str = "") -> Query[T]: ...
@overload
def query(table: str | Query[Any], of: None = None, *, alias: str = "") -> Query[Any]: ...
def query(table: str | Query[Any], of: type[Any] | None = None, *, alias: str = "") -> Query[Any]:
    """A query of all rows and columns of a table (or of another query's result), to be narrowed by its methods.

    Args:
        table: a table's name, or a query.
        of: the class of a row. Predicates may then be functions of a row, `lambda f: f.dep_delay > 60`, in which a type
            checker finds a misspelt column.
        alias: the name to call it by where several stand together, as in `col("other.carrier")`.

    >>> late = query("flights").where(col("dep_delay") > 60, origin="JFK")
    >>> board = late.group_by("carrier").aggregate(worst=col("dep_delay").max()).order_by("-worst").limit(10)
    >>> board.table
    'flights'
    """
    if isinstance(table, Query):
        return Query(alias or table.alias or table.table, source=table, alias=alias, of=of)
    if not isinstance(table, str) or not table:
        raise UsageError(f"a table has a name, not {table!r}")
    return Query(table, alias=alias, of=of)


def exists(
    other: str | Query[Any], on: On = (), *, via: str | Query[Any] | None = None, then: On | None = None
) -> Term:
    """TRUE for rows with a partner in another query: EXISTS, as a term for `where` and `select`.

    Args:
        other: a table's name or a query.
        on: the columns that are equal, `{"ours": "theirs"}`, or one name for both.
        via: a junction between the two; `on` then leads to it, and `then` from it to `other`.

    >>> crowded = query("planes").where(exists(query("flights").where(col("dep_delay") > 60), on="tailnum"))
    """
    pairs, further = _pairs(on, "exists"), _further(via, then, "exists")
    partner = Partner(_query(other), pairs, None if via is None else _query(via), further)
    return Term(lambda column: column(partner), "exists")


@attrs.frozen
class Combined:
    """Two queries as one: union, intersect or except."""

    kind: str
    inputs: tuple[Query[Any], ...]
    all: bool = False


@attrs.frozen
class Joined:
    """A query joined to the ones before it."""

    kind: str
    other: Query[Any]
    alias: str
    on: Pairs
    predicates: tuple[Term, ...] = ()


@attrs.frozen
class Related:
    """A query whose rows are shown inside ours."""

    name: str
    query: Query[Any]
    on: Pairs
    via: Query[Any] | None = None
    then: Pairs = ()
    one: bool = False
    values: bool = False


@attrs.frozen(eq=False)
class Query(Generic[T]):
    """A query. Every method gives a new one; `Circuit.register` and `Runtime.register` take it.

    Columns are written by name, `"carrier"`, or as terms, `col("dep_delay") > 60`; where several tables stand together
    as `"flights.carrier"`. Of a query of a class (`query("flights", Flight)`) also as functions of a row,
    `lambda f: f.dep_delay > 60`. Errors in names are raised when the query is registered, as PlanError with the place
    (`$.where[0]`), those of a row's function at once.

    >>> from sspcore import Circuit, col, count, query, upsert
    >>> circuit = Circuit()
    >>> late = query("flights").where(col("delay") > 60).group_by("carrier").aggregate(n=count())
    >>> circuit.register("late", late.having(col("n") > 1).order_by("-n").limit(10)).rows
    []
    >>> changes = [upsert("flights", number, {"carrier": "AA", "delay": 75}) for number in range(3)]
    >>> circuit.apply(changes).updates["late"].added
    (('AA', 3),)
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
    source: Query[Any] | Combined | None = None
    alias: str = ""
    joins: tuple[Joined, ...] = ()
    nests: tuple[Related, ...] = ()
    of: type[Any] | None = None

    def where(self, *predicates: Term | Callable[[T], object], **equalities: object) -> Query[T]:
        """Only rows that meet every predicate and have these values (`carrier="AA"`; None means NULL)."""
        added = [_condition(self._term(p)) for p in predicates]
        added += [col(name) == value for name, value in equalities.items()]
        return attrs.evolve(self, predicates=(*self.predicates, *added))

    def select(self, *columns: Cell[T], **expressions: object) -> Query[T]:
        """These columns, and computed ones by name: `select("carrier", late=col("dep_delay") > 60)`."""
        return attrs.evolve(self, outputs=(*(self.outputs or ()), *self._named(columns, expressions)))

    def distinct(self) -> Query[T]:
        """Each different row once."""
        return attrs.evolve(self, is_distinct=True)

    def join(
        self, other: str | Query[Any], *predicates: Term, on: On = (),
        kind: Literal["inner", "left", "right", "full"] = "inner", alias: str = "",
    ) -> Query[T]:  # fmt: skip
        """Rows beside those of another table or query where all conditions hold.

        Args:
            other: a table's name, or a query (its own clauses come first).
            predicates: conditions over both sides, as terms.
            on: columns that are equal, `{"ours": "theirs"}`, one name for both, or a list of such names.
            kind: what becomes of rows without a partner: dropped (inner), kept with NULLs on the other side (left,
                right, full).
            alias: what to call the other one; by default its table's name.

        >>> named = query("flights").join("carriers", on={"carrier": "code"}).select("flights.id", "name")
        """
        if kind not in JOIN_KINDS:
            raise UsageError(f"unknown kind of join {kind!r}", hint="one of " + ", ".join(JOIN_KINDS))
        joined = Joined(kind, _query(other), alias, _pairs(on, "join"), tuple([_condition(p) for p in predicates]))
        return attrs.evolve(self, joins=(*self.joins, joined))

    def related(
        self, name: str, other: str | Query[Any], on: On = (), *, via: str | Query[Any] | None = None,
        then: On | None = None, one: bool = False, values: bool = False,
    ) -> Query[T]:  # fmt: skip
        """One more column: the rows of another query that belong to each row, as a list of objects.

        The other query's own `where`, `order_by`, `limit` and `related` apply within each row: trees of any depth.

        Args:
            name: the new column.
            other: a table's name or a query.
            on: the columns that are equal, `{"ours": "theirs"}`, or one name for both.
            via: a junction between the two; `on` then leads to it, and `then` from it to `other`. A row comes once,
                however many rows of the junction lead to it.
            one: the first alone, as an object; NULL when there is none.
            values: its one column's values rather than objects.

        >>> latest = query("flights").order_by("-dep_delay").limit(3).select("id", "dep_delay")
        >>> boards = query("carriers").related("latest", latest, on={"code": "carrier"})
        """
        if not isinstance(name, str) or not name:
            raise UsageError(f"a related column has a name, not {name!r}")
        if name in [r.name for r in self.nests]:
            raise UsageError(f"two related columns named {name!r}")
        pairs, further = _pairs(on, "related"), _further(via, then, "related")
        middle = None if via is None else _query(via)
        return attrs.evolve(
            self, nests=(*self.nests, Related(name, _query(other), pairs, middle, further, one, values))
        )

    def group_by(self, *columns: Cell[T], **expressions: object) -> Query[T]:
        """One row for each combination of these values; `aggregate` says what more it shows."""
        return attrs.evolve(self, groups=(*(self.groups or ()), *self._named(columns, expressions)))

    def aggregate(self, **aggregates: Aggregated) -> Query[T]:
        """What to compute of each group (of all rows, without `group_by`): `aggregate(n=count())`."""
        for name, value in aggregates.items():
            if not isinstance(value, Aggregated):
                raise UsageError(f"{name!r} is no aggregate", hint="write count() or col('x').sum()")
        return attrs.evolve(self, aggregates=(*self.aggregates, *aggregates.items()))

    def having(self, *predicates: Term, **equalities: object) -> Query[T]:
        """Only groups that meet every predicate over the groups' and aggregates' names."""
        added = [_condition(p) for p in predicates] + [col(name) == value for name, value in equalities.items()]
        return attrs.evolve(self, groups_where=(*self.groups_where, *added))

    def union(self, other: Query[Any], *, all: bool = False) -> Query[Any]:
        """The rows of both, each different one once unless `all`. Clauses after it are about the whole."""
        return self._combined("union", other, all)

    def intersect(self, other: Query[Any], *, all: bool = False) -> Query[Any]:
        """The different rows that are in both; with `all`, as often as in both."""
        return self._combined("intersect", other, all)

    def except_(self, other: Query[Any], *, all: bool = False) -> Query[Any]:
        """The different rows that are not in the other; with `all`, as often as they are more here."""
        return self._combined("except", other, all)

    def order_by(self, *by: By[T]) -> Query[T]:
        """The order: an output's name, `"-name"` for descending, or `col("name").desc(nulls_first=False)`."""
        return attrs.evolve(self, order=(*self.order, *[_sort(self._term(b)) for b in by]))

    def limit(self, rows: int | Term | None, offset: int | Term | None = None) -> Query[T]:
        """At most so many rows, after skipping `offset`; each a number, `param("n")` or None."""
        return attrs.evolve(self, rows=_counted(rows, "limit"), skipped=_counted(offset, "offset"))

    def lower(self, catalog: Catalog) -> Lowered:
        """The plan over the tables of `catalog`, and warnings. Raises UnknownTable or PlanError (the caller's)."""
        warnings: dict[str, None] = {}
        plan = lowered(self, catalog, "$", warnings)
        check(plan)
        return Lowered(plan, tuple(warnings))

    # What the clauses amount to

    @property
    def is_grouped(self) -> bool:
        """One row per group rather than per row."""
        return self.groups is not None or bool(self.aggregates)

    @property
    def is_plain(self) -> bool:
        """A table as it is, without any clause."""
        clauses: tuple[Any, ...] = (
            self.predicates, self.groups_where, self.aggregates, self.order, self.joins, self.nests, self.is_distinct,
        )  # fmt: skip
        given = (self.outputs, self.groups, self.rows, self.skipped, self.source)
        return not any(clauses) and all(value is None for value in given)

    def _combined(self, kind: str, other: Query[Any], all: bool) -> Query[Any]:
        if not isinstance(other, Query):
            raise UsageError(f"{other!r} is no query", hint="write query('table')")
        return Query("", source=Combined(kind, (self, other), all))

    def _term(self, value: Any) -> Any:
        """A term as it is; a function of a row applied to one whose columns are terms."""
        if isinstance(value, Term | Sort | str) or not callable(value):
            return value
        return value(record(self.of))

    def _named(self, columns: Iterable[Any], expressions: Mapping[str, object]) -> Named:
        out = []
        for column in columns:
            told = self._term(column)
            for one in told if isinstance(told, tuple | list) else (told,):
                value = col(one) if isinstance(one, str) else one
                if not isinstance(value, Term) or not value.name:
                    raise UsageError("a computed value needs a name", hint="write name=…")
                out.append((value.name.rpartition(".")[2], value))
        return (*out, *[(name, term(self._term(value))) for name, value in expressions.items()])


def _query(other: object) -> Query[Any]:
    if isinstance(other, Query):
        return other
    if isinstance(other, str):
        return query(other)
    raise UsageError(f"{other!r} is neither a table's name nor a query", hint="write query('table')")


def _pairs(on: Any, word: str) -> Pairs:
    """Pairs (ours, theirs) as they were written."""
    if isinstance(on, str):
        on = {on: on}
    if isinstance(on, Mapping):
        pairs = list(on.items())
    elif isinstance(on, Iterable):
        pairs = [(name, name) for name in on]
    else:
        pairs = [(on, on)]
    for pair in pairs:
        for name in pair:
            if not isinstance(name, str) or not name:
                raise UsageError(
                    f"{word} on {name!r}", hint="name columns: on='carrier', or on={'ours': 'theirs'}"
                )  # fmt: skip
    return tuple(pairs)


def _further(via: object, then: Any, word: str) -> Pairs:
    if (via is None) != (then is None):
        raise UsageError(
            f"{word} {'then' if via is None else 'via'} alone",
            hint="a junction has two sides: via='tagged', on={'id': 'post'}, then={'tag': 'id'}",
        )  # fmt: skip
    return () if then is None else _pairs(then, word)


def _condition(value: object) -> Term:
    if isinstance(value, bool):
        raise UsageError(f"{value} is no predicate", hint="compare columns: col('carrier') == 'AA'")
    if not isinstance(value, Term):
        raise UsageError(f"{value!r} is no predicate", hint="write col('dep_delay') > 60")
    return value


def _sort(by: Any) -> Sort:
    if isinstance(by, Sort):
        return by
    if isinstance(by, str):
        return col(by[1:]).desc() if by.startswith("-") else col(by).asc()
    return term(by).asc()


def _counted(value: object, word: str) -> Count:
    if value is None or (type(value) is int and value >= 0):
        return value
    if isinstance(value, Term):
        bound: Any = value.resolve(lambda name: Constant(None))
        if isinstance(bound, Param):
            return value
    raise UsageError(f"{word} is {value!r}", hint="give a whole number from 0 on, param('name') or None")
