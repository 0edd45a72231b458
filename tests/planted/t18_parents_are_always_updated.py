"""T18: whatever happens in a table a view reads, all its rows are told to have changed."""

from sspcore.engine.view import View

TEST = "tests.laws.test_traps:test_what_shows_no_change_tells_no_change"


def plant(patch):
    real = View.advance

    def advance(self, net, version):
        update = real(self, net, version)
        everything = tuple([(key, row, row) for key, row in self._value.items()])
        return update or self._update(everything, (), version)

    patch.setattr(View, "advance", advance)
