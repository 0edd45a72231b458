"""A subscription: a view's value, then what changes, at the reader's own pace.

Owns the waiting end of an outbox. A reader that lags gets several commits as one update; it delays nobody.
"""

from __future__ import annotations

import trio

from sspcore.delivery.outbox import Outbox
from sspcore.engine.update import Snapshot, ViewUpdate
from sspcore.errors import UsageError
from sspcore.runtime.parking import Parking


class Subscription(trio.abc.ReceiveChannel[ViewUpdate]):
    """A live view: `snapshot`, then updates that chain from it. Made by `Runtime.subscribe`; for `async for`.

    The iteration ends when the view is unregistered, its circuit destroyed or the runtime closed (`reason` says which);
    it raises CircuitFailed when the view or its circuit failed for good. After a failure that healed comes an update
    with `reset=True`, in a new epoch: it replaces everything.

    Attributes: `snapshot`; `view`, its id.
    """

    def __init__(self, outbox: Outbox, snapshot: Snapshot) -> None:
        self.view = outbox.view
        self.snapshot = snapshot
        self._outbox = outbox
        self._parking = Parking()
        self._acknowledged = (snapshot.epoch, snapshot.version)
        outbox.wake = self._parking.wake

    @property
    def reason(self) -> str:
        """Why it ended; empty while it lasts."""
        return self._outbox.reason

    @property
    def coalesced(self) -> int:
        """How many commits reached the reader only as part of another's update."""
        return self._outbox.coalesced

    async def receive(self) -> ViewUpdate:
        """The next update: all that happened since the last one. Cancelled, it loses nothing.

        Raises trio.EndOfChannel when there will be none, CircuitFailed when a fault is the reason, and
        trio.ClosedResourceError after the `async with` block.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        outbox = self._outbox
        while True:
            if outbox.closed:
                raise trio.ClosedResourceError("this subscription is over: its `async with` block has ended")
            update = outbox.take()
            if update is not None:
                await trio.lowlevel.cancel_shielded_checkpoint()
                return update
            if outbox.error is not None:
                raise outbox.error
            if outbox.ended:
                raise trio.EndOfChannel(outbox.reason)
            await self._parking.park()

    def receive_nowait(self) -> ViewUpdate:
        """The next update if there is one. Raises trio.WouldBlock otherwise, and as `receive` does."""
        outbox = self._outbox
        if outbox.closed:
            raise trio.ClosedResourceError("this subscription is over: its `async with` block has ended")
        update = outbox.take()
        if update is not None:
            return update
        if outbox.error is not None:
            raise outbox.error
        if outbox.ended:
            raise trio.EndOfChannel(outbox.reason)
        raise trio.WouldBlock

    def ack(self, version: int, epoch: str | None = None) -> None:
        """The reader has dealt with everything up to `version`: `token` moves there, never back.

        Late acks are fine: one of an `epoch` that a reset has ended says nothing any more. Raises UsageError for a
        version beyond what was received.
        """
        outbox = self._outbox
        if epoch is not None and epoch != outbox.epoch:
            return
        if version > outbox.version:
            raise UsageError(
                f"version {version!r} of view {self.view!r} was not received yet: the last one is {outbox.version}",
                hint="acknowledge update.version of an update received",
            )
        acknowledged = self._acknowledged
        if acknowledged[0] != outbox.epoch or version > acknowledged[1]:
            self._acknowledged = (outbox.epoch, version)

    @property
    def token(self) -> str:
        """`"<epoch>-<version>"`: what the reader has acknowledged; at first, the snapshot."""
        epoch, version = self._acknowledged
        return f"{epoch}-{version}"

    async def aclose(self) -> None:
        """Want no more updates. The `async with` block does this by itself."""
        self._outbox.close()
        self._parking.wake()
        await trio.lowlevel.checkpoint()
