"""`sspcore bench routing`: every strategy there is, on every workload; then the predicate index alone."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.engine.progress import Progress
from benchmarks.engine.report import print_tables
from benchmarks.routing import growth, index, plots, report
from benchmarks.routing.measure import Measurement, measure
from benchmarks.routing.workloads import FULL, QUICK, Workload, workloads
from sspcore.errors import UsageError, did_you_mean
from sspcore.plugins import Plugins

SECONDS, QUICK_SECONDS = 2.0, 0.25
DEFAULTS: Mapping[str, Mapping[str, Any] | None] = {
    "shadow": {"a": "dependency", "b": "predicate"},
    "routed": None,
    "sharded": None,
}
"""Options of the strategies that cannot do without, where a workload has none for them."""
GROWING: Mapping[str, Mapping[str, Any]] = {"routed": {"column": "tenant"}, "hybrid": {"by": "predicate"}}
SIZES = (1, 10, 100, 1000)


def run(options: argparse.Namespace) -> int:
    """Measure, print, write. 0, or 1 when one of our own strategies was wrong. Raises UsageError."""
    names = strategies(options.strategy)
    given = own_options(options.options)
    chosen = chosen_workloads(options.only, options.quick)
    for file in (options.json, options.plot):
        if file and not Path(file).absolute().parent.is_dir():
            raise UsageError(f"{file}: there is no such folder", hint="make it, or name another")
    seconds = options.seconds or (QUICK_SECONDS if options.quick else SECONDS)
    measurements: list[Measurement] = []
    with Progress(len(chosen) * len(names)) as progress:
        for workload in chosen:
            for name in names:
                progress.step(f"{workload.name}: {name}")
                suited = given.get(name, workload.options.get(name, DEFAULTS.get(name, {})))
                m = measure(workload, name, suited, seconds, memory=not options.quick)
                if m.status in ("wrong", "failed"):
                    progress.say(f"{name} {m.status}: {m.note}")
                measurements.append(m)
                gc.collect()
        curves = []
        if not options.only:
            progress.say("the ingress alone, by number of circuits")
            suited = {name: given.get(name, GROWING.get(name, DEFAULTS.get(name, {}))) for name in names}
            able = {n: o for n, o in suited.items() if o is not None}
            curves = [*growth.measure(able, SIZES[: 3 if options.quick else 4], options.quick)]
        alone = None
        if not options.only and not options.strategy:
            progress.say("the predicate index alone")
            alone = index.run(options.quick)
    data = report.as_data(chosen, measurements, curves) | ({"index": alone} if alone else {})
    if options.json:
        Path(options.json).write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    if options.plot:
        for path in plots.write(data, Path(options.plot)):
            print(f"written: {path}", file=sys.stderr)
    print_tables([*report.tables(chosen, measurements), *report.grown(curves)], report.notes(measurements))
    if alone:
        index.print_table(alone)
    return int(any(m.status in ("wrong", "failed") for m in measurements))


def strategies(only: str | None) -> list[str]:
    """The strategies asked for; all that are registered, installed packages' too. Raises UsageError."""
    known = list(Plugins(load=["*"]).strategies)
    if not only:
        return known
    for name in only.split(","):
        if name not in known:
            raise UsageError(f"no strategy {name!r}", hint=did_you_mean(name, known) or f"there are {', '.join(known)}")
    return only.split(",")


def own_options(given: list[str]) -> dict[str, Any]:
    """NAME=JSON, repeated, as options of strategies. Raises UsageError."""
    found = {}
    for text in given:
        name, _, options = text.partition("=")
        try:
            found[name] = json.loads(options)
        except ValueError:
            raise UsageError(
                f"--options {text}: no JSON after NAME=", hint="write --options NAME='{\"x\": 1}'"
            ) from None
    return found


def chosen_workloads(only: str | None, quick: bool) -> list[Workload]:
    """Those asked for. Raises UsageError for a name nobody has."""
    everything = workloads(QUICK if quick else FULL)
    if not only:
        return everything
    known = [w.name for w in everything]
    for name in only.split(","):
        if name not in known:
            raise UsageError(f"no workload {name!r}", hint=f"there are {', '.join(known)}")
    return [w for w in everything if w.name in only.split(",")]
