"""Frames: one pipe's texts for reading rows, keys, conditions and outputs, shared by all functions of a stage.

Owns the names under which generated code holds the rows of each leaf. Refuses to know what is done with a row that
passes: `rows`, `aggregate` and `topk` write that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sspcore.algebra.values import canonical_key, same
from sspcore.codegen.source import Source
from sspcore.engine.emit import cells
from sspcore.engine.emit.cells import Binding, Recipe
from sspcore.engine.emit.expressions import KEY_OF, Environment, Expressions, bracketed, tuple_of
from sspcore.engine.emit.pipe import Leaf, Lookup, Pipe, test_of
from sspcore.engine.explain import show
from sspcore.plan.evaluate_compare import SYMBOLS
from sspcore.plan.expressions import Call, Column, Expression, columns_read

SAME_IF_EQUAL: Final = frozenset({"integer", "text", "boolean", "bytes"})
"""Declared types of which two equal values are the same: nothing but NULL and one Python type is in the column."""

Rows = Mapping[int, str]
"""Leaf → the name of the local that holds its row."""


class Frame:
    """A pipe being written into a source."""

    def __init__(self, source: Source, pipe: Pipe) -> None:
        self.source = source
        self.pipe = pipe
        self.expressions = Expressions(source, pipe.kinds)
        self.names = tuple([name for leaf in pipe.leaves for name in leaf.names])
        self.local: dict[int, list[Expression]] = {at: [] for at in range(len(pipe.leaves))}
        """Conditions on one leaf that is always there."""
        self.late: list[Expression] = []
        """Conditions that need several leaves, or one that may be padded."""
        for test in pipe.filters:
            read = pipe.leaves_of(test)
            if len(read) == 1 and not pipe.leaves[min(read)].optional:
                self.local[min(read)].append(test)
            elif not read and len(pipe.leaves) == 1:
                self.local[0].append(test)
            else:
                self.late.append(test)
        self._lookups: dict[Lookup, tuple[Expression, ...]] = {}

    # Reading

    def read(self, rows: Rows) -> Environment:
        """The environment in which each leaf's row is the local of that name."""
        leaves, leaf_of = self.pipe.leaves, self.pipe.leaf_of

        def env(column: int) -> str:
            at = leaf_of(column)
            return f"{rows[at]}[{column - leaves[at].offset}]"

        return env

    def tests(self, tests: list[Expression] | tuple[Expression, ...], rows: Rows) -> str:
        """The text of whether all tests are TRUE; empty when there are none."""
        env = self.read(rows)
        texts = [self.expressions.test(test, env) for test in tests]
        return texts[0] if len(texts) == 1 else " and ".join([bracketed(text) for text in texts])

    def output(self, rows: Rows) -> str:
        """The text of the output row."""
        leaves = self.pipe.leaves
        if self.pipe.outputs and self.pipe.outputs == tuple([Column(at) for at in range(self.pipe.width)]):
            return " + ".join([rows[at] for at in range(len(leaves))])
        return self.expressions.row(self.pipe.outputs, self.read(rows))

    @property
    def passes(self) -> bool:
        """True when the output row is the one leaf's row itself."""
        return len(self.pipe.leaves) == 1 and self.output({0: "r"}) == "r"

    def differ(self, a: str, b: str) -> str:
        """The text of whether two output rows differ, in values or in types."""
        if all(map(self.exact, self.pipe.outputs)):
            return f"{a} != {b}"
        return f"{a} != {b} or not {self.same()}({a}, {b})"

    def exact(self, e: Expression) -> bool:
        """True when equal values of an expression are the same: NULL apart, of one Python type."""
        kind = self.expressions.kind(e)
        return kind in SAME_IF_EQUAL or (kind == "real" and self.stored(e))

    def stored(self, e: Expression) -> bool:
        """True for a table's column as it is: of type real it holds floats only, integers are within 64 bits."""
        return isinstance(e, Column) and self.pipe.leaves[self.pipe.leaf_of(e.index)].table is not None

    def unchanged(self, columns: Sequence[int], old: str, new: str) -> str:
        """The text of whether a leaf's two rows have the same in some of its columns; NaN may be said to differ."""
        parts = []
        for at in columns:
            place = at - self.pipe.leaves[self.pipe.leaf_of(at)].offset
            a, b = f"{old}[{place}]", f"{new}[{place}]"
            parts.append(f"{a} == {b}" if self.exact(Column(at)) else f"({a} is {b} or {self.same()}({a}, {b}))")
        return " and ".join(parts)

    def read_of(self, at: int) -> list[int]:
        """The columns of a leaf that anything reads, but for its id: a change of others is none."""
        leaf, pipe = self.pipe.leaves[at], self.pipe
        read = {
            c
            for e in (*pipe.outputs, *pipe.filters, *[e for one in pipe.leaves for e in one.own])
            for c in columns_read(e)
        }
        read |= {c for pair in (*pipe.equalities, *[p for one in pipe.leaves for p in one.found_by]) for c in pair}
        return sorted([c for c in read if c in leaf.columns and leaf.id_columns != (c - leaf.offset,)])

    def silent(self, test: Expression) -> bool:
        """True for a condition that never counts an error: whether it is asked at all cannot be seen."""
        if not isinstance(test, Call) or test.function not in SYMBOLS:
            return False
        kinds = [self.expressions.kind(e) for e in test.args if isinstance(e, Column)]
        return len(kinds) == 1 and kinds[0] in ("integer", "text") and any(map(cells.closed, test.args))

    def same(self) -> str:
        """The helper that compares values and types."""
        return self.expressions.shared(
            "same", cells.fixed(same, "whether two rows or values are equal, and of the same types")
        )

    def key(self) -> str:
        """The text of the output's key, where `k0`, `k1`, … hold those of the leaves."""
        count = len(self.pipe.leaves)
        return "k0" if count == 1 else tuple_of([f"k{at}" for at in range(count)])

    def meter(self) -> str:
        """The cell in which work is counted."""
        return self.expressions.shared("meter", Recipe(lambda b: b.meter, about="counts the work"))

    # Looking up

    def find(self, lookup: Lookup) -> str:
        """The cell with the `get` of the table, or of its arrangement, that a lookup asks."""
        leaf = self.pipe.leaves[lookup.leaf]
        table = leaf.table
        assert table is not None
        if lookup.is_id:
            about = f"the row of {table} with an id"
            return self.expressions.shared(
                f"find{lookup.leaf}", Recipe(lambda b: b.tables[table].rows.get, about=about)
            )
        columns = self.columns(lookup)
        places = "_".join([str(at - leaf.offset) for at in lookup.on])

        def make(binding: Binding) -> Any:
            return binding.arranged(table, columns).get

        about = f"the rows of {table} by {', '.join(columns)}, with their ids"
        return self.expressions.shared(f"find{lookup.leaf}_by_{places}", Recipe(make, about=about))

    def columns(self, lookup: Lookup) -> tuple[str, ...]:
        """The names of the columns a lookup goes by."""
        leaf = self.pipe.leaves[lookup.leaf]
        return tuple([leaf.names[at - leaf.offset] for at in lookup.on])

    def wanted(self, lookup: Lookup, rows: Rows, only: int | None = None) -> str:
        """The text of the key that a lookup looks for: an id, or the canonical key of an arrangement.

        With `only`, the part of it that the row of one leaf brings.
        """
        by = [column for column in lookup.by if only is None or self.pipe.leaf_of(column) == only]
        parts = [self._part(column, lookup.is_id, rows) for column in by]
        return parts[0] if len(parts) == 1 else tuple_of(parts)

    def _part(self, column: int, is_id: bool, rows: Rows) -> str:
        at = self.pipe.leaf_of(column)
        leaf = self.pipe.leaves[at]
        if leaf.id_columns == (column - leaf.offset,):
            return f"k{at}"  # the row's own id
        text = self.read(rows)(column)
        if leaf.kinds[column - leaf.offset] in ("integer", "text"):
            return text
        v = self.source.fresh("v")
        if is_id:
            helper = self.expressions.shared("id_of", cells.fixed(id_of, "the id that a value equals"))
        else:
            helper = self.expressions.shared("key_of", cells.fixed(canonical_key, KEY_OF))
        return f"({v} if type({v} := {text}) is str or type({v}) is int else {helper}({v}))"

    def key_of(self, column: int, rows: Rows) -> str:
        """The text of a column's canonical key: equal for values that are equal."""
        return self._part(column, False, rows)

    def checked(self, steps: Sequence[Lookup], start: int) -> list[int]:
        """The columns of leaf `start`, but for its id, that partners found otherwise are checked against."""
        leaf = self.pipe.leaves[start]
        columns = [a if a in leaf.columns else b for step in steps for a, b in step.checks]
        return [c for c in dict.fromkeys(columns) if c in leaf.columns and leaf.id_columns != (c - leaf.offset,)]

    def steady(self, lookup: Lookup, start: int) -> bool:
        """True when a change of leaf `start` never changes what the lookup looks for."""
        for column in lookup.by:
            at = self.pipe.leaf_of(column)
            leaf = self.pipe.leaves[at]
            if at == start and leaf.id_columns != (column - leaf.offset,):
                return False
        return True

    def conditions(self, lookup: Lookup) -> list[Expression]:
        """What a row that was looked up must fulfil besides."""
        if lookup not in self._lookups:
            checks = [test_of(pair) for pair in lookup.checks]
            self._lookups[lookup] = (*self.local[lookup.leaf], *checks)
        return list(self._lookups[lookup])

    def pad(self, at: int) -> str:
        """The cell with the row of NULLs that stands for no partner."""
        width = len(self.pipe.leaves[at].names)
        return self.expressions.shared(
            f"pad{at}", cells.fixed((None,) * width, f"a row of NULLs: no partner in {self.name_of(at)}")
        )

    def empty(self) -> str:
        """The cell with the bucket of a key nobody has."""
        return self.expressions.shared("empty", cells.fixed({}, "no rows"))

    # Words

    def words(self, test: Expression) -> str:
        """A condition for readers."""
        return show(test, self.names)

    def name_of(self, at: int) -> str:
        """A leaf for readers."""
        leaf: Leaf = self.pipe.leaves[at]
        return leaf.table if leaf.table is not None else "the rows below"


def id_of(value: Any) -> Any:
    """The row id that a value is equal to, as ids are written; a value no id is equal to gives one that is in no table.

    >>> id_of(1.0), id_of(True) == 1, id_of((1.0, "x"))
    (1, False, (1, 'x'))
    """
    key = canonical_key(value)
    if type(key) is str or type(key) is int:
        return key
    if type(key) is tuple:
        return tuple([id_of(part) for part in value])
    try:
        number = int(key)
    except (TypeError, ValueError, OverflowError):
        return key
    return number if type(value) is not bool and number == key else key
