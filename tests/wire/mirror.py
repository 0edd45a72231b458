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


def named(key: object) -> str:
    return json.dumps(key, sort_keys=True)
