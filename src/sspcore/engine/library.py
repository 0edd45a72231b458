"""The library: what queries mean, worked out once for all circuits whose tables are alike where it matters.

Owns readings and what follows from them alone: how a plan is run, its code, and what rows it can depend on. A reading
is given out again only to circuits in which every name it asked for means the same. Refuses to know rows, parameters'
values and which circuits there are; what it keeps is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final
from weakref import WeakValueDictionary

import attrs

from sspcore.engine.crossing import Crossing, crossing_of, without_time
from sspcore.engine.interest import Interest, filtered
from sspcore.engine.program import Code, compile_plan
from sspcore.engine.query import Catalog, Plans, Reading, read_query
from sspcore.engine.schema import Schema
from sspcore.plan.expressions import Param
from sspcore.plan.join_order import Statistics
from sspcore.plan.nodes import Nest, Plan, Scan, TopK
from sspcore.plan.optimise import optimise
from sspcore.plan.traverse import columns, ordering, params_of, tables_of, walk_plan

MAX_TEXTS: Final = 1_000
"""Queries remembered; the one not asked for longest is forgotten first."""
VARIANTS: Final = 4
"""Meanings of one query remembered: while a table widens, circuits have two; more is a program with unlike circuits."""
_WORDS: Final = re.compile(r"[\w$]+|\"[^\"]*\"")

Named = Mapping[str, Collection[str]]
"""The ids of a circuit's views, by what they are but for case."""


@attrs.define
class Work:
    """How often something was worked out: texts and plans read, plans optimised, plans compiled."""

    read: int = 0
    planned: int = 0
    compiled: int = 0


class Laid:
    """A plan as it runs over tables with these schemas: its code and its interests, made when first asked for."""

    __slots__ = ("__dict__", "_plan", "_work", "schemas")

    def __init__(self, plan: Plan, schemas: Mapping[str, Schema], work: Work) -> None:
        self.schemas = schemas
        self._plan = plan
        self._work = work

    @cached_property
    def code(self) -> Code:
        """The generated code."""
        self._work.compiled += 1
        return compile_plan(self._plan, self.schemas.__getitem__)

    @cached_property
    def stateless(self) -> str | None:
        """The one table it reads, where its value is told from the rows of that alone, and so is every change."""
        return self.code.stateless

    @cached_property
    def interests(self) -> dict[str, Interest]:
        """Per table that it reads: what rows the plan can depend on, parameters open."""
        names = {table: schema.names for table, schema in self.schemas.items()}
        found = filtered(self._plan, names.__getitem__)
        return {table: Interest(without_time(found[table]), names[table]) for table in found}


class Planned:
    """A plan as it runs: what it costs less to keep and means the same, chosen for what was known of its tables.

    Attributes: `plan`, which may read fewer tables; `assumed`, what it was chosen for.
    """

    __slots__ = ("_crossings", "_laid", "_work", "assumed", "plan")

    def __init__(self, plan: Plan, assumed: Statistics | None, work: Work) -> None:
        self.plan = plan
        self.assumed = assumed
        self._work = work
        self._crossings: dict[frozenset[str], Crossing | None] = {}
        self._laid: list[Laid] = []

    def laid(self, schemas: Mapping[str, Schema]) -> Laid:
        """The plan over tables with these schemas: the same for alike ones."""
        for held in self._laid:
            if all(alike(held.schemas[name], schema) for name, schema in schemas.items()):
                return held
        made = Laid(self.plan, schemas, self._work)
        self._laid = [made, *self._laid[: VARIANTS - 1]]
        return made

    def crossing(self, moving: frozenset[str]) -> Crossing | None:
        """How a change of these parameters reaches the plan; None when that cannot be told by rows of one table."""
        if moving not in self._crossings:
            self._crossings[moving] = crossing_of(self.plan, moving)
        return self._crossings[moving]


class Blueprint:
    """A checked plan, parameters open, and what follows from it alone: equal plans have the same blueprint.

    Attributes: `plan`, as written; `columns`; `ordered`; `tables` and `stars` (those read by `*`); `params`, the names
    of its parameters; `counts`, those of them that stand in LIMIT or OFFSET.
    """

    __slots__ = (
        "__weakref__", "_planned", "_work", "columns", "counts", "ordered", "params", "plan", "stars", "tables",
    )  # fmt: skip

    def __init__(self, plan: Plan, stars: frozenset[str], work: Work) -> None:
        self.plan = plan
        self.stars = stars
        self.columns = columns(plan)
        self.ordered = ordering(plan) is not None
        self.tables = frozenset(tables_of(plan))
        self.params = frozenset(params_of(plan))
        self.counts = frozenset(
            bound.name
            for node in walk_plan(plan) if isinstance(node, TopK | Nest)
            for bound in (node.limit, node.offset) if isinstance(bound, Param)
        )  # fmt: skip
        self._work = work
        self._planned: list[Planned] = []

    def planned(self, assumed: Statistics | None) -> Planned:
        """The plan as it runs over tables of which this is known: the same where that is much the same."""
        for held in self._planned:
            if _close(held.assumed, assumed):
                return held
        self._work.planned += 1
        made = Planned(optimise(self.plan, assumed), assumed, self._work)
        self._planned = [made, *self._planned[: VARIANTS - 1]]
        return made


