"""Nest: rows with their children inside, for trees of any depth. Owns the column; refuses to find the children."""

from __future__ import annotations

from sspcore.engine.operators.base import Binary, Delta
from sspcore.engine.operators.siblings import JudgedSiblings, SharedSiblings


class Nest(Binary):
    """Every left row with one more column: the list of its children on the right, in order, or a window of it.

    Equation:   Δ(L ▹ R) = z⁻¹I(L) ▹ Δ cell + ΔL ▹ I(R), where a parent's cell depends on R through the children of
                its correlation key alone
    Linearity:  linear in L; neither in R, since a window closes up
    State:      the left rows by correlation key; every child's place and value, the children in order per correlation
                key, and the cell they show; with a residual a list and a cell per left row, and the rows of the right
    Cost:       a left change two lookups; a right change O(log n) comparisons, and if it shows, the children up to the
                end of the window (a cell is made whole; one that keeps its place is put into a copy) and the left rows
                of its correlation key: those whose value changed. With a residual: the rows of the correlation key
    Contract:   guarantees an empty list, never NULL, without children; that a child's change nobody sees (beyond the
                window, of no parent, of nothing) goes no further.
    Example:
        >>> from operator import itemgetter
        >>> from sspcore.engine.operators.base import Meter
        >>> from sspcore.engine.operators.siblings import Family
        >>> best_two = Family(itemgetter(0), itemgetter(0), lambda key, row: (row[1], key), lambda key, row: row[1],
        ...                   limit=2, offset=0, many=True)
        >>> nest = Nest(SharedSiblings(best_two, Meter()))
        >>> nest.step([(1, None, ("a",)), (2, None, ("b",))], [("x", None, ("a", 5)), ("y", None, ("a", 3))])
        [(1, None, ('a', (3, 5))), (2, None, ('b', ()))]
        >>> nest.step([], [("z", None, ("a", 9))])
        []
        >>> nest.step([(3, None, ("a",))], [("y", ("a", 3), ("b", 3))])
        [(1, ('a', (3, 5)), ('a', (5, 9))), (2, ('b', ()), ('b', (3,))), (3, None, ('a', (5, 9)))]

    See also:   DBSP §4.2, §4.3; traps T17, T18, T20; tests/engine/operators/test_nest.py
    """

    __slots__ = ("_siblings",)

    def __init__(self, siblings: SharedSiblings | JudgedSiblings) -> None:
        self._siblings = siblings

    def advance_left(self, delta: Delta) -> Delta:
        return [
            (key, None if old is None else (*old, was), None if new is None else (*new, now))
            for key, old, was, new, now in self._siblings.left(delta)
        ]

    def advance_right(self, delta: Delta) -> Delta:
        return [(key, (*row, was), (*row, now)) for key, row, was, now in self._siblings.right(delta)]
