"""Many cases at once: `python -m tests.plan.random_sql.soak FIRST LAST [SECONDS [MOST]]`. Prints what is wrong.

Ends after the last seed, the seconds, or `MOST` finds. Every minute it says how far it is; a case of more than five
minutes says where it stands. DuckDB is asked apart: a query that it does not come back from is skipped, and named.
"""

import faulthandler
import sys
from collections import Counter
from time import monotonic, process_time

from tests.plan.random_sql.apart import DuckDbApart
from tests.plan.random_sql.peers import Sqlite
from tests.plan.random_sql.runner import Case, Wrong

PROGRESS, LONG = 60.0, 300.0


def main(first: int, last: int, seconds: float = float("inf"), most: float = 20) -> None:
    duck, lite = DuckDbApart(), Sqlite()
    counts, wrong, began = Counter(), 0, monotonic()
    said, seed = began, first
    for seed in range(first, last):
        faulthandler.dump_traceback_later(LONG, file=sys.stdout)
        try:
            Case(seed, (duck, lite), counts).run()
        except Wrong as error:
            wrong += 1
            print(f"--- {str(error)[:6000]}\n", flush=True)
        faulthandler.cancel_dump_traceback_later()
        now = monotonic()
        if wrong >= most or now - began >= seconds:
            break
        if now - said >= PROGRESS:
            said = now
            _say(seed, first, wrong, counts, duck, began)
    _say(seed, first, wrong, counts, duck, began)
    for name, count in sorted(counts.items(), key=lambda pair: -pair[1]):
        print(f"{count:7} {name}")
    for text, count in sorted(duck.refused.items(), key=lambda pair: -pair[1])[:15]:
        print(f"{count:7} DuckDB: {text}")
    for sql in duck.skipped:
        print(f"skipped: {sql}")


def _say(seed: int, first: int, wrong: int, counts: Counter, duck: DuckDbApart, began: float) -> None:
    ours, its = process_time(), duck.processor_time
    print(
        f"seed {seed}: {wrong} wrong of {seed + 1 - first} cases, {counts['queries']} queries,"
        f" {counts['unsupported']} refused, DuckDB {counts['DuckDb answers']} answers, SQLite"
        f" {counts['Sqlite answers']}, disputed {counts['disputed']}, skipped {len(duck.skipped)};"
        f" {monotonic() - began:.0f} s of wall time, {ours + its:.0f} s of processor time ({its:.0f} of it DuckDB)",
        flush=True,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *map(float, sys.argv[3:]))
