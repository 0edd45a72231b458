"""Running one subject on one workload: the task is written, the driver started, its answer checked, its time believed.

Owns the check: a subject whose answer differs from the oracle's has no time. Refuses to know how time is taken.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import attrs

from benchmarks.engine.data import Batches, after, write_stream, write_tables
from benchmarks.engine.peers import Absent, Peers
from benchmarks.engine.shapes import SHAPES, Tables
from benchmarks.engine.subjects import DRIVERS, Subject
from benchmarks.engine.workloads import View, Workload

REPEATS = 5


@attrs.frozen
class Measurement:
    """What one subject did on one workload.

    Attributes: `status`, ok, or why there is no time: wrong, unsuited, absent, failed, slow; `least` and `middle` of
    the repeats, seconds per step (bytes per view for memory); `cpu`, the middle in seconds of the process; `steps` in
    each repeat; `slice`, the median of slices of a millisecond; `p50`, `p99` of single steps.
    """

    workload: str
    title: str
    subject: str
    status: str
    unit: str = "s"
    least: float | None = None
    middle: float | None = None
    cpu: float | None = None
    slice: float | None = None
    p50: float | None = None
    p99: float | None = None
    repeats: int = 0
    steps: int = 0
    note: str = ""

    @property
    def typical(self) -> float | None:
        """What is compared: the median of slices where steps are short enough to have some, else the best repeat."""
        return self.least if self.slice is None else self.slice


class Bench:
    """One workload made ready: its data written once, each subject run over the same files.

    Use it as a context: the files are gone afterwards. `patience`: seconds after which a subject is too slow.
    """

    def __init__(self, workload: Workload, seconds: float, patience: float, length: int | None = None) -> None:
        self.workload, self._seconds, self._patience = workload, seconds, patience
        self._length = length or workload.length
        self._expected: dict[int, list[Any]] = {}

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="sspcore-bench-")
        folder = Path(self._folder.name)
        w = self.workload
        self._tables: Tables = w.tables()
        columns = {name: dict(w.columns[name]) for name in self._tables}
        write_tables(folder / "tables.json", self._tables, columns)
        self._batches: Batches = w.batches(self._tables, self._length) if w.batches else []
        write_stream(folder / "stream.json", self._batches, columns)
        task = {
            "mode": w.mode, "tables": str(folder / "tables.json"), "stream": str(folder / "stream.json"),
            "views": [_told(view) for view in w.views], "seconds": self._seconds, "repeats": REPEATS, "once": w.once,
            **w.more,
        }  # fmt: skip
        (folder / "task.json").write_text(json.dumps(task), "utf-8")
        self._path = folder
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def measure(self, subject: Subject, peers: Peers) -> Measurement:
        """Run the subject, check its answer, and say what came out."""
        try:
            peer = peers.find(subject.peer)
        except Absent as absent:
            return self._without(subject, "absent", str(absent))
        out = self._path / "result.json"
        out.unlink(missing_ok=True)
        files = [str(DRIVERS / subject.driver), str(self._path / "task.json"), str(out)]
        environment = os.environ | {"PEER": str(peer.folder), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
        command = [*peer.command, *files, *subject.arguments]
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=self._patience, check=False,
                errors="replace", stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return self._without(subject, "slow", f"took longer than {self._patience:.0f} s")
        if not out.exists():
            last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            return self._without(subject, "failed", last[:200])
        return self._judged(subject, json.loads(out.read_text("utf-8")))

    def _without(self, subject: Subject, status: str, note: str) -> Measurement:
        return Measurement(self.workload.name, self.workload.title, subject.name, status, self.workload.unit, note=note)

    def _judged(self, subject: Subject, result: dict[str, Any]) -> Measurement:
        for status in ("unsuited", "failed"):
            if status in result:
                return self._without(subject, status, result[status])
        fault = check(self.workload.views, result["answers"], self._right(result["applied"]))
        if fault:
            return self._without(subject, "wrong", fault)
        wall, cpu = result["wall"], result["cpu"]
        return Measurement(
            self.workload.name, self.workload.title, subject.name, "ok", self.workload.unit, min(wall),
            statistics.median(wall), statistics.median(cpu) if cpu else None, result.get("slice"), result.get("p50"),
            result.get("p99"), len(wall), result["steps"], result.get("note", ""),
        )  # fmt: skip

    def _right(self, applied: int) -> list[Any]:
        """What every view should show after so many batches."""
        if applied not in self._expected:
            changed = applied and self._batches
            tables = after(self._tables, self._batches, applied, self.workload.once) if changed else self._tables
            self._expected.clear()
            place = {"place": applied} if self.workload.mode == "move" else {}
            views = self.workload.views
            self._expected[applied] = [SHAPES[shape].answer(tables, params | place) for shape, params in views]
        return self._expected[applied]


def _told(view: View) -> list[Any]:
    """A view as drivers are told it: shape, params, and for those who speak SQL the text and its values."""
    shape, params = view
    return [shape, params, SHAPES[shape].text(params), SHAPES[shape].values(params)]


def check(views: Sequence[View], answers: Sequence[Any], expected: Sequence[Any]) -> str:
    """Empty when every answer is right, sums of floats to the 9th digit; else the first fault, in words."""
    if len(answers) != len(expected):
        return f"{len(answers)} answers instead of {len(expected)}"
    for number, ((shape, params), shown, right) in enumerate(zip(views, answers, expected, strict=True)):
        place = f"view {number} ({shape} {params})"
        if shown is None or len(shown) != len(right):
            return f"{place}: {0 if shown is None else len(shown)} rows instead of {len(right)}"
        if not SHAPES[shape].ordered:
            shown, right = sorted(shown, key=_order), sorted(right, key=_order)
        for row, wanted in zip(shown, right, strict=True):
            if not _equal(list(row), list(wanted)):
                return f"{place}: {_short(row)} instead of {_short(wanted)}"
    return ""


def _order(row: Sequence[Any]) -> list[Any]:
    return [(value is None, "" if value is None else value) for value in row if not isinstance(value, list)]


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(_equal, a, b))
    if isinstance(a, float) or isinstance(b, float):
        numbers = isinstance(a, int | float) and isinstance(b, int | float)
        return numbers and math.isclose(a, b, rel_tol=1e-9)
    return bool(a == b)


def _short(row: Any) -> str:
    text = str(row)
    return text if len(text) < 120 else f"{text[:117]}..."
