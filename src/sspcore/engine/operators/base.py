"""What all operators share: deltas, the meter, the contract of a step.

Owns the form in which changes flow between operators. Refuses to know what any operator means.

A *delta* is a list of `(key, old, new)`: the row of that key was `old` and is `new`, None for absent. It holds each key
at most once, never two Nones, and never an `old` that is the `same` as `new`. Rows are shared between operators, and
so are the lists: whoever receives one only reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sspcore.algebra.values import Key, Value, same
from sspcore.plan.evaluate import NullCounter

Row = tuple[Value, ...]
Change = tuple[Key, Row | None, Row | None]
Delta = list[Change]

NO_CHANGE: Final[Delta] = []
"""The empty delta. Shared: nobody writes to a delta it received."""


class Meter:
    """Counts the work of one network: what the cost laws are stated in.

    Attributes:
        rows: changes read, plus rows of its own state an operator visited.
        probes: lookups in an operator's state: a dict, or a search in an ordered list (itself O(log n) comparisons).
        refills: times a top-k had to read its input again.
        nulls: expressions that gave NULL by error, such as a division by zero.
    """

    __slots__ = ("nulls", "probes", "refills", "rows")

    def __init__(self) -> None:
        self.rows = 0
        self.probes = 0
        self.refills = 0
        self.nulls = NullCounter()

    def add(self, other: Meter) -> None:
        """Count what another meter counted too."""
        self.rows += other.rows
        self.probes += other.probes
        self.refills += other.refills
        self.nulls.errors += other.nulls.errors


class Operator:
    """A node of a plan at work: it turns the deltas of its inputs into the delta of its output.

    Equation:  I(step(Δ₁, Δ₂, …)) = node(I(Δ₁), I(Δ₂), …), after every step
    Contract:  requires deltas as defined above (cannot be checked cheaply; if broken: state and output drift) /
               requires that the first step gets every row there is, as insertions (the network sees to it) /
               guarantees a delta as defined above, made without changing an input / a step that raises leaves
               the state undefined: its owner discards the whole network.
    """

    __slots__ = ()

    def step(self, *deltas: Any, **_: Any) -> Delta:
        """The delta of the output for one delta per input, in the order of the plan's inputs."""
        raise NotImplementedError

    def port(self, index: int) -> Callable[[Delta], Delta]:
        """`step` for a change of input `index` alone, the others empty."""
        return self.step


class Binary(Operator):
    """An operator of two inputs whose sides are advanced one after the other.

    Right first: a left row that is preserved or tested then meets its partners at once, and hydrating a LEFT JOIN or
    an IN does not make a row without them only to take it back. Any fixed order is right.
    """

    __slots__ = ()

    def step(self, left: Delta, right: Delta) -> Delta:
        """Δ of the right against the old left, then Δ of the left against the new right; net per key."""
        if not right:
            return self.advance_left(left)
        first = self.advance_right(right)
        return compose(first, self.advance_left(left)) if left else first

    def port(self, index: int) -> Callable[[Delta], Delta]:
        return self.advance_right if index else self.advance_left

    def advance_left(self, delta: Delta) -> Delta:
        """The step for a change of the left input alone."""
        raise NotImplementedError

    def advance_right(self, delta: Delta) -> Delta:
        """The step for a change of the right input alone."""
        raise NotImplementedError


def net(changes: Iterable[Change]) -> Delta:
    """One change per key from a run of them: first old, last new, no-ops dropped. Cost: O(changes).

    >>> net([("a", None, (1,)), ("b", (2,), None), ("a", (1,), None), ("b", None, (3,))])
    [('b', (2,), (3,))]
    """
    first: dict[Key, Row | None] = {}
    last: dict[Key, Row | None] = {}
    for key, old, new in changes:
        if key not in first:
            first[key] = old
        last[key] = new
    return [(key, old, last[key]) for key, old in first.items() if not same(old, last[key])]


def compose(first: Delta, second: Delta) -> Delta:
    """Two deltas, one after the other, as one. Cost: O(both)."""
    if not first:
        return second
    return net([*first, *second]) if second else first
