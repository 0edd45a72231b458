"""Undoing a commit that could not finish (a BaseException: cancellation, interrupt, a closed generator).

Owns the way back. The net row changes are the undo log: old rows are written back, and nothing else was lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sspcore.engine.draft import Resolution
from sspcore.engine.materialisation import Materialisation

if TYPE_CHECKING:
    from sspcore.engine.circuit import Circuit


_NOTHING: Any = {}


class Undo:
    """What a circuit was before a commit; `run` makes it so again, with the views it reached left to hydrate anew."""

    __slots__ = ("circuit", "generation", "marks", "resolution", "schemas", "versions", "views")

    def __init__(self, circuit: Circuit, resolution: Resolution, reached: list[Materialisation]) -> None:
        self.circuit, self.resolution = circuit, resolution
        self.generation = circuit._generation
        self.marks = self.schemas = self.versions = _NOTHING
        if resolution.marks:
            self.marks = {source: circuit._marks.get(source) for source in resolution.marks}
        if resolution.widened:
            self.schemas = {name: circuit._tables[name].schema for name in resolution.widened}
        if resolution.versions:
            self.versions = {
                name: {key: circuit._tables[name].versions.get(key) for key in stamped}
                for name, stamped in resolution.versions.items()
                if name in circuit._tables
            }
        self.views = [(kept, [(view, view.version, view.epoch) for view in kept.views]) for kept in reached]

    def run(self) -> None:
        """Put everything back. Safe at any point of the commit, also half-way through the tables."""
        circuit, resolution = self.circuit, self.resolution
        circuit._generation = self.generation
        if resolution.created or self.schemas:
            circuit._templates.forget()
        for name, net in resolution.net.items():
            if name in circuit._tables:
                circuit._tables[name].unwrite(net)
        for name in resolution.created:
            circuit._tables.pop(name, None)
        for name, schema in self.schemas.items():
            circuit._tables[name].narrow(schema)
        for name, versions in self.versions.items():
            _put_back(circuit._tables[name].versions, versions)
        _put_back(circuit._marks, self.marks)
        for kept, views in self.views:
            kept.dirty = True
            kept.views = [view for view, _, _ in views]
            for view, version, epoch in views:
                view.version, view.epoch = version, epoch
                circuit._file(view)
        if self.schemas:  # the readers of wider tables were filed anew, maybe half of them
            for name in {name for kept, _ in self.views for name in kept.template.tables}:
                circuit._refile(name)


def _put_back(held: dict[Any, int], before: Mapping[Any, int | None]) -> None:
    for key, value in before.items():
        if value is None:
            held.pop(key, None)
        else:
            held[key] = value
