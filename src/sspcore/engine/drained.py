"""Driving a generator to its end: what is done in slices, done whole."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


def drained(slices: Generator[None, None, T]) -> T:
    """What a generator returns, run to its end.

    >>> def three():
    ...     yield
    ...     return 3
    >>> drained(three())
    3
    """
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: T = end.value
            return result
