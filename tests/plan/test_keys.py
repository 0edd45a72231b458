"""Keys of joins are the flat tuple of their inputs' ids, whatever the tree of joins."""

from __future__ import annotations

import pytest

from sspcore.plan.expressions import Constant
from sspcore.plan.keys import join_key, width
from sspcore.plan.nodes import Aggregate, Distinct, Filter, Join, Mark, Plan, Project, Scan, SemiJoin, TopK, Union

A, B, C = (Scan(name, ("x",)) for name in "abc")
AB = Join("full", A, B)


@pytest.mark.parametrize(
    ("plan", "parts"),
    [(A, 1), (AB, 2), (Join("inner", AB, C), 3), (Join("inner", A, Join("inner", B, C)), 3),
     (Filter(AB, Constant(True)), 2),
     (Project(TopK(AB, ()), ()), 2), (SemiJoin(AB, C), 2), (Mark(AB, C, "m"), 2), (SemiJoin(A, AB), 1),
     (Distinct(AB), 1), (Aggregate(AB, (), ()), 1), (Union((AB, AB), all=True), 1)],
)  # fmt: skip
def test_a_side_contributes_the_parts_of_the_joins_that_reach_it(plan: Plan, parts: int) -> None:
    assert parts == width(plan)


@pytest.mark.parametrize(
    ("left", "right", "keys", "expected"),
    [(A, B, (1, 2), (1, 2)), (A, B, ((1, "x"), None), ((1, "x"), None)), (AB, C, ((1, None), 3), (1, None, 3)),
     (AB, C, (None, 3), (None, None, 3)), (A, AB, (1, None), (1, None, None)), (AB, AB, ((1, 2), (3, 4)), (1, 2, 3, 4)),
     (AB, AB, (None, (3, 4)), (None, None, 3, 4)), (Filter(AB, Constant(True)), C, ((1, 2), 3), (1, 2, 3)),
     (Distinct(AB), C, ((1, 2), 3), ((1, 2), 3)), (Aggregate(A, (), ()), B, ((), 1), ((), 1)),
     (A, Aggregate(A, (), ()), (1, None), (1, None))],
)  # fmt: skip
def test_the_joined_key_is_flat_with_none_for_a_padded_side(
    left: Plan, right: Plan, keys: tuple[object, object], expected: tuple[object, ...]
) -> None:
    assert expected == join_key(left, right)(*keys)
