"""Source for the question what became of each id: did its predicate hold of the old row, of the new one, or of both.

Owns the text of `route2`: a lane none of whose columns changed is looked into once. Refuses to know what `emit` owns,
how rows are fetched and lanes probed.
"""

from __future__ import annotations

from typing import Any, Final

from sspcore.index.emit import Fallback
from sspcore.index.lanes import EqualityLane, ScanLane
from sspcore.index.lists import ListsWriter

LEFT, ENTERED, STAYS = "left", "entered", "stays"
_AFTER_NEW: Final = {None: ENTERED, ENTERED: ENTERED, LEFT: STAYS, STAYS: STAYS}
_AFTER_OLD: Final = {None: LEFT, LEFT: LEFT, ENTERED: STAYS, STAYS: STAYS}
AFTER_BOTH: Final = {
    (a, b): b if a is None or a == b else STAYS for a in (None, LEFT, ENTERED, STAYS) for b in (LEFT, ENTERED, STAYS)
}


class MovesWriter(ListsWriter):
    """Writes any of the three, `route2` among them."""

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
                for at in self.runs("n", "o"):
                    self._moved(at)
                source.line("return out")
            self.close("route2", fall, "orow, nrow")
        return source.build("route2")

    def _moved(self, at: int) -> None:
        lane, condition, source = self.lanes[at], self.conditions[at], self.source
        if isinstance(lane, ScanLane):
            assert condition is not None
            with self.scan(at):
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

        def nested() -> None:
            with source.block("for s, m in x.route2(orow, nrow).items():"):
                source.line("out[s] = after_both[out.get(s), m]" if lane.several else "out[s] = m")

        def tested() -> None:
            source.line(f"a = {self.met(at, 'n')}")
            source.line(f"b = a if {self.untouched(condition)} else {self.met(at, 'o')}")
            with source.block("if a or b:"):
                mark = "STAYS if a and b else ENTERED if a else LEFT"
                source.line(f"out[s] = after_both[out.get(s), {mark}]" if lane.several else f"out[s] = {mark}")

        self.members(at, tested, nested)

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

        def tested() -> None:
            with source.block(f"if {self.met(at, row)}:"):
                source.line(one("s"))

        self.members(at, tested, lambda: source.lines(*many(f"x.route({row}row)")))
