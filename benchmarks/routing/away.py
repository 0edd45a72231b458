"""`python -m benchmarks.routing.away`: what routing does without, measured beside what it does.

Four ideas that other routers use, each in its simplest fair form, against the predicate index on the same predicates
and rows: several smaller routers in one process, a Bloom filter ahead of the look-up, a graph of which predicate
implies which, and numpy. Every answer is checked against a naive loop before its time is told; times are the best of
many turns.
"""

from __future__ import annotations

import json
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from random import Random
from time import process_time
from typing import Any

import attrs

from sspcore.index.predicate_index import PredicateIndex
from sspcore.plan.expressions import Call, Column, Constant, Expression

Row = tuple[Any, ...]
Route = Callable[[Row], Any]
ROWS, TURNS = 500, 9
SPAN = 1_000_000


@attrs.frozen
class Case:
    """An idea: how it routes, what it is measured against, over which rows; `right` is what a row should give."""

    idea: str
    size: int
    instead: Route
    index: Route
    rows: Sequence[Row]
    right: Callable[[Row], set[int]]


@attrs.frozen
class Answer:
    """Seconds per row, of the idea and of the index."""

    idea: str
    size: int
    instead: float
    index: float


def cases(sizes: Sequence[int]) -> Iterator[Case]:
    """All of them, at each size."""
    for size in sizes:
        yield routers(size)
        yield bloom(size)
        yield implied(size)
        if (case := vectors(size)) is not None:
            yield case


def routers(size: int, parts: int = 8) -> Case:
    """Eight smaller routers, each asked for every row: what a row matches may be in any of them."""
    keys, rows = _keys(size)
    whole = _index([(n, _equal(key)) for n, key in enumerate(keys)], rows)
    smaller = [_index([(n, _equal(key)) for n, key in enumerate(keys) if n % parts == p], rows) for p in range(parts)]

    def route(row: Row) -> list[int]:
        return [n for index in smaller for n in index.route(row)]

    return Case(f"{parts} routers instead of one", size, route, _of(whole), rows, _by_key(keys))


def bloom(size: int) -> Case:
    """A filter of one probe in a byte array, eight slots a key, ahead of the index; nine rows of ten match nothing."""
    keys, rows = _keys(size, missing=0.9)
    index = _index([(n, _equal(key)) for n, key in enumerate(keys)], rows)
    mask = (1 << (size * 8).bit_length()) - 1
    slots = bytearray(mask + 1)
    for key in keys:
        slots[hash(key) * 0x9E3779B1 & mask] = 1

    def route(row: Row) -> Any:
        return index.route(row) if slots[hash(row[0]) * 0x9E3779B1 & mask] else ()

    return Case("a Bloom filter ahead of it", size, route, _of(index), rows, _by_key(keys))


def implied(size: int) -> Case:
    """Ranges, told by a forest in which a range stands below one that holds it: below a miss nothing is looked at."""
    random = Random(size)
    ranges = []
    for _ in range(size):
        low, wide = random.randrange(SPAN), max(1, int(SPAN / size * random.choice((1, 2, 8))))
        ranges.append((low, low + wide))
    rows = [(random.randrange(SPAN),) for _ in range(ROWS)]
    index = _index([(n, _between(low, high)) for n, (low, high) in enumerate(ranges)], rows)
    roots = _forest(ranges)
    starts = [root[0] for root in roots]
    widest = max(high - low for low, high in ranges)

    def route(row: Row) -> list[int]:
        x, found = row[0], []
        at = bisect_right(starts, x)
        waiting = []
        while at and starts[at - 1] >= x - widest:
            at -= 1
            waiting.append(roots[at])
        while waiting:
            low, high, n, below = waiting.pop()
            if low <= x < high:
                found.append(n)
                waiting += below
        return found

    def right(row: Row) -> set[int]:
        return {n for n, (low, high) in enumerate(ranges) if low <= row[0] < high}

    return Case("a graph of what implies what", size, route, _of(index), rows, right)


