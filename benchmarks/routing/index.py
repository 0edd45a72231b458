"""The predicate index beside what else answers its question: a loop over lanes, a loop over predicates, rule engines.

Owns what is compared: equality, the mix, and the forms live-query engines are asked for, at several sizes. Everybody is
held against a naive loop over all predicates on the same rows before a time is told; who is wrong gets none.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from time import process_time
from typing import Any

from benchmarks import routing_index
from benchmarks.engine.peers import Absent
from benchmarks.engine.plots import Bars, Picture, stacked
from benchmarks.engine.report import amount
from benchmarks.routing import rules
from benchmarks.routing_index import Workload, compiled, filled, forms
from sspcore.plan.expressions import Expression

Row = tuple[Any, ...]
Measured = dict[str, Any]
SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (1_000,)
FORMS = ("= AND other", "= AND =", "@> 3 of 10", "const = ANY (column)", "OR of 2", "IN AND not indexed", "> c",
         "LIKE 'abc%'", "LIKE '%abc%'", "ILIKE '%ABC%'", "one key AND > c", "one env AND @>")  # fmt: skip
OURS, LOOPED, NAIVE = "sspcore", "looped", "naive"
SUBJECTS = (OURS, LOOPED, NAIVE, *rules.PACKAGES)
LABELS = {OURS: "sspcore", LOOPED: "lanes, by a loop", NAIVE: "each predicate"}
MOST = {LOOPED: 10_000, NAIVE: 10_000, **dict.fromkeys(rules.PACKAGES, 1_000)}
"""Predicates beyond which a subject is not asked: it would take minutes to say that it grows with them."""
ROWS = {OURS: 1_000, LOOPED: 200, NAIVE: 40, **dict.fromkeys(rules.PACKAGES, 5)}
"""Rows of one turn; in a hurry, a share of them."""
QUICK_SHARE = 4
CHECKED = 20


def run(quick: bool) -> Measured:
    """Everything measured, as plain data: `measurements` (seconds per row, or a note), and `memory`."""
    measurements: list[Measured] = []
    for case, size, predicates, rows in cases(QUICK_SIZES if quick else SIZES, quick):
        measurements += measured(case, size, predicates, rows, quick)
        gc.collect()
    size = 20_000 if quick else 100_000
    return {"measurements": measurements, "memory": [routing_index.memory(kind, size) for kind in ("eq", "mix")]}


def cases(sizes: Sequence[int], quick: bool) -> Iterator[tuple[str, int, Sequence[Expression], Sequence[Row]]]:
    """Name, size, predicates, rows."""
    for kind in ("eq", "mix"):
        for size in sizes:
            work = Workload(kind, size)
            yield kind, size, work.predicates, work.rows(1000)
    size = sizes[0] if quick else sizes[1]
    for name, (predicates, rows) in forms(size).items():
        if name in FORMS:
            yield name, size, predicates, rows


def measured(
    case: str, size: int, predicates: Sequence[Expression], rows: Sequence[Row], quick: bool
) -> list[Measured]:
    """One case, everybody: those that are there and right, in turns."""
    tests = compiled(predicates)
    right = {row: [id for id, test in tests.items() if test(row)] for row in rows[: min(CHECKED, 2_000_000 // size)]}
    there: dict[str, Callable[[Row], Any]] = {}
    found: list[Measured] = []
    for name in SUBJECTS:
        if size > MOST.get(name, size):
            continue
        note = ""
        try:
            route = _subject(name, predicates, tests, not quick)
            wrong = [row for row in list(right)[: ROWS[name]] if sorted(route(row)) != right[row]]
            note = f"WRONG for {wrong[0]}" if wrong else ""
        except Absent as absent:
            note = str(absent)
        if not note:
            there[name] = route
        found.append({"case": case, "predicates": size, "subject": name, "seconds": None, "note": note})
    times = dict.fromkeys(there, math.inf)
    share = QUICK_SHARE if quick else 1
    for _ in range(3 if quick else 9):
        for name, route in there.items():
            some = rows[: max(2, ROWS[name] // share)]
            start = process_time()
            for row in some:
                route(row)
            times[name] = min(times[name], (process_time() - start) / len(some))
    return [m | {"seconds": times.get(m["subject"])} for m in found]


def _subject(name: str, predicates: Sequence[Expression], tests: Mapping[int, Any], fetch: bool) -> Any:
    if name in rules.PACKAGES:
        return rules.made(name, predicates, fetch)
    if name == NAIVE:
        return lambda row: [id for id, test in tests.items() if test(row)]
    index, _ = filled(predicates)
    index.settle()
    return index.looped if name == LOOPED else lambda row: index.route(row)


def tables(data: Mapping[str, Any]) -> list[list[str]]:
    """The rows of a table: case, predicates, then each subject's time, and how many times ours it is."""
    groups: dict[tuple[str, int], dict[str, Measured]] = {}
    for m in data["measurements"]:
        groups.setdefault((m["case"], m["predicates"]), {})[m["subject"]] = m
    out = [["predicates of one form", "how many", *[LABELS.get(name, name) for name in SUBJECTS]]]
    for (case, size), found in groups.items():
        ours = found[OURS]["seconds"]
        line = [case, f"{size:,}"]
        for name in SUBJECTS:
            m = found.get(name)
            if m is None or m["seconds"] is None:
                line.append("WRONG" if m is not None and m["note"].startswith("WRONG") else "")
            else:
                times = f" ×{m['seconds'] / ours:,.0f}" if name != OURS and ours else ""
                line.append(amount(m["seconds"], "s") + times)
        out.append(line)
    return out


