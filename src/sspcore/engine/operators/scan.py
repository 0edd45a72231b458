"""Scan: a table cut to the columns the plan reads. Owns the cut; refuses to hold rows."""

from __future__ import annotations

from collections.abc import Sequence

from sspcore.algebra.values import same
from sspcore.engine.operators.base import Delta, Meter, Operator, Row
from sspcore.engine.operators.readers import read_columns


class Scan(Operator):
    """The rows of a table, each cut to the listed columns in their order; a column the table lacks reads NULL.

    Equation:   Δ(scan T) = cut(ΔT)
    Linearity:  linear; no state
    State:      none
    Cost:       one row per changed row of the table
    Contract:   requires rows laid out as `names` says (cannot be checked cheaply; if broken: wrong columns; a table
                that widens needs a new network) /
                guarantees that a change of columns nobody reads goes no further.
    Example:
        >>> scan = Scan(("b",), ("a", "b"), Meter())
        >>> scan.step([(1, None, ("x", 10)), (2, None, ("y", 20))])
        [(1, None, (10,)), (2, None, (20,))]
        >>> scan.step([(1, ("x", 10), ("z", 10))])
        []
        >>> scan.step([(1, ("z", 10), ("z", 11)), (2, ("y", 20), None)])
        [(1, (10,), (11,)), (2, (20,), None)]

    See also:   DBSP §4.1 (linear operators); tests/engine/operators/test_scan.py
    """

    __slots__ = ("_cut", "_meter", "passes")

    def __init__(self, columns: Sequence[str], names: Sequence[str], meter: Meter) -> None:
        self._meter = meter
        self.passes = tuple(columns) == tuple(names)
        """True when rows are handed on untouched, so that the network may leave this operator out."""
        positions = {name: index for index, name in reversed(list(enumerate(names)))}
        found = [positions.get(name) for name in columns]
        if None not in found:
            self._cut = read_columns([index for index in found if index is not None])
        else:
            self._cut = lambda row: tuple([None if index is None else row[index] for index in found])

    def step(self, delta: Delta) -> Delta:
        self._meter.rows += len(delta)
        if self.passes:
            return delta
        cut = self._cut
        out: Delta = []
        for key, old, new in delta:
            if old is None:
                out.append((key, None, cut(new)))  # type: ignore[arg-type]  # never two Nones
            elif new is None:
                out.append((key, cut(old), None))
            else:
                before: Row = cut(old)
                after: Row = cut(new)
                if not same(before, after):
                    out.append((key, before, after))
        return out
