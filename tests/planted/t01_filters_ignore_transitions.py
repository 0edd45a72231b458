"""T1: an update never enters or leaves a filter; a row that no longer matches is even reported as updated."""

from sspcore.engine.operators.filter import Filter

TEST = "tests.laws.test_traps:test_rows_that_come_to_match_or_no_longer_match"


def plant(patch):
    def step(self, delta):
        return [c for c in delta if self._predicate(c[2] if c[1] is None else c[1])]

    patch.setattr(Filter, "step", step)
