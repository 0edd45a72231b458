"""Streams of Z-sets, one per tick, and the three operators that all incremental computation is made of.

Owns I (integrate: deltas to values), D (differentiate: values to deltas) and z⁻¹ (delay by a tick). Refuses to know
queries. These are the letters in which the operators of `engine/operators` state their equations; tests hold the
operators to them. The laws: D and I are each other's inverse, and both are linear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from sspcore.algebra.zset import ZSet

ZERO: Final = ZSet()
"""The empty Z-set: what a stream was before its first tick."""


def delay(stream: Iterable[ZSet]) -> Iterator[ZSet]:
    """z⁻¹: each tick shows the one before, the first shows nothing."""
    before = ZERO
    for now in stream:
        yield before
        before = now


def integrate(stream: Iterable[ZSet]) -> Iterator[ZSet]:
    """I: each tick shows the sum of all up to it; I(s) = s + z⁻¹(I(s)).

    >>> a = ZSet([(("a",), 1)])
    >>> list(integrate([a, a, -a]))
    [ZSet({('a',): 1}), ZSet({('a',): 2}), ZSet({('a',): 1})]
    """
    total = ZERO
    for now in stream:
        total = total + now
        yield total


def differentiate(stream: Iterable[ZSet]) -> Iterator[ZSet]:
    """D: each tick shows what it adds to the one before; D(s) = s − z⁻¹(s)."""
    before = ZERO
    for now in stream:
        yield now - before
        before = now


def incremental(query: Callable[[ZSet], ZSet]) -> Callable[[Iterable[ZSet]], Iterator[ZSet]]:
    """The query on deltas, D ∘ ↑Q ∘ I: what every operator must equal without integrating its whole input.

    >>> double = incremental(lambda z: z + z)
    >>> list(double([ZSet([(("a",), 1)]), ZERO]))
    [ZSet({('a',): 2}), ZSet({})]
    """
    return lambda deltas: differentiate(query(value) for value in integrate(deltas))
