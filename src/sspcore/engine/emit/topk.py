"""Top-k as generated code: each changed row's place in the order, compared with the floor of a window.

Equation: Δ(top R) = top(I(ΔR)) − z⁻¹top(I(ΔR)). State: the best rows only (`window`). Cost: two entries and two
comparisons for a change beyond the floor; O(log window) for others; all rows of the input for a refill. Refuses to know
what an entry looks like (`entries`), and what becomes of one (`window`).
"""

from __future__ import annotations

from typing import ClassVar, Final

import attrs

from sspcore.codegen.source import Source
from sspcore.engine.emit.cells import Binding, Recipe
from sspcore.engine.emit.entries import entry, plain_part
from sspcore.engine.emit.frame import Frame
from sspcore.engine.emit.pipe import Pipe
from sspcore.engine.emit.window import Window
from sspcore.engine.explain import describe
from sspcore.engine.operators.build import count_of
from sspcore.plan import nodes
from sspcore.plan.expressions import Column, Expression, bind, columns_read
from sspcore.plan.nodes import OrderTerm

MOST_COMPARED: Final = 6
"""Columns compared before a change is looked at."""

EVERY_ROW: Final = 2**60
"""As many rows as a window without a limit may hold."""


@attrs.frozen
class Ordering:
    """What is ordered by, over the pipe's row, and the window; `plan` is for readers."""

    terms: tuple[OrderTerm, ...]
    plan: nodes.TopK


class TopKEmitter:
    """Writes the functions of a top-k over a pipe of one leaf: its change function, and those of its window."""

    given: ClassVar[int] = 1
    """The inputs whose rows `hydrate` takes, the first so many."""

    def __init__(self, source: Source, pipe: Pipe, ordering: Ordering) -> None:
        self.source = source
        self.frame = Frame(source, pipe)
        self.write = self.frame.expressions
        self.ordering = ordering
        self.tests = [*self.frame.local[0], *self.frame.late]

    def emit(self) -> list[str]:
        """Write all functions; their names."""
        source = self.source
        source.note(describe(self.ordering.plan))
        if self.tests:
            source.note("rows where " + " and ".join([self.frame.words(test) for test in self.tests]))
        window = self.write.shared("window", Recipe(self._window, about="the best rows in order, down to a floor"))
        self.place()
        self.output()
        self.collect()
        source.line(f"{window}.reads(place, output, collect)")
        self.change()
        source.line(f"hydrate = {window}.hydrate")
        source.line(f"value = {window}.value")
        return ["hydrate", "change_0", "value", window, *self.idle()]

    def _window(self, binding: Binding) -> Window:
        plan = self.ordering.plan
        limit, offset = [
            None if bound is None else count_of(bind(bound, binding.params), word)
            for bound, word in ((plan.limit, "LIMIT"), (plan.offset, "OFFSET"))
        ]
        lo = offset or 0
        return Window(lo, EVERY_ROW if limit is None else lo + limit, binding.source, binding.meter)

    def place(self) -> None:
        """The function from a row to its entry."""
        with self.source.block("def place(k0, r0):"):
            self.source.note("where a row stands: sorts as ORDER BY says, ties by key")
            self.source.line(f"return {self._entry('k0', 'r0')}")

    def _entry(self, key: str, row: str) -> str:
        return entry(self.frame, self.ordering.terms, key, row)

    def output(self) -> None:
        """The function from a row to what it shows."""
        with self.source.block("def output(r0):"):
            self.source.line(f"return {self.frame.output({0: 'r0'})}")

    def collect(self) -> None:
        """The function from all rows to the entries of those that qualify."""
        tests = self.frame.tests(self.tests, {0: "r0"})
        with self.source.block("def collect(rows0):"):
            condition = f" if {tests}" if tests else ""
            self.source.line(f"return [{self._entry('k0', 'r0')} for k0, r0 in rows0.items(){condition}]")

    def change(self) -> None:
        """The visible rows that a change of the input turns."""
        source, window = self.source, "window"
        with source.block("def change_0(changes):"):
            with source.block("for k0, o0, n0 in changes:"):
                self._unread()
                self._places()
                source.line(f"floor = {window}.floor")
                with source.block("if floor is not None:"):
                    source.note("beyond the floor nothing is kept")
                    with source.block("if gone is not None and gone > floor:"):
                        source.line("gone = None")
                    with source.block("if come is not None and come > floor:"):
                        source.line("come = None")
                with source.block("if gone is None:"), source.block("if come is not None:"):
                    source.line(f"{window}.enter(k0, come, n0)")
                with source.block("elif come is None:"):
                    source.line(f"{window}.leave(k0, gone)")
                with source.block("elif gone is come or gone == come:"):
                    source.line(f"{window}.stay(k0, come, n0)")
                with source.block("else:"):
                    source.line(f"{window}.move(k0, gone, come, n0)")
            source.line(f"{self.frame.meter()}.rows += len(changes)")
            source.line(f"return {window}.finish()")

    def idle(self) -> list[str]:
        """The function that says of a row that it was and is beyond the floor by the first term, and counts it then."""
        source, terms = self.source, self.ordering.terms
        orders = bool(terms) and all(isinstance(term.expression, Column) for term in terms)
        if not orders or not all(map(self.frame.silent, self.tests)):
            return []
        term = terms[0]
        tests = []
        for row in ("n0", "o0"):
            v = source.fresh("v")
            found = plain_part(self.write.kind(term.expression), term.descending, v)
            if found is None:
                return []
            guard, parts = found
            tests.append(
                guard.replace(v, f"({v} := {self.write.value(term.expression, self.frame.read({0: row}))})", 1)
            )
            tests.append(f"{parts[-1]} > floor[{len(parts) - 1}]")
        ranks = [f"floor[{at}] == {part}" for at, part in enumerate(parts[:-1])]
        with source.block("def idle(o0, n0):"):
            source.line("floor = window.floor")
            with source.block(f"if floor is not None and {' and '.join([*ranks, *tests])}:"):
                source.lines(f"{self.frame.meter()}.rows += 1", "return True")
            source.line("return False")
        return ["idle"]

    def _places(self) -> None:
        """`gone` and `come`: where the row stood and where it stands, None for nowhere. Most changes move no row."""
        source, frame = self.source, self.frame
        tests = frame.tests(self.tests, {0: "n0"})
        ordered = sorted({column for term in self.ordering.terms for column in columns_read(term.expression)})
        source.line(f"gone = {self._qualified('o0')}")
        if len(ordered) > MOST_COMPARED:
            source.line(f"come = {self._qualified('n0')}")
            return
        staying = ["gone is not None and n0 is not None", *([frame.unchanged(ordered, "o0", "n0")] if ordered else [])]
        with source.block(f"if {' and '.join(staying)}:"):
            source.line(f"come = gone if {tests} else None" if tests else "come = gone")
        with source.block("else:"):
            source.line(f"come = {self._qualified('n0')}")

    def _qualified(self, row: str) -> str:
        tests = self.frame.tests(self.tests, {0: row})
        absent = f"{row} is None" + (f" or not ({tests})" if tests else "")
        return f"None if {absent} else place(k0, {row})"

    def _unread(self) -> None:
        """A change of columns nobody reads is none."""
        read: list[Expression] = [*self.tests, *self.frame.pipe.outputs, *[t.expression for t in self.ordering.terms]]
        used = sorted({column for e in read for column in columns_read(e)})
        if not used or len(used) > MOST_COMPARED or self.frame.passes:
            return
        same = self.frame.unchanged(used, "o0", "n0")
        with self.source.block(f"if o0 is not None and n0 is not None and {same}:"):
            self.source.line("continue")
