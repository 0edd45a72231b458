"""T5: a change that comes twice is applied twice."""

from sspcore.engine.door import Door

TEST = "tests.laws.test_traps:test_redelivery_and_reordering_never_count_twice"


def plant(patch):
    patch.setattr(Door, "_seen", lambda self, change, marks: False)
    patch.setattr(Door, "_judge_create", Door._judge_upsert)
