"""AntiJoin: left rows without a partner. Owns only the difference to SemiJoin."""

from __future__ import annotations

from typing import ClassVar

from sspcore.engine.operators.semijoin import SemiJoin


class AntiJoin(SemiJoin):
    """Rows of the left with no partner on the right (NOT EXISTS).

    Equation:   L ▷ R = L − L ⋉ R, so Δ(L ▷ R) = ΔL − Δ(L ⋉ R)
    Linearity:  linear in L, neither in R, as SemiJoin
    State:      as SemiJoin
    Cost:       as SemiJoin
    Contract:   guarantees that a NULL join key has no partner: its row shows.
    Example:
        >>> from operator import itemgetter
        >>> from sspcore.engine.operators.base import Meter
        >>> from sspcore.engine.operators.membership import Keys, Membership
        >>> exists = Keys(itemgetter(0), itemgetter(0), lambda row: (), lambda row: ())
        >>> unserved = AntiJoin(Membership(exists, Meter()))
        >>> unserved.step([(1, None, ("AA",)), (2, None, (None,))], [("x", None, ("AA",))])
        [(2, None, (None,))]
        >>> unserved.step([], [("x", ("AA",), ("UA",))])
        [(1, None, ('AA',))]
        >>> unserved.step([(1, ("AA",), ("UA",))], [])
        [(1, ('AA',), None)]

    See also:   DBSP §4.2, §4.3; trap T2; tests/engine/operators/test_antijoin.py
    """

    __slots__ = ()

    wanted: ClassVar[bool] = False
