"""The circuit: tables, views and one version counter; the unit of consistency and isolation.

Owns atomicity: a batch moves all views together, or nothing happens. The unit of fault is the view: one that raises
is hydrated anew, and when that fails too it alone is dropped. Refuses to know tasks, queues and other circuits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar, overload

from sspcore.algebra.values import Value, same
from sspcore.engine.change import Change
from sspcore.engine.commit import commit_batch
from sspcore.engine.commit_one import commit_one
from sspcore.engine.deferred import Deferred
from sspcore.engine.door import Door
from sspcore.engine.draft import Resolution
from sspcore.engine.drained import drained
from sspcore.engine.explain import Explanation, explain_plan
from sspcore.engine.filing import Filing
from sspcore.engine.fused import listing
from sspcore.engine.image import Codec, Cut, cut_circuit, load_image
from sspcore.engine.materialisation import Materialisation, answer
from sspcore.engine.moves import Moves
from sspcore.engine.options import CircuitOptions
from sspcore.engine.query import Bound, Catalog
from sspcore.engine.readers import Readers
from sspcore.engine.schema import Schema
from sspcore.engine.shaped import shaped, view_class
from sspcore.engine.sliced import Given, Wanted, resolve_rows
from sspcore.engine.statistics import CircuitStatistics
from sspcore.engine.table import Id, Row, Table
from sspcore.engine.template import Template, Templates, Understood
from sspcore.engine.update import Commit, Result, Snapshot
from sspcore.engine.view import View
from sspcore.errors import (
    AlreadyExists,
    ChangeRejected,
    CircuitFailed,
    SchemaError,
    UnknownTable,
    UnknownView,
    UsageError,
)

T = TypeVar("T")


class Circuit(Moves, Filing):
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
        self._readers: dict[str, Readers] = {}
        self._kept: dict[object, Materialisation] = {}
        self._alone: dict[str, Callable[[Change], Commit | None]] = {}
        self._templates = Templates()
        self._failed: dict[str, Exception] = {}
        self._marks: dict[str, int] = {}
        self._generation = 0
        self.now, self._sliced = None, False
        self._timed, self._lazy = {}, {}
        self._catalog = Catalog(self._tables, self.options.strict_tables)
        self._bound = Bound(self._views)
        self._deferred = Deferred(self.options.pending_limit)
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
        self._require_idle()
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
        self._templates.forget()

    def drop_table(self, name: str) -> None:
        """Forget a table and its rows. Raises UnknownTable, or UsageError while a view reads it."""
        self._require_idle()
        if name not in self._tables:
            raise UnknownTable(name, self._tables)
        for reader in self._views.values():
            if name in reader.tables:
                raise UsageError(f"table {name!r} is read by view {reader.id!r}", hint="unregister it first")
        del self._tables[name]
        self._templates.forget()

    def widen(self, schema: Schema) -> Commit:
        """Adopt a schema that adds columns at the end; views reading the table are brought up to date."""
        self._require_idle()
        held = self._tables.get(schema.table)
        if held is None:
            raise UnknownTable(schema.table, self._tables)
        if schema.names[: len(held.names)] != held.names:
            raise SchemaError(f"table {schema.table!r} can only be widened: columns are added at the end")
        widened = {schema.table: schema} if schema.names != held.names else {}
        return commit_batch(self, Resolution({}, {}, widened, {}, {}, 0, 0, 0))

    # Changes

    def apply(self, changes: Iterable[Change]) -> Commit:
        """Apply a batch atomically and give the update of every view it changed.

        Raises ChangeRejected (the producer's fault; carries index and change): then nothing happened at all.
        Cost: O(changes) plus what each view it reaches costs.

        >>> Circuit().apply([Change("t", "upsert", 1, {"x": 2})]).version
        1
        """
        batch = changes if type(changes) is list else list(changes)
        if self._sliced or self._deferred.size:
            self._require_idle()
            return self._deferred.apply(self, batch)
        if len(batch) == 1:
            try:
                alone = self._alone.get(batch[0].table)
                if alone is not None and (commit := alone(batch[0])) is not None:
                    return commit
            except (AttributeError, TypeError, ValueError, KeyError, ChangeRejected):
                pass  # whatever is wrong with the change, the plain way says it
            return commit_one(self, batch[0])
        return commit_batch(self, self._door.resolve(batch))

    def deliver(self, entries: Iterable[tuple[str, Id, Row | None]]) -> Commit:
        """Apply resolved rows: (table, id, row tuple in schema order) puts, (table, id, None) retracts.

        For those who hold the truth elsewhere (a runtime's base tables): rows are trusted, canonical and laid out;
        nothing is judged. Raises UnknownTable.
        """
        if self._deferred.size:
            raise UsageError(f"{self._deferred.size} changes wait", hint="flush them before rows are delivered")
        self._require_idle()
        return commit_batch(self, drained(resolve_rows(self._tables, entries, None)))

    # Views

    def register(
        self, view_id: str, query: object, params: Mapping[str, Any] | None = None, *, replace: bool = False,
        format: str = "rows", lazy: bool = False, digest: bool = False,
    ) -> Snapshot:  # fmt: skip
        """Keep a query live under an id, and give its first value.

        Args: `query`, SQL text, a builder query, a plan or a JSON plan; `params`, a value for each `$name`;
        `replace`, let another query take over the id; `format`, how rows are shown: "rows", "ids" (a digest in each
        row's place) or "tree" (nested rows with their keys); `lazy`, computed when read instead of kept; `digest`, keep
        `View.digest` as the view moves. The same query again just gives the snapshot.
        Raises SqlError or PlanError, AlreadyExists, UsageError (all the caller's); then nothing happened.
        Cost: that of computing the view once.

        >>> Circuit().register("all", "SELECT id FROM t").rows
        []
        """
        if self._sliced:
            self._require_idle()
        wanted = self._wanted((view_id, query, params, replace, format, lazy, digest))
        if wanted is None:
            return self._read(view_id).snapshot()
        _, understood, fresh = wanted
        kept = self._materialise(understood, self._tables | fresh if fresh else self._tables, lazy)
        return self._take_on(view_id, query, wanted, kept)

    def _register_in_slices(self, given: Given, size: int) -> Generator[None, None, Snapshot]:
        """`register` in steps of about `size` rows. Closed before its end it has done nothing."""
        view_id, query, _, _, _, lazy, _ = given
        wanted = self._wanted(given)
        if wanted is None:
            return self._read(view_id).snapshot()
        _, understood, fresh = wanted
        kept = yield from self._materialise_in_slices(understood, self._tables | fresh, lazy, size)
        return self._take_on(view_id, query, wanted, kept)

    def _wanted(self, given: Given) -> Wanted | None:
        """What is to be registered, if that may be; None when it is already."""
        view_id, query, params, replace, format, lazy, digest = given
        if not isinstance(view_id, str) or not view_id:
            raise UsageError(f"a view id is text, not {view_id!r}")
        if view_id in self._tables:
            raise AlreadyExists(f"{view_id!r} is a table", hint="views and tables share one namespace")
        kind = View if format == "rows" and not digest else view_class(format, digest)
        understood = self._templates.understand(query, params, self._catalog, self._bound, self.now)
        if format == "tree":
            understood = shaped(understood, self._templates)
        template = understood.template
        if view_id in template.tables:
            raise UsageError(f"view {view_id!r} would read a table of the same name", hint="choose another id")
        held = self._views.get(view_id)
        if held is not None:
            alike = (type(held), held.materialisation.lazy) == (kind, lazy)
            if alike and held.plan == template.plan and _same_params(held.params, understood.params):
                return None
            if not replace:
                raise AlreadyExists(
                    f"view {view_id!r} exists with another query or other parameters",
                    hint="pass replace=True, or choose another id",
                )
        return kind, understood, {} if template.uses else self._missing(template.tables)  # in use they are all there

    def _take_on(self, view_id: str, query: object, wanted: Wanted, kept: Materialisation) -> Snapshot:
        """Have a view of what was computed, in place of the one under its id."""
        kind, understood, fresh = wanted
        held = view_id in self._views
        generation = self._generation + held
        epoch = self._view_epoch(generation) if generation else self.options.epoch
        view = kind(view_id, query, kept, epoch, self.version, understood.warnings)
        if fresh:
            self._tables.update(fresh)
        if held:
            self._drop(view_id)
        self._generation = generation
        if self._failed:
            self._failed.pop(view_id, None)
        self._file(view)
        return view.snapshot()

    def unregister(self, view_id: str) -> None:
        """Forget a view. Raises UnknownView."""
        self._require_idle()
        if self._failed.pop(view_id, None) is not None:
            return
        if view_id not in self._views:
            raise UnknownView(view_id, self._views)
        self._drop(view_id)

    def view(self, view_id: str) -> View:
        """The live view. Raises UnknownView, or CircuitFailed when it failed for good."""
        self._require_idle()
        return self._read(view_id)

    def _read(self, view_id: str) -> View:
        view = self._views.get(view_id)
        if view is None:
            if view_id in self._failed:
                raise CircuitFailed(
                    f"view {view_id!r} failed: {self._failed[view_id]!r}", hint="register it again to revive it"
                )
            raise UnknownView(view_id, self._views)
        if view.dirty:
            view.materialisation.hydrate(self._tables)
            if view.materialisation.lazy:
                for reader in view.materialisation.views:
                    reader.version = reader.before = self.version
        return view

    @overload
    def rows(self, view_id: str) -> list[Row]: ...
    @overload
    def rows(self, view_id: str, *, as_type: type[T]) -> list[T]: ...
    def rows(self, view_id: str, *, as_type: type[Any] | None = None) -> list[Any]:
        """The current rows of a view, in order for an ordered one; `as_type`: as objects of an attrs class."""
        return self.view(view_id).rows() if as_type is None else self.view(view_id).rows(as_type)

    def query(self, query: object, params: Mapping[str, Any] | None = None) -> Result:
        """Answer a one-off query from the current tables, by the same operators, keeping nothing.

        >>> Circuit().query("SELECT 1 + 1 AS two").rows
        [(2,)]
        """
        self._require_idle()
        understood = self._understand(query, params)
        template = understood.template
        tables = self._tables | self._missing(template.tables)
        return Result(template.columns, answer(template, understood.params, tables))

    def explain(self, query: object, *, code: bool = False) -> Explanation:
        """The plan of a view (by id) or of a query, for people: `print(circuit.explain(...))`.

        With `code` also the generated functions that keep its value, commented; of a view, as far as there are any yet,
        those that lone changes of its tables go through on their way to all views.
        """
        if isinstance(query, str) and query in self._views:
            view = self._views[query]
            alone = listing(self, view.tables) if code else ""
            return self._explained(view.template, view.params, view.warnings, code, alone)
        reading = self._templates.read(query, self._catalog, self._bound)
        return self._explained(self._templates.of_plan(reading.plan), {}, reading.warnings, code)

    def _explained(
        self, template: Template, params: Mapping[str, Value], warnings: tuple[str, ...], code: bool, alone: str = ""
    ) -> Explanation:
        """The explanation of a template, whether its tables are there yet or not."""
        tables = self._tables | self._missing(template.tables)
        text = template.code(tables).listing() + alone if code else ""
        return explain_plan(template.plan, params, warnings, text, template.assumed(tables))

    # Image

    def image(self, codec: Codec | None = None) -> bytes:
        """The circuit as bytes: schemas, rows, plans, versions and marks; never operator state. Cost: O(rows).

        Args: `codec`, who writes the JSON in it: the standard library, unless you pass a faster one (`msgspec.json`).
        Raises UsageError (the caller's) while changes are put off: they are in no table yet.
        """
        return self.cut().encode(codec)

    def cut(self) -> Cut:
        """The circuit as it is now, for `Cut.encode` to make an image of when there is time: in a thread, for one.

        Raises as `image` does. Cost: one pointer a row, and O(tables + views).
        """
        self._require_idle()
        if self._deferred.size:
            raise UsageError(f"{self._deferred.size} changes wait", hint="flush them before taking an image")
        return cut_circuit(self)

    @classmethod
    def restore(cls, data: bytes, *, epoch: str | None = None, codec: Codec | None = None) -> Circuit:
        """A circuit that goes on exactly where the image was taken.

        Args: `epoch`, a new one when the image may be older than what readers have seen; `codec`, who reads the JSON,
        which need not be the one that wrote it. Raises UsageError for bytes that are no image, are damaged, or come
        from a newer format.
        """
        return load_image(cls, data, epoch, codec)

    def statistics(self) -> CircuitStatistics:
        """Counters and sizes, as a frozen value. Cost: O(tables + views)."""
        return CircuitStatistics(
            self.name, self.version, {name: len(t.rows) for name, t in self._tables.items()},
            {view_id: view.statistics for view_id, view in self._views.items()}, tuple(self._failed),
        )  # fmt: skip

    # Inside

    def _understand(self, query: object, params: Mapping[str, Any] | None) -> Understood:
        return self._templates.understand(query, params, self._catalog, self._bound, self.now)

    def _missing(self, names: frozenset[str]) -> dict[str, Table]:
        """Empty tables for those of the names that have none."""
        if names <= self._tables.keys():
            return {}
        return {name: Table(self._catalog[name]) for name in names if name not in self._tables}


def _same_params(a: Mapping[str, Value], b: Mapping[str, Value]) -> bool:
    return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
