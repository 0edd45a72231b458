"""Many cases at once, from the command line: `python -m tests.plan.random_sql.soak FIRST LAST`. Prints what is wrong."""

import sys
from collections import Counter
from time import monotonic

from tests.plan.random_sql.runner import Case, Wrong, databases


def main(first: int, last: int, most: int = 20) -> None:
    peers, counts, wrong, began = databases(), Counter(), 0, monotonic()
    for seed in range(first, last):
        try:
            Case(seed, peers, counts).run()
        except Wrong as error:
            wrong += 1
            print(f"--- {str(error)[:1800]}\n", flush=True)
            if wrong == most:
                break
    for name, count in sorted(counts.items(), key=lambda pair: -pair[1]):
        print(f"{count:7} {name}")
    print(f"{wrong} wrong of {seed + 1 - first} cases in {monotonic() - began:.0f} s")
    for text, count in sorted(peers[0].refused.items(), key=lambda pair: -pair[1])[:15]:
        print(f"{count:7} DuckDB: {text}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
