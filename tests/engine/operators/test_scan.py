"""Scan: a table cut to the columns a plan reads."""

from sspcore.algebra.values import NAN
from sspcore.engine.operators.base import Meter
from sspcore.engine.operators.scan import Scan


def test_rows_are_cut_to_the_listed_columns_in_their_order():
    scan = Scan(("c", "a"), ("a", "b", "c"), Meter())
    assert scan.step([(1, None, (10, 20, 30))]) == [(1, None, (30, 10))]


def test_a_column_the_table_lacks_reads_null():
    scan = Scan(("a", "nowhere"), ("a",), Meter())
    assert scan.step([(1, None, (10,))]) == [(1, None, (10, None))]


def test_a_scan_of_no_column_keeps_the_rows():
    scan = Scan((), ("a",), Meter())
    assert scan.step([(1, None, (10,))]) == [(1, None, ())]
    assert scan.step([(1, (10,), (11,))]) == []


def test_a_change_of_columns_nobody_reads_goes_no_further():
    """T18"""
    scan = Scan(("a",), ("a", "b"), Meter())
    assert scan.step([(1, (1, "x"), (1, "y")), (2, (NAN, "x"), (NAN, "y"))]) == []


def test_a_change_of_type_alone_is_a_change():
    """T59: Python takes 1, 1.0 and True for equal."""
    scan = Scan(("a",), ("a", "b"), Meter())
    assert scan.step([(1, (1, "x"), (True, "x"))]) == [(1, (1,), (True,))]
    assert scan.step([(1, (1, "x"), (1.0, "x"))]) == [(1, (1,), (1.0,))]


def test_a_scan_of_all_columns_hands_the_delta_on_untouched():
    scan = Scan(("a", "b"), ("a", "b"), Meter())
    delta = [(1, None, (1, 2))]
    assert scan.passes
    assert scan.step(delta) is delta
    assert not Scan(("b", "a"), ("a", "b"), Meter()).passes
    assert not Scan(("a",), ("a", "b"), Meter()).passes
