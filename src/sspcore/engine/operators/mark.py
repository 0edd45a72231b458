"""Mark: the verdict as a column, for IN and EXISTS under OR and NOT. Owns the column; refuses to find the verdict."""

from __future__ import annotations

from sspcore.engine.operators.base import Binary, Delta
from sspcore.engine.operators.judged import JudgedMembership
from sspcore.engine.operators.membership import Membership


class Mark(Binary):
    """Every left row with one more column: does it have a partner on the right? TRUE, FALSE or NULL.

    Equation:   Δ(L ⊨ R) = z⁻¹I(L) ⊨ Δ verdict + ΔL ⊨ I(R), where the verdict depends on R through three signs:
                is the probe among the members, is there a candidate, is there a NULL member
    Linearity:  linear in L, neither in R
    State:      the left rows by correlation key and probe; per correlation key of the right the counts of members, of
                NULLs and of rows; with a residual both inputs by correlation key and three counts per left row
    Cost:       a left change two lookups; a right change the left rows whose probe equals the member, and, when the
                first candidate or NULL member comes or the last goes, those whose verdict that turns.
                With a residual: the rows of the correlation key
    Contract:   guarantees FALSE without candidates, also for a NULL probe.
    Example:
        >>> from operator import itemgetter
        >>> from sspcore.engine.operators.base import Meter
        >>> from sspcore.engine.operators.membership import Keys
        >>> isin = Keys(lambda row: (), lambda row: (), itemgetter(0), itemgetter(0))
        >>> mark = Mark(Membership(isin, Meter()))
        >>> mark.step([(1, None, (5,)), (2, None, (6,))], [("x", None, (5,))])
        [(1, None, (5, True)), (2, None, (6, False))]
        >>> mark.step([], [("y", None, (None,))])
        [(2, (6, False), (6, None))]
        >>> mark.step([(1, (5,), (7,))], [("y", (None,), None)])
        [(2, (6, None), (6, False)), (1, (5, True), (7, False))]

    See also:   DBSP §4.2, §4.3; tests/engine/operators/test_mark.py
    """

    __slots__ = ("_membership",)

    def __init__(self, membership: Membership | JudgedMembership) -> None:
        self._membership = membership

    def advance_left(self, delta: Delta) -> Delta:
        return [
            (key, None if old is None else (*old, was), None if new is None else (*new, now))
            for key, old, was, new, now in self._membership.left(delta)
        ]

    def advance_right(self, delta: Delta) -> Delta:
        return [(key, (*row, was), (*row, now)) for key, row, was, now in self._membership.right(delta)]
