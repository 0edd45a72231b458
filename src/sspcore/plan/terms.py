"""Terms: expressions over columns by name, written with Python's operators; what the builder is fed with.

Owns the operators and how Python values become constants. Refuses to know tables: names are resolved by the builder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import attrs

from sspcore.algebra.values import canonical
from sspcore.errors import UsageError, did_you_mean
from sspcore.plan.casts import CASTS
from sspcore.plan.expressions import Call, Constant, Expression, Param
from sspcore.plan.functions import FUNCTIONS
from sspcore.plan.functions_time import FIELDS, TRUNCATIONS
from sspcore.plan.nodes import AggregateCall, OrderTerm


@attrs.frozen(eq=False)
class Term:
    """An expression yet without a table: `resolve` makes it one, given what a name means.

    `==`, `<`, `+`, `&`, `|`, `~` and so on give terms, as in `(col("late") > 60) & ~col("done")`. NULL is tested by
    `is_null`; `== None` is that test too, since nothing equals NULL.

    >>> ((col("late") > 60) | col("gate").is_null()).resolve({"late": Param("x"), "gate": Param("y")}.__getitem__)
    Call(function='or', args=(Call(function='>', args=(Param(name='x'), Constant(value=60))), \
Call(function='is null', args=(Param(name='y'),))))
    """

    resolve: Callable[[Callable[[Any], Expression]], Expression] = attrs.field(repr=False)
    name: str = ""
    """What an output of this term is called unless it is given a name."""

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        raise UsageError("a term is neither true nor false before it sees a row", hint="write & | ~ for and, or, not")

    def __eq__(self, other: object) -> Term:  # type: ignore[override]
        return self.is_null() if other is None else call("=", self, other)

    def __ne__(self, other: object) -> Term:  # type: ignore[override]
        return ~self.is_null() if other is None else call("<>", self, other)

    def __lt__(self, other: object) -> Term:
        return call("<", self, other)

    def __le__(self, other: object) -> Term:
        return call("<=", self, other)

    def __gt__(self, other: object) -> Term:
        return call(">", self, other)

    def __ge__(self, other: object) -> Term:
        return call(">=", self, other)

    def __add__(self, other: object) -> Term:
        return call("+", self, other)

    def __radd__(self, other: object) -> Term:
        return call("+", other, self)

    def __sub__(self, other: object) -> Term:
        return call("-", self, other)

    def __rsub__(self, other: object) -> Term:
        return call("-", other, self)

    def __mul__(self, other: object) -> Term:
        return call("*", self, other)

    def __rmul__(self, other: object) -> Term:
        return call("*", other, self)

    def __truediv__(self, other: object) -> Term:
        return call("/", self, other)

    def __rtruediv__(self, other: object) -> Term:
        return call("/", other, self)

    def __mod__(self, other: object) -> Term:
        return call("%", self, other)

    def __neg__(self) -> Term:
        return call("neg", self)

    def __and__(self, other: object) -> Term:
        return call("and", self, other)

    def __or__(self, other: object) -> Term:
        return call("or", self, other)

    def __invert__(self) -> Term:
        return call("not", self)

    def is_null(self) -> Term:
        """IS NULL."""
        return call("is null", self)

    def is_in(self, values: Iterable[object]) -> Term:
        """IN a list of values (or terms)."""
        return call("in", self, *values)

    def between(self, low: object, high: object) -> Term:
        """BETWEEN, both ends included."""
        return call("and", self >= low, self <= high)

    def like(self, pattern: object) -> Term:
        """LIKE: % is any run, _ any one."""
        return call("like", self, pattern)

    def ilike(self, pattern: object) -> Term:
        """The same, whatever the case of letters."""
        return call("ilike", self, pattern)

    def cast(self, kind: str) -> Term:
        """CAST to a column type; what cannot be cast is NULL."""
        if kind not in CASTS:
            raise UsageError(f"unknown type {kind!r}", hint=did_you_mean(kind, CASTS))
        return call("cast", self, kind)

    def call(self, function: str, *args: object) -> Term:
        """A function of the library with this term first: `col("at").call("substr", 1, 10)`."""
        return call(function, self, *args)

    def at(self, step: str | int) -> Term:
        """The member of this name in a JSON object, or the element at this position (0 the first), `->` in SQL."""
        return call("->", self, step)

    def text_at(self, *path: str | int) -> Term:
        """What is at the end of a path of names and positions, as text: `#>>` in SQL."""
        return call("#>>", self, [str(step) for step in path])

    def contains(self, part: object) -> Term:
        """A list with all these elements, or a JSON object with all these members: `@>` in SQL."""
        return call("@>", self, part)

    def has(self, element: object) -> Term:
        """A list with this element: `element = ANY (list)` in SQL."""
        return call("= any", element, self)

    def has_any(self, elements: Iterable[object]) -> Term:
        """A list that shares an element with these values: `&&` in SQL."""
        return call("&&", self, list(elements))

    def truncated(self, unit: str) -> Term:
        """The start of the hour, day, week and so on that holds this time: `date_trunc` in SQL."""
        return call("date_trunc", _one_of(unit, TRUNCATIONS, "unit"), self)

    def part(self, field: str) -> Term:
        """A field of this time or interval, such as hour, dow or epoch: `extract` in SQL."""
        return call("extract", _one_of(field, FIELDS, "field"), self)

    def asc(self, *, nulls_first: bool = False) -> Sort:
        """Ascending order by this term; NULLs are last unless told otherwise."""
        return Sort(self, False, nulls_first)

    def desc(self, *, nulls_first: bool = True) -> Sort:
        """Descending order by this term; NULLs are first unless told otherwise."""
        return Sort(self, True, nulls_first)

    def count(self, *, distinct: bool = False) -> Aggregated:
        """How many rows have a value here."""
        return Aggregated("count", self, distinct)

    def sum(self, *, distinct: bool = False) -> Aggregated:
        """The exact sum of the numbers."""
        return Aggregated("sum", self, distinct)

    def avg(self, *, distinct: bool = False) -> Aggregated:
        """Their mean."""
        return Aggregated("avg", self, distinct)

    def min(self) -> Aggregated:
        """The least value."""
        return Aggregated("min", self)

    def max(self) -> Aggregated:
        """The greatest value."""
        return Aggregated("max", self)

    def bool_and(self) -> Aggregated:
        """Whether the condition is TRUE of every row where it is known."""
        return Aggregated("bool_and", self)

    def bool_or(self) -> Aggregated:
        """Whether the condition is TRUE of some row."""
        return Aggregated("bool_or", self)

    def variance(self, *, distinct: bool = False, population: bool = False) -> Aggregated:
        """The exact variance of the numbers: of a sample, or of the whole population."""
        return Aggregated("var_pop" if population else "var_samp", self, distinct)

    def stddev(self, *, distinct: bool = False, population: bool = False) -> Aggregated:
        """Their standard deviation."""
        return Aggregated("stddev_pop" if population else "stddev_samp", self, distinct)

    def array_agg(self, *order_by: Term | Sort, distinct: bool = False) -> Aggregated:
        """The list of all values, NULLs too: in this order, ties by key; with `distinct` in that of the values."""
        return Aggregated("array_agg", self, distinct, _sorts(order_by))

    def string_agg(self, separator: str, *order_by: Term | Sort, distinct: bool = False) -> Aggregated:
        """The texts in one, with a separator between them: in this order, ties by key."""
        return Aggregated("string_agg", self, distinct, _sorts(order_by), separator)


@attrs.frozen(eq=False)
class Sort:
    """A term to order by, and how."""

    term: Term
    descending: bool = False
    nulls_first: bool = False


@attrs.frozen
class Aggregated:
    """An aggregate of a group's rows."""

    function: str
    term: Term | None = None
    distinct: bool = False
    order: tuple[Sort, ...] = ()
    separator: str | None = None

    def resolve(self, column: Callable[[Any], Expression]) -> AggregateCall:
        """The call, given what a name means."""
        return AggregateCall(
            self.function,
            None if self.term is None else self.term.resolve(column),
            self.distinct,
            tuple([OrderTerm(s.term.resolve(column), s.descending, s.nulls_first) for s in self.order]),
            None if self.separator is None else Constant(self.separator),
        )