def _close(a: Statistics | None, b: Statistics | None) -> bool:
    """Whether a join order chosen for the one is as good as any for the other: no figure is twice that of the other."""
    if a is None or b is None:
        return a is b
    if a.keys() != b.keys():
        return False
    for name, mine in a.items():
        other = b[name]
        if mine.distinct.keys() != other.distinct.keys():
            return False
        figures = [(mine.rows, other.rows), *[(n, other.distinct[column]) for column, n in mine.distinct.items()]]
        if not all(x <= 2 * y and y <= 2 * x for x, y in figures):
            return False
    return True


def alike(a: Schema, b: Schema) -> bool:
    """Whether rows of the one are laid out and read as those of the other."""
    return a is b or (a == b and tuple(a.columns.items()) == tuple(b.columns.items()))


@attrs.frozen(eq=False)
class Meaning:
    """A reading, its blueprint, and what it hangs on: the schemas and the plans that its names stood for.

    `query` is what was read: as long as it is held, nothing else has its identity. Of the tables in `either` it makes
    no difference whether they are there yet.
    """

    query: object
    reading: Reading
    blueprint: Blueprint
    tables: Mapping[str, tuple[Schema, bool]]
    views: Mapping[str, Plan]
    either: frozenset[str]

    def holds(self, catalog: Catalog, views: Mapping[str, Plan], named: Named) -> bool:
        """Whether reading the query here would give the same. Cost: O(names in it + tables)."""
        for name, (schema, there) in self.tables.items():
            if named.get(name.casefold()) or (name not in self.either and catalog.has(name) != there):
                return False
            found = catalog.get(name)
            if found is None or not alike(found, schema) or catalog.ambiguous(name):
                return False
        for name, plan in self.views.items():
            if [*named.get(name.casefold(), ())] != [name]:
                return False
            held = views[name]
            if held is not plan and (held != plan or stars_of(held) != stars_of(plan)):
                return False
        return True


class Library:
    """What queries mean, for circuits of one thread that are given the same library.

    >>> from sspcore.engine.table import Table
    >>> library, flights = Library(), Schema("flights", {"id": "text", "delay": "integer"})
    >>> one, two = [Catalog({"flights": Table(flights)}, True) for _ in range(2)]
    >>> late = "SELECT id FROM flights WHERE delay > $m"
    >>> library.read(late, one, {}, {}) is library.read(late, two, {}, {}), library.work.read
    (True, 1)
    """

    __slots__ = ("_blueprints", "_meanings", "work")

    def __init__(self) -> None:
        self.work = Work()
        self._meanings: dict[str | int, list[Meaning]] = {}
        self._blueprints: WeakValueDictionary[tuple[Plan, frozenset[str]], Blueprint] = WeakValueDictionary()

    def __len__(self) -> int:
        """Queries remembered."""
        return len(self._meanings)

    def read(self, query: object, catalog: Catalog, views: Mapping[str, Plan], named: Named) -> Meaning:
        """What a query means among these tables and views; `named`, the ids of all views.

        Raises SqlError, PlanError or UsageError (the caller's). Cost: microseconds where the same was asked before, of
        texts and plans; other queries may have changed since, and are read each time.
        """
        name = query if isinstance(query, str) else id(query) if isinstance(query, Plan) else None
        held = self._meanings.pop(name, []) if name is not None else []
        try:
            for meaning in held:
                if meaning.holds(catalog, views, named):
                    return meaning
            made = self._reading(query, catalog, views)
            if name is not None and made.holds(catalog, views, named):  # not where names differ by their case only
                held = [made, *held[: VARIANTS - 1]]
            return made
        finally:
            if name is not None and held:
                while len(self._meanings) >= MAX_TEXTS:
                    del self._meanings[next(iter(self._meanings))]
                self._meanings[name] = held  # the last place: used most recently

    def blueprint(self, plan: Plan) -> Blueprint:
        """That of a checked plan. Cost: O(plan)."""
        stars = stars_of(plan)
        made = self._blueprints.get((plan, stars))
        if made is None:
            made = self._blueprints[plan, stars] = Blueprint(plan, stars, self.work)
        return made

    def _reading(self, query: object, catalog: Catalog, views: Mapping[str, Plan]) -> Meaning:
        tables, plans = _Asked(catalog), Plans(views)
        self.work.read += 1
        reading = read_query(query, tables, plans)
        asked = {name: (schema, catalog.has(name)) for name, schema in tables.asked.items()}
        either = frozenset(_spelt_out(query, asked) if isinstance(query, str) else asked)  # plans name them exactly
        return Meaning(query, reading, self.blueprint(reading.plan), asked, plans.used, either)


class _Asked(Mapping[str, Schema]):
    """A catalog that remembers what it was asked for and had."""

    def __init__(self, catalog: Mapping[str, Schema]) -> None:
        self._catalog = catalog
        self.asked: dict[str, Schema] = {}

    def __getitem__(self, name: str) -> Schema:
        schema = self.asked[name] = self._catalog[name]
        return schema

    def __iter__(self) -> Iterator[str]:
        return iter(self._catalog)

    def __len__(self) -> int:
        return len(self._catalog)


def _spelt_out(text: str, names: Iterable[str]) -> Iterator[str]:
    """Those of the names that a text writes as they are, and in no other way."""
    words = [word.strip('"') for word in _WORDS.findall(text)]
    for name in names:
        folded = name.casefold()
        if {word for word in words if word.casefold() == folded} == {name}:
            yield name


def stars_of(plan: Plan) -> frozenset[str]:
    """The tables that a plan reads by `*`."""
    return frozenset([node.table for node in walk_plan(plan) if isinstance(node, Scan) and node.star])
