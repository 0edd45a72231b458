"""Readers: the materialisations that read one table, and which of them a change of it can touch.

Owns that choice. It saves work and decides nothing else: what a change means to a view is the view's own affair.
"""

from __future__ import annotations

from collections.abc import Iterator

from sspcore.engine.materialisation import Materialisation
from sspcore.engine.table import Net, Row

Touched = dict[Materialisation, list[Net]]


class Readers:
    """Who reads a table. `everyone` are those that any change may concern; the others are found by the index."""

    __slots__ = ("everyone",)

    def __init__(self) -> None:
        self.everyone: tuple[Materialisation, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.everyone)

    def __iter__(self) -> Iterator[Materialisation]:
        return iter(self.everyone)

    def add(self, kept: Materialisation) -> None:
        """A reader more. Cost: O(readers that read everything), or that of the index."""
        self.everyone = (*self.everyone, kept)

    def remove(self, kept: Materialisation) -> None:
        """A reader less."""
        self.everyone = tuple([one for one in self.everyone if one is not kept])

    def touched_by(self, old: Row | None, new: Row | None) -> tuple[Materialisation, ...]:
        """Those that a change from one row to another can touch."""
        return self.everyone

    def touched(self, net: list[Net]) -> Touched:
        """Those that net changes can touch, each with the changes that can. Cost: O(net + what it gives)."""
        return dict.fromkeys(self.everyone, net)
