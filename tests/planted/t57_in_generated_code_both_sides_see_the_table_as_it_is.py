"""T57: in generated code, a table on both sides is looked up on both as the batch left it: rows meet twice."""

from sspcore.engine.emit.sides import Sides
from sspcore.plan.expressions import Column

TEST = "tests.laws.test_traps:test_a_table_joined_with_itself_three_times"


def plant(patch):
    def found_in_table(self, at):
        return self.pipe.leaves[at].table is not None and all(isinstance(e, Column) for e in self.keys[at])

    patch.setattr(Sides, "found_in_table", found_in_table)
