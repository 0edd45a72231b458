"""A view: a registered query under its id, with the version readers know it by.

Owns what a reader sees: columns, rows, snapshots, versions. The value is its materialisation's, which views of the
same plan and parameters share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, overload

import attrs

from sspcore.algebra.values import Key, Value
from sspcore.engine.digest import digest_of, shown_digest
from sspcore.engine.materialisation import Materialisation
from sspcore.engine.template import Template
from sspcore.engine.typed import reader
from sspcore.engine.update import Placement, Row, RowChange, Snapshot, ViewUpdate
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import bind_plan

T = TypeVar("T")


@attrs.frozen
class ViewStatistics:
    """What a view has done so far: rows held, commits that changed it, times hydrated anew, NULLs by error."""

    rows: int
    version: int
    advances: int
    updates: int
    rehydrates: int
    expression_nulls: int
    rows_touched: int
    probes: int
    trips: int = 0
    """Commits for which computing the value anew was cheaper than following the changes."""


class View:
    """A registered query and its live value. Made by `Circuit.register`; read-only for users.

    Attributes: `id`, `epoch`, `version` (the commit that last changed or hydrated it), `columns`, `ordered`.
    """

    format = "rows"
    __slots__ = ("before", "epoch", "id", "materialisation", "query", "template", "updates", "version", "warnings")

    def __init__(
        self, id: str, query: object, materialisation: Materialisation, epoch: str, version: int,
        warnings: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.id = id
        self.query = query
        self.materialisation = materialisation
        self.template: Template = materialisation.template
        self.epoch = epoch
        self.version = self.before = version
        self.warnings = warnings
        self.updates = 0

    # What users read

    @property
    def plan(self) -> Plan:
        """The plan as written, parameters in place."""
        return self.template.plan

    @property
    def params(self) -> Mapping[str, Value]:
        """The value of each parameter."""
        return self.materialisation.params

    @property
    def bound(self) -> Plan:
        """The plan with the parameters' values in it. Cost: O(plan)."""
        return bind_plan(self.plan, self.params)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, which may repeat."""
        return self.template.columns

    @property
    def ordered(self) -> bool:
        """True when the rows have an order, kept by placements."""
        return self.template.ordered

    @property
    def tables(self) -> frozenset[str]:
        """The names of the tables it reads."""
        return self.template.tables

    @property
    def dirty(self) -> bool:
        """True when the value must be hydrated before it is read."""
        return self.materialisation.dirty

    @overload
    def rows(self) -> list[Row]: ...
    @overload
    def rows(self, as_type: type[T]) -> list[T]: ...
    def rows(self, as_type: type[Any] | None = None) -> list[Any]:
        """The current rows, in order for an ordered view; as tuples, or objects of an attrs class. Cost: O(rows).

        Raises UsageError (the caller's) where a row does not fit the class.
        """
        rows = self.materialisation.rows()
        return rows if as_type is None else list(map(reader(as_type, self.columns), rows))

    def keys(self) -> list[Key]:
        """The keys of `rows()`, in the same sequence."""
        return self.materialisation.keys()

    def dicts(self) -> list[dict[str, Value]]:
        """The current rows as mappings."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows()]

    def get(self, key: Key) -> Row | None:
        """The row of a key, or None."""
        return self.materialisation.value.get(key)

    def snapshot(self) -> Snapshot:
        """The whole value at the current version."""
        kept, template = self.materialisation, self.template
        if template.ordered:
            keys, rows = kept.keys(), kept.rows()
        else:
            keys, rows = list(kept.value), list(kept.value.values())
        return tuple.__new__(  # the named tuple's own constructor, without its wrapper
            Snapshot, (self.id, self.epoch, self.version, template.columns, keys, rows, template.ordered, self.warnings)
        )

    def placements(self, keys: Iterable[Key]) -> tuple[Placement, ...]:
        """Each of the keys that the view holds with its predecessor, in the view's order. Cost: O(log n) a key."""
        return self.materialisation.placements(keys)

    @property
    def digest(self) -> str:
        """32 hexadecimal digits that are equal for equal rows under equal keys, in whatever order they came, anywhere.

        The order of an ordered view takes no part. Cost: O(rows), unless registered with `digest=True`: then it is kept
        from the first time on, and asking costs O(1).
        """
        return shown_digest(self._digest_number())

    def _digest_number(self) -> int:
        return digest_of(self.materialisation.value)

    @property
    def statistics(self) -> ViewStatistics:
        """Counters since registration; those of the work are the materialisation's."""
        kept = self.materialisation
        now, before = kept.meter, kept.meters
        return ViewStatistics(
            len(kept.value), self.version, kept.advances + kept.alone, self.updates, kept.rehydrates,
            before.nulls.errors + now.nulls.errors, before.rows + now.rows + kept.alone, before.probes + now.probes,
            kept.trips,
        )  # fmt: skip

    # What the circuit does

    def update(self, changes: tuple[RowChange, ...], placed: tuple[Placement, ...], version: int) -> ViewUpdate:
        """The update that brings readers from the view's version to this one, which the view takes on."""
        template = self.template
        made = tuple.__new__(  # the named tuple's own constructor, without its wrapper
            ViewUpdate,
            (self.id, self.epoch, self.version, version, template.columns, changes, placed, False, ""),
        )
        self.before, self.version = self.version, version
        self.updates += 1
        return made

    def unchanged(self) -> ViewUpdate:
        """The update of a move that changed nothing: to where readers are."""
        return ViewUpdate(self.id, self.epoch, self.version, self.version, self.columns, ())

    def take_back(self, version: int) -> None:
        """The commit of this version did not happen."""
        if self.version == version:
            self.version = self.before

    def reset(self, version: int, epoch: str, reason: str) -> ViewUpdate:
        """The update that replaces everything a reader holds, opening a new epoch."""
        before, self.version, self.epoch = self.version, version, epoch
        return ViewUpdate(
            self.id, epoch, before, version, self.columns,
            tuple([(key, None, row) for key, row in zip(self.keys(), self.rows(), strict=True)]),
            self.placements(self.keys()), reset=True, reason=reason,
        )  # fmt: skip
