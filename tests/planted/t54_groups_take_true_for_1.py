"""T54: in generated code, the values of a group are its key as they are, so that TRUE meets 1."""

from sspcore.engine.emit import aggregate

TEST = "tests.laws.test_traps_values:test_true_and_1_are_two_and_1_and_1_0_are_one"


def plant(patch):
    patch.setattr(aggregate, "canonical_key", lambda value: value)
