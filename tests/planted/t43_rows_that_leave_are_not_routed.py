"""T43: a row is routed by what it is now; what it was, and that it is gone, reaches nobody."""

from sspcore.routing.dependency import Dependency

TEST = "tests.routing.test_strategies:test_no_reader_of_a_table_is_ever_left_out"
ARGUMENTS = {"name": "dependency"}


def plant(patch):
    def route(self, rows):
        return [() if row.new is None else self._puts.get(row.table, ()) for row in rows]

    patch.setattr(Dependency, "route", route)
