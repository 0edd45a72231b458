"""T30: that a peer answers its pings counts for nothing: it is cut while it listens."""

import trio

from sspcore.sidecar.peer import Peer

TEST = "tests.sidecar.test_peer:test_a_quiet_peer_that_answers_pings_stays"


def plant(patch):
    async def ping(self, answered):
        await trio.lowlevel.checkpoint()

    patch.setattr(Peer, "_ping", ping)
