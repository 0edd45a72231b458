"""LIKE: patterns compiled to a prefix test, a search per segment and a suffix test.

Owns what `%`, `_` and the escape mean. Refuses regular expressions: a pattern comes from a user, and
backtracking over `%a%a%a%b` takes minutes. Here every pattern takes one pass over the text: a segment between two
`%` is found at its first place, which is always the best one, and never looked for again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

MAX_PATTERN: Final = 4096
"""Code points of a pattern: the tables of one with as many different symbols take a megabyte."""

Matcher = Callable[[str], bool]
Segment = tuple[str | None, ...]
"""Code points to match one by one; None stands for `_`."""


@lru_cache(maxsize=256)  # patterns from columns repeat; constant ones are compiled once per view
def compile_like(pattern: str, escape: str = "\\", fold: bool = False) -> Matcher | None:
    """The test that a whole text matches the pattern; with `fold`, whatever the case of letters.

    `%` matches any run of code points, `_` exactly one, `escape` (one code point, or "" for none) makes the next one
    literal. None, for a pattern that means nothing: one that ends in the escape, an escape of more than one code point,
    a pattern of more than 4096.
    Cost of a test: O(text + pattern) steps, whatever the pattern.

    >>> test = compile_like("a_c%")
    >>> test("abcd"), test("xabc")
    (True, False)
    """
    if len(escape) > 1 or len(pattern) > MAX_PATTERN:
        return None
    segments = segments_of(pattern, escape)
    if segments is None:
        return None
    if not fold:
        return _matcher(segments)
    match = _matcher([tuple([None if c is None else fold_case(c) for c in segment]) for segment in segments])
    return lambda text: match(fold_case(text))


def fold_case(text: str) -> str:
    """Lower case, code point for code point, so that `_` still counts the same."""
    if text.isascii():
        return text.lower()
    return "".join([c.lower() if len(c.lower()) == 1 else c for c in text])


def segments_of(pattern: str, escape: str) -> list[Segment] | None:
    """The parts between the `%` signs: one part when there is none, an empty part for a `%` at an end."""
    segments: list[Segment] = []
    current: list[str | None] = []
    symbols = iter(pattern)
    for symbol in symbols:
        if symbol == escape:
            literal = next(symbols, None)
            if literal is None:
                return None
            current.append(literal)
        elif symbol == "%":
            segments.append(tuple(current))
            current = []
        else:
            current.append(None if symbol == "_" else symbol)
    return [*segments, tuple(current)]


def _matcher(segments: list[Segment]) -> Matcher:
    if len(segments) == 1:
        return _whole(segments[0])
    first, *middle, last = segments
    prefix, suffix = _at(first), _at(last)
    finders = [_finder(s) for s in middle if s]
    start, tail = len(first), len(last)
    if not finders:
        if not last and None not in first:
            literal = "".join(map(str, first))
            return lambda text: text.startswith(literal)
        return lambda text: len(text) >= start + tail and prefix(text, 0) and suffix(text, len(text) - tail)

    def match(text: str) -> bool:
        end = len(text) - tail
        if end < start or not prefix(text, 0) or not suffix(text, end):
            return False
        position = start
        for find in finders:
            position = find(text, position, end)
            if position < 0:
                return False
        return True

    return match


def _whole(segment: Segment) -> Matcher:
    length, test = len(segment), _at(segment)
    if None not in segment:
        literal = "".join(map(str, segment))
        return lambda text: text == literal
    return lambda text: len(text) == length and test(text, 0)


def _at(segment: Segment) -> Callable[[str, int], bool]:
    """The test that the segment stands at a position (where the text is known to be long enough)."""
    if None not in segment:
        literal = "".join(map(str, segment))
        return lambda text, position: text.startswith(literal, position)
    wanted = [(i, c) for i, c in enumerate(segment) if c is not None]
    return lambda text, position: all(text[position + i] == c for i, c in wanted)


def _finder(segment: Segment) -> Callable[[str, int, int], int]:
    """The search for the first place of the segment in `text[start:end]`: the position after it, or -1."""
    length = len(segment)
    if None not in segment:
        literal = "".join(map(str, segment))

        def find(text: str, start: int, end: int) -> int:
            place = text.find(literal, start, end)  # CPython's search is linear for any needle (two-way)
            return place if place < 0 else place + length

        return find
    if not any(segment):
        return lambda text, start, end: start + length if start + length <= end else -1
    return _wild_finder(segment)


def _wild_finder(segment: Segment) -> Callable[[str, int, int], int]:
    """Shift-and search: bit i of `state` is set when the last i + 1 code points match the segment's first i + 1."""
    everywhere = sum(1 << i for i, c in enumerate(segment) if c is None)
    masks: dict[str, int] = {}
    for i, symbol in enumerate(segment):
        if symbol is not None:
            masks[symbol] = masks.get(symbol, everywhere) | 1 << i
    accept = 1 << len(segment) - 1

    def find(text: str, start: int, end: int) -> int:
        state, mask_of = 0, masks.get
        for position in range(start, end):
            state = (state << 1 | 1) & mask_of(text[position], everywhere)
            if state & accept:
                return position + 1
        return -1

    return find
