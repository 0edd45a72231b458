"""Timing: repeats, the least and the middle, and no time without a right answer.

Owns the clock, which counts this process's own seconds: all subjects run in it, in one thread and in memory, and on a
shared machine waiting for a processor would say more of the neighbours. Refuses to know what is measured.
"""

from __future__ import annotations

import gc
import math
import statistics
from collections.abc import Callable, Sequence
from time import process_time

import attrs

from benchmarks.subjects import SUBJECTS, Subject, Unsuited
from benchmarks.workloads import Answer, Tables, Workload, after

REPEATS = 5


@attrs.frozen
class Measurement:
    """Seconds per step, a hydration or a batch: the least and middle of the repeats; `note` says why there is none."""

    workload: str
    title: str
    subject: str
    hydrate: bool
    least: float | None
    middle: float | None
    repeats: int
    steps: int
    note: str = ""


def measure(workload: Workload, subject: str, seconds: float, repeats: int = REPEATS) -> Measurement:
    """Measure one subject on one workload, spending about `seconds`; AssertionError when its answer is wrong."""
    tables = workload.tables()
    try:
        run = _hydrate if workload.hydrate else _step
        samples, steps = run(workload, SUBJECTS[subject], tables, seconds, repeats)
    except Unsuited as reason:
        return Measurement(workload.name, workload.title, subject, workload.hydrate, None, None, 0, 0, str(reason))
    return Measurement(
        workload.name, workload.title, subject, workload.hydrate, min(samples), statistics.median(samples),
        len(samples), steps, workload.note if subject == "sspcore" else "",
    )  # fmt: skip


Make = Callable[[Workload, Tables], Subject]


def _hydrate(workload: Workload, make: Make, tables: Tables, seconds: float, repeats: int) -> tuple[list[float], int]:
    samples: list[float] = []
    spent = 0.0
    while len(samples) < repeats or (spent < seconds and len(samples) < 10 * repeats):
        subject = make(workload, tables)
        gc.collect()
        start = process_time()
        subject.hydrate()
        samples.append(process_time() - start)
        spent += samples[-1]
        if len(samples) == 1:
            check(workload, subject.answer(), tables)
    return samples, 1


def _step(workload: Workload, make: Make, tables: Tables, seconds: float, repeats: int) -> tuple[list[float], int]:
    """Repeats go on from each other: a change applied twice would do nothing the second time."""
    assert workload.batches is not None
    subject = make(workload, tables)
    (trial,) = workload.batches(tables, 1)
    start = process_time()
    subject.step(trial)
    each = max(1e-6, process_time() - start)
    steps = max(1, min(5000, int(seconds / repeats / each)))
    batches = workload.batches(tables, 1 + repeats * steps)
    samples = []
    for n in range(repeats):
        part = batches[1 + n * steps : 1 + (n + 1) * steps]
        gc.collect()
        start = process_time()
        for batch in part:
            subject.step(batch)
        samples.append((process_time() - start) / steps)
    check(workload, subject.answer(), after(tables, batches))
    return samples, steps


def check(workload: Workload, answers: Sequence[Answer], tables: Tables) -> None:
    """AssertionError unless every answer is what the oracle says, sums of floats to the 9th digit."""
    expected = workload.oracle(tables)
    assert len(answers) == len(expected), f"{len(answers)} answers instead of {len(expected)}"
    for shown, right in zip(answers, expected, strict=True):
        rows = shown if workload.ordered else sorted(shown)
        assert len(rows) == len(right), f"{workload.name}: {len(rows)} rows instead of {len(right)}"
        for row, wanted in zip(rows, right, strict=True):
            assert all(map(_equal, row, wanted)), f"{workload.name}: {row} instead of {wanted}"


def _equal(a: object, b: object) -> bool:
    return math.isclose(a, b, rel_tol=1e-9) if isinstance(a, float) and isinstance(b, float) else a == b
