"""What `sspcore query` prints, and when: the result at the end, every update, or the result as it moves.

Owns the timing; the looks are `render`'s, the cursor `redraw`'s. Refuses to know where changes come from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol, TextIO

from sspcore.cli import render
from sspcore.cli.redraw import Redraw
from sspcore.engine.update import Row, ViewUpdate
from sspcore.engine.view import View

REDRAW_SECONDS = 0.1
"""Ten pictures a second: as many as the eye tells apart in a table."""


class Answer(Protocol):
    """Called as the input is read, in this order: start, then commit and idle in any mix, then end."""

    def start(self, view: View) -> None:
        """Before the first line."""

    def commit(self, update: ViewUpdate | None, view: View, changes: int) -> None:
        """A batch was applied; `update` is None when the view stayed as it was; `changes` read so far."""

    def idle(self, view: View) -> None:
        """The input has nothing more for now."""

    def end(self, view: View) -> None:
        """The input has ended. Not called when a line was refused."""


def make_answer(out: TextIO, format: str, *, deltas: bool, follow: bool) -> Answer:
    """The answer that the options ask for."""
    if deltas:
        return Deltas(out, format)
    if not follow:
        return Final(out, format)
    return Moving(out) if format == "table" and out.isatty() else Repeated(out, format)


def write_result(out: TextIO, format: str, view: View) -> None:
    """The whole result in a format."""
    rows = view.rows()
    if format == "jsonl":
        write(out, render.jsonl(view.columns, rows))
    elif format == "csv":
        write(out, render.csv(view.columns, rows))
    else:
        write(out, render.table(view.columns, rows))


def write(out: TextIO, lines: Iterable[str]) -> None:
    """Lines with line ends."""
    out.writelines(line + "\n" for line in lines)


class Final:
    """The result, once, at the end."""

    def __init__(self, out: TextIO, format: str) -> None:
        self._out, self._format = out, format

    def start(self, view: View) -> None:
        pass

    def commit(self, update: ViewUpdate | None, view: View, changes: int) -> None:
        pass

    def idle(self, view: View) -> None:
        pass

    def end(self, view: View) -> None:
        write_result(self._out, self._format, view)


class Repeated:
    """The result whenever it has changed and the input pauses; a blank line between two results."""

    def __init__(self, out: TextIO, format: str) -> None:
        self._out, self._format = out, format
        self._changed, self._written = False, False

    def start(self, view: View) -> None:
        pass

    def commit(self, update: ViewUpdate | None, view: View, changes: int) -> None:
        self._changed = self._changed or update is not None

    def idle(self, view: View) -> None:
        if self._changed:
            self._write(view)

    def end(self, view: View) -> None:
        if self._changed or not self._written:
            self._write(view)

    def _write(self, view: View) -> None:
        between = "\n" if self._written else ""
        self._changed, self._written = False, True  # first: Ctrl-C while it is being written must not write it again
        self._out.write(between)
        write_result(self._out, self._format, view)
        self._out.flush()


class Moving:
    """The result drawn in place, a few times a second, clipped to the terminal; whole at the end."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._redraw, self._clock = Redraw(out), clock
        self._due, self._changed, self._changes = 0.0, True, 0

    def start(self, view: View) -> None:
        self._draw(view)

    def commit(self, update: ViewUpdate | None, view: View, changes: int) -> None:
        self._changed, self._changes = True, changes
        if self._clock() >= self._due:
            self._draw(view)

    def idle(self, view: View) -> None:
        if self._changed:
            self._draw(view)

    def end(self, view: View) -> None:
        self._redraw.show(render.table(view.columns, view.rows()))

    def _draw(self, view: View) -> None:
        width, height = self._redraw.size()
        lines = render.table(view.columns, view.rows(), width=width, height=height - 1)
        status = f"{self._changes:,} changes, version {view.version}; Ctrl-C ends"
        self._redraw.show([*lines, status[:width]])
        self._changed, self._due = False, self._clock() + REDRAW_SECONDS


class Deltas:
    """Every update as it happens, beginning with the rows the view has over no input; together they give the result."""

    def __init__(self, out: TextIO, format: str) -> None:
        self._out, self._format = out, format
        self._columns: tuple[str, ...] | None = None
        self._table: render.DeltaTable | None = None

    def start(self, view: View) -> None:
        rows = view.rows()
        if rows:
            self._write(view.columns, view.version, rows, [], [], False)

    def commit(self, update: ViewUpdate | None, view: View, changes: int) -> None:
        if update is not None and (update.changes or update.reset):
            reset = update.reset and self._columns is not None
            self._write(update.columns, update.version, update.added, update.updated, update.removed, reset)

    def idle(self, view: View) -> None:
        pass

    def end(self, view: View) -> None:
        pass

    def _write(
        self, columns: tuple[str, ...], version: int, added: Iterable[Row], updated: Iterable[tuple[Row, Row]],
        removed: Iterable[Row], reset: bool,
    ) -> None:  # fmt: skip
        if self._format == "jsonl":
            write(self._out, [render.delta_json(columns, version, added, updated, removed, reset=reset)])
        else:
            signed = [("-", row) for row in removed]
            signed += [pair for old, new in updated for pair in (("-", old), ("+", new))]
            signed += [("+", row) for row in added]
            self._write_lines(columns, version, signed, reset)
        self._columns = columns
        self._out.flush()

    def _write_lines(self, columns: tuple[str, ...], version: int, signed: list[tuple[str, Row]], reset: bool) -> None:
        """After a reset (a new column under `SELECT *`) the header comes again, and every row under it."""
        if self._format == "csv":
            rows = [(version, sign, *row) for sign, row in signed]
            header = self._columns is None or reset
            write(self._out, render.csv(("version", "change", *columns), rows, header=header))
            return
        if self._table is None or reset:
            self._table = render.DeltaTable(columns)
        write(self._out, self._table.lines(version, signed))
