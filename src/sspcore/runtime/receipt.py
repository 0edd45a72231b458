"""The receipt of an admitted batch."""

from __future__ import annotations

from collections.abc import Mapping

import attrs


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