def vectors(size: int) -> Case | None:
    """All constants in two arrays, compared at once; None without numpy."""
    try:
        import numpy as np
    except ImportError:
        print("numpy is not installed: left out (pip install numpy)", file=sys.stderr)
        return None
    random = Random(size)
    width = max(1, 2 * SPAN // size)
    lows = [random.randrange(SPAN) for _ in range(size)]
    rows = [(random.randrange(SPAN),) for _ in range(ROWS)]
    index = _index([(n, _between(low, low + width)) for n, low in enumerate(lows)], rows)
    low, high = np.array(lows), np.array(lows) + width

    def route(row: Row) -> Any:
        return np.flatnonzero((low <= row[0]) & (row[0] < high)).tolist()

    def right(row: Row) -> set[int]:
        return {n for n, low in enumerate(lows) if low <= row[0] < low + width}

    return Case("numpy over all constants", size, route, _of(index), rows, right)


def measured(case: Case) -> Answer:
    """Both ways' times, once both are right."""
    for row in case.rows[:50]:
        right = case.right(row)
        for route in (case.instead, case.index):
            if set(route(row)) != right:
                raise SystemExit(f"{case.idea}: {route(row)} instead of {right} for {row}")
    best = [min(_turn(route, case.rows) for _ in range(TURNS)) for route in (case.instead, case.index)]
    return Answer(case.idea, case.size, *best)


def main(argv: Sequence[str] = ()) -> int:
    """Measure, print a table, or JSON with --json."""
    sizes = (1_000,) if "--quick" in argv else (1_000, 10_000, 100_000)
    answers = [measured(case) for case in cases(sizes)]
    if "--json" in argv:
        print(json.dumps([attrs.asdict(answer) for answer in answers], indent=1))
        return 0
    print(f"{'instead':<32}{'predicates':>11}{'µs a row':>10}{'index':>9}{'ratio':>8}")
    for a in answers:
        ratio = f"{a.instead / a.index:.1f}"
        print(f"{a.idea:<32}{a.size:>11,}{a.instead * 1e6:>10.2f}{a.index * 1e6:>9.2f}{ratio:>8}")
    return 0


def _keys(size: int, missing: float = 0.0) -> tuple[list[int], list[Row]]:
    """Keys, each once, and rows of which some have a key nobody has."""
    random = Random(size)
    keys = random.sample(range(0, 10 * size, 2), size)
    return keys, [(random.choice(keys) + (random.random() < missing),) for _ in range(ROWS)]


def _index(predicates: Sequence[tuple[int, Expression]], rows: Sequence[Row]) -> PredicateIndex:
    index = PredicateIndex(("integer",))
    for n, predicate in predicates:
        index.add(n, predicate)
    for row in rows:
        index.route(row)  # code is generated by now
    return index


def _of(index: PredicateIndex) -> Route:
    return index.route


def _by_key(keys: Sequence[int]) -> Callable[[Row], set[int]]:
    return lambda row: {n for n, key in enumerate(keys) if key == row[0]}


def _equal(key: int) -> Expression:
    return Call("=", (Column(0), Constant(key)))


def _between(low: int, high: int) -> Expression:
    return Call("and", (Call(">=", (Column(0), Constant(low))), Call("<", (Column(0), Constant(high)))))


Node = tuple[int, int, int, list[Any]]


def _forest(ranges: Sequence[tuple[int, int]]) -> list[Node]:
    """Ranges as (low, high, number, those it holds), by where they start."""
    roots: list[Node] = []
    path: list[Node] = []
    for n, (low, high) in sorted(enumerate(ranges), key=lambda r: (r[1][0], -r[1][1])):
        node: Node = (low, high, n, [])
        while path and path[-1][1] < high:
            path.pop()
        (path[-1][3] if path else roots).append(node)
        path.append(node)
    return roots


def _turn(route: Route, rows: Sequence[Row]) -> float:
    start = process_time()
    for row in rows:
        route(row)
    return (process_time() - start) / len(rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