def notes(data: Mapping[str, Any]) -> list[str]:
    """Why somebody has no time, each reason once; and memory."""
    reasons = {f"{LABELS.get(m['subject'], m['subject'])}: {m['note']}" for m in data["measurements"] if m["note"]}
    held = [
        f"{m['case']}, {m['predicates']:,}: {m['bytes lanes']:.0f} bytes a predicate in lanes, "
        f"{m['bytes index']:.0f} with what is kept to remove it by id"
        for m in data["memory"]
    ]
    return sorted(reasons) + held


def print_table(data: Mapping[str, Any]) -> None:
    """The table for people, and what is to be said about it."""
    lines = tables(data)
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    print("Time to find which predicates hold for a row (× as long as sspcore)")
    for line in lines:
        first, *cells = zip(line, widths, strict=True)
        print("  ".join([first[0].ljust(first[1]), *[cell.rjust(width) for cell, width in cells]]).rstrip())
    for note in notes(data):
        print(note)


COLOURS = dict(zip(SUBJECTS, ("#1769aa", "#74b3e0", "#606060", "#d95f02", "#7570b3", "#66a61e"), strict=True))


def draw(data: Mapping[str, Any]) -> Picture | None:
    """One bar per subject and case, logarithmic: shorter is better."""
    timed = [m for m in data["measurements"] if m["seconds"]]
    if not timed:
        return None
    title = "Time to find which predicates hold for a row, logarithmic: shorter is better"
    bars = Bars([title], [m["seconds"] for m in timed])
    last: tuple[str, int] | None = None
    for m in timed:
        if (m["case"], m["predicates"]) != last:
            last = m["case"], m["predicates"]
            bars.name(f"{m['case']}  × {m['predicates']:,}")
        bars.bar(LABELS.get(m["subject"], m["subject"]), m["seconds"], [(1.0, COLOURS[m["subject"]])])
    return bars.picture()


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m benchmarks.routing.index [--quick] [--json FILE] [--plot FILE]`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing.index", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sizes and turns, and nothing is installed")
    parser.add_argument("--json", help="write every figure to this file")
    parser.add_argument("--plot", help="write the picture to this file")
    options = parser.parse_args(arguments)
    data = run(options.quick)
    print_table(data)
    if options.json:
        Path(options.json).write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    if options.plot and (picture := draw(data)):
        Path(options.plot).write_text(stacked([picture]), "utf-8")
    return int(any(m["note"].startswith("WRONG") for m in data["measurements"]))


if __name__ == "__main__":
    sys.exit(main())
