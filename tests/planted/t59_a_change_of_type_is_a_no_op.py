"""T59: whether a write changes anything is asked of Python's equality, for which 1 is TRUE."""

from operator import eq

from sspcore.engine import circuit, door, draft

TEST = "tests.laws.test_traps:test_a_change_of_type_is_a_change"


def plant(patch):
    for module in (circuit, door, draft):
        patch.setattr(module, "same", eq)
