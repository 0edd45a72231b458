"""Two sides: what nodes that match rows of two inputs share. Each side is a pipe of one leaf and a key of its rows.

Owns how the rows of a side are found by their key: in its table, in an arrangement of it, or in a dict that the code
keeps itself. Refuses to know what becomes of rows that match.

A side that is a table keeps nothing: rows are looked up where they are anyway, and its conditions are asked again. But
a commit writes a table before its readers follow, and a table on both sides changes on both at once. The left follows
first then: what it reads of the right must be as it was, so the right keeps rows (or counts) of its own; when the right
follows, the left is what it has become, in the table too (Equation: Δ(L ⋈ R) = ΔL ⋈ z⁻¹I(R) + I(L) ⋈ ΔR).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Final, TypeGuard

import attrs

from sspcore.algebra.values import canonical_key
from sspcore.codegen.source import Source
from sspcore.engine.emit import cells
from sspcore.engine.emit.cells import Binding, Recipe
from sspcore.engine.emit.expressions import KEY_OF, bracketed, tuple_of
from sspcore.engine.emit.frame import Frame
from sspcore.engine.emit.pipe import Pipe
from sspcore.plan import nodes
from sspcore.plan.expressions import Call, Column, Expression, columns_read

Matched = nodes.SemiJoin | nodes.AntiJoin | nodes.Mark
MOST_COMPARED: Final = 6
"""Columns compared before a change is looked at: most changes are of columns that a node does not read."""
OWN_KEYS: Final = frozenset({"integer", "text", "bytes"})
"""Types whose values are their own canonical keys."""


def is_matched(plan: nodes.Plan) -> TypeGuard[Matched | nodes.Join]:
    """True for a node that matches the rows of two sides, and has an emitter."""
    return isinstance(plan, nodes.Join | Matched)


@attrs.frozen(eq=False)
class Sides:
    """Two pipes of one leaf each, their columns side by side, and behind them one for a verdict, if there is one.

    Attributes: `pipe`, the leaves and the outputs; `tests`, the conditions of each side; `keys`, the expressions of
    each whose values must be equal; `residual`, conditions on a pair; `late`, those on what comes out; `overlap`,
    whether a table is on both sides.
    """

    pipe: Pipe
    tests: tuple[tuple[Expression, ...], tuple[Expression, ...]]
    keys: tuple[tuple[Expression, ...], tuple[Expression, ...]]
    residual: tuple[Expression, ...] = ()
    late: tuple[Expression, ...] = ()
    overlap: bool = False
    asked: tuple[Expression, ...] = ()
    """What else is read of a row."""

    @property
    def verdict(self) -> int:
        """The place of the verdict's column."""
        return self.pipe.leaves[2].offset

    @property
    def leaves(self) -> Pipe:
        """The pipe without the column of the verdict."""
        return attrs.evolve(self.pipe, leaves=self.pipe.leaves[:2])

    def found_in_table(self, at: int) -> bool:
        """True when the rows of a side are found by their key without rows of its own.

        Of a side with but the rows of one value in some column, a table has too many others with the key.
        """
        leaf = self.pipe.leaves[at]
        if leaf.table is None or (at == 1 and self.overlap) or any(map(_is_narrow, self.tests[at])):
            return False
        return all(isinstance(e, Column) for e in self.keys[at])


