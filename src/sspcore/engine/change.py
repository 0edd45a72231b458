"""Changes: what a program says happened to one row (or one table).

Owns the form of a change and the constructors people use. Refuses to judge it: `engine/door.py` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

ROW_OPS: Final = ("create", "update", "upsert", "merge", "delete")
TABLE_OPS: Final = ("clear", "replace")
OPS: Final = ROW_OPS + TABLE_OPS


class Change(NamedTuple):
    """One change of one row; `clear` and `replace` change a whole table. An immutable value, cheap to build.

    Args:
        table: the table's name.
        op: create, update (replaces the row), upsert, merge (patches columns), delete, clear, replace.
        id: the row's id: text, int, or a tuple of these; None for clear and replace.
        row: a mapping of columns (a patch for merge; {id: row} for replace), or a tuple in schema order.
        seq, source: `(source, seq)` marks make redelivery a no-op; seq rises per source.
        version: a row version; a change older than the row is ignored or refused (`CircuitOptions.stale`).
        targets, tenant: addresses for routing.
        old: the row before, where a source knows it.
    """

    table: str
    op: str
    id: Any = None
    row: Any = None
    seq: int | None = None
    source: str | None = None
    version: int | None = None
    targets: tuple[str, ...] = ()
    tenant: str | None = None
    old: Any = None


Row = Mapping[str, Any] | Sequence[Any]
_new: Callable[[type[Change], tuple[Any, ...]], Change] = tuple.__new__
"""A change from all its fields, past the wrapper around a named tuple's constructor: half its cost."""


def create(table: str, id: Any, row: Row) -> Change:
    """A row that must not exist yet.

    >>> create("flights", "AA1", {"carrier": "AA"}).op
    'create'
    """
    return _new(Change, (table, "create", id, row, None, None, None, (), None, None))


def update(table: str, id: Any, row: Row) -> Change:
    """A row that must exist and is replaced whole: columns not named become NULL.

    >>> update("flights", "AA1", {"carrier": "AA"}).op
    'update'
    """
    return _new(Change, (table, "update", id, row, None, None, None, (), None, None))


def upsert(table: str, id: Any, row: Row) -> Change:
    """A row that is created or replaced whole.

    >>> upsert("flights", "AA1", {"carrier": "AA"}).op
    'upsert'
    """
    return _new(Change, (table, "upsert", id, row, None, None, None, (), None, None))


def merge(table: str, id: Any, patch: Mapping[str, Any]) -> Change:
    """A patch of an existing row: named columns are set (None sets NULL), the others stay.

    >>> merge("flights", "AA1", {"dep_delay": 5}).row
    {'dep_delay': 5}
    """
    return _new(Change, (table, "merge", id, patch, None, None, None, (), None, None))


def delete(table: str, id: Any) -> Change:
    """A row that goes; deleting a missing row is a counted no-op.

    >>> delete("flights", "AA1").op
    'delete'
    """
    return _new(Change, (table, "delete", id, None, None, None, None, (), None, None))


def clear(table: str) -> Change:
    """All rows of the table go.

    >>> clear("flights").op
    'clear'
    """
    return _new(Change, (table, "clear", None, None, None, None, None, (), None, None))


def replace(table: str, rows: Mapping[Any, Row]) -> Change:
    """The table holds exactly these rows ({id: row}) afterwards; only differences reach views.

    >>> replace("flights", {"AA1": {"carrier": "AA"}}).op
    'replace'
    """
    return _new(Change, (table, "replace", None, rows, None, None, None, (), None, None))
