"""Members: rows that are equal in SQL's sense, counted, and the one of them that is shown.

Owns the rule of representatives: where equal values differ in type (1, 1.0, TRUE never) the least by `full_order_key`
is shown. Refuses to know why rows were brought together (DISTINCT, GROUP BY, a set operation).
"""

from __future__ import annotations

from typing import Any, Final

from sspcore.algebra.values import Key, row_key, same, type_rank
from sspcore.engine.operators.base import Change, Delta, Row

_SINGLE: Final = frozenset({type(None), str, bytes})
"""Types in which equal values are the same, for Python too (it takes TRUE for 1): nothing to choose from."""


class Members:
    """A multiset of equal rows. Cost: O(1) a call while all are the same, O(different types) otherwise.

    >>> members = Members((1.0, "a"))
    >>> members.add((1, "a"))
    >>> members.count, members.shown
    (2, (1, 'a'))
    >>> members.remove((1, "a"))
    >>> members.count, members.shown
    (1, (1.0, 'a'))
    """

    __slots__ = ("_variants", "count", "shown", "single")

    def __init__(self, row: Row) -> None:
        self.count = 1
        self.shown = row
        self.single = _SINGLE.issuperset(map(type, row))
        """True when equal rows cannot differ: then only `count` is at stake, and owners in a hurry may set it."""
        self._variants: dict[Any, list[Any]] | None = None
        """By type rank, [count, row]: only while more than one representation is there."""

    def add(self, row: Row) -> None:
        """One more row, equal to the others."""
        self.count += 1
        if self.single:
            return
        if self.count == 1:
            self.shown = row
            return
        if self._variants is None:
            if same(row, self.shown):
                return
            self._variants = {type_rank(self.shown): [self.count - 1, self.shown]}
        variant = self._variants.setdefault(type_rank(row), [0, row])
        variant[0] += 1
        self.shown = self._variants[min(self._variants)][1]

    def remove(self, row: Row) -> None:
        """One row less, which must be there; at count 0 the owner forgets the object, or fills it again."""
        self.count -= 1
        if self._variants is None:
            return
        rank = type_rank(row)
        variant = self._variants[rank]
        variant[0] -= 1
        if not variant[0]:
            del self._variants[rank]
            self.shown = self._variants[min(self._variants)][1]
            if len(self._variants) == 1:
                self._variants = None


Touched = dict[Key, Row | None]
"""Canonical row → the row shown for it before a step, None for absent."""


class Pool:
    """Rows brought together by equality: canonical row → its members."""

    __slots__ = ("groups",)

    def __init__(self) -> None:
        self.groups: dict[Key, Members] = {}

    def shown(self, key: Key) -> Row | None:
        """The representative of a canonical row, or None when it is absent."""
        members = self.groups.get(key)
        return None if members is None else members.shown

    def absorb(self, delta: Delta, touched: Touched) -> None:
        """Take a delta in; note in `touched` what was shown for each canonical row when it was first met."""
        groups = self.groups
        for _, old, new in delta:
            if old is not None:
                key = row_key(old)
                members = groups[key]
                if key not in touched:
                    touched[key] = members.shown
                members.remove(old)
                if not members.count:
                    del groups[key]
            if new is not None:
                key = row_key(new)
                present = groups.get(key)
                if key not in touched:
                    touched[key] = None if present is None else present.shown
                if present is None:
                    groups[key] = Members(new)
                else:
                    present.add(new)

    def changes(self, touched: Touched) -> Delta:
        """The delta of what is shown, for the canonical rows touched by a step."""
        out: list[Change] = []
        for key, was in touched.items():
            now = self.shown(key)
            if not same(was, now):
                out.append((key, was, now))
        return out
