"""Sets of values that comparisons with constants describe: `> 5 AND <= 9`, `= 'a'`, `IN (1, 2)`.

Owns their algebra, exact across the classes of values: what enters and leaves when a constant moves is a set too.
Refuses to know columns and tables.

A *lane* is a run of values that compare with one another: one class each, and NaN, which is above all numbers and
equal to itself, alone in its own. Within a lane a set is its first state and the *cuts* where it toggles; a cut lies
just before (0) or just after (1) a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sspcore.algebra.values import NULL, NUMBER, TEXT, Value, class_of, order_key

Cut = tuple[Any, int]
Span = tuple[bool, tuple[Cut, ...]]
"""Whether it begins inside, and where it toggles, ascending."""
ValueSet = dict[int, Span]
"""Lane → its values that are in; a lane that is not there has none."""

NAN_LANE: Final = NULL
"""NULL is never in a set of values, so its number is free."""
LANES: Final = (*range(NULL), NAN_LANE)
_WHOLE: Final[Span] = (True, ())


def place(value: Value) -> tuple[int, Any] | None:
    """The lane of a value and what stands for it there: equal iff the values are, and sorting as they do. None: NULL.

    >>> place(2.0) == place(2), place("a"), place(None)
    (True, (2, 'a'), None)
    """
    lane = class_of(value)
    if lane == NUMBER:
        return (NAN_LANE, 0) if value != value else (NUMBER, value)
    if lane == NULL:
        return None
    return (TEXT, value) if lane == TEXT else (lane, order_key(value)[1])


def satisfying(symbol: str, constants: tuple[Value, ...]) -> ValueSet:
    """The values v for which `v symbol constant` is TRUE; for `in`, equal to one of several.

    >>> satisfying(">", (5,))[1], satisfying("=", ("a",))
    ((False, ((5, 1),)), {2: (False, (('a', 0), ('a', 1)))})
    """
    if symbol == "in":
        found: ValueSet = {}
        for constant in constants:
            found = union(found, satisfying("=", (constant,)))
        return found
    placed = place(constants[0])
    if placed is None:
        return {}
    lane, value = placed
    if symbol == "=":
        return {lane: (False, ((value, 0), (value, 1)))}
    if symbol == "<>":  # across classes TRUE
        return dict.fromkeys(LANES, _WHOLE) | {lane: (True, ((value, 0), (value, 1)))}
    above, cut = symbol in (">", ">="), (value, 1 if symbol in (">", "<=") else 0)
    spans: ValueSet = {lane: (not above, (cut,))}
    if lane == NUMBER and above:
        spans[NAN_LANE] = _WHOLE
    elif lane == NAN_LANE and not above:
        spans[NUMBER] = _WHOLE
    return spans


def union(a: ValueSet, b: ValueSet) -> ValueSet:
    """The values in either."""
    return _combine(a, b, lambda x, y: x or y)


def intersection(a: ValueSet, b: ValueSet) -> ValueSet:
    """The values in both."""
    return _combine(a, b, lambda x, y: x and y)


def difference(a: ValueSet, b: ValueSet) -> ValueSet:
    """The values in one of them, not in both.

    >>> difference(satisfying(">", (5,)), satisfying(">", (7,)))
    {1: (False, ((5, 1), (7, 1)))}
    """
    return _combine(a, b, lambda x, y: x is not y)


def points(values: ValueSet) -> list[tuple[int, Any]] | None:
    """The (lane, value) of each member, where they are finitely many by their form; None otherwise."""
    found: list[tuple[int, Any]] = []
    for lane, (inside, cuts) in values.items():
        if inside or len(cuts) % 2:
            return None
        for (start, before), (end, after) in zip(cuts[::2], cuts[1::2], strict=True):
            if before or not after or start != end:
                return None
            found.append((lane, start))
    return found


def contains(values: ValueSet, value: Value) -> bool:
    """Whether a value is in a set. Cost: O(cuts)."""
    placed = place(value)
    if placed is None or placed[0] not in values:
        return False
    inside, cuts = values[placed[0]]
    for cut in cuts:
        if (placed[1], 0) < cut:  # a value lies just after its cut 0, and before its cut 1
            break
        inside = not inside
    return inside


def _combine(a: ValueSet, b: ValueSet, meaning: Callable[[bool, bool], bool]) -> ValueSet:
    out: ValueSet = {}
    for lane in a.keys() | b.keys():
        (first, mine), (second, theirs) = a.get(lane, (False, ())), b.get(lane, (False, ()))
        start = state = meaning(first, second)
        cuts = []
        for cut in _merged(mine, theirs):
            first ^= cut in mine
            second ^= cut in theirs
            now = meaning(first, second)
            if now is not state:
                cuts.append(cut)
                state = now
        if start or cuts:
            out[lane] = (start, tuple(cuts))
    return out


def _merged(a: Iterable[Cut], b: Iterable[Cut]) -> list[Cut]:
    return sorted({*a, *b})
