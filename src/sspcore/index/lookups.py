"""Lanes that a row meets in several places: ranges, lists, prefixes and pieces of text.

Owns their structures: sorted thresholds, cells of size classes, elements, prefixes by length, trigrams. Refuses to
know residuals; `Lane` keeps the postings.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sspcore.algebra.values import Key, Value
from sspcore.index.clauses import Clause
from sspcore.index.cover import FRACTION, ticks_of
from sspcore.index.lanes import DictLane, EqualityLane, Lane, Member, Nested, ScanLane, Template
from sspcore.index.shapes import NUMBERS
from sspcore.plan.like import fold_case

BLOCK: Final = 512
"""Thresholds kept in one list: inserting moves no more than these."""
CLASSES: Final[dict[str, frozenset[type]]] = {
    "number": NUMBERS, "text": frozenset({str}), "bytes": frozenset({bytes}), "time": frozenset({datetime}),
}  # fmt: skip
"""Name of a class → types of the canonical keys that are compared with its bounds."""


class ElementLane(DictLane):
    """`@>`, `&&` and `= ANY (column)`: postings by element; a row's list leads to those of its elements."""

    __slots__ = ()
    crowds = True

    def found(self, key: Key) -> Iterable[Any]:
        if type(key) is not tuple:
            return ()
        get = self.postings.get
        return [posting for element in set(key) if (posting := get(element)) is not None]


class WordLane(ElementLane):
    """The same for elements that are text, which equals only text: a row's elements are looked up as they are."""

    __slots__ = ()


class TrigramLane(DictLane):
    """LIKE with a literal piece of three letters or more: a row's text leads to the postings of its trigrams."""

    __slots__ = ()
    crowds = True

    def found(self, key: Key) -> Iterable[Any]:
        get = self.postings.get
        return [posting for trigram in trigrams_of(key) if (posting := get(trigram)) is not None]


class FoldedLane(TrigramLane):
    """ILIKE with such a piece: the case of letters is folded on both sides."""

    __slots__ = ()

    def found(self, key: Key) -> Iterable[Any]:
        return super().found(fold_case(key)) if type(key) is str else ()


def whole_of(value: Value) -> int | None:
    """The ticks of a number without its fraction.

    >>> whole_of(2.5), whole_of(-0.5), whole_of(None)
    (2, -1, None)
    """
    ticks = ticks_of(value)
    return None if ticks is None else ticks >> FRACTION


def folded_trigrams_of(value: Value) -> set[str]:
    """The same, the case of letters folded."""
    return trigrams_of(fold_case(value)) if type(value) is str else set()


def trigrams_of(value: Value) -> set[str]:
    """The different runs of three letters in a text; none in anything else."""
    return {value[i : i + 3] for i in range(len(value) - 2)} if type(value) is str else set()


class LevelLane(Lane):
    """Postings in one dict per level, a level made when it is needed and dropped when it is empty."""

    __slots__ = ("levels",)

    def __init__(self, template: Template, nested: Callable[[], Nested]) -> None:
        super().__init__(template, nested)
        self.levels: dict[int, dict[Any, Any]] = {}

    def places(self, key: Any) -> tuple[int, Collection[Any]]:
        """The level of a key, and where in it."""
        raise NotImplementedError

    def add(self, key: Any, member: Member, residual: Clause | None) -> None:
        level, places = self.places(key)
        postings = self.levels.setdefault(level, {})
        for place in places:
            self.put(postings, place, member, residual)
        self.size += 1

    def remove(self, key: Any, member: Member, residual: Clause | None) -> None:
        level, places = self.places(key)
        postings = self.levels[level]
        for place in places:
            self.cut(postings, place, member, residual)
        if not postings:
            del self.levels[level]
        self.size -= 1

    def postings_by_key(self) -> Iterator[tuple[Any, Any]]:
        for level, postings in self.levels.items():
            for place, posting in postings.items():
                yield (level, place), posting


class PrefixLane(LevelLane):
    """LIKE with a literal beginning: one look per length of prefix that is filed."""

    __slots__ = ()

    def places(self, key: str) -> tuple[int, Collection[Any]]:
        return len(key), (key,)

    def found(self, key: Key) -> Iterable[Any]:
        if type(key) is not str:
            return ()
        return [p for length, postings in self.levels.items() if (p := postings.get(key[:length])) is not None]


class CellLane(LevelLane):
    """Ranges with both ends: each lies in one or two cells of its size class (four times apart); a look per class.

    Keys are pairs of ticks (`cover.ticks_of`). Where no range is narrower than one, rows need no fractions of it.
    """

    __slots__ = ("fine", "looks", "one")

    def __init__(self, template: Template, nested: Callable[[], Nested]) -> None:
        super().__init__(template, nested)
        self.one = 0 if template[0].endswith("time") else FRACTION
        """Bits of a tick below one: what rows are counted in."""
        self.looks: list[tuple[int, Callable[[int], Any]]] = []
        """For generated code: by how many bits a row is shifted, and then looked up where."""
        self.fine: list[int] = []
        """Levels of cells smaller than one; while there are any, rows are shifted from ticks, else from ones."""

    def add(self, key: Any, member: Member, residual: Clause | None) -> None:
        super().add(key, member, residual)
        self._see()

    def remove(self, key: Any, member: Member, residual: Clause | None) -> None:
        super().remove(key, member, residual)
        self._see()

    def _see(self) -> None:
        if len(self.looks) != len(self.levels):
            self.fine[:] = [level for level in self.levels if level < self.one]
            ticks = 0 if self.fine else self.one
            self.looks[:] = [(level - ticks, postings.get) for level, postings in self.levels.items()]

    def places(self, key: tuple[int, int]) -> tuple[int, Collection[Any]]:
        low, high = key
        shift = (high - low).bit_length() + 1 & ~1
        return shift, {low >> shift, high >> shift}

    def found(self, key: Key) -> Iterable[Any]:
        ticks = ticks_of(key)
        if ticks is None:
            return ()
        return [p for shift, cells in self.levels.items() if (p := cells.get(ticks >> shift)) is not None]


