"""pydbsp 2 (pure Python DBSP): the delta of each tick is read and folded into a dict; `compact()` after every tick,
without which its memory grows for ever. Rows are tuples, for Z-set elements must be hashable."""

from __future__ import annotations

from collections.abc import Callable
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import clock
from pydbsp.circuit import Circuit
from pydbsp.compute import ComputeCtx
from pydbsp.core import Antichain, dbsp_time
from pydbsp.evaluate import Evaluator
from pydbsp.indexed_relational_operators import (
    DeltaLiftedDeltaLiftedGroupBy,
    IndexedDeltaLiftedDeltaLiftedJoin,
    LiftIndex,
    LiftLiftIndex,
)
from pydbsp.indexed_zset import IndexedZSetAddition
from pydbsp.operator import Input, LiftStreamIntroduction
from pydbsp.relational_operators import LiftSelect
from pydbsp.storage import DictStorage
from pydbsp.zset import ZSet, ZSetAddition

OPERATORS = {"=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
ISSUE = ("id", "owner", "status", "priority", "score", "title")


def keeper(shape: str, p: dict[str, Any]) -> Callable[[Any], bool]:
    """What keeps a row of `issue` in a view that only filters."""
    if shape == "filter":
        return lambda r: r[2] == "open" and r[3] >= 5
    if shape == "keyed":
        owner = p["owner"]
        return lambda r: r[1] == owner
    if shape == "range":
        low, high = p["low"], p["high"]
        return lambda r: low <= r[4] < high
    status, score, priority = p["status"], p["score"], p["priority"]
    first, second = OPERATORS[p["score_op"]], OPERATORS[p["priority_op"]]
    return lambda r: r[2] == status and first(r[4], score) and second(r[3], priority)


def aggregate(items: Any) -> tuple[int, float, float]:
    """count, sum, avg; sums rounded, for a delta must find the row it retracts."""
    count = total = 0
    for row, weight in items:
        count += weight
        total += row[4] * weight
    return (count, round(total, 6), round(total / count, 9))


class PyDbsp:
    """The driver: one evaluator; a filter over one input, or a join, or a grouping."""

    note = "compact() after every tick"

    def load(self, tables: dict[str, Any]) -> None:
        """Keep the rows as Z-sets."""
        self.data = {name: {tuple(row): 1 for row in table["rows"]} for name, table in tables.items()}

    def open(self, views: list[Any]) -> None:
        """Build the circuit and push the tables as the first tick."""
        if len(views) > 1000:
            raise clock.Unsuited("every change runs every view")
        flat = views[0][0] not in ("join", "groups")
        group = ZSetAddition()
        lattice = dbsp_time(1 if flat else 2)
        self.evaluator = Evaluator(
            circuit=Circuit(), storage=DictStorage(), ctx=ComputeCtx(lattice=lattice), group=group
        )
        self.time, self.views, self.flat = -1, [{} for _ in views], flat
        circuit = self.evaluator.circuit
        self.inputs = {name: Input(frontier=Antichain(dbsp_time(1))).connect(circuit, ()) for name in self.data}
        issue = self.inputs["issue"]
        self.columns: list[Any] = [None] * len(views)
        if flat:
            self.nodes = []
            for n, (shape, params, *_) in enumerate(views):
                self.nodes.append(LiftSelect(pred=keeper(shape, params)).connect(circuit, (issue,)))
                self.columns[n] = [ISSUE.index(c) for c in params["columns"]] if shape == "unlike" else None
        elif views[0][0] == "join":
            self.nodes = [self._join(circuit, group)]
        else:
            self.nodes = [self._groups(circuit, group)]
        self._tick(self.data)

    def _join(self, circuit: Any, group: Any) -> Any:
        lifted = {n: LiftStreamIntroduction(group=group).connect(circuit, (i,)) for n, i in self.inputs.items()}
        left = LiftIndex(indexer=lambda r: r[1]).connect(circuit, (lifted["issue"],))
        right = LiftIndex(indexer=lambda r: r[0]).connect(circuit, (lifted["person"],))
        return IndexedDeltaLiftedDeltaLiftedJoin(
            proj=lambda key, issue, person: (issue[0], key, person[1]),
            group_a=IndexedZSetAddition(group, lambda r: r[1]), group_b=IndexedZSetAddition(group, lambda r: r[0]),
            out_group=ZSetAddition(),
        ).connect(circuit, (left, right))  # fmt: skip

    def _groups(self, circuit: Any, group: Any) -> Any:
        lifted = LiftStreamIntroduction(group=group).connect(circuit, (self.inputs["issue"],))
        return DeltaLiftedDeltaLiftedGroupBy(
            aggregate=aggregate, group=IndexedZSetAddition(group, lambda r: r[2]), out_group=ZSetAddition()
        ).connect(circuit, (LiftLiftIndex(indexer=lambda r: r[2]).connect(circuit, (lifted,)),))

    def close(self) -> None:
        """Forget the circuit."""
        self.evaluator = self.nodes = None

    def prepare(self, batches: list[Any]) -> list[Any]:
        """A Z-set per table and batch."""
        prepared = []
        for batch in batches:
            deltas: dict[str, dict[Any, int]] = {}
            for table, _, old, new in batch:
                delta = deltas.setdefault(table, {})
                for row, weight in ((old, -1), (new, 1)):
                    if row is not None:
                        key = tuple(row)
                        delta[key] = delta.get(key, 0) + weight
            prepared.append({table: {k: w for k, w in delta.items() if w} for table, delta in deltas.items()})
        return prepared

    def run(self, part: list[Any]) -> None:
        """Tick by tick."""
        for deltas in part:
            self._tick(deltas)

    def _tick(self, deltas: dict[str, dict[Any, int]]) -> None:
        self.time += 1
        evaluator = self.evaluator
        for name, node in self.inputs.items():
            evaluator.push(node, ZSet(deltas.get(name, {})))
        at = (self.time,) if self.flat else (self.time, 0)
        for node, view in zip(self.nodes, self.views, strict=True):
            for row, weight in evaluator.read(node, at).inner.items():
                weight += view.get(row, 0)
                if weight:
                    view[row] = weight
                else:
                    del view[row]
        evaluator.compact()

    def answers(self) -> list[Any]:
        """The rows of every view."""
        if not self.flat:
            rows = list(self.views[0])
            return [[(key, *rest) for key, rest in rows] if len(rows) and isinstance(rows[0][1], tuple) else rows]
        return [
            [[row[c] for c in columns] for row in view] if columns else list(view)
            for view, columns in zip(self.views, self.columns, strict=True)
        ]


if __name__ == "__main__":
    clock.main(PyDbsp())
