"""T48: in generated code, a number that changes while its row stays in the group is not exchanged in the sum."""

from sspcore.engine.emit.accumulate import Accumulating

TEST = "tests.laws.test_traps_values:test_sums_forget_what_was_taken_away"


def plant(patch):
    patch.setattr(Accumulating, "replace", lambda self, old, new: None)
