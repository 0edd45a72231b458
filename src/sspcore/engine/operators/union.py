"""Union: the rows of all inputs. Owns how keys are kept apart, or rows brought together; refuses to hold more."""

from __future__ import annotations

from collections.abc import Callable

from sspcore.engine.operators.base import Delta, Meter, Operator
from sspcore.engine.operators.members import Pool, Touched


class UnionAll(Operator):
    """The rows of all inputs, each under (number of its input, its key).

    Equation:   Δ(R₀ + R₁ + …) = ΔR₀ + ΔR₁ + …
    Linearity:  linear; no state
    State:      none
    Cost:       one row per changed row
    Contract:   guarantees distinct keys by naming the branch.
    Example:
        >>> both = UnionAll(Meter())
        >>> both.step([("a", None, (1,))], [("a", None, (1,))])
        [((0, 'a'), None, (1,)), ((1, 'a'), None, (1,))]
        >>> both.step([], [("a", (1,), (2,))])
        [((1, 'a'), (1,), (2,))]
        >>> both.step([("a", (1,), None)], [])
        [((0, 'a'), (1,), None)]

    See also:   DBSP §4.1 (linear operators); tests/engine/operators/test_union.py
    """

    __slots__ = ("_meter",)

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def step(self, *deltas: Delta) -> Delta:
        self._meter.rows += sum(map(len, deltas))
        return [((branch, key), old, new) for branch, delta in enumerate(deltas) for key, old, new in delta]

    def port(self, index: int) -> Callable[[Delta], Delta]:
        meter = self._meter

        def branch(delta: Delta) -> Delta:
            meter.rows += len(delta)
            return [((index, key), old, new) for key, old, new in delta]

        return branch


class Union(Operator):
    """Each different row that is in any input, once, NULLs equal, under its canonical row as key.

    Equation:   R₀ ∪ R₁ ∪ … = δ(R₀ + R₁ + …), so that of Distinct over the deltas one after the other
    Linearity:  neither, as Distinct
    State:      a count over all inputs and a representative per different row; freed with its last copy
    Cost:       two lookups per changed row
    Contract:   guarantees that of equal rows that differ in type the least by `full_order_key` is shown.
    Example:
        >>> either = Union(Meter())
        >>> either.step([("a", None, (1,))], [("x", None, (1,)), ("y", None, (2,))])
        [((1,), None, (1,)), ((2,), None, (2,))]
        >>> either.step([("a", (1,), None)], [])
        []
        >>> either.step([], [("x", (1,), None)])
        [((1,), (1,), None)]

    See also:   DBSP §4.3 (distinct); tests/engine/operators/test_union.py
    """

    __slots__ = ("_meter", "_pool")

    def __init__(self, meter: Meter) -> None:
        self._pool = Pool()
        self._meter = meter

    def step(self, *deltas: Delta) -> Delta:
        touched: Touched = {}
        changed = sum(map(len, deltas))
        self._meter.rows += changed
        self._meter.probes += 2 * changed
        for delta in deltas:
            self._pool.absorb(delta, touched)
        return self._pool.changes(touched)
