"""T6: an update of an unknown row is accepted, and shows in no view ever."""

from sspcore.engine.door import Door

TEST = "tests.laws.test_traps:test_an_update_of_an_unknown_row_is_a_row_or_is_refused"


def plant(patch):
    real = Door._judge_update

    def judge(self, draft, change):
        return draft.current(change.id) is not None and real(self, draft, change)

    patch.setitem(Door.resolve.__globals__["_JUDGES"], "update", judge)
