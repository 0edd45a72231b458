"""T47: the queue of a reader that lags is full; what comes then is dropped, and nobody says so."""

from sspcore.delivery.outbox import Outbox

TEST = "tests.runtime.test_subscriptions:test_a_reader_that_never_reads_delays_nobody_and_gets_one_update"


def plant(patch):
    real = Outbox.push

    def push(self, update, place):
        if len(self._pending) < 20:
            real(self, update, place)

    patch.setattr(Outbox, "push", push)
