"""EXISTS and IN as generated code: a left row shows, or is marked, by whether any right row has its key.

Equation: Δ(L ⋉ R) = ΔL ⋉ I(R) + I(L) ⋉ Δ sign(count of partners). Linearity: linear in L, neither in R. State: how
many right rows have a key, unless a table says so; the left rows by key, unless a table finds them. Cost: a left change
one look; a right change two, and the left rows of its key when the first partner comes or the last goes. Owns what a
verdict means for a row. Refuses verdicts that may be NULL (`marking`) and those that depend on pairs (`judging`).
"""

from __future__ import annotations

from contextlib import ExitStack

from sspcore.codegen.source import Source
from sspcore.engine.emit.expressions import Environment, bracketed
from sspcore.engine.emit.frame import Frame
from sspcore.engine.emit.sides import Side, Sides, both
from sspcore.plan import nodes
from sspcore.plan.expressions import Column


class MembershipEmitter:
    """Writes `hydrate`, `change_0`, `change_1` and `anew` of a semi-join, an anti-join, or a mark without a key.

    Example: flights of known airlines are `{k0: r0 for k0, r0 in rows0.items() if r0[1] in index1}`.
    """

    def __init__(self, source: Source, sides: Sides, plan: nodes.SemiJoin | nodes.AntiJoin | nodes.Mark) -> None:
        self.source, self.sides = source, sides
        self.frame = Frame(source, sides.pipe)
        self.write = self.frame.expressions
        self.left, self.right = (Side(source, self.frame, sides, at) for at in (0, 1))
        self.wanted = None if isinstance(plan, nodes.Mark) else isinstance(plan, nodes.SemiJoin)
        """The verdict with which a row shows; None: it shows with its verdict."""
        if self.right.tests:
            self.right.own = True  # how many rows pass must be counted
        self.given = 2 if self.right.own else 1

    def emit(self) -> list[str]:
        """Write all functions; their names."""
        source = self.source
        self.left.declare()
        if self.right.own:
            source.note(f"how many rows of {self.frame.name_of(1)} have a key")
            source.line("counts = {}")
            source.line("seek = counts.get")
        self.anew()
        self.hydrate()
        self.change_left()
        self.change_right()
        return ["hydrate", "change_0", "change_1", "anew"]

    # Verdicts

    def verdict(self, key: str) -> str:
        """The text of whether any right row has a key."""
        return f"{key} in counts" if self.right.own else self.right.there(key)

    def env(self, row: str, verdict: str = "None") -> Environment:
        """Columns of the left as cells of a row; that of the verdict as the text of it."""
        read = self.frame.read({0: row})
        return lambda column: verdict if column == self.sides.verdict else read(column)

    def output(self, row: str, verdict: str = "None") -> str:
        """The text of what a left row shows."""
        width = len(self.sides.pipe.leaves[0].names)
        outputs = self.sides.pipe.outputs
        if outputs == tuple([Column(at) for at in range(width)]):
            return row
        if outputs == tuple([Column(at) for at in (*range(width), self.sides.verdict)]):
            return f"(*{row}, {verdict})"
        return self.write.row(outputs, self.env(row, verdict))

    def late(self, row: str, verdict: str) -> str:
        """The text of whether a left row with a verdict shows; empty: it does."""
        return both([self.write.test(test, self.env(row, verdict)) for test in self.sides.late])

    def shows(self, name: str, row: str, found: str) -> None:
        """Into a local, what a left row with a verdict shows; None for nothing, and where there is no row."""
        source = self.source
        there = f"{row} is not None"
        if self.wanted is not None:
            test = both([there, found if self.wanted else f"not {bracketed(found)}", self.late(row, "None")])
            source.line(f"{name} = {self.output(row)} if {test} else None")
            return
        source.line(f"{name} = None")
        with source.block(f"if {there}:"):
            source.line(f"v = {found}")
            test = self.late(row, "v")
            source.line(f"{name} = {self.output(row, 'v')}" + (f" if {test} else None" if test else ""))

    # From scratch

    def hydrate(self) -> None:
        """All rows, out of those of the left, and of the right where its rows must be counted."""
        source = self.source
        with source.block(f"def hydrate({'rows0, rows1' if self.given == 2 else 'rows0'}):"):
            if self.given == 2:
                with source.block("for r1 in rows1.values():"), ExitStack() as stack:
                    self.guard(stack, self.right.passing("r1"))
                    source.line(f"g = {self.right.key('r1', True)}")
                    with source.block("if g is not None:"):
                        source.line("counts[g] = seek(g, 0) + 1")
            if self.left.own:
                with source.block("for k0, r0 in rows0.items():"), ExitStack() as stack:
                    self.guard(stack, self.left.passing("r0"))
                    source.line(f"g = {self.left.key('r0', True)}")
                    self.left.file(None, "g")
            source.line("return anew(rows0)")

    def guard(self, stack: ExitStack, test: str) -> None:
        """Open a block for rows that pass a test, if there is one."""
        if test:
            stack.enter_context(self.source.block(f"if {test}:"))

    def anew(self) -> None:
        """What all left rows show, the right being as it is."""
        source = self.source
        with source.block("def anew(rows0):"):
            test = self.left.passing("r0")
            if self.wanted is not None:
                found = self.judge()
                tests = both([test, found if self.wanted else f"not {bracketed(found)}", self.late("r0", "None")])
                source.line(f"return {{k0: {self.output('r0')} for k0, r0 in rows0.items() if {tests}}}")
                return
            source.line("out = {}")
            with source.block("for k0, r0 in rows0.items():"), ExitStack() as stack:
                self.guard(stack, test)
                source.line(f"v = {self.judge()}")
                self.guard(stack, self.late("r0", "v"))
                source.line(f"out[k0] = {self.output('r0', 'v')}")
            source.line("return out")

    def judge(self) -> str:
        """What it takes to judge the left row `r0` from scratch; the text of the verdict on it."""
        return self.verdict(bracketed(self.left.key("r0", True)))

    # Changes

    def change_left(self) -> None:
        """The function that takes changes of the left."""
        source = self.source
        with source.block("def change_0(changes):"):
            source.note(f"changes of {self.frame.name_of(0)}")
            source.line("out = []")
            with source.block("for k0, o0, n0 in changes:"):
                self.left.enter()
                self.keys()
                self.shows("a", "o0", self.verdict("g"))
                self.shows("b", "n0", self.verdict("h"))
                self.file()
                with source.block(f"if {self.differ()}:"):
                    source.line("out.append((k0, a, b))")
            self.count()
            source.line("return out")

    def keys(self) -> None:
        """The keys of a left row: `g` it had, `h` it has."""
        self.source.line(f"g = {self.left.key('o0')}")
        self.source.line(f"h = {self.left.key('n0')}")

    def file(self) -> None:
        """A left row goes from where it was filed to where it is found now."""
        self.left.file("g", "h")

    def differ(self) -> str:
        """The text of whether `a` and `b`, of which either may be None, differ."""
        return "a is not b" if self.output("r") == "r" else self.frame.differ("a", "b")

    def change_right(self) -> None:
        """The function that takes changes of the right: they turn the verdict of keys, and so of left rows."""
        source = self.source
        with source.block("def change_1(changes):"):
            source.note(f"changes of {self.frame.name_of(1)}")
            source.line("turned = {}")
            with source.block("for k1, o1, n1 in changes:"):
                self.right.enter()
                source.line(f"g = {self.right.key('o1')}")
                source.line(f"h = {self.right.key('n1')}")
                with source.block("if g is h or g == h:"):
                    source.line("continue")
                if self.right.own:
                    self._count()
                else:
                    for key, step in (("g", "-"), ("h", "+")):
                        with source.block(f"if {key} is not None:"):
                            source.line(f"turned[{key}] = turned.get({key}, 0) {step} 1")
            source.line("out = []")
            with source.block(f"for g, {'v' if self.right.own else 'd'} in turned.items():"):
                if not self.right.own:
                    source.note("as many rows have the key now, as many had it")
                    source.line(f"n = {self.right.count('g')}")
                    source.line("v = n > 0")
                    with source.block("if v is (n - d > 0):"):
                        source.line("continue")
                source.note(f"rows of {self.frame.name_of(0)} with the key")
                with ExitStack() as stack:
                    self.left.each(stack, "g")
                    self.turn(stack)
            self.count(found="len(out)")
            source.line("return out")

    def _count(self) -> None:
        """Count a key less and another more; note those that nobody has any more, or somebody has now."""
        source = self.source
        for key, step in (("g", "-"), ("h", "+")):
            with source.block(f"if {key} is not None:"):
                source.line("n = counts[g] - 1" if step == "-" else "n = seek(h, 0) + 1")
                if step == "-":
                    with source.block("if n:"):
                        source.line("counts[g] = n")
                    with source.block("else:"):
                        source.line("del counts[g]")
                        self._note("g", False)
                else:
                    source.line("counts[h] = n")
                    with source.block("if n == 1:"):
                        self._note("h", True)

    def _note(self, key: str, verdict: bool) -> None:
        """A key's verdict turns: back to what it was, or to another."""
        with self.source.block(f"if turned.pop({key}, None) is None:"):
            self.source.line(f"turned[{key}] = {verdict}")

    def turn(self, stack: ExitStack) -> None:
        """A left row whose verdict is `v` and was not."""
        source = self.source
        if self.wanted is not None:
            self.guard(stack, self.late("r0", "None"))
            shown = self.output("r0")
            come, go = f"(k0, None, {shown})", f"(k0, {shown}, None)"
            source.line(f"out.append({come if self.wanted else go} if v else {go if self.wanted else come})")
            return
        columns = [e.index for e in self.sides.pipe.outputs if isinstance(e, Column)]
        if not self.sides.late and self.sides.verdict in columns:
            source.line(f"out.append((k0, {self.output('r0', 'not v')}, {self.output('r0', 'v')}))")
            return
        self.turns("(not v)", "v")

    def turns(self, old: str, new: str) -> None:
        """A left row whose verdict was one and is another: what it shows may be something else."""
        source = self.source
        for name, verdict in (("a", old), ("b", new)):
            test = self.late("r0", verdict)
            source.line(f"{name} = {self.output('r0', verdict)}" + (f" if {test} else None" if test else ""))
        with source.block(f"if {self.differ()}:"):
            source.line("out.append((k0, a, b))")

    def count(self, found: str = "") -> None:
        """The meter: rows read, rows found, and lookups."""
        meter = self.frame.meter()
        self.source.line(f"{meter}.rows += len(changes){f' + {found}' if found else ''}")
        self.source.line(f"{meter}.probes += 2 * len(changes)")
