"""Commits: the moves by which a circuit takes a resolved batch, all of it or nothing.

Owns the sequence: tables one after the other, each written before its readers advance; then what the views' readers
are told; and the way back when an exception that is no view's own interrupts it. The unit of fault is the view.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from sspcore.engine.breaker import FROM, follow
from sspcore.engine.draft import Resolution
from sspcore.engine.drained import drained
from sspcore.engine.materialisation import Materialisation
from sspcore.engine.readers import Touched
from sspcore.engine.statistics import batch_statistics
from sspcore.engine.table import Net, Table
from sspcore.engine.undo import Undo
from sspcore.engine.update import Commit, Placement, RowChange, ViewUpdate
from sspcore.plan.nodes import Plan

if TYPE_CHECKING:
    from sspcore.engine.circuit import Circuit

Told = tuple[tuple[RowChange, ...], tuple[Placement, ...]]
"""What the readers of a view are told: its changes, and what is placed anew."""


def commit_batch(circuit: Circuit, resolution: Resolution) -> Commit:
    """Commit whatever a resolution says: rows of many tables, new tables, wider tables, marks and row versions."""
    if len(resolution.net) == 1 and not resolution.forms:
        commit = commit_rows(circuit, resolution)
        if commit is not None:
            return commit
    return drained(commit_in_slices(circuit, resolution, None))


def commit_rows(circuit: Circuit, resolution: Resolution) -> Commit | None:
    """Commit rows of one table and nothing besides: each view that they reach follows them and is told at once.

    None, and nothing done, where a view must be hydrated first. It does what `commit_in_slices` would.
    """
    ((name, net),) = resolution.net.items()
    tables = circuit._tables
    readers = circuit._readers.get(name)
    touched: Touched = readers.touched(net) if readers else {}
    for kept in touched:
        if kept.dirty:  # left by a commit that was rolled back
            return None
    version = circuit.version + 1
    updates: dict[str, ViewUpdate] = {}
    failed: dict[str, Exception] = {}
    try:
        tables[name].write(net)
        circuit._mark(name)
        for kept, rows in touched.items():
            try:
                told = _followed(kept, name, rows, tables)
            except Exception:  # noqa: BLE001 - the unit of fault is the view
                told = None
            if told is None:
                try:
                    told = kept.rehydrate(tables)
                except Exception as error:  # noqa: BLE001 - as above
                    failed.update({view.id: error for view in kept.views})
                    continue
            changes, placed = told
            if changes or placed:
                for view in kept.views:
                    updates[view.id] = view.update(changes, placed, version)
        circuit.version = version  # the point of no return: from here on the batch has happened
    except BaseException:
        tables[name].unwrite(net)
        for kept in touched:
            kept.dirty = True
            for view in kept.views:
                view.take_back(version)
        raise
    if failed:
        circuit._fail(failed)
    return Commit(version, updates, failed, (batch_statistics, resolution, len(touched), len(updates)))


def _followed(kept: Materialisation, name: str, changes: list[Net], tables: Mapping[str, Table]) -> Told | None:
    """What a commit of these changes alone means to a view; None: computing it anew is cheaper, and it did nothing."""
    if len(changes) < FROM:
        kept.delta = []
        return kept.follow(name, changes)
    kept.begin()
    return kept.finish() if follow(kept, name, changes, tables) else None


def commit_in_slices(circuit: Circuit, resolution: Resolution, size: int | None) -> Generator[None, None, Commit]:
    """`commit_batch` in steps of about `size` changed rows; None: in one. Closed before its end it undoes all."""
    net = resolution.net
    if not net and not resolution.widened:
        if resolution.created:
            circuit._templates.forget()
        circuit._door.commit(resolution)
        return Commit(circuit.version, {}, {}, (batch_statistics, resolution, 0, 0))
    failed: dict[Materialisation, Exception] = {}
    steps: list[tuple[str, list[Net], Touched]] = []
    for name, changes in _slices(net, size):
        readers = circuit._readers.get(name)
        steps.append((name, changes, readers.touched(changes) if readers else {}))
        if size is not None:
            yield
    reached = _reached(circuit, resolution, [touched for _, _, touched in steps])
    for kept in reached:
        if kept.dirty and not kept.lazy:  # left by a commit that was rolled back
            try:
                kept.hydrate(circuit._tables)
            except Exception as error:  # noqa: BLE001 - the unit of fault is the view
                failed[kept] = error
    undo = Undo(circuit, resolution, reached)
    version = circuit.version + 1
    updates: dict[str, ViewUpdate] = {}
    broken: set[Materialisation] = set()
    wider = resolution.widened.keys()  # their readers are hydrated anew: they know rows of another layout
    try:
        if resolution.created or resolution.widened:
            circuit._templates.forget()  # names mean other columns now
        circuit._door.commit_forms(resolution)
        for name in resolution.widened:
            circuit._refile(name)
        for kept in reached:
            if kept not in failed:
                kept.begin()
        for name, changes, touched in steps:
            circuit._tables[name].write(changes)
            circuit._mark(name)
            for kept, rows in touched.items():
                if kept not in broken and kept not in failed and not (wider and wider & kept.template.tables):
                    try:
                        if size is not None:
                            kept.advance(name, rows)  # never anew: that would be one long step
                        elif not follow(kept, name, rows, circuit._tables):
                            broken.add(kept)
                    except Exception:  # noqa: BLE001 - as above; it is hydrated anew when all tables are written
                        broken.add(kept)
            if size is not None:
                yield
        for kept in reached:
            if kept in failed:
                continue
            try:
                try:
                    _tell(circuit, kept, resolution, kept in broken, version, updates)
                except Exception:
                    if kept in broken:
                        raise  # that was its second try
                    _tell(circuit, kept, resolution, True, version, updates)
            except Exception as error:  # noqa: BLE001 - as above
                failed[kept] = error
        circuit.version = version  # the point of no return: from here on the batch has happened
    except BaseException:
        undo.run()
        raise
    errors = {view.id: error for kept, error in failed.items() for view in kept.views}
    if errors:
        circuit._fail(errors)
    return Commit(version, updates, errors, (batch_statistics, resolution, len(reached), len(updates)))


def _slices(net: Mapping[str, list[Net]], size: int | None) -> Iterator[tuple[str, list[Net]]]:
    for name, changes in net.items():
        if size is None or len(changes) <= size:
            yield name, changes
        else:
            for at in range(0, len(changes), size):
                yield name, changes[at : at + size]


def _reached(circuit: Circuit, resolution: Resolution, touched: Iterable[Touched]) -> list[Materialisation]:
    """All that the batch can touch, each once; a wider table reaches all its readers."""
    found: dict[Materialisation, None] = {}
    for changes in touched:
        found.update(dict.fromkeys(changes))
    for name in resolution.widened:
        readers = circuit._readers.get(name)
        if readers is not None:
            found.update(dict.fromkeys(readers))
        found.update(circuit._lazy.get(name, {}))
    return list(found)


def _tell(
    circuit: Circuit, kept: Materialisation, resolution: Resolution, broken: bool, version: int,
    updates: dict[str, ViewUpdate],
) -> None:  # fmt: skip
    """Have the views of a materialisation say what changed. Raises what hydrating it anew raises."""
    template = kept.template
    wider = resolution.widened.keys() & template.tables if resolution.widened else set()
    for view in list(kept.views) if wider else ():
        if template.stars & wider and not isinstance(view.query, Plan):
            updates[view.id] = circuit._read_anew(view, version, min(template.stars & wider))
    if not kept.views:
        return
    if broken or wider:
        changes, placed = kept.rehydrate(circuit._tables)
    else:
        changes, placed = kept.finish()
    if changes or placed:
        for view in kept.views:
            if view.id not in updates:
                updates[view.id] = view.update(changes, placed, version)