class Side:
    """The text of one side: its rows are `k0 r0` on the left and `k1 r1` on the right; changes are `k0 o0 n0`, ….

    `own`: the code files the side's rows itself, for they cannot be found in a table. `tag` tells two ways of finding
    rows of one side apart.
    """

    def __init__(self, source: Source, frame: Frame, sides: Sides, at: int, tag: str = "") -> None:
        self.source, self.frame, self.sides, self.at = source, frame, sides, at
        self.name = f"{at}{tag}"
        self.counting = False
        """Rows looked at are counted in `w`: for those that other conditions turn down cost as much."""
        self.own = not sides.found_in_table(at)
        self.tests = list(sides.tests[at])
        self.write = frame.expressions

    def columns(self) -> list[int]:
        """The columns that anything reads, but for the row's id: that stays."""
        sides = self.sides
        every = [
            *sides.pipe.outputs, *sides.asked, *sides.residual, *sides.late,
            *sides.tests[self.at], *sides.keys[self.at],
        ]  # fmt: skip
        leaf = sides.pipe.leaves[self.at]
        read = {c for e in every for c in columns_read(e) if c in leaf.columns}
        return sorted([c for c in read if leaf.id_columns != (c - leaf.offset,)])

    # Changes

    def enter(self) -> None:
        """Within a loop over changes: skip those of columns nobody reads, and let rows that fail the tests be None."""
        source, old, new, read = self.source, f"o{self.at}", f"n{self.at}", self.columns()
        leaf = self.sides.pipe.leaves[self.at]
        if len(read) <= MOST_COMPARED and len(read) < len(leaf.names) - 1:
            tests = [
                f"{old} is not None and {new} is not None",
                *([self.frame.unchanged(read, old, new)] if read else []),
            ]
            with source.block(f"if {' and '.join(tests)}:"):
                source.line("continue")
        if self.tests:
            source.note(" and ".join([self.frame.words(test) for test in self.tests]))
            for row in (old, new):
                with source.block(f"if {row} is not None and not ({self.passing(row)}):"):
                    source.line(f"{row} = None")

    def passing(self, row: str) -> str:
        """The text of whether a row passes the side's own tests; empty when there are none."""
        return self.frame.tests(self.tests, {self.at: row})

    def key(self, row: str, there: bool = False) -> str:
        """The text of a row's key; None for no row, and where a part is NULL, which matches nothing."""
        parts = [self.part(e, row) for e in self.sides.keys[self.at]]
        tests = [] if there else [f"{row} is not None"]
        if len(parts) > 1:
            names = [self.source.fresh("p") for _ in parts]
            tests += [f"({name} := {text}) is not None" for name, text in zip(names, parts, strict=True)]
            parts = names
        key = "()" if not parts else parts[0] if len(parts) == 1 else tuple_of(parts)
        return f"{key} if {' and '.join(tests)} else None" if tests else key

    def part(self, e: Expression, row: str) -> str:
        """The text of the canonical value of an expression: None for NULL."""
        text = self.write.value(e, self.frame.read({self.at: row}))
        if self.write.kind(e) in OWN_KEYS:
            return text
        v = self.source.fresh("v")
        helper = self.write.shared("key_of", cells.fixed(canonical_key, KEY_OF))
        return f"({v} if type({v} := {text}) is str or type({v}) is int else {helper}({v}))"

    # Rows of its own

    def declare(self) -> None:
        """The dict of the rows by key, for a side that files them itself."""
        if self.own:
            self.source.note(f"rows of {self.frame.name_of(self.at)} by key")
            self.source.line(f"filed{self.name} = {{}}")
            self.source.line(f"find{self.name} = filed{self.name}.get")

    def file(self, old: str | None, new: str) -> None:
        """A row's key was one (not given: there was no row) and is another: file it there."""
        if not self.own:
            return
        source, at, name = self.source, self.at, self.name
        key, row = f"k{at}", f"n{at}" if old is not None else f"r{at}"
        if old is not None:
            with source.block(f"if {old} is not None and {old} != {new}:"):
                source.line(f"bucket = filed{name}[{old}]")
                source.line(f"del bucket[{key}]")
                with source.block("if not bucket:"):
                    source.line(f"del filed{name}[{old}]")
        with source.block(f"if {new} is not None:"):
            source.line(f"bucket = find{name}({new})")
            with source.block("if bucket is None:"):
                source.line(f"filed{name}[{new}] = {{{key}: {row}}}")
            with source.block("else:"):
                source.line(f"bucket[{key}] = {row}")

    # Finding rows

    def each(self, stack: ExitStack, key: str) -> None:
        """Open the blocks in which each row with a key is at hand."""
        source, at = self.source, self.at
        if self._by_id:
            cell = self._table_cell("the row of {} with an id", lambda rows: rows.get)
            find = self.write.shared(f"find{self.name}", cell)
            stack.enter_context(source.block(f"if (r{at} := {find}({key})) is not None:"))
            source.line(f"k{at} = {key}")
        else:
            stack.enter_context(source.block(f"for k{at}, r{at} in {self._bucket(key)}.items():"))
        if self.counting:
            source.line("w += 1")
        if self.tests and not self.own:
            stack.enter_context(source.block(f"if {self.passing(f'r{at}')}:"))

    def every(self) -> str:
        """The text of all rows of the table, by id."""
        return self.write.shared(f"all{self.at}", self._table_cell("the rows of {}", lambda rows: rows))

    def there(self, key: str) -> str:
        """The text of whether any row has a key, where the side has no tests; an operand."""
        if not self.sides.keys[self.at] and not self.own:
            return f"len({self.every()}) > 0"
        if self._by_id:
            return f"{key} in {self.every()}"
        return f"{key} in {f'filed{self.name}' if self.own else self._index()}"

    def count(self, key: str) -> str:
        """The text of how many rows have a key, where the side has no tests."""
        if self._by_id:
            return f"({key} in {self.every()})"
        return f"len({self._bucket(key)})"

    @property
    def _by_id(self) -> bool:
        """True when the key is the table's id, and a value that it is looked for by is an id as it stands."""
        leaf, keys, others = self.sides.pipe.leaves[self.at], self.sides.keys[self.at], self.sides.keys[1 - self.at]
        if self.own or len(keys) != 1 or not isinstance(keys[0], Column):
            return False
        plain = self.write.kind(keys[0]) in ("integer", "text") and self.write.kind(others[0]) in ("integer", "text")
        return plain and leaf.id_columns == (keys[0].index - leaf.offset,)

    def _bucket(self, key: str) -> str:
        if self.own:
            return f"find{self.name}({key}, {self.frame.empty()})"
        if not self.sides.keys[self.at]:
            return self.every()
        return f"{self._index()}.get({key}, {self.frame.empty()})"

    def _index(self) -> str:
        """The cell with the arrangement of the table by the key's columns."""
        leaf = self.sides.pipe.leaves[self.at]
        table = leaf.table
        assert table is not None
        places = [e.index - leaf.offset for e in self.sides.keys[self.at] if isinstance(e, Column)]
        columns = tuple([leaf.names[place] for place in places])

        def make(binding: Binding) -> Any:
            return binding.arranged(table, columns)

        about = f"the rows of {table} by {', '.join(columns)}, with their ids"
        return self.write.shared(f"index{self.name}", Recipe(make, about=about))

    def _table_cell(self, about: str, read: Callable[[Any], Any]) -> Recipe:
        table = self.sides.pipe.leaves[self.at].table
        assert table is not None
        return Recipe(lambda b: read(b.tables[table].rows), about=about.format(table))


def _is_narrow(test: Expression) -> bool:
    """True for a column that is equal to what reads no column, or to one of a few."""
    if not isinstance(test, Call) or test.function not in ("=", "in"):
        return False
    columns = [e for e in test.args if isinstance(e, Column)]
    return len(columns) == 1 and all(cells.closed(e) for e in test.args if e is not columns[0])


def both(texts: Sequence[str]) -> str:
    """The text of whether all hold; empty ones do."""
    kept = [text for text in texts if text]
    return kept[0] if len(kept) == 1 else " and ".join([bracketed(text) for text in kept])
