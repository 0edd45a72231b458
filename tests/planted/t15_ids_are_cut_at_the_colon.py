"""T15: what stands before the first colon of an id is taken for the table's name."""

from sspcore.engine.door import Door

TEST = "tests.laws.test_traps:test_ids_are_never_parsed"


def plant(patch):
    real = Door._row_id

    def row_id(self, change):
        key = real(self, change)
        return key.partition(":")[2] or key if type(key) is str else key

    patch.setattr(Door, "plain", lambda self, change: None)
    patch.setattr(Door, "_row_id", row_id)
