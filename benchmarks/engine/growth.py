"""How the time of one change grows: with the rows, with the views, with how many views it reaches; and the exponent.

Owns the series and the fit. Time growing as size to the power e is a straight line of slope e on paper with logarithmic
scales; e = 0 is what not visiting views is about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import attrs

from benchmarks.engine.data import edits, issues
from benchmarks.engine.peers import Peers
from benchmarks.engine.runner import Bench
from benchmarks.engine.subjects import OURS, SUBJECTS
from benchmarks.engine.workloads import Workload, keyed


@attrs.frozen
class Series:
    """One line: seconds per change of a subject at growing sizes, and the fitted exponent."""

    name: str
    axis: str
    subject: str
    points: tuple[tuple[int, float], ...]
    exponent: float | None


def exponent(points: Sequence[tuple[int, float]]) -> float | None:
    """The slope of the straight line through the logarithms, by least squares; None for fewer than three points.

    >>> exponent([(1, 1.0), (10, 10.0), (100, 100.0)]), exponent([(1, 5.0), (10, 5.0), (100, 5.0)])
    (1.0, 0.0)
    """
    if len(points) < 3:
        return None
    xs, ys = [math.log(size) for size, _ in points], [math.log(seconds) for _, seconds in points]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)
    return round(slope, 3) + 0.0


def _rows(size: int) -> Workload:
    return Workload(
        "rows", f"{size:,} rows, 100 keyed views", "step", lambda: {"issue": issues(size, max(100, size // 10))},
        keyed(100), batches=edits(owners=max(100, size // 10)), length=5000,
    )  # fmt: skip


def _views(size: int) -> Workload:
    owners = max(1000, size)
    return Workload(
        "views", f"{size:,} keyed views", "step", lambda: {"issue": issues(10_000, owners)}, keyed(size),
        batches=edits(owners=owners), length=5000,
    )  # fmt: skip


def _reached(size: int) -> Workload:
    views = [("range", {"low": -1.0 - n, "high": 2000.0}) for n in range(size)]
    return Workload(
        "fan-out", f"every change reaches {size:,} views", "step", lambda: {"issue": issues(1000)}, views,
        batches=edits(), length=2000,
    )  # fmt: skip


CURVES: tuple[tuple[str, str, Callable[[int], Workload], dict[str, tuple[int, ...]]], ...] = (
    ("rows", "rows in the table", _rows, {OURS: (100, 1000, 10_000, 100_000, 1_000_000), "zql": (100, 1000, 10_000)}),
    ("views", "views", _views, {OURS: (1, 10, 100, 1000, 10_000, 100_000), "zql": (1, 10, 100, 1000),
                                "db-ivm": (1, 10, 100, 1000)}),
    ("fan-out", "views that a change reaches", _reached, {OURS: (1, 10, 100, 1000), "zql": (1, 10, 100)}),
)  # fmt: skip


def measure(
    peers: Peers, seconds: float, patience: float, say: Callable[[str], None], most: int = 10**9
) -> Iterator[Series]:
    """Every curve of every subject that is there; sizes above `most`, too slow or wrong end a curve, with a word."""
    subjects = {s.name: s for s in SUBJECTS}
    for name, axis, make, sizes in CURVES:
        points: dict[str, list[tuple[int, float]]] = {subject: [] for subject in sizes}
        for size in sorted({s for found in sizes.values() for s in found if s <= most}):
            wanted = [subject for subject, found in sizes.items() if size in found]
            with Bench(make(size), seconds, patience) as bench:
                for subject in wanted:
                    say(f"growth with {name}, {size:,}: {subjects[subject].label}")
                    m = bench.measure(subjects[subject], peers)
                    if m.typical is not None:
                        points[subject].append((size, m.typical))
                    elif m.status != "absent":
                        say(f"growth with {name}, {size:,}: {subjects[subject].label} {m.status}: {m.note}")
        for subject, found in points.items():
            if found:
                yield Series(name, axis, subject, tuple(found), exponent(found))
