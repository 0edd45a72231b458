"""T37: what goes to the peers goes through one line: who does not take his keeps the others waiting."""

import trio

from sspcore.sidecar.outgoing import Outgoing

TEST = "tests.sidecar.test_peer:test_a_stalled_peer_delays_nobody_and_costs_one_pending_update"
REAL_TIME = True


def plant(patch):
    line = trio.StrictFIFOLock()
    real = Outgoing.__init__

    def init(self, max_replies):
        real(self, max_replies)
        self._turn = line

    patch.setattr(Outgoing, "__init__", init)
