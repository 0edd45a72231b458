"""`python -m benchmarks.routing_index`: the predicate index alone, held to its goals.

For equality and for mixed predicates at each size: the time to route a row, to add and remove a predicate, to route
an update; then the forms that live-query engines are asked for, hot keys, and memory. Every case is checked against a
naive loop over all predicates before it is timed. Rows are tuples and ids integers; what is timed is the index and
nothing around it.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from random import Random
from time import process_time
from typing import Any

from sspcore.index.clauses import clause_of
from sspcore.index.dispatch import Dispatch
from sspcore.index.predicate_index import PredicateIndex
from sspcore.plan.evaluate import NullCounter, compile_predicate
from sspcore.plan.expressions import Call, Column, Constant, Expression

COLUMNS = ("id", "user_id", "project_id", "category", "price", "status", "name", "tags", "title")
TYPES = ("integer", "integer", "integer", "integer", "integer", "text", "text", "json", "text")
ID, USER, PROJECT, CATEGORY, PRICE, STATUS, NAME, TAGS, TITLE = map(Column, range(len(COLUMNS)))
PRICES, CATEGORIES = 100_000, 1000
STATES = ("open", "todo", "backlog", "active", "done", "closed", "draft", "void")
LETTERS = "abcdefghijklmnopqrst"
Row = tuple[Any, ...]


def call(function: str, *args: object) -> Call:
    return Call(function, tuple([a if isinstance(a, Column | Call) else Constant(a) for a in args]))


class Workload:
    """Predicates and rows of which few meet, however many predicates there are.

    eq: `user_id = k`, each k once. mix: 80 % equality, 10 % IN of 3, 5 % `tags @>` 2, 5 % ranges, AND and OR.
    """

    def __init__(self, kind: str, n: int) -> None:
        self.kind, self.n = kind, n
        self.random = Random(f"{kind}/{n}")
        self.users, self.projects, self.tags = max(n, 100), max(n // 3, 50), max(n // 20, 50)
        self.contained: list[tuple[str, ...]] = []
        if kind == "eq":
            keys = list(range(n))
            self.random.shuffle(keys)
            self.predicates: list[Expression] = [call("=", USER, k) for k in keys]
        else:
            self.predicates = [self.mixed() for _ in range(n)]

    def mixed(self) -> Expression:
        r, x = self.random, self.random.random()
        user, price = call("=", USER, r.randrange(self.users)), r.randrange(PRICES)
        if x < 0.80:
            return user
        if x < 0.90:
            return call("in", PROJECT, *r.sample(range(self.projects), 3))
        if x < 0.95:
            both = (f"t{r.randrange(self.tags)}", f"u{r.randrange(self.tags)}")
            self.contained.append(both)
            return call("@>", TAGS, both)
        if x < 0.97:
            width = max(1, int(PRICES / (0.02 * self.n))) if self.n > 50 else PRICES // 4
            low = r.randrange(PRICES - width)
            return call("and", call(">=", PRICE, low), call("<", PRICE, low + width))
        if x < 0.98:
            return call("and", call("=", CATEGORY, r.randrange(CATEGORIES)), call(">", PRICE, price))
        if x < 0.99:
            return call("and", user, call("or", call("=", STATUS, r.choice(STATES)), call(">", PRICE, price)))
        if x < 0.995:
            either = call("or", user, call("=", PROJECT, r.randrange(self.projects)))
            return call("and", either, call("<", PRICE, price))
        share = min(1.0, r.random() * 4 / max(4.0, 0.005 * self.n))
        return call(">", PRICE, int(PRICES * (1 - share)))

    def rows(self, count: int, seed: int = 11) -> list[Row]:
        r = Random(f"{self.kind}/{self.n}/{seed}")
        rows: list[Row] = []
        for i in range(count):
            tags = {f"t{r.randrange(self.tags)}" for _ in range(4)}
            if self.contained and i & 1:
                tags.update(r.choice(self.contained))
            name = "".join([r.choice(LETTERS) for _ in range(12)])
            rows.append((i, r.randrange(self.users), r.randrange(self.projects), r.randrange(CATEGORIES),
                         r.randrange(PRICES), r.choice(STATES), name, tuple(sorted(tags)), "x"))  # fmt: skip
        return rows

    def updates(self, count: int, column: int) -> list[tuple[Row, Row]]:
        r, pairs = Random(13), []
        for old in self.rows(count, 17):
            value = {USER.index: r.randrange(self.users), PRICE.index: r.randrange(PRICES)}.get(
                column, f"x{len(pairs)}"
            )
            pairs.append((old, (*old[:column], value, *old[column + 1 :])))
        return pairs


def timed(function: Callable[..., object], items: Sequence[Any], repeats: int = 7) -> float:
    """The least microseconds of a call, over all items; tuples in a list of pairs are two arguments."""
    least = float("inf")
    pairs = isinstance(items[0], tuple) and len(items[0]) == 2
    for _ in range(repeats):
        start = process_time()
        if pairs:
            for a, b in items:
                function(a, b)
        else:
            for item in items:
                function(item)
        least = min(least, process_time() - start)
    return least / len(items) * 1e6


def checked(index: PredicateIndex, tests: dict[int, Callable[[Row], bool]], rows: Sequence[Row]) -> None:
    """The index answers what looking at every predicate does. AssertionError when not."""
    for row in rows:
        wanted = {id for id, test in tests.items() if test(row)}
        assert set(index.route(row)) == wanted, row
        assert wanted <= set(index.touch(None, row)), row


def compiled(predicates: Sequence[Expression]) -> dict[int, Callable[[Row], bool]]:
    return {id: compile_predicate(p, NullCounter()) for id, p in enumerate(predicates)}


def floor() -> float:
    """Nanoseconds of a dict's `get` in this minute: what else runs on the machine shows here."""
    get, keys = {5: 1}.get, [5] * 100_000
    return timed(get, keys) * 1e3


