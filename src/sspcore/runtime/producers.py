"""A producer that waits for room: parked in line, asked again when there may be some, gone without trace if cancelled.

Owns the waiting only: who is next, and whether there is room, the admission says.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import trio

from sspcore.ingress.admission import Admission, Admitted, Ticket
from sspcore.runtime.parking import Parking


async def wait_for_room(
    admission: Admission, ticket: Ticket, now: Callable[[], float], require_open: Callable[[], None]
) -> Admitted:
    """Sleep until the ticket's batch is admitted. Raises ChangeRejected, Full, Closed. Cancelled: nothing happened."""
    parking = Parking()
    ticket.wake = parking.wake
    try:
        while True:
            patience = ticket.patience
            expired = True
            with trio.move_on_after(inf if patience is None else ticket.since + patience - now()):
                await parking.park()
                expired = False
            if expired:
                raise admission.expired(ticket)
            require_open()
            if (outcome := admission.again(ticket, now())) is not None:
                return outcome
    finally:
        admission.forget(ticket)
