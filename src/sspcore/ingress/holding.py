"""Holdings: what a circuit holds of one table, and what its views want of it.

Owns the counting of who wants what, and which of it is all there. Refuses to queue anything (`lane`).
"""

from __future__ import annotations

from sspcore.abc import ALL, Everything, Interest
from sspcore.engine.table import Row
from sspcore.ingress.walk import Walk
from sspcore.plan.implied import implies
from sspcore.routing.any_of import AnyOf

Wish = Everything | Interest


class Holding:
    """One table of one circuit.

    Attributes: `there`, the circuit has the table; `wishes`, the interests of its views that count; `filled`, those of
    them whose rows are all there or queued, every change of these being routed here; `filling`, the walks that bring
    the others; `readers`, views on the table. Without a wish it is *partial*: rows came as routing sent them and may
    be stale, so that it is made anew before a view reads it.
    """

    __slots__ = ("filled", "filling", "readers", "table", "there", "wishes")

    def __init__(self, table: str) -> None:
        self.table = table
        self.there = False
        self.readers = 0
        self.wishes = AnyOf()
        self.filled: set[Wish] = set()
        self.filling: dict[Wish, Walk] = {}

    @property
    def partial(self) -> bool:
        """Whether rows of it are there that no view asked for."""
        return self.there and not self.filled and not self.filling

    @property
    def whole(self) -> bool:
        """Whether every current row of the circuit's share is there, or queued."""
        return ALL in self.filled

    def covers(self, wish: Wish) -> bool:
        """Whether the rows of a wish are all there, or queued."""
        return self.whole or wish in self.filled

    def implies(self, wish: Wish) -> bool:
        """Whether the rows of a wish are among those that are all there, or queued. Cost: O(wishes)."""
        if self.covers(wish):
            return True
        if isinstance(wish, Everything):
            return False
        return any(implies(wish.condition, f.condition) for f in self.filled if not isinstance(f, Everything))

    def wants(self, row: Row) -> bool:
        """Whether a view wants a row, as things are now."""
        return self.wishes.matches(row)

    def arrived(self, walk: Walk) -> None:
        """Every slice of a walk is queued."""
        if self.filling.get(walk.region) is walk:
            del self.filling[walk.region]
            self.filled.add(walk.region)

    def drop(self, wish: Wish) -> bool:
        """A view wants these rows no more; whether none does."""
        if not self.wishes.remove(wish):
            return False
        self.filled.discard(wish)
        walk = self.filling.pop(wish, None)
        if walk is not None:
            walk.called_off = True
        return True

    def lose(self) -> None:
        """The circuit has given up everything."""
        for walk in self.filling.values():
            walk.called_off = True
        self.filling, self.filled, self.there = {}, set(), False

    def refilled(self) -> None:
        """The circuit was derived anew, with every row its views want."""
        self.filled, self.there = set(self.wishes), True
