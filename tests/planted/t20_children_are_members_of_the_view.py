"""T20: nested rows are put beside the rows they are nested in."""

from sspcore.engine.operators.nest import Nest

TEST = "tests.laws.test_traps_nested:test_children_are_no_members_of_the_view"


def plant(patch):
    real = Nest.advance_right

    def advance_right(self, delta):
        mixed = [(("child", key), old and (*old, ()), new and (*new, ())) for key, old, new in delta]
        return [*real(self, delta), *mixed]

    patch.setattr(Nest, "advance_right", advance_right)
