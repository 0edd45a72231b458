"""Filing: how a circuit's views find the values they show, and changes the values they concern.

Owns what is shared: views of the same query and parameters have one materialisation, which is filed under what it
reads for as long as one of them is there. Refuses to know when a value moves.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING

from sspcore.engine.library import Library
from sspcore.engine.materialisation import Materialisation
from sspcore.engine.options import CircuitOptions
from sspcore.engine.readers import Readers
from sspcore.engine.shaped import shaped
from sspcore.engine.table import Table
from sspcore.engine.template import Templates, Understood, sharing_key
from sspcore.engine.update import ViewUpdate
from sspcore.engine.view import View
from sspcore.errors import Busy

if TYPE_CHECKING:
    from sspcore.engine.circuit import Circuit


def read_in(circuit: Circuit, library: Library) -> Circuit:
    """Have a circuit, which has no views yet, read its queries in a library that others read theirs in; gives it.

    They must all be of one thread.
    """
    circuit._templates = Templates(library)
    return circuit


class Filing:
    """The part of `Circuit` that this module owns; not to be used by itself."""

    options: CircuitOptions
    _tables: dict[str, Table]
    _views: dict[str, View]
    _readers: dict[str, Readers]
    _kept: dict[object, Materialisation]
    _templates: Templates
    _failed: dict[str, Exception]
    _sliced: bool
    _generation: int
    _timed: dict[Materialisation, None]
    _lazy: dict[str, dict[Materialisation, None]]

    @property
    def _circuit(self) -> Circuit:
        return self  # type: ignore[return-value]  # each circuit is one

    def _require_idle(self) -> None:
        if self._sliced:
            raise Busy(f"circuit {self._circuit.name!r} is in the midst of a sliced commit", hint="drive it to its end")

    def _sharing_key(self, understood: Understood, lazy: bool) -> object:
        key = sharing_key(understood.template, understood.params)
        return (key, "lazy") if lazy and key is not None else key

    def _materialise(self, understood: Understood, tables: Mapping[str, Table], lazy: bool = False) -> Materialisation:
        """The value of a template and its parameters, shared with every view of the same; hydrated."""
        kept = self._kept_of(understood, lazy)
        if kept.dirty:
            try:
                kept.hydrate(tables)
            except BaseException:
                if not kept.filed:
                    kept.leave()
                raise
        return kept

    def _materialise_in_slices(
        self, understood: Understood, tables: Mapping[str, Table], lazy: bool, size: int
    ) -> Generator[None, None, Materialisation]:
        """`_materialise` in steps of about `size` rows."""
        kept = self._kept_of(understood, lazy)
        if kept.dirty:
            try:
                yield from kept.hydrate_in_slices(tables, size)
            except BaseException:
                if not kept.filed:
                    kept.leave()
                raise
        return kept

    def _kept_of(self, understood: Understood, lazy: bool) -> Materialisation:
        """The materialisation that views of the same share, or a new one that nobody has filed."""
        template, params = understood.template, understood.params
        key = sharing_key(template, params)
        if lazy and key is not None:
            key = (key, "lazy")
        kept = self._kept.get(key) if key is not None else None
        if kept is None:
            kept = Materialisation(template, params, key, self.options.execution)
            if lazy:
                kept.lazy = True
        return kept

    def _view_epoch(self, generation: int | None = None) -> str:
        number = self._generation if generation is None else generation
        return f"{self._circuit.epoch}.{number}" if number else self._circuit.epoch

    def _file(self, view: View) -> None:
        """Let a view be found, and its materialisation by those who change what it reads."""
        kept = view.materialisation
        self._views[view.id] = view
        self._templates.named(view.id)
        if view not in kept.views:
            kept.views.append(view)
        if not kept.filed:
            kept.filed = True
            if kept.key is not None:
                self._kept[kept.key] = kept
            if kept.template.timed:
                self._timed[kept] = None
            for name in kept.template.tables:
                self._add_reader(name, kept)

    def _drop(self, view_id: str) -> None:
        view = self._views.pop(view_id)
        self._generation += 1
        self._templates.unnamed(view_id)
        self._leave(view)

    def _leave(self, view: View, kept: Materialisation | None = None) -> None:
        """Part a view from its materialisation, or one it had; the last view takes it along."""
        kept = view.materialisation if kept is None else kept
        kept.views = [other for other in kept.views if other is not view]
        if kept.views or not kept.filed:
            return
        kept.filed = False
        if kept.key is not None:
            self._kept.pop(kept.key, None)
        if kept.template.timed:
            self._timed.pop(kept, None)
        for name in kept.template.tables:
            self._remove_reader(name, kept)
        kept.leave()

    def _remove_reader(self, name: str, kept: Materialisation) -> None:
        if name in self._lazy:
            self._lazy[name].pop(kept, None)
            if not self._lazy[name]:
                del self._lazy[name]
        readers = self._readers.get(name)
        if readers is not None:
            readers.remove(kept)
            if not readers:
                del self._readers[name]

    def _add_reader(self, name: str, kept: Materialisation) -> None:
        if kept.lazy:
            self._lazy.setdefault(name, {})[kept] = None
            return
        interests = kept.template.over(self._tables).interests
        if name not in interests:
            return  # the value does not depend on it
        readers = self._readers.get(name)
        if readers is None:
            readers = self._readers[name] = Readers(list(self._tables[name].schema.columns.values()))
        readers.add(kept, interests[name].clause(kept.params))

    def _refile(self, name: str) -> None:
        """A table has other columns: file its readers, all anew, under what they depend on now. Cost: O(views)."""
        self._readers.pop(name, None)
        for kept in dict.fromkeys([view.materialisation for view in self._views.values()]):
            if name in kept.template.tables:
                self._add_reader(name, kept)

    def _fail(self, errors: Mapping[str, Exception]) -> None:
        """Drop views that cannot go on."""
        for view_id, error in errors.items():
            self._drop(view_id)
            self._failed[view_id] = error

    def _read_anew(self, view: View, version: int, table: str) -> ViewUpdate:
        """A table a view reads by `*` has new columns: what its query means now, as an update that replaces all."""
        self._generation += 1
        self._templates.forget()
        understood = self._circuit._understand(view.query, view.params)
        if view.format == "tree":
            understood = shaped(understood, self._templates)
        kept = self._materialise(understood, self._tables, view.materialisation.lazy)
        fresh = type(view)(view.id, view.query, kept, view.epoch, view.version, understood.warnings)
        self._leave(view)
        self._file(fresh)
        return fresh.reset(version, self._view_epoch(), f"table {table!r} has new columns")

    def _rekey(self, kept: Materialisation, key: object) -> None:
        """File a materialisation under what it is now, after its parameters changed."""
        if kept.key is not None and self._kept.get(kept.key) is kept:
            del self._kept[kept.key]
        kept.key = key
        if key is not None:
            self._kept[key] = kept
        for name in kept.template.tables:
            self._remove_reader(name, kept)
            self._add_reader(name, kept)

    def _read_from(self, view: View, kept: Materialisation) -> None:
        """Have a view read another materialisation; the one it leaves goes when nobody else reads it."""
        old = view.materialisation
        view.materialisation = kept
        self._file(view)
        if old is not kept:
            self._leave(view, old)

    def _mark(self, table: str) -> None:
        """A table changes: lazy views that read it are out of date."""
        for kept in self._lazy.get(table, ()):
            kept.dirty = True
