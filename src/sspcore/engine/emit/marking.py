"""IN as a value as generated code: TRUE, FALSE or NULL beside a left row.

Equation: Δ(L ⊨ R) = ΔL ⊨ I(R) + I(L) ⊨ Δ verdict, and a verdict depends on the right through three signs: has the probe
a member, is there a candidate at all, is there a NULL among the members. Linear in L, not in R. State: how many right
rows there are per member, per group of candidates, and of these with NULL; the left rows, unless a table finds them.
Cost: a left change two looks; a right change the left rows that ask for its member, and those of its group when its
first candidate or first NULL comes or the last goes. Owns the three signs. Refuses residuals.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import attrs

from sspcore.codegen.source import Source
from sspcore.engine.emit import cells
from sspcore.engine.emit.membership import MembershipEmitter
from sspcore.engine.emit.sides import Matched, Side, Sides

Counts = dict[Any, int]
Turned = dict[Any, bool]


class MarkingEmitter(MembershipEmitter):
    """Writes `hydrate`, `change_0`, `change_1` and `anew` of a mark with a key.

    The keys of `sides` end in the probe and the member; what stands before tells the candidates. In the code, `g h` are
    whole keys, None where a part is NULL; `c d` are those of the candidates.
    Example: a row's verdict is `False if c not in some else None if g is None else True if g in counts else …`.
    """

    def __init__(self, source: Source, sides: Sides, plan: Matched) -> None:
        super().__init__(source, sides, plan)
        group = attrs.evolve(sides, keys=(sides.keys[0][:-1], sides.keys[1][:-1]))
        self.right.own, self.given = True, 2
        self.group = Side(source, self.frame, group, 0, "c")
        self.candidates = Side(source, self.frame, group, 1, "c")
        self.width = len(group.keys[0])
        self.more = self.write.shared("more", cells.fixed(more, "counts one more, and notes whether it is the first"))
        self.less = self.write.shared("less", cells.fixed(less, "counts one less, and notes whether it was the last"))

    def emit(self) -> list[str]:
        """Write all functions; their names."""
        source = self.source
        self.left.declare()
        self.group.declare()
        source.note(
            f"how many rows of {self.frame.name_of(1)} hold a value; how many there are; how many of them hold NULL"
        )
        source.line("counts, some, unknown = {}, {}, {}")
        self.anew()
        self.hydrate()
        self.change_left()
        self.change_right()
        return ["hydrate", "change_0", "change_1", "anew"]

    def verdict(self, key: str) -> str:
        """The text of the verdict on a whole key and the key of its candidates, as they are now."""
        group = {"g": "c", "h": "d"}[key]
        return (
            f"False if {group} not in some else None if {key} is None "
            f"else True if {key} in counts else None if {group} in unknown else False"
        )

    def _was(self) -> str:
        """The text of the verdict on `g` and `c` before what has turned did."""
        return (
            "False if (c in some) is (c in first) else None if g is None "
            "else True if (g in counts) is not (g in turned) else None if (c in unknown) is not (c in nulls) else False"
        )

    # From scratch

    def hydrate(self) -> None:
        """All rows: those of the right are counted."""
        source = self.source
        with source.block("def hydrate(rows0, rows1):"):
            source.line("turned = {}")
            with source.block("for r1 in rows1.values():"), ExitStack() as stack:
                self.guard(stack, self.right.passing("r1"))
                source.line(f"h = {self.right.key('r1', True)}")
                source.line(f"d = {self.candidates.key('r1', True)}")
                with source.block("if d is not None:"):
                    source.line(f"{self.more}(some, turned, d)")
                    source.line(f"{self.more}(unknown if h is None else counts, turned, d if h is None else h)")
            if self.left.own or self.group.own:
                with source.block("for k0, r0 in rows0.items():"), ExitStack() as stack:
                    self.guard(stack, self.left.passing("r0"))
                    source.line(f"h = {self.left.key('r0', True)}")
                    source.line(f"d = {self.group.key('r0', True)}")
                    self.left.file(None, "h")
                    self.group.file(None, "d")
            source.line("return anew(rows0)")

    def judge(self) -> str:
        """What it takes to judge the left row `r0` from scratch; the text of the verdict on it."""
        self._keys("g", "c", "r0", True)
        return self.verdict("g")

    def _keys(self, key: str, group: str, row: str, there: bool = False) -> None:
        self.source.line(f"{key} = {self.left.key(row, there)}")
        self.source.line(f"{group} = {self.group.key(row, there)}")

    # Changes

    def keys(self) -> None:
        """The keys of a left row: `g` and `c` it had, `h` and `d` it has."""
        self._keys("g", "c", "o0")
        self._keys("h", "d", "n0")

    def file(self) -> None:
        """A left row goes from where it was filed to where it is found now."""
        self.left.file("g", "h")
        self.group.file("c", "d")

    def change_right(self) -> None:
        """The function that takes changes of the right: left rows whose verdict they turn."""
        source = self.source
        with source.block("def change_1(changes):"):
            source.note(f"changes of {self.frame.name_of(1)}")
            source.line("turned, first, nulls = {}, {}, {}")
            with source.block("for k1, o1, n1 in changes:"):
                self.right.enter()
                for key, group, row in (("g", "c", "o1"), ("h", "d", "n1")):
                    source.line(f"{key} = {self.right.key(row)}")
                    source.line(f"{group} = {self.candidates.key(row)}")
                with source.block("if (c is d or c == d) and (g is h or g == h):"):
                    source.line("continue")
                for key, group, count in (("g", "c", self.less), ("h", "d", self.more)):
                    with source.block(f"if {group} is not None:"):
                        source.line(f"{count}(some, first, {group})")
                        with source.block(f"if {key} is None:"):
                            source.line(f"{count}(unknown, nulls, {group})")
                        with source.block("else:"):
                            source.line(f"{count}(counts, turned, {key})")
            source.line("out = []")
            source.note("all that look among candidates of which there are some now, or none, or the first or no NULL")
            source.line("whole = first | nulls")
            with source.block("for c in whole:"), ExitStack() as stack:
                self.group.each(stack, "c")
                source.line(f"g = {self.left.key('r0', True)}")
                source.line(f"u = {self._was()}")
                source.line(f"v = {self.verdict('g')}")
                stack.enter_context(source.block("if u is not v:"))
                self.turns("u", "v")
            source.note("those that look for a value that came or went")
            with source.block("for g in turned:"), ExitStack() as stack:
                source.line(f"c = {'()' if not self.width else 'g[0]' if self.width == 1 else f'g[:{self.width}]'}")
                source.line(f"u = {self._was()}")
                source.line(f"v = {self.verdict('g')}")
                with source.block("if c in whole or u is v:"):
                    source.line("continue")
                self.left.each(stack, "g")
                self.turns("u", "v")
            self.count(found="len(out)")
            source.line("return out")


def more(counts: Counts, turned: Turned, key: Any) -> None:
    """One more of a key; the first turns it, back to what it was or to another.

    >>> counts, turned = {}, {}
    >>> more(counts, turned, "AA"), less(counts, turned, "AA"), more(counts, turned, "UA")
    (None, None, None)
    >>> counts, turned
    ({'UA': 1}, {'UA': True})
    """
    count = counts.get(key, 0) + 1
    counts[key] = count
    if count == 1 and turned.pop(key, None) is None:
        turned[key] = True


def less(counts: Counts, turned: Turned, key: Any) -> None:
    """One less of a key; the last turns it."""
    count = counts[key] - 1
    if count:
        counts[key] = count
        return
    del counts[key]
    if turned.pop(key, None) is None:
        turned[key] = False
