"""What goes in and what comes back: a batch from whatever was given, the receipt of one that was admitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from sspcore.engine.change import Change
from sspcore.ingress.admission import Admitted


@attrs.frozen
class Receipt:
    """What became of a batch that was accepted.

    Attributes: `offset`, its place in the order of all batches; `versions`, circuit → the version that shows it (of
    those that were waited for); `behind`, circuits that will show it after their refill; `routed`, how many of its row
    changes reached a circuit, and `unrouted`, how many no view reads. Both count rows that really change.
    """

    offset: int
    versions: Mapping[str, int]
    behind: tuple[str, ...]
    routed: int
    unrouted: int


def batch_of(changes: Iterable[Change] | Change) -> Sequence[Change]:
    """A batch: one change is one too."""
    if isinstance(changes, Change):
        return (changes,)
    return changes if isinstance(changes, list | tuple) else list(changes)


def receipt_of(admitted: Admitted) -> Receipt:
    """The receipt of a batch that nobody waits for."""
    return Receipt(admitted.offset, {}, admitted.behind, admitted.routed, admitted.unrouted)
