"""T55: the rows are written first and the circuits told when there is room; who is cancelled in between was half in."""

from sspcore.runtime import runtime
from sspcore.runtime.producers import wait_for_room

TEST = "tests.runtime.test_cancellation:test_a_cancelled_ingest_is_in_every_circuit_or_in_none"


def plant(patch):
    async def wait(admission, ticket, now, require_open):
        admission.base.commit(*admission._resolve(ticket.changes))
        return await wait_for_room(admission, ticket, now, require_open)

    patch.setattr(runtime, "wait_for_room", wait)
