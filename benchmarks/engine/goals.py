"""What was aimed at, beside what was measured. Owns the comparison; the aims stand with the workloads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from benchmarks.engine.runner import Measurement
from benchmarks.engine.subjects import OURS, SUBJECTS, TUPLES
from benchmarks.engine.workloads import Workload

Results = Mapping[str, Mapping[str, Measurement]]
"""Workload key → subject name → measurement."""


@attrs.frozen
class Outcome:
    """One goal: `measured` against `aim`; a time or size is to be at most the aim, a ratio at least."""

    workload: str
    what: str
    aim: float
    measured: float
    ratio: bool
    unit: str = "s"

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        return self.measured >= self.aim if self.ratio else self.measured <= self.aim


def filed(measurements: Sequence[Measurement]) -> Results:
    """Measurements by workload and subject, in order."""
    found: dict[str, dict[str, Measurement]] = {}
    for m in measurements:
        found.setdefault(f"{m.workload} {m.title}", {})[m.subject] = m
    return found


def ratio(results: Mapping[str, Measurement], peer: str) -> float | None:
    """How many times as long (or as large) the peer's is, against ours."""
    ours, other = results.get(OURS), results.get(peer)
    if ours is None or other is None or not ours.typical or other.typical is None:
        return None
    return other.typical / ours.typical


def outcomes(workloads: Sequence[Workload], measurements: Sequence[Measurement]) -> Iterator[Outcome]:
    """Every goal that can be judged from what was measured."""
    results = filed(measurements)
    for w in workloads:
        group = results.get(w.key, {})
        ours, tuples = group.get(OURS), group.get(TUPLES)
        if w.goal.most is not None and ours is not None and ours.typical is not None:
            yield Outcome(w.key, "at most", w.goal.most, ours.typical, False, w.unit)
        if w.goal.tuples is not None and tuples is not None and tuples.typical is not None:
            yield Outcome(w.key, "tuples in, at most", w.goal.tuples, tuples.typical, False, w.unit)
        for peer, aim, label in _aims(w.goal.faster):
            found = ratio(group, peer)
            if found is not None:
                yield Outcome(w.key, f"× {label}", aim, found, True)


def _aims(faster: Mapping[str, float]) -> Iterator[tuple[str, float, str]]:
    for subject in SUBJECTS:
        if subject.name in (OURS, TUPLES):
            continue
        aim = faster.get(subject.name, faster.get("rest"))
        if aim is not None:
            yield subject.name, aim, subject.label
