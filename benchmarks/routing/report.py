"""How a run is told: a table per workload, strategies side by side, for people; the same as data for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from benchmarks.engine.report import Table, amount
from benchmarks.routing.growth import Curve
from benchmarks.routing.measure import Measurement
from benchmarks.routing.workloads import Workload

WORDS = {"wrong": "WRONG", "unsuited": "–", "failed": "failed"}
HEADER = ["strategy", "a change", "× best", "median", "deliveries", "wasted", "memory", "set-up", "churn"]


def tables(workloads: Sequence[Workload], measurements: Sequence[Measurement]) -> Iterator[Table]:
    """A table per workload: fastest first, then those without a time."""
    for workload in workloads:
        found = [m for m in measurements if m.workload == workload.name]
        timed = sorted([m for m in found if m.least is not None], key=lambda m: m.least or 0.0)
        best = timed[0].least if timed else None
        rows = [_row(m, best) for m in timed]
        rows += [[m.strategy, WORDS[m.status], *["–"] * (len(HEADER) - 2)] for m in found if m.least is None]
        count = f"{len(workload.circuits)} circuits, {len(workload.views)} views"
        yield f"{workload.name}: {workload.title} ({count})", HEADER, rows


def _row(m: Measurement, best: float | None) -> list[str]:
    assert m.least is not None
    assert best
    each = m.delivered / m.changes
    return [
        m.strategy + (" *" if m.shares else ""), amount(m.least, "s"), f"{m.least / best:.1f}", amount(m.middle, "s"),
        f"{each:,.2f}", f"{m.wasted / m.changes:,.2f}",
        "–" if m.memory is None else f"{m.memory / 2**20:,.1f} MiB", amount(m.setup, "s"), amount(m.churn, "s"),
    ]  # fmt: skip


def notes(measurements: Sequence[Measurement]) -> list[str]:
    """What is to be known beside the figures."""
    found = []
    if any(m.shares for m in measurements):
        found.append("*: circuits hold shares, and their views are views of these")
    found.append("a change: processor time, best segment; deliveries and wasted ones are row changes per change")
    bad = [m for m in measurements if m.status in ("wrong", "failed")]
    found += [f"{m.strategy} on {m.workload}: {WORDS[m.status]}, {m.note}" for m in bad]
    reasons: dict[str, list[str]] = {}
    for m in measurements:
        if m.status == "unsuited":
            reasons.setdefault(f"{m.strategy}: {m.note}", []).append(m.workload)
    return found + [f"{reason} ({', '.join(names)})" for reason, names in reasons.items()]


def grown(curves: Sequence[Curve]) -> list[Table]:
    """The ingress alone: seconds per change by number of circuits."""
    if not curves:
        return []
    sizes = sorted({size for curve in curves for size, _ in curve.points})
    rows = [
        [c.strategy, *(amount(dict(c.points).get(size), "s") for size in sizes),
         "–" if c.exponent is None else f"{c.exponent:.2f}"]
        for c in sorted(curves, key=lambda c: c.points[-1][1])
    ]  # fmt: skip
    title = "the ingress alone: one change that one circuit needs, among so many; time grows as circuits to the power"
    return [(title, ["strategy", *(f"{size:,}" for size in sizes), "power"], rows)]


def as_data(
    workloads: Sequence[Workload], measurements: Sequence[Measurement], curves: Sequence[Curve] = ()
) -> dict[str, Any]:
    """Everything, for JSON."""
    return {
        "workloads": {
            w.name: {"title": w.title, "circuits": len(w.circuits), "views": len(w.views)} for w in workloads
        },
        "measurements": [attrs.asdict(m) for m in measurements],
        "growth": [{"strategy": c.strategy, "points": c.points, "exponent": c.exponent} for c in curves],
    }  # fmt: skip
