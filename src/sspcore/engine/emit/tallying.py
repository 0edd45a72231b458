"""IN as a value, with a residual condition, as generated code: each left row tallies what its candidates amount to.

Equation and linearity as in `marking`. State: per left row how many candidates there are, how many hold the value it
asks for, how many NULL; the rows of a side that no table finds. Cost: a left change the right rows of its key, a right
change the left rows of its key. Owns the tally.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import ClassVar

import attrs

from sspcore.codegen.source import Source
from sspcore.engine.emit import cells
from sspcore.engine.emit.judging import JudgingEmitter
from sspcore.engine.emit.sides import Matched, Sides


class TallyingEmitter(JudgingEmitter):
    """Writes `hydrate`, `change_0`, `change_1` and `anew` of a mark with a key and a residual.

    The keys of `sides` end in the probe and the member. In the code `t` is a row's tally, `p` its probe, `m` a member.
    Example: a row's verdict is `True if t[1] else None if t[0] and (p is None or t[2]) else False`.
    """

    kept: ClassVar[str] = "of a row of {}: how many candidates, how many of them hold its value, how many NULL"

    def __init__(self, source: Source, sides: Sides, plan: Matched) -> None:
        self.probe, self.member = sides.keys[0][-1], sides.keys[1][-1]
        keys = sides.keys[0][:-1], sides.keys[1][:-1]
        super().__init__(source, attrs.evolve(sides, keys=keys, asked=(self.probe, self.member)), plan)
        self.found = "True if t[1] else None if t[0] and (p is None or t[2]) else False"
        self.nothing = self.write.shared("nothing", cells.fixed((0, 0, 0), "the tally of a row that is not there"))

    def forget(self) -> str:
        """Take the tally of a left row that goes or changes; the text of the verdict on it."""
        self.source.line(f"t = partners.pop(k0, {self.nothing})")
        self.source.line(f"p = {self.left.part(self.probe, 'o0')} if o0 is not None else None")
        return self.found

    def ask(self, row: str) -> str:
        """Ask all right rows of key `h` for a left row; the text of the verdict on it."""
        source = self.source
        source.line(f"p = {self.left.part(self.probe, row)}")
        source.line("t = partners[k0] = [0, 0, 0]")
        with ExitStack() as stack:
            self.right.each(stack, "h")
            self.guard(stack, self._judges(row, "r1"))
            self._count_member("r1", "+")
        return self.found

    def _count_member(self, row: str, step: str) -> None:
        """A candidate more or less in the tally `t` of a row that asks for `p`."""
        source = self.source
        source.line(f"t[0] {step}= 1")
        source.line(f"m = {self.right.part(self.member, row)}")
        with source.block("if m is None:"):
            source.line(f"t[2] {step}= 1")
        with source.block("elif m is p or m == p:"):
            source.line(f"t[1] {step}= 1")

    def change_right(self) -> None:
        """The function that takes changes of the right: left rows find a candidate more, or one less."""
        source = self.source
        with source.block("def change_1(changes):"):
            source.note(f"changes of {self.frame.name_of(1)}")
            source.line("touched = {}")
            source.line("w = 0")
            self.left.counting = True
            with source.block("for k1, o1, n1 in changes:"):
                self.right.enter()
                source.line(f"g = {self.right.key('o1')}")
                source.line(f"h = {self.right.key('n1')}")
                self.right.file("g", "h")
                for row, key, step in (("o1", "g", "-"), ("n1", "h", "+")):
                    with source.block(f"if {row} is not None:"), ExitStack() as stack:
                        self.left.each(stack, key)
                        self.guard(stack, self._judges("r0", row))
                        source.line("t = partners.get(k0)")
                        stack.enter_context(source.block("if t is not None:"))
                        source.line(f"p = {self.left.part(self.probe, 'r0')}")
                        with source.block("if k0 not in touched:"):
                            source.line(f"touched[k0] = r0, ({self.found})")
                        self._count_member(row, step)
            self.left.counting = False
            source.line("out = []")
            source.note(f"rows of {self.frame.name_of(0)} whose candidates are others")
            with source.block("for k0, (r0, u) in touched.items():"), ExitStack() as stack:
                source.line("t = partners[k0]")
                source.line(f"p = {self.left.part(self.probe, 'r0')}")
                source.line(f"v = {self.found}")
                stack.enter_context(source.block("if u is not v:"))
                self.turns("u", "v")
            self.count(found="w")
            source.line("return out")
