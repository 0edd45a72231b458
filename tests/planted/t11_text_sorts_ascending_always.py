"""T11: DESC turns numbers round, not text."""

from sspcore.algebra.values import TEXT
from sspcore.engine.operators import sortkeys

TEST = "tests.laws.test_traps_values:test_one_total_order"


def plant(patch):
    real = sortkeys.descending_key
    patch.setattr(sortkeys, "descending_key", lambda v: (-TEXT, v) if type(v) is str else real(v))
