"""Covers: where a clause is filed, so that every row it holds for leads there, and what is left to be tested.

Owns the choice of entries. Refuses to know what else is filed (but for a hint of load where a choice is open).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sspcore.algebra.values import Key
from sspcore.index.clauses import Clause, both

MAX_ENTRIES: Final = 4096
"""Entries of one predicate; one that would need more is scanned."""
Entry = tuple[str, tuple[int, ...], Any]
"""(kind of access, columns, key)."""


class Cover(NamedTuple):
    """Entries such that every row the clause holds for meets one, and the residual left to be tested, or None."""

    entries: tuple[Entry, ...]
    residual: Clause | None
    cost: float


def cover_of(clause: Clause) -> Cover:
    """The best cover of a clause; an entry of kind `scan`, with all of it as the residual, when none can be looked up.

    >>> cover_of(("and", (("=", 1, "x"), (">", 2, 10), ("=", 0, 7))))
    Cover(entries=(('eq', (0, 1), (7, 'x')),), residual=('>', 2, 10), cost=1.0)
    """
    found = _cover(clause)
    return found if found is not None else Cover((("scan", (), None),), clause, 1e9)


def _cover(clause: Clause) -> Cover | None:
    make = _COVERS.get(clause[0])
    return None if make is None else make(clause)


def _equal(clause: Clause) -> Cover:
    return Cover((("eq", (clause[1],), clause[2]),), None, 1.0 if clause[2] is not None else 3.0)


def _in(clause: Clause) -> Cover | None:
    index, keys = clause[1], clause[2]
    if len(keys) > MAX_ENTRIES:
        return None
    return Cover(tuple([("eq", (index,), key) for key in keys]), None, float(len(keys)))


def _or(clause: Clause) -> Cover | None:
    entries: dict[Entry, None] = {}
    cost, proves = 0.0, True
    for part in clause[1]:
        found = _cover(part)
        if found is None:
            return None
        entries.update(dict.fromkeys(found.entries))
        cost += found.cost
        proves = proves and found.residual is None
    if len(entries) > MAX_ENTRIES:
        return None
    return Cover(tuple(entries), None if proves else clause, cost)


def _and(clause: Clause) -> Cover | None:
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
        key = tuple([equalities[i] for i in columns]) if len(columns) > 1 else equalities[columns[0]]
        return Cover((("eq", columns, key),), both(rest) if rest else None, 1.0)
    best: Cover | None = None
    chosen = -1
    for at, part in enumerate(rest):
        found = _cover(part)
        if found is not None and (best is None or found.cost < best.cost):
            best, chosen = found, at
    if best is None:
        return None
    if best.residual is not None:
        return Cover(best.entries, clause, best.cost)
    return Cover(best.entries, both(rest[:chosen] + rest[chosen + 1 :]), best.cost)


_COVERS: Final[dict[str, Callable[[Clause], Cover | None]]] = {"=": _equal, "in": _in, "or": _or, "and": _and}
