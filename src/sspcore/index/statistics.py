"""Statistics of an index: what a person asks who wonders why a change is slow.

Owns the counting of what is filed. Refuses to be fast: it walks every posting.
"""

from __future__ import annotations

from heapq import nlargest
from typing import Any, Final

import attrs

from sspcore.index.clauses import TRUE
from sspcore.index.dispatch import Dispatch
from sspcore.index.lanes import Lane, ScanLane, length
from sspcore.index.shapes import condition_of

HOTTEST: Final = 5
"""Longest postings told."""


@attrs.frozen
class LaneStatistics:
    """One way of looking up: `access` (its kind), `columns`, `residual` (what is tested besides, as source).

    `predicates` and `postings` count what is filed; `hits` the postings met, where the index counts.
    """

    access: str
    columns: tuple[int, ...]
    residual: str
    predicates: int
    postings: int
    hits: int


@attrs.frozen
class IndexStatistics:
    """`predicates` in all; `always`, those that every row concerns; `scanned`, the share that nothing can look up.

    `hottest` are the longest postings: (access, columns, key, members). `probes` counts looks into lanes and `hits` the
    postings met, both 0 unless the index counts; `errors`, times that routing fell open.
    """

    predicates: int
    always: int
    scanned: float
    lanes: tuple[LaneStatistics, ...]
    hottest: tuple[tuple[str, tuple[int, ...], Any, int], ...]
    probes: int
    hits: int
    errors: int


def statistics_of(index: Dispatch, errors: int = 0) -> IndexStatistics:
    """The statistics of an index. Cost: O(postings)."""
    lanes = [_of_lane(lane) for lane in index.lanes()]
    scanned = sum([lane.size for lane in index.lanes() if isinstance(lane, ScanLane)])
    longest = nlargest(
        HOTTEST,
        (
            (length(posting), lane.kind, lane.columns, key)
            for lane in index.lanes() if not isinstance(lane, ScanLane)
            for key, posting in lane.postings_by_key()
        ),
        key=lambda found: found[0],
    )  # fmt: skip
    return IndexStatistics(
        index.size, len(index.always), scanned / index.size if index.size else 0.0, tuple(lanes),
        tuple([(kind, columns, key, members) for members, kind, columns, key in longest]),
        index.counter.probes if index.counter is not None else 0, sum([lane.hits for lane in lanes]), errors,
    )  # fmt: skip


def _of_lane(lane: Lane) -> LaneStatistics:
    residual = "" if lane.shape is None else condition_of(lane.shape).text.replace("@", "")
    if lane.shape is TRUE:
        residual = "each its own"
    postings = sum(1 for _ in lane.postings_by_key())
    return LaneStatistics(lane.kind, lane.columns, residual, lane.size, postings, lane.hits)
