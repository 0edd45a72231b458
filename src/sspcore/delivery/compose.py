"""Composition: several chained updates of a view as one.

Owns the n-ary form of `ViewUpdate.then`. Placements are asked for once, at the end, in the order the view has by then:
an order that is no more cannot be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from sspcore.algebra.values import Key, same
from sspcore.engine.update import Place, RowChange, ViewUpdate
from sspcore.errors import InternalError


def compose(updates: Sequence[ViewUpdate], place: Place | None = None) -> ViewUpdate:
    """One update whose effect is that of all, in order. At least one; they must chain; `place` as the view is now.

    Raises InternalError when they do not chain. Cost: O(changes of all) and O(log n) for each row placed.
    """
    start = len(updates) - 1
    while start and not updates[start].reset:
        start -= 1  # a reset replaces all before it
    first = updates[start]
    rest = updates[start + 1 :]
    if rest:
        first = _compose(first, rest, place)
    if start and first.from_version != updates[0].from_version:
        first = first._replace(from_version=updates[0].from_version)
    return first


def _compose(first: ViewUpdate, rest: Sequence[ViewUpdate], place: Place | None) -> ViewUpdate:
    net: dict[Key, RowChange] = {change[0]: change for change in first.changes}
    moved: dict[Key, None] = dict.fromkeys([key for key, _ in first.placed])
    version = first.version
    for update in rest:
        if update.epoch != first.epoch or update.from_version != version:
            raise InternalError(
                f"updates of view {first.view!r} do not chain: {first.epoch}-{version} then "
                f"{update.epoch}-{update.from_version}"
            )
        version = update.version
        moved.update(dict.fromkeys([key for key, _ in update.placed]))
        for change in update.changes:
            key, _, new = change
            before = net.get(key)
            if before is None:
                net[key] = change
            elif same(before[1], new):
                del net[key]
            else:
                net[key] = (key, before[1], new)
    changes: Sequence[RowChange] = tuple(net.values())
    placed = place(moved) if place is not None and moved else ()
    if first.reset and placed:
        changes = [(key, None, net[key][2]) for key, _ in placed]  # a reset lists its rows in order
    return first._replace(version=version, changes=tuple(changes), placed=placed)
