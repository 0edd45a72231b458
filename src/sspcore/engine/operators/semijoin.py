"""SemiJoin: left rows with a partner. Owns what a verdict means for a row; refuses to find it (`membership` does)."""

from __future__ import annotations

from typing import ClassVar

from sspcore.engine.operators.base import Binary, Change, Delta
from sspcore.engine.operators.judged import JudgedMembership
from sspcore.engine.operators.membership import Membership


class SemiJoin(Binary):
    """Rows of the left with at least one partner on the right (EXISTS, IN).

    Equation:   Δ(L ⋉ R) = z⁻¹I(L) ⋉ Δ sign(count of partners) + ΔL ⋉ I(R)
    Linearity:  linear in L, neither in R: the second partner of a row changes nothing, so partners are counted
    State:      the left rows by join key, a count per join key of the right; with a residual both inputs by join key
                and a count per left row; freed with the rows
    Cost:       a left change one lookup; a right change nothing, unless it is the first partner to come or the last
                to go: then the left rows of its join key. With a residual: the rows of the join key
    Contract:   requires a membership without a probe (not checked; if broken: NULL verdicts show as FALSE ones do) /
                guarantees that a NULL join key has no partner.
    Example:
        >>> from operator import itemgetter
        >>> from sspcore.engine.operators.base import Meter
        >>> from sspcore.engine.operators.membership import Keys
        >>> exists = Keys(itemgetter(0), itemgetter(0), lambda row: (), lambda row: ())
        >>> served = SemiJoin(Membership(exists, Meter()))
        >>> served.step([(1, None, ("AA",)), (2, None, ("UA",))], [("x", None, ("AA",))])
        [(1, None, ('AA',))]
        >>> served.step([], [("y", None, ("AA",)), ("z", None, ("UA",))])
        [(2, None, ('UA',))]
        >>> served.step([], [("x", ("AA",), None), ("z", ("UA",), None)])
        [(2, ('UA',), None)]

    See also:   DBSP §4.2, §4.3; trap T2; tests/engine/operators/test_semijoin.py
    """

    __slots__ = ("_membership",)

    wanted: ClassVar[bool] = True
    """The verdict with which a left row shows."""

    def __init__(self, membership: Membership | JudgedMembership) -> None:
        self._membership = membership

    def advance_left(self, delta: Delta) -> Delta:
        wanted = self.wanted
        out: list[Change] = []
        for key, old, was, new, now in self._membership.left(delta):
            before = old if was is wanted else None
            after = new if now is wanted else None
            if before is not None or after is not None:
                out.append((key, before, after))
        return out

    def advance_right(self, delta: Delta) -> Delta:
        wanted = self.wanted
        return [  # without a probe a verdict is TRUE or FALSE, so that one that turns always matters
            (key, row, None) if was is wanted else (key, None, row)
            for key, row, was, _ in self._membership.right(delta)
        ]
