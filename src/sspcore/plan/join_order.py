"""Join order: which of several tables to join first, by how many rows come together.

Owns the estimate of sizes and the choice of a bracketing. Tables keep their sequence, only the brackets move: keys and
columns of a join of joins are those of its inputs one after the other, so neither depends on statistics. Refuses to
count rows: statistics are an argument, and wrong ones cost time, never rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pow, prod
from operator import itemgetter
from typing import Final, TypeAlias

import attrs

from sspcore.plan.expressions import (
    Call,
    Column,
    Constant,
    Expression,
    Param,
    columns_read,
    conjunction,
    conjuncts,
    shift,
)
from sspcore.plan.nodes import (
    Aggregate,
    AntiJoin,
    Distinct,
    Filter,
    Join,
    Mark,
    Nest,
    Plan,
    Project,
    Rank,
    Scan,
    SemiJoin,
    TopK,
    Values,
)
from sspcore.plan.pushdown import push_down
from sspcore.plan.traverse import children, columns, with_children

MOST: Final = 12
"""Inputs of one join of joins for which all bracketings are weighed (n³ steps)."""
UNKNOWN: Final = 1_000.0
"""Rows of a table that statistics do not tell of."""
SOME: Final = 1 / 3
"""The share of rows for which a condition of which nothing is known is TRUE."""
WORTH: Final = 0.8
"""Brackets move where the estimate falls below this share."""


@attrs.frozen
class TableStatistics:
    """How many rows a table has, and how many different values its columns."""

    rows: int
    distinct: Mapping[str, int] = attrs.field(factory=dict)


Statistics = Mapping[str, TableStatistics]
Shape: TypeAlias = "int | tuple[Shape, Shape]"


def order_joins(plan: Plan, statistics: Statistics) -> Plan:
    """The plan with its inner joins bracketed so that few rows come together: same rows, keys, columns and order.

    Cost: O(plan), and n³ for a join of n inputs.

    >>> a, b, c = (Scan(name, ("x",)) for name in "abc")
    >>> both = ((Column(0), Column(0)),)
    >>> plan = Join("inner", Join("inner", a, b), c, ((Column(1), Column(0)),))    # a meets b without a condition
    >>> order_joins(plan, {}).right == Join("inner", b, c, both)
    True
    """
    if isinstance(plan, Join) and plan.kind == "inner":
        inputs, conditions = _flattened(plan)
        inputs = [order_joins(part, statistics) for part in inputs]
        return _bracketed(inputs, conditions, _shape(plan), statistics)
    return with_children(plan, tuple([order_joins(part, statistics) for part in children(plan)]))


def _flattened(plan: Plan) -> tuple[list[Plan], list[Expression]]:
    """The inputs of a join of joins in sequence, and its conditions over all their columns."""
    if not isinstance(plan, Join) or plan.kind != "inner":
        return [plan], []
    left, ours = _flattened(plan.left)
    right, theirs = _flattened(plan.right)
    width = len(columns(plan.left))
    here: list[Expression] = [Call("=", (a, shift(b, width))) for a, b in plan.on]
    return left + right, [*ours, *[shift(e, width) for e in theirs], *here, *conjuncts(plan.residual)]


def _shape(plan: Plan, start: int = 0) -> Shape:
    if not isinstance(plan, Join) or plan.kind != "inner":
        return start
    return _shape(plan.left, start), _shape(plan.right, start + len(_flattened(plan.left)[0]))


def _bracketed(inputs: list[Plan], conditions: list[Expression], written: Shape, statistics: Statistics) -> Plan:
    shape = written
    if 2 < len(inputs) <= MOST:
        sizes = _Sizes(inputs, conditions, statistics)
        best, cost = sizes.best()
        if cost < WORTH * sizes.cost(written):
            shape = best
    predicate = conjunction(list(dict.fromkeys(conditions)))
    joined = _joined(inputs, shape)
    return joined if predicate is None else push_down(Filter(joined, predicate))


def _joined(inputs: list[Plan], shape: Shape) -> Plan:
    if isinstance(shape, int):
        return inputs[shape]
    return Join("inner", _joined(inputs, shape[0]), _joined(inputs, shape[1]))


class _Sizes:
    """How many rows any run of neighbouring inputs gives together."""

    def __init__(self, inputs: list[Plan], conditions: list[Expression], statistics: Statistics) -> None:
        self.count = len(inputs)
        self.rows = [size(part, statistics) for part in inputs]
        owner = [i for i, part in enumerate(inputs) for _ in columns(part)]
        distinct = [
            min(different(part, at, statistics), max(self.rows[i], 1.0))
            for i, part in enumerate(inputs) for at in range(len(columns(part)))
        ]  # fmt: skip
        self.shares: list[tuple[int, int, float]] = []
        for condition in conditions:
            read = [owner[at] for at in columns_read(condition)] or [0]
            self.shares.append((min(read), max(read), _share(condition, distinct)))

    def together(self, start: int, end: int) -> float:
        """Rows of the inputs from start to end − 1, under the conditions among them."""
        shares = [share for low, high, share in self.shares if start <= low and high < end]
        return prod(self.rows[start:end]) * prod(shares)

    def cost(self, shape: Shape) -> float:
        """Rows of all joins of a bracketing together."""
        return self._cost(shape)[0]

    def _cost(self, shape: Shape) -> tuple[float, int, int]:
        if isinstance(shape, int):
            return 0.0, shape, shape + 1
        (left, start, _), (right, _, end) = self._cost(shape[0]), self._cost(shape[1])
        return left + right + self.together(start, end), start, end

    def best(self) -> tuple[Shape, float]:
        """The bracketing that costs least, the most left-deep of equals."""
        found: dict[tuple[int, int], tuple[float, Shape]] = {(i, i + 1): (0.0, i) for i in range(self.count)}
        for width in range(2, self.count + 1):
            for start in range(self.count - width + 1):
                end = start + width
                ways: list[tuple[float, Shape]] = [
                    (found[start, at][0] + found[at, end][0], (found[start, at][1], found[at, end][1]))
                    for at in range(end - 1, start, -1)
                ]
                cost, shape = min(ways, key=itemgetter(0))
                found[start, end] = (cost + self.together(start, end), shape)
        return found[0, self.count][1], found[0, self.count][0]


def _share(condition: Expression, distinct: list[float]) -> float:
    """The share of rows for which a condition is TRUE."""
    match condition:
        case Call("=", (Column(a), Column(b))):
            return 1 / max(distinct[a], distinct[b], 1.0)
        case Call("=", (Column(a), Constant() | Param())):
            return 1 / max(distinct[a], 1.0)
        case Call("=", _):
            return 0.1
        case _:
            return SOME


def size(plan: Plan, statistics: Statistics) -> float:
    """An estimate of the rows of a plan."""
    match plan:
        case Scan():
            return float(statistics[plan.table].rows) if plan.table in statistics else UNKNOWN
        case Values():
            return float(len(plan.rows))
        case Filter():
            rows = size(plan.input, statistics)
            distinct = [different(plan.input, at, statistics) for at in range(len(columns(plan.input)))]
            return rows * prod([_share(part, distinct) for part in conjuncts(plan.predicate)])
        case Join():
            sizes = size(plan.left, statistics), size(plan.right, statistics)
            return max(sizes) if plan.on else sizes[0] * sizes[1]
        case Aggregate() | Distinct():
            return pow(size(plan.input, statistics), 0.75)
        case TopK() if isinstance(plan.limit, Constant) and type(plan.limit.value) is int:
            return min(float(plan.limit.value), size(plan.input, statistics))
        case SemiJoin() | AntiJoin():
            return size(plan.left, statistics) / 2
        case Mark() | Nest():
            return size(plan.left, statistics)
        case _:
            return max([size(part, statistics) for part in children(plan)], default=UNKNOWN)


def different(plan: Plan, at: int, statistics: Statistics) -> float:
    """An estimate of the different values in a column of a plan."""
    match plan:
        case Scan():
            known = statistics.get(plan.table)
            rows = UNKNOWN if known is None else float(known.rows)
            return float(known.distinct.get(plan.columns[at], rows)) if known is not None else rows
        case Filter() | TopK() | Distinct():
            return different(plan.input, at, statistics)
        case Rank() if at < len(columns(plan.input)):
            return different(plan.input, at, statistics)
        case Project():
            below = plan.columns[at][1]
            if isinstance(below, Column):
                return different(plan.input, below.index, statistics)
        case SemiJoin() | AntiJoin():
            return different(plan.left, at, statistics)
        case Join() | Mark() | Nest():
            width = len(columns(plan.left))
            if at < width:
                return different(plan.left, at, statistics)
            if isinstance(plan, Join):
                return different(plan.right, at - width, statistics)
    return pow(size(plan, statistics), 0.75)
