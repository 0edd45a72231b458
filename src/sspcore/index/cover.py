"""Covers: where a clause is filed, so that every row it holds for leads there, and what is left to be tested.

Owns the choice of entries. Refuses to know what else is filed (but for a hint of load where a choice is open).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from math import floor
from typing import Any, Final, NamedTuple

from sspcore.algebra.values import Key
from sspcore.index.clauses import Clause, both

MAX_ENTRIES: Final = 4096
"""Entries of one predicate; one that would need more is scanned."""
Entry = tuple[str, tuple[int, ...], Any]
"""(kind of access, columns, key)."""


class Cover(NamedTuple):
    """Entries such that every row the clause holds for meets one, and the residual left to be tested, or None.

    `reduced` says that the residual is less than the clause; where it is not, looking it up in the same way goes on
    forever.
    """

    entries: tuple[Entry, ...]
    residual: Clause | None
    cost: float
    reduced: bool = True


def cover_of(clause: Clause, without: frozenset[str] = frozenset()) -> Cover:
    """The best cover of a clause; an entry of kind `scan`, with all of it as the residual, when none can be looked up.

    `without` names kinds of access that would lead nowhere: members met there are looked up in again; "composite", keys
    of several columns. Cost: O(clause).

    >>> cover_of(("and", (("=", 1, "x"), (">", 2, 10), ("=", 0, 7))))
    Cover(entries=(('eq', (0, 1), (7, 'x')),), residual=('>', 2, 10), cost=1.0, reduced=True)
    """
    found = _cover(clause, without)
    return found if found is not None else Cover((("scan", (), None),), clause, 1e9)


def _cover(clause: Clause, without: frozenset[str]) -> Cover | None:
    make = _COVERS.get(clause[0])
    return None if make is None else make(clause, without)


def _equal(clause: Clause, without: frozenset[str]) -> Cover:
    return Cover((("eq", (clause[1],), clause[2]),), None, 1.0 if clause[2] is not None else 3.0)


def _in(clause: Clause, without: frozenset[str]) -> Cover | None:
    index, keys = clause[1], clause[2]
    if len(keys) > MAX_ENTRIES:
        return None
    return Cover(tuple([("eq", (index,), key) for key in keys]), None, float(len(keys)))


def _contains(clause: Clause, without: frozenset[str]) -> Cover:
    """The first element; what the others leave is filed under the next one where many share the first."""
    _, index, keys = clause
    entry = ("word" if type(keys[0]) is str else "has", (index,), keys[0])
    return Cover((entry,), ("@>", index, keys[1:]) if keys[1:] else None, 2.0)


def _overlaps(clause: Clause, without: frozenset[str]) -> Cover | None:
    _, index, keys = clause
    entries = [("word" if type(key) is str else "has", (index,), key) for key in keys]
    return Cover(tuple(entries), None, 1.0 + len(keys))


def _like(clause: Clause, without: frozenset[str]) -> Cover | None:
    _, index, pattern = clause
    if pattern.prefix and "pre" not in without:
        return Cover((("pre", (index,), pattern.prefix),), None if pattern.tail == "%" else clause, 4.0, False)
    kind = "fold" if pattern.fold else "gram"
    if kind in without:
        return None
    trigrams = [piece[i : i + 3] for piece in pattern.pieces for i in range(len(piece) - 2)]
    return Cover(((kind, (index,), min(trigrams, key=_commonness)),), clause, 20.0, False) if trigrams else None


def _commonness(trigram: str) -> tuple[int, str]:
    """How often a trigram may occur, guessed from its letters: rare ones lead to fewer patterns."""
    return sum([_LETTERS.find(c) + 1 for c in trigram.lower()]), trigram


def _range(clause: Clause, without: frozenset[str]) -> Cover:
    op, index, bound = clause
    return Cover(((f"{op} {_CLASSES[type(bound)]}", (index,), bound),), None, 1000.0)


def _or(clause: Clause, without: frozenset[str]) -> Cover | None:
    if "or" in without:
        return None
    entries: dict[Entry, None] = {}
    cost, proves = 0.0, True
    for part in clause[1]:
        found = _cover(part, without)
        if found is None:
            return None
        entries.update(dict.fromkeys(found.entries))
        cost += found.cost
        proves = proves and found.residual is None
    if len(entries) > MAX_ENTRIES:
        return None
    return Cover(tuple(entries), None if proves else clause, cost, proves)


def _and(clause: Clause, without: frozenset[str]) -> Cover | None:
    """All equalities as one composite key; without any, the part that is cheapest to look up."""
    equalities: dict[int, Key] = {}
    rest: list[Clause] = []
    for part in clause[1]:
        if part[0] == "=" and part[1] not in equalities:
            equalities[part[1]] = part[2]
        else:
            rest.append(part)
    if equalities:
        columns = tuple(sorted(equalities))
        if len(columns) > 1 and "composite" in without:
            column = min(columns, key=lambda i: (type(equalities[i]) not in _TELLING, i))
            others = [("=", i, equalities[i]) for i in columns if i != column]
            return Cover((("eq", (column,), equalities[column]),), both(others + rest), 1.0)
        key = tuple([equalities[i] for i in columns]) if len(columns) > 1 else equalities[columns[0]]
        return Cover((("eq", columns, key),), both(rest) if rest else None, 1.0)
    best: Cover | None = None
    chosen = -1
    for at, part in enumerate(rest):
        found = _cover(part, without)
        if found is not None and (best is None or found.cost < best.cost):
            best, chosen = found, at
    if best is None:
        return None
    if best.cost >= 1000.0 and "between" not in without:
        between = _between(rest)
        if between is not None:
            return Cover((between,), clause, 10.0, False)
    others = rest[:chosen] + rest[chosen + 1 :]
    if best.residual is not None:
        part = rest[chosen]
        if len(best.entries) > 1 or part[0] != "@>":
            return Cover(best.entries, clause, best.cost, False)
        others.append(best.residual)
    return Cover(best.entries, both(others), best.cost)


def _between(parts: list[Clause]) -> Entry | None:
    """A range with both ends, of numbers or of timestamps, that is looked up by cells."""
    for low in parts:
        if low[0] not in (">", ">="):
            continue
        kind = _CLASSES[type(low[2])]
        for high in parts:
            if high[0] in ("<", "<=") and high[1] == low[1] and _CLASSES[type(high[2])] == kind:
                ticks = ticks_of(low[2]), ticks_of(high[2])
                if ticks[0] is not None and ticks[1] is not None and ticks[0] <= ticks[1]:
                    return ("between " + kind, (low[1],), ticks)
    return None


def has_choice(clause: Clause) -> bool:
    """Whether the clause could be filed under one element or another of a list."""
    if clause[0] == "and":
        for part in clause[1]:  # noqa: SIM110 - any() would cost a frame
            if part[0] == "@>":
                return True
        return False
    return bool(clause[0] == "@>")


def choices(clause: Clause) -> Iterator[Clause]:
    """The clause with each element first in turn of its lists to be contained."""
    if clause[0] == "@>" and len(clause[2]) > 1:
        for key in clause[2]:
            yield (*clause[:2], (key, *[other for other in clause[2] if other is not key]))
    elif clause[0] == "and":
        for parts in product(*map(choices, clause[1])):
            yield ("and", parts)
    else:
        yield clause


def ticks_of(value: Any) -> int | None:
    """A number or timestamp as an integer that grows with it; None beyond ±2⁵³, where cells are not worth their while.

    >>> ticks_of(1) == ticks_of(1.0) == 2**24, ticks_of(float("inf"))
    (True, None)
    """
    kind = type(value)
    if kind is int:
        return value << FRACTION if -_END <= value <= _END else None
    if kind is float:
        return floor(value * _ONE) if -_END <= value <= _END else None
    if kind is datetime:
        since: timedelta = value - _EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if kind is Decimal and -_END <= value <= _END:
        above, below = value.as_integer_ratio()
        ticks: int = (above << FRACTION) // below
        return ticks
    return None


FRACTION: Final = 24
"""Bits of the ticks of a number that are less than one."""
_ONE: Final = float(2**FRACTION)
_END: Final = 2**53
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TELLING: Final = frozenset({int, str, datetime})
"""Types of constants that few rows may have: not truth, not NULL."""
_LETTERS: Final = "zqxjkvbpygfwmucldrhsnioate "
_CLASSES: Final = {int: "number", float: "number", Decimal: "number", str: "text", bytes: "bytes", datetime: "time"}
_COVERS: Final[dict[str, Callable[[Clause, frozenset[str]], Cover | None]]] = {
    "=": _equal, "in": _in, "or": _or, "and": _and, "@>": _contains, "&&": _overlaps, "like": _like,
    **dict.fromkeys(("<", "<=", ">", ">="), _range),
}  # fmt: skip
