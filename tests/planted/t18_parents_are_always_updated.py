"""T18: whatever happens in a table a view reads, all its rows are told to have changed."""

from sspcore.engine.materialisation import Materialisation

TEST = "tests.laws.test_traps:test_what_shows_no_change_tells_no_change"


def plant(patch):
    real = Materialisation.hydrate

    def hydrate(self, tables):
        real(self, tables)
        self.steps = {table: loud(self, step) for table, step in self.steps.items()}
        self.row = None

    def loud(kept, step):
        return lambda changes: step(changes) or [(key, row, row) for key, row in kept.value.items()]

    patch.setattr(Materialisation, "hydrate", hydrate)
