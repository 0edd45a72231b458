"""Membership with a residual condition: which right rows are candidates must be asked pair by pair.

Owns the counts per left row; refuses to know what becomes of a verdict (as `membership`, whose words it uses).
"""

from __future__ import annotations

from collections.abc import Callable

from sspcore.algebra.values import Key
from sspcore.engine.operators.base import Delta, Meter, Row
from sspcore.engine.operators.membership import Flip, Keys, LeftChange, Verdict


class Tally:
    """What one left row's candidates amount to."""

    __slots__ = ("candidates", "matches", "nulls", "probe", "row")

    def __init__(self, row: Row, probe: Key | None) -> None:
        self.row = row
        self.probe = probe
        self.candidates = self.matches = self.nulls = 0

    def count(self, member: Key | None, step: int) -> None:
        """One candidate more or less."""
        self.candidates += step
        if member is None:
            self.nulls += step
        elif self.probe is not None and (member is self.probe or member == self.probe):
            self.matches += step

    def verdict(self) -> Verdict:
        """TRUE, FALSE or NULL, as `membership` defines it."""
        if self.matches:
            return True
        return None if self.candidates and (self.probe is None or self.nulls) else False


class JudgedMembership:
    """Verdicts where a right row is a candidate only if the residual over both rows is TRUE.

    Cost: a left change every right row of its correlation key, a right change every left row of its correlation key
    (all rows of the other side when there are no equalities).
    """

    __slots__ = ("_keys", "_left", "_meter", "_residual", "_right")

    def __init__(self, keys: Keys, residual: Callable[[Row], bool], meter: Meter) -> None:
        self._keys = keys
        self._residual = residual
        self._meter = meter
        self._left: dict[Key, dict[Key, Tally]] = {}
        self._right: dict[Key, dict[Key, Row]] = {}

    def left(self, delta: Delta) -> list[LeftChange]:
        """Left changes with their verdicts."""
        left_key = self._keys.left
        out: list[LeftChange] = []
        for key, old, new in delta:
            was = now = None
            if old is not None:
                was = False
                correlation = left_key(old)
                if correlation is not None:
                    tallies = self._left[correlation]
                    was = tallies.pop(key).verdict()
                    if not tallies:
                        del self._left[correlation]
            if new is not None:
                now = False
                correlation = left_key(new)
                if correlation is not None:
                    tally = self._tally(new, correlation)
                    self._left.setdefault(correlation, {})[key] = tally
                    now = tally.verdict()
            out.append((key, old, was, new, now))
        self._meter.rows += len(delta)
        self._meter.probes += 2 * len(delta)
        return out

    def right(self, delta: Delta) -> list[Flip]:
        """The left rows whose verdict a delta of the right turns."""
        right_key = self._keys.right
        touched: dict[Key, tuple[Tally, Verdict]] = {}
        for key, old, new in delta:
            if old is not None and (correlation := right_key(old)) is not None:
                rows = self._right[correlation]
                del rows[key]
                if not rows:
                    del self._right[correlation]
                self._count(correlation, old, -1, touched)
            if new is not None and (correlation := right_key(new)) is not None:
                self._right.setdefault(correlation, {})[key] = new
                self._count(correlation, new, 1, touched)
        self._meter.rows += len(delta)
        self._meter.probes += 2 * len(delta)
        return [
            (key, tally.row, was, now) for key, (tally, was) in touched.items() if was is not (now := tally.verdict())
        ]

    def _tally(self, row: Row, correlation: Key) -> Tally:
        tally = Tally(row, self._keys.probe(row))
        candidates = self._right.get(correlation)
        if candidates:
            residual, member_of = self._residual, self._keys.member
            self._meter.rows += len(candidates)
            for other in candidates.values():
                if residual(row + other):
                    tally.count(member_of(other), 1)
        return tally

    def _count(self, correlation: Key, row: Row, step: int, touched: dict[Key, tuple[Tally, Verdict]]) -> None:
        tallies = self._left.get(correlation)
        if not tallies:
            return
        residual, member = self._residual, self._keys.member(row)
        self._meter.rows += len(tallies)
        for key, tally in tallies.items():
            if residual(tally.row + row):
                if key not in touched:
                    touched[key] = (tally, tally.verdict())
                tally.count(member, step)
