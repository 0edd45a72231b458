"""T43: a row is routed by what it is now; what it was, and that it is gone, reaches nobody."""

from sspcore.routing.dependency import Dependency

TEST = "tests.runtime.test_traps:test_a_row_that_leaves_a_view_is_routed_too"


def plant(patch):
    def route(self, rows):
        return [() if row.new is None else self._puts.get(row.table, ()) for row in rows]

    patch.setattr(Dependency, "route", route)
