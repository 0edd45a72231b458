"""T58: a table stays in its circuit when its last view goes, though its changes are routed there no more."""

from sspcore.ingress.lane import Lane

TEST = "tests.runtime.test_traps:test_a_row_held_from_before_never_reappears"


def plant(patch):
    patch.setattr(Lane, "_drop", lambda self, holding: None)
    patch.setattr(Lane, "give_up", lambda self, table, interest, base: None)
