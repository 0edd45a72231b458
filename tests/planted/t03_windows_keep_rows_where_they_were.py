"""T3: in generated code, a row whose sort key changed stays where it was in the window."""

from sspcore.engine.emit.window import Window

TEST = "tests.laws.test_traps:test_a_changed_sort_key_ranks_anew_and_a_changed_join_key_joins_anew"


def plant(patch):
    patch.setattr(Window, "move", lambda self, key, gone, come, row: self.stay(key, gone, row))
