"""What a queue is told a batch weighs."""

from __future__ import annotations

import sys

from sspcore.ingress.sizes import SAMPLE, RowSizes


def net(count, width=10):
    return {"t": [(number, None, (number, "x" * width, None)) for number in range(count)]}


def test_an_estimate_is_about_what_the_interpreter_says():
    row = (1, "x" * 100, None)
    real = sys.getsizeof(row) + sys.getsizeof(row[1]) + sys.getsizeof(("t", 1, row))

    assert 0.5 < RowSizes().estimate({"t": [(1, None, row)]}) / real < 2


def test_it_grows_with_the_rows_and_their_text():
    assert 100 * RowSizes().estimate(net(1)) == RowSizes().estimate(net(100))
    assert RowSizes().estimate(net(10, width=5_000)) > 10 * 5_000


def test_it_follows_rows_that_grow():
    sizes = RowSizes()
    sizes.estimate(net(1))
    for _ in range(20 * SAMPLE):
        last = sizes.estimate(net(1, width=100_000))
    assert last > 90_000


def test_a_retraction_weighs_little():
    assert RowSizes().estimate({"t": [(1, ("x" * 1000,), None)]}) < 200
