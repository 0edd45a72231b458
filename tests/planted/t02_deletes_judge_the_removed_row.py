"""T2: whether a deleted row was in a filter is asked of the row that is there now: none, so it never was."""

from sspcore.engine.operators.filter import Filter

TEST = "tests.laws.test_traps:test_deletes_are_judged_by_the_row_that_was"


def plant(patch):
    real = Filter.step
    patch.setattr(Filter, "step", lambda self, delta: [c for c in real(self, delta) if c[2] is not None])
