"""Readers: the materialisations that read one table, and which of them a change of it can touch.

Owns that choice. It saves work and decides nothing else: what a change means to a view is the view's own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from sspcore.engine.materialisation import Materialisation
from sspcore.engine.table import Net, Row
from sspcore.index.clauses import Clause
from sspcore.index.lanes import EqualityLane
from sspcore.index.predicate_index import PredicateIndex

if TYPE_CHECKING:
    from sspcore.engine.template import Template

Touched = dict[Materialisation, list[Net]]
Family = tuple["Template", int, Callable[[Any], Any]]

FEW: Final = 8
"""Up to so many selective readers it is cheaper to visit them all than to look which ones to visit."""


class Readers:
    """Who reads a table: `everyone` whom any change may concern, and the selective, each filed under its interest.

    Args: `types`, the declared types of the table's columns, by position.
    """

    __slots__ = ("_alike", "_everyone", "_exact", "_index", "_selective", "_types", "few", "fused", "waited")

    def __init__(self, types: Sequence[str]) -> None:
        self._types = types
        self._everyone: tuple[Materialisation, ...] = ()
        self._selective: dict[Materialisation, Clause] = {}
        self._index: PredicateIndex | None = None
        self._alike: Template | None = None
        """The template of all selective readers, if it is one."""
        self._exact = False
        """Some interest asks more than what is looked up: it costs less to judge the rest here than to visit."""
        self.few: tuple[Materialisation, ...] | None = ()
        """All readers, where they are so few that a change visits them all; else `touched_by` says which."""
        self.fused = False
        """There is a generated function for changes that stand alone, of these readers and no others."""
        self.waited = 0
        """Changes without it since the readers last changed."""

    def __bool__(self) -> bool:
        return bool(self._everyone or self._selective)

    def __iter__(self) -> Iterator[Materialisation]:
        return iter([*self._everyone, *self._selective])

    def add(self, kept: Materialisation, interest: Clause | None) -> None:
        """A reader more; `interest` holds for every row it can depend on, None is every row. Cost: microseconds."""
        if interest is None:
            self._everyone = (*self._everyone, kept)
        else:
            self._alike = kept.template if not self._selective or self._alike is kept.template else None
            self._selective[kept] = interest
            self._exact = self._exact or interest[0] != "="
            if self._index is not None:
                self._index.add_clause(kept, interest)
                self.fused, self.waited = False, 0
                return
            elif len(self._selective) > FEW:
                self._index = PredicateIndex(self._types)
                for one, filed in self._selective.items():
                    self._index.add_clause(one, filed)
        self._join()

    def remove(self, kept: Materialisation) -> None:
        """A reader less. Cost: microseconds."""
        if self._selective.pop(kept, None) is None:
            self._everyone = tuple([one for one in self._everyone if one is not kept])
        elif self._index is not None:
            self._index.remove(kept)
            if not self._selective:
                self._index, self._exact = None, False
        self._join()

    def _join(self) -> None:
        self.fused, self.waited = False, 0
        self.few = (*self._everyone, *self._selective) if self._index is None else None

    def family(self) -> Family | None:
        """The template and column, where all readers are of one template and each asks for one value of one column.

        With them the look-up: value → None, a reader, or several in a list or dict. Each of them stays right as long as
        no reader comes or goes.
        """
        index, alike = self._index, self._alike
        if index is None or alike is None or self._everyone or self._exact or index.always:
            return None
        lanes = list(index.lanes())
        if len(lanes) != 1 or not isinstance(lanes[0], EqualityLane) or not lanes[0].bare or len(lanes[0].columns) > 1:
            return None
        return alike, lanes[0].columns[0], lanes[0].postings.get

    def touched_by(self, old: Row | None, new: Row | None) -> Collection[Materialisation]:
        """Those that a change from one row to another can touch, each once."""
        index = self._index
        if index is None:
            return self.few or ()
        found = self._found(index, old, new) if self._exact else index.touch(old, new)
        return (*self._everyone, *found) if self._everyone else found

    def _found(self, index: PredicateIndex, old: Row | None, new: Row | None) -> Collection[Materialisation]:
        if not self._exact:
            return index.touch(old, new)
        if old is None or new is None:
            row = new if old is None else old
            return index.route(row) if row is not None else ()
        return index.route2(old, new)

    def touched(self, net: list[Net]) -> Touched:
        """Those that net changes can touch, each with the changes that can. Cost: O(net + what it gives)."""
        if self._index is None:
            return dict.fromkeys(self.few or (), net)
        touched = dict.fromkeys(self._everyone, net)
        found: Touched = {}
        index = self._index
        for change in net:
            for kept in self._found(index, change[1], change[2]):
                changes = found.get(kept)
                if changes is None:
                    found[kept] = [change]
                else:
                    changes.append(change)
        return {**touched, **found}
