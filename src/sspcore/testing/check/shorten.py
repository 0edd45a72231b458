"""Shorten: from a history that breaks a law to a short one, in a plain world, that breaks the same.

Owns what is tried, in which order, and when it is enough. Refuses to know what steps mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from sspcore.testing.check.laws import ContractBroken
from sspcore.testing.check.worlds import PLAIN, WORLDS, Step

MOST: Final = 400
"""Histories tried at most: some seconds, with the slowest strategy."""

Tried = Callable[[int, Sequence[Step]], ContractBroken | None]


def shortest(error: ContractBroken, tried: Tried, where: int, steps: Sequence[Step]) -> ContractBroken:
    """The error of the shortest history found, in the world `where` or a plainer one, that breaks the same law."""
    best, budget, again = error, MOST, True
    steps = tuple(steps)

    def breaks(world: int, less: Sequence[Step]) -> bool:
        nonlocal best, budget
        budget -= 1
        found = tried(world, less)
        if found is None or found.law != error.law:
            return False
        best = found
        return True

    for _ in range(2):
        again = True
        while again and budget > 0:
            again = False
            for less in _less(steps):
                if budget > 0 and breaks(where, less):
                    steps, again = less, True
                    break
        first = where - where % WORLDS
        for world in range(first, min(first + PLAIN, where)):
            if breaks(world, steps):
                where = world
                break
    return best


def _less(steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """Scripts with less in them: some of the steps gone, then some changes of a batch; then plainer steps."""
    size = len(steps) // 2
    while size:
        for start in range(len(steps) - size, -1, -size):
            yield steps[:start] + steps[start + size :]
        size //= 2
    for at, step in enumerate(steps):
        if step[0] == "batch" and len(step[1]) > 1:
            for one in range(len(step[1])):
                yield (*steps[:at], ("batch", step[1][:one] + step[1][one + 1 :]), *steps[at + 1 :])
    for at, step in enumerate(steps):
        if step[0] != "batch":
            for place in range(1, len(step)):
                if step[place]:
                    yield (*steps[:at], (*step[:place], 0, *step[place + 1 :]), *steps[at + 1 :])
