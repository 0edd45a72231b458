"""Siblings: the children of a parent as one ordered list, and the cell that shows a window of it.

Owns who is whose child, the order among siblings and the cells. Refuses to know what becomes of a cell: `nest` puts it
into the parent's row. Parents of one correlation key have the same children, so they share one list and one cell
(`SharedSiblings`); with a residual condition every parent has a list of its own (`JudgedSiblings`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

import attrs

from sspcore.algebra.values import Key, Value, same
from sspcore.engine.operators.base import Change, Delta, Meter, Row
from sspcore.engine.operators.ordered import Entry, Ordered

LeftChange = tuple[Key, Row | None, Value, Row | None, Value]
"""(key, old row, its cell, new row, its cell)"""
Turn = tuple[Key, Row, Value, Value]
"""(key, row, cell before, cell after): a parent that did not change, whose cell did."""
KeyOf = Callable[[Row], Key | None]


@attrs.frozen
class Family:
    """How to read a nest off rows: correlation keys, a child's place among its siblings, what a child shows as.

    The cell shows `limit` children (all: None) from place `offset` on, as a list, or the first of them unless `many`.
    """

    left: KeyOf
    right: KeyOf
    entry: Callable[[Key, Row], Entry]
    child: Callable[[Key, Row], Value]
    limit: int | None
    offset: int
    many: bool

    @property
    def empty(self) -> Value:
        """The cell of a parent without children."""
        return () if self.many else None


class Siblings:
    """The children of one parent, or of all parents that have the same ones, in order.

    `cell` is what they show, unless `stale`; a list that has parents is stale only within a step. `edge` is the last
    place shown when the window is full: what comes and goes after it shows in no cell.
    """

    __slots__ = ("cell", "edge", "order", "parents", "stale")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.parents: dict[Key, Row] = {}
        self.order = Ordered(entries)
        self.cell: Value = None
        self.edge: Entry | None = None
        self.stale = True

    def change(self, gone: Entry | None, entry: Entry | None) -> None:
        """A child leaves the place `gone`, comes to `entry`, or both. Cost: O(log n) comparisons."""
        edge = self.edge
        if edge is None or (gone is not None and not gone > edge) or (entry is not None and not entry > edge):
            self.stale = True
        if gone is None:
            self.order.add(entry)  # type: ignore[arg-type]  # one of the two is there
        elif entry is None:
            self.order.remove(gone)
        elif entry != gone:
            self.order.replace(gone, entry)


class _Kept:
    """What both kinds of siblings keep of the children: place and value, whoever the parents are."""

    __slots__ = ("_entries", "_family", "_meter", "_values")

    def __init__(self, family: Family, meter: Meter) -> None:
        self._family = family
        self._meter = meter
        self._entries: dict[Key, Entry] = {}
        self._values: dict[Key, Value] = {}

    def _replace(self, change: Change) -> tuple[Key | None, Entry | None, Key | None, Entry | None]:
        """Note a child's change: the correlation key and the place it had, and those it has; None where there is none.

        A child whose correlation key is NULL is nobody's: it is not kept.
        """
        key, old, new = change
        family = self._family
        before = None if old is None else family.right(old)
        after = None if new is None else family.right(new)
        gone = entry = None
        if before is not None:
            gone = self._entries.pop(key)
            del self._values[key]
        if after is not None:
            entry = self._entries[key] = family.entry(key, new)  # type: ignore[arg-type]
            self._values[key] = family.child(key, new)  # type: ignore[arg-type]
        return before, gone, after, entry

    def _exchange(self, siblings: Siblings, entry: Entry, child: Value) -> None:
        """A child that keeps its place shows something else. Cost: O(log n) comparisons, and a copy of the cell."""
        edge = siblings.edge
        if edge is not None and entry > edge:
            return
        family, cell = self._family, siblings.cell
        at = siblings.order.count_before(entry) - family.offset
        if not family.many:
            siblings.cell = child if at == 0 and family.limit else cell
        elif 0 <= at < len(cell):
            siblings.cell = (*cell[:at], child, *cell[at + 1 :])

    def _read(self, siblings: Siblings) -> Value:
        """The cell of a list. Cost, if the list changed up to its edge: the children up to there."""
        if siblings.stale:
            family, values = self._family, self._values
            end = None if family.limit is None else family.offset + family.limit
            shown = list(islice(siblings.order, family.offset, end))
            full = family.limit is not None and len(shown) == family.limit > 0
            siblings.edge = shown[-1] if full else None
            cells = tuple([values[entry[-1]] for entry in shown])
            siblings.cell = cells if family.many else cells[0] if cells else None
            siblings.stale = False
            self._meter.rows += len(shown)
        return siblings.cell


class SharedSiblings(_Kept):
    """One list per correlation key. Cost: a child's change that shows, the parents of its key; one that does not,
    O(log n); a parent's change two lookups."""

    __slots__ = ("_lists",)

    def __init__(self, family: Family, meter: Meter) -> None:
        super().__init__(family, meter)
        self._lists: dict[Key, Siblings] = {}

    def left(self, delta: Delta) -> list[LeftChange]:
        """Changes of the parents, with their cells."""
        correlation_of, empty, lists = self._family.left, self._family.empty, self._lists
        out: list[LeftChange] = []
        for key, old, new in delta:
            was = now = None
            if old is not None:
                was = empty
                correlation = correlation_of(old)
                if correlation is not None:
                    siblings = lists[correlation]
                    was = siblings.cell
                    del siblings.parents[key]
                    if not siblings.parents and not siblings.order.size:
                        del lists[correlation]
            if new is not None:
                now = empty
                correlation = correlation_of(new)
                if correlation is not None:
                    siblings = lists.get(correlation) or self._opened(correlation)
                    siblings.parents[key] = new
                    now = self._read(siblings)
            out.append((key, old, was, new, now))
        self._meter.rows += len(delta)
        self._meter.probes += 2 * len(delta)
        return out

    def right(self, delta: Delta) -> list[Turn]:
        """The parents whose cell a change of the children turns."""
        self._meter.rows += len(delta)
        self._meter.probes += 2 * len(delta)
        if not self._lists:
            self._fill(delta)
            return []
        lists, entries, family = self._lists, self._entries, self._family
        touched: dict[Key, tuple[Siblings, Value]] = {}
        for change in delta:
            key, old, new = change
            if old is not None and new is not None:
                before = family.right(old)
                if before is not None and before == family.right(new):
                    siblings = lists[before]
                    if before not in touched:
                        touched[before] = siblings, siblings.cell
                    gone, entry = entries[key], family.entry(key, new)
                    child = self._values[key] = family.child(key, new)
                    if gone == entry:
                        if not siblings.stale:
                            self._exchange(siblings, gone, child)
                    else:
                        entries[key] = entry
                        siblings.change(gone, entry)
                    continue
            before, place, after, come = self._replace(change)
            if before is not None:
                siblings = lists[before]
                if before not in touched:
                    touched[before] = siblings, siblings.cell
                siblings.change(place, None)
            if after is not None:
                siblings = lists.get(after) or self._opened(after)
                if after not in touched:
                    touched[after] = siblings, siblings.cell
                siblings.change(None, come)
        out: list[Turn] = []
        for correlation, (siblings, was) in touched.items():
            if siblings.parents:
                now = self._read(siblings) if siblings.stale else siblings.cell
                if was is not now and not same(was, now):
                    self._meter.rows += len(siblings.parents)
                    out += [(key, row, was, now) for key, row in siblings.parents.items()]
            elif not siblings.order.size:
                del lists[correlation]
        return out

    def _fill(self, delta: Delta) -> None:
        """The first children: sorted once rather than one by one."""
        entries: dict[Key, list[Entry]] = {}
        for change in delta:
            _, _, correlation, entry = self._replace(change)
            if correlation is not None and entry is not None:
                entries.setdefault(correlation, []).append(entry)
        self._lists = {correlation: Siblings(found) for correlation, found in entries.items()}

    def _opened(self, correlation: Key) -> Siblings:
        siblings = self._lists[correlation] = Siblings()
        return siblings


