"""T41: an op that is not known is taken for a create."""

from sspcore.engine import door

TEST = "tests.laws.test_traps:test_an_unknown_op_is_refused_everywhere"


def plant(patch):
    class Lenient(dict):
        def get(self, op, default=None):
            return super().get(op, self["upsert"])

    patch.setattr(door, "_JUDGES", Lenient(door._JUDGES))
