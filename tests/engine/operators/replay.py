"""A network at work over plain tables, judged after every step: what stories and laws of operators are told with."""

from __future__ import annotations

import copy

from sspcore.algebra.values import same
from sspcore.engine.interpret import interpret
from sspcore.engine.operators.base import Meter
from sspcore.engine.operators.network import Network
from sspcore.plan.traverse import ordering


class Table:
    """Names and rows, as `interpret` reads them."""

    def __init__(self, names, rows=None):
        self.names, self.rows = tuple(names), dict(rows or {})


class Replay:
    """Hydrates a plan, then applies changes; after each step value, delta and order are what `interpret` says."""

    def __init__(self, plan, tables):
        self.plan, self.tables, self.meter = plan, tables, Meter()
        self.network = Network(plan, lambda table: tables[table].names, self.meter)
        self.value = self.network.hydrate(lambda table: tables[table].rows)
        self.ordered = ordering(plan) is not None
        self.mirror = list(self.network.order())
        if self.ordered:
            assert list(self.value) == self.mirror == list(self.network.moved())
        self.judge()

    def apply(self, *changes):
        """Apply (table, id, row or None) puts as one commit; gives the delta as the set of its changes."""
        before = {name: dict(table.rows) for name, table in self.tables.items()}
        for table, key, row in changes:
            if row is None:
                self.tables[table].rows.pop(key, None)
            else:
                self.tables[table].rows[key] = row
        deltas = {name: net_of(before[name], table.rows) for name, table in self.tables.items()}
        deltas = {name: delta for name, delta in deltas.items() if delta}
        given = copy.copy({name: list(delta) for name, delta in deltas.items()})
        delta = self.network.advance(deltas)
        assert given == deltas, "an operator changed its input"
        self._take(delta)
        self.judge()
        return delta

    def work(self, *changes):
        """(rows, probes) that one commit costs."""
        rows, probes = self.meter.rows, self.meter.probes
        self.apply(*changes)
        return self.meter.rows - rows, self.meter.probes - probes

    def _take(self, delta):
        keys = [key for key, _, _ in delta]
        assert len(keys) == len(set(keys)), "a key twice in one delta"
        for key, old, new in delta:
            assert not same(old, new), f"{key!r}: {old!r} to {new!r} is no change"
            assert same(self.value.get(key), old), f"{key!r} was {self.value.get(key)!r}, not {old!r}"
            if new is None:
                del self.value[key]
            else:
                self.value[key] = new
        if self.ordered:
            self._place(delta)

    def _place(self, delta):
        placed = self.network.placements(self.network.moved())
        gone = {key for key, _, new in delta if new is None} | {key for key, _ in placed}
        self.mirror = [key for key in self.mirror if key not in gone]
        for key, before in placed:
            self.mirror.insert(0 if before is None else self.mirror.index(before) + 1, key)
        assert self.mirror == self.network.order()

    def judge(self):
        wanted = interpret(self.plan, self.tables)
        assert wanted.keys() == self.value.keys()
        for key, row in wanted.items():
            assert same(self.value[key], row), f"{key!r} shows {self.value[key]!r}, should be {row!r}"
        if self.ordered:
            assert self.network.order() == list(wanted)


def net_of(before, after):
    """The net changes from one state of a table to another."""
    delta = [(key, row, None) for key, row in before.items() if key not in after]
    for key, row in after.items():
        if key not in before or not same(before[key], row):
            delta.append((key, before.get(key), row))
    return delta