def filled(predicates: Sequence[Expression]) -> tuple[PredicateIndex, float]:
    """An index of these, and microseconds per predicate to add them."""
    index = PredicateIndex(TYPES)
    gc.disable()
    start = process_time()
    for id, predicate in enumerate(predicates):
        index.add(id, predicate)
    spent = (process_time() - start) / len(predicates) * 1e6
    gc.enable()
    return index, spent


def prepared(index: PredicateIndex, row: Row) -> float:
    """Milliseconds to generate the code."""
    index.settle()
    start = process_time()
    index.route(row), index.touch(None, row), index.route2(row, row)
    return (process_time() - start) * 1e3


def measure(kind: str, n: int) -> dict[str, object]:
    """Every figure of one workload at one size."""
    work = Workload(kind, n)
    rows = work.rows(1000)
    index, add = filled(work.predicates)
    found: dict[str, object] = {"case": kind, "predicates": n, "add": add, "compile_ms": prepared(index, rows[0])}
    found["a dict's get, ns"] = floor()
    tests = compiled(work.predicates)
    checked(index, tests, rows[: max(1, min(1000, 2_000_000 // n))])
    if n > 1000:
        del tests
    gc.collect()
    gc.freeze()
    found["matches"] = sum([len(index.route(row)) for row in rows]) / len(rows)
    found["route"] = timed(index.route, rows)
    found["route 20k rows"] = timed(index.route, work.rows(20_000, 5), 3)
    found["touch insert"] = timed(index.touch, [(None, row) for row in rows])
    for name, column in (("unread", TITLE), ("price", PRICE), ("key", USER)):
        pairs = work.updates(1000, column.index)
        found[f"route2 {name}"] = timed(index.route2, pairs)
        found[f"touch {name}"] = timed(index.touch, pairs)
    if n <= 10_000:
        found["looped"] = timed(index.looped, rows, 3)
    if n <= 1000:
        found["naive"] = timed(lambda row: [id for id, test in tests.items() if test(row)], rows[:100], 5)
    some = Random(5).sample(range(n), min(n, 2000))
    start = process_time()
    for id in some:
        index.remove(id)
    found["remove"] = (process_time() - start) / len(some) * 1e6
    gc.unfreeze()
    return found


def memory(kind: str, n: int) -> dict[str, object]:
    """Traced bytes per predicate: of the lanes alone, and with what `PredicateIndex` remembers to remove by id."""
    work = Workload(kind, n)
    ids = list(range(n))
    out: dict[str, object] = {"case": f"memory {kind}", "predicates": n}
    for name in ("lanes", "index"):
        gc.collect()
        tracemalloc.start()
        index: Any = PredicateIndex(TYPES)
        if name == "lanes":
            index = Dispatch(TYPES)
            for id, predicate in zip(ids, work.predicates, strict=True):
                index.file(id, clause_of(predicate))
        else:
            for id, predicate in zip(ids, work.predicates, strict=True):
                index.add(id, predicate)
        index.route(work.rows(1)[0])
        gc.collect()
        out[f"bytes {name}"] = tracemalloc.get_traced_memory()[0] / n
        tracemalloc.stop()
        del index
    return out


def forms(n: int) -> dict[str, tuple[list[Expression], list[Row]]]:
    """What live-query engines are asked for: name → predicates, rows."""
    r = Random(n)

    def word(k: int) -> str:
        return "".join([r.choice(LETTERS) for _ in range(k)])

    def rows(**cells: Callable[[], Any]) -> list[Row]:
        made = []
        for i in range(300):
            row = [i, 0, 0, 0, 0, "open", "", (), ""]
            for name, value in cells.items():
                row[COLUMNS.index(name)] = value()
            made.append(tuple(row))
        return made

    def user() -> int:
        return r.randrange(n)

    def tags(first: int | None = None) -> tuple[str, ...]:
        """Four of n tags, in a row, and six that many rows share but no predicate asks for."""
        first = r.randrange(n) if first is None else first
        return (*[f"t{first + k}" for k in range(4)], *[f"common{k}" for k in range(6)])

    def three(first: int) -> tuple[str, ...]:
        return tags(first)[:3]

    def dense(count: int) -> tuple[str, ...]:
        """Tags of so few that twenty predicates and more ask for each."""
        return tuple({f"t{r.randrange(max(50, n // 20))}" for _ in range(count)})

    prefixes = [word(5) for _ in range(n)]
    return {
        "=": ([call("=", USER, k) for k in range(n)], rows(user_id=user)),
        "= AND other": ([call("and", call("=", USER, k), call(">", PRICE, 5)) for k in range(n)],
                        rows(user_id=user, price=lambda: r.randrange(10))),
        "= AND =": ([call("and", call("=", USER, k), call("=", PROJECT, k % 7)) for k in range(n)],
                    rows(user_id=user, project_id=lambda: r.randrange(7))),
        "@> 3 of 10": ([call("@>", TAGS, three(k)) for k in range(n)], rows(tags=tags)),
        "@> 3 of few tags": ([call("@>", TAGS, dense(3)) for _ in range(n)], rows(tags=lambda: dense(10))),
        "const = ANY (column)": ([call("= any", f"t{k}", TAGS) for k in range(n)], rows(tags=tags)),
        "OR of 2": ([call("or", call("=", USER, k), call("=", PROJECT, k)) for k in range(n)],
                    rows(user_id=user, project_id=user)),
        "IN AND not indexed": ([call("and", call("in", USER, k, k + 1), call("<>", STATUS, "void")) for k in range(n)],
                               rows(user_id=user)),
        "> c": ([call(">", PRICE, PRICES - 1 - k * 8 // n) for k in range(n)],
                rows(price=lambda: r.randrange(PRICES))),
        "LIKE 'abc%'": ([call("like", NAME, p + "%") for p in prefixes],
                        rows(name=lambda: r.choice(prefixes) + word(7))),
        "LIKE '%abc%'": ([call("like", NAME, f"%{p}%") for p in prefixes], rows(name=lambda: word(12))),
        "ILIKE '%ABC%'": ([call("ilike", NAME, f"%{p.upper()}%") for p in prefixes], rows(name=lambda: word(12))),
        "one key AND > c": ([call("and", call("=", USER, 1), call(">", PRICE, PRICES - k)) for k in range(1, n + 1)],
                            rows(user_id=lambda: 1, price=lambda: r.choice((1, 2, PRICES - n + 1)))),
        "one env AND @>": ([call("and", call("=", CATEGORY, 1), call("@>", TAGS, three(k))) for k in range(n)],
                           rows(category=lambda: 1, tags=tags)),
    }  # fmt: skip


def measure_forms(n: int) -> list[dict[str, object]]:
    out: list[dict[str, object]] = []
    for name, (predicates, rows) in forms(n).items():
        index, add = filled(predicates)
        prepared(index, rows[0])
        for row in rows:  # long postings have code of their own
            index.route(row)
        tests = compiled(predicates)
        checked(index, tests, rows[: max(2, min(300, 1_000_000 // n))])
        gc.collect()
        out.append({
            "case": name, "predicates": n, "add": add, "route": timed(index.route, rows),
            "matches": sum([len(index.route(row)) for row in rows]) / len(rows),
        })  # fmt: skip
    return out


def many_lanes() -> list[dict[str, object]]:
    """Columns with an equality lane each: nanoseconds per lane."""
    out = []
    for lanes in (1, 5, 20):
        index = PredicateIndex(["integer"] * lanes)
        for k in range(2000):
            index.add(k, Call("=", (Column(k % lanes), Constant(k))))
        rows = [tuple([(k * 7 + i * 13) % 4000 for i in range(lanes)]) for k in range(500)]
        ms = prepared(index, rows[0])
        out.append(
            {"case": f"{lanes} columns", "predicates": 2000, "route": timed(index.route, rows), "compile_ms": ms}
        )
    return out


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing_index", description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,50000,100000")
    parser.add_argument("--forms", default="1000,50000", help="sizes of the single forms")
    parser.add_argument("--json", help="write every figure to this file")
    options = parser.parse_args(arguments)
    found: list[dict[str, object]] = []

    def tell(case: dict[str, object]) -> None:
        found.append(case)
        figures = {k: round(v, 3) if isinstance(v, float) else v for k, v in case.items()}
        print(f"{figures.pop('case')} × {figures.pop('predicates')}: ", end="")
        print(", ".join([f"{name} {value}" for name, value in figures.items()]), flush=True)

    for kind in ("eq", "mix"):
        for size in map(int, options.sizes.split(",")):
            tell(measure(kind, size))
        tell(memory(kind, min(100_000, max(map(int, options.sizes.split(","))))))
    for size in map(int, filter(None, options.forms.split(","))):
        for case in measure_forms(size):
            tell(case)
    if options.forms:
        for case in many_lanes():
            tell(case)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
