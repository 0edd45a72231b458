"""Worlds: tables, rows and queries that a strategy is tried with; and scripts, what happens in one.

Owns what is likely to find a fault out: selective conditions over few values, among them all those that are easily
taken for one another. A world is made from a number, small numbers make plain ones; a script is a list of steps, each
by itself, so that leaving some out gives a script again. Refuses to know strategies, and hypothesis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from random import Random
from typing import Any, Final

import attrs

from sspcore.abc import ALL, Everything, Interest, Resolved
from sspcore.algebra.values import Value, same
from sspcore.engine.crossing import without_time
from sspcore.engine.schema import Schema
from sspcore.plan.expressions import Call, Column, Constant, Expression
from sspcore.plan.interests import interests
from sspcore.plan.nodes import Filter, Plan, Scan
from sspcore.plan.traverse import walk_plan
from sspcore.routing.interest import Region
from sspcore.testing.generate import values as _values
from sspcore.testing.generate.choices import Choices
from sspcore.testing.generate.conditions import conditional, telling
from sspcore.testing.generate.expressions import predicate
from sspcore.testing.generate.plans import plan
from sspcore.testing.generate.tables import IDS

Row = tuple[Value, ...]
Step = tuple[Any, ...]

CIRCUITS: Final = ("main", "ops", "lab")
VIEWS: Final = ("open", "late", "mine")
TABLES: Final = ("orders", "people")
COLUMNS: Final = ("amount", "state", "tags")
KINDS: Final = ("any", "any", "integer", "text", "json", "real", "boolean", "decimal")
PLAIN: Final = 8
"""Worlds below this number are plain: integers and text, one condition a query."""
WORLDS: Final = 64
"""Worlds a check chooses from: making one costs as much as a few scripts in it."""
IMAGES: Final = 6
PLANS: Final = 7


@attrs.frozen
class Vocabulary:
    """What the caller says of the world: its circuits, its tables (None: drawn), and what columns hold."""

    circuits: tuple[str, ...]
    schemas: tuple[Schema, ...] | None = None
    values: Mapping[str, Sequence[Value]] = attrs.field(factory=dict)


@attrs.frozen(eq=False, slots=False)
class World:
    """Tables, for each the rows' cells to choose from, and queries with what they are interested in."""

    number: int
    schemas: Mapping[str, Schema]
    images: Mapping[str, Sequence[Mapping[str, Value]]]
    plans: Sequence[Plan]
    widened: World | None = None
    """The same world once its tables have one column more; None where they do not grow."""

    @cached_property
    def interests(self) -> list[Mapping[str, Everything | Interest]]:
        """For each plan, table → its interest."""
        return [regions(one, self.schemas) for one in self.plans]

    @cached_property
    def ids(self) -> dict[str, list[Any]]:
        """Table → ids of its rows."""
        return {name: _ids(schema) for name, schema in self.schemas.items()}

    @cached_property
    def _panels(self) -> dict[str, list[Resolved]]:
        return {name: self._panel(name) for name in self.schemas}

    def panel(self, table: str) -> list[Resolved]:
        """Every way one row could change between its images: first it comes as each, then it goes, then it changes."""
        return self._panels[table]

    def count(self, table: str) -> int:
        """How many images there are."""
        return len(self.images[table])

    def _panel(self, table: str) -> list[Resolved]:
        key, columns = self.ids[table][0], self.schemas[table].names
        rows = [self.row(table, key, at) for at in range(self.count(table))]
        ways: list[tuple[Row | None, Row | None]] = [(None, row) for row in rows] + [(row, None) for row in rows]
        ways += [(old, new) for old in rows for new in rows if not same(old, new)]
        return [Resolved(table, key, old, new, columns) for old, new in ways]

    def row(self, table: str, key: Any, image: int) -> Row:
        """The row with these cells under an id."""
        schema = self.schemas[table]
        parts = key if isinstance(schema.key, tuple) else (key,)
        cells = dict(self.images[table][image % len(self.images[table])])
        cells |= dict(zip(schema.key_columns, parts, strict=False))
        return tuple([cells.get(name) for name in schema.names])


def regions(plan: Plan, schemas: Mapping[str, Schema]) -> dict[str, Everything | Interest]:
    """What a plan without parameters is interested in, as a runtime tells strategies.

    ALL of a table that lacks a column the plan reads: it may yet come.
    """
    open_ = {
        node.table for node in walk_plan(plan)
        if isinstance(node, Scan) and not set(node.columns) <= set(schemas[node.table].names)
    }  # fmt: skip
    found: dict[str, Everything | Interest] = {}
    for table, condition in interests(plan, lambda name: schemas[name].names).items():
        condition = without_time(condition)
        found[table] = ALL if condition is None or table in open_ else Region(condition, schemas[table].names)
    return found


def world(number: int, vocabulary: Vocabulary) -> World:
    """The world of a number."""
    c = Choices(Random(number))
    plain = number % WORLDS < PLAIN
    schemas = vocabulary.schemas or tuple([_schema(c, table, plain) for table in TABLES[: 1 + (number % 4 > 0)]])
    images = {schema.table: _images(c, schema, vocabulary, plain) for schema in schemas}
    plans = [_plan(c, schemas, images, plain) for _ in range(PLANS)]
    full = World(number, {schema.table: schema for schema in schemas}, images, plans)
    if vocabulary.schemas or number % 3:
        return full
    narrow = {schema.table: attrs.evolve(schema, columns=dict(list(schema.columns.items())[:-1])) for schema in schemas}
    return attrs.evolve(full, schemas=narrow, widened=full)


