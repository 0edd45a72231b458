"""Accumulators: multisets of values from which any can be taken away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import NAN, FrozenObject, full_order_key, same
from sspcore.engine.operators.accumulators import Count, Different, Extremes, accumulator_of
from sspcore.plan.expressions import Column
from sspcore.plan.nodes import AggregateCall

VALUES = st.sampled_from([0, 1, 1.0, True, "a", "b", NAN, (1,), (1.0,), FrozenObject({"a": 1}), b"x", 2**60])


@given(st.lists(st.tuples(VALUES, st.booleans()), max_size=30))
def test_extremes_are_those_of_what_is_left(steps):
    extremes, left = Extremes(), []
    for value, adds in steps:
        if adds:
            left.append(value)
            extremes.add(value, 1)
        else:
            held = [v for v in left if same(v, value)]
            if held:
                del left[next(i for i, v in enumerate(left) if same(v, value))]
                extremes.add(value, -1)
        assert same(extremes.least(), min(left, key=full_order_key, default=None))
        assert same(extremes.greatest(), max(left, key=full_order_key, default=None))


def test_the_greatest_of_different_values_is_shown_as_the_least_of_its_equals():
    extremes = Extremes()
    for value in (0, 1.0, 1):
        extremes.add(value, 1)
    assert same(extremes.greatest(), 1.0)
    assert same(extremes.greatest_different(), 1)


def test_a_different_value_counts_while_one_of_its_equals_is_there():
    different = Different()
    different.add(1.0, 1)
    different.add(1, 1)
    assert (different.count, different.result()) == (1, 1)
    different.add(1, -1)
    assert same(different.result(), 1.0)
    different.add(1.0, -1)
    assert (different.count, different.result(), different.average()) == (0, None, None)


def test_text_has_no_sum_but_is_counted_as_an_error():
    different = Different()
    different.add("x", 1)
    different.add(3, 1)
    assert (different.count, different.result(), different.errors) == (2, 3, 1)


@pytest.mark.parametrize(
    ("function", "distinct", "kind"),
    [("count", False, Count), ("count", True, Different), ("min", True, Extremes), ("sum", True, Different)],
)
def test_each_aggregate_has_the_accumulator_it_needs(function, distinct, kind):
    assert accumulator_of(AggregateCall(function, Column(0), distinct)) is kind
