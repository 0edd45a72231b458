"""What is right: views recomputed by the specification over tables kept by nobody's engine, and deliveries needed.

Owns the judgement. A strategy is believed nothing: under a partition it is asked who holds a row, and views are then
held to that share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from benchmarks.routing.workloads import Views, Workload
from sspcore.abc import Resolved
from sspcore.algebra.values import same
from sspcore.engine.change import Change
from sspcore.engine.interpret import interpret
from sspcore.plan.evaluate import NullCounter, compile_predicate
from sspcore.plan.interests import interests
from sspcore.plan.nodes import Plan
from sspcore.plan.optimise import optimise
from sspcore.plan.sql.lower import lower
from sspcore.plan.traverse import bind_plan, ordering
from sspcore.testing.oracle import PlainTable

Row = tuple[Any, ...]
Holds = Callable[[str, Resolved], bool]
Judge = Callable[[Row], bool]


@attrs.frozen
class Shown:
    """A table, or a share of it, as the specification reads it."""

    names: tuple[str, ...]
    rows: Mapping[Any, Row]


class Oracle:
    """The tables of a workload, as far as its stream went, and what its views should show."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.tables = {schema.table: PlainTable(schema) for schema in workload.schemas}
        self.applied = 0
        self._names = {schema.table: schema.names for schema in workload.schemas}
        self._plans: dict[tuple[str, tuple[tuple[str, Any], ...]], Plan] = {}
        self._schemas = {schema.table: schema for schema in workload.schemas}
        for batch in workload.rows:
            self._apply(batch)

    def advance(self, batches: int) -> None:
        """Apply the stream up to so many batches; it never goes back."""
        for batch in self.workload.stream[self.applied : batches]:
            self._apply(batch)
        self.applied = max(self.applied, batches)

    def wrong(self, shown: Mapping[tuple[str, str], Sequence[Row]], views: Views, holds: Holds | None) -> str:
        """The first view that does not show what it should, in words; empty when all do."""
        shares: dict[str, Mapping[str, Shown]] = {}
        for circuit, view, sql, params in views:
            if holds is None:
                tables: Mapping[str, Any] = self.tables
            else:
                tables = shares.get(circuit) or shares.setdefault(circuit, self._share(circuit, holds))
            plan = self.plan(sql, params)
            expected = list(interpret(plan, tables).values())
            fault = difference(expected, shown[circuit, view], ordering(plan) is not None)
            if fault:
                return f"circuit {circuit!r}, view {view!r}: {fault}"
        return ""

    def plan(self, sql: str, params: Mapping[str, Any]) -> Plan:
        """The plan of a view, its parameters bound."""
        key = sql, tuple(sorted(params.items()))
        if key not in self._plans:
            self._plans[key] = bind_plan(lower(sql, self._schemas).plan, params)
        return self._plans[key]

    def needed(self, batches: int, holds: Holds | None) -> int:
        """Row changes that some view of a circuit is interested in, before or after, counted once a circuit.

        Applies the stream up to so many batches. Cost: rows × interests, on purpose: nothing is looked up.
        """
        judges = self._judges()
        count = 0
        for batch in self.workload.stream[self.applied : batches]:
            for row in self._net(batch):
                for circuit, tests in judges.get(row.table, ()):
                    if any(_met(test, row) for test in tests):
                        count += holds is None or _held(holds, circuit, row)
        self.applied = max(self.applied, batches)
        return count

    def _net(self, batch: Sequence[Change]) -> Iterable[Resolved]:
        """Apply a batch; the rows it changes, net."""
        before = {(c.table, c.id): self.tables[c.table].rows.get(c.id) for c in batch}
        self._apply(batch)
        for (table, key), old in before.items():
            new = self.tables[table].rows.get(key)
            if old is not new and (old is None or new is None or not same(old, new)):
                yield Resolved(table, key, old, new, self._names[table])

    def _judges(self) -> dict[str, list[tuple[str, list[Judge | None]]]]:
        """Table → (circuit, its tests of a row), None: every row."""
        found: dict[tuple[str, str], list[Judge | None]] = {}
        for circuit, _, sql, params in self.workload.views:
            for table, condition in interests(optimise(self.plan(sql, params)), self._names.__getitem__).items():
                test = None if condition is None else compile_predicate(condition, NullCounter())
                found.setdefault((table, circuit), []).append(test)
        judges: dict[str, list[tuple[str, list[Judge | None]]]] = {}
        for (table, circuit), tests in found.items():
            judges.setdefault(table, []).append((circuit, tests))
        return judges

    def _share(self, circuit: str, holds: Holds) -> Mapping[str, Shown]:
        return {
            name: Shown(table.names, {
                key: row for key, row in table.rows.items()
                if holds(circuit, Resolved(name, key, None, row, table.names))
            })
            for name, table in self.tables.items()
        }  # fmt: skip

    def _apply(self, batch: Sequence[Change]) -> None:
        for change in batch:
            self.tables[change.table].apply(change)


def difference(expected: Sequence[Row], shown: Sequence[Row], ordered: bool) -> str:
    """What differs between rows, in words; empty when nothing does."""
    left = list(expected) if ordered else sorted(expected, key=repr)
    right = list(shown) if ordered else sorted(shown, key=repr)
    for a, b in zip(left, right, strict=False):
        if not same(tuple(a), tuple(b)):
            return f"shows {b!r} instead of {a!r}"
    return "" if len(left) == len(right) else f"{len(right)} rows instead of {len(left)}"


def _met(test: Judge | None, row: Resolved) -> bool:
    if test is None:
        return True
    return (row.old is not None and test(row.old)) or (row.new is not None and test(row.new))


def _held(holds: Holds, circuit: str, row: Resolved) -> bool:
    before = row.old is not None and holds(circuit, row._replace(old=None, new=row.old))
    return before or (row.new is not None and holds(circuit, row))
