"""Values: constant rows. Owns when they appear; refuses to read anything."""

from __future__ import annotations

from collections.abc import Sequence

from sspcore.engine.operators.base import NO_CHANGE, Delta, Meter, Operator, Row


class Values(Operator):
    """The given rows, keyed by position; they are there from the first step on and never change.

    Equation:   Δ₀ = rows, Δₜ = 0 for t > 0
    Linearity:  a constant; neither
    State:      one flag, and the rows until the first step
    Cost:       the rows once, then nothing
    Contract:   guarantees to emit on the first step, which has no input.
    Example:
        >>> values = Values([(1, "a"), (2, "b")], Meter())
        >>> values.step()
        [(0, None, (1, 'a')), (1, None, (2, 'b'))]
        >>> values.step()
        []

    See also:   tests/engine/operators/test_values.py
    """

    __slots__ = ("_meter", "_rows")

    def __init__(self, rows: Sequence[Row], meter: Meter) -> None:
        self._rows = list(rows)
        self._meter = meter

    def step(self) -> Delta:
        if not self._rows:
            return NO_CHANGE
        rows, self._rows = self._rows, []
        self._meter.rows += len(rows)
        return [(position, None, row) for position, row in enumerate(rows)]