class JudgedSiblings(_Kept):
    """A list per parent, of the children for which the residual holds. Cost: a parent's change every child of its
    correlation key, a child's every parent of its key (all of the other side when there are no equalities)."""

    __slots__ = ("_parents", "_residual", "_rows")

    def __init__(self, family: Family, residual: Callable[[Row], bool], meter: Meter) -> None:
        super().__init__(family, meter)
        self._residual = residual
        self._parents: dict[Key, dict[Key, tuple[Row, Siblings]]] = {}
        self._rows: dict[Key, dict[Key, Row]] = {}

    def left(self, delta: Delta) -> list[LeftChange]:
        """Changes of the parents, with their cells."""
        correlation_of, empty = self._family.left, self._family.empty
        out: list[LeftChange] = []
        for key, old, new in delta:
            was = now = None
            if old is not None:
                was = empty
                correlation = correlation_of(old)
                if correlation is not None:
                    parents = self._parents[correlation]
                    was = parents.pop(key)[1].cell
                    if not parents:
                        del self._parents[correlation]
            if new is not None:
                now = empty
                correlation = correlation_of(new)
                if correlation is not None:
                    rows = self._rows.get(correlation, {})
                    self._meter.rows += len(rows)
                    siblings = Siblings([self._entries[k] for k, row in rows.items() if self._residual(new + row)])
                    self._parents.setdefault(correlation, {})[key] = (new, siblings)
                    now = self._read(siblings)
            out.append((key, old, was, new, now))
        self._meter.rows += len(delta)
        self._meter.probes += 2 * len(delta)
        return out

    def right(self, delta: Delta) -> list[Turn]:
        """The parents whose cell a change of the children turns."""
        touched: dict[Key, tuple[Row, Siblings]] = {}
        residual, all_rows = self._residual, self._rows
        self._meter.rows += len(delta)
        self._meter.probes += 2 * len(delta)
        for change in delta:
            key, old, new = change
            before, gone, after, entry = self._replace(change)
            if before is not None:
                rows = all_rows[before]
                del rows[key]
                if not rows:
                    del all_rows[before]
                for parent, held in self._parents.get(before, {}).items():
                    self._meter.rows += 1
                    if residual(held[0] + old):  # type: ignore[operator]  # it has a correlation key
                        touched[parent] = held
                        held[1].change(gone, None)
            if after is not None:
                all_rows.setdefault(after, {})[key] = new  # type: ignore[assignment]
                for parent, held in self._parents.get(after, {}).items():
                    self._meter.rows += 1
                    if residual(held[0] + new):  # type: ignore[operator]
                        touched[parent] = held
                        held[1].change(None, entry)
        out: list[Turn] = []
        for parent, (row, siblings) in touched.items():
            was = siblings.cell
            now = self._read(siblings)
            if was is not now and not same(was, now):
                out.append((parent, row, was, now))
        return out
