"""Source for the questions asked of an index: what the functions that answer them are made of (`lists`, `moves`).

Owns the text: columns fetched once, one probe per lane, residuals written out in loops, no call per predicate. Refuses
to know how lanes are filled; it reads a lane's template and takes its dict or its `found` as a cell.

Locals are named by the row they come from: `n3` is column 3 of the new (or only) row and `nk3` its canonical key, `o3`
and `ok3` those of the old row; `e3` says that the keys are equal, `u3` that the values are the same.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sspcore.algebra.values import canonical_key
from sspcore.codegen.source import Source
from sspcore.index.clauses import TRUE
from sspcore.index.cover import ticks_of
from sspcore.index.lanes import DictLane, EqualityLane, Lane, Many, ScanLane
from sspcore.index.lookups import (
    CellLane,
    ElementLane,
    FoldedLane,
    LevelLane,
    PrefixLane,
    ThresholdLane,
    TrigramLane,
    WordLane,
    folded_trigrams_of,
    reach_of,
    trigrams_of,
    whole_of,
)
from sspcore.index.shapes import OWN_KEYS, Condition, condition_of, elements_of, helpers_in

_SCALARS: Final = frozenset({type(None), int, str, bytes, float, bool})
"""Types of which equal values of one type are the same."""
_KEY: Final = re.compile(r"@k(\d+)")
_TYPED: Final = re.compile(r"type\(@(\d+)\) (in NUMBERS|is str)")
PLAIN_TYPES: Final = {
    "integer": "in NUMBERS", "real": "in NUMBERS", "decimal": "in NUMBERS", "text": "is str", "bytes": "is bytes",
    "timestamp": "is datetime",
}  # fmt: skip
"""Column types whose values are their own canonical keys → the test that all of them but NULL pass."""
Fallback = Callable[..., Any]


class Counter:
    """Work, counted by generated code that was asked to: looks into a lane, and tests of what they left open."""

    __slots__ = ("evaluations", "probes")

    def __init__(self) -> None:
        self.probes = 0
        self.evaluations = 0


class Writer:
    """Writes one function, as a subclass says.

    Args: `types`, column → its type, of `PLAIN_TYPES`; `counter`, counts probes, if given.
    """

    def __init__(self, lanes: Sequence[Lane], types: Mapping[int, str], counter: Counter | None) -> None:
        self.source = Source()
        self.lanes = lanes
        self.types = {column: PLAIN_TYPES[kind] for column, kind in types.items()}
        self.plain = frozenset(types)
        self.counter = counter
        self.conditions = [None if lane.shape is None else condition_of(lane.shape) for lane in lanes]
        cells: dict[str, Any] = {
            "OWN": OWN_KEYS, "key": canonical_key, "Many": Many, "unique": dict.fromkeys, "elements": elements_of,
            "trigrams": trigrams_of, "folded": folded_trigrams_of, "ticks": ticks_of, "whole": whole_of,
        }  # fmt: skip
        for condition in self.conditions:
            if condition is not None:
                cells |= helpers_in(condition.text)
        if counter is not None:
            cells["counter"] = counter
        for at, lane in enumerate(lanes):
            if counter is not None:
                cells[f"lane{at}"] = lane
            if isinstance(lane, ScanLane):
                cells[f"r{at}"] = lane.postings
            elif isinstance(lane, ThresholdLane):
                cells[f"g{at}"], cells[f"l{at}"] = lane.found, lane.edge
            elif isinstance(lane, LevelLane):
                cells[f"l{at}"] = lane.levels
            elif isinstance(lane, DictLane):
                cells[f"g{at}"] = lane.postings.get
        self.source.cells.update(cells)

    # What all functions are made of

    def met(self, at: int, row: str) -> str:
        """The condition of a lane's members over the locals of a row that leads to them."""
        lane, condition = self.lanes[at], self.conditions[at]
        assert condition is not None
        text = condition.text
        if isinstance(lane, CellLane):  # a row that lies in a cell is of the class that cells are of
            tested = re.escape("in NUMBERS" if lane.one else "is datetime")
            text = re.sub(rf"type\(@k?{lane.columns[0]}\) {tested} and ", "", text)
        return self.named(text, row)

    def named(self, text: str, row: str) -> str:
        """A condition's text over the locals of a row."""
        text = _KEY.sub(lambda m: "@" + m[1] if int(m[1]) in self.plain else m[0], text)
        text = _TYPED.sub(lambda m: f"@{m[1]} is not None" if self.types.get(int(m[1])) == m[2] else m[0], text)
        return text.replace("@", row)

    def key(self, lane: Lane, row: str) -> str:
        """The key to look up in a lane."""
        names = [f"{row}{c}" if c in self.plain else f"{row}k{c}" for c in lane.columns]
        return names[0] if len(names) == 1 else f"({', '.join(names)})"

    def fetch(self, row: str, residuals: bool) -> None:
        """Locals for every column that is read."""
        keys, values, lists, words = self._columns(residuals)
        source = self.source
        for column in sorted(values | keys | lists | words):
            source.line(f"{row}{column} = {row}row[{column}]")
        for column in sorted(keys - self.plain):
            value, canonical = f"{row}{column}", f"{row}k{column}"
            made = f"{value} if type({value}) in OWN else key({value})"
            if row == "o":  # most values of an update are the very ones that were there
                made = f"nk{column} if {value} is n{column} else {made}"
            source.line(f"{canonical} = {made}")
        for column in sorted(lists):
            made = f"elements({row}{column})"
            if row == "o":
                made = f"ns{column} if o{column} is n{column} else {made}"
            source.line(f"{row}s{column} = {made}")
        for column in sorted(words):
            made = f"set({row}{column}) if type({row}{column}) is tuple else ()"
            if row == "o":
                made = f"nr{column} if o{column} is n{column} else {made}"
            source.line(f"{row}r{column} = {made}")

    def _columns(self, residuals: bool) -> tuple[set[int], set[int], set[int], set[int]]:
        """Columns read as keys, as values, as lists of keys and as lists of words."""
        keys: set[int] = set()
        values: set[int] = set()
        lists: set[int] = set()
        words: set[int] = set()
        for lane, condition in zip(self.lanes, self.conditions, strict=True):
            read = words if isinstance(lane, WordLane) else lists if isinstance(lane, ElementLane) else keys
            read.update(lane.columns)
            if condition is not None and (residuals or isinstance(lane, ScanLane)):
                keys |= condition.keys
                values |= condition.values
                lists |= condition.lists
                words |= condition.words
        return keys, values, lists, words

    def compare(self, residuals: bool) -> None:
        """Which columns are equal in both rows: `e` by key for what is looked up, `u` for what is tested."""
        keyed = {c for lane in self.lanes if not isinstance(lane, ElementLane) for c in lane.columns}
        for column in sorted(keyed):
            n, o = (f"n{column}", f"o{column}") if column in self.plain else (f"nk{column}", f"ok{column}")
            self.source.line(f"e{column} = {n} is {o} or {n} == {o}")
        elements = [lane for lane in self.lanes if isinstance(lane, ElementLane)]
        lists = {c for lane in elements if not isinstance(lane, WordLane) for c in lane.columns}
        for column in sorted({c for lane in elements for c in lane.columns} - keyed):
            equal = f"ns{column} == os{column}" if column in lists else f"nr{column} == or{column}"
            self.source.line(f"e{column} = n{column} is o{column} or {equal}")
        tested: set[int] = set()
        for lane, condition in zip(self.lanes, self.conditions, strict=True):
            if condition is not None and (residuals or isinstance(lane, ScanLane)):
                tested |= condition.columns()
        if tested:
            self.source.cells["SCALARS"] = _SCALARS
        for column in sorted(tested):
            n, o = f"n{column}", f"o{column}"
            same = f"{n} is {o} or ({n} == {o} and type({n}) is type({o}) and type({n}) in SCALARS)"
            self.source.line(f"u{column} = {same}")

    def equal(self, lane: Lane) -> str:
        """The condition that a lane is probed with the same key for both rows."""
        return " and ".join([f"e{c}" for c in lane.columns])

    def untouched(self, condition: Condition) -> str:
        """The condition that a residual sees the same in both rows."""
        if "@row" in condition.text:
            return "nrow is orow"
        return " and ".join([f"u{c}" for c in sorted(condition.columns())]) or "True"

    def probe(self, at: int, row: str, then: Callable[[], None]) -> None:
        """Look into a lane with the key of a row; `then` writes what to do with a posting `x`."""
        lane, source = self.lanes[at], self.source
        if self.counter is not None:
            source.line("counter.probes += 1")
            then = self._counted(at, then)
        key = self.key(lane, row)
        if isinstance(lane, EqualityLane):
            self._got(f"g{at}({key})", then)
        elif isinstance(lane, ElementLane | TrigramLane):
            form = "r" if isinstance(lane, WordLane) else "s"
            trigrams = f"{'folded' if isinstance(lane, FoldedLane) else 'trigrams'}({key})"
            each = f"{row}{form}{lane.columns[0]}" if isinstance(lane, ElementLane) else trigrams
            with source.block(f"for t in {each}:"):
                self._got(f"g{at}(t)", then)
        elif isinstance(lane, PrefixLane):
            with source.block(f"if type({key}) is str:"), source.block(f"for t, y in l{at}.items():"):
                self._got(f"y.get({key}[:t])", then)
        elif isinstance(lane, CellLane):
            plain = f"{key} if type({key}) is int else whole({key})" if lane.one else f"ticks({key})"
            source.cells |= {f"fine{at}": lane.fine, f"looks{at}": lane.looks}
            source.line(f"t = ticks({key}) if fine{at} else {plain}")
            with source.block("if t is not None:"), source.block(f"for b, y in looks{at}:"):
                self._got("y(t >> b)", then)
        else:
            assert isinstance(lane, ThresholdLane)
            bisect = bisect_left if lane.upper is lane.inclusive else bisect_right
            source.cells |= {f"b{at}": lane.blocks, f"p{at}": lane.postings.get, f"s{at}": bisect, "map": map,
                             "len": len}  # fmt: skip
            part = f"y[s{at}(y, {key}) :]" if lane.upper else f"y[: s{at}(y, {key})]"
            with source.block(f"if {self._reaches(lane, key, f'l{at}')}:"):
                source.line(f"y = b{at}[0]")
                found = f"map(p{at}, {part}) if len(b{at}) == 1 and {key} == {key} else g{at}({key})"
                with source.block(f"for x in {found}:"):
                    then()

    def _reaches(self, lane: ThresholdLane, key: str, edge: str) -> str:
        """The condition that a key is beyond an edge, if there is one."""
        types = f"{lane.kind.split()[1]}s"
        self.source.cells[types] = lane.types
        # NaN is above all numbers, and decimals refuse to be compared with it
        test = f"{key} == {key} and {key} <= {edge}[0]" if lane.upper else f"({key} != {key} or {key} >= {edge}[0])"
        return f"{edge} and type({key}) in {types} and {test}"

    def runs(self, *rows: str) -> Iterator[int]:
        """Each lane in turn, what is written for it meanwhile; for sorted bounds of one access only if a row reaches
        one."""
        at = 0
        while at < len(self.lanes):
            lane, end = self.lanes[at], at + 1
            while end < len(self.lanes) and self.lanes[end].template[:2] == lane.template[:2]:
                end += 1
            if isinstance(lane, ThresholdLane) and end > at + 1:
                lanes = [one for one in self.lanes[at:end] if isinstance(one, ThresholdLane)]
                self.source.cells[f"w{at}"] = reach_of(lanes).edge
                if self.counter is not None:
                    self.source.line("counter.probes += 1")
                reached = [f"({self._reaches(lane, self.key(lane, row), f'w{at}')})" for row in rows]
                with self.source.block(f"if {' or '.join(reached)}:"):
                    yield from range(at, end)
            else:
                yield from range(at, end)
            at = end

    def _counted(self, at: int, then: Callable[[], None]) -> Callable[[], None]:
        def counted() -> None:
            self.source.line(f"lane{at}.hits += 1")
            then()

        return counted

    def _got(self, looked_up: str, then: Callable[[], None]) -> None:
        self.source.line(f"x = {looked_up}")
        with self.source.block("if x is not None:"):
            then()

    def members(self, at: int, then: Callable[[], None], nested: Callable[[], None]) -> None:
        """What to do with each member `s` of a posting `x` with residuals, or with an index of them."""
        condition, source = self.conditions[at], self.source
        assert condition is not None
        if self.lanes[at].shape is TRUE:  # crowded keys
            nested()
            return
        names = "".join([f", c{i}" for i in range(condition.constants)]) or ","
        source.line("k = type(x)")
        with self._counted_block("if k is tuple:"):
            source.line(f"s{names} = x")
            then()
        with source.block("elif k is list:"), self._counted_block(f"for s{names} in x:"):
            then()
        with source.block("else:"):
            nested()

    @contextmanager
    def _counted_block(self, head: str) -> Iterator[None]:
        with self.source.block(head):
            if self.counter is not None:
                self.source.line("counter.evaluations += 1")
            yield

    @contextmanager
    def scan(self, at: int) -> Iterator[None]:
        """A loop over a scan lane."""
        condition = self.conditions[at]
        assert condition is not None
        if self.counter is not None:
            self.source.line("counter.probes += 1")
        names = ", ".join([f"c{i}" for i in range(condition.constants)])
        comma = "," * (condition.constants == 1)
        head = f"for ({names}{comma}), x in r{at}.items():" if names else f"for x in r{at}.values():"
        with self._counted_block(head):
            yield

    def posting(self, one: Callable[[str], str], many: Callable[[str], list[str]]) -> None:
        """What to do with a posting `x` of bare ids."""
        self.source.line("k = type(x)")
        with self.source.block("if k is not list and k is not Many:"):
            self.source.line(one("x"))
        with self.source.block("else:"):
            self.source.lines(*many("x"))

    def close(self, name: str, fall: Fallback, arguments: str) -> None:
        """The end of the guarded body: what raises falls open."""
        self.source.cells["Failure"], self.source.cells["fall"] = Exception, fall
        with self.source.block("except Failure as error:"):
            self.source.line(f"return fall(error, {arguments})")
