"""Base tables: the current row of every id, held once, for all circuits; and what a query means against them.

Owns the runtime's truth about rows and schemas. Circuits are derived from it and share its row tuples.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

from sspcore.engine.change import Change
from sspcore.engine.circuit import Circuit
from sspcore.engine.door import Door
from sspcore.engine.draft import Resolution
from sspcore.engine.filing import read_in
from sspcore.engine.library import Blueprint, Library
from sspcore.engine.materialisation import answer
from sspcore.engine.options import CircuitOptions
from sspcore.engine.query import Catalog
from sspcore.engine.schema import Schema
from sspcore.engine.table import Table
from sspcore.engine.template import Template, Templates, Understood
from sspcore.engine.update import Result
from sspcore.errors import AlreadyExists
from sspcore.ingress.addresses import Addresses, Addressing, NotingDoor
from sspcore.ingress.needs import Needs, needs_of
from sspcore.ingress.regions import Regions
from sspcore.plan.nodes import Plan


class BaseTables:
    """Rows, schemas and marks, behind the door that judges changes.

    Args: `options`, as for a circuit; `reserved`, names no table may take.

    >>> base = BaseTables(CircuitOptions())
    >>> base.commit(base.resolve([Change("flights", "upsert", "AA1", {"carrier": "AA"})]))
    >>> base.answer(base.understand("SELECT carrier FROM flights", None, {})).rows
    [('AA',)]
    """

    def __init__(self, options: CircuitOptions, reserved: Container[str] = ()) -> None:
        self.options = options
        self.marks: dict[str, int] = {}
        self.forms = 0
        """Rises whenever a name may mean other columns than before: what was understood earlier may not hold."""
        self._tables: dict[str, Table] = {}
        self._declared: set[str] = set()
        self._door = Door(self._tables, options, self.marks, reserved)
        self._catalog = Catalog(self._tables, options.strict_tables)
        self.regions = Regions(self._tables)
        """Where to look for the rows of a region."""
        self.addresses = Addresses(self._tables, NotingDoor(self._tables, options, self.marks, reserved))
        """Where changes said that rows belong."""
        self.library = Library()
        """What queries mean, for everything that reads these tables or is derived from them."""
        self._needs: WeakKeyDictionary[Blueprint, Needs] = WeakKeyDictionary()
        self._needs_of = 0
        """As of which `forms`."""

    @property
    def tables(self) -> Mapping[str, Table]:
        """Table name → Table, to read."""
        return MappingProxyType(self._tables)

    def declare(self, schema: Schema) -> None:
        """Create a table. Raises AlreadyExists when it exists with another schema."""
        held = self._tables.get(schema.table)
        if held is None:
            self._tables[schema.table] = Table(schema)
            self.forms += 1
        elif held.schema != schema:
            raise AlreadyExists(f"table {schema.table!r} is declared twice, differently", hint="declare it once")
        self._declared.add(schema.table)

    def ensure(self, names: Iterable[str]) -> None:
        """Create those tables a query reads that nobody has declared or filled yet."""
        for name in names:
            if name not in self._tables:
                self._tables[name] = Table(self._catalog[name])

    def forget_empty(self, names: Iterable[str]) -> None:
        """Drop tables that only a query made: not declared, never filled. Misspelt names must not pile up."""
        for name in names:
            table = self._tables.get(name)
            if table is not None and name not in self._declared and not table.rows and not table.versions:
                del self._tables[name]

    def resolve(self, changes: Sequence[Change]) -> Resolution:
        """Judge a batch, writing nothing. Raises ChangeRejected."""
        return self._door.resolve(changes)

    def commit(self, resolution: Resolution, addressing: Addressing | None = None) -> None:
        """Write what was resolved against the present state, and what it makes of addresses."""
        self._door.commit(resolution)
        if addressing is not None:
            self.addresses.commit(addressing)
        if resolution.created or resolution.widened:
            self.forms += 1

    def understand(
        self, query: object, params: Mapping[str, Any] | None, views: Mapping[str, Plan], now: datetime | None = None,
        templates: Templates | None = None,
    ) -> Understood:  # fmt: skip
        """The checked plan of a query over these tables and these views of one circuit, `now` the time it tells.

        `templates` is what was understood among these views since `forms` rose last. Cost: microseconds for those.
        """
        return (templates or Templates(self.library)).understand(query, params, self._catalog, views, now)

    def circuit(self, name: str, options: CircuitOptions) -> Circuit:
        """A circuit to be filled from these tables: what its queries mean is not worked out again."""
        return read_in(Circuit(name, options=options), self.library)

    def needs(self, template: Template) -> Needs:
        """What a query needs. Cost: O(plan), once per plan and forms of the tables."""
        if self._needs_of != self.forms:
            self._needs.clear()
            self._needs_of = self.forms
        needs = self._needs.get(template.blueprint)
        if needs is None:
            needs = self._needs[template.blueprint] = needs_of(template, self._tables)
        return needs

    def missing(self, names: Iterable[str]) -> dict[str, Table]:
        """Empty tables for those of the names that have none."""
        return {name: Table(self._catalog[name]) for name in names if name not in self._tables}

    def answer(self, understood: Understood) -> Result:
        """Answer a one-off query: one consistent cut over all tables. Cost: that of computing it once."""
        template = understood.template
        tables = self._tables | self.missing(template.tables)
        return Result(template.columns, answer(template, understood.params, tables))
