"""Source for the three questions asked of an index: one function over all its lanes each.

Owns the text: columns fetched once, one probe per lane, residuals written out in loops, no call per predicate. Refuses
to know how lanes are filled; it reads a lane's template and takes its dict or its `found` as a cell.

Locals are named by the row they come from: `n3` is column 3 of the new (or only) row and `nk3` its canonical key, `o3`
and `ok3` those of the old row; `e3` says that the keys are equal, `u3` that the values are the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any, Final

from sspcore.algebra.values import canonical_key
from sspcore.codegen.source import Source
from sspcore.index.clauses import Clause
from sspcore.index.lanes import EqualityLane, Lane, Many, ScanLane
from sspcore.index.shapes import OWN_KEYS, Condition, condition_of, helpers_in

LEFT, ENTERED, STAYS = "left", "entered", "stays"
_AFTER_NEW: Final = {None: ENTERED, ENTERED: ENTERED, LEFT: STAYS, STAYS: STAYS}
_AFTER_OLD: Final = {None: LEFT, LEFT: LEFT, ENTERED: STAYS, STAYS: STAYS}
AFTER_BOTH: Final = {
    (a, b): b if a is None or a == b else STAYS for a in (None, LEFT, ENTERED, STAYS) for b in (LEFT, ENTERED, STAYS)
}
_SCALARS: Final = frozenset({type(None), int, str, bytes, float, bool})
"""Types of which equal values of one type are the same."""
_KEY: Final = re.compile(r"@k(\d+)")
Fallback = Callable[..., Any]


class Counter:
    """Work, counted by generated code that was asked to: looks into a lane."""

    __slots__ = ("probes",)

    def __init__(self) -> None:
        self.probes = 0


class Writer:
    """Writes one function. `plain`: columns whose values are their own keys; `counter`: counts probes, if given."""

    def __init__(self, lanes: Sequence[Lane], plain: Collection[int], counter: Counter | None) -> None:
        self.source = Source()
        self.lanes = lanes
        self.plain = plain
        self.counter = counter
        self.conditions = [None if lane.shape is None else condition_of(lane.shape) for lane in lanes]
        cells: dict[str, Any] = {"OWN": OWN_KEYS, "key": canonical_key, "Many": Many, "unique": dict.fromkeys}
        for condition in self.conditions:
            if condition is not None:
                cells |= helpers_in(condition.text)
        if counter is not None:
            cells["counter"] = counter
        for at, lane in enumerate(lanes):
            if isinstance(lane, ScanLane):
                cells[f"r{at}"] = lane.postings
            elif isinstance(lane, EqualityLane):
                cells[f"g{at}"] = lane.postings.get
            else:
                cells[f"d{at}"] = lane.found
        self.source.cells.update(cells)

    # What all functions are made of

    def named(self, text: str, row: str) -> str:
        """A condition's text over the locals of a row."""
        return _KEY.sub(lambda m: "@" + m[1] if int(m[1]) in self.plain else m[0], text).replace("@", row)

    def key(self, lane: Lane, row: str) -> str:
        """The key to look up in a lane."""
        names = [f"{row}{c}" if c in self.plain else f"{row}k{c}" for c in lane.columns]
        return names[0] if len(names) == 1 else f"({', '.join(names)})"

    def fetch(self, row: str, residuals: bool) -> None:
        """Locals for every column that is read."""
        keys, values = self._columns(residuals)
        for column in sorted(values | keys):
            self.source.line(f"{row}{column} = {row}row[{column}]")
        for column in sorted(keys):
            if column not in self.plain:
                value = f"{row}{column}"
                if row == "o":  # most values of an update are the very ones that were there
                    with self.source.block(f"if o{column} is n{column}:"):
                        self.source.line(f"ok{column} = nk{column}")
                    with self.source.block("else:"):
                        self.source.line(f"ok{column} = {value} if type({value}) in OWN else key({value})")
                else:
                    self.source.line(f"{row}k{column} = {value} if type({value}) in OWN else key({value})")

    def _columns(self, residuals: bool) -> tuple[set[int], set[int]]:
        keys: set[int] = set()
        values: set[int] = set()
        for lane, condition in zip(self.lanes, self.conditions, strict=True):
            keys.update(lane.columns)
            if condition is not None and (residuals or isinstance(lane, ScanLane)):
                keys |= condition.keys
                values |= condition.values
        return keys, values

    def compare(self, residuals: bool) -> None:
        """Which columns are equal in both rows: `e` by key for what is looked up, `u` for what is tested."""
        looked_up = {c for lane in self.lanes for c in lane.columns}
        for column in sorted(looked_up):
            n, o = (f"n{column}", f"o{column}") if column in self.plain else (f"nk{column}", f"ok{column}")
            self.source.line(f"e{column} = {n} is {o} or {n} == {o}")
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
        if isinstance(lane, EqualityLane):
            source.line(f"x = g{at}({self.key(lane, row)})")
            with source.block("if x is not None:"):
                then()
        else:
            with source.block(f"for x in d{at}({self.key(lane, row)}):"):
                then()

    def members(self, x: str, condition: Condition) -> str:
        """The head of a loop over the members of a posting with residuals."""
        names = "".join([f", c{i}" for i in range(condition.constants)]) or ","
        return f"for s{names} in ({x},) if k is tuple else {x}:"

    def scan(self, at: int) -> str:
        """The head of a loop over a scan lane."""
        condition = self.conditions[at]
        assert condition is not None
        if self.counter is not None:
            self.source.line("counter.probes += 1")
        names = ", ".join([f"c{i}" for i in range(condition.constants)])
        comma = "," * (condition.constants == 1)
        return f"for ({names}{comma}), x in r{at}.items():" if names else f"for x in r{at}.values():"

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

    # Lists of ids

    def _append(self, text: str) -> str:
        return f"out.append({text})"

    def _extend(self, text: str) -> list[str]:
        return [f"out += {text}"]

    def _start(self, always: Any, repeats: bool) -> None:
        self.source.cells["always"] = always
        self.source.line("out = list(always) if always else []")
        if repeats:
            self.source.line("h = 0")

    def _finish(self, repeats: bool) -> None:
        self.source.line("return list(unique(out)) if h > 1 else out" if repeats else "return out")

    def touch(self, always: Any, fall: Fallback) -> Any:
        """`touch(old, new)`: ids whose cover one of the rows meets, each once; what is scanned is judged."""
        source = self.source
        with source.block("def touch(orow, nrow):"):
            with source.block("try:"):
                with source.block("if orow is None or nrow is None:"):
                    with source.block("if nrow is None:"):
                        source.line("nrow = orow")
                    repeats = any(lane.several == 2 for lane in self.lanes)
                    self.fetch("n", False)
                    self._start(always, repeats)
                    for at in range(len(self.lanes)):
                        self._touch_one(at, repeats)
                    self._finish(repeats)
                repeats = any(lane.several or not isinstance(lane, EqualityLane) for lane in self.lanes)
                self.fetch("n", False)
                self.fetch("o", False)
                self.compare(False)
                self._start(always, repeats)
                for at in range(len(self.lanes)):
                    self._touch_two(at, repeats)
                self._finish(repeats)
            self.close("touch", fall, "orow, nrow")
        return source.build("touch")

    def _touch_one(self, at: int, repeats: bool) -> None:
        lane = self.lanes[at]
        if isinstance(lane, ScanLane):
            self._judge_scan(at, self.named(self._text(at), "n"), repeats and lane.several == 2)
        else:
            self.probe(at, "n", lambda: self._touched(lane, "None, nrow", repeats and lane.several == 2))

    def _touch_two(self, at: int, repeats: bool) -> None:
        lane = self.lanes[at]
        if isinstance(lane, ScanLane):
            condition = self.conditions[at]
            assert condition is not None
            text = self._text(at)
            both = f"{self.named(text, 'n')} or not ({self.untouched(condition)}) and {self.named(text, 'o')}"
            self._judge_scan(at, both, bool(lane.several))
            return
        counted = bool(lane.several) or not isinstance(lane, EqualityLane)
        rows = "None, nrow"
        if lane.shape is not None:
            rows = f"orow if {self.equal(lane)} else None, nrow"
        self.probe(at, "n", lambda: self._touched(lane, rows, counted))
        with self.source.block(f"if not ({self.equal(lane)}):"):
            self.probe(at, "o", lambda: self._touched(lane, "orow, None", counted))

    def _touched(self, lane: Lane, rows: str, counted: bool) -> None:
        source = self.source
        if counted:
            source.line("h += 1")
        if lane.shape is None:
            self.posting(self._append, self._extend)
            return
        source.line("k = type(x)")
        with source.block("if k is tuple:"):
            source.line("out.append(x[0])")
        with source.block("elif k is list:"), source.block("for s in x:"):
            source.line("out.append(s[0])")
        with source.block("else:"):
            source.line(f"out += x.touch({rows})")

    def _text(self, at: int) -> str:
        condition = self.conditions[at]
        assert condition is not None
        return condition.text

    def _judge_scan(self, at: int, test: str, counted: bool) -> None:
        source = self.source
        with source.block(self.scan(at)), source.block(f"if {test}:"):
            if counted:
                source.line("h += 1")
            self.posting(self._append, self._extend)

    def route(self, always: Any, fall: Fallback) -> Any:
        """`route(row)`: ids whose predicate is TRUE of the row, each once."""
        source = self.source
        repeats = any(lane.several == 2 for lane in self.lanes)
        with source.block("def route(nrow):"):
            with source.block("try:"):
                self.fetch("n", True)
                self._start(always, repeats)
                for at, lane in enumerate(self.lanes):
                    if isinstance(lane, ScanLane):
                        self._judge_scan(at, self.named(self._text(at), "n"), lane.several == 2)
                    else:
                        self.probe(at, "n", lambda at=at: self._routed(at))  # type: ignore[misc]
                self._finish(repeats)
            self.close("route", fall, "nrow")
        return source.build("route")

    def _routed(self, at: int) -> None:
        lane, condition, source = self.lanes[at], self.conditions[at], self.source
        if lane.several == 2:
            source.line("h += 1")
        if condition is None:
            self.posting(self._append, self._extend)
            return
        source.line("k = type(x)")
        with source.block("if k is not tuple and k is not list:"):
            source.line("out += x.route(nrow)")
        test = f"if {self.named(condition.text, 'n')}:"
        with source.block("else:"), source.block(self.members("x", condition)), source.block(test):
            source.line("out.append(s)")
            if lane.several == 2:
                source.line("h += 1")

    # What became of each id

    def route2(self, always: Any, fall: Fallback) -> Any:
        """`route2(old, new)`: id → left, entered or stays, for every predicate that one of the rows meets."""
        source = self.source
        source.cells.update({
            "always": always, "unique": dict.fromkeys, "LEFT": LEFT, "ENTERED": ENTERED, "STAYS": STAYS,
            "after_new": _AFTER_NEW, "after_old": _AFTER_OLD, "after_both": AFTER_BOTH,
        })  # fmt: skip
        with source.block("def route2(orow, nrow):"):
            with source.block("try:"):
                self.fetch("n", True)
                self.fetch("o", True)
                self.compare(True)
                source.line("out = unique(always, STAYS) if always else {}")
                for at in range(len(self.lanes)):
                    self._moved(at)
                source.line("return out")
            self.close("route2", fall, "orow, nrow")
        return source.build("route2")

    def _moved(self, at: int) -> None:
        lane, condition, source = self.lanes[at], self.conditions[at], self.source
        if isinstance(lane, ScanLane):
            assert condition is not None
            with source.block(self.scan(at)):
                source.line(f"a = {self.named(condition.text, 'n')}")
                source.line(f"b = a if {self.untouched(condition)} else {self.named(condition.text, 'o')}")
                with source.block("if a or b:"):
                    source.line("m = STAYS if a and b else ENTERED if a else LEFT")
                    self.posting(lambda x: f"out[{x}] = m", lambda x: [f"out.update(unique({x}, m))"])
            return
        with source.block(f"if {self.equal(lane)}:"):
            self.probe(at, "n", lambda: self._stayed(at))
        with source.block("else:"):
            repeats = bool(lane.several) or not isinstance(lane, EqualityLane)
            self.probe(at, "n", lambda: self._one_sided(at, "n", repeats))
            self.probe(at, "o", lambda: self._one_sided(at, "o", repeats))

    def _stayed(self, at: int) -> None:
        """Both rows lead to the posting: only the residual tells them apart."""
        lane, condition, source = self.lanes[at], self.conditions[at], self.source
        if condition is None:
            self.posting(lambda x: f"out[{x}] = STAYS", lambda x: [f"out.update(unique({x}, STAYS))"])
            return
        source.line("k = type(x)")
        nested = source.block("if k is not tuple and k is not list:")
        with nested, source.block("for s, m in x.route2(orow, nrow).items():"):
            source.line("out[s] = after_both[out.get(s), m]" if lane.several else "out[s] = m")
        with source.block("else:"), source.block(self.members("x", condition)):
            source.line(f"a = {self.named(condition.text, 'n')}")
            source.line(f"b = a if {self.untouched(condition)} else {self.named(condition.text, 'o')}")
            with source.block("if a or b:"):
                mark = "STAYS if a and b else ENTERED if a else LEFT"
                source.line(f"out[s] = after_both[out.get(s), {mark}]" if lane.several else f"out[s] = {mark}")

    def _one_sided(self, at: int, row: str, repeats: bool) -> None:
        """Only one of the rows leads to the posting."""
        condition, source = self.conditions[at], self.source
        after, mark = ("after_new", "ENTERED") if row == "n" else ("after_old", "LEFT")

        def one(x: str) -> str:
            return f"out[{x}] = {after}[out.get({x})]" if repeats else f"out[{x}] = {mark}"

        def many(x: str) -> list[str]:
            return [f"for s in {x}:", f"    {one('s')}"] if repeats else [f"out.update(unique({x}, {mark}))"]

        if condition is None:
            self.posting(one, many)
            return
        source.line("k = type(x)")
        with source.block("if k is not tuple and k is not list:"):
            source.lines(*many(f"x.route({row}row)"))
        test = f"if {self.named(condition.text, row)}:"
        with source.block("else:"), source.block(self.members("x", condition)), source.block(test):
            source.line(one("s"))


@lru_cache(maxsize=1024)
def judge_of(shape: Clause) -> Callable[[tuple[Any, ...], tuple[Any, ...]], bool]:
    """The test of a row against a shape with these constants, by a function of its own: for what is not fused yet."""
    condition = condition_of(shape)
    source = Source()
    source.cells.update({"OWN": OWN_KEYS, "key": canonical_key} | helpers_in(condition.text))
    with source.block("def judge(nrow, constants):"):
        if condition.constants:
            source.line(", ".join([f"c{i}" for i in range(condition.constants)]) + ", = constants")
        for column in sorted(condition.columns()):
            source.line(f"n{column} = nrow[{column}]")
        for column in sorted(condition.keys):
            source.line(f"nk{column} = n{column} if type(n{column}) in OWN else key(n{column})")
        source.line(f"return {condition.text.replace('@', 'n')}")
    judge: Callable[[tuple[Any, ...], tuple[Any, ...]], bool] = source.build("judge")
    return judge
