"""Intersect: the different rows in both inputs. Owns the counts of both sides; refuses to know their keys."""

from __future__ import annotations

from typing import ClassVar

from sspcore.algebra.values import Key, row_key, same
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


class IntersectAll(Binary):
    """Each different row as often as it is in both inputs, under (canonical row, n), n from 0.

    Equation:   (L ∩ R)[x] = min(L[x], R[x])
    Linearity:  neither: it is the least of two counts
    State:      a count and a representative per different row of the left, a count per different row of the right;
                freed with the last copy
    Cost:       three lookups per changed row, and the copies that come, go or change their representative
    Contract:   guarantees to show every copy as the least, by `full_order_key`, of the equal rows on the left.
    Example:
        >>> both = IntersectAll(Meter())
        >>> both.step([("a", None, (1,)), ("b", None, (1,)), ("c", None, (1,))], [("x", None, (1,)), ("y", None, (1,))])
        [(((1,), 0), None, (1,)), (((1,), 1), None, (1,))]
        >>> both.step([], [("x", (1,), None)])
        [(((1,), 1), (1,), None)]

    See also:   DBSP §4.3 (set operations); tests/engine/operators/test_intersect.py
    """

    __slots__ = ("_left", "_meter", "_right")

    def __init__(self, meter: Meter) -> None:
        self._left = Pool()
        self._right: dict[Key, int] = {}
        self._meter = meter

    @staticmethod
    def copies(left: int, right: int) -> int:
        """How often a row shows."""
        return min(left, right)

    def advance_left(self, delta: Delta) -> Delta:
        groups = self._left.groups
        before: dict[Key, tuple[Row, int]] = {}
        for _, old, new in delta:
            for row in (old, new):
                if row is not None and (key := row_key(row)) not in before:
                    members = groups.get(key)
                    before[key] = ((), 0) if members is None else (members.shown, members.count)
        self._left.absorb(delta, {})
        self._count_work(len(delta))
        out: list[Change] = []
        for key, (was, count) in before.items():
            members, right = groups.get(key), self._right.get(key, 0)
            now, left = ((), 0) if members is None else (members.shown, members.count)
            _copied(out, key, was, self.copies(count, right), now, self.copies(left, right))
        return out

    def advance_right(self, delta: Delta) -> Delta:
        right, before = self._right, dict[Key, int]()
        for _, old, new in delta:
            for row, step in ((old, -1), (new, 1)):
                if row is not None:
                    key = row_key(row)
                    count = right.get(key, 0)
                    before.setdefault(key, count)
                    if count + step:
                        right[key] = count + step
                    else:
                        del right[key]
        self._count_work(len(delta))
        out: list[Change] = []
        for key, count in before.items():
            members = self._left.groups.get(key)
            if members is not None:
                left, shown = members.count, members.shown
                _copied(out, key, shown, self.copies(left, count), shown, self.copies(left, right.get(key, 0)))
        return out

    def _count_work(self, changes: int) -> None:
        self._meter.rows += changes
        self._meter.probes += 3 * changes


def _copied(out: list[Change], key: Key, was: Row, before: int, now: Row, after: int) -> None:
    """The changes from so many copies of one row to so many of another that equals it."""
    if before and after and not same(was, now):
        out += [((key, n), was, now) for n in range(min(before, after))]
    out += [((key, n), was, None) for n in range(after, before)]
    out += [((key, n), None, now) for n in range(before, after)]