@attrs.frozen(eq=False)
class Partner:
    """Another query whose rows are looked for: what the term of an `exists` asks its resolver for.

    `on` are pairs (our column, its column); with `via`, a junction between the two, `then` are its pairs.
    """

    query: Any
    on: tuple[tuple[str, str], ...]
    via: Any = None
    then: tuple[tuple[str, str], ...] = ()


def _one_of(word: str, known: Iterable[str], what: str) -> str:
    known = sorted(known)
    if word not in known:
        raise UsageError(f"unknown {what} {word!r} of a time", hint=did_you_mean(str(word), known) or ", ".join(known))
    return word


def _sorts(order_by: Iterable[Term | Sort]) -> tuple[Sort, ...]:
    return tuple([by if isinstance(by, Sort) else term(by).asc() for by in order_by])


def col(name: str) -> Term:
    """The column of this name, as a term to compute and compare with.

    >>> col("dep_delay") > 60
    Term(name='')
    """
    if not isinstance(name, str) or not name:
        raise UsageError(f"a column has a name, not {name!r}")
    return Term(lambda column: column(name), name)


def param(name: str) -> Term:
    """A value given at registration, `$name` in SQL.

    >>> col("dep_delay") > param("minutes")
    Term(name='')
    """
    return Term(lambda _: Param(name))


def count() -> Aggregated:
    """How many rows a group has; of values that are not NULL, `col("x").count()`.

    >>> count()
    Aggregated(function='count', term=None, distinct=False, order=(), separator=None)
    """
    return Aggregated("count")


def term(value: object) -> Term:
    """A term as it is; any other value as a constant. UsageError for what no cell may hold."""
    if isinstance(value, Term):
        return value
    if isinstance(value, Sort | Aggregated):
        raise UsageError(f"{type(value).__name__.lower()} has no value in a row", hint="aggregates go to aggregate(…)")
    try:
        constant = Constant(canonical(value))
    except ValueError as error:
        raise UsageError(f"no constant: {error}") from None
    return Term(lambda _: constant)


def call(function: str, *args: object) -> Term:
    """A function of the library, or an operator by its symbol. UsageError for an unknown one, or too few arguments."""
    known = FUNCTIONS.get(function)
    if known is None:
        raise UsageError(f"unknown function {function!r}", hint=did_you_mean(function, FUNCTIONS))
    if len(args) < known.min_args or (known.max_args is not None and len(args) > known.max_args):
        raise UsageError(f"{function} does not take {len(args)} arguments", hint=known.doc)
    terms: Final[list[Any]] = [term(a) for a in args]
    return Term(lambda column: Call(function, tuple([t.resolve(column) for t in terms])))
