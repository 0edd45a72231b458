"""T24: a registration given up half-way leaves what its finished steps have made: a view, its route and its table."""

from sspcore.runtime.runtime import Runtime

TEST = "tests.runtime.test_views:test_an_abandoned_walk_leaves_nothing_behind"


def plant(patch):
    patch.setattr(Runtime, "_release", lambda self, worker, registration: None)
