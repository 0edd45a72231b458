"""Choices: the one source of randomness that every generator draws from.

Owns how a decision is made so that it shrinks: under hypothesis every decision is an integer that shrinks to 0,
and 0 always is the plainest answer (no, the first option, the smallest count). Refuses to know what is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """Decisions drawn from a `random.Random` (hypothesis's `randoms()` gives one whose draws shrink).

    >>> Choices(Random(1)).pick("abc") in "abc"
    True
    """

    __slots__ = ("_random",)

    def __init__(self, random: Random) -> None:
        self._random = random

    def below(self, n: int) -> int:
        """An integer from 0 to n − 1; shrinks to 0."""
        return self._random.randrange(n) if n > 1 else 0

    def between(self, low: int, high: int) -> int:
        """An integer from low to high, both included; shrinks to low."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """True in so many of a hundred cases; shrinks to False."""
        return self.below(100) >= 100 - percent

    def pick(self, options: Sequence[T]) -> T:
        """One of the options; shrinks to the first."""
        return options[self.below(len(options))]

    def weighted(self, options: Sequence[tuple[int, T]]) -> T:
        """One of (weight, option); shrinks to the first."""
        at = self.below(sum(weight for weight, _ in options))
        for weight, option in options:
            if at < weight:
                return option
            at -= weight
        raise AssertionError("weights are positive")

    def some(self, options: Sequence[T], low: int, high: int) -> list[T]:
        """Between low and high different options (by position), in order of drawing."""
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in range(min(self.between(low, high), len(options)))]
