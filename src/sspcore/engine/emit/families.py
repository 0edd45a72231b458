"""Families as generated code: the children that some parents share, in order, and the cell that shows them.

Owns the layout of a family, and how a child comes, goes, moves and changes in it. Refuses to know who its parents are
and where children are read from: `nest` writes that around these lines.

A family is `[parents by key, places, values, cell]`. `Whole` keeps places and values in two lists, for a cell that
shows every child costs a copy of them anyhow. `Windowed` keeps an `Ordered` of places, values by key, and behind the
cell its edge: the last place shown, None while the window is not full; what happens beyond it shows in no cell.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from itertools import islice
from typing import Any, ClassVar, Final

from sspcore.algebra.values import Value
from sspcore.codegen.source import Source
from sspcore.engine.emit import cells
from sspcore.engine.emit.cells import Binding, Recipe
from sspcore.engine.emit.expressions import Expressions
from sspcore.engine.operators.build import count_of
from sspcore.engine.operators.ordered import Entry, Ordered
from sspcore.plan.expressions import bind
from sspcore.plan.nodes import Nest

LISTS: Final = ("objects", "values")


class Whole:
    """Writes what a family does whose cell shows all its children, or the only one there can be."""

    about: ClassVar[str] = "a family: its parents by key, the places of its children, what they show, the cell of that"
    empty: ClassVar[str] = "[{}, [], [], None]"
    resting: ClassVar[str] = ""
    """What to do with a family that has lost its last parent."""

    def __init__(self, source: Source, write: Expressions, plan: Nest) -> None:
        self.source = source
        self.write = write
        self.many = plan.form in LISTS or plan.keyed
        self.sure = self.many
        """One change that is seen is a change of the cell. (An only child may show NULL, as none does.)"""

    def first(self, place: str) -> str:
        """The text of a family of one child, of which nobody knows yet what it shows."""
        return f"[{{}}, [{place}], [child(k1, r1)], None]"

    def more(self, place: str) -> None:
        """One child more, while they come in any order."""
        self.source.line(f"s[1].append({place})")
        self.source.line("s[2].append(child(k1, r1))")

    def arrange(self) -> None:
        """All have come: put them in order."""
        arrange = cells.fixed(sorted_by_place, "both lists in the order of the places")
        with self.source.block("if len(s[1]) > 1:"):
            self.source.line(f"s[1], s[2] = {self.write.shared('sorted_by_place', arrange)}(s[1], s[2])")

    def cell(self, family: str) -> str:
        """The text of what a family shows."""
        return f"tuple({family}[2])" if self.many else f"{family}[2][0] if {family}[2] else None"

    def remove(self, key: str, gone: str) -> None:
        """A child goes from its place."""
        self.source.line(f"turned[{key}] = s")
        self.source.line(f"at = {self._search(gone)}")
        self.source.line("del s[1][at], s[2][at]")

    def insert(self, key: str, come: str) -> None:
        """A child comes to its place."""
        self.source.line(f"turned[{key}] = s")
        self._put(come)

    def move(self, gone: str, come: str) -> None:
        """A child has another place among its siblings."""
        self.remove("a", gone)
        self._put(come)

    def exchange(self, gone: str) -> None:
        """A child that keeps its place shows something else."""
        self.source.line("turned[a] = s")
        self.source.line(f"s[2][{self._search(gone)}] = child(k1, n1)")

    def _put(self, come: str) -> None:
        self.source.line(f"at = {self._search(come)}")
        self.source.line(f"s[1].insert(at, {come})")
        self.source.line("s[2].insert(at, child(k1, n1))")

    def _search(self, place: str) -> str:
        search = cells.fixed(bisect_left, "how many places are before one")
        return f"{self.write.shared('search', search)}(s[1], {place})"


class Windowed(Whole):
    """Writes what a family does whose cell shows a window of its children."""

    about: ClassVar[str] = (
        "a family: its parents by key, the places of its children, what they show by key, the cell of a window "
        "of that, the last place in it"
    )
    resting: ClassVar[str] = "s[4] = None"

    def __init__(self, source: Source, write: Expressions, plan: Nest) -> None:
        super().__init__(source, write, plan)
        self.sure = False
        ordered = write.shared("ordered", cells.fixed(Ordered, "places in order"))
        self.empty = f"[{{}}, {ordered}(), {{}}, None, None]"  # type: ignore[misc]
        self._window = Recipe(lambda binding: _shown(plan, binding), about="the cell of a family, and the edge of it")

    def first(self, place: str) -> str:
        return f"[{{}}, [{place}], {{k1: child(k1, r1)}}, None, None]"

    def more(self, place: str) -> None:
        self.source.line(f"s[1].append({place})")
        self.source.line("s[2][k1] = child(k1, r1)")

    def arrange(self) -> None:
        self.source.line("s[1] = ordered(s[1])")

    def cell(self, family: str) -> str:
        return f"{self.write.shared('shown', self._window)}({family})"

    def remove(self, key: str, gone: str) -> None:
        self.source.line(f"s[1].remove({gone})")
        self.source.line("del s[2][k1]")
        self._turn(key, gone)

    def insert(self, key: str, come: str) -> None:
        self.source.line(f"s[1].add({come})")
        self.source.line("s[2][k1] = child(k1, n1)")
        self._turn(key, come)

    def move(self, gone: str, come: str) -> None:
        replace = self.write.shared("replace", cells.fixed(Ordered.replace, "one place for another"))
        self.source.line(f"{replace}(s[1], {gone}, {come})")
        self.source.line("s[2][k1] = child(k1, n1)")
        self._turn("a", gone, come)

    def exchange(self, gone: str) -> None:
        self.source.line("s[2][k1] = child(k1, n1)")
        self._turn("a", gone)

    def _turn(self, key: str, *places: str) -> None:
        within = " or ".join([f"{place} <= s[4]" for place in places])
        with self.source.block(f"if s[4] is None or {within}:"):
            self.source.line(f"turned[{key}] = s")


def sorted_by_place(places: list[Entry], values: list[Value]) -> tuple[list[Entry], list[Value]]:
    """Both lists in the order of the places.

    >>> sorted_by_place([(3,), (1,)], ["c", "a"])
    ([(1,), (3,)], ['a', 'c'])
    """
    order = sorted(range(len(places)), key=places.__getitem__)
    return [places[at] for at in order], [values[at] for at in order]


def _shown(plan: Nest, binding: Binding) -> Callable[[list[Any]], Value]:
    """The function that reads a family's window: it notes the edge, and gives the cell."""
    limit, offset = [
        None if bound is None else count_of(bind(bound, binding.params), word)
        for bound, word in ((plan.limit, "LIMIT"), (plan.offset, "OFFSET"))
    ]
    lists, many, begin = plan.form in LISTS, plan.form in LISTS or plan.keyed, offset or 0
    size = limit if lists else 1 if limit is None else min(1, limit)
    end = None if size is None else begin + size
    meter = binding.meter

    def shown(family: list[Any]) -> Value:
        places, values = list(islice(family[1], begin, end)), family[2]
        meter.rows += len(places)
        family[4] = places[-1] if places and len(places) == size else None
        cell = tuple([values[place[-1]] for place in places])
        return cell if many else cell[0] if cell else None

    return shown
