"""W1 to W12: what is measured, over which data, and what was aimed at.

Owns the list. Refuses to know how a subject does it (`drivers/`) and how time is taken (`drivers/clock.py`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

import attrs

from benchmarks.engine.data import COLUMNS, STATUSES, Batches, edits, events, issues, people, requeues
from benchmarks.engine.shapes import ISSUE, Tables

View = tuple[str, dict[str, Any]]
"""(shape, params), see `shapes.py`."""


@attrs.frozen
class Goal:
    """What was aimed at: seconds (or bytes) of our own per step, and how many times faster than which subject.

    `faster` names subjects; "rest" stands for every measured peer it does not name.
    """

    most: float | None = None
    tuples: float | None = None
    faster: Mapping[str, float] = attrs.field(factory=dict)


@attrs.frozen
class Workload:
    """One thing to measure, for every subject that can.

    Attributes: `mode`, see `drivers/clock.py`; `batches(tables, n)`, n batches that follow each other, `length` of
    them are written; `once`, they cannot be undone; `unit`, of a measurement; `more`, what else the task says;
    `unavailable`, what its data raise where they cannot be had.
    """

    name: str
    title: str
    mode: str
    tables: Callable[[], Tables]
    views: Sequence[View]
    goal: Goal = Goal()
    batches: Callable[[Tables, int], Batches] | None = None
    length: int = 20_000
    once: bool = False
    unit: str = "s"
    quick: bool = True
    columns: Mapping[str, Mapping[str, str]] = COLUMNS
    more: Mapping[str, Any] = attrs.field(factory=dict)
    unavailable: type[Exception] | tuple[type[Exception], ...] = ()

    @property
    def key(self) -> str:
        """Its name in results."""
        return f"{self.name} {self.title}"


@cache
def _issues(count: int, owners: int = 1000) -> Tables:
    return {"issue": issues(count, owners)}


@cache
def _both(count: int, owners: int = 1000) -> Tables:
    return {"issue": issues(count, owners), "person": people(owners)}


def keyed(count: int) -> list[View]:
    """One view per owner."""
    return [("keyed", {"owner": f"u{n}"}) for n in range(count)]


_ALSO = ("keyed_join", "keyed_group", "keyed_top", "keyed_join", "keyed_group")
MIX = tuple(shape for other in _ALSO for shape in ("keyed", other))


def mixed(count: int) -> list[View]:
    """One view per owner: half of them filters, a fifth joins, a fifth groups, a tenth the top five."""
    return [(MIX[n % 10], {"owner": f"u{n}"}) for n in range(count)]


def unlike(count: int) -> list[View]:
    """Views no two of which have the same form: other columns, other comparisons; each keeps few rows."""
    forms = list(product(range(32), (1, -1), ("<", "<=", ">", ">=", "=", "<>"), ("<", "<=", ">", ">=")))
    rng = random.Random(5)
    found: list[View] = []
    for columns, order, priority_op, score_op in rng.sample(forms, count):
        edge = rng.randrange(1, 60)
        found.append(("unlike", {
            "columns": ["id", *(c for bit, c in enumerate(ISSUE[1:]) if columns >> bit & 1)][::order],
            "status": rng.choice(STATUSES), "score_op": score_op, "score": edge if "<" in score_op else 1000 - edge,
            "priority_op": priority_op, "priority": rng.randrange(1, 9),
        }))  # fmt: skip
    return found


def broad(count: int) -> list[View]:
    """Views that a good part of all changes reaches: ranges, joins, groups, tops, EXISTS, DISTINCT."""
    found: list[View] = []
    for n in range(count):
        tenth, k = n % 10, n // 10
        if tenth < 4:
            found.append(("broad_range", {"low": 900 - 20 * (n % 40), "priority": k % 10}))
        elif tenth < 6:
            found.append(("broad_join", {"team": f"t{(2 * k + tenth) % 20}"}))
        else:
            shape = ("broad_group", "broad_top", "broad_exists", "broad_distinct")[tenth - 6]
            found.append((shape, {"priority": k % 10}))
    return found


def ranges(count: int) -> list[View]:
    """Views of about a thousand of ten thousand rows each."""
    return [("range", {"low": n * 900 / count, "high": n * 900 / count + 100}) for n in range(count)]


def _updates(
    name: str, title: str, tables: Callable[[], Tables], views: Sequence[View], goal: Goal = Goal(),
    owners: int = 1000, **more: Any,
) -> Workload:  # fmt: skip
    batches = more.pop("batches", None) or edits(owners=owners)
    return Workload(name, title, "step", tables, views, goal, batches=batches, **more)


def _keyed(count: int, goal: Goal, mix: bool = False, **more: Any) -> Workload:
    owners = max(1000, count)
    title = f"{count:,} keyed views" + ", mixed" * mix
    make = (lambda: _both(10_000, owners)) if mix else (lambda: _issues(10_000, owners))
    return _updates("W3", title, make, (mixed if mix else keyed)(count), goal, owners=owners, **more)


FILTER: list[View] = [("filter", {})]
TOP: list[View] = [("top", {})]
JOIN: list[View] = [("join", {})]
MOVING: list[View] = [("moving", {"low": 250.0, "high": 750.0, "start": 250.0, "width": 500.0, "by": 2.5})]
US, MS, KIB = 1e-6, 1e-3, 1024.0


def _ten() -> Tables:
    return _issues(10_000)


def _pairs() -> Tables:
    return _both(1000)


WORKLOADS: tuple[Workload, ...] = (
    Workload("W1", "hydrate a filter, 10,000 rows", "hydrate", _ten, FILTER, Goal(1.0 * MS, None, {"zql": 2})),
    Workload(
        "W1", "hydrate a filter, 100,000 rows", "hydrate", lambda: _issues(100_000), FILTER,
        Goal(12 * MS, None, {"zql": 2}), quick=False,
    ),
    _updates("W2", "1 filter view", _ten, FILTER, Goal(1.8 * US, 1.2 * US, {"zql": 2, "sqlite-triggers": 2})),
    _keyed(100, Goal(2.2 * US), quick=False),
    _keyed(1000, Goal(2.7 * US, None, {"zql": 80, "rest": 100})),
    _keyed(10_000, Goal(10 * US), quick=False),
    _keyed(10, Goal(1 / 400_000), mix=True, quick=False),
    _keyed(100, Goal(1 / 350_000), mix=True, quick=False),
    _keyed(1000, Goal(1 / 300_000), mix=True, quick=False),
    _keyed(10_000, Goal(10 * US), mix=True, quick=False),
    _updates("W3u", "1,000 views of unlike shapes", _ten, unlike(1000), Goal(25 * US), quick=False),
    _updates("W3b", "100 broad views", lambda: _both(10_000), broad(100), Goal(1 / 25_000), quick=False),
    _updates(
        "W4", "a batch of 100, 1 filter view", _ten, FILTER, Goal(90 * US, 40 * US, {"zql": 3}),
        batches=edits(size=100), length=300, quick=False,
    ),
    Workload("W5", "hydrate a join, 1,000 × 1,000", "hydrate", _pairs, JOIN, Goal(1.0 * MS)),
    _updates("W5", "join, a left row changes", _pairs, JOIN, Goal(2 * US, None, {"rest": 3}), length=5000),
    _updates(
        "W5", "join, a right row changes", _pairs, JOIN, Goal(2 * US, None, {"rest": 3}),
        batches=edits("person", ["name"]), length=5000, quick=False,
    ),
    _updates(
        "W6", "count, sum, avg by group", _ten, [("groups", {})],
        Goal(2.8 * US, None, {"sqlite-triggers": 1.5, "rest": 10}),
    ),
    _updates("W7", "top 50 of 10,000", _ten, TOP, Goal(2.5 * US, None, {"zql": 2.3, "rest": 10})),
    _updates(
        "W7", "top 50, the first is put back below", _ten, TOP, Goal(15 * US), batches=requeues, once=True,
        length=40_000, quick=False,
    ),
    Workload("W8", "memory, a view of 1,000 rows", "memory", _ten, ranges(101), Goal(35 * KIB), unit="B", quick=False),
    Workload(
        "W8", "memory, a keyed view of 10 rows", "memory", _ten, keyed(1000), Goal(8 * KIB), unit="B", quick=False
    ),
    _updates(
        "W9", "tree of 1,000 parents, a child changes", lambda: _both(10_000), [("nested", {})],
        Goal(None, None, {"zql": 3}),
    ),
    Workload(
        "W12", "a range view moves by 1 % of its 5,000 rows", "move", _ten, MOVING, Goal(None, None, {"rest": 3}),
        more={"places": 2, "round": True}, quick=False,
    ),
    Workload(
        "W12", "1,000 sliding windows, a second passes", "move", lambda: {"event": events(6000, 1000)},
        [("window", {"kind": f"k{n}"}) for n in range(1000)], Goal(None, None, {"sspcore-anew": 10}),
        more={"places": 5000, "round": False}, quick=False,
    ),
    Workload(
        "W11", "snapshot, 100,000 rows", "image", lambda: _issues(100_000), FILTER, Goal(150 * MS),
        more={"restore": False}, quick=False,
    ),
    Workload(
        "W11", "restore, 100,000 rows", "image", lambda: _issues(100_000), FILTER, Goal(300 * MS),
        more={"restore": True}, quick=False,
    ),
)  # fmt: skip
