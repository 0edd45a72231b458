"""Top-k as generated code: each changed row's place in the order, compared with the floor of a window.

Equation: Δ(top R) = top(I(ΔR)) − z⁻¹top(I(ΔR)). State: the best rows only (`window`). Cost: two entries and two
comparisons for a change beyond the floor; O(log window) for others; all rows of the input for a refill. Owns the text
of entries. Refuses to know what becomes of them.

An entry is the flat tuple of `operators/sortkeys`. For a first term that is a number or text it is written out; every
other value goes through the function that makes it there, so that both order alike.
"""

from __future__ import annotations

from typing import ClassVar, Final

import attrs

from sspcore.algebra.values import NUMBER, TEXT
from sspcore.codegen.source import Source
from sspcore.engine.emit import cells
from sspcore.engine.emit.cells import Binding, Recipe
from sspcore.engine.emit.expressions import tuple_of
from sspcore.engine.emit.frame import Frame
from sspcore.engine.emit.pipe import Pipe
from sspcore.engine.emit.window import Window
from sspcore.engine.explain import describe
from sspcore.engine.operators.build import count_of
from sspcore.engine.operators.sortkeys import entry_of, tie
from sspcore.plan import nodes
from sspcore.plan.evaluate import NullCounter
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
        return ["hydrate", "change_0", "value", window]

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
        env = self.frame.read({0: row})
        texts = [self.write.value(term.expression, env) for term in self.ordering.terms]
        order = [attrs.evolve(term, expression=Column(at)) for at, term in enumerate(self.ordering.terms)]
        any_type = cells.fixed(entry_of(order, NullCounter()), "where a row stands, whatever the types")
        general = self.write.shared("entry", any_type)
        slow = f"{general}({key}, {tuple_of(texts)})"
        names, guards, parts = [], [], []
        for term, text in zip(self.ordering.terms, texts, strict=True):
            v = self.source.fresh("v")
            found = _plain(self.write.kind(term.expression), term.descending, v)
            if found is None:
                return slow
            guard, part = found
            names.append(v)
            guards.append(guard.replace(v, f"({v} := {text})", 1))
            parts += part
        if not names:
            return slow
        slow = f"{general}({key}, {tuple_of(names)})" if len(names) == 1 else slow
        ties = self.write.shared("tie", cells.fixed(tie, "what breaks ties: the key"))
        flat = ", ".join(parts)
        return (
            f"((({flat}, {TEXT}, {key}) if type({key}) is str else ({flat}, *{ties}({key}))) "
            f"if {' and '.join(guards)} else {slow})"
        )

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


def _plain(kind: str, descending: bool, v: str) -> tuple[str, list[str]] | None:
    """The text of when a value's part of an entry can be written out, and of the part; None when never."""
    if kind == "text":
        return None if descending else (f"type({v}) is str", [str(TEXT), v])
    if kind == "integer":
        guard = f"type({v}) is int"
    elif kind in ("real", "any"):
        guard = f"(type({v}) is float and {v} == {v} or type({v}) is int)"
    else:
        return None
    return (guard, [str(-NUMBER), "0", f"-{v}"]) if descending else (guard, [str(NUMBER), "0", v])
