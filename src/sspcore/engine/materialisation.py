"""A plan's value, kept: what views of the same plan and parameters share.

Owns the value, the maintainer that moves it, and what is counted of that. Refuses to know view ids, versions and
readers, and when to run: the circuit decides.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from sspcore.algebra.values import Key, Value, same
from sspcore.engine.operators.base import Delta, Meter, net
from sspcore.engine.operators.network import Network
from sspcore.engine.program import Program
from sspcore.engine.table import Net, Table
from sspcore.engine.update import Placement, Row, RowChange
from sspcore.plan.expressions import NOW
from sspcore.plan.traverse import bind_plan

if TYPE_CHECKING:
    from sspcore.engine.template import Template
    from sspcore.engine.view import View

Tables = Mapping[str, Table]
_NOTHING: Final = Meter()
"""What has counted nothing yet. Shared: nobody counts with it."""


class Materialisation:
    """The present value of a template with its parameters, and what keeps it.

    A commit goes over it in three moves: `begin`, then `advance` once per changed table (that table, and those before
    it in the commit, are written already), then `finish`. A move that raises leaves it broken until `hydrate`.
    """

    __slots__ = (
        "advances",
        "alone",
        "behind",
        "delta",
        "dirty",
        "execution",
        "filed",
        "hydration",
        "key",
        "lazy",
        "maintainer",
        "meter",
        "meters",
        "moved",
        "ordered",
        "pace",
        "params",
        "pieces",
        "rehydrates",
        "row",
        "steps",
        "template",
        "trips",
        "value",
        "views",
    )  # fmt: skip

    def __init__(
        self, template: Template, params: Mapping[str, Value], key: object = None, execution: str = "compiled"
    ) -> None:
        self.template = template
        self.execution = execution
        self.key = key
        """What another view must equal to share it; None: it is not shared."""
        self.filed = False
        self.behind = False
        """`params` have moved, over no row, and the maintainer has not been told."""
        self.lazy = False
        """Changes only mark it dirty."""
        template.uses += 1
        self.params = params
        self.views: list[View] = []
        self.ordered = template.ordered
        self.dirty = True
        self.value: dict[Key, Row] = {}
        self.delta: Delta = []
        """What the commit has changed so far, one piece after the other."""
        self.pieces = 0
        self.maintainer: Any = None
        self.steps: Mapping[str, Any] = {}
        self.row: Callable[[Net], Net | None] | None = None
        """The step of a change that is alone in its commit, where there is one; `alone` counts these, not the meter."""
        self.alone = 0
        self.meter = self.meters = _NOTHING
        """What earlier maintainers counted."""
        self.advances = self.rehydrates = self.trips = 0
        self.pace = 2.0
        """Work units that following a change takes, as the last big batch had it."""
        self.hydration = 0, 0
        """Work units of the last hydration, and the rows there were."""
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
        if self.execution == "compiled":
            laid = self.template.over(tables)
            if laid.stateless is not None:
                value, errors = laid.code.value(self.params, self.template.rows(laid.stateless, tables, self.params))
                meter = _NOTHING
                if errors:
                    meter = Meter()
                    meter.nulls.errors = errors
                if self.steps:
                    self._hydrated(None, value, meter, tables)
                else:  # for the first time
                    self.value, self.meter, self.dirty = value, meter, False
                waiting = Waiting(self, tables)
                self.steps, self.row = waiting, None if self.template.timed else waiting.row
                return
        meter = Meter()
        maintainer = self._maintainer(tables, meter)
        try:
            value = maintainer.hydrate(self._rows_of(tables))
        except BaseException:
            maintainer.release()
            raise
        self._hydrated(maintainer, value, meter, tables)
        self._follow(maintainer)

    def hydrate_in_slices(self, tables: Tables, size: int) -> Generator[None, None, None]:
        """`hydrate` in steps of about `size` rows; the tables stay as they are until it ends."""
        meter = Meter()
        maintainer = self._maintainer(tables, meter)
        try:
            if isinstance(maintainer, Program):
                value = yield from maintainer.hydrate_in_slices(self._rows_of(tables), size)
            else:
                value = maintainer.hydrate(self._rows_of(tables))
        except BaseException:
            maintainer.release()
            raise
        self._hydrated(maintainer, value, meter, tables)
        self._follow(maintainer)

    def _hydrated(self, maintainer: Any, value: dict[Key, Row], meter: Meter, tables: Tables) -> None:
        """Take on the value that a fresh maintainer has computed."""
        before, counted, again = self.maintainer, self.meter, bool(self.steps)
        self.maintainer, self.value, self.meter = maintainer, value, meter
        self.behind = False
        self.hydration = meter.rows + meter.probes, sum([len(tables[name].rows) for name in self.template.tables])
        self.delta = []
        self.dirty = False
        if again:
            self.rehydrates += 1
            earlier, self.meters = self.meters, Meter()
            self.meters.add(earlier)
            self.meters.add(counted)
        if before is not None:
            before.release()

    def _follow(self, maintainer: Any) -> None:
        """Let the maintainer's steps be those that changes are told to."""
        steps: Mapping[str, Any] = maintainer.steps
        timely = NOW in self.params
        self.steps = {t: self._timely(step) for t, step in steps.items()} if timely else steps
        self.row = maintainer.row if isinstance(maintainer, Program) and not timely else None

    def bind(self, tables: Tables) -> None:
        """Make the maintainer that hydration could do without: the first change is here."""
        counted, self.meter = self.meter, Meter()
        self.meter.add(counted)
        self.maintainer = self._maintainer(tables, self.meter)
        self.behind = False
        self._follow(self.maintainer)

    def _maintainer(self, tables: Tables, meter: Meter) -> Any:
        if self.execution == "compiled":
            return self.template.code(tables).bind(self.params, tables, meter)
        return Network(bind_plan(self.template.planned(tables), self.params), lambda table: tables[table].names, meter)

    def _rows_of(self, tables: Tables) -> Callable[[str], Mapping[Any, Row]]:
        return lambda name: self.template.rows(name, tables, self.params)

    def close(self) -> None:
        """Let go of what the maintainer holds of the tables."""
        maintainer, self.maintainer = self.maintainer, None
        if maintainer is not None:
            maintainer.release()

    def leave(self) -> None:
        """Nobody reads it any more: let go of everything."""
        self.close()
        self.template.leave()

    @property
    def repoints(self) -> bool:
        """Whether the maintainer can run on under other parameters of its filters."""
        maintainer = self.maintainer
        return maintainer is None or isinstance(maintainer, Network) or maintainer.code.rebindable

    def repoint(self, params: Mapping[str, Value]) -> bool:
        """Other parameters from now on, the value as it was; False when the maintainer cannot do that."""
        if self.maintainer is None:
            pass  # it will be made with what they are then
        elif isinstance(self.maintainer, Network):
            self.maintainer.rebind(bind_plan(self.template.optimised, params))
        elif self.maintainer.code.rebindable:
            self.maintainer.rebind(params)
        else:
            return False
        self.params = params
        self.behind = False
        return True

    def point(self, params: Mapping[str, Value]) -> None:
        """Other parameters from now on, over which no row crosses; with time, the maintainer is told when it steps."""
        if NOW in self.params:
            self.params, self.behind = params, True
        else:
            self.repoint(params)

    def _timely(self, step: Callable[[list[Net]], Delta]) -> Callable[[list[Net]], Delta]:
        """The step, by the parameters as they are now: time passes without telling each maintainer."""

        def timely(changes: list[Net]) -> Delta:
            if self.behind:
                self.repoint(self.params)
            return step(changes)

        return timely

    def begin(self) -> None:
        """A commit begins that may change the value."""
        self.advances += 1
        self.delta, self.pieces = [], 0
        if self.ordered:
            self.moved = {}
            self.maintainer.begin()

    def advance(self, table: str, changes: list[Net]) -> None:
        """Follow the net changes of one table. Cost: that of the plan's operators."""
        delta = self.steps[table](changes)
        if delta:
            value = self.value  # from here on nothing raises: the value has the whole delta, and `delta` says so
            for key, _, new in delta:
                if new is None:
                    del value[key]
                else:
                    value[key] = new
            if not self.pieces:
                self.delta = delta
            else:
                if self.pieces == 1:
                    self.delta = list(self.delta)  # what a step gives is not ours to change
                self.delta.extend(delta)
            self.pieces += 1
        if self.ordered:
            self.moved.update(dict.fromkeys(self.maintainer.moved()))

    def follow(self, table: str, changes: list[Net]) -> tuple[tuple[RowChange, ...], tuple[Placement, ...]]:
        """A whole commit that changes one table only; what `finish` says."""
        self.advances += 1
        moved: list[Key] = []
        if self.ordered:
            self.delta = []
            self.maintainer.begin()
        delta = self.steps[table](changes)
        if self.ordered:
            moved = self.maintainer.moved()
        value = self.value
        for key, _, row in delta:
            if row is None:
                del value[key]
            else:
                value[key] = row
        if not moved:
            return tuple(delta), ()
        self.delta = delta
        return tuple(delta), self.placements(moved)

    def finish(self) -> tuple[tuple[RowChange, ...], tuple[Placement, ...]]:
        """What the commit changed, net, and what it placed; nothing at all when the value stays."""
        placed = self.placements(self.moved) if self.ordered and self.moved else ()
        return tuple(net(self.delta) if self.pieces > 1 else self.delta), placed

    def rehydrate(self, tables: Tables) -> tuple[tuple[RowChange, ...], tuple[Placement, ...]]:
        """Hydrate anew in the middle of a commit: what the commit changed, as `finish` would have said."""
        so_far, before = self.delta, self.value
        keys_before = self.keys() if self.ordered and not self.dirty else None
        self.hydrate(tables)
        delta = list(difference(before, self.value))
        if so_far:
            delta = net([*so_far, *delta])
        placed: tuple[Placement, ...] = ()
        if self.ordered and (delta or self.keys() != keys_before):
            placed = self.placements(self.keys())  # every row is placed anew: right whatever the order was
        return tuple(delta), placed


