"""Rows: the functions of a pipe that gives rows: filter, projection, and joins as delta queries.

Owns what a change of one leaf means for the rows that come out. Refuses to hold rows: a changed row finds its partners
in the tables and arrangements as they are (Equation: Δ(A ⋈ B) = ΔA ⋈ B + A ⋈ ΔB, one table changing after the other).
Linearity: linear in each leaf. State: none. Cost: the changed rows and their partners.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import ClassVar, Final

from sspcore.codegen.source import Source
from sspcore.engine.emit import cells
from sspcore.engine.emit.expressions import bracketed, tuple_of
from sspcore.engine.emit.frame import Frame, Rows
from sspcore.engine.emit.pipe import Lookup, Pipe, lookups
from sspcore.engine.operators.base import net
from sspcore.plan.expressions import Expression

Write = Callable[[], None]
MOST_COMPARED: Final = 6
"""Columns compared before partners are looked for: most changes are of columns that a join does not read."""


class RowsEmitter:
    """Writes the functions of a pipe: `hydrate`, and `change_0`, `change_1`, … one per leaf.

    With `single`, which a pipe of one leaf may have, also `row`, for one change alone, which somebody else counts.
    Example: with one leaf, the rows of `late` are written as `{k0: (r0[3],) for k0, r0 in rows0.items() if …}`.
    """

    given: ClassVar[int] = 1
    """The inputs whose rows `hydrate` takes, the first so many."""

    def __init__(self, source: Source, pipe: Pipe, single: bool = False) -> None:
        self.single = single
        self.frame = Frame(source, pipe)
        self.source = source
        self.pipe = pipe
        self.several = len(pipe.leaves) > 1

    def emit(self) -> list[str]:
        """Write all functions; their names, `hydrate` first."""
        self.hydrate()
        changes = [self.change(at) for at in range(len(self.pipe.leaves))]
        if self.single and not self.several:
            changes.append(self.row())
        return ["hydrate", *changes]

    # From scratch

    def hydrate(self) -> None:
        """All rows, out of those of the first leaf."""
        source, frame = self.source, self.frame
        with source.block("def hydrate(rows0):"):
            if not self.several:
                tests = frame.tests(self.conditions(0), {0: "r0"})
                self.explain(self.conditions(0))
                condition = f" if {tests}" if tests else ""
                source.line(f"return {{k0: {frame.output({0: 'r0'})} for k0, r0 in rows0.items(){condition}}}")
                return
            source.line("out = {}")
            with source.block("for k0, r0 in rows0.items():"), ExitStack() as stack:
                rows = {0: "r0"}
                self.guard(stack, frame.local[0], rows)
                self.follow(stack, self.steps(0), rows)
                self.guard(stack, frame.late, rows)
                source.line(f"out[{frame.key()}] = {frame.output(rows)}")
            source.line("return out")

    # Changes

    def change(self, at: int) -> str:
        """The function that takes the changes of a leaf; its name."""
        source, frame, leaf = self.source, self.frame, self.pipe.leaves[at]
        name = f"change_{at}"
        with source.block(f"def {name}(changes):"):
            source.note(f"changes of {frame.name_of(at)}")
            source.line("out = []")
            with source.block(f"for k{at}, o{at}, n{at} in changes:"):
                if leaf.optional:
                    self._optional(at)
                elif self.several:
                    self._joined(at)
                else:
                    self._alone("out.append((k0, a, b))")
            self.count(at)
            source.line("return out")
        return name

    def count(self, at: int) -> None:
        """The meter: rows read, rows given, and lookups."""
        meter = self.frame.meter()
        if self.several:
            self.source.line(f"{meter}.rows += len(changes) + len(out)")
            others = len(self.pipe.leaves) - 1
            self.source.line(f"{meter}.probes += {f'{others} * ' if others > 1 else ''}len(changes)")
        else:
            self.source.line(f"{meter}.rows += len(changes)")

    def row(self) -> str:
        """The function that takes one change of the one leaf, and gives that of its output row, or None."""
        with self.source.block("def row(change):"):
            self.source.line("k0, o0, n0 = change")
            self._alone("return k0, a, b")
            self.source.line("return None")
        return "row"

    def _alone(self, give: str) -> None:
        """One leaf: a change of it is a change of one row, which may enter, leave or change."""
        source, frame = self.source, self.frame
        self.explain(self.conditions(0))
        for name, row in (("a", "o0"), ("b", "n0")):
            env = frame.read({0: row})
            tests = [bracketed(frame.expressions.test(test, env)) for test in self.conditions(0)]
            there = " and ".join([f"{row} is not None", *tests])
            source.line(f"{name} = {frame.output({0: row})} if {there} else None")
        with source.block("if a is not b:" if frame.passes else f"if {frame.differ('a', 'b')}:"):
            source.line(give)

    def _where(self, test: str, then: Write) -> None:
        if not test:
            then()
            return
        with self.source.block(f"if {test}:"):
            then()

    def gives(self, old: Rows | None, new: Rows | None) -> None:
        """Put the change of one output row into `out`; None where there is no old or new one."""
        source, frame, key = self.source, self.frame, self.frame.key()
        if old is None or new is None:
            was = "None" if old is None else frame.output(old)
            now = "None" if new is None else frame.output(new)
            source.line(f"out.append(({key}, {was}, {now}))")
        else:
            source.line(f"a = {frame.output(old)}")
            source.line(f"b = {frame.output(new)}")
            with source.block(f"if {frame.differ('a', 'b')}:"):
                source.line(f"out.append(({key}, a, b))")

    # Joins

    def steps(self, start: int) -> Sequence[Lookup]:
        """The lookups that follow a row of a leaf."""
        found = lookups(self.pipe, start)
        assert found is not None  # or the join would not be a pipe
        return found

    def _joined(self, at: int) -> None:
        """A leaf that is always there: partners that stay are met once, with the old row and the new."""
        source, frame, steps = self.source, self.frame, self.steps(at)
        old, new = {at: f"o{at}"}, {at: f"n{at}"}
        local, read = frame.local[at], frame.read_of(at)
        if 0 < len(read) <= MOST_COMPARED and len(read) < len(self.pipe.leaves[at].names) - 1:
            same = frame.unchanged(read, f"o{at}", f"n{at}")
            with source.block(f"if o{at} is not None and n{at} is not None and {same}:"):
                source.line("continue")
        if local:
            self.explain(local)
            with source.block(f"if o{at} is not None and not ({frame.tests(local, old)}):"):
                source.line(f"o{at} = None")
            with source.block(f"if n{at} is not None and not ({frame.tests(local, new)}):"):
                source.line(f"n{at} = None")
        with source.block(f"if o{at} is not None and n{at} is not None:"), ExitStack() as stack:
            self._same_partners(stack, at, steps)
        padded = any(leaf.optional for leaf in self.pipe.leaves)
        if padded:
            source.line("start = len(out)")
        with source.block(f"if o{at} is not None:"), ExitStack() as stack:
            self.follow(stack, steps, old)
            self.guard(stack, frame.late, old)
            self.gives(old, None)
        with source.block(f"if n{at} is not None:"), ExitStack() as stack:
            self.follow(stack, steps, new)
            self.guard(stack, frame.late, new)
            self.gives(None, new)
        if padded:
            net_of = frame.expressions.shared("net", cells.fixed(net, "one change per key"))
            with source.block("if len(out) > start + 1:"):
                source.note("without a partner before and after: the same key")
                source.line(f"out[start:] = {net_of}(out[start:])")

    def _same_partners(self, stack: ExitStack, at: int, steps: Sequence[Lookup]) -> None:
        """Both rows there, looking for the same partners: each pair changes in place."""
        source, frame = self.source, self.frame
        old, new = {at: f"o{at}"}, {at: f"n{at}"}
        moving = [step for step in steps if not frame.steady(step, at)]
        parts = []
        for step in moving:
            a, b = source.fresh("a"), source.fresh("b")
            # what other leaves bring to the lookup is the same, as long as what this one brings is
            source.line(f"{a} = {frame.wanted(step, old, at)}")
            source.line(f"{b} = {frame.wanted(step, new, at)}")
            parts.append(f"({a} is {b} or {a} == {b})")
        for column in frame.checked(steps, at):
            a, b = source.fresh("a"), source.fresh("b")
            source.line(f"{a} = {frame.key_of(column, old)}")
            source.line(f"{b} = {frame.key_of(column, new)}")
            parts.append(f"({a} is {b} or {a} == {b})")
        if parts:
            stack.enter_context(source.block(f"if {' and '.join(parts)}:"))
        with ExitStack() as inner:
            self.follow(inner, steps, new)
            others = {leaf: row for leaf, row in new.items() if leaf != at}
            self._both(old | others, new)
        source.line("continue")

    def _both(self, old: Rows, new: Rows) -> None:
        """The change of one combination of rows, each version subject to the late conditions."""
        source, frame = self.source, self.frame
        if not frame.late:
            self.gives(old, new)
            return
        with source.block(f"if {frame.tests(frame.late, old)}:"):
            with source.block(f"if {frame.tests(frame.late, new)}:"):
                self.gives(old, new)
            with source.block("else:"):
                self.gives(old, None)
        with source.block(f"elif {frame.tests(frame.late, new)}:"):
            self.gives(None, new)

    def _optional(self, at: int) -> None:
        """The right side of a LEFT JOIN: the rows that name this id had no partner, or have none any more."""
        source, frame, leaf, pad = self.source, self.frame, self.pipe.leaves[at], self.frame.pad(at)
        own = list(leaf.own)
        self.explain(own)
        for name in (f"o{at}", f"n{at}"):
            fails = f" or not ({frame.tests(own, {at: name})})" if own else ""
            with source.block(f"if {name} is None{fails}:"):
                source.line(f"{name} = {pad}")
        with source.block(f"if o{at} is {pad} and n{at} is {pad}:"):
            source.line("continue")
        source.line(f"i{at} = k{at}")
        with ExitStack() as stack:
            rows = {at: f"n{at}"}
            steps = self.steps(at)
            self.follow(stack, steps, rows, key=self._id_by(steps[0], at))
            old = rows | {at: f"o{at}"}
            with source.block(f"if o{at} is {pad} or n{at} is {pad}:"):
                for side, name in ((old, f"o{at}"), (rows, f"n{at}")):
                    source.line(f"k{at} = None if {name} is {pad} else i{at}")
                    self._where(
                        frame.tests(frame.late, side),
                        lambda s=side: self.gives(s, None) if s is old else self.gives(None, s),  # type: ignore[misc]
                    )
            with source.block("else:"):
                source.line(f"k{at} = i{at}")
                self._both(old, rows)

    def _id_by(self, step: Lookup, at: int) -> str:
        """The id of an optional leaf, in the order in which a lookup takes its parts."""
        leaf = self.pipe.leaves[at]
        if len(leaf.id_columns) == 1:
            return f"i{at}"
        return tuple_of([f"i{at}[{leaf.id_columns.index(column - leaf.offset)}]" for column in step.by])

    def follow(self, stack: ExitStack, steps: Sequence[Lookup], rows: dict[int, str], key: str = "") -> None:
        """Open the blocks in which every other leaf's row is at hand; their names are put into `rows`."""
        source, frame = self.source, self.frame
        for step in steps:
            at = step.leaf
            leaf, find, wanted = self.pipe.leaves[at], frame.find(step), key or frame.wanted(step, rows)
            key = ""
            rows[at] = f"r{at}"
            conditions = list(leaf.own) if leaf.optional else frame.conditions(step)
            source.note(f"{frame.name_of(at)} by {', '.join(frame.columns(step))}")
            if leaf.optional:
                pad = frame.pad(at)
                source.line(f"k{at} = {wanted}")
                source.line(f"r{at} = {find}(k{at}, {pad})")
                self.explain(conditions)
                fails = f" or not ({frame.tests(conditions, rows)})" if conditions else ""
                with source.block(f"if r{at} is {pad}{fails}:"):
                    source.line(f"k{at} = None")
                    if conditions:
                        source.line(f"r{at} = {pad}")
            elif step.is_id:
                source.line(f"k{at} = {wanted}")
                source.line(f"r{at} = {find}(k{at})")
                stack.enter_context(source.block(f"if r{at} is not None:"))
                self.guard(stack, conditions, rows)
            else:
                bucket = f"{find}({wanted}, {frame.empty()})"
                stack.enter_context(source.block(f"for k{at}, r{at} in {bucket}.items():"))
                self.guard(stack, conditions, rows)

    def guard(self, stack: ExitStack, conditions: Sequence[Expression], rows: Rows) -> None:
        """Open a block for the rows that fulfil the conditions."""
        if conditions:
            self.explain(conditions)
            stack.enter_context(self.source.block(f"if {self.frame.tests(list(conditions), rows)}:"))

    def conditions(self, at: int) -> list[Expression]:
        """The conditions on a leaf that stands alone."""
        return [*self.frame.local[at], *self.frame.late]

    def explain(self, conditions: Sequence[Expression]) -> None:
        """Note the conditions for readers."""
        if conditions:
            self.source.note(" and ".join([self.frame.words(c) for c in conditions]))
