"""The outbox of one subscriber: what its view did since it last looked.

Owns coalescing: a subscriber that lags costs the circuit an append per commit, and in memory at most about twice what
its view and the last updates hold. Refuses to wait: it calls `wake` when there is news.
"""

from __future__ import annotations

from collections.abc import Callable

from sspcore.delivery.compose import compose
from sspcore.engine.update import Place, Snapshot, ViewUpdate

SLACK = 256
"""Row changes that may pile up before they are composed for the first time."""


class Outbox:
    """Updates of one view for one subscriber, chained from the snapshot it was given.

    Attributes: `version` and `epoch`, where the subscriber is; `reason`, why it ended, once `ended`; `error`, where
    that was a fault.
    """

    def __init__(self, view: str) -> None:
        self.view = view
        self.wake: Callable[[], None] = _nobody
        self.version = 0
        self.epoch = ""
        self.ended = False
        self.closed = False
        self.held = False
        """The view cannot be asked for its order just now; who waits is woken when it can."""
        self.reason = ""
        self.error: Exception | None = None
        self.coalesced = 0
        self._place: Place | None = None
        self._pending: list[ViewUpdate] = []
        self._weight = 0
        self._bound = SLACK
        self._lost = False

    def begin(self, snapshot: Snapshot) -> None:
        """What is pushed from now on follows this snapshot."""
        self.version, self.epoch = snapshot.version, snapshot.epoch

    def push(self, update: ViewUpdate, place: Place | None) -> None:
        """Add the view's next update. `place` tells the view's order at any time until the next push.

        Cost: O(1), and now and then O(pending), so that it is O(changes) amortised.
        """
        if self.ended or self.closed:
            return
        self._place = place
        if update.reset:
            self._pending, self._weight, self._bound, self._lost = [], 0, SLACK, False
        if self._lost:
            return  # what follows a loss without a reset would not chain
        self._pending.append(update)
        self._weight += len(update.changes) + len(update.placed)
        if self._weight > self._bound and len(self._pending) > 1:
            self._squeeze()
        self.wake()

    def take(self) -> ViewUpdate | None:
        """All pending updates as one, or None when there is nothing new, or the circuit is amid a sliced commit."""
        if not self._pending or self.held:
            return None
        if len(self._pending) > 1:
            self._squeeze()
        update = self._pending[0]
        if not update.changes and not update.placed and not update.reset:
            return None  # what happened was undone: no news yet, the next update will say it all
        self._pending, self._weight, self._bound = [], 0, SLACK
        if update.from_version != self.version:
            update = update._replace(from_version=self.version)  # a reset follows whatever was there
        self.version, self.epoch = update.version, update.epoch
        return update

    def lose(self) -> None:
        """The view is in doubt (its circuit failed): what is pending goes; nothing comes before a reset."""
        self._pending, self._weight, self._bound, self._lost = [], 0, SLACK, True

    def end(self, reason: str, error: Exception | None = None) -> None:
        """Nothing comes any more; what is pending can still be taken, unless it ends by an error."""
        if self.ended:
            return
        if error is None and len(self._pending) > 1:
            self._squeeze()  # while the view can still be asked for its order
        self.ended, self.reason, self.error = True, reason, error
        if error is not None:
            self._pending = []
        self._place = None
        self.wake()

    def close(self) -> None:
        """The subscriber is gone."""
        self.closed = True
        self._pending, self._place = [], None

    def _squeeze(self) -> None:
        self.coalesced += len(self._pending) - 1
        update = compose(self._pending, self._place)
        self._pending = [update]
        self._weight = len(update.changes) + len(update.placed)
        self._bound = 2 * self._weight + SLACK


def _nobody() -> None:
    """Nobody waits."""
