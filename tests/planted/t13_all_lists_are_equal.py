"""T13: a list is known by being one, so that a join on lists matches everything."""

from sspcore.engine.operators import readers

TEST = "tests.laws.test_traps_values:test_lists_and_objects_are_equal_by_what_they_hold"


def plant(patch):
    real = readers.canonical_key
    patch.setattr(readers, "canonical_key", lambda v: () if type(v) is tuple else real(v))
