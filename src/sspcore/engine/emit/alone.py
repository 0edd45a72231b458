"""Changes that stand alone as generated code: from the change to the commit in one function for each table.

Owns the text of that function: intake, the row written, whom it concerns, and what these show of it. It does what
`engine/commit_one` does the plain way and nothing else: what it declines (None) is done there, and so is the way back.
Refuses to decide when it is worth its compilation (`engine/fused`).

Few readers are written out one after the other, filters and projections of the table with their conditions in place;
where there are many, those concerned are looked up, and each takes its own step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import attrs

from sspcore.codegen.source import Source
from sspcore.engine.change import Change
from sspcore.engine.emit.cells import Binding, Recipe
from sspcore.engine.emit.expressions import Environment, bracketed
from sspcore.engine.emit.frame import Frame
from sspcore.engine.emit.intake import Cell, IntakeWriter
from sspcore.engine.emit.pipe import Pipe
from sspcore.engine.operators.base import Meter
from sspcore.engine.update import Commit, ViewUpdate
from sspcore.index.lanes import Many


@attrs.frozen(eq=False)
class Reader:
    """A materialisation that is written out.

    Attributes: `kept`; `columns` of its views; `name`, for readers of the text; where each row of the table makes at
    most one of its own, under the same id, `pipe` and `binding` say which, and `step` is its `kept.row` meanwhile.
    Others may be `idle`: (old, new) → whether the change plainly does not concern them, as long as `kept.steps` is
    `step`.
    """

    kept: Any
    columns: tuple[str, ...]
    name: str
    pipe: Pipe | None = None
    binding: Binding | None = None
    step: Any = None
    idle: Callable[..., bool] | None = None


@attrs.frozen(eq=False)
class Kin:
    """Readers of one form, each of the rows that have its value in one column, and these columns of them as they are.

    Attributes: `pipe`, of any of them; `columns` of their views; `column`, the place; `seek`, value → None, a reader,
    or several in a list or dict.
    """

    pipe: Pipe
    columns: tuple[str, ...]
    column: int
    seek: Callable[[Any], Any]


@attrs.frozen(eq=False)
class Place:
    """Where the function works, and whom it calls. All of it lives as long as the function may.

    Attributes:
        circuit: its `version`.
        readers: by their `fused` the function sees whether they are still the same.
        table, name: the table; `one`, its intake, by which the function sees whether the table is still as it was.
        lazy, mark: whether views wait to be read; (name): a table changes.
        touched: (old, new) → the readers concerned.
        anew: (kept, failed) → changes and placements of a view that raised.
        undo: (table, net, touched, version): the commit did not happen.
        fail: (failed): views that cannot go on.
        nothing: the work of a commit that changed nothing; `counts`, who counts that of any other.
        view: the class of views whose updates need no more than to be made.
    """

    circuit: Any
    readers: Any
    table: Any
    name: str
    one: Any
    lazy: Any
    mark: Callable[[str], None]
    touched: Callable[..., Any]
    anew: Callable[..., Any]
    undo: Callable[..., None]
    fail: Callable[..., None]
    nothing: tuple[Any, ...]
    counts: Callable[..., Any]
    view: type


class Scope(Source):
    """A part of a source in which the recipes of one view become cells; their names are of the whole."""

    def __init__(self, whole: Source) -> None:
        super().__init__()
        self._whole = whole
        self._names: dict[str, str] = {}

    def fresh(self, prefix: str) -> str:
        return self._whole.fresh(prefix)

    def shared(self, name: str, value: Any) -> str:
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = self.cell(value, name + "_")
        return known

    def close(self, binding: Binding) -> None:
        """Give the cells to the whole, their values made for one view."""
        for name, recipe in self.cells.items():
            assert isinstance(recipe, Recipe)
            self._whole.cells[name] = recipe.make(binding)


class AloneWriter(IntakeWriter):
    """Writes the function of a table. In it `key`, `old` and `new` are those of the one row, `a0 a1 …` its new cells.

    Args: `columns` and `key_at`, as of `intake`; `place`; the `readers` to write out, or whose `kin` is looked up. With
    neither each of them is looked up and takes its own step.
    """

    def __init__(
        self, columns: Sequence[Cell], key_at: int | None, place: Place, readers: Sequence[Reader] | None,
        kin: Kin | None = None,
    ) -> None:  # fmt: skip
        super().__init__(columns, key_at)
        self.place = place
        self.readers = readers
        self.kin = kin

    def build(self) -> Callable[[Any], Any]:
        """The function, compiled."""
        self.alone()
        made: Callable[[Any], Any] = self.source.build("alone")
        return made

    def cells(self, **values: Any) -> None:
        """Cells by these names."""
        self.source.cells.update(values)

    def alone(self) -> None:
        """`alone(change)`: the commit, or None: declined."""
        source, place, table = self.source, self.place, self.place.table
        self.cells(
            circuit=place.circuit, readers=place.readers, Change=Change, table=table, table_one=place.one,
            rows=table.rows, find=table.rows.get, versions=table.versions, arrangements=table.arrangements,
            lazy=place.lazy, mark=place.mark, made=tuple.__new__, Commit=Commit, nothing=place.nothing,
            counts=place.counts, name=place.name, Interrupt=BaseException, undo=place.undo, fail=place.fail,
        )  # fmt: skip
        with source.block("def alone(change):"):
            with source.block("if type(change) is not Change or not readers.fused or table.one is not table_one:"):
                source.line("return None")
            source.line("_, op, key, given, _, source, version, _, _, _ = change")
            with source.block(f"if op != {self.upsert} or source is not None or version is not None or versions:"):
                source.line("return None")
            self.lay_out("return None")
            source.line("old = find(key)")
            if self.key_at is not None:
                with source.block("if old is not None:"):
                    source.note("the very id the row is filed under: what is looked up by it is found at a glance")
                    source.line(f"key = old[{self.key_at}]")
            source.line(f"new = {self.kept()}")
            with source.block(f"if {self.unchanged()}:"):
                source.line("return made(Commit, (circuit.version, {}, {}, nothing))")
            self.concerned()
            source.lines("now = circuit.version + 1", "updates = {}", "failed = {}")
            with source.block("try:"):
                self.write()
                self.tell()
                source.line("circuit.version = now")
            with source.block("except Interrupt:"):
                source.line("undo(table, (key, old, new), touched, now)")
                source.line("raise")
            with source.block("if failed:"):
                source.line("fail(failed)")
            work = "counts, name, touched, updates" if self.readers is None else "counts, updates"
            source.line(f"return made(Commit, (now, updates, failed, ({work})))")

    def write(self) -> None:
        """The row into the table and its arrangements."""
        source = self.source
        source.line("rows[key] = new")
        with source.block("if lazy:"):
            source.line("mark(name)")
        if self.kin is None and (self.readers is None or any(reader.pipe is None for reader in self.readers)):
            source.lines("net = key, old, new", "nets = [net]")
            with source.block("for arrangement in arrangements.values():"):
                source.line("arrangement.write(nets)")
        else:
            with source.block("if arrangements:"), source.block("for arrangement in arrangements.values():"):
                source.line("arrangement.write([(key, old, new)])")

    # Readers

    def concerned(self) -> None:
        """`touched`: whom the change concerns, each as the function expects it to be."""
        source, place = self.source, self.place
        self.cells(anew=place.anew, Failure=Exception, View=place.view, Update=ViewUpdate, empty="")
        if self.kin is not None:
            self.sought(self.kin)
            return
        if self.readers is None:
            self.cells(touched_by=place.touched)
            source.line("touched = touched_by(old, new)")
            with source.block("for kept in touched:"), source.block("if kept.dirty:"):
                source.line("return None")
            return
        touched = tuple([reader.kept for reader in self.readers])
        self.cells(touched=touched, counts=partial(place.counts, place.name, touched))
        for at, reader in enumerate(self.readers):
            self.source.cells[f"kept{at}"] = reader.kept
            test = f"kept{at}.dirty"
            if reader.step is not None:
                self.source.cells[f"step{at}"] = reader.step
                test += f" or kept{at}.{'steps' if reader.pipe is None else 'row'} is not step{at}"
            with source.block(f"if {test}:"):
                source.line("return None")

    def tell(self) -> None:
        """What the readers show of the change."""
        if self.kin is not None:
            self.kindred(self.kin)
            return
        if self.readers is None:
            self.each()
            return
        for at, reader in enumerate(self.readers):
            self.source.note(reader.name)
            self.source.cells[f"columns{at}"] = reader.columns
            if reader.pipe is None or reader.binding is None:
                self.followed(at, reader.idle)
            else:
                self.filtered(at, reader.pipe, reader.binding)

    def each(self) -> None:
        """Whoever is concerned takes its own step."""
        source = self.source
        with source.block("for kept in touched:"):
            with source.block("try:"):
                source.line("step = kept.row")
                with source.block("if step is None:"):
                    source.line("changes, placed = kept.follow(name, nets)")
                    with source.block("if not changes and not placed:"):
                        source.line("continue")
                with source.block("else:"):
                    source.lines("kept.alone += 1", "shown = step(net)")
                    with source.block("if shown is None:"):
                        source.line("continue")
                    source.line("b = shown[2]")
                    self.keep("kept")
                    source.line("changes, placed = (shown,), ()")
            with source.block("except Failure:"):
                source.line("changes, placed = anew(kept, failed)")
                with source.block("if not changes and not placed:"):
                    source.line("continue")
            self.views("kept", "view.template.columns")

    def followed(self, at: int, idle: Callable[..., bool] | None) -> None:
        """A reader that keeps something of the rows takes its own step, if the change may concern it."""
        source, kept = self.source, f"kept{at}"
        step = f"changes, placed = {kept}.follow(name, nets)"
        with source.block("try:"):
            if idle is None:
                source.line(step)
            else:
                source.cells[f"idle{at}"] = idle
                with source.block(f"if old is not None and idle{at}(old, new):"):
                    source.lines(f"{kept}.advances += 1", "changes = placed = ()")
                with source.block("else:"):
                    source.line(step)
        with source.block("except Failure:"):
            source.line(f"changes, placed = anew({kept}, failed)")
        with source.block("if changes or placed:"):
            self.views(kept, f"columns{at}")

    def filtered(self, at: int, pipe: Pipe, binding: Binding) -> None:
        """A reader of single rows: which it shows, before and after."""
        source, scope = self.source, Scope(self.source)
        frame = Frame(scope, pipe)
        tests = [*frame.local[0], *frame.late]
        if tests:
            source.note(" and ".join([frame.words(test) for test in tests]))
        source.line(f"kept{at}.alone += 1")
        with source.block("try:"):
            for name, row, env in (("a", "old", frame.read({0: "old"})), ("b", "new", self.cells_of())):
                texts = [bracketed(frame.expressions.test(test, env)) for test in tests]
                there = " and ".join(texts if row == "new" else ["old is not None", *texts])
                shown = row if frame.passes else frame.expressions.row(pipe.outputs, env)
                source.line(f"{name} = {shown} if {there} else None" if there else f"{name} = {shown}")
            with source.block("if a is b:" if frame.passes else f"if not ({frame.differ('a', 'b')}):"):
                source.line("changes = ()")
            with source.block("else:"):
                self.keep(f"kept{at}")
                source.line("changes = (key, a, b),")
        with source.block("except Failure:"):
            source.line(f"changes, _ = anew(kept{at}, failed)")
        with source.block("if changes:"):
            self.views(f"kept{at}", f"columns{at}", "()")
        scope.close(binding)

    def sought(self, kin: Kin) -> None:
        """`comers`, who have the new row's value, and `leavers`, who have that of the old row, where it is another."""
        source, at = self.source, kin.column
        self.cells(seek=kin.seek, several=frozenset({list, Many}))
        value = self.cells_of()(at)
        source.note(f"by {self.columns[at].name}")
        source.line(f"comers = seek({value})")
        with source.block("if comers is None:"):
            source.line("comers = ()")
        with source.block("else:"):
            source.line("comers = tuple(comers) if type(comers) in several else (comers,)")
        with source.block(f"if old is None or old[{at}] == {value}:"):
            source.line("touched = comers")
        with source.block("else:"):
            source.line(f"leavers = seek(old[{at}])")
            with source.block("if leavers is None:"):
                source.line("leavers = ()")
            with source.block("else:"):
                source.line("leavers = tuple(leavers) if type(leavers) in several else (leavers,)")
            source.line("touched = comers + leavers")
        with source.block("for kept in touched:"), source.block("if kept.dirty:"):
            source.line("return None")

    def kindred(self, kin: Kin) -> None:
        """What they show: the rows, or some columns of them."""
        source, scope = self.source, Scope(self.source)
        frame = Frame(scope, kin.pipe)
        self.cells(columns=kin.columns)
        was = "old" if frame.passes else frame.expressions.row(kin.pipe.outputs, frame.read({0: "old"}))
        now = "new" if frame.passes else frame.expressions.row(kin.pipe.outputs, self.cells_of())
        with source.block("if comers:"):
            source.lines(f"a = {was} if touched is comers and old is not None else None", f"b = {now}")
            source.line("changes = (key, a, b),")
            if frame.passes:
                self.member("comers", "kept.value[key] = b")
            else:
                with source.block(f"if a is not None and not ({frame.differ('a', 'b')}):"):
                    source.note("it changed in columns that they do not show")
                    with source.block("for kept in comers:"):
                        source.line("kept.alone += 1")
                with source.block("else:"):
                    self.member("comers", "kept.value[key] = b")
        with source.block("if touched is not comers:"):
            source.line(f"changes = (key, {was}, None),")
            self.member("leavers", "del kept.value[key]")
        scope.close(Binding({}, {}, Meter()))

    def member(self, who: str, write: str) -> None:
        """Each of them has the same change of one row, told in `changes`."""
        source = self.source
        with source.block(f"for kept in {who}:"):
            source.lines("kept.alone += 1", "told = changes")
            with source.block("try:"):
                source.line(write)
            with source.block("except Failure:"):
                source.line("told, _ = anew(kept, failed)")
                with source.block("if not told:"):
                    source.line("continue")
            self.views("kept", "columns", "()", "told")

    def cells_of(self) -> Environment:
        """The new row's cells, by the locals they are in already."""

        def env(column: int) -> str:
            if column == self.key_at:
                return "key"
            return f"new[{column}]" if float in self.columns[column].classes else f"a{column}"

        return env

    def keep(self, kept: str) -> None:
        """The value of a materialisation has `b` under the key, or nothing."""
        source = self.source
        with source.block("if b is None:"):
            source.line(f"del {kept}.value[key]")
        with source.block("else:"):
            source.line(f"{kept}.value[key] = b")

    def views(self, kept: str, columns: str, placed: str = "placed", changes: str = "changes") -> None:
        """The updates of the views of a materialisation."""
        source = self.source
        with source.block(f"for view in {kept}.views:"):
            with source.block("if type(view) is View:"):
                source.lines("id = view.id", "before = view.before = view.version")
                fields = f"id, view.epoch, before, now, {columns}, {changes}, {placed}, False, empty"
                source.line(f"updates[id] = made(Update, ({fields}))")
                source.lines("view.version = now", "view.updates += 1")
            with source.block("else:"):
                source.line(f"updates[view.id] = view.update({changes}, {placed}, now)")
