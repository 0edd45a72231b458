"""`sspcore query`: a live query over a change file or a pipe.

Owns the loop: read lines, apply them as batches, hand each commit to the output. Refuses to know how the output
looks (`answers`) and what a line means (`sources.jsonl`). A batch is atomic, as everywhere: a refused line ends the
run before anything of its batch shows.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sspcore.cli.answers import Answer, make_answer
from sspcore.cli.progress import Progress
from sspcore.cli.schemas import read_params, read_schemas
from sspcore.engine.circuit import Circuit
from sspcore.engine.view import View
from sspcore.errors import ChangeRejected, UsageError, did_you_mean
from sspcore.sources.jsonl import ChangeReader
from sspcore.sources.lines import LineReader

VIEW = "(the query)"
"""The view's id: views and tables share one namespace, and no table is called this."""
_INPUT = "pass a change file, or - for a pipe"
BATCH = 1000
"""Lines per commit: from 100 on the cost of a commit vanishes, and 1000 are read in a few milliseconds."""


def run(options: argparse.Namespace) -> int:
    """Run the query to the end of its input; 0. Raises SspError."""
    params = read_params(options.param)
    circuit = Circuit(schemas=read_schemas(options.schema) if options.schema else ())
    circuit.register(VIEW, options.sql, params)
    with _open(options.file) as (descriptor, name):
        lines = LineReader(descriptor, name, follow=options.follow)
        schemas = {table: held.schema for table, held in circuit.tables.items() if not held.schema.open}
        reader = ChangeReader(name, schemas.get, wanted=circuit.view(VIEW).tables)
        answer = make_answer(sys.stdout, options.format, deltas=options.deltas, follow=options.follow)
        progress = Progress(sys.stderr, lines.size if not options.follow else None)
        quiet = sys.stdout.isatty() and (options.follow or options.deltas)  # the answer itself shows that it moves
        with _few_collections():
            try:
                _pump(circuit, lines, reader, answer, None if quiet else progress, 1 if options.deltas else BATCH)
            except KeyboardInterrupt:
                if not options.follow:  # stopping is how following ends
                    raise
            finally:
                progress.close()
        answer.end(circuit.view(VIEW))
    if progress.spoke:
        _summary(reader, progress.seconds)
    for note in _notes(circuit, options.sql, reader):
        print(f"sspcore: {note}", file=sys.stderr)
    return 0


def _pump(
    circuit: Circuit, lines: LineReader, reader: ChangeReader, answer: Answer, progress: Progress | None, most: int
) -> None:
    answer.start(circuit.view(VIEW))
    for batch in lines.batches(most):
        if not batch:
            answer.idle(circuit.view(VIEW))
            continue
        changes = reader.read(batch)
        if changes:
            try:
                commit = circuit.apply(changes)
            except ChangeRejected as error:
                raise reader.located(error) from error
            for failure in commit.failed.values():
                raise failure
            answer.commit(commit.updates.get(VIEW), circuit.view(VIEW), reader.changes)
        if progress is not None:
            progress.at(lines.position, reader.line)


@contextmanager
def _open(file: str) -> Iterator[tuple[int, str]]:
    """(descriptor, name for messages) of the input."""
    if file == "-":
        if sys.stdin is None:
            raise UsageError("standard input is closed", hint=_INPUT)
        yield sys.stdin.fileno(), "standard input"
        return
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError as error:
        raise UsageError(f"cannot read {file!r}: {error.strerror}", hint=_INPUT) from None
    try:
        if os.path.isdir(file):
            raise UsageError(f"cannot read {file!r}: it is a folder", hint=_INPUT)
        yield descriptor, file
    finally:
        os.close(descriptor)


@contextmanager
def _few_collections() -> Iterator[None]:
    """Rows make no cycles; letting the collector walk a million of them again and again doubles the time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _summary(reader: ChangeReader, seconds: float) -> None:
    parts = [f"{reader.line:,} lines in {seconds:.1f} s", f"{reader.line / max(seconds, 1e-9):,.0f} changes/s"]
    if (peak := _peak_memory()) is not None:
        parts.append(f"peak memory {peak / 2**20:,.0f} MiB")
    print("sspcore: " + ", ".join(parts), file=sys.stderr)


def _peak_memory() -> int | None:
    """Bytes this process held at most, where the system tells. On Linux `ru_maxrss` would count who started it too."""
    with suppress(OSError, ValueError), open("/proc/self/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    with suppress(ImportError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return None


def _notes(circuit: Circuit, sql: str, reader: ChangeReader) -> Iterator[str]:
    """What looks like a slip now that the input is known: a table it never names, a column no row has."""
    view: View = circuit.view(VIEW)
    known = {*reader.seen, *reader.skipped}
    missing = sorted(view.tables - known)
    for table in missing:
        hint = did_you_mean(table, known)
        yield f"note: no change is of table {table!r}" + (f"; {hint}" if hint else "")
    if not missing:
        for warning in circuit.explain(sql).warnings:
            yield f"note: {warning}"
