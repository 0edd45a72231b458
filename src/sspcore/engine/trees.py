"""Views as trees: rows whose nested cells are (key, child) pairs, and updates that tell which child changed.

Owns what an update of a nested list says, and how it is applied. Refuses to know how cells are kept: it compares the
old and the new cell of the rows that changed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import compress, count
from operator import is_not
from typing import Any, NamedTuple

from sspcore.algebra.values import FrozenObject, Key, Value, canonical_key, same
from sspcore.engine.update import Placement, RowChange, ViewUpdate
from sspcore.engine.view import View
from sspcore.plan.trees import Layout, layout

Children = tuple[tuple[Value, Value], ...]
"""A nested cell: (key, child) of each."""
Path = tuple[tuple[Value, str], ...]
"""From a row of the view to a nested list: (key, column) of the row, then (key, member) of each child on the way."""


class NestedChange(NamedTuple):
    """One child of one list: added (no `old`), removed (no `new`), changed in its own members, or moved.

    A child that is added comes with all that is in it; of others `old` and `new` hold only its own members, not the
    lists within, whose changes follow by their own paths. `placed` ones stand after the child `after` (None: first):
    take the removed and the placed ones out, then insert each placed one, in this sequence.
    """

    path: Path
    key: Value
    old: Value
    new: Value
    placed: bool = False
    after: Value = None


class TreeUpdate(ViewUpdate):
    """An update of a view of format "tree": `changes` are rows as ever, `nested` what changed within them."""

    trees: Mapping[str, tuple[int, Layout]]

    @property
    def nested(self) -> tuple[NestedChange, ...]:
        """What changed in the nested lists of rows that stayed. Cost: the nested cells of the rows that changed."""
        out: list[NestedChange] = []
        for key, old, new in self.changes:
            if old is not None and new is not None:
                for name, (at, cell) in self.trees.items():
                    _differ(((key, name),), old[at], new[at], cell, out)
        return tuple(out)

    def _replace(self, **changed: Any) -> TreeUpdate:
        made = super()._replace(**changed)
        made.trees = self.trees
        return made


class TreeView(View):
    """A view whose nested cells show children with their keys, for readers who follow them one by one."""

    format = "tree"

    __slots__ = ()

    def update(self, changes: tuple[RowChange, ...], placed: tuple[Placement, ...], version: int) -> ViewUpdate:
        made = TreeUpdate(*super().update(changes, placed, version))
        made.trees = {self.columns[at]: (at, cell) for at, cell in layout(self.plan).items()}
        return made


def apply_nested(cell: Value, changes: Iterable[NestedChange], cell_layout: Layout, depth: int = 1) -> Value:
    """The nested cell after changes that all begin with its path, of `depth` steps."""
    pairs: dict[Key, tuple[Value, Value]] = {canonical_key(key): (key, child) for key, child in cell}
    here: list[NestedChange] = []
    below: list[NestedChange] = []
    for change in changes:
        (here if len(change.path) == depth else below).append(change)
    placed = [change for change in here if change.placed]
    for change in here:
        at = canonical_key(change.key)
        if change.new is None and change.old is not None:
            del pairs[at]
        elif at in pairs and change.new is not None:
            pairs[at] = (change.key, _merged(pairs[at][1], change.new, cell_layout))
        else:
            pairs[at] = (change.key, change.new)
    moving = {canonical_key(change.key) for change in placed}
    order = [at for at in pairs if at not in moving]
    for change in placed:
        after = 0 if change.after is None else order.index(canonical_key(change.after)) + 1
        order.insert(after, canonical_key(change.key))
    grouped: dict[tuple[Key, str], list[NestedChange]] = {}
    for change in below:
        key, member = change.path[depth]
        grouped.setdefault((canonical_key(key), member), []).append(change)
    for (at, member), inner in grouped.items():
        key, child = pairs[at]
        grown = apply_nested(child[member], inner, cell_layout.nested[member], depth + 1)
        pairs[at] = (key, FrozenObject({**child, member: grown}))
    return tuple([pairs[at] for at in order])


def _differ(path: Path, old: Value, new: Value, cell: Layout, out: list[NestedChange]) -> None:
    if old is new or same(old, new):
        return
    old, new, previous = _between(old, new)
    before = {canonical_key(key): child for key, child in old}
    now = [(canonical_key(key), key, child) for key, child in new]
    after = {at for at, _, _ in now}
    out.extend(NestedChange(path, key, child, None) for key, child in old if canonical_key(key) not in after)
    places = {at: place for place, at in enumerate(before)}
    still = _longest_run([places[at] for at, _, _ in now if at in before])
    inner: list[tuple[Path, Value, Value, Layout]] = []
    for at, key, child in now:
        if at not in before:
            out.append(NestedChange(path, key, None, child, True, previous))
        else:
            was, is_now = _own(before[at], cell), _own(child, cell)
            moved = places[at] not in still
            if moved or not same(was, is_now):
                out.append(NestedChange(path, key, was, is_now, moved, previous if moved else None))
            inner += [((*path, (key, m)), before[at][m], child[m], below) for m, below in cell.nested.items()]
        previous = key
    for step in inner:
        _differ(*step, out)


def _between(old: Children, new: Children) -> tuple[Children, Children, Value]:
    """What is left of two lists without the children they begin and end with alike, and the key before it.

    Children that did not change are the same objects while a view follows its tables: most are told apart by that. No
    child is at both ends, for the lists differ and a key is in each but once.
    """
    shorter = min(len(old), len(new))
    start = next(compress(count(), map(is_not, old, new)), shorter)
    end = next(compress(count(), map(is_not, reversed(old), reversed(new))), shorter)
    return old[start : len(old) - end], new[start : len(new) - end], new[start - 1][0] if start else None


def _own(child: Value, cell: Layout) -> Value:
    """A child without the lists within."""
    if not cell.nested:
        return child
    return FrozenObject({name: value for name, value in child.items() if name not in cell.nested})


def _merged(child: Value, own: Value, cell: Layout) -> Value:
    """A child with other members of its own, and the lists it has."""
    if not cell.nested:
        return own
    return FrozenObject({name: child[name] if name in cell.nested else own[name] for name in child})


def _longest_run(places: list[int]) -> set[int]:
    """The most of these places that stand in ascending order: what need not be moved."""
    tails: list[int] = []
    ends: list[int] = []
    back: list[int] = []
    for i, place in enumerate(places):
        at = bisect_left(tails, place)
        tails[at : at + 1] = [place]
        ends[at : at + 1] = [i]
        back.append(ends[at - 1] if at else -1)
    run, i = set(), ends[-1] if ends else -1
    while i >= 0:
        run.add(places[i])
        i = back[i]
    return run
