"""How measurements are told: ratios first, then times; a table for people and JSON for programs."""

from __future__ import annotations

import json
import platform
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

import attrs

from benchmarks.measure import Measurement

_PEERS = ("naive", "SQLite again", "SQLite triggers")


def table(measurements: Sequence[Measurement]) -> str:
    """One line per workload: how many times faster than each peer (by the middle), then every middle and least time."""
    lines = [
        "            × faster than                                     middle (least) per step",
        f"     {'':<34}"
        + "".join(f"{p:>16}" for p in _PEERS)
        + f"{'sspcore':>22}"
        + "".join(f"{p:>18}" for p in _PEERS),
    ]
    for key, group in _grouped(measurements):
        ours = group["sspcore"]
        ratios = [_ratio(group.get(p), ours) for p in _PEERS]
        times = [_time(ours, both=True)] + [_time(group.get(p)) for p in _PEERS]
        lines.append(
            f"{key[0]:<4} {key[1]:<34}" + "".join(f"{r:>16}" for r in ratios) + f"{times[0]:>22}"
            + "".join(f"{t:>18}" for t in times[1:])
        )  # fmt: skip
    notes = dict.fromkeys(f"{m.workload} {m.title}, {m.subject}: {m.note}" for m in measurements if m.note)
    return "\n".join([*lines, "", *(f"  {note}" for note in notes)])


def _grouped(measurements: Iterable[Measurement]) -> list[tuple[tuple[str, str], dict[str, Measurement]]]:
    groups: dict[tuple[str, str], dict[str, Measurement]] = {}
    for m in measurements:
        groups.setdefault((m.workload, m.title), {})[m.subject] = m
    return [(key, group) for key, group in groups.items() if "sspcore" in group]


def _ratio(peer: Measurement | None, ours: Measurement) -> str:
    if peer is None or peer.middle is None or not ours.middle:
        return "–"
    ratio = peer.middle / ours.middle
    return f"{ratio:,.0f} ×" if ratio >= 10 else f"{ratio:.1f} ×"


def _time(m: Measurement | None, both: bool = False) -> str:
    if m is None or m.middle is None or m.least is None:
        return "–"
    scale, unit = (1e3, "ms") if m.middle >= 1e-3 else (1e6, "µs")
    least = f" ({m.least * scale:.3g})" if both else ""
    return f"{m.middle * scale:.3g}{least} {unit}"


def as_json(measurements: Sequence[Measurement]) -> str:
    """Everything measured, with what it ran on."""
    data: dict[str, Any] = {
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "system": platform.system(),
        "sspcore": version("sspcore"),
        "sqlite": sqlite3.sqlite_version,
        "unit": "seconds per step",
        "measurements": [attrs.asdict(m) for m in measurements],
    }
    return json.dumps(data, indent=1)
