"""The laws of values: equality, hashing, the one total order and its exact reverse, over awkward mixed values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import product
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import (
    FALSE,
    NAN,
    TRUE,
    FrozenObject,
    canonical,
    canonical_key,
    class_of,
    compare,
    descending_key,
    equals,
    full_order_key,
    order_key,
    row_key,
    same,
)
from sspcore.testing.generate.values import DOMAINS, MIXED

AWKWARD = (
    *MIXED, *[v for domain in DOMAINS.values() for v in domain],
    2**53, 2**53 + 1, float(2**53), 9.3e12, 9.3e12 + 1, 1e-7, 2e-7, 10**400, Decimal("1e400"), Decimal("0.1"), 0.1,
    "a\x00", "a\U0001f600", "\uffff", (1, "x"), (1, (2,)), (None,), (None, 1), ("a",), ("ab",),
    FrozenObject({"a": 1, "b": (True,)}), FrozenObject({"b": (True,), "a": 1.0}), FrozenObject({"a": None}), None,
)  # fmt: skip
"""Values that engines take for one another: each must be told apart, or not, by value and class alone."""

scalars = st.one_of(
    st.sampled_from(AWKWARD), st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4),
    st.binary(max_size=3), st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-9, max_value=9),
    st.dates(min_value=date(1999, 12, 30), max_value=date(2000, 1, 3)),
    st.datetimes(min_value=datetime(1999, 12, 30), max_value=datetime(2000, 1, 3), timezones=st.just(UTC)),
)  # fmt: skip
mixed = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
).map(canonical)


@given(mixed, mixed, mixed)
def test_equality_is_an_equivalence_and_agrees_with_hash_and_order(a: object, b: object, c: object) -> None:
    """T13, T54: equal keys hash alike, and equality, order and keys never disagree."""
    keys = [row_key((v,)) for v in (a, b, c)]  # in a tuple, as in every dict: there NaN is equal to itself

    assert keys[0] == row_key((a,))
    assert hash(keys[0]) == hash(row_key((a,)))
    assert (keys[0] == keys[1]) == (keys[1] == keys[0])
    if keys[0] == keys[1]:
        assert hash(keys[0]) == hash(keys[1])
        assert (keys[1] == keys[2]) == (keys[0] == keys[2])
    assert (keys[0] == keys[1]) == (order_key(a) == order_key(b))
    if a is not None and b is not None:
        assert equals(a, b) is (keys[0] == keys[1])


@given(mixed, mixed, mixed)
def test_the_order_is_total_and_descending_is_its_exact_reverse(a: object, b: object, c: object) -> None:
    """T11: one total order over all values, and DESC is nothing but it reversed."""
    up, down = [order_key(v) for v in (a, b, c)], [descending_key(v) for v in (a, b, c)]

    assert (up[0] < up[1]) + (up[0] == up[1]) + (up[0] > up[1]) == 1
    assert (up[0] < up[1]) == (down[0] > down[1])
    assert (up[0] == up[1]) == (down[0] == down[1])
    if up[0] <= up[1] <= up[2]:
        assert up[0] <= up[2]


@given(mixed, mixed)
def test_within_a_class_exactly_one_of_less_equal_greater_holds_across_classes_none(a: object, b: object) -> None:
    """T12: values of different classes are not equal, and neither is less."""
    if a is None or b is None:
        assert compare(a, b) is None
        assert equals(a, b) is None
    elif class_of(a) != class_of(b):
        assert compare(a, b) is None
        assert equals(a, b) is False
    else:
        order = compare(a, b)
        assert order is not None
        assert order == -(compare(b, a) or 0)
        assert (order == 0) is equals(a, b)


@given(mixed, mixed)
def test_full_order_ties_exactly_the_same_values(a: object, b: object) -> None:
    assert (full_order_key(a) == full_order_key(b)) == same(a, b)


@given(mixed)
def test_canonical_is_idempotent_and_its_values_are_the_same_as_themselves(value: object) -> None:
    assert same(value, canonical(value))
    assert same(value, value)


def test_classes_sort_boolean_number_text_bytes_time_list_object_null() -> None:
    ascending = [False, True, -inf, -1, 0, 0.5, 1, inf, NAN, "", "B", "a", "é", b"", b"a", date(1970, 1, 1),
                 (), (1,), ((),), FrozenObject({}), FrozenObject({"a": 1}), None]  # fmt: skip

    backwards = ascending[::-1]  # so that values taken for equal, which sorting leaves in place, are seen
    assert ascending == sorted(backwards, key=order_key)
    assert ascending[::-1] == sorted(ascending, key=descending_key)


def test_large_small_and_close_numbers_keep_their_order() -> None:
    """T11: no scaling to integers, so neither 9.2e12 nor 1e-7 ties with its neighbour; integers beyond 2**53 count."""
    ascending = [-(10**30), -9.3e12 - 1, -9.3e12, -2e-7, 0, 5e-324, 1e-7, 2e-7, 2.0**53, 2**53 + 1, 1e300, 10**400]

    backwards = ascending[::-1]
    assert ascending == sorted(backwards, key=order_key)


def test_one_true_and_one_point_zero_are_told_apart_where_they_differ() -> None:
    """T54: Python says `1 == True == 1.0`; a key says `1 = 1.0` and nothing more, inside lists and objects too."""
    assert canonical_key(1) == canonical_key(1.0) == canonical_key(Decimal(1))
    for one, wrap in product((1, 1.0, Decimal(1)), (lambda v: v, lambda v: (v,), lambda v: FrozenObject({"k": v}))):
        assert canonical_key(wrap(one)) != canonical_key(wrap(True))
        assert equals(wrap(one), wrap(True)) is False
    assert row_key((True, False)) == (TRUE, FALSE)
    assert {canonical_key(canonical(nan))} == {canonical_key(canonical(-nan))}
    assert equals(NAN, NAN) is True


@pytest.mark.parametrize(
    ("before", "after"),
    [(1, True), (1, 1.0), (1.0, True), (0, False), (Decimal("1.0"), Decimal("1.00")), (Decimal(1), 1),
     ((1,), (True,)), ((1,), (1.0,)), (FrozenObject({"k": 1}), FrozenObject({"k": True})), (None, False), ("1", 1),
     (date(2013, 6, 24), datetime(2013, 6, 24, tzinfo=UTC))],
)  # fmt: skip
def test_a_change_of_type_is_a_change(before: object, after: object) -> None:
    """T59: tuple equality calls these writes no-ops."""
    assert not same(before, after)
    assert not same((before,), (after,))


def test_negative_zero_becomes_zero_and_every_nan_one_object() -> None:
    """T13, T59: equal values have equal hashes and equal bits."""
    assert str(canonical(-0.0)) == "0.0"
    assert canonical(float("nan")) is NAN
    assert canonical([-0.0, nan]) == (0.0, NAN)
    assert str(canonical(Decimal("-0.00"))) == "0"


def test_lists_and_objects_are_equal_by_their_content_alone() -> None:
    """T13: neither any two, nor those of one size."""
    assert equals((1, 2), (1, 3)) is False
    assert equals((1, 2), (1.0, 2.0)) is True
    assert equals(FrozenObject({"a": 1, "b": 2}), FrozenObject({"b": 2, "a": 1})) is True
    assert equals(FrozenObject({"a": 1}), FrozenObject({"a": 2})) is False
    assert hash(canonical({"a": 1, "b": [1]})) == hash(canonical({"b": [1.0], "a": 1.0}))


def test_a_date_equals_midnight_utc_and_timestamps_their_moment() -> None:
    midnight = datetime(2013, 6, 24, tzinfo=UTC)
    west = canonical(datetime(2013, 6, 23, 20, tzinfo=timezone(timedelta(hours=-4))))

    assert equals(date(2013, 6, 24), midnight) is True
    assert same(west, midnight)
    assert compare(date(2013, 6, 24), datetime(2013, 6, 24, 0, 0, 1, tzinfo=UTC)) == -1
