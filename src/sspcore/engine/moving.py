"""Moving parameters: a view, or all views that tell the time, under other parameters, as one commit.

Owns how the old value becomes the new one: by the rows that cross a bound, where the plan compares columns of a table
with what moves; by computing it anew where it does not. The update is the difference either way.

The rows that cross are taken out of the plan's input under the old parameters and put back under the new ones. In
between the plan stands over rows that both judge alike, so no operator needs to know that parameters moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sspcore.algebra.values import Value, canonical, same
from sspcore.engine.candidates import FEW
from sspcore.engine.crossing import TIME
from sspcore.engine.draft import Resolution
from sspcore.engine.materialisation import Materialisation, difference
from sspcore.engine.query import moved_params
from sspcore.engine.statistics import batch_statistics
from sspcore.engine.table import Net
from sspcore.engine.template import Understood
from sspcore.engine.update import Commit, Placement, RowChange, ViewUpdate
from sspcore.engine.view import View
from sspcore.errors import UsageError
from sspcore.plan.check import check
from sspcore.plan.evaluate import NullCounter, compile_predicate
from sspcore.plan.expressions import NOW, bind
from sspcore.plan.traverse import bind_plan

if TYPE_CHECKING:
    from sspcore.engine.circuit import Circuit

Moved = tuple[tuple[RowChange, ...], tuple[Placement, ...]]
_STILL: Final[Moved] = (), ()
_NO_BATCH: Final = Resolution({}, {}, {}, {}, {}, 0, 0, 0)


# One view


def rebind(circuit: Circuit, view_id: str, params: Mapping[str, Any]) -> Commit:
    """Give a view other parameters; see `Circuit.rebind`."""
    view = circuit.view(view_id)
    kept, template = view.materialisation, view.template
    if NOW in params:
        raise UsageError(f"${NOW} is the circuit's to tell", hint="move it with advance(now)")
    given = moved_params(view.query, template.params, kept.params, params)
    if not _differing(kept.params, given):
        return unmoved(circuit)
    if template.counts:
        check(bind_plan(template.plan, given))
    understood = Understood(template, given, view.warnings)
    key = circuit._sharing_key(understood, kept.lazy)
    if len(kept.views) == 1 and (key is None or key not in circuit._kept):
        return _move_alone(circuit, view, given, key)
    return _change_over(circuit, view, understood)


def _move_alone(circuit: Circuit, view: View, params: Mapping[str, Value], key: object) -> Commit:
    """Move the materialisation of a view that nobody shares, and that shall share nobody's."""
    kept, version = view.materialisation, circuit.version + 1
    params_before, key_before = kept.params, kept.key
    updates: dict[str, ViewUpdate] = {}
    try:
        changes, placed = _move(circuit, kept, params, _crossing_rows(circuit, kept, params))
        circuit._rekey(kept, key)
        circuit._templates.named(view.id)
        if changes or placed:
            updates[view.id] = view.update(changes, placed, version)
            circuit.version = version
    except BaseException:
        kept.params, kept.dirty = params_before, True
        view.take_back(version)
        circuit._rekey(kept, key_before)
        raise
    return _commit(circuit, updates, {}, 1)


def _change_over(circuit: Circuit, view: View, understood: Understood) -> Commit:
    """Have a view read another materialisation: its update is the difference between the two values."""
    old, version = view.materialisation, circuit.version + 1
    new = circuit._materialise(understood, circuit._tables, view.materialisation.lazy)
    updates: dict[str, ViewUpdate] = {}
    try:
        changes = difference(old.value, new.value)
        placed = new.placements(new.keys()) if new.ordered and (changes or old.keys() != new.keys()) else ()
        circuit._read_from(view, new)
        if changes or placed:
            updates[view.id] = view.update(changes, placed, version)
            circuit.version = version
    except BaseException:
        view.take_back(version)
        old.dirty = True
        circuit._read_from(view, old)
        raise
    return _commit(circuit, updates, {}, 1)


def _differing(old: Mapping[str, Value], new: Mapping[str, Value]) -> frozenset[str]:
    return frozenset([name for name, value in new.items() if not same(value, old[name])])


def refresh(circuit: Circuit, commit: Commit, before: int) -> Commit:
    """The commit, after version `before`, with the updates of the lazy views that are out of date."""
    circuit._require_idle()
    waiting = {kept: kept.value for lazy in circuit._lazy.values() for kept in lazy if kept.dirty}
    if not waiting:
        return commit
    version = circuit.version if circuit.version > before else before + 1
    updates: dict[str, ViewUpdate] = {}
    failed: dict[str, Exception] = {}
    try:
        for kept in waiting:
            try:
                kept.delta = []
                changes, placed = kept.rehydrate(circuit._tables)
            except Exception as error:  # noqa: BLE001 - the unit of fault is the view
                failed.update({view.id: error for view in kept.views})
                continue
            if changes or placed:
                for view in kept.views:
                    updates[view.id] = view.update(changes, placed, version)
        if updates:
            circuit.version = version
    except BaseException:
        for kept, value in waiting.items():
            kept.value, kept.dirty = value, True
            for view in kept.views:
                view.take_back(version)
        raise
    if failed:
        circuit._fail(failed)
    return Commit(circuit.version, {**commit.updates, **updates}, {**commit.failed, **failed}, commit.work)


# All views that tell the time


