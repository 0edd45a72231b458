"""The circuit: tables, views and one version counter; the unit of consistency and isolation.

Owns atomicity: a batch moves all views together, or nothing happens. The unit of fault is the view: one that raises
is hydrated anew, and when that fails too it alone is dropped. Refuses to know tasks, queues and other circuits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from sspcore.algebra.values import Value, same
from sspcore.engine.change import Change
from sspcore.engine.door import Door, Resolution
from sspcore.engine.explain import Explanation, explain_plan
from sspcore.engine.image import dump_image, load_image
from sspcore.engine.options import CircuitOptions
from sspcore.engine.query import Catalog, Understood, lower_query, understand
from sspcore.engine.schema import Schema
from sspcore.engine.statistics import CircuitStatistics, batch_statistics
from sspcore.engine.table import Id, Net, Row, Table
from sspcore.engine.undo import Undo
from sspcore.engine.update import Commit, Result, Snapshot, ViewUpdate
from sspcore.engine.view import View
from sspcore.errors import (
    AlreadyExists,
    CircuitFailed,
    SchemaError,
    UnknownTable,
    UnknownView,
    UsageError,
)
from sspcore.plan.nodes import Plan, Scan
from sspcore.plan.traverse import walk_plan


class Circuit:
    """Tables and live views, kept up to date one batch at a time. Synchronous: no task, no clock.

    Args:
        name: for people and messages.
        schemas: declared tables; tables nobody declares are open (any column, key `id`).
        options: see `CircuitOptions`.

    >>> circuit = Circuit(schemas=[Schema("flights", {"carrier": "text", "delay": "integer"})])
    >>> sql = "SELECT carrier, count(*) AS n FROM flights WHERE delay > $m GROUP BY carrier"
    >>> circuit.register("late", sql, {"m": 60}).rows
    []
    >>> commit = circuit.apply([Change("flights", "upsert", "AA1", {"carrier": "AA", "delay": 75})])
    >>> commit.updates["late"].added
    (('AA', 1),)
    """

    def __init__(
        self, name: str = "main", schemas: Iterable[Schema] = (), *, options: CircuitOptions | None = None
    ) -> None:
        self.name = name
        self.options = options or CircuitOptions()
        self.version = 0
        self._tables: dict[str, Table] = {}
        self._views: dict[str, View] = {}
        self._readers: dict[str, dict[str, View]] = {}
        self._failed: dict[str, Exception] = {}
        self._marks: dict[str, int] = {}
        self._generation = 0
        self._door = Door(self._tables, self.options, self._marks, self._views)
        for schema in schemas:
            self.create_table(schema)

    # What it holds

    @property
    def epoch(self) -> str:
        """The name of the circuit's numbering history."""
        return self.options.epoch

    @property
    def tables(self) -> Mapping[str, Table]:
        """Table name → Table, to read."""
        return MappingProxyType(self._tables)

    @property
    def views(self) -> Mapping[str, View]:
        """View id → View, to read."""
        return MappingProxyType(self._views)

    @property
    def failed(self) -> Mapping[str, Exception]:
        """Views that failed for good, with what they raised; registering one again revives it."""
        return MappingProxyType(self._failed)

    @property
    def marks(self) -> Mapping[str, int]:
        """Source → the last seq applied."""
        return MappingProxyType(self._marks)

    # Tables

    def create_table(self, schema: Schema) -> None:
        """Declare a table. The same schema again is fine. Raises AlreadyExists when the name is taken otherwise."""
        if schema.table in self._views:
            raise AlreadyExists(f"{schema.table!r} is a view", hint="views and tables share one namespace")
        held = self._tables.get(schema.table)
        if held is not None:
            if held.schema == schema and held.schema.columns == schema.columns:
                return
            raise AlreadyExists(
                f"table {schema.table!r} exists with another schema",
                hint="declare tables before their first row or view",
            )
        self._tables[schema.table] = Table(schema)

    def drop_table(self, name: str) -> None:
        """Forget a table and its rows. Raises UnknownTable, or UsageError while a view reads it."""
        if name not in self._tables:
            raise UnknownTable(name, self._tables)
        if self._readers.get(name):
            reader = next(iter(self._readers[name]))
            raise UsageError(f"table {name!r} is read by view {reader!r}", hint="unregister it first")
        del self._tables[name]

    def widen(self, schema: Schema) -> Commit:
        """Adopt a schema that adds columns at the end; views reading the table are brought up to date."""
        held = self._tables.get(schema.table)
        if held is None:
            raise UnknownTable(schema.table, self._tables)
        if schema.names[: len(held.names)] != held.names:
            raise SchemaError(f"table {schema.table!r} can only be widened: columns are added at the end")
        widened = {schema.table: schema} if schema.names != held.names else {}
        return self._commit(Resolution({}, {}, widened, {}, {}, 0, 0, 0))

    # Changes

    def apply(self, changes: Iterable[Change]) -> Commit:
        """Apply a batch atomically and give the update of every view it changed.

        Raises ChangeRejected (the producer's fault; carries index and change): then nothing happened at all.
        Cost: O(changes) plus what each view it reaches costs.

        >>> Circuit().apply([Change("t", "upsert", 1, {"x": 2})]).version
        1
        """
        return self._commit(self._door.resolve(changes if type(changes) is list else list(changes)))

    def deliver(self, entries: Iterable[tuple[str, Id, Row | None]]) -> Commit:
        """Apply resolved rows: (table, id, row tuple in schema order) puts, (table, id, None) retracts.

        For those who hold the truth elsewhere (a runtime's base tables): rows are trusted, canonical and laid out;
        nothing is judged. Raises UnknownTable.
        """
        touched: dict[str, dict[Id, Row | None]] = {}
        received = 0
        for name, key, row in entries:
            rows = touched.get(name)
            if rows is None:
                if name not in self._tables:
                    raise UnknownTable(name, self._tables)
                rows = touched[name] = {}
            rows[key] = row
            received += 1
        net: dict[str, list[Net]] = {}
        for name, rows in touched.items():
            held = self._tables[name].rows
            changed: list[Net] = []
            for key, row in rows.items():
                old = held.get(key)
                if old is not row and (old is None or row is None or not same(old, row)):
                    changed.append((key, old, row))
            if changed:
                net[name] = changed
        changes = sum(map(len, net.values()))
        return self._commit(Resolution(net, {}, {}, {}, {}, received, received - changes, 0))

    def _commit(self, resolution: Resolution) -> Commit:
        net = resolution.net
        if not net and not resolution.widened:
            self._door.commit(resolution)
            return Commit(self.version, {}, {}, partial(batch_statistics, resolution, 0, 0))
        failed: dict[str, Exception] = {}
        readers = self._reached(resolution)
        for view in readers:
            if view.dirty:  # left by a commit that was rolled back
                try:
                    view.hydrate(self._tables)
                except Exception as error:  # noqa: BLE001 - the unit of fault is the view
                    failed[view.id] = error
        undo = Undo(self, resolution, readers)
        version = self.version + 1
        updates: dict[str, ViewUpdate] = {}
        try:
            self._door.commit(resolution)
            for view in readers:
                if view.id in failed:
                    continue
                try:
                    update = self._advance(view, resolution, version)
                except Exception as error:  # noqa: BLE001 - the unit of fault is the view
                    failed[view.id] = error
                    continue
                if update is not None:
                    updates[view.id] = update
            self.version = version  # the point of no return: from here on the batch has happened
        except BaseException:
            undo.run()
            raise
        for view_id, reason in failed.items():
            self._drop(view_id)
            self._failed[view_id] = reason
        return Commit(version, updates, failed, partial(batch_statistics, resolution, len(readers), len(updates)))

    def _advance(self, view: View, resolution: Resolution, version: int) -> ViewUpdate | None:
        """Advance one view; when it raises hydrate it anew; when that raises too, so does this."""
        widened = resolution.widened.keys() & view.tables if resolution.widened else None
        if not widened:
            try:
                return view.advance(resolution.net, version)
            except Exception:  # noqa: BLE001 - as above; if this raises too, the view has failed
                return view.rehydrate(self._tables, version)
        stars = {node.table for node in walk_plan(view.plan) if isinstance(node, Scan) and node.star}
        if not stars & widened or isinstance(view.query, Plan):
            return view.rehydrate(self._tables, version)
        self._generation += 1
        understood = self._understand(view.query, view.params)
        before = view.version
        fresh = View(view.id, view.query, understood.plan, view.params, view.epoch, before, understood.warnings)
        fresh.hydrate(self._tables)
        self._file(fresh)
        return fresh.reset(version, self._view_epoch(), f"table {min(stars & widened)!r} has new columns")

    def _reached(self, resolution: Resolution) -> list[View]:
        names = [*resolution.net, *resolution.widened] if resolution.widened else resolution.net
        if len(names) == 1:
            for name in names:
                return list(self._readers.get(name, {}).values())
        found: dict[str, View] = {}
        for name in names:
            found.update(self._readers.get(name, {}))
        return list(found.values())

    # Views

    def register(
        self, view_id: str, query: object, params: Mapping[str, Any] | None = None, *, replace: bool = False
    ) -> Snapshot:
        """Keep a query live under an id, and give its first value.

        Args: `query`, SQL text, a builder query, a plan or a JSON plan; `params`, a value for each `$name`;
        `replace`, let another query take over the id. The same query again just gives the snapshot.
        Raises SqlError or PlanError, AlreadyExists, UsageError (all the caller's); then nothing happened.
        Cost: that of computing the view once.

        >>> Circuit().register("all", "SELECT id FROM t").rows
        []
        """
        if not isinstance(view_id, str) or not view_id:
            raise UsageError(f"a view id is text, not {view_id!r}")
        if view_id in self._tables:
            raise AlreadyExists(f"{view_id!r} is a table", hint="views and tables share one namespace")
        understood = self._understand(query, params)
        held = self._views.get(view_id)
        if held is not None:
            if held.plan == understood.plan and _same_params(held.params, understood.params):
                return self.view(view_id).snapshot()
            if not replace:
                raise AlreadyExists(
                    f"view {view_id!r} exists with another query or other parameters",
                    hint="pass replace=True, or choose another id",
                )
        generation = self._generation + (held is not None)
        epoch = self._view_epoch(generation)
        view = View(view_id, query, understood.plan, understood.params, epoch, self.version, understood.warnings)
        catalog = self._catalog()
        fresh = {name: Table(catalog[name]) for name in view.tables if name not in self._tables}
        view.hydrate(self._tables | fresh)
        self._tables.update(fresh)
        if held is not None:
            self._drop(view_id)
        self._generation = generation
        self._failed.pop(view_id, None)
        self._file(view)
        return view.snapshot()

    def unregister(self, view_id: str) -> None:
        """Forget a view. Raises UnknownView."""
        if self._failed.pop(view_id, None) is not None:
            return
        if view_id not in self._views:
            raise UnknownView(view_id, self._views)
        self._drop(view_id)

    def view(self, view_id: str) -> View:
        """The live view. Raises UnknownView, or CircuitFailed when it failed for good."""
        view = self._views.get(view_id)
        if view is None:
            if view_id in self._failed:
                raise CircuitFailed(
                    f"view {view_id!r} failed: {self._failed[view_id]!r}", hint="register it again to revive it"
                )
            raise UnknownView(view_id, self._views)
        if view.dirty:
            view.hydrate(self._tables)
        return view

    def rows(self, view_id: str) -> list[Row]:
        """The current rows of a view, in order for an ordered one. Cost: O(rows)."""
        return self.view(view_id).rows()

    def query(self, query: object, params: Mapping[str, Any] | None = None) -> Result:
        """Answer a one-off query from the current tables, by the same operators, keeping nothing.

        >>> Circuit().query("SELECT 1 + 1 AS two").rows
        [(2,)]
        """
        understood = self._understand(query, params)
        view = View("", query, understood.plan, understood.params, self.epoch, self.version)
        catalog = self._catalog()
        view.hydrate(self._tables | {name: Table(catalog[name]) for name in view.tables if name not in self._tables})
        return Result(view.columns, view.rows())

    def explain(self, query: object) -> Explanation:
        """The plan of a view (by id) or of a query, for people: `print(circuit.explain(...))`."""
        if isinstance(query, str) and query in self._views:
            view = self._views[query]
            return explain_plan(view.plan, view.params, view.warnings)
        lowered = lower_query(query, self._catalog(), self._plans())
        return explain_plan(lowered.plan, {}, lowered.warnings)

    # Image

    def image(self) -> bytes:
        """The circuit as bytes: schemas, rows, plans, versions and marks; never operator state. Cost: O(rows)."""
        return dump_image(self)

    @classmethod
    def restore(cls, data: bytes, *, epoch: str | None = None) -> Circuit:
        """A circuit that goes on exactly where the image was taken.

        Pass a new `epoch` when the image may be older than what readers have seen. Raises UsageError for bytes that
        are no image, are damaged, or come from a newer format.
        """
        return load_image(cls, data, epoch)

    def statistics(self) -> CircuitStatistics:
        """Counters and sizes, as a frozen value. Cost: O(tables + views)."""
        return CircuitStatistics(
            self.name, self.version, {name: len(t.rows) for name, t in self._tables.items()},
            {view_id: view.statistics for view_id, view in self._views.items()}, tuple(self._failed),
        )  # fmt: skip

    # Inside

    def _catalog(self) -> Catalog:
        return Catalog(self._tables, self.options.strict_tables)

    def _plans(self) -> dict[str, Plan]:
        return {view_id: view.bound for view_id, view in self._views.items()}

    def _understand(self, query: object, params: Mapping[str, Any] | None) -> Understood:
        return understand(query, params, self._catalog(), self._plans())

    def _view_epoch(self, generation: int | None = None) -> str:
        number = self._generation if generation is None else generation
        return f"{self.epoch}.{number}" if number else self.epoch

    def _file(self, view: View) -> None:
        self._views[view.id] = view
        for name in view.tables:
            self._readers.setdefault(name, {})[view.id] = view

    def _drop(self, view_id: str) -> None:
        view = self._views.pop(view_id)
        self._generation += 1
        for name in view.tables:
            readers = self._readers[name]
            readers.pop(view_id, None)
            if not readers:
                del self._readers[name]


def _same_params(a: Mapping[str, Value], b: Mapping[str, Value]) -> bool:
    return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
