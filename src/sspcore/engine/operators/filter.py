"""Filter: the rows for which a predicate is TRUE. Owns what a change means to such a set; refuses to hold rows."""

from __future__ import annotations

from collections.abc import Callable

from sspcore.engine.operators.base import Delta, Meter, Operator, Row


class Filter(Operator):
    """The rows of the input for which the predicate is TRUE (not FALSE, not NULL).

    Equation:   Δ(σ R) = σ(ΔR), on the old and the new row of each change
    Linearity:  linear; no state: a row that stops to match is known by its old row
    State:      none
    Cost:       two predicate calls per changed row
    Contract:   requires a pure predicate (cannot be checked; if broken: rows that left will stay).
    Example:
        >>> late = Filter(lambda row: row[0] > 60, Meter())
        >>> late.step([("a", None, (75,)), ("b", None, (10,))])
        [('a', None, (75,))]
        >>> late.step([("a", (75,), (80,)), ("b", (10,), (90,))])
        [('a', (75,), (80,)), ('b', None, (90,))]
        >>> late.step([("a", (80,), (5,)), ("b", (90,), None)])
        [('a', (80,), None), ('b', (90,), None)]

    See also:   DBSP §4.1 (linear operators); tests/engine/operators/test_filter.py
    """

    __slots__ = ("_meter", "_predicate")

    def __init__(self, predicate: Callable[[Row], bool], meter: Meter) -> None:
        self._predicate = predicate
        self._meter = meter

    def judge_by(self, predicate: Callable[[Row], bool]) -> None:
        """Another predicate from now on; what passed stays passed until its rows come again."""
        self._predicate = predicate

    def step(self, delta: Delta) -> Delta:
        self._meter.rows += len(delta)
        predicate = self._predicate
        out: Delta = []
        for change in delta:
            key, old, new = change
            if old is None:
                if predicate(new):  # type: ignore[arg-type]  # never two Nones
                    out.append(change)
            elif new is None:
                if predicate(old):
                    out.append(change)
            elif predicate(old):
                out.append(change if predicate(new) else (key, old, None))
            elif predicate(new):
                out.append((key, None, new))
        return out