class Reach:
    """The threshold that is met first of several lanes of one access: rows that do not reach it look into none."""

    __slots__ = ("edge", "lanes")

    def __init__(self, lanes: Sequence[ThresholdLane]) -> None:
        self.lanes = lanes
        self.edge: list[Any] = []
        """As that of a lane."""
        for lane in lanes:
            lane.reach = self
        self.see()

    def see(self) -> None:
        """Look at the lanes: one of them begins elsewhere."""
        edges = [lane.edge[0] for lane in self.lanes if lane.edge]
        self.edge[:] = [max(edges) if self.lanes[0].upper else min(edges)] if edges else []


class ThresholdLane(DictLane):
    """One-sided ranges: postings by threshold, the thresholds sorted; a row's value cuts off those it is beyond."""

    __slots__ = ("blocks", "edge", "ends", "inclusive", "reach", "types", "upper")

    def __init__(self, template: Template, nested: Callable[[], Nested]) -> None:
        super().__init__(template, nested)
        op, kind = template[0].split()
        self.upper = op in ("<", "<=")
        self.inclusive = op in ("<=", ">=")
        self.types = CLASSES[kind]
        self.blocks: list[list[Any]] = []
        self.ends: list[Any] = []
        """The last threshold of each block."""
        self.edge: list[Any] = []
        """The threshold that is met first, if any: generated code asks it before anything else."""
        self.reach: Reach | None = None
        """That of the lanes it is compiled with."""

    def add(self, key: Any, member: Member, residual: Clause | None) -> None:
        if key not in self.postings:
            self._insert(key)
            self._see_edge()
        super().add(key, member, residual)

    def remove(self, key: Any, member: Member, residual: Clause | None) -> None:
        super().remove(key, member, residual)
        if key not in self.postings:
            self._delete(key)
            self._see_edge()

    def _see_edge(self) -> None:
        edge = [] if not self.blocks else [self.ends[-1] if self.upper else self.blocks[0][0]]
        if edge != self.edge:
            self.edge[:] = edge
            if self.reach is not None:
                self.reach.see()

    def _insert(self, key: Any) -> None:
        if not self.blocks:
            self.blocks.append([key])
            self.ends.append(key)
            return
        at = min(bisect_left(self.ends, key), len(self.blocks) - 1)
        block = self.blocks[at]
        insort(block, key)
        if len(block) > BLOCK:
            half = len(block) // 2
            self.blocks[at : at + 1] = [block[:half], block[half:]]
            self.ends[at : at + 1] = [block[half - 1], block[-1]]
        else:
            self.ends[at] = block[-1]

    def _delete(self, key: Any) -> None:
        at = bisect_left(self.ends, key)
        block = self.blocks[at]
        del block[bisect_left(block, key)]
        if block:
            self.ends[at] = block[-1]
        else:
            del self.blocks[at], self.ends[at]

    def found(self, key: Key) -> Iterable[Any]:
        blocks = self.blocks
        if type(key) not in self.types or not blocks:
            return ()
        postings = self.postings
        if key != key:  # NaN is above all numbers
            return () if self.upper else postings.values()
        if len(blocks) == 1:
            block = blocks[0]
            if self.upper:
                part = block[bisect_left(block, key) if self.inclusive else bisect_right(block, key) :]
            else:
                part = block[: bisect_right(block, key) if self.inclusive else bisect_left(block, key)]
            return [postings[threshold] for threshold in part]
        if self.upper:
            if key > self.ends[-1] or (key == self.ends[-1] and not self.inclusive):
                return ()
            at = bisect_left(self.ends, key)
            block = blocks[at]
            start = bisect_left(block, key) if self.inclusive else bisect_right(block, key)
            parts = [block[start:], *blocks[at + 1 :]]
        else:
            if key < blocks[0][0] or (key == blocks[0][0] and not self.inclusive):
                return ()
            at = bisect_left(self.ends, key)
            parts = blocks[:at]
            if at < len(blocks):
                block = blocks[at]
                parts = [*parts, block[: bisect_right(block, key) if self.inclusive else bisect_left(block, key)]]
        return [postings[threshold] for part in parts for threshold in part]


def reach_of(lanes: list[ThresholdLane]) -> Reach:
    """That of these lanes: the one they have, or a new one."""
    reach = lanes[0].reach
    return reach if reach is not None and reach.lanes == lanes else Reach(lanes)


KINDS: Final[dict[str, type[Lane]]] = {
    "eq": EqualityLane, "scan": ScanLane, "has": ElementLane, "word": WordLane, "gram": TrigramLane, "fold": FoldedLane,
    "pre": PrefixLane, "between number": CellLane, "between time": CellLane,
    **{f"{op} {kind}": ThresholdLane for op in ("<", "<=", ">", ">=") for kind in CLASSES},
}  # fmt: skip
"""Kind of access (of `cover`) → its lane."""
