"""How a subject is timed: the modes, the clocks, the warm-up, the repeats. Standard library only.

Owns the form of a task and of its result; `clock.mjs` says the same in JavaScript. A task is a JSON file:

    mode      hydrate | step | memory | and those a driver adds
    tables    file: {table: {"columns": {name: type}, "rows": [[...]]}}; a row's first value is its id
    stream    file: [[[table, id, row or null], ...], ...], batches that follow each other (step)
    views     [[shape, params], ...], the vocabulary of `engine/shapes.py`
    seconds   how long the measured part may take, about;  repeats   how often it is measured at least

The stream is walked forwards and then backwards, undoing itself, as often as there is time: so there are always more
real changes, however fast the subject. A `once` stream is walked forwards only.
Refuses to know what an answer should be: the rows are handed back with the number of batches applied.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import traceback
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

LATENCIES = 2000
"""Steps timed one by one for the percentiles, after the repeats."""
MOST_STEPS = 200_000
SLICE = 1e-3
"""Seconds: the stream is also timed in slices of about this. Their median is what a step typically takes, whatever else
the machine does: another process's time slices fall into few of them."""


class Unsuited(Exception):
    """The subject cannot do this; the text says why."""


def read_tables(task: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The tables of the task, each {"columns": {name: type}, "rows": [[...]]}."""
    return json.loads(Path(task["tables"]).read_text("utf-8")) if task["tables"] else {}


class Stream:
    """Batches of (table, id, old row or None, new row or None), as lists in column order, walked for ever."""

    def __init__(self, task: dict[str, Any], tables: dict[str, dict[str, Any]]) -> None:
        current = {name: {row[0]: row for row in table["rows"]} for name, table in tables.items()}
        self.batches: list[list[tuple[str, Any, Any, Any]]] = []
        for batch in json.loads(Path(task["stream"]).read_text("utf-8")):
            resolved = []
            for table, key, row in batch:
                rows = current[table]
                resolved.append((table, key, rows.get(key), row))
                if row is None:
                    del rows[key]
                else:
                    rows[key] = row
            self.batches.append(resolved)
        if not task.get("once"):
            self.batches += [[(t, k, new, old) for t, k, old, new in reversed(b)] for b in reversed(self.batches)]
        self.sizes = [len(batch) for batch in self.batches]
        self.once = bool(task.get("once"))
        self.applied = 0

    def prepared(self, driver: Any) -> list[Any]:
        """The batches as the driver wants them; they are its own from here on, so that the collector sees them once."""
        batches, self.batches = self.batches, []
        return driver.prepare(batches)

    def left(self) -> int:
        """How many batches may still be taken."""
        return len(self.sizes) - self.applied if self.once else MOST_STEPS * 1000

    def take(self, prepared: list[Any], count: int) -> list[Any]:
        """The next `count` of what was prepared from `batches`, one for each."""
        start = self.applied % len(prepared)
        self.applied += count
        found = prepared[start : start + count]
        while len(found) < count:
            found += prepared[: count - len(found)]
        return found


def step(task: dict[str, Any], driver: Any) -> dict[str, Any]:
    """Time batches. The driver has `load(tables)`, `open(views)`, `prepare(batches)`, `run(prepared)`, `answers()`."""
    tables = read_tables(task)
    stream = Stream(task, tables)
    driver.load(tables)
    start = perf_counter()
    driver.open(task["views"])
    opened = perf_counter() - start
    prepared = stream.prepared(driver)
    driver.run(stream.take(prepared, 1))
    budget, repeats = task["seconds"], task["repeats"]
    # Warming up: caches, specialised bytecode, just-in-time compilers; and how many steps a repeat has room for.
    count, spent, each = 1, 0.0, 0.0
    while spent < 0.15 * budget and stream.left() > count * (repeats + 2):
        part = stream.take(prepared, count)
        start = perf_counter()
        driver.run(part)
        taken = perf_counter() - start
        spent, each, count = spent + taken, taken / count, min(count * 2, MOST_STEPS)
    count = max(1, min(MOST_STEPS, int(budget / repeats / max(each, 1e-8)), stream.left() // (repeats + 1)))
    wall, cpu, slices = [], [], []
    size = max(1, round(SLICE / max(each, 1e-8)))
    for _ in range(repeats):
        parts = sliced(stream.take(prepared, count), size)
        gc.collect()
        busy, start = process_time(), perf_counter()
        at = start
        for part in parts:
            driver.run(part)
            before, at = at, perf_counter()
            if len(part) == size:
                slices.append((at - before) / size)
        wall.append((at - start) / count)
        cpu.append((process_time() - busy) / count)
    result = {
        "wall": wall, "cpu": cpu, "slice": statistics.median(slices) if len(slices) >= 20 else None, "steps": count,
        "opened": opened, "note": getattr(driver, "note", ""),
    }  # fmt: skip
    singles = min(LATENCIES, int(0.3 * budget / max(each, 1e-8)), stream.left())
    if singles >= 20 and not getattr(driver, "only_throughput", False):
        result |= percentiles(latencies(driver.run, stream.take(prepared, singles)))
    return result | {"answers": driver.answers(), "applied": stream.applied}


def sliced(part: list[Any], size: int) -> list[list[Any]]:
    """Cut into pieces of `size`.

    >>> sliced([1, 2, 3], 2)
    [[1, 2], [3]]
    """
    return [part[n : n + size] for n in range(0, len(part), size)]


def latencies(run: Any, prepared: list[Any]) -> list[float]:
    """The seconds of each step."""
    found = []
    for one in prepared:
        part = [one]
        start = perf_counter()
        run(part)
        found.append(perf_counter() - start)
    return found


def percentiles(seconds: list[float]) -> dict[str, float]:
    """p50 and p99.

    >>> percentiles([float(n) for n in range(100)])
    {'p50': 50.0, 'p99': 99.0}
    """
    ordered = sorted(seconds)
    return {"p50": ordered[len(ordered) // 2], "p99": ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]}


def hydrate(task: dict[str, Any], driver: Any) -> dict[str, Any]:
    """Time first values. The driver also has `close()`, which forgets its views."""
    driver.load(read_tables(task))
    wall: list[float] = []
    cpu: list[float] = []
    answers = None
    spent, fewest = 0.0, task["repeats"]
    while len(wall) < fewest or (spent < task["seconds"] and len(wall) < 20 * fewest):
        if wall:
            driver.close()
        gc.collect()
        busy, start = process_time(), perf_counter()
        driver.open(task["views"])
        wall.append(perf_counter() - start)
        cpu.append(process_time() - busy)
        spent += wall[-1]
        if answers is None:
            answers = driver.answers()
    return {"wall": wall, "cpu": cpu, "steps": 1, "answers": answers, "applied": 0, "note": getattr(driver, "note", "")}


def memory(task: dict[str, Any], driver: Any) -> dict[str, Any]:
    """Bytes per view: what the views allocate beside the tables, by tracemalloc."""
    import tracemalloc

    driver.load(read_tables(task))
    driver.open(task["views"][:1])  # what the first view brings for all (code, caches) is not the views'
    gc.collect()
    tracemalloc.start()
    driver.open(task["views"][1:])
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    found = {"wall": [size / (len(task["views"]) - 1)], "cpu": [], "steps": 1, "note": "tracemalloc"}
    return found | {"answers": driver.answers(), "applied": 0}


def drain(task: dict[str, Any], driver: Any) -> dict[str, Any]:
    """Walk the stream once, to its end or as far as there is time for: seconds per change, percentiles per batch."""
    tables = read_tables(task)
    stream = Stream(task, tables)
    driver.load(tables)
    driver.open(task["views"])
    prepared = stream.prepared(driver)
    gc.collect()
    found, spent = [], 0.0
    busy = process_time()
    while stream.left() and spent < task["seconds"]:
        part = stream.take(prepared, 1)
        start = perf_counter()
        driver.run(part)
        found.append(perf_counter() - start)
        spent += found[-1]
    busy = process_time() - busy
    changes = sum(stream.sizes[: stream.applied])
    note = "" if not stream.left() else f"{changes:,} changes"
    result = {"wall": [spent / changes], "cpu": [busy / changes], "steps": changes, "note": note}
    return result | percentiles(found) | {"answers": driver.answers(), "applied": stream.applied}


def move(task: dict[str, Any], driver: Any) -> dict[str, Any]:
    """Time views that move without a change: `driver.to(n)` brings the views to place n, there and back or onwards.

    `places` of the task: how many there are; `round`, whether the first comes again after the last.
    """
    driver.load(read_tables(task))
    driver.open(task["views"])
    places, at = task["places"], 0

    def walk(count: int) -> float:
        nonlocal at
        start = perf_counter()
        for n in range(at + 1, at + count + 1):
            driver.to(n % places)
        at += count
        return perf_counter() - start

    each = walk(2) / 2
    each = walk(2) / 2
    left = 10**9 if task["round"] else places - at - 1
    count = max(1, min(int(task["seconds"] / task["repeats"] / max(each, 1e-8)), left // task["repeats"]))
    wall, cpu = [], []
    for _ in range(task["repeats"]):
        gc.collect()
        busy = process_time()
        wall.append(walk(count) / count)
        cpu.append((process_time() - busy) / count)
    note = getattr(driver, "note", "")
    return {"wall": wall, "cpu": cpu, "steps": count, "answers": driver.answers(), "applied": at % places, "note": note}


MODES = {"move": move, "step": step, "hydrate": hydrate, "memory": memory, "drain": drain}


def main(driver: Any) -> None:
    """Read the task (first argument), do it, write the result (second argument)."""
    task = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    try:
        mode = getattr(driver, task["mode"], None) or MODES.get(task["mode"])
        if mode is None:
            raise Unsuited(f"has no {task['mode']}")
        result = mode(task) if task["mode"] not in MODES or hasattr(driver, task["mode"]) else mode(task, driver)
    except Unsuited as reason:
        result = {"unsuited": str(reason)}
    except Exception as error:  # noqa: BLE001 - told in the report
        traceback.print_exc()
        result = {"failed": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    Path(sys.argv[2]).write_text(json.dumps(result), "utf-8")
