"""T56: the next update goes out when every reader of the view has taken the last one."""

from sspcore.delivery.stage import Stage

TEST = "tests.runtime.test_subscriptions:test_a_reader_that_never_reads_delays_nobody_and_gets_one_update"


def plant(patch):
    real = Stage._publish

    def publish(self, commit):
        if any(outbox._pending for watchers in self._watchers.values() for outbox in watchers):
            return commit
        return real(self, commit)

    patch.setattr(Stage, "_publish", publish)
