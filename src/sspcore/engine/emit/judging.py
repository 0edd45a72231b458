"""EXISTS and IN with a residual condition as generated code: which right rows are partners is asked pair by pair.

Equation and linearity as in `membership`. State: how many partners each left row has; the rows of a side that no table
finds. Cost: a left change the right rows of its key, a right change the left rows of its key. Owns the counting.
Refuses to know what a verdict means for a row (`membership` does).
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import ClassVar

from sspcore.codegen.source import Source
from sspcore.engine.emit.membership import MembershipEmitter
from sspcore.engine.emit.sides import Matched, Sides


class JudgingEmitter(MembershipEmitter):
    """Writes `hydrate`, `change_0`, `change_1` and `anew` of a node with a residual.

    Example: a left row finds its partners by `for k1, r1 in index1.get(h, empty).items()`, and counts them.
    """

    kept: ClassVar[str] = "how many partners a row of {} has"

    def __init__(self, source: Source, sides: Sides, plan: Matched) -> None:
        super().__init__(source, sides, plan)
        self.right.own = not sides.found_in_table(1)
        self.given = 2 if self.right.own else 1

    def emit(self) -> list[str]:
        """Write all functions; their names."""
        self.left.declare()
        self.right.declare()
        self.source.note(self.kept.format(self.frame.name_of(0)))
        self.source.line("partners = {}")
        self.anew()
        self.hydrate()
        self.change_left()
        self.change_right()
        return ["hydrate", "change_0", "change_1", "anew"]

    def hydrate(self) -> None:
        """All rows, out of those of the left, and of the right where it files them."""
        source = self.source
        with source.block(f"def hydrate({'rows0, rows1' if self.given == 2 else 'rows0'}):"):
            for at, side in ((0, self.left), (1, self.right)):
                if side.own:
                    with source.block(f"for k{at}, r{at} in rows{at}.items():"), ExitStack() as stack:
                        self.guard(stack, side.passing(f"r{at}"))
                        source.line(f"g = {side.key(f'r{at}', True)}")
                        side.file(None, "g")
            source.line("return anew(rows0)")

    def anew(self) -> None:
        """What all left rows show, the right being as it is."""
        if self.wanted is None:
            super().anew()
            return
        source = self.source
        with source.block("def anew(rows0):"):
            source.line("out = {}")
            with source.block("for k0, r0 in rows0.items():"), ExitStack() as stack:
                self.guard(stack, self.left.passing("r0"))
                source.line(f"h = {self.left.key('r0', True)}")
                self.shows("b", "r0", self.ask("r0"))
                with source.block("if b is not None:"):
                    source.line("out[k0] = b")
            source.line("return out")

    def judge(self) -> str:
        """What it takes to judge the left row `r0` from scratch; the text of the verdict on it."""
        self.source.line(f"h = {self.left.key('r0', True)}")
        return self.ask("r0")

    def forget(self) -> str:
        """Take what is kept of a left row that goes or changes; the text of the verdict on it."""
        self.source.line("m = partners.pop(k0, 0)")
        return "m > 0"

    def ask(self, row: str) -> str:
        """Count the partners of a left row of key `h`; the text of the verdict on it."""
        source = self.source
        source.line("n = 0")
        with ExitStack() as stack:
            self.right.each(stack, "h")
            self.guard(stack, self._judges(row, "r1"))
            source.line("n += 1")
        source.line("partners[k0] = n")
        return "n > 0"

    def _judges(self, left: str, right: str) -> str:
        """The text of whether two rows are partners."""
        return self.frame.tests(list(self.sides.residual), {0: left, 1: right})

    def change_left(self) -> None:
        """The function that takes changes of the left."""
        source = self.source
        with source.block("def change_0(changes):"):
            source.note(f"changes of {self.frame.name_of(0)}")
            source.line("out = []")
            source.line("w = 0")
            self.right.counting = True
            with source.block("for k0, o0, n0 in changes:"):
                self.left.enter()
                if self.left.own:
                    source.line(f"g = {self.left.key('o0')}")
                source.line(f"h = {self.left.key('n0')}")
                self.shows("a", "o0", self.forget())
                with source.block("if n0 is not None:"):
                    found = self.ask("n0")
                self.shows("b", "n0", found)
                self.left.file("g", "h")
                with source.block(f"if {self.differ()}:"):
                    source.line("out.append((k0, a, b))")
            self.right.counting = False
            self.count(found="w")
            source.line("return out")

    def change_right(self) -> None:
        """The function that takes changes of the right: left rows find a partner more, or one less."""
        source = self.source
        with source.block("def change_1(changes):"):
            source.note(f"changes of {self.frame.name_of(1)}")
            source.line("turned = {}")
            source.line("w = 0")
            self.left.counting = True
            with source.block("for k1, o1, n1 in changes:"):
                self.right.enter()
                source.line(f"g = {self.right.key('o1')}")
                source.line(f"h = {self.right.key('n1')}")
                self.right.file("g", "h")
                with source.block("if o1 is not None and n1 is not None and (g is h or g == h):"):
                    with ExitStack() as stack:
                        self.left.each(stack, "g")
                        source.line(f"p = {self._judges('r0', 'o1')}")
                        source.line(f"q = {self._judges('r0', 'n1')}")
                        with source.block("if q and not p:"):
                            self._partner("+")
                        with source.block("elif p and not q:"):
                            self._partner("-")
                    source.line("continue")
                for row, key, step in (("o1", "g", "-"), ("n1", "h", "+")):
                    with source.block(f"if {row} is not None:"), ExitStack() as stack:
                        self.left.each(stack, key)
                        self.guard(stack, self._judges("r0", row))
                        self._partner(step)
            self.left.counting = False
            source.line("out = []")
            source.note(f"rows of {self.frame.name_of(0)} that found their first partner, or lost their last")
            with source.block("for k0, (r0, v) in turned.items():"), ExitStack() as stack:
                self.turn(stack)
            self.count(found="w")
            source.line("return out")

    def _partner(self, step: str) -> None:
        """A left row has a partner more or less; the first and the last turn its verdict."""
        source = self.source
        source.line(f"n = partners[k0] = partners.get(k0, 0) {step} 1")
        with source.block(f"if {'not n' if step == '-' else 'n == 1'} and turned.pop(k0, None) is None:"):
            source.line(f"turned[k0] = r0, {step == '+'}")
