"""A reader's copy of a view, kept from the wire alone: the yardstick for snapshots, updates and placements."""

from __future__ import annotations

import json
from typing import Any

from sspcore.wire.client_session import Whole
from sspcore.wire.messages import Delta


class Mirror:
    """Rows by key; for an ordered view also their order. Refuses what does not fit what it holds."""

    def __init__(self, whole: Whole) -> None:
        self.ordered = whole.ordered
        self.columns = whole.columns
        self.order = [named(key) for key, _ in whole.rows]
        self.rows: dict[str, Any] = {named(key): values for key, values in whole.rows}
        assert len(self.rows) == len(whole.rows), "a key twice in a snapshot"

    def apply(self, delta: Delta) -> None:
        for key in delta.removed:
            del self.rows[named(key)]
        for key, values, *_ in delta.added:
            assert named(key) not in self.rows, "added twice"
            self.rows[named(key)] = values
        for key, values, *_ in delta.updated:
            assert named(key) in self.rows, "updated what is not there"
            if values is not None:
                self.rows[named(key)] = values
        self._place(delta)
        for path, key, *told in delta.nested or ():
            (row_key, column), *steps = path
            values = list(self.rows[named(row_key)])
            at = self.columns.index(column)
            values[at] = edited(values[at], steps, key, told)
            self.rows[named(row_key)] = values

    def _place(self, delta: Delta) -> None:
        entries = [e for e in (*delta.added, *delta.updated) if len(e) == 3]
        waiting = {named(key): None if after is None else named(after) for key, _, after in entries}
        gone = {named(key) for key in delta.removed} | waiting.keys()
        self.order = [key for key in self.order if key not in gone]
        if not self.ordered:
            self.order += [named(e[0]) for e in delta.added]
        while waiting:
            for key, after in list(waiting.items()):
                if after not in waiting:
                    self.order.insert(0 if after is None else self.order.index(after) + 1, key)
                    del waiting[key]

    @property
    def listed(self) -> list[Any]:
        return [self.rows[key] for key in self.order]


def edited(cell: Any, steps: Any, key: Any, told: Any) -> Any:
    """A nested list with one child removed (nothing told), changed (it is told) or placed (and its predecessor)."""
    if steps:
        (child_key, member), *rest = steps
        return [
            [k, {**child, member: edited(child[member], rest, key, told)} if named(k) == named(child_key) else child]
            for k, child in cell
        ]
    held = {named(k): child for k, child in cell}
    if len(told) == 1:
        assert named(key) in held, "changed what is not there"
        return [[k, told[0] if named(k) == named(key) else child] for k, child in cell]
    rest = [[k, child] for k, child in cell if named(k) != named(key)]
    if not told:
        assert len(rest) < len(cell), "removed what is not there"
        return rest
    child, after = told
    at = 0 if after is None else [named(k) for k, _ in rest].index(named(after)) + 1
    return [*rest[:at], [key, held[named(key)] if child is None else child], *rest[at:]]


def named(key: object) -> str:
    return json.dumps(key, sort_keys=True)
