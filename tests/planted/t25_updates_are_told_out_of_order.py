"""T25: an update overtakes the one before it on the way to a reader."""

from sspcore.delivery.outbox import Outbox

TEST = "tests.runtime.test_subscriptions:test_versions_chain_and_rise_per_view"


def plant(patch):
    real, late = Outbox.push, {}

    def push(self, update, place):
        if self not in late:
            late[self] = update
            return
        real(self, update, place)
        real(self, late.pop(self), place)

    patch.setattr(Outbox, "push", push)
