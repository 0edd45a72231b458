"""Pictures of a run as SVG: per workload, strategies' time per change as bars, and what they delivered in vain."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.engine.plots import Bars, Picture, stacked, text
from benchmarks.engine.report import amount
from benchmarks.routing import index

LEFT, WIDE = 150, 560


def write(data: Mapping[str, Any], target: Path) -> list[Path]:
    """Write the picture: into a folder, or that file. The files written."""
    alone = index.draw(data["index"]) if data.get("index") else None
    pictures = [picture for picture in (draw(data), draw_growth(data), alone) if picture]
    if not pictures:
        return []
    if target.suffix.lower() != ".svg":
        target.mkdir(parents=True, exist_ok=True)
        target = target / "routing-strategies.svg"
    target.write_text(stacked(pictures), "utf-8")
    return [target]


def draw(data: Mapping[str, Any]) -> Picture | None:
    """One bar per strategy and workload, logarithmic: shorter is better; its pale part is delivered in vain."""
    timed = [m for m in data["measurements"] if m["least"]]
    if not timed:
        return None
    bars = Bars(
        [
            "Processor time per change by routing strategy, logarithmic: shorter is better",
            "pale: the share of deliveries nobody needed",
        ],
        [m["least"] for m in timed], LEFT, WIDE, 180,
    )  # fmt: skip
    for name, workload in data["workloads"].items():
        found = sorted([m for m in timed if m["workload"] == name], key=lambda m: m["least"])
        if found:
            bars.name(f"{name}: {workload['title']}")
        for m in found:
            waste = m["wasted"] / m["delivered"] if m["delivered"] else 0.0
            told = f"{amount(m['least'], 's')}, {m['delivered'] / m['changes']:,.2f} deliveries"
            bars.bar(m["strategy"], m["least"], [(1 - waste, "#1769aa"), (waste, "#c6dbec")], told)
    return bars.picture()


COLOURS = ("#1769aa", "#d95f02", "#7570b3", "#66a61e", "#b3589a", "#c9a400", "#8d6e63", "#606060", "#74b3e0", "#a9c7dd")


def draw_growth(data: Mapping[str, Any]) -> Picture | None:
    """The ingress alone: seconds per change against circuits, both logarithmic, a line per strategy."""
    curves = [curve for curve in data.get("growth", ()) if curve["points"]]
    if not curves:
        return None
    sizes = [size for curve in curves for size, _ in curve["points"]]
    times = [seconds for curve in curves for _, seconds in curve["points"]]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    tall, top = 220, 50
    across = WIDE / max(1.0, math.log10(max(sizes) / min(sizes)))
    elements = [text(12, 24, "Processor time of one change in the ingress, by number of circuits", "title")]

    def place(size: float, seconds: float) -> tuple[float, float]:
        y = top + tall - (math.log10(seconds) - low) / max(1, high - low) * tall
        return LEFT + math.log10(size / min(sizes)) * across, y

    for power in range(low, high + 1):
        _, y = place(min(sizes), 10.0**power)
        elements.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + WIDE}" y2="{y:.1f}"/>')
        elements.append(text(LEFT - 6, y + 4, amount(10.0**power, "s"), "small", "end"))
    elements += [text(place(n, 1.0)[0], top + tall + 16, f"{n:,}", "small", "middle") for n in sorted(set(sizes))]
    for n, curve in enumerate(sorted(curves, key=lambda c: -c["points"][-1][1])):
        points = [place(size, seconds) for size, seconds in curve["points"]]
        colour = COLOURS[n % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        elements.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        elements += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        power = "" if curve["exponent"] is None else f"  e = {curve['exponent']:.2f}"
        y = top + 10 + 15 * n
        elements.append(f'<rect x="{LEFT + WIDE + 14}" y="{y - 9}" width="10" height="10" fill="{colour}"/>')
        elements.append(text(LEFT + WIDE + 30, y, curve["strategy"] + power, "small"))
    return LEFT + WIDE + 180, top + tall + 50, elements
