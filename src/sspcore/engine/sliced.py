"""Slices: a big batch in steps, so that whoever drives a circuit can do other things in between.

Owns the generators and that a circuit serves nothing while one is under way. What a commit does is `commit`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sspcore.algebra.values import same
from sspcore.engine.change import Change
from sspcore.engine.commit import commit_in_slices
from sspcore.engine.draft import Resolution
from sspcore.engine.table import Id, Net, Row, Table
from sspcore.engine.template import Understood
from sspcore.engine.update import Commit, Snapshot
from sspcore.engine.view import View
from sspcore.errors import UnknownTable, UsageError

if TYPE_CHECKING:
    from sspcore.engine.circuit import Circuit

Entry = tuple[str, Id, Row | None]
Given = tuple[str, object, Mapping[str, Any] | None, bool, str, bool, bool]
"""What `register` takes: view id, query, params, replace, format, lazy, digest."""
Wanted = tuple[type[View], Understood, dict[str, Table]]
"""What it makes of that: the view's class, the query understood, and the tables that are still missing."""


def resolve_rows(
    tables: Mapping[str, Table], entries: Iterable[Entry], size: int | None
) -> Generator[None, None, Resolution]:
    """What resolved rows change, net, against the tables now; a pause after every `size`. Raises UnknownTable."""
    touched: dict[str, dict[Id, Row | None]] = {}
    received = 0
    for name, key, row in entries:
        rows = touched.get(name)
        if rows is None:
            if name not in tables:
                raise UnknownTable(name, tables)
            rows = touched[name] = {}
        rows[key] = row
        received += 1
        if size is not None and received % size == 0:
            yield
    net: dict[str, list[Net]] = {}
    for name, rows in touched.items():
        held = tables[name].rows
        changed: list[Net] = []
        for seen, (key, row) in enumerate(rows.items(), 1):
            old = held.get(key)
            if old is not row and (old is None or row is None or old != row or not same(old, row)):
                changed.append((key, old, row))
            if size is not None and seen % size == 0:
                yield
        if changed:
            net[name] = changed
    changes = sum(map(len, net.values()))
    return Resolution(net, {}, {}, {}, {}, received, received - changes, 0)


def apply_in_slices(circuit: Circuit, changes: list[Change], size: int) -> Generator[None, None, Commit]:
    """`Circuit.apply_sliced`: the batch is judged in the first step."""
    with _Under(circuit, size):
        return (yield from commit_in_slices(circuit, circuit._door.resolve(changes), size))


def deliver_in_slices(circuit: Circuit, entries: Iterable[Entry], size: int) -> Generator[None, None, Commit]:
    """`Circuit.deliver` in steps."""
    with _Under(circuit, size):
        resolution = yield from resolve_rows(circuit._tables, entries, size)
        return (yield from commit_in_slices(circuit, resolution, size))


def register_in_slices(circuit: Circuit, size: int, given: Given) -> Generator[None, None, Snapshot]:
    """`Circuit.register_sliced`: `given` is what `register` takes."""
    with _Under(circuit, size):
        return (yield from circuit._register_in_slices(given, size))


class _Under:
    """A sliced commit is under way: nothing else is served."""

    def __init__(self, circuit: Circuit, size: int) -> None:
        circuit._require_idle()
        if size < 1:
            raise UsageError(f"a slice has at least one row, not {size}")
        if circuit.pending:
            raise UsageError(f"{circuit.pending} changes wait", hint="flush them first")
        self._circuit = circuit

    def __enter__(self) -> None:
        self._circuit._sliced = True

    def __exit__(self, *_: object) -> None:
        self._circuit._sliced = False
