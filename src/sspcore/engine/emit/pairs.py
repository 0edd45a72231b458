"""Joins of two sides as generated code: outer ones on any columns, those of a table with itself, theta joins.

Equation: Δ(L ⋈ R) = ΔL ⋈ z⁻¹I(R) + I(L) ⋈ ΔR, and for a preserved side its rows without a partner, which turn where
the count of partners crosses zero. State: the rows of a side that no table finds; with a residual the count of partners
of each preserved row. Cost: the changed rows and their partners. Owns how pairs and padded rows follow. Refuses joins
that need none of this (`rows` follows them by lookups alone).

Without a residual a row has a partner if any row of the other side has its key. So rows of the preserved side turn key
by key, and only at the end of a step: no padded row comes and goes within one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from sspcore.codegen.source import Source
from sspcore.engine.emit.expressions import tuple_of
from sspcore.engine.emit.frame import Frame
from sspcore.engine.emit.sides import Side, Sides
from sspcore.plan import nodes
from sspcore.plan.keys import is_flat, width

Names = Mapping[int, str]
"""Side → the local with its row."""


class PairsEmitter:
    """Writes `hydrate`, `change_0`, `change_1`, and `anew` where the left is all it takes.

    Example: what an order without a customer shows is `out[(k0, None)] = (r0[2], pad1[1])`.
    """

    def __init__(self, source: Source, sides: Sides, plan: nodes.Join) -> None:
        self.source, self.sides = source, sides
        self.frame = Frame(source, sides.pipe)
        self.residual, self.late = list(sides.residual), list(sides.late)
        self.preserved = plan.kind in ("left", "full"), plan.kind in ("right", "full")
        self.flat = is_flat(plan.left), is_flat(plan.right)
        self.widths = width(plan.left), width(plan.right)
        self.side = Side(source, self.frame, sides, 0), Side(source, self.frame, sides, 1)
        for side, other_preserved in zip(self.side, reversed(self.preserved), strict=True):
            if other_preserved and not self.residual and side.tests:
                side.own = True  # whether any row that passes has a key must be known
        if self.preserved[1] and self.residual:
            self.side[1].own = True  # so that each pair is counted once, also where rows arrive in slices
        self.given = 2 if self.side[1].own or self.preserved[1] else 1

    def emit(self) -> list[str]:
        """Write all functions; their names."""
        for at in (0, 1):
            self.side[at].declare()
            if self.residual and self.preserved[at]:
                self.source.note(f"how many partners a row of {self.frame.name_of(at)} has")
                self.source.line(f"partners{at} = {{}}")
        self.anew()
        self.hydrate()
        self.change(0)
        self.change(1)
        return ["hydrate", "change_0", "change_1", *([] if self.preserved[1] else ["anew"])]

    # Texts

    def key(self, *padded: int) -> str:
        """The text of the key of a pair, or of a row whose partner is missing: the side `padded`."""
        parts: list[str] = []
        for at in (0, 1):
            if at in padded:
                parts += ["None"] * self.widths[at]
            else:
                parts.append(f"*k{at}" if self.flat[at] else f"k{at}")
        return tuple_of(parts)

    def pair(self, at: int, mine: str) -> Names:
        """The names of a pair of rows, that of side `at` being given."""
        return {at: mine, 1 - at: f"r{1 - at}"}

    def padded(self, at: int, mine: str) -> Names:
        """The names of a row of side `at` and of the row of NULLs beside it."""
        return {at: mine, 1 - at: self.frame.pad(1 - at)}

    def shown(self, rows: Names) -> str:
        """The text of what a pair shows; None for one that the conditions above turn down."""
        tests = self.frame.tests(self.late, rows)
        return f"{self.frame.output(rows)} if {tests} else None" if tests else self.frame.output(rows)

    def guard(self, stack: ExitStack, test: str) -> None:
        """Open a block for rows that pass a test, if there is one."""
        if test:
            stack.enter_context(self.source.block(f"if {test}:"))

    def gives(self, key: str, old: Names | None, new: Names | None) -> None:
        """Put a change of a row that comes out into `out`."""
        source = self.source
        if old is not None and new is not None:
            source.line(f"a = {self.shown(old)}")
            source.line(f"b = {self.shown(new)}")
            with source.block(f"if {self.frame.differ('a', 'b')}:"):
                source.line(f"out.append(({key}, a, b))")
            return
        rows = old or new
        assert rows is not None
        with ExitStack() as stack:
            self.guard(stack, self.frame.tests(self.late, rows))
            shown = self.frame.output(rows)
            source.line(f"out.append(({key}, {f'{shown}, None' if new is None else f'None, {shown}'}))")

    # From scratch

    def anew(self) -> None:
        """The pairs of all left rows, and of a preserved left those without a partner."""
        source, left, right = self.source, *self.side
        with source.block("def anew(rows0):"):
            source.line("out = {}")
            with source.block("for k0, r0 in rows0.items():"), ExitStack() as outer:
                self.guard(outer, left.passing("r0"))
                source.line(f"g = {left.key('r0', True)}")
                if self.preserved[0]:
                    source.line("n = 0")
                with ExitStack() as stack:
                    rows = {0: "r0", 1: "r1"}
                    right.each(stack, "g")
                    self.guard(stack, self.frame.tests(self.residual, rows))
                    if self.preserved[0]:
                        source.line("n += 1")
                    if self.residual and self.preserved[1]:
                        source.line("partners1[k1] = partners1.get(k1, 0) + 1")
                    self.guard(stack, self.frame.tests(self.late, rows))
                    source.line(f"out[{self.key()}] = {self.frame.output(rows)}")
                if self.preserved[0]:
                    if self.residual:
                        source.line("partners0[k0] = n")
                    with source.block("if not n:"):
                        self._pad(0)
            source.line("return out")

    def _pad(self, at: int) -> None:
        """A row of a preserved side by itself."""
        rows = self.padded(at, f"r{at}")
        with ExitStack() as stack:
            self.guard(stack, self.frame.tests(self.late, rows))
            self.source.line(f"out[{self.key(1 - at)}] = {self.frame.output(rows)}")

    def hydrate(self) -> None:
        """All rows."""
        source = self.source
        with source.block(f"def hydrate({'rows0, rows1' if self.given == 2 else 'rows0'}):"):
            for at, side in enumerate(self.side):
                if side.own:
                    with source.block(f"for k{at}, r{at} in rows{at}.items():"), ExitStack() as stack:
                        self.guard(stack, side.passing(f"r{at}"))
                        source.line(f"g = {side.key(f'r{at}', True)}")
                        side.file(None, "g")
            if not self.preserved[1]:
                source.line("return anew(rows0)")
                return
            source.line("out = anew(rows0)")
            with source.block("for k1, r1 in rows1.items():"), ExitStack() as stack:
                self.guard(stack, self.side[1].passing("r1"))
                if self.residual:
                    with source.block("if not partners1.setdefault(k1, 0):"):
                        self._pad(1)
                else:
                    source.line(f"g = {self.side[1].key('r1', True)}")
                    with source.block(f"if not ({self.side[0].there('g')}):"):
                        self._pad(1)
            source.line("return out")

    # Changes

    def change(self, at: int) -> None:
        """The function that takes changes of a side."""
        source, mine, meter = self.source, self.side[at], self.frame.meter()
        turns, other = self.preserved[1 - at], self.side[1 - at]
        other.counting = bool(self.residual or self.late or other.tests)
        with source.block(f"def change_{at}(changes):"):
            source.note(f"changes of {self.frame.name_of(at)}")
            source.line("out = []")
            if other.counting:
                source.line("w = 0")
            if turns:
                source.line("turned = {}")
            with source.block(f"for k{at}, o{at}, n{at} in changes:"):
                mine.enter()
                source.line(f"g = {mine.key(f'o{at}')}")
                source.line(f"h = {mine.key(f'n{at}')}")
                if turns and not self.residual:
                    self._note_keys(at)
                mine.file("g", "h")
                with source.block(f"if o{at} is not None and n{at} is not None and (g is h or g == h):"):
                    self._stay(at)
                    source.line("continue")
                self._swap(at)
            if turns:
                self._turn(at)
            source.line(f"{meter}.rows += len(changes) + {'w' if other.counting else 'len(out)'}")
            source.line(f"{meter}.probes += 2 * len(changes)")
            source.line("return out")
        other.counting = False

    def _stay(self, at: int) -> None:
        """Both rows there, of one key: each pair changes in place."""
        source, key = self.source, self.key()
        old, new = self.pair(at, f"o{at}"), self.pair(at, f"n{at}")
        source.note("the same partners")
        if self.preserved[at]:
            source.line("m = n = 0" if self.residual else "n = 0")
        with ExitStack() as stack:
            self.side[1 - at].each(stack, "g")
            if not self.residual:
                if self.preserved[at]:
                    source.line("n += 1")
                self.gives(key, old, new)
            else:
                source.line(f"p = {self.frame.tests(self.residual, old)}")
                source.line(f"q = {self.frame.tests(self.residual, new)}")
                if self.preserved[at]:
                    source.lines("m += p", "n += q")
                with source.block("if p and q:"):
                    self.gives(key, old, new)
                with source.block("elif p:"):
                    self.gives(key, old, None)
                    self._partner(1 - at, "-")
                with source.block("elif q:"):
                    self.gives(key, None, new)
                    self._partner(1 - at, "+")
        if not self.preserved[at]:
            return
        alone = self.padded(at, f"o{at}"), self.padded(at, f"n{at}")
        if not self.residual:
            with source.block("if not n:"):
                self.gives(self.key(1 - at), *alone)
            return
        source.line(f"partners{at}[k{at}] = n")
        with source.block("if not m or not n:"):
            source.line(f"a = {_unless('m', self.shown(alone[0]))}")
            source.line(f"b = {_unless('n', self.shown(alone[1]))}")
            self._alone(at)

    def _swap(self, at: int) -> None:
        """The pairs of the old row go, those of the new one come; without any, the row stands alone."""
        source, preserved = self.source, self.preserved[at]
        if preserved:
            source.line("a = b = None")
        for row, key, name, step in ((f"o{at}", "g", "a", "-"), (f"n{at}", "h", "b", "+")):
            rows = self.pair(at, row)
            with source.block(f"if {row} is not None:"):
                if preserved:
                    source.line("n = 0")
                with ExitStack() as stack:
                    self.side[1 - at].each(stack, key)
                    self.guard(stack, self.frame.tests(self.residual, rows))
                    if preserved:
                        source.line("n += 1")
                    self._partner(1 - at, step)
                    self.gives(self.key(), *((rows, None) if step == "-" else (None, rows)))
                if preserved:
                    with source.block("if not n:"):
                        source.line(f"{name} = {self.shown(self.padded(at, row))}")
                    if self.residual and step == "+":
                        source.line(f"partners{at}[k{at}] = n")
            if preserved and self.residual and step == "+":
                with source.block("else:"):
                    source.line(f"partners{at}.pop(k{at}, None)")
        if preserved:
            self._alone(at)

    def _alone(self, at: int) -> None:
        """The change of a row without partners, from `a` to `b`."""
        with self.source.block(f"if {self.frame.differ('a', 'b')}:"):
            self.source.line(f"out.append(({self.key(1 - at)}, a, b))")

    # Rows of the other side that find their first partner, or lose their last

    def _note_keys(self, at: int) -> None:
        """Keys that come and go on this side, while the rows are filed as they were."""
        source = self.source
        with source.block("if not (g is h or g == h):"):
            for key, step in (("g", "-"), ("h", "+")):
                with source.block(f"if {key} is not None:"):
                    if not self.side[at].own:
                        source.line(f"turned[{key}] = turned.get({key}, 0) {step} 1")
                        continue
                    some = f"len(find{at}(g)) == 1" if step == "-" else f"h not in filed{at}"
                    with source.block(f"if {some} and turned.pop({key}, None) is None:"):
                        source.line(f"turned[{key}] = {step == '+'}")

    def _partner(self, at: int, step: str) -> None:
        """With a residual, a row of the other side has a partner more or less."""
        if not self.residual or not self.preserved[at]:
            return
        source = self.source
        source.line(f"c = partners{at}.get(k{at}, 0) {step} 1")
        source.line(f"partners{at}[k{at}] = c")
        with source.block(f"if {'not c' if step == '-' else 'c == 1'} and turned.pop(k{at}, None) is None:"):
            source.line(f"turned[k{at}] = r{at}, {step == '+'}")

    def _turn(self, at: int) -> None:
        """Rows of the other side that stood alone and no longer do, or the other way."""
        source, other = self.source, 1 - at
        source.note(f"rows of {self.frame.name_of(other)} that found their first partner, or lost their last")
        rows = self.padded(other, f"r{other}")
        with ExitStack() as stack:
            if self.residual:
                stack.enter_context(source.block(f"for k{other}, (r{other}, v) in turned.items():"))
            elif self.side[at].own:
                stack.enter_context(source.block("for g, v in turned.items():"))
                self.side[other].each(stack, "g")
            else:
                stack.enter_context(source.block("for g, d in turned.items():"))
                source.line(f"n = {self.side[at].count('g')}")
                source.line("v = n > 0")
                with source.block("if v is (n - d > 0):"):
                    source.line("continue")
                self.side[other].each(stack, "g")
            self.guard(stack, self.frame.tests(self.late, rows))
            source.line(f"a = {self.frame.output(rows)}")
            source.line(f"out.append(({self.key(at)}, a, None) if v else ({self.key(at)}, None, a))")


def _unless(count: str, shown: str) -> str:
    return f"None if {count} else {shown}" if " if " not in shown else f"None if {count} else ({shown})"
