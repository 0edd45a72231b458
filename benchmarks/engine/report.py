"""How measurements are told: ratios first, then times, then goals; tables for people and JSON for programs."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

import sspcore
from benchmarks.engine.goals import Outcome, filed, ratio
from benchmarks.engine.peers import NPM, PIP
from benchmarks.engine.runner import Measurement
from benchmarks.engine.subjects import OURS, SUBJECTS, TUPLES

Table = tuple[str, list[str], list[list[str]]]
"""(title, header, rows)"""
_PEERS = [s for s in SUBJECTS if s.name not in (OURS, TUPLES)]
WORDS = {"wrong": "WRONG", "unsuited": "–", "absent": "absent", "failed": "failed", "slow": "slow"}


def tables(measurements: Sequence[Measurement], outcomes: Sequence[Outcome]) -> Iterator[Table]:
    """Ratios, times, goals."""
    results = filed(measurements)
    present = [s for s in _PEERS if any(s.name in group for group in results.values())]
    header = ["workload", "sspcore", *(s.label for s in present)]
    rows = []
    for key, group in results.items():
        ours = group.get(OURS)
        cells = [WORDS[m.status] if m and m.least is None else times(ratio(group, s.name)) for s in present
                 for m in [group.get(s.name)]]  # fmt: skip
        rows.append([key, quantity(ours, "typical"), *cells])
    yield "× faster than (typical time against typical time)", header, rows
    header = ["workload", "", *(s.label for s in SUBJECTS if s in present or s.name in (OURS, TUPLES))]
    shown = [s for s in SUBJECTS if s in present or s.name in (OURS, TUPLES)]
    rows = []
    for key, group in results.items():
        rows.append([key, "typical", *(quantity(group.get(s.name), "typical") for s in shown)])
        rows.append(["", "best", *(quantity(group.get(s.name)) for s in shown)])
        rows.append(["", "median", *(quantity(group.get(s.name), "middle") for s in shown)])
        if any(m.p99 for m in group.values()):
            rows.append(["", "p50", *(quantity(group.get(s.name), "p50") for s in shown)])
            rows.append(["", "p99", *(quantity(group.get(s.name), "p99") for s in shown)])
    yield "time per step (or bytes per view)", header, rows
    judged = [
        [o.workload, o.what, times(o.aim) if o.ratio else amount(o.aim, o.unit),
         times(o.measured) if o.ratio else amount(o.measured, o.unit), "met" if o.met else "MISSED"]
        for o in outcomes
    ]  # fmt: skip
    if judged:
        yield "goals", ["workload", "what", "goal", "measured", ""], judged


def notes(measurements: Sequence[Measurement]) -> list[str]:
    """Why there is no time, and what else is to be known, each once."""
    labels = {s.name: s.label for s in SUBJECTS}
    found: dict[str, list[str]] = {}
    for m in measurements:
        if m.note and m.status != "unsuited":
            found.setdefault(f"{labels[m.subject]}: {'' if m.status == 'ok' else m.status + ', '}{m.note}", []).append(
                m.workload
            )
    return [f"{text} ({', '.join(dict.fromkeys(names))})" for text, names in found.items()]


def times(value: float | None) -> str:
    """A ratio, for people.

    >>> times(123.4), times(2.345), times(None)
    ('123 ×', '2.3 ×', '–')
    """
    if value is None:
        return "–"
    return f"{value:,.0f} ×" if value >= 10 else f"{value:.1f} ×" if value >= 1 else f"{value:.2f} ×"


def amount(value: float | None, unit: str) -> str:
    """Seconds or bytes, for people.

    >>> amount(0.0000021, "s"), amount(0.021, "s"), amount(2048, "B")
    ('2.1 µs', '21 ms', '2 KiB')
    """
    if value is None:
        return "–"
    if unit == "B":
        return f"{value / 1024:,.3g} KiB"
    scale, name = (1, "s") if value >= 1 else (1e3, "ms") if value >= 1e-3 else (1e6, "µs")
    return f"{value * scale:,.3g} {name}"


def quantity(m: Measurement | None, which: str = "least") -> str:
    """One number of a measurement, or why there is none."""
    if m is None:
        return "–"
    if m.least is None:
        return WORDS[m.status]
    return amount(getattr(m, which), m.unit)


def print_tables(found: Sequence[Table], remarks: Sequence[str]) -> None:
    """On standard output, by rich where it is installed."""
    try:
        from rich.console import Console
        from rich.table import Table as Grid
    except ImportError:
        for title, header, rows in found:
            widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
            print(f"\n{title}\n")
            for row in [header, *rows]:
                print(
                    "  ".join(
                        c.ljust(w) if i < 1 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
                    )
                )
    else:
        # Into a pipe or a narrow terminal: as wide as it is, for a wrapped table cannot be read.
        console = Console(width=max(200, Console().width), highlight=False)
        for title, header, rows in found:
            grid = Grid(title=title, title_justify="left")
            for i, name in enumerate(header):
                grid.add_column(name, justify="left" if i == 0 else "right", no_wrap=True)
            for row in rows:
                grid.add_row(*row, style="bold red" if "WRONG" in row or "MISSED" in row else None)
            console.print(grid)
    for remark in remarks:
        print(f"  {remark}")


def as_data(
    measurements: Sequence[Measurement], outcomes: Sequence[Outcome], growth: Sequence[Any], seconds: float
) -> dict[str, Any]:
    """Everything measured, with what it ran on."""
    return {
        "sspcore": sspcore.__version__,
        "date": datetime.now(UTC).date().isoformat(),
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "peers": {"sqlite": sqlite3.sqlite_version, **{k: " ".join(v) for k, v in NPM.items()}, **PIP},
        "took": round(seconds),
        "measurements": [attrs.asdict(m) for m in measurements],
        "goals": [attrs.asdict(o) | {"met": o.met} for o in outcomes],
        "growth": [attrs.asdict(g) for g in growth],
    }


def as_json(data: dict[str, Any]) -> str:
    """For a file."""
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
