"""Z-sets form a group, canonical at birth: no weight is ever zero."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.zset import ZSet
from sspcore.testing.generate.values import MIXED

rows = st.tuples(st.sampled_from(MIXED), st.sampled_from("xy"))
zsets = st.lists(st.tuples(rows, st.integers(-2, 2)), max_size=6).map(ZSet)


@given(zsets, zsets, zsets)
def test_addition_is_a_commutative_group(a: ZSet, b: ZSet, c: ZSet) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + ZSet() == a
    assert ZSet() == a - a
    assert hash(a + b) == hash(b + a)


@given(zsets, zsets)
def test_no_weight_is_zero_whatever_built_the_set(a: ZSet, b: ZSet) -> None:
    """T49: a row of weight zero would be `in` the set."""
    for z in (a, b, a + b, a - b, -a, a.distinct(), a.filter(lambda row: row[1] == "x"), a.map(lambda row: row[1:])):
        assert all(weight != 0 for _, weight in z.items())
        assert all(row in z for row in z)
        assert len(z) == len(z.items())


@given(zsets, zsets)
def test_filter_and_map_are_linear(a: ZSet, b: ZSet) -> None:
    for query in (lambda z: z.filter(lambda row: row[1] == "x"), lambda z: z.map(lambda row: (row[1],))):
        assert query(a + b) == query(a) + query(b)


def test_rows_are_told_apart_by_type_as_updates_are() -> None:
    """T59: replacing 1 by TRUE is a change, so its delta is not empty."""
    delta = ZSet([((1,), -1), ((True,), 1)])

    assert len(delta) == 2
    assert (delta[(1,)], delta[(True,)], delta[(1.0,)]) == (-1, 1, 0)


def test_distinct_keeps_each_present_row_once() -> None:
    assert ZSet([(("a",), 1)]) == ZSet([(("a",), 3), (("b",), -2)]).distinct()
