"""A view at work: its plan, the network that keeps it, its current value and its version.

Owns the value of one view and how it turns a table's changes into an update. Refuses to know other views,
and when to run: the circuit decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from sspcore.algebra.values import Key, Value, same
from sspcore.engine.operators.base import Meter
from sspcore.engine.operators.network import Network
from sspcore.engine.table import Net, Table
from sspcore.engine.update import Placement, Row, RowChange, Snapshot, ViewUpdate
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import bind_plan, columns, ordering, tables_of

Tables = Mapping[str, Table]


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


class View:
    """A registered query and its live value. Made by `Circuit.register`; read-only for users.

    Attributes: `id`, `epoch`, `version` (the commit that last changed or hydrated it), `columns`, `ordered`.
    """

    def __init__(
        self, id: str, query: object, plan: Plan, params: Mapping[str, Value], epoch: str, version: int,
        warnings: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.id = id
        self.query = query
        self.plan = plan
        self.params = dict(params)
        self.epoch = epoch
        self.version = version
        self.warnings = warnings
        self.bound = bind_plan(plan, params)
        self.columns = columns(plan)
        self.ordered = ordering(plan) is not None
        self.tables = frozenset(tables_of(plan))
        self.dirty = True
        self._value: dict[Key, Row] = {}
        self._network: Network | None = None
        self._meter = Meter()
        self._advances = self._updates = self._rehydrates = 0
        self._nulls_before = self._rows_before = self._probes_before = 0

    # What users read

    def rows(self) -> list[Row]:
        """The current rows, in order for an ordered view. Cost: O(rows)."""
        if self.ordered and self._network is not None:
            value = self._value
            return [value[key] for key in self._network.order()]
        return list(self._value.values())

    def keys(self) -> list[Key]:
        """The keys of `rows()`, in the same sequence."""
        if self.ordered and self._network is not None:
            return self._network.order()
        return list(self._value)

    def dicts(self) -> list[dict[str, Value]]:
        """The current rows as mappings."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows()]

    def get(self, key: Key) -> Row | None:
        """The row of a key, or None."""
        return self._value.get(key)

    def snapshot(self) -> Snapshot:
        """The whole value at the current version."""
        return Snapshot(
            self.id, self.epoch, self.version, self.columns, self.keys(), self.rows(), self.ordered, self.warnings
        )

    def placements(self, keys: Iterable[Key]) -> tuple[Placement, ...]:
        """Each of the keys that the view holds with its predecessor, in the view's order. Cost: O(log n) a key."""
        if not self.ordered or self._network is None:
            return ()
        return self._network.placements([key for key in keys if key in self._value])

    @property
    def statistics(self) -> ViewStatistics:
        """Counters since registration."""
        meter = self._meter
        return ViewStatistics(
            len(self._value), self.version, self._advances, self._updates, self._rehydrates,
            self._nulls_before + meter.nulls.errors, self._rows_before + meter.rows, self._probes_before + meter.probes,
        )  # fmt: skip

    # What the circuit does

    def hydrate(self, tables: Tables) -> None:
        """Compute the value from scratch with a fresh network; the old one stays when this raises."""
        meter = Meter()
        network = Network(self.bound, lambda table: tables[table].names, meter)
        value = network.hydrate(lambda table: tables[table].rows)
        if self._network is not None:
            self._rehydrates += 1
        self._nulls_before += self._meter.nulls.errors
        self._rows_before += self._meter.rows
        self._probes_before += self._meter.probes
        self._network, self._value, self._meter, self.dirty = network, dict(value), meter, False

    def advance(self, net: Mapping[str, list[Net]], version: int) -> ViewUpdate | None:
        """Apply a commit's net row changes; the update, or None when the view's value stays.

        When it raises, the view is dirty and must be hydrated anew. Cost: that of the plan's operators.
        """
        network = self._network
        assert network is not None, "a view is hydrated before it advances"
        self._advances += 1
        self.dirty = True
        delta = network.advance(net)
        placed = network.placements(network.moved()) if self.ordered else ()
        value = self._value  # from here on nothing raises: a view either has the whole update or is hydrated anew
        for key, _, new in delta:
            if new is None:
                del value[key]
            else:
                value[key] = new
        self.dirty = False
        if not delta and not placed:
            return None
        return self._update(tuple(delta), placed, version)

    def rehydrate(self, tables: Tables, version: int) -> ViewUpdate | None:
        """Hydrate anew and give the difference to the value before, as `advance` would have."""
        before, keys_before = self._value, self.keys() if self.ordered and not self.dirty else None
        self.hydrate(tables)
        changes = difference(before, self._value)
        placed: tuple[Placement, ...] = ()
        if self.ordered and (changes or self.keys() != keys_before):
            placed = self.placements(self.keys())  # every row is placed anew: right whatever the order was
        if not changes and not placed:
            return None
        return self._update(changes, placed, version)

    def reset(self, version: int, epoch: str, reason: str) -> ViewUpdate:
        """The update that replaces everything a reader holds, opening a new epoch."""
        before, self.version, self.epoch = self.version, version, epoch
        return ViewUpdate(
            self.id, epoch, before, version, self.columns,
            tuple([(key, None, row) for key, row in zip(self.keys(), self.rows(), strict=True)]),
            self.placements(self.keys()), reset=True, reason=reason,
        )  # fmt: skip

    def _update(self, changes: tuple[RowChange, ...], placed: tuple[Placement, ...], version: int) -> ViewUpdate:
        before, self.version = self.version, version
        self._updates += 1
        return ViewUpdate(self.id, self.epoch, before, version, self.columns, changes, placed)


def difference(before: Mapping[Key, Row], after: Mapping[Key, Row]) -> tuple[RowChange, ...]:
    """The row changes from one value to another. Cost: O(both)."""
    changes: list[RowChange] = [(key, row, None) for key, row in before.items() if key not in after]
    for key, row in after.items():
        old = before.get(key)
        if old is None or not same(old, row):
            changes.append((key, old, row))
    return tuple(changes)
