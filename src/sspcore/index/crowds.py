"""Crowds: one key under which many meet whose residuals have different forms, few of each.

Owns when such members leave the lanes of their templates for an index of their own, which finds them by what they
still ask. Refuses to know what that index is (`lanes.Nested`), and members that share a form: their lane sees to them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sspcore.index.clauses import TRUE
from sspcore.index.lanes import HOT, DictLane, Template

Access = tuple[str, tuple[int, ...], int, bool]
"""A template without the shape of its residual."""


def access_of(template: Template) -> Access:
    """The access of a template."""
    kind, columns, _, several, reduced = template
    return kind, columns, several, reduced


def crowded(template: Template) -> Template:
    """The template of the lane that holds the crowded keys of an access, whatever is left to be tested."""
    kind, columns, _, several, reduced = template
    return kind, columns, TRUE, several, reduced


class Crowd:
    """The lanes of one access. Under a crowded key all that come are filed in one index, else each in its lane."""

    __slots__ = ("_keys", "_lanes")

    def __init__(self) -> None:
        self._lanes: list[DictLane] = []
        self._keys: DictLane | None = None
        """The lane of crowded keys; its postings are all nested."""

    def join(self, lane: DictLane) -> None:
        """A lane more."""
        if lane.shape is TRUE:
            self._keys = lane
        else:
            self._lanes.append(lane)

    def at(self, key: Any) -> DictLane | None:
        """The lane of crowded keys, if this is one."""
        keys = self._keys
        return keys if keys is not None and key in keys.postings else None

    def due(self, lane: DictLane, key: Any) -> bool:
        """Whether a key is crowded now that a member was filed under it in a lane.

        Asked of the others when the lane's own posting has doubled: no more than twice `HOT`, and one for each lane,
        are ever walked.
        """
        posting = lane.postings[key]
        if type(posting) is not list or len(posting) & len(posting) - 1 or len(self._lanes) < 2:
            return False
        return sum([len(_walked(one, key)) for one in self._lanes]) >= HOT

    def gather(self, key: Any, make: Callable[[], DictLane]) -> list[DictLane]:
        """Move all that are walked under a key into one index; the lanes that they left. `make` makes its lane."""
        keys = self._keys if self._keys is not None else make()
        nested = keys.nested()
        left = []
        for lane in self._lanes:
            members = _walked(lane, key)
            for member in members:
                nested.file(member[0], lane.clause(member))
            if members:
                lane.forget(key)
                left.append(lane)
        keys.adopt(key, nested)
        return left


def _walked(lane: DictLane, key: Any) -> list[tuple[Any, ...]]:
    """The members under a key that a row would be tested against one by one."""
    posting = lane.postings.get(key)
    if type(posting) is tuple:
        return [posting]
    return posting if type(posting) is list else []