def _schema(c: Choices, table: str, plain: bool) -> Schema:
    kinds = ("integer", "text") if plain else KINDS
    columns = {name: c.pick(kinds) for name in COLUMNS[: c.between(1, 2 if plain else 3)]}
    return Schema(table, {"id": "any", "home": "text", **columns}, "id")


def _images(c: Choices, schema: Schema, vocabulary: Vocabulary, plain: bool) -> list[dict[str, Value]]:
    """Rows' cells, differing from one another; the first two plain."""
    known = {"home": (*vocabulary.circuits, None), **vocabulary.values}
    made = []
    for _ in range(IMAGES):
        cells: dict[str, Value] = {}
        for name, kind in schema.columns.items():
            if name not in schema.key_columns:
                nulls = 0 if plain else 15
                cells[name] = c.pick(known[name]) if name in known else _cell(c, kind, nulls)
        made.append(cells)
    return made


def _cell(c: Choices, kind: str, nulls: int) -> Value:
    """A cell; where any value may stand, one that is equal to another of another type as often as not."""
    if kind == "any" and not c.chance(nulls):
        return c.pick(_values.MIXED[:8] if c.chance(60) else _values.MIXED)
    return _values.value(c, kind, nulls=nulls)


def _plan(
    c: Choices, schemas: Sequence[Schema], images: Mapping[str, Sequence[Mapping[str, Value]]], plain: bool
) -> Plan:
    form = c.weighted(((10, "chosen"), (1, "all")) if plain else
                      ((8, "chosen"), (4, "any"), (1, "all"), (3, "conditional"), (2, "plan")))  # fmt: skip
    if form == "conditional":
        return conditional(c, schemas)
    if form == "plan":
        return plan(c, schemas, 2)
    schema = c.pick(schemas)
    scan = Scan(schema.table, schema.names)
    kinds = list(schema.columns.values())
    if form == "all":
        return scan
    if form == "any":
        at = c.below(len(kinds))
        return Filter(scan, predicate(c, kinds) if c.chance(50) else telling(c, at, kinds[at]))
    test = _chosen(c, schema, images[schema.table])
    if not plain and c.chance(30):
        test = Call(c.pick(("and", "and", "or")), (test, _chosen(c, schema, images[schema.table])))
    return Filter(scan, Call("not", (test,)) if c.chance(25) else test)


def _chosen(c: Choices, schema: Schema, images: Sequence[Mapping[str, Value]]) -> Expression:
    """A condition that some of the rows meet and others do not: by a value that one of them has."""
    names = [name for name in schema.names if name not in schema.key_columns] or list(schema.names)
    name = c.pick(names)
    column = Column(schema.names.index(name), name)
    cells = [image.get(name) for image in images]
    cell = c.pick(cells)
    form = c.weighted(((8, "="), (2, "<>"), (2, ">"), (2, "<="), (3, "in"), (2, "null")))
    if cell is None or form == "null":
        test = Call("is null", (column,))
        return Call("not", (test,)) if c.chance(40) else test
    if form == "in":
        return Call("in", (column, Constant(cell), Constant(c.pick(cells))))
    return Call(form, (column, Constant(cell)))


def _ids(schema: Schema) -> list[Any]:
    if isinstance(schema.key, tuple):
        parts = [_of_kind(schema.columns[name]) for name in schema.key]
        return [tuple([part[i % len(part)] for part in parts]) for i in range(4)]
    return _of_kind(schema.columns[schema.key]) if schema.key is not None else list(IDS[:6])


def _of_kind(kind: str) -> list[Any]:
    """Ids of a type."""
    found = [key for key in IDS if (type(key) is int and kind in ("integer", "any")) or
             (type(key) is str and kind in ("text", "any"))]  # fmt: skip
    return found[:6]


def script(c: Choices) -> list[Step]:
    """What happens: steps of indices, to be taken modulo what there is, so that every list of steps is a script."""
    begun: list[Step] = [("add", 0), ("add", 1), ("add", 2)] if c.chance(50) else []
    return begun + [_step(c) for _ in range(c.between(12, 40))]


def _step(c: Choices) -> Step:
    kind = c.weighted(((8, "batch"), (7, "show"), (4, "hide"), (5, "work"), (1, "add"), (1, "remove"), (1, "fail"),
                       (1, "widen")))  # fmt: skip
    if kind == "batch":
        return kind, tuple([(c.below(8), c.below(8), c.below(IMAGES + 1)) for _ in range(c.between(1, 7))])
    circuit = c.weighted(((4, 0), (2, 1), (1, 2)))
    if kind == "show":
        return kind, circuit, c.below(len(VIEWS)), c.below(PLANS)
    if kind == "hide":
        return kind, circuit, c.below(len(VIEWS))
    if kind == "work":
        return kind, circuit, c.pick((100, 1, 2, 3, 100))
    return kind, circuit
