"""Project: one output column per expression. Owns the image of a change; refuses to hold rows."""

from __future__ import annotations

from collections.abc import Callable

from sspcore.algebra.values import same
from sspcore.engine.operators.base import Delta, Meter, Operator, Row


class Project(Operator):
    """Each row of the input replaced by the values of the expressions over it, under the same key.

    Equation:   Δ(π R) = π(ΔR)
    Linearity:  linear; no state, since keys keep rows that look alike apart
    State:      none
    Cost:       two evaluations per changed row
    Contract:   requires pure expressions (cannot be checked; if broken: old rows that nobody ever saw) /
                guarantees that a change that shows in no column goes no further.
    Example:
        >>> hours = Project(lambda row: (row[0] // 60,), Meter())
        >>> hours.step([("a", None, (75,)), ("b", None, (10,))])
        [('a', None, (1,)), ('b', None, (0,))]
        >>> hours.step([("a", (75,), (80,))])
        []
        >>> hours.step([("a", (80,), (130,)), ("b", (10,), None)])
        [('a', (1,), (2,)), ('b', (0,), None)]

    See also:   DBSP §4.1 (linear operators); tests/engine/operators/test_project.py
    """

    __slots__ = ("_image", "_meter")

    def __init__(self, image: Callable[[Row], Row], meter: Meter) -> None:
        self._image = image
        self._meter = meter

    def step(self, delta: Delta) -> Delta:
        self._meter.rows += len(delta)
        image = self._image
        out: Delta = []
        for key, old, new in delta:
            if old is None:
                out.append((key, None, image(new)))  # type: ignore[arg-type]  # never two Nones
            elif new is None:
                out.append((key, image(old), None))
            else:
                before, after = image(old), image(new)
                if not same(before, after):
                    out.append((key, before, after))
        return out
