"""The commit of a change that stands alone: by far the commonest batch, without ceremony where it plainly is one row.

Owns the short way through a circuit, from the change to the updates of the views it concerns, and its way back. What
is not plain it hands to `commit`, which does the same for any batch: the two agree in all that can be seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sspcore.engine.change import Change
from sspcore.engine.commit import commit_batch
from sspcore.engine.draft import Resolution
from sspcore.engine.fused import anew, undo, wait
from sspcore.engine.statistics import no_op_statistics, row_statistics
from sspcore.engine.update import Commit, ViewUpdate
from sspcore.errors import ChangeRejected

if TYPE_CHECKING:
    from sspcore.engine.circuit import Circuit

_new_tuple: Any = tuple.__new__
"""Makes a named tuple without the wrapper around its constructor."""


def commit_one(circuit: Circuit, change: Change) -> Commit:
    """Commit a batch of one change: the commonest by far, without ceremony where it plainly is one row of a table.

    Whatever is not plain goes the way of all batches, which says what is wrong with it, if anything is. So the two ways
    do the same; this one makes no drafts and no resolution, and asks of each view one row.
    """
    name = change[0] if type(change) is Change else None
    table = circuit._tables.get(name) if type(name) is str else None
    if table is None or name is None:
        return commit_batch(circuit, circuit._door.resolve([change]))
    readers = circuit._readers.get(name)
    try:
        net = table.one(change)
    except (ChangeRejected, ValueError, KeyError):
        net = None
    if net is not None:
        if readers is not None:
            wait(circuit, name, table, readers)
    else:
        net = circuit._door.plain(table, change)
        if net is None:
            return commit_batch(circuit, circuit._door.resolve([change]))
    key, old, new = net
    if old is new:
        return Commit(circuit.version, {}, {}, (no_op_statistics,))
    touched = () if readers is None else readers.few if readers.few is not None else readers.touched_by(old, new)
    nets = [net]
    version = circuit.version + 1
    updates: dict[str, ViewUpdate] = {}
    failed: dict[str, Exception] = {}
    for kept in touched:
        if kept.dirty:  # left by a commit that was rolled back
            return commit_batch(circuit, Resolution({name: nets}, {}, {}, {}, {}, 1, 0, 0))
    try:
        if new is None:
            del table.rows[key]
        else:
            table.rows[key] = new
        if circuit._lazy:
            circuit._mark(name)
        if table.arrangements:
            for arrangement in table.arrangements.values():
                arrangement.write(nets)
        for kept in touched:
            try:
                step = kept.row
                if step is None:
                    changes, placed = kept.follow(name, nets)
                    if not changes and not placed:
                        continue
                else:
                    kept.alone += 1
                    shown = step(net)
                    if shown is None:
                        continue
                    row = shown[2]
                    if row is None:
                        del kept.value[key]
                    else:
                        kept.value[key] = row
                    changes, placed = (shown,), ()
            except Exception:  # noqa: BLE001 - the unit of fault is the view
                changes, placed = anew(circuit, kept, failed)
                if not changes and not placed:
                    continue
            for view in kept.views:
                updates[view.id] = view.update(changes, placed, version)
        circuit.version = version  # the point of no return: from here on the batch has happened
    except BaseException:
        undo(table, net, touched, version)
        raise
    if failed:
        circuit._fail(failed)
    commit: Commit = _new_tuple(Commit, (version, updates, failed, (row_statistics, name, touched, updates)))
    return commit
