"""Distinct: each different row once. Owns the counts; refuses to know keys of the input."""

from __future__ import annotations

from sspcore.engine.operators.base import Delta, Meter, Operator
from sspcore.engine.operators.members import Pool, Touched


class Distinct(Operator):
    """Each different row of the input once, NULLs equal, under its canonical row as key.

    Equation:   Δ(δ R) = sign(I(ΔR)) − z⁻¹ sign(I(ΔR)), on the rows that ΔR names
    Linearity:  neither: the second copy of a row changes nothing, so copies are counted
    State:      a count and a representative per different row; freed with its last copy
    Cost:       two lookups per changed row
    Contract:   guarantees that of equal rows that differ in type the least by `full_order_key` is shown.
    Example:
        >>> carriers = Distinct(Meter())
        >>> carriers.step([(1, None, ("AA",)), (2, None, ("AA",)), (3, None, ("UA",))])
        [(('AA',), None, ('AA',)), (('UA',), None, ('UA',))]
        >>> carriers.step([(1, ("AA",), None)])
        []
        >>> carriers.step([(2, ("AA",), ("DL",))])
        [(('AA',), ('AA',), None), (('DL',), None, ('DL',))]

    See also:   DBSP §4.3 (distinct); traps T49, T54; tests/engine/operators/test_distinct.py
    """

    __slots__ = ("_meter", "_pool")

    def __init__(self, meter: Meter) -> None:
        self._pool = Pool()
        self._meter = meter

    def step(self, delta: Delta) -> Delta:
        touched: Touched = {}
        self._pool.absorb(delta, touched)
        self._meter.rows += len(delta)
        self._meter.probes += 2 * len(delta)
        return self._pool.changes(touched)
