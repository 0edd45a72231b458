"""Nest as generated code: a child's change goes straight into the lists of its parents.

Equation: Δ(L ▹ R) = z⁻¹I(L) ▹ Δ cell + ΔL ▹ I(R). State: per correlation key the rows of its parents as last given, and
of its children, in order, their places and what they show. Cost: a parent's change two lookups; a child's O(log n)
comparisons, one copy of what is shown, and the parents whose list it is. Owns what is compared before anything is told.
Refuses to know how a family keeps its children (`families`), and residuals, which run as the operator
(`operators/nest`), whose meaning this shares.

A cell is kept as long as there are parents to show it. Nobody keeps the places of children by key, for a place is made
again out of the row that goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

import attrs

from sspcore.algebra.values import FrozenObject, canonical_key
from sspcore.codegen.source import Source
from sspcore.engine.emit import cells
from sspcore.engine.emit.entries import entry
from sspcore.engine.emit.expressions import KEY_OF, bracketed, tuple_of
from sspcore.engine.emit.families import LISTS, Whole, Windowed
from sspcore.engine.emit.frame import Frame
from sspcore.engine.emit.pipe import Leaf, Pipe
from sspcore.plan.expressions import Column, Expression, columns_read, substitute
from sspcore.plan.nodes import Nest, OrderTerm
from sspcore.plan.trees import key_value

MOST_COMPARED: Final = 6
"""Columns compared before a change is looked at: many changes are of columns that a tree does not show."""
MOST_WRITTEN: Final = 12
"""Columns of a parent up to which its new row is written out cell by cell."""


@attrs.frozen
class Nesting:
    """A nest over two pipes: the correlation keys of both, and of children their order and what they show.

    `whole` where a cell shows all of a family; `plan` says which window else.
    """

    plan: Nest
    whole: bool
    right: Pipe
    ours: tuple[Expression, ...]
    theirs: tuple[Expression, ...]
    order: tuple[OrderTerm, ...]
    shown: tuple[tuple[str, Expression], ...]


def is_whole(plan: Nest, children: Pipe) -> bool:
    """True when a cell shows every child: there is no window, and one child at most where one is shown."""
    if plan.limit is not None or plan.offset is not None:
        return False
    if plan.form in LISTS:
        return True
    leaf, *others = children.leaves
    found = {substitute(b, children.outputs) for _, b in plan.on}
    return not others and bool(leaf.id_columns) and found >= {Column(at, leaf.names[at]) for at in leaf.id_columns}


class NestEmitter:
    """Writes `hydrate`, `change_0` of the parents, `change_1` of the children, and `value`."""

    given: ClassVar[int] = 2
    """The inputs whose rows `hydrate` takes, the first so many."""

    def __init__(self, source: Source, pipe: Pipe, nesting: Nesting) -> None:
        self.source = source
        self.nesting = nesting
        self.parents, self.children = Frame(source, pipe), Frame(source, nesting.right)
        self.width = len(pipe.outputs)
        leaf = nesting.right.leaves[0]
        self.order = _told_apart(nesting.order, leaf)
        ids = [leaf.kinds[at] for at in leaf.id_columns]
        self.by_id = nesting.whole and not self.order and ids in (["text"], ["integer"])
        """Ids of one type sort as they are."""
        family = Whole if nesting.whole else Windowed
        self.family = family(source, self.children.expressions, nesting.plan)

    def emit(self) -> list[str]:
        """Write all functions; their names."""
        source = self.source
        for whose, frame in (("parents", self.parents), ("children", self.children)):
            if tests := _tests(frame):
                source.note(f"{whose} where " + " and ".join([frame.words(test) for test in tests]))
        source.note(self.family.about)
        source.line("families = {}")
        source.line("seek = families.get")
        self.place()
        self.child()
        self.hydrate()
        self.parents_change()
        self.children_change()
        with source.block("def value():"):
            source.line("return {k0: r0 for s in families.values() for k0, r0 in s[0].items()}")
        return ["hydrate", "change_0", "change_1", "value"]

    # A child

    def place(self) -> None:
        """The function from a child to its place among its siblings, where that is more than its id."""
        if self.by_id:
            return
        with self.source.block("def place(k1, r1):"):
            self.source.line(f"return {entry(self.children, self.order, 'k1', 'r1')}")

    def child(self) -> None:
        """The function from a child to what it shows as."""
        source, write = self.source, self.children.expressions
        values = [write.value(e, self.children.read({0: "r1"})) for _, e in self.nesting.shown]
        if self.nesting.plan.form in ("values", "value"):
            (text,) = values
        else:
            names = [name for name, _ in self.nesting.shown]
            members = [
                f"{source.cell(cells.fixed(name, f'a member of a child: {name}'), 'name')}: {value}"
                for name, value in zip(names, values, strict=True)
            ]
            owning = cells.fixed(FrozenObject.owning, "an object of these members")
            text = f"{write.shared('object_of', owning)}({{{', '.join(members)}}})"
        if self.nesting.plan.keyed:
            as_value = write.shared("key_value", cells.fixed(key_value, "a key as a value of a cell"))
            text = f"(k1 if type(k1) is str else {as_value}(k1), {text})"
        with source.block("def child(k1, r1):"):
            source.line(f"return {text}")

    # From scratch

    def hydrate(self) -> None:
        """All parents with their lists, out of all rows: places are sorted once."""
        source = self.source
        with source.block("def hydrate(rows0, rows1):"):
            with source.block("for k1, r1 in rows1.items():"):
                source.line(f"b = {self._there(self.children, self.nesting.theirs, 'r1', sure=True)}")
                with source.block("if b is None:"):
                    source.line("continue")
                source.line("s = seek(b)")
                with source.block("if s is None:"):
                    source.line(f"families[b] = {self.family.first(self._place('r1'))}")
                with source.block("else:"):
                    self.family.more(self._place("r1"))
            with source.block("for s in families.values():"):
                self.family.arrange()
            source.line("out = {}")
            tests = self.parents.tests(_tests(self.parents), {0: "r0"})
            with source.block("for k0, r0 in rows0.items():"):
                if tests:
                    with source.block(f"if not ({tests}):"):
                        source.line("continue")
                self._meet("r0")
                source.line(f"out[k0] = t[0][k0] = {self._parent('r0')}")
            self._count("len(rows0) + len(rows1)")
            source.line("return out")

    # Changes

    def parents_change(self) -> None:
        """The function that takes changes of the parents."""
        source, frame = self.source, self.parents
        used = [*self.nesting.ours, *frame.pipe.outputs, *frame.pipe.filters]
        with source.block("def change_0(changes):"):
            source.note(f"parents: changes of {frame.name_of(0)}")
            source.line("out = []")
            with source.block("for k0, o0, n0 in changes:"):
                self._skip(frame, used, "o0", "n0")
                source.line("s = t = was = now = None")
                with source.block(f"if {self._passes(frame, 'o0')}:"):
                    source.line(f"s = families[{self._key(frame, self.nesting.ours, 'o0')}]")
                    source.line("was = s[0][k0]")
                with source.block(f"if {self._passes(frame, 'n0')}:"):
                    self._meet("n0")
                    source.line(f"now = {self._parent('n0')}")
                with source.block("if s is not None and s is not t:"):
                    source.line("del s[0][k0]")
                    if self.family.resting:
                        with source.block("if not s[0]:"):
                            source.line(self.family.resting)
                    with source.block("if not s[0] and not s[2]:"):
                        source.line(f"del families[{self._key(frame, self.nesting.ours, 'o0')}]")
                with source.block("if t is not None:"):
                    source.line("t[0][k0] = now")
                with source.block(f"if was is not now and (was != now or not {self._same()}(was, now)):"):
                    source.line("out.append((k0, was, now))")
            self._count("len(changes)")
            source.line("return out")

    def children_change(self) -> None:
        """The function that takes changes of the children."""
        source, frame, nesting = self.source, self.children, self.nesting
        shown = [e for _, e in nesting.shown]
        used = [*nesting.theirs, *shown, *[t.expression for t in self.order], *frame.pipe.filters]
        with source.block("def change_1(changes):"):
            source.note(f"children: changes of {frame.name_of(0)}")
            source.line("turned = {}")
            source.note("one change that shows is a change of the list; several may cancel each other")
            source.line(f"sure = {'len(changes) == 1' if self.family.sure else 'False'}")
            with source.block("for k1, o1, n1 in changes:"):
                skipped = self._skip(frame, used, "o1", "n1")
                for key, row in (("a", "o1"), ("b", "n1")):
                    source.line(f"{key} = {self._there(frame, nesting.theirs, row)}")
                with source.block("if a is not None and (a is b or a == b):"):
                    source.note("it stays with its siblings")
                    self._stay(shown, skipped)
                with source.block("if a is not None:"):
                    source.line("s = families[a]")
                    self.family.remove("a", self._put("gone", "o1"))
                with source.block("if b is not None:"):
                    source.line("s = seek(b)")
                    with source.block("if s is None:"):
                        source.line(f"s = families[b] = {self.family.empty}")
                    self.family.insert("b", self._put("come", "n1"))
            self._tell()

    def _stay(self, shown: Sequence[Expression], skipped: Sequence[Expression] | None) -> None:
        """A child before and after, of the same parents: most keep their place too."""
        source, frame = self.source, self.children
        source.line("s = families[a]")
        gone = self._put("gone", "o1")
        ordered = _columns(frame, [term.expression for term in self.order])
        if ordered:
            with source.block(f"if not ({frame.unchanged(ordered, 'o1', 'n1')}):"):
                come = self._put("come", "n1")
                with source.block("if gone != come:"):
                    source.line("sure = False")
                    self.family.move(gone, come)
                    source.line("continue")
        read = _columns(frame, shown)
        if skipped is None or ordered or read != _columns(frame, skipped):
            with source.block(f"if {frame.unchanged(read, 'o1', 'n1')}:") if read else source.block("if True:"):
                source.line("continue")
        if not all(isinstance(e, Column) and frame.expressions.kind(e) != "real" for e in shown):
            source.line("sure = False")
        self.family.exchange(gone)
        source.line("continue")

    def _tell(self) -> None:
        """The parents of the lists that turned, if what they show did."""
        source = self.source
        source.line("out = []")
        with source.block("for a, s in turned.items():"):
            with source.block("if not s[0]:"):
                with source.block("if not s[2]:"):
                    source.line("del families[a]")
                source.line("continue")
            source.line("was = s[3]")
            source.line(f"now = s[3] = {self.family.cell('s')}")
            cells_of = [*[f"r0[{at}]" for at in range(self.width)], "now"]
            row = tuple_of(cells_of) if self.width <= MOST_WRITTEN else f"(*r0[:{self.width}], now)"
            shows = source.block(f"if sure or was != now or not {self._same()}(was, now):")
            with shows, source.block("for k0, r0 in s[0].items():"):
                source.line(f"n0 = s[0][k0] = {row}")
                source.line("out.append((k0, r0, n0))")
        self._count("len(changes)", " + len(out)")
        source.line("return out")

    # Texts

    def _meet(self, row: str) -> None:
        """`t`: the family of a parent, with the cell it shows."""
        source = self.source
        source.line(f"b = {self._key(self.parents, self.nesting.ours, row)}")
        source.line("t = seek(b)")
        with source.block("if t is None:"):
            source.line(f"t = families[b] = {self.family.empty}")
        with source.block("if not t[0]:"):
            source.line(f"t[3] = {self.family.cell('t')}")

    def _parent(self, row: str) -> str:
        """The row of a parent with the cell of its family `t`."""
        frame = self.parents
        if frame.passes:
            return f"(*{row}, t[3])"
        env = frame.read({0: row})
        return tuple_of([*[frame.expressions.value(e, env) for e in frame.pipe.outputs], "t[3]"])

    def _passes(self, frame: Frame, row: str) -> str:
        tests = frame.tests(_tests(frame), {0: row})
        return f"{row} is not None and {bracketed(tests)}" if tests else f"{row} is not None"

    def _there(self, frame: Frame, on: Sequence[Expression], row: str, sure: bool = False) -> str:
        """The correlation key of a row that passes; None for others, and for those with a NULL in it."""
        tests = frame.tests(_tests(frame), {0: row}) if sure else self._passes(frame, row)
        key = self._key(frame, on, row)
        return f"{key} if {tests} else None" if tests else key

    def _key(self, frame: Frame, on: Sequence[Expression], row: str) -> str:
        """The canonical correlation key of a row, bare for one value; None where one of them is NULL."""
        write, env = frame.expressions, frame.read({0: row})
        parts, nulls = [], []
        for e in on:
            text = write.value(e, env)
            if write.kind(e) not in ("integer", "text", "bytes"):
                v = self.source.fresh("v")
                helper = write.shared("key_of", cells.fixed(canonical_key, KEY_OF))
                text = f"({v} if type({v} := {text}) is str or type({v}) is int else {helper}({v}))"
            v = self.source.fresh("v")
            nulls.append(f"({v} := {text}) is None")
            parts.append(v if len(on) > 1 else text)
        if len(parts) < 2:
            return parts[0] if parts else "()"
        return f"(None if {' or '.join(nulls)} else {tuple_of(parts)})"

    def _skip(self, frame: Frame, used: Sequence[Expression], old: str, new: str) -> Sequence[Expression] | None:
        """Pass over a change of columns nobody reads; the expressions compared, None when there are too many."""
        read = _columns(frame, used)
        if not read or len(read) > MOST_COMPARED:
            return None
        with self.source.block(f"if {old} is not None and {new} is not None and {frame.unchanged(read, old, new)}:"):
            self.source.line("continue")
        return used

    def _place(self, row: str) -> str:
        return "k1" if self.by_id else f"place(k1, {row})"

    def _put(self, name: str, row: str) -> str:
        """The text of a child's place, under a name unless it is one."""
        if self.by_id:
            return "k1"
        self.source.line(f"{name} = {self._place(row)}")
        return name

    def _same(self) -> str:
        return self.parents.same()

    def _count(self, changes: str, more: str = "") -> None:
        meter = self.parents.meter()
        self.source.line(f"{meter}.rows += {changes}{more}")
        self.source.line(f"{meter}.probes += 2 * ({changes})" if " " in changes else f"{meter}.probes += 2 * {changes}")


def _tests(frame: Frame) -> list[Expression]:
    return [*frame.local[0], *frame.late]


def _columns(frame: Frame, expressions: Sequence[Expression]) -> list[int]:
    """The columns that expressions read, but for those of a row's id, which stays."""
    ids = frame.pipe.leaves[0].id_columns
    return sorted({column for e in expressions for column in columns_read(e) if column not in ids})


def _told_apart(order: Sequence[OrderTerm], leaf: Leaf) -> tuple[OrderTerm, ...]:
    """The terms that count: after a row's own id nothing does, and ascending that is how ties are broken anyway."""
    for at, term in enumerate(order):
        e = term.expression
        if isinstance(e, Column) and leaf.id_columns == (e.index,) and leaf.kinds[e.index] in ("text", "integer"):
            return tuple(order[: at + term.descending])
    return tuple(order)
