"""Findings: how the index finds the rows that a query depends on, in words.

Owns the words for lanes. What it says is what an index with that one interest in it answers about itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sspcore.engine.crossing import without_time
from sspcore.engine.explain import show
from sspcore.index.predicate_index import PredicateIndex
from sspcore.index.statistics import LaneStatistics
from sspcore.plan.expressions import Expression, Param, bind, walk
from sspcore.plan.interests import interests
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import scans_of

_LOOKS: Final = {
    "eq": "its value of {}, one look into a dict", "word": "an element of {}, a look for each it has",
    "pre": "how {} begins", "gram": "three letters in a row of {}", "fold": "three letters in a row of {}, folded",
    "between": "the cells of {} that hold its bounds", "<": "the sorted bounds of {}", "<=": "the sorted bounds of {}",
    ">": "the sorted bounds of {}", ">=": "the sorted bounds of {}",
}  # fmt: skip


def findings(plan: Plan, params: Mapping[str, Any]) -> Iterator[str]:
    """How changes find a query, a line for each table and way. A parameter without a value stands for some text.

    >>> from sspcore.engine.circuit import Circuit
    >>> plan = Circuit().explain("SELECT id FROM orders WHERE customer = $c AND total > 5").optimised
    >>> for line in findings(plan, {}):
    ...     print(line)
    orders: rows where ((customer = $c) and (total > 5))
      by its value of customer, one look into a dict; the rest is tested there
    """
    names = {scan.table: scan.columns for scan in scans_of(plan)}
    for table, whole in interests(plan, names.__getitem__).items():
        condition = without_time(whole)
        if condition is None:
            yield f"{table}: every row"
            continue
        yield f"{table}: rows where {show(condition, names[table])}"
        index = PredicateIndex()
        index.add(table, bind(condition, _values(condition, params)))
        statistics = index.statistics()
        if statistics.always:
            yield "  by nothing: it holds for every row"
        for lane in statistics.lanes:
            yield f"  by {_told(lane, names[table])}"


def _values(condition: Expression, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a condition with values, or with texts that stand for them."""
    return {part.name: params.get(part.name, f"${part.name}") for part in walk(condition) if isinstance(part, Param)}


def _told(lane: LaneStatistics, names: Sequence[str]) -> str:
    look = _LOOKS.get(lane.access.split()[0])
    if look is None:
        return "nothing that can be looked up: it is tested for every change"
    columns = " and ".join([names[at] for at in lane.columns])
    return look.format(columns) + ("; the rest is tested there" if lane.residual else "")
