"""Any of some regions: which rows of a table a circuit wants, whatever its views.

Owns the counting, and how to judge a row by many regions at once: by an index from some number on, which answers what
asking each would.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sspcore.abc import ALL, Everything, Interest
from sspcore.engine.table import Row
from sspcore.index.predicate_index import PredicateIndex

FEW: Final = 8
"""Regions that are asked one by one: an index is no faster there, and compiles first."""


class AnyOf:
    """Regions, each as often as somebody has it.

    >>> from sspcore.plan.expressions import Call, Column, Constant
    >>> from sspcore.routing.interest import Region
    >>> late, early = [Region(Call(op, (Column(0), Constant(60)))) for op in (">", "<")]
    >>> wanted = AnyOf()
    >>> wanted.add(late), wanted.add(late), wanted.add(early), wanted.remove(late), wanted.remove(early)
    (True, False, True, False, True)
    >>> wanted.matches((75,)), wanted.matches((45,))
    (True, False)
    """

    __slots__ = ("_index", "_times")

    def __init__(self) -> None:
        self._times: dict[Everything | Interest, int] = {}
        self._index: PredicateIndex | None = None

    def __contains__(self, region: object) -> bool:
        return region in self._times

    def __iter__(self) -> Iterator[Everything | Interest]:
        return iter(self._times)

    def __len__(self) -> int:
        return len(self._times)

    def add(self, region: Everything | Interest) -> bool:
        """Somebody has a region; whether it is the first one."""
        times = self._times.get(region, 0)
        self._times[region] = times + 1
        if not times and self._index is not None and not isinstance(region, Everything):
            self._index.add(region, region.condition)
        return not times

    def remove(self, region: Everything | Interest) -> bool:
        """Somebody has it no more; whether it was the last one."""
        self._times[region] -= 1
        if self._times[region]:
            return False
        del self._times[region]
        if self._index is not None and not isinstance(region, Everything):
            self._index.remove(region)
        return True

    @property
    def everything(self) -> bool:
        """Whether every row is wanted."""
        return ALL in self._times

    def matches(self, row: Row) -> bool:
        """Whether a row is in any of them."""
        if len(self._times) > FEW:
            try:
                return self.everything or bool(self._filed().route(row))
            except Exception:  # noqa: BLE001 - the index cannot tell: ask each
                pass
        for region in self._times:  # noqa: SIM110 - any() would cost a frame
            if isinstance(region, Everything) or region.matches(row):
                return True
        return False

    def _filed(self) -> PredicateIndex:
        if self._index is None:
            self._index = PredicateIndex(on_error=_raise)
            for region in self._times:
                if not isinstance(region, Everything):
                    self._index.add(region, region.condition)
        return self._index


def _raise(error: Exception) -> None:
    raise error
