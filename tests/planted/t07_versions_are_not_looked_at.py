"""T7: whatever comes last wins, however old it is."""

from sspcore.engine.door import Door

TEST = "tests.laws.test_traps:test_a_stale_version_never_overwrites_a_newer_row"


def plant(patch):
    patch.setattr(Door, "_newer", lambda self, draft, key, change: True)
