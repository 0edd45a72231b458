"""T54: values are dict keys as they come: TRUE, 1 and 1.0 are one, and NaN is none."""

from sspcore.engine.operators import aggregate

TEST = "tests.laws.test_traps_values:test_true_and_1_are_two_and_1_and_1_0_are_one"


def plant(patch):
    patch.setattr(aggregate, "row_key", lambda row: tuple(row))
