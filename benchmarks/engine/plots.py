"""Pictures of a run as SVG: bars against peers and curves of growth, on logarithmic scales. Drawn by hand: no library.

Owns the drawing. Reads the data of `--json`, so that a picture can also be made from a file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from benchmarks.engine.report import amount
from benchmarks.engine.subjects import OURS, SUBJECTS, TUPLES

COLOURS = {
    OURS: "#1769aa", TUPLES: "#74b3e0",
    "sspcore-anew": "#a9c7dd", "zql": "#d95f02", "db-ivm": "#7570b3", "tanstack-db": "#b3589a",
    "pathway": "#66a61e", "pydbsp": "#c9a400", "sqlite-triggers": "#8d6e63", "sqlite": "#bcaaa4", "duckdb": "#606060",
}  # fmt: skip
LABELS = {s.name: s.label for s in SUBJECTS}
STYLE = (
    "<style>text{font:12px system-ui,sans-serif;fill:#222}.small{font-size:10px;fill:#555}.title{font-size:15px;"
    "font-weight:600}.name{font-weight:600}line{stroke:#ddd}</style>"
)


def write(data: Mapping[str, Any], target: Path) -> list[Path]:
    """Write the pictures: into a folder, or, for a file name, that file (bars, then curves). The files written."""
    bars, curves = draw_bars(data), draw_growth(data)
    if target.suffix.lower() == ".svg":
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(stacked([p for p in (bars, curves) if p]), "utf-8")
        return [target]
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for name, picture in (("engine-bars.svg", bars), ("engine-growth.svg", curves)):
        if picture:
            (target / name).write_text(stacked([picture]), "utf-8")
            written.append(target / name)
    return written


Picture = tuple[int, int, list[str]]
"""Width, height, elements."""


def stacked(pictures: Sequence[Picture]) -> str:
    """Pictures, one below the other, as one file."""
    width, height = max((p[0] for p in pictures), default=10), sum(p[1] for p in pictures)
    body, top = [], 0
    for _, tall, elements in pictures:
        body.append(f'<g transform="translate(0,{top})">{"".join(elements)}</g>')
        top += tall
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'{STYLE}<rect width="100%" height="100%" fill="#fff"/>{"".join(body)}</svg>\n'
    )


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """A text element."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


class Bars:
    """A picture of bars below one another, as long as the logarithm of what they tell: seconds.

    Args: `times`, all that will be told; `left`, room for labels; `right`, room for what is told beside a bar.
    """

    def __init__(
        self, titles: Sequence[str], times: Sequence[float], left: int = 170, wide: int = 560, right: int = 100
    ) -> None:
        self._low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
        self._powers = range(self._low, high + 1)
        self._scale = wide / max(1, high - self._low)
        self._left, self._width = left, left + wide + right
        self._titles = [text(12, 24 + 18 * n, each, "small" if n else "title") for n, each in enumerate(titles)]
        self._elements: list[str] = []
        self._top = self._y = 26.0 + 18 * len(titles)

    def name(self, name: str) -> None:
        """What the bars below it have in common."""
        self._elements.append(text(12, self._y + 24, name, "name"))
        self._y += 30

    def bar(self, label: str, seconds: float, colours: Sequence[tuple[float, str]], told: str = "") -> None:
        """One bar, in shares of its length by colour."""
        y, x = self._y, float(self._left)
        long = max(2.0, (math.log10(seconds) - self._low) * self._scale)
        self._elements.append(text(x - 6, y + 11, label, "small", "end"))
        for share, colour in colours:
            wide = long * share
            self._elements.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="12" fill="{colour}"/>')
            x += wide
        self._elements.append(text(x + 5, y + 10, told or amount(seconds, "s"), "small"))
        self._y += 15

    def picture(self) -> Picture:
        """All of it, over a grid of the powers of ten."""
        grid = []
        for power in self._powers:
            x = self._left + (power - self._low) * self._scale
            grid.append(f'<line x1="{x:.1f}" y1="{self._top}" x2="{x:.1f}" y2="{self._y:.1f}"/>')
            grid.append(text(x, self._top - 4, amount(10.0**power, "s"), "small", "middle"))
        return self._width, int(self._y) + 24, self._titles + grid + self._elements


def draw_bars(data: Mapping[str, Any]) -> Picture | None:
    """One bar per subject and workload, its typical time; shorter is better."""
    groups: dict[str, list[Any]] = {}
    for m in data["measurements"]:
        if m["least"] is not None and m["unit"] == "s":
            groups.setdefault(f"{m['workload']}  {m['title']}", []).append(m | {"least": m["slice"] or m["least"]})
    if not groups:
        return None
    found = [m["least"] for group in groups.values() for m in group]
    bars = Bars(["Time per step, logarithmic: shorter is better"], found, wide=620)
    for name, group in groups.items():
        bars.name(name)
        for m in group:
            bars.bar(LABELS[m["subject"]], m["least"], [(1.0, COLOURS[m["subject"]])])
    return bars.picture()


def draw_growth(data: Mapping[str, Any]) -> Picture | None:
    """One panel per kind of growth, time against size, the exponent beside each line."""
    panels: dict[str, list[Any]] = {}
    for series in data["growth"]:
        panels.setdefault(series["axis"], []).append(series)
    if not panels:
        return None
    wide, tall = 300, 220
    elements = [text(12, 24, "Time of one change as things grow (e: time grows as size to the power e)", "title")]
    for n, (axis, lines) in enumerate(panels.items()):
        elements += _panel(axis, lines, 60 + n * (wide + 90), 50, wide, tall)
    return 60 + len(panels) * (wide + 90), tall + 130, elements


def _panel(axis: str, lines: Sequence[Any], left: float, top: float, wide: float, tall: float) -> Iterator[str]:
    sizes = [size for line in lines for size, _ in line["points"]]
    seconds = [time for line in lines for _, time in line["points"]]
    x0, x1 = math.log10(min(sizes)), max(math.log10(max(sizes)), math.log10(min(sizes)) + 1)
    y0, y1 = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))
    y1 = max(y1, y0 + 1)

    def place(size: float, time: float) -> tuple[float, float]:
        x = left + (math.log10(size) - x0) / (x1 - x0) * wide
        return x, top + tall - (math.log10(time) - y0) / (y1 - y0) * tall

    for power in range(y0, y1 + 1):
        _, y = place(10**x0, 10.0**power)
        yield f'<line x1="{left}" y1="{y:.1f}" x2="{left + wide}" y2="{y:.1f}"/>'
        yield text(left - 6, y + 4, amount(10.0**power, "s"), "small", "end")
    for power in range(math.ceil(x0), math.floor(x1) + 1):
        x, _ = place(10.0**power, 10.0**y0)
        yield f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{top + tall}"/>'
        yield text(x, top + tall + 14, f"{10**power:,}", "small", "middle")
    yield text(left + wide / 2, top + tall + 32, axis, "", "middle")
    for n, line in enumerate(lines):
        points = [place(size, time) for size, time in line["points"]]
        colour = COLOURS[line["subject"]]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, y in points:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
        power = "" if line["exponent"] is None else f"  e = {line['exponent']:.2f}"
        y = top + tall + 48 + 14 * n
        yield f'<rect x="{left}" y="{y - 9:.1f}" width="10" height="10" fill="{colour}"/>'
        yield text(left + 16, y, f"{LABELS[line['subject']]}{power}", "small")
