"""Exact sums: removal undoes addition to the last bit, and reading rounds once, correctly."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.exact import ExactSum
from sspcore.algebra.values import NAN, canonical, same

finite = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12).filter(
    lambda d: abs(d.adjusted()) < 40
)
numbers = (st.integers() | st.floats() | decimals).map(canonical)
anything = numbers | st.sampled_from(["x", True, b"", (1,)])


def summed(values: list[object], weight: int = 1) -> ExactSum:
    total = ExactSum()
    for value in values:
        total.add(value, weight)
    return total


@given(st.lists(anything), st.lists(anything), st.randoms(use_true_random=False))
def test_add_then_remove_returns_exactly_to_the_start(kept: list[object], passing: list[object], random) -> None:  # type: ignore[no-untyped-def]
    """T48: in any order, whatever else is in the sum, types and places of decimals included."""
    steps = [(v, 1) for v in kept + passing] + [(v, -1) for v in passing]
    random.shuffle(steps)
    total = ExactSum()
    for value, weight in steps:
        total.add(value, weight)
    fresh = summed(kept)

    assert same(fresh.result(), total.result())
    assert same(fresh.average(), total.average())
    assert (fresh.count, fresh.errors, fresh.is_empty) == (total.count, total.errors, total.is_empty)


@given(st.lists(anything, min_size=1))
def test_nothing_is_left_of_what_was_taken_away(values: list[object]) -> None:
    """T48: every component returns to zero, and only then is the sum empty."""
    total = summed(values)
    assert not total.is_empty

    for value in values:
        total.add(value, -1)

    assert total.is_empty
    assert total.result() is None
    assert total.average() is None


def test_a_replaced_value_is_seen_although_the_count_stays() -> None:
    """T48: an in-place update removes one value and adds another."""
    total = summed([0.1, 0.2])
    total.add(0.1, -1)
    total.add(0.3, 1)

    assert total.result() == 0.5
    assert total.count == 2


@given(st.lists(finite, min_size=1))
def test_float_sums_and_averages_are_correctly_rounded(values: list[float]) -> None:
    exact = sum(map(Fraction, values))
    total = summed(values)

    for expected, actual in ((exact, total.result()), (exact / len(values), total.average())):
        try:
            assert float(expected) == actual
        except OverflowError:
            assert actual is None


@given(st.lists(st.integers() | finite | decimals.map(canonical), min_size=1))
def test_mixed_sums_are_exact_in_the_type_that_the_numbers_make(values: list[object]) -> None:
    kinds = {type(v) for v in values}
    exact = sum(map(Fraction, values))  # type: ignore[arg-type]
    result = summed(values).result()

    if kinds == {int}:
        assert type(result) is int
        assert result == exact
    elif float in kinds:
        assert result is None or (type(result) is float and result == float(exact))
    else:
        assert type(result) is Decimal
        assert Fraction(result) == exact


@pytest.mark.parametrize(
    ("values", "expected"),
    [([inf, 1], inf), ([-inf, 1.5], -inf), ([inf, -inf], NAN), ([NAN, 1], NAN), ([1e308, 1e308], None),
     ([1e308, 1e308, -1e308], 1e308), ([1e16, 1.0, -1e16], 1.0), ([0.1] * 10, 1.0), ([5e-324, 5e-324], 1e-323),
     ([Decimal("1.50"), Decimal("1.5")], Decimal("3.00")), ([Decimal("0.1"), 1], Decimal("1.1")), ([1, -1], 0),
     ([0.5, -0.5], 0.0), ([Decimal("0.5"), Decimal("-0.50")], Decimal(0)), ([True, "x"], None)],
)  # fmt: skip
def test_sums_of_special_numbers(values: list[object], expected: object) -> None:
    assert same(expected, summed(values).result())


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1, 2], 1.5), ([2**53, 2**53 + 2], float(2**53 + 1)), ([10**400, -(10**400)], 0.0), ([10**400], None),
     ([Decimal("1.0"), 2], Decimal("1.5")), ([Decimal(1), 0, 0], Decimal("0.3333333333333333333333333333333333")),
     ([1e308, 1e308], 1e308), ([inf, 3], inf)],
)  # fmt: skip
def test_averages_of_special_numbers(values: list[object], expected: object) -> None:
    assert same(expected, summed(values).average())


def test_what_is_no_number_is_counted_and_takes_no_part() -> None:
    total = summed([1, True, "2", 3])

    assert (4, 2, 2) == (total.result(), total.count, total.errors)