def advance(circuit: Circuit, now: datetime) -> Commit:
    """Let time pass; see `Circuit.advance`."""
    circuit._require_idle()
    moment, before = _moment(now), circuit.now
    if before is not None and moment < before:
        raise UsageError(f"time goes forward: {moment.isoformat()} is before {before.isoformat()}")
    if moment == before:
        return unmoved(circuit)
    timed: dict[Materialisation, Mapping[str, Value]] = {kept: kept.params for kept in circuit._timed}
    version = circuit.version + 1
    updates: dict[str, ViewUpdate] = {}
    failed: dict[str, Exception] = {}
    slices = _Slices(circuit)
    try:
        for kept, old in timed.items():
            params = {**old, NOW: moment}
            if kept.lazy:
                kept.params, kept.dirty = params, True
                continue
            try:
                changes, placed = _move(circuit, kept, params, slices.of(kept, params))
            except Exception as error:  # noqa: BLE001 - the unit of fault is the view
                failed.update({view.id: error for view in kept.views})
                continue
            if changes or placed:
                for view in kept.views:
                    updates[view.id] = view.update(changes, placed, version)
        circuit.now = moment
        if updates:
            circuit.version = version
    except BaseException:
        circuit.now = before
        for kept, earlier in timed.items():
            kept.params, kept.dirty = earlier, True
            for view in kept.views:
                view.take_back(version)
        raise
    if failed:
        circuit._fail(failed)
    return _commit(circuit, updates, failed, len(timed))


def _moment(now: object) -> datetime:
    if not isinstance(now, datetime):
        raise UsageError(f"now is a timestamp, not {now!r}", hint="pass an aware datetime")
    try:
        moment: datetime = canonical(now)
    except ValueError as error:
        raise UsageError(f"now: {error}") from None
    return moment


class _Slices:
    """The rows that cross as time passes, looked up once for all views whose bound moves alike."""

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._found: dict[object, Mapping[Materialisation, list[Net]] | None] = {}

    def of(self, kept: Materialisation, params: Mapping[str, Value]) -> list[Net] | None:
        """The rows that may concern a materialisation, as deletions; None when they are not to be told."""
        try:
            return self._look_up(kept, params)
        except Exception:  # noqa: BLE001 - a slip in an index must not cost a view: it is computed anew
            return None

    def _look_up(self, kept: Materialisation, params: Mapping[str, Value]) -> list[Net] | None:
        circuit = self._circuit
        crossing = kept.template.crossing(TIME, circuit._tables)
        if crossing is None:
            return None
        alike = (kept.template, *[(type(params[name]), params[name]) for name in crossing.params])
        if alike not in self._found:
            self._found[alike] = None  # what holds when looking them up fails: compute the value anew
            crossed = crossing.values(kept.params, params)
            rows = kept.template.indexes.candidates(circuit._tables[crossing.table], crossed)
            if rows is not None:
                self._found[alike] = circuit._readers[crossing.table].touched(rows) if rows else {}
        found = self._found[alike]
        return None if found is None else found.get(kept, [])


# The move


def _crossing_rows(circuit: Circuit, kept: Materialisation, params: Mapping[str, Value]) -> list[Net] | None:
    """The rows that other parameters may let into the plan or out of it, as deletions; None when that does not pay."""
    crossing = kept.template.crossing(_differing(kept.params, params), circuit._tables)
    if crossing is None:
        return None
    most = None
    if crossing.table in kept.template.held:  # computing it anew is no more than looking up its rows
        most = FEW + len(kept.value)
    crossed = crossing.values(kept.params, params)
    return kept.template.indexes.candidates(circuit._tables[crossing.table], crossed, most)


def _move(circuit: Circuit, kept: Materialisation, params: Mapping[str, Value], rows: list[Net] | None) -> Moved:
    """Bring a materialisation under other parameters, by the rows that cross; None: by computing it anew."""
    if kept.dirty:  # left by a commit that was rolled back
        kept.hydrate(circuit._tables)
    if rows is not None and not rows and kept.repoints:
        kept.point(params)
        return _STILL
    kept.begin()
    if rows and kept.repoints:
        try:
            _take_out_and_put_back(circuit, kept, params, rows)
            return kept.finish()
        except Exception:  # noqa: BLE001 - when computing it anew raises too, the view has failed
            pass
    kept.params = params
    return kept.rehydrate(circuit._tables)


def _take_out_and_put_back(
    circuit: Circuit, kept: Materialisation, params: Mapping[str, Value], rows: list[Net]
) -> None:
    crossing = kept.template.crossing(_differing(kept.params, params), circuit._tables)
    assert crossing is not None
    out, back = rows, rows
    interest = kept.template.interests(circuit._tables)[crossing.table].condition
    if interest is not None and not crossing.stateless:  # of other rows it is not known whether the plan holds them
        held = compile_predicate(bind(interest, kept.params), NullCounter())
        wanted = compile_predicate(bind(interest, params), NullCounter())
        out = [change for change in rows if change[1] is not None and held(change[1])]
        back = [change for change in rows if change[1] is not None and wanted(change[1])]
    kept.advance(crossing.table, out)
    kept.repoint(params)
    kept.advance(crossing.table, [(key, None, row) for key, row, _ in back])


def unmoved(circuit: Circuit) -> Commit:
    """The commit that was none."""
    return _commit(circuit, {}, {}, 0)


def _commit(
    circuit: Circuit, updates: Mapping[str, ViewUpdate], failed: Mapping[str, Exception], visited: int
) -> Commit:
    return Commit(circuit.version, updates, failed, (batch_statistics, _NO_BATCH, visited, len(updates)))
