"""T48: whether a group changed is asked of its count of rows: an update in place is dropped."""

from sspcore.engine.operators import aggregate

TEST = "tests.laws.test_traps_values:test_sums_forget_what_was_taken_away"


def plant(patch):
    patch.setattr(aggregate, "_replace", lambda group, old, new: None)
