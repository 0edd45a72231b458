"""`sspcore bench engine`: choose, measure, report. Owns the order of things; each thing is another module's."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.engine import growth, plots, report, year
from benchmarks.engine.goals import outcomes
from benchmarks.engine.peers import Peers
from benchmarks.engine.progress import Progress
from benchmarks.engine.runner import Bench, Measurement
from benchmarks.engine.subjects import OURS, SUBJECTS, TUPLES, Subject
from benchmarks.engine.workloads import WORKLOADS, Workload
from sspcore.errors import UsageError

SECONDS, QUICK_SECONDS = 1.0, 0.2
QUICK_LENGTH = 3000
PATIENCE, QUICK_PATIENCE = 150.0, 12.0
DRAIN = 12.0
"""Seconds a peer has for the year of flights; how far it gets is told."""
QUICK_GROWTH = 1000


def run(options: argparse.Namespace) -> int:
    """Measure, print, write. 0, or 1 when sspcore itself gave a wrong answer. Raises UsageError."""
    workloads, subjects = choose(options), chosen_subjects(options.peers)
    for file in (options.json, options.plot):
        if file and not Path(file).absolute().parent.is_dir():
            raise UsageError(f"{file}: there is no such folder", hint="make it, or name another")
    seconds = options.seconds or (QUICK_SECONDS if options.quick else SECONDS)
    patience = QUICK_PATIENCE if options.quick else PATIENCE
    start = time.monotonic()
    measurements: list[Measurement] = []
    curves: list[growth.Series] = []

    def written() -> dict[str, Any]:
        """What there is so far, also in the file: a long run that ends early has not been for nothing."""
        judged = list(outcomes(workloads, measurements))
        data = report.as_data(measurements, judged, curves, time.monotonic() - start)
        if options.json:
            Path(options.json).write_text(report.as_json(data), "utf-8")
        return data

    asked = [(w, [s for s in subjects if suits(s, w, options.quick)]) for w in workloads]
    with Progress(sum(len(found) for _, found in asked)) as progress:
        peers = Peers("none" if options.offline else "light" if options.quick else "all", progress.say)
        for workload, found in asked:
            length = QUICK_LENGTH if options.quick else workload.length
            measurements += measure(workload, found, peers, seconds, patience, min(length, workload.length), progress)
            written()
        if options.growth or (options.plot and not options.only) or not (options.quick or options.only):
            most = QUICK_GROWTH if options.quick else 10**9
            curves = list(growth.measure(peers, seconds / 2, patience, progress.say, most))
    data, judged = written(), list(outcomes(workloads, measurements))
    if options.plot:
        for path in plots.write(json.loads(report.as_json(data)), Path(options.plot)):
            print(f"written: {path}", file=sys.stderr)
    report.print_tables([*report.tables(measurements, judged), *told(curves)], report.notes(measurements))
    return int(any(m.status in ("wrong", "failed") and m.subject in (OURS, TUPLES) for m in measurements))


def choose(options: argparse.Namespace) -> list[Workload]:
    """The workloads asked for; all, or in a hurry the short ones. Raises UsageError for a name nobody has."""
    everything = [*WORKLOADS, *year.workloads()]
    names = list(dict.fromkeys(w.name for w in everything))
    only = (options.only or "").split(",") if options.only else []
    for name in only:
        if name not in names:
            raise UsageError(f"no workload {name!r}", hint=f"there are {', '.join(names)}")
    if only:
        return [w for w in everything if w.name in only]
    return [w for w in everything if w.quick or not options.quick]


def chosen_subjects(peers: str | None) -> list[Subject]:
    """The engine and the peers asked for. Raises UsageError for a name nobody has."""
    if peers is None:
        return list(SUBJECTS)
    wanted = {name for name in peers.split(",") if name}
    known = [s.name for s in SUBJECTS if s.driver != "ours.py"]
    for name in sorted(wanted - set(known)):
        raise UsageError(f"no peer {name!r}", hint=f"there are {', '.join(known)}")
    return [s for s in SUBJECTS if s.name in wanted or s.driver == "ours.py"]


def suits(subject: Subject, workload: Workload, quick: bool) -> bool:
    """Whether the subject has part in the workload."""
    shapes = {shape for shape, _ in workload.views}
    if workload.mode not in subject.modes or not shapes <= subject.shapes:
        return False
    return not quick or subject.quick is None or workload.name in subject.quick


def measure(
    workload: Workload, subjects: Iterable[Subject], peers: Peers, seconds: float, patience: float, length: int,
    progress: Progress,
) -> list[Measurement]:  # fmt: skip
    """One workload, every subject, over the same files."""
    found = []
    drain = workload.mode == "drain"
    try:
        with Bench(workload, DRAIN if drain else seconds, patience * (2 if drain else 1), length) as bench:
            for subject in subjects:
                progress.step(f"{workload.key}: {subject.label}")
                m = bench.measure(subject, peers)
                if m.status in ("wrong", "failed", "slow"):
                    progress.say(f"{subject.label} {m.status}: {m.note}")
                found.append(m)
    except workload.unavailable as error:
        progress.say(f"{workload.key} is left out: {error}")
    return found


def told(curves: list[growth.Series]) -> list[report.Table]:
    """The curves as a table."""
    labels = {s.name: s.label for s in SUBJECTS}
    rows = [
        [c.name, labels[c.subject], "–" if c.exponent is None else f"{c.exponent:.2f}",
         "  ".join(f"{size:,}: {report.amount(seconds, 's')}" for size, seconds in c.points)]
        for c in curves
    ]  # fmt: skip
    return [("growth of one change", ["with", "", "exponent", "size: time"], rows)] if rows else []
