"""Join: pairs of rows. Owns both inputs, indexed by join key; refuses to know where they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import add
from typing import Final

from sspcore.algebra.values import Key
from sspcore.engine.operators.base import Binary, Change, Delta, Meter, Row, net

JoinKeyOf = Callable[[Row], Key | None]
Combine = Callable[[Key | None, Key | None], Key]
Predicate = Callable[[Row], bool]
Bucket = dict[Key, Row]

NOTHING: Final[Mapping[Key, Row]] = {}


class Side:
    """One input of a join: its rows by join key and, if it is preserved, how many partners each row has.

    Rows whose join key is NULL have no partners ever, so they are not kept.
    """

    __slots__ = ("counts", "index", "key_of", "pad", "preserved")

    def __init__(self, key_of: JoinKeyOf, width: int, preserved: bool) -> None:
        self.key_of = key_of
        self.pad: Row = (None,) * width
        self.preserved = preserved
        self.index: dict[Key, Bucket] = {}
        self.counts: dict[Key, int] = {}

    def move(self, key: Key, old_key: Key | None, new_key: Key | None, row: Row | None) -> None:
        """File the row of a key under its new join key, and no longer under its old one; None is no join key."""
        index = self.index
        if old_key is not None and not (old_key is new_key or old_key == new_key):
            bucket = index[old_key]
            del bucket[key]
            if not bucket:
                del index[old_key]
        if new_key is not None and row is not None:
            if new_key in index:
                index[new_key][key] = row
            else:
                index[new_key] = {key: row}


class Way:
    """A join seen from the side that changed: which side that is, and how keys and rows of a pair are put together."""

    __slots__ = ("key", "mine", "other", "row")

    def __init__(self, mine: Side, other: Side, key: Combine, row: Callable[[Row, Row], Row]) -> None:
        self.mine, self.other = mine, other
        self.key, self.row = key, row


class Join(Binary):
    """Pairs of a left and a right row with equal join keys for which the residual is TRUE; rows of a preserved side
    without a partner, padded with NULLs.

    Equation:   Δ(L ⋈ R) = z⁻¹I(L) ⋈ ΔR + ΔL ⋈ I(R), so that every occurrence of a table is an input of its own,
                and the left one reads the right one after the change
    Linearity:  bilinear; a preserved side adds the rows whose count of partners is 0, which is neither
    State:      both inputs in dicts by join key, and a count per row of a preserved side; freed with the rows
    Cost:       the changed rows and their partners on the other side; without equalities (a theta join) every row
                of the other side is a candidate
    Contract:   requires that `combine` gives different pairs different keys (cannot be checked; if broken: pairs
                overwrite each other) / guarantees that NULL join keys match nothing, yet are preserved.
    Example:
        >>> from operator import itemgetter
        >>> flights, carriers = Side(itemgetter(0), 2, True), Side(itemgetter(0), 2, False)
        >>> join = Join(flights, carriers, lambda a, b: (a, b), None, Meter())    # LEFT JOIN
        >>> join.step([(1, None, ("AA", 5))], [])
        [((1, None), None, ('AA', 5, None, None))]
        >>> join.step([], [("x", None, ("AA", "American"))])
        [((1, 'x'), None, ('AA', 5, 'AA', 'American')), ((1, None), ('AA', 5, None, None), None)]
        >>> join.step([(1, ("AA", 5), ("AA", 9))], [])
        [((1, 'x'), ('AA', 5, 'AA', 'American'), ('AA', 9, 'AA', 'American'))]

    See also:   DBSP §4.2 (bilinear operators); traps T2, T3, T13, T57; tests/engine/operators/test_join.py
    """

    __slots__ = ("_from_left", "_from_right", "_meter", "_residual")

    def __init__(self, left: Side, right: Side, combine: Combine, residual: Predicate | None, meter: Meter) -> None:
        self._from_left = Way(left, right, combine, add)
        self._from_right = Way(right, left, lambda b, a: combine(a, b), lambda b, a: a + b)
        self._residual = residual
        self._meter = meter

    def advance_left(self, delta: Delta) -> Delta:
        return self._advance(delta, self._from_left)

    def advance_right(self, delta: Delta) -> Delta:
        return self._advance(delta, self._from_right)

    def _advance(self, delta: Delta, way: Way) -> Delta:
        """One algorithm for all kinds and both sides."""
        mine, others = way.mine, way.other.index
        key_of, pair_key, join = mine.key_of, way.key, way.row
        simple = self._residual is None
        inner = not mine.preserved and not way.other.preserved
        out: list[Change] = []
        work = len(delta)
        for key, old, new in delta:
            old_key = None if old is None else key_of(old)
            new_key = None if new is None else key_of(new)
            mine.move(key, old_key, new_key, new)
            before = NOTHING if old_key is None else others.get(old_key, NOTHING)
            after = NOTHING if new_key is None else others.get(new_key, NOTHING)
            work += len(before) + len(after)
            if simple and before is after and before and old is not None and new is not None:
                for other_key, other in before.items():  # the partners stay: so do all counts
                    out.append((pair_key(key, other_key), join(old, other), join(new, other)))
            elif simple and inner:
                for other_key, other in before.items():
                    out.append((pair_key(key, other_key), join(old, other), None))  # type: ignore[arg-type]
                for other_key, other in after.items():
                    out.append((pair_key(key, other_key), None, join(new, other)))  # type: ignore[arg-type]
            else:
                self._swap(way, (key, old, new), before, after, out)
                if mine.preserved and new_key is None:
                    mine.counts.pop(key, None)
        self._meter.rows += work
        self._meter.probes += 2 * len(delta)
        # a single change names every key once; several may meet in a padded row of the other side
        return net(out) if way.other.preserved and len(delta) > 1 else out

    def _swap(
        self, way: Way, change: Change, before: Mapping[Key, Row], after: Mapping[Key, Row], out: list[Change]
    ) -> None:
        """The pairs of the old row give way to those of the new one; rows that find or lose their last partner turn.

        `before` and `after` are the candidates on the other side.
        """
        key, old, new = change
        gone, come = self._pairs(way, old, before), self._pairs(way, new, after)
        for other_key, pair in gone.items():
            out.append((way.key(key, other_key), pair, come.get(other_key)))
        for other_key, pair in come.items():
            if other_key not in gone:
                out.append((way.key(key, other_key), None, pair))
        if way.mine.preserved:
            way.mine.counts[key] = len(come)
            was = None if old is None or gone else way.row(old, way.other.pad)
            now = None if new is None or come else way.row(new, way.other.pad)
            if was is not None or now is not None:
                out.append((way.key(key, None), was, now))
        if way.other.preserved:
            _count(way, {k: before[k] for k in gone if k not in come}, -1, out)
            _count(way, {k: after[k] for k in come if k not in gone}, 1, out)

    def _pairs(self, way: Way, row: Row | None, bucket: Mapping[Key, Row]) -> dict[Key, Row]:
        """The joined rows of one row, by the key of the partner."""
        if row is None or not bucket:
            return {}
        residual, join = self._residual, way.row
        if residual is None:
            return {key: join(row, other) for key, other in bucket.items()}
        return {key: pair for key, other in bucket.items() if residual(pair := join(row, other))}


def _count(way: Way, partners: Mapping[Key, Row], step: int, out: list[Change]) -> None:
    """Count a partner more or less for rows of the other side; the padded row shows at 0 and goes at 1."""
    counts, pad = way.other.counts, way.mine.pad
    for key, row in partners.items():
        count = counts[key] = counts[key] + step
        if step < 0 and not count:
            out.append((way.key(None, key), None, way.row(pad, row)))
        elif step > 0 and count == 1:
            out.append((way.key(None, key), way.row(pad, row), None))
