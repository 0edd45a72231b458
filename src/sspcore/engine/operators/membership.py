"""Membership: is there a partner on the right? Three-valued, for EXISTS, IN, NOT EXISTS and NOT IN alike.

Owns the verdict on every left row and which left rows a change of the right can touch. Refuses to know what becomes
of a verdict: a row that shows (SemiJoin), one that does not (AntiJoin), a column (Mark).

A left row has a *correlation* key (NULL: no candidates) and a *probe*; a right row a correlation key and a *member*.
The candidates of a left row are the right rows of its correlation key for which the residual is TRUE. The verdict is
TRUE if a candidate's member equals the probe; else NULL if there is a candidate and the probe is NULL, or a
candidate's member is NULL; else FALSE. EXISTS is IN with the probe and all members being `()`.
"""

from __future__ import annotations

from collections.abc import Callable

from sspcore.algebra.values import Key
from sspcore.engine.operators.base import Delta, Meter, Row

KeyOf = Callable[[Row], Key | None]
Verdict = bool | None
LeftChange = tuple[Key, Row | None, Verdict, Row | None, Verdict]
"""(key, old row, its verdict, new row, its verdict)"""
Flip = tuple[Key, Row, Verdict, Verdict]
"""(key, row, verdict before, verdict after): a left row that did not change, whose verdict did."""


class Keys:
    """How to read the correlation, the probe and the member off rows."""

    __slots__ = ("left", "member", "probe", "right")

    def __init__(self, left: KeyOf, right: KeyOf, probe: KeyOf, member: KeyOf) -> None:
        self.left, self.right, self.probe, self.member = left, right, probe, member


class Candidates:
    """The right rows of one correlation key, as counts: all of them, those with a NULL member, and per member."""

    __slots__ = ("members", "nulls", "total")

    def __init__(self) -> None:
        self.total = 0
        self.nulls = 0
        self.members: dict[Key, int] = {}

    def count(self, member: Key | None, step: int) -> None:
        """One right row more or less."""
        self.total += step
        if member is None:
            self.nulls += step
            return
        count = self.members.get(member, 0) + step
        if count:
            self.members[member] = count
        else:
            del self.members[member]


class _Before:
    """What the candidates of one correlation key were at the start of a step, as far as it touched them."""

    __slots__ = ("any", "members", "nulls")

    def __init__(self, candidates: Candidates) -> None:
        self.any = candidates.total > 0
        self.nulls = candidates.nulls > 0
        self.members: dict[Key, bool] = {}


class Membership:
    """Verdicts on equalities alone. A right row counts; only left rows are kept, by correlation key and probe.

    Cost: a left change two lookups; a right change the left rows of its correlation key whose probe equals its member,
    and when the first candidate or the first NULL member comes (or the last goes) those whose verdict that turns.
    """

    __slots__ = ("_keys", "_left", "_meter", "_right")

    def __init__(self, keys: Keys, meter: Meter) -> None:
        self._keys = keys
        self._meter = meter
        self._left: dict[Key, dict[Key | None, dict[Key, Row]]] = {}
        self._right: dict[Key, Candidates] = {}

    def left(self, delta: Delta) -> list[LeftChange]:
        """Left changes with their verdicts."""
        left_key, probe_of = self._keys.left, self._keys.probe
        out: list[LeftChange] = []
        for key, old, new in delta:
            was = now = None
            if old is not None:
                correlation, probe = left_key(old), probe_of(old)
                was = self._verdict(correlation, probe)
                if correlation is not None:
                    self._drop(correlation, probe, key)
            if new is not None:
                correlation, probe = left_key(new), probe_of(new)
                now = self._verdict(correlation, probe)
                if correlation is not None:
                    self._left.setdefault(correlation, {}).setdefault(probe, {})[key] = new
            out.append((key, old, was, new, now))
        self._meter.rows += len(delta)
        self._meter.probes += 2 * len(delta)
        return out

    def right(self, delta: Delta) -> list[Flip]:
        """The left rows whose verdict a delta of the right turns."""
        touched: dict[Key, _Before] = {}
        right_key, member_of = self._keys.right, self._keys.member
        for _, old, new in delta:
            if old is not None and (correlation := right_key(old)) is not None:
                self._count(correlation, member_of(old), -1, touched)
            if new is not None and (correlation := right_key(new)) is not None:
                self._count(correlation, member_of(new), 1, touched)
        self._meter.rows += len(delta)
        self._meter.probes += 2 * len(delta)
        out: list[Flip] = []
        for correlation, before in touched.items():
            candidates = self._right[correlation]
            if not candidates.total:
                del self._right[correlation]
            if correlation in self._left:
                self._flips(correlation, before, candidates, out)
        return out

    def _verdict(self, correlation: Key | None, probe: Key | None) -> Verdict:
        candidates = None if correlation is None else self._right.get(correlation)
        if candidates is None:
            return False
        if probe is None:
            return None
        if probe in candidates.members:
            return True
        return None if candidates.nulls else False

    def _drop(self, correlation: Key, probe: Key | None, key: Key) -> None:
        probes = self._left[correlation]
        rows = probes[probe]
        del rows[key]
        if not rows:
            del probes[probe]
            if not probes:
                del self._left[correlation]

    def _count(self, correlation: Key, member: Key | None, step: int, touched: dict[Key, _Before]) -> None:
        candidates = self._right.get(correlation)
        if candidates is None:
            candidates = self._right[correlation] = Candidates()
        before = touched.get(correlation)
        if before is None:
            before = touched[correlation] = _Before(candidates)
        if member is not None and member not in before.members:
            before.members[member] = member in candidates.members
        candidates.count(member, step)

    def _flips(self, correlation: Key, before: _Before, candidates: Candidates, out: list[Flip]) -> None:
        probes = self._left[correlation]
        members = candidates.members
        if before.nulls is not (candidates.nulls > 0):
            affected = list(probes)
        else:
            affected = [m for m, was in before.members.items() if m in probes and was is not (m in members)]
            if before.any is not (candidates.total > 0) and None in probes:
                affected.append(None)
        for probe in affected:
            if not before.any:
                was: Verdict = False
            elif probe is None:
                was = None
            elif before.members.get(probe, probe in members):
                was = True
            else:
                was = None if before.nulls else False
            now = self._verdict(correlation, probe)
            self._meter.probes += 1
            if was is not now:
                rows = probes[probe]
                self._meter.rows += len(rows)
                out += [(key, row, was, now) for key, row in rows.items()]
