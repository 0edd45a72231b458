"""Fusing: what a table's lone changes pass through, as one generated function (`emit/alone`), once it is worth it.

Owns when it is generated: never while views are registered, but once the same readers have seen so many changes the
plain way that the code would have been paid. Refuses to know its text, and to judge whether it may still be used: the
function looks itself, and declines.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from sspcore.codegen.source import shown
from sspcore.engine.change import Change
from sspcore.engine.emit.alone import AloneWriter, Kin, Place, Reader
from sspcore.engine.emit.pipe import pipe_of
from sspcore.engine.materialisation import Materialisation
from sspcore.engine.program import Program
from sspcore.engine.readers import Readers
from sspcore.engine.rows import RowMaker
from sspcore.engine.statistics import no_op_statistics, row_statistics
from sspcore.engine.table import Net, Table, declines
from sspcore.engine.update import Commit, Placement, RowChange
from sspcore.engine.view import View
from sspcore.plan.expressions import NOW, Call, Column, columns_read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sspcore.engine.circuit import Circuit

PATIENCE: Final = 2_000
"""Changes that go the plain way before code is generated for them: about what that costs."""
MOST_READERS: Final = 16
"""Readers that are written out; where there are more, each takes its own step."""

_NOTHING: Final = (no_op_statistics,)


def wait(circuit: Circuit, name: str, table: Table, readers: Readers) -> None:
    """One change more that went the plain way though it is plain: what function there is is outdated."""
    readers.waited += 1
    if readers.fused or name in circuit._alone:
        readers.fused = False
        circuit._alone.pop(name, None)
    if readers.waited >= PATIENCE:
        readers.waited = 0
        made = fuse(circuit, name, table, readers)
        if made is not None:
            circuit._alone[name] = made
            readers.fused = True


def fuse(circuit: Circuit, name: str, table: Table, readers: Readers) -> Callable[[Change], Commit | None] | None:
    """The function of a table as it is now, with the readers it has; None where it cannot have one."""
    maker: RowMaker | None = table.maker
    if maker is None or maker.columns is None or table.one is declines:
        return None
    place = Place(
        circuit=circuit, table=table, name=name, one=table.one, readers=readers, lazy=circuit._lazy, mark=circuit._mark,
        touched=readers.touched_by, anew=partial(anew, circuit), undo=undo, fail=circuit._fail, nothing=_NOTHING,
        counts=row_statistics, view=View,
    )  # fmt: skip
    few = readers.few
    told = None if few is None or len(few) > MOST_READERS else [_reader(kept, circuit, name) for kept in few]
    kin = None if told is not None else _kin(circuit, table, readers)
    return AloneWriter(maker.columns, maker.key_at, place, told, kin).build()


def listing(circuit: Circuit, tables: Iterable[str]) -> str:
    """The functions that lone changes of these tables go through now, commented, for people; empty: there is none."""
    texts = []
    for name in sorted(tables):
        readers, made = circuit._readers.get(name), circuit._alone.get(name)
        if made is not None and readers is not None and readers.fused:
            plain = "".join([c if c.isprintable() else " " for c in name])
            heading = f"# One change of {plain} alone, from the change to the commit, for all views of that table:"
            texts.append(f"\n\n{heading}\n{shown(made)}")
    return "".join(texts)


def _kin(circuit: Circuit, table: Table, readers: Readers) -> Kin | None:
    """The readers of a table, where they are of one form: the rows with one value of a column, that of each its own."""
    family = readers.family()
    if family is None or circuit.options.execution != "compiled":
        return None
    template, column, seek = family
    name = table.schema.table
    code = template.code(circuit._tables)
    if code.stateless != name or NOW in template.params:
        return None
    pipe = pipe_of(code.plan, {name: table.schema})
    same_keys = pipe.kinds[column] in ("integer", "text")  # what equals a value is found under it
    if not same_keys or not all(isinstance(e, Column) for e in pipe.outputs) or len(pipe.filters) != 1:
        return None
    (test,) = pipe.filters
    if not isinstance(test, Call) or test.function != "=" or columns_read(test) != {column}:
        return None
    if not any(isinstance(e, Column) for e in test.args) or all(isinstance(e, Column) for e in test.args):
        return None
    return Kin(pipe, template.columns, column, seek)


def _reader(kept: Materialisation, circuit: Circuit, table: str) -> Reader:
    columns, name = kept.template.columns, ", ".join([view.id for view in kept.views])
    program = kept.maintainer
    if not isinstance(program, Program) or program.tables != {table}:
        return Reader(kept, columns, name)
    if kept.row is None:
        if program.idle is None or kept.steps is not program.steps:
            return Reader(kept, columns, name)
        return Reader(kept, columns, name, step=kept.steps, idle=program.idle)
    pipe = pipe_of(program.code.plan, {table: circuit._tables[table].schema})
    return Reader(kept, columns, name, pipe, program.binding, kept.row)


def anew(
    circuit: Circuit, kept: Materialisation, failed: dict[str, Exception]
) -> tuple[tuple[RowChange, ...], tuple[Placement, ...]]:
    """What a commit of one change did to a view that raised in its midst, by computing it anew.

    One that cannot be computed has failed, and nothing is told of it.
    """
    if not kept.ordered:
        kept.delta = []
    try:
        return kept.rehydrate(circuit._tables)
    except Exception as error:  # noqa: BLE001 - the unit of fault is the view
        failed.update({view.id: error for view in kept.views})
        return (), ()


def undo(table: Table, net: Net, touched: Iterable[Materialisation], version: int) -> None:
    """The commit of one change did not happen: the table is as before, and its readers are to be hydrated anew."""
    table.unwrite([net])
    for kept in touched:
        kept.dirty = True
        for view in kept.views:
            view.take_back(version)
