"""Exact variance: correctly rounded, and what is taken away leaves no trace."""

from __future__ import annotations

import statistics
from decimal import Decimal
from fractions import Fraction
from math import inf, isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.moments import Moments
from sspcore.algebra.values import NAN, same

finite = st.floats(allow_nan=False, allow_infinity=False)
tame = st.integers(-(10**9), 10**9) | st.floats(-1e150, 1e150) | st.decimals(-1000, 1000, places=3)


def of(values):
    moments = Moments()
    for value in values:
        moments.add(value, 1)
    return moments


@given(st.lists(tame, min_size=2, max_size=8))
def test_the_variance_is_the_exact_one_rounded_once(values):
    numbers = [Fraction(v) for v in values]
    mean = sum(numbers) / len(numbers)
    exact = sum((n - mean) ** 2 for n in numbers) / (len(numbers) - 1)
    found = of(values).variance(sample=True)
    if type(found) is float:
        assert found == float(exact)
    else:
        assert abs(Fraction(found) - exact) <= exact / 10**33


@given(st.lists(st.integers(-(10**12), 10**12) | st.floats(-1e100, 1e100), min_size=2, max_size=8))
def test_the_deviation_is_the_root_rounded_once(values):
    assert of(values).deviation(sample=True) == statistics.stdev(map(Fraction, values))
    assert of(values).deviation(sample=False) == statistics.pstdev(map(Fraction, values))


@given(st.lists(finite | tame, max_size=6), st.lists(finite | tame | st.sampled_from([inf, NAN, "x"]), max_size=6))
def test_what_is_taken_away_leaves_no_trace(kept, passing):
    moments = of(kept + passing)
    for value in passing:
        moments.add(value, -1)
    assert same(moments.variance(sample=False), of(kept).variance(sample=False))
    for value in kept:
        moments.add(value, -1)
    assert moments.is_empty


def test_one_number_is_no_sample():
    assert of([7]).variance(sample=True) is None
    assert of([7]).variance(sample=False) == 0.0
    assert of([]).deviation(sample=False) is None


@pytest.mark.parametrize("values", [[inf, 1], [NAN, 1], [inf, -inf], [inf]])
def test_what_is_not_finite_has_no_variance(values):
    assert of(values).deviation(sample=False) is NAN


def test_a_variance_beyond_floats_is_null():
    assert of([1e300, -1e300]).variance(sample=True) is None
    assert of([1e300, -1e300]).deviation(sample=False) == 1e300


def test_decimals_give_decimals_and_beside_a_float_a_float():
    assert same(of([Decimal("1.5"), Decimal("4.5")]).deviation(sample=False), Decimal("1.5"))
    assert same(of([Decimal("1.5"), 4.5]).deviation(sample=False), 1.5)
    root = of([Decimal(0), Decimal(2)]).deviation(sample=True)
    assert str(root).replace(".", "") == str(isqrt(2 * 10**66))


@given(st.lists(st.decimals(-1000, 1000, places=2), min_size=2, max_size=6))
def test_the_root_of_a_decimal_variance_has_34_digits_and_no_more(values):
    found = of(values).deviation(sample=True)
    exact = statistics.variance(map(Fraction, values))
    assert abs(Fraction(found) ** 2 - exact) <= exact / 10**32
