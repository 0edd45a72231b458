"""A plan's value, kept: what views of the same plan and parameters share.

Owns the value, the maintainer that moves it, and what is counted of that. Refuses to know view ids, versions and
readers, and when to run: the circuit decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sspcore.algebra.values import Key, Value, same
from sspcore.engine.operators.base import Delta, Meter, compose
from sspcore.engine.operators.network import Network
from sspcore.engine.table import Net, Table
from sspcore.engine.update import Placement, Row, RowChange
from sspcore.plan.traverse import bind_plan

if TYPE_CHECKING:
    from sspcore.engine.template import Template
    from sspcore.engine.view import View

Tables = Mapping[str, Table]


class Materialisation:
    """The present value of a template with its parameters, and what keeps it.

    A commit goes over it in three moves: `begin`, then `advance` once per changed table (that table, and those before
    it in the commit, are written already), then `finish`. A move that raises leaves it broken until `hydrate`.
    """

    __slots__ = (
        "advances",
        "delta",
        "dirty",
        "filed",
        "key",
        "maintainer",
        "meter",
        "meters",
        "moved",
        "ordered",
        "params",
        "rehydrates",
        "steps",
        "template",
        "value",
        "views",
    )  # fmt: skip

    def __init__(self, template: Template, params: Mapping[str, Value], key: object = None) -> None:
        self.template = template
        self.key = key
        """What another view must equal to share it; None: it is not shared."""
        self.filed = False
        self.params = params
        self.views: list[View] = []
        self.ordered = template.ordered
        self.dirty = True
        self.value: dict[Key, Row] = {}
        self.delta: Delta = []
        self.maintainer: Any = None
        self.steps: Mapping[str, Any] = {}
        self.meter = Meter()
        self.meters = Meter()
        """What earlier maintainers counted."""
        self.advances = self.rehydrates = 0
        self.moved: dict[Key, None] = {}

    # Reading

    def keys(self) -> list[Key]:
        """The keys of the value, in order for an ordered plan. Cost: O(rows)."""
        if self.ordered and self.maintainer is not None:
            order: list[Key] = self.maintainer.order()
            return order
        return list(self.value)

    def rows(self) -> list[Row]:
        """The rows, in the sequence of `keys`. Cost: O(rows)."""
        if self.ordered and self.maintainer is not None:
            value = self.value
            return [value[key] for key in self.maintainer.order()]
        return list(self.value.values())

    def placements(self, keys: Iterable[Key]) -> tuple[Placement, ...]:
        """Each of the keys that the value holds with its predecessor, in order. Cost: O(log n) a key."""
        if not self.ordered or self.maintainer is None:
            return ()
        value = self.value
        placed: tuple[Placement, ...] = self.maintainer.placements([key for key in keys if key in value])
        return placed

    # Moving

    def hydrate(self, tables: Tables) -> None:
        """Compute the value from scratch with a fresh maintainer; the old one stays when this raises."""
        meter = Meter()
        maintainer = self._maintainer(tables, meter)
        try:
            value = maintainer.hydrate(lambda table: tables[table].rows)
        except BaseException:
            maintainer.release()
            raise
        if self.maintainer is not None:
            self.rehydrates += 1
            self.meters.add(self.meter)
        self.close()
        self.maintainer, self.value, self.meter = maintainer, value, meter
        self.steps = maintainer.steps
        self.delta = []
        self.dirty = False

    def _maintainer(self, tables: Tables, meter: Meter) -> Any:
        return Network(bind_plan(self.template.plan, self.params), lambda table: tables[table].names, meter)

    def close(self) -> None:
        """Let go of what the maintainer holds of the tables."""
        if self.maintainer is not None:
            self.maintainer.release()

    def begin(self) -> None:
        """A commit begins that may change the value."""
        self.advances += 1
        self.delta = []
        if self.ordered:
            self.moved = {}
            self.maintainer.begin()

    def advance(self, table: str, changes: list[Net]) -> None:
        """Follow the net changes of one table. Cost: that of the plan's operators."""
        delta = self.steps[table](changes)
        if delta:
            composed = compose(self.delta, delta)
            value = self.value  # from here on nothing raises: the value has the whole delta, and `delta` says so
            for key, _, new in delta:
                if new is None:
                    del value[key]
                else:
                    value[key] = new
            self.delta = composed
        if self.ordered:
            self.moved.update(dict.fromkeys(self.maintainer.moved()))

    def finish(self) -> tuple[tuple[RowChange, ...], tuple[Placement, ...]]:
        """What the commit changed, net, and what it placed; nothing at all when the value stays."""
        placed = self.placements(self.moved) if self.ordered and self.moved else ()
        return tuple(self.delta), placed

    def rehydrate(self, tables: Tables) -> tuple[tuple[RowChange, ...], tuple[Placement, ...]]:
        """Hydrate anew in the middle of a commit: what the commit changed, as `finish` would have said."""
        so_far, before = self.delta, self.value
        keys_before = self.keys() if self.ordered and not self.dirty else None
        self.hydrate(tables)
        delta = compose(so_far, list(difference(before, self.value)))
        placed: tuple[Placement, ...] = ()
        if self.ordered and (delta or self.keys() != keys_before):
            placed = self.placements(self.keys())  # every row is placed anew: right whatever the order was
        return tuple(delta), placed


def difference(before: Mapping[Key, Row], after: Mapping[Key, Row]) -> tuple[RowChange, ...]:
    """The row changes from one value to another. Cost: O(both)."""
    changes: list[RowChange] = [(key, row, None) for key, row in before.items() if key not in after]
    for key, row in after.items():
        old = before.get(key)
        if old is None or not same(old, row):
            changes.append((key, old, row))
    return tuple(changes)
