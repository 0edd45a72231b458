"""What a circuit says of its own work, as frozen values.

Owns the counting of a batch and the form of a circuit's statistics. Refuses to measure time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import attrs

from sspcore.engine.draft import Resolution
from sspcore.engine.update import BatchStats
from sspcore.engine.view import ViewStatistics


@attrs.frozen
class CircuitStatistics:
    """What a circuit holds and has done: version, rows per table, and each view's own counters."""

    name: str
    version: int
    tables: Mapping[str, int]
    views: Mapping[str, ViewStatistics]
    failed: tuple[str, ...]


def batch_statistics(resolution: Resolution, visited: int, changed: int) -> BatchStats:
    """What a batch did, from its resolution and how many views it visited and changed."""
    return BatchStats(
        resolution.received, resolution.changed, resolution.no_ops, resolution.duplicates,
        tuple(resolution.net), visited, changed,
    )  # fmt: skip


def row_statistics(table: str, visited: Collection[object], changed: Collection[object]) -> BatchStats:
    """What a batch of one changed row did, from whom it visited and whom it changed."""
    return BatchStats(1, 1, 0, 0, (table,), len(visited), len(changed))


def no_op_statistics() -> BatchStats:
    """What a batch of one change did that changed nothing."""
    return BatchStats(1, 0, 1, 0, (), 0, 0)
