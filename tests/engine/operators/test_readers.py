"""Readers and sort keys: closures for the common forms say what the general ones say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import NAN, descending_key, order_key
from sspcore.engine.operators.readers import read_columns, read_join_key
from sspcore.engine.operators.sortkeys import ascending, descending, entry_of
from sspcore.plan.evaluate import NullCounter
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plan.nodes import OrderTerm

ROW = ("a", 1, None, True, 1.0)
VALUES = [None, True, False, 0, 1, 1.0, 2.5, NAN, float("inf"), "", "a", b"a", (1,), (1, None)]


@pytest.mark.parametrize("indices", [(), (1,), (1, 2), (0, 1, 2, 3, 4), (2, 1), (0, 2), (1, 1)])
def test_columns_are_read_in_the_order_asked_for(indices):
    assert read_columns(indices)(ROW) == tuple([ROW[i] for i in indices])


def test_a_join_key_is_canonical_and_none_where_a_part_is_null():
    nulls = NullCounter()
    true = read_join_key([Column(3)], nulls)(ROW)
    assert true != 1
    assert read_join_key([Column(4)], nulls)(ROW) == 1
    assert read_join_key([Column(1), Column(3)], nulls)(ROW) == (1, true)
    assert read_join_key([Column(1), Column(2)], nulls)(ROW) is None
    assert read_join_key([Column(2)], nulls)(ROW) is None
    assert read_join_key([Call("+", (Column(1), Constant(1)))], nulls)(ROW) == 2
    assert read_join_key([], nulls)(ROW) == ()


def sign(a, b):
    return (a > b) - (a < b)


@given(st.sampled_from(VALUES), st.sampled_from(VALUES))
def test_short_cuts_sort_as_the_order_keys_do(a, b):
    assert sign(ascending(a), ascending(b)) == sign(order_key(a), order_key(b))
    assert sign(descending(a), descending(b)) == sign(descending_key(a), descending_key(b))


@pytest.mark.parametrize("key", ["x", 7, ("x", 7), (None, 1), ()])
@pytest.mark.parametrize("terms", [0, 1, 2, 3])
def test_an_entry_ends_in_its_key(key, terms):
    entry = entry_of([OrderTerm(Column(i)) for i in range(terms)], NullCounter())(key, ROW)
    assert entry[-1] == key
