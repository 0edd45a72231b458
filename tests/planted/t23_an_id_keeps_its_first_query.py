"""T23: registering an id again with another query is silently ignored."""

from sspcore.engine.circuit import Circuit

TEST = "tests.laws.test_traps:test_an_id_means_one_query"


def plant(patch):
    real = Circuit.register

    def register(self, view_id, query, params=None, **options):
        if view_id in self.views:
            return self.view(view_id).snapshot()
        return real(self, view_id, query, params, **options)

    patch.setattr(Circuit, "register", register)
