"""Intersect: the different rows in both inputs. Owns the counts of both sides; refuses to know their keys."""

from __future__ import annotations

from typing import ClassVar

from sspcore.algebra.values import Key, row_key
from sspcore.engine.operators.base import Binary, Change, Delta, Meter, Row
from sspcore.engine.operators.members import Pool, Touched


class Intersect(Binary):
    """The different rows that are in both inputs, NULLs equal, under the canonical row as key.

    Equation:   L ∩ R = { x ∈ δL : R[x] > 0 }, so Δ names at most the rows that ΔL or ΔR name
    Linearity:  neither: it is the sign of two counts
    State:      a count and a representative per different row of the left, a count per different row of the right;
                freed with the last copy
    Cost:       three lookups per changed row
    Contract:   guarantees to show the least, by `full_order_key`, of the equal rows on the left.
    Example:
        >>> both = Intersect(Meter())
        >>> both.step([("a", None, (1,)), ("b", None, (2,))], [("x", None, (2,))])
        [((2,), None, (2,))]
        >>> both.step([], [("y", None, (1,))])
        [((1,), None, (1,))]
        >>> both.step([("b", (2,), None)], [])
        [((2,), (2,), None)]

    See also:   DBSP §4.3 (set operations); tests/engine/operators/test_intersect.py
    """

    __slots__ = ("_left", "_meter", "_right")

    wanted: ClassVar[bool] = True
    """Whether a row of the left shows when the right has it, or when it has not."""

    def __init__(self, meter: Meter) -> None:
        self._left = Pool()
        self._right: dict[Key, int] = {}
        self._meter = meter

    def advance_left(self, delta: Delta) -> Delta:
        touched: Touched = {}
        self._left.absorb(delta, touched)
        self._meter.rows += len(delta)
        self._meter.probes += 3 * len(delta)
        right, wanted = self._right, self.wanted
        return self._left.changes({key: was for key, was in touched.items() if (key in right) is wanted})

    def advance_right(self, delta: Delta) -> Delta:
        right = self._right
        before: dict[Key, bool] = {}
        for _, old, new in delta:
            if old is not None:
                self._count(row_key(old), -1, before)
            if new is not None:
                self._count(row_key(new), 1, before)
        self._meter.rows += len(delta)
        self._meter.probes += 3 * len(delta)
        out: list[Change] = []
        for key, was in before.items():
            row: Row | None = self._left.shown(key) if was is not (key in right) else None
            if row is not None:
                out.append((key, row, None) if was is self.wanted else (key, None, row))
        return out

    def _count(self, key: Key, step: int, before: dict[Key, bool]) -> None:
        count = self._right.get(key, 0)
        before.setdefault(key, count > 0)
        if count + step:
            self._right[key] = count + step
        else:
            del self._right[key]
