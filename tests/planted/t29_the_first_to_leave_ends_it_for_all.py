"""T29: readers of one query share an id; the first to leave takes the view from the others."""

from sspcore.delivery.stage import Stage

TEST = "tests.runtime.test_subscriptions:test_one_reader_leaving_does_not_end_the_others"


def plant(patch):
    patch.setattr(Stage, "detach", lambda self, outbox: self._end(outbox.view, "its reader has left"))
