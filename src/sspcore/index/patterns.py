"""LIKE patterns as the index sees them: a literal beginning, literal pieces, and the test for the rest.

Owns what of a pattern can be looked up. Refuses to match by itself: `plan/like.py` does.
"""

from __future__ import annotations

from typing import Any

from sspcore.plan.like import MAX_PATTERN, Matcher, compile_like, fold_case, segments_of


class Pattern:
    """A pattern: `prefix` is the literal text every match begins with, `whole` says that it is the whole pattern.

    `tail` is "%" when a match is the prefix and anything after it. `pieces` are literal texts found in every match,
    or, with `fold`, in every match's folded case.
    """

    __slots__ = ("_match", "fold", "identity", "pieces", "prefix", "tail", "whole")

    def __init__(
        self, prefix: str, *, whole: bool = False, tail: str = "", pieces: tuple[str, ...] = (), fold: bool = False,
        identity: Any = None,
    ) -> None:  # fmt: skip
        self.prefix, self.whole, self.tail, self.pieces, self.fold = prefix, whole, tail, pieces, fold
        self.identity = (prefix, whole, tail) if identity is None else identity
        self._match: Matcher | None = None

    @property
    def match(self) -> Matcher:
        """The test of a whole text; compiled when first asked for, since looked-up patterns need none."""
        if self._match is None:
            if self.tail == "%":
                prefix = self.prefix
                self._match = lambda text: text.startswith(prefix)
            else:
                self._match = compile_like(*self.identity)
                assert self._match is not None
        return self._match

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def __repr__(self) -> str:
        return f"Pattern({self.identity!r})"


def pattern_of(pattern: str, escape: str = "\\", *, fold: bool = False) -> Pattern | None:
    """The pattern as the index sees it; None for one that means nothing (`compile_like`).

    >>> pattern_of("ab\\\\_c%d").prefix, pattern_of("%abc%").pieces
    ('ab_c', ('abc',))
    """
    segments = segments_of(pattern, escape) if len(escape) <= 1 and len(pattern) <= MAX_PATTERN else None
    if segments is None:
        return None
    if fold:
        pieces = tuple([fold_case(piece) for segment in segments for piece in _runs(segment)])
        return Pattern("", pieces=pieces, fold=True, identity=(pattern, escape, True))
    first = segments[0]
    literal = "".join([c for c in first if c is not None]) if None not in first else None
    prefix = literal if literal is not None else "".join([c or "" for c in first[: first.index(None)]])
    if len(segments) == 1:
        return Pattern(prefix, whole=literal is not None, identity=(pattern, escape, False))
    if literal and segments[1:] == [()]:
        return Pattern(prefix, tail="%")
    pieces = tuple([p for s in segments for p in _runs(s)])
    return Pattern(prefix, pieces=pieces, identity=(pattern, escape, False))


def _runs(segment: tuple[str | None, ...]) -> list[str]:
    """The literal runs of a segment, between its `_`."""
    return [run for run in "".join(["\0" if c is None else c for c in segment]).split("\0") if run]
