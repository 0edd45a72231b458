"""Except: the different rows of the left that are not in the right.

Owns only the difference to Intersect.
"""

from __future__ import annotations

from typing import ClassVar

from sspcore.engine.operators.intersect import Intersect, IntersectAll


class Except(Intersect):
    """The different rows of the left that are not in the right, NULLs equal, under the canonical row as key.

    Equation:   L − R = { x ∈ δL : R[x] = 0 }, so Δ names at most the rows that ΔL or ΔR name
    Linearity:  neither: it is the sign of two counts
    State:      a count and a representative per different row of the left, a count per different row of the right;
                freed with the last copy
    Cost:       three lookups per changed row
    Contract:   guarantees to show the least, by `full_order_key`, of the equal rows on the left.
    Example:
        >>> from sspcore.engine.operators.base import Meter
        >>> rest = Except(Meter())
        >>> rest.step([("a", None, (1,)), ("b", None, (2,))], [("x", None, (2,))])
        [((1,), None, (1,))]
        >>> rest.step([], [("x", (2,), None)])
        [((2,), None, (2,))]
        >>> rest.step([("a", (1,), None)], [("y", None, (2,))])
        [((2,), (2,), None), ((1,), (1,), None)]

    See also:   DBSP §4.3 (set operations); tests/engine/operators/test_except.py
    """

    __slots__ = ()

    wanted: ClassVar[bool] = False


class ExceptAll(IntersectAll):
    """Each different row as often as it is in the left more than in the right, under (canonical row, n), n from 0.

    Equation:   (L − R)[x] = max(0, L[x] − R[x])
    Linearity:  neither: it is a difference cut at 0
    State:      a count and a representative per different row of the left, a count per different row of the right;
                freed with the last copy
    Cost:       three lookups per changed row, and the copies that come, go or change their representative
    Contract:   guarantees to show every copy as the least, by `full_order_key`, of the equal rows on the left.
    Example:
        >>> from sspcore.engine.operators.base import Meter
        >>> rest = ExceptAll(Meter())
        >>> rest.step([("a", None, (1,)), ("b", None, (1,)), ("c", None, (1,))], [("x", None, (1,))])
        [(((1,), 0), None, (1,)), (((1,), 1), None, (1,))]
        >>> rest.step([], [("y", None, (1,))])
        [(((1,), 1), (1,), None)]

    See also:   DBSP §4.3 (set operations); tests/engine/operators/test_except.py
    """

    __slots__ = ()

    @staticmethod
    def copies(left: int, right: int) -> int:
        """How often a row shows."""
        return max(0, left - right)
