"""`python -m benchmarks`: measure W1 to W7, print the table, write JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import REPEATS, Measurement, measure
from benchmarks.report import as_json, table
from benchmarks.subjects import SUBJECTS
from benchmarks.workloads import WORKLOADS

SECONDS, QUICK_SECONDS = 2.0, 0.25


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="W", help="workloads to run, such as W2 W5 (default: all)")
    parser.add_argument("--quick", action="store_true", help="a rough look, in about a minute")
    parser.add_argument("--json", metavar="FILE", help="write every measurement there")
    options = parser.parse_args(argv)
    unknown = set(options.only) - {w.name for w in WORKLOADS}
    if unknown:
        parser.error(f"no workload {min(unknown)}; there are {', '.join(dict.fromkeys(w.name for w in WORKLOADS))}")
    chosen = [w for w in WORKLOADS if not options.only or w.name in options.only]
    if options.quick:
        chosen = [w for w in chosen if len(w.queries) < 10_000]
    measurements: list[Measurement] = []
    for workload in chosen:
        for subject in SUBJECTS:
            if options.quick and subject == "naive" and len(workload.queries) > 10:
                continue  # a minute for one number
            print(f"{workload.name} {workload.title}: {subject}", file=sys.stderr, flush=True)
            seconds = QUICK_SECONDS if options.quick else SECONDS
            measurements.append(measure(workload, subject, seconds, REPEATS))
    if options.json:
        Path(options.json).write_text(as_json(measurements) + "\n", "utf-8")
    print(table(measurements))
    return 0


if __name__ == "__main__":
    sys.exit(main())