def answer(template: Template, params: Mapping[str, Value], tables: Tables) -> list[Row]:
    """The rows of a query over the tables as they are now. Keeps nothing, and is no reason to arrange anything."""
    kept = Materialisation(template, params, execution="operators")
    template.uses -= 1
    try:
        kept.hydrate(tables)
        return kept.rows()
    finally:
        kept.close()


class Waiting(Mapping[str, Callable[[list[Net]], Delta]]):
    """The steps of a materialisation that no change has reached yet: asked for one, it has its maintainer made."""

    __slots__ = ("_kept", "_tables")

    def __init__(self, kept: Materialisation, tables: Tables) -> None:
        self._kept = kept
        self._tables = tables

    def __getitem__(self, table: str) -> Callable[[list[Net]], Delta]:
        self._kept.bind(self._tables)
        step: Callable[[list[Net]], Delta] = self._kept.steps[table]
        return step

    def row(self, change: Net) -> Net | None:
        """The first change, when it is alone in its commit."""
        self._kept.bind(self._tables)
        step: Callable[[Net], Net | None] = self._kept.maintainer.row
        return step(change)

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept.template.tables)

    def __len__(self) -> int:
        return len(self._kept.template.tables)


def difference(before: Mapping[Key, Row], after: Mapping[Key, Row]) -> tuple[RowChange, ...]:
    """The row changes from one value to another. Cost: O(both)."""
    changes: list[RowChange] = [(key, row, None) for key, row in before.items() if key not in after]
    for key, row in after.items():
        old = before.get(key)
        if old is None or not same(old, row):
            changes.append((key, old, row))
    return tuple(changes)
