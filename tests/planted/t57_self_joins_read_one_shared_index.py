"""T57: both sides of a join read the other as it was before the batch: rows that meet in it never do."""

from copy import deepcopy

from sspcore.engine.operators.base import compose
from sspcore.engine.operators.join import Join

TEST = "tests.laws.test_traps:test_a_table_joined_with_itself_three_times"


def plant(patch):
    def step(self, left, right):
        side = self._from_left.mine
        before = deepcopy(side.index)
        first = self.advance_left(left)
        after, side.index = side.index, before
        second = self.advance_right(right)
        side.index = after
        return compose(first, second)

    patch.setattr(Join, "step", step)
