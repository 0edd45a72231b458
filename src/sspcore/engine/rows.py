"""From what people pass as a row to the tuple a table keeps.

Owns layout, types and the key column. One `RowMaker` serves one layout of one table; on an open table it notes new
columns (`added`) without touching the table, so that a refused batch leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from sspcore.algebra.values import Value, canonical, same
from sspcore.engine.change import Change
from sspcore.engine.emit.intake import PLAIN, Cell, intake
from sspcore.engine.schema import INTEGER_LIMIT, Schema, typed
from sspcore.engine.table import Table
from sspcore.errors import ChangeRejected, did_you_mean, shown

Row = tuple[Value, ...]

_PLAIN: Final[dict[str, type]] = {"any": object, "text": str, "integer": int, "real": float}
"""The Python type whose values a column of this type takes after a cheap look; `object` for any of them."""
_CLASSES: Final[dict[str, frozenset[type]]] = {
    "any": frozenset(PLAIN), "text": frozenset({str}), "integer": frozenset({int}), "real": frozenset({float}),
    "boolean": frozenset({bool}),
}  # fmt: skip
"""The classes of values that a column of this type takes as they are; NULL beside them."""
_STEADY: Final = frozenset({"text", "integer", "real", "boolean", "bytes", "timestamp", "date"})
"""Types of which two values in a column that are equal are the same."""
_FIRST: Final = 3
"""Rows that go the long way before code is generated for the classes they showed."""


def _declines_row(key: Any, given: Any) -> Row | None:
    return None


def _declines_several(changes: Sequence[Change], found: dict[Any, Row | None], strict: bool) -> int:
    return 0


class RowMaker:
    """Makes row tuples of one schema. `width` grows as an open table meets new columns, listed in `added`.

    Args: `table`, which has the schema, or will; `alone`, whether one change of it may be judged by itself.
    """

    def __init__(self, table: Table, max_columns: int, alone: bool) -> None:
        self.table = table
        self.alone = alone
        schema = self.schema = table.schema
        self.max_columns = max_columns
        self.kinds = list(schema.columns.values())
        self.names = list(schema.names)
        self.position = {name: i for i, name in enumerate(self.names)}
        self.width = len(self.names)
        self.steady = _STEADY.issuperset(self.kinds)
        """Rows that are equal are the same."""
        self.added: list[str] = []
        key = schema.key
        self.key_at = self.position[key] if isinstance(key, str) else None
        self._keys_at = [self.position[k] for k in key] if isinstance(key, tuple) else None
        self._plain = [_PLAIN.get(kind) for kind in self.kinds]
        self._shown: list[set[type]] = [set() for _ in self.kinds]
        self._left = _FIRST
        # The generated ways in, see `Intake`: what they decline goes the long way.
        self.plain: Callable[[Any, Any], Row | None] = _declines_row
        self.several: Callable[[Sequence[Change], dict[Any, Row | None], bool], int] = _declines_several
        self.columns: Sequence[Cell] | None = None
        """What they were generated for."""

    def row(self, key: Any, given: Any) -> Row:
        """A full row: columns not named become NULL. `given` is a mapping, or a tuple in schema order.

        Raises ChangeRejected or ValueError (the producer's data). Cost: O(columns).
        """
        if type(given) is not dict:  # asking a dict whether it is a Mapping costs as much as three cells
            if isinstance(given, tuple | list):
                return self._from_sequence(key, given)
            if not isinstance(given, Mapping):
                self._refuse_row(key, given)
        cells: list[Value] = [None] * self.width
        position, plain = self.position, self._plain
        for name, value in given.items():
            at = position.get(name)
            if at is None:
                at = self._new_column(name)
                cells.append(None)
            if value is None:
                continue
            kind = type(value)
            if kind is plain[at] or plain[at] is object:  # the common cells are canonical as they come
                if kind is str:
                    if value.isascii():
                        cells[at] = value
                        continue
                elif kind is int:
                    if -INTEGER_LIMIT <= value < INTEGER_LIMIT:
                        cells[at] = value
                        continue
                elif kind is float:
                    if value == value:
                        cells[at] = value + 0.0
                        continue
            cells[at] = self._convert(at, value)
        self._fill_key(cells, key)
        if self._left and not self.added:
            self._learn(cells)
        return tuple(cells)

    def _learn(self, cells: list[Value]) -> None:
        """A row went the long way: when it shows a column in a class not seen there, generate code that takes it."""
        news = False
        for at, value in enumerate(cells):
            kind = type(value)
            if kind not in self._shown[at] and (value is None or kind in _CLASSES.get(self.kinds[at], ())):
                self._shown[at].add(kind)
                news = True
        self._left -= 1
        if self._left == 0 and self._keys_at is None:
            self._generate()
            self._left = -1
        elif self._left < 0 and news:
            self._generate()

    def _generate(self) -> None:
        columns = []
        for at, (name, kind) in enumerate(zip(self.names, self.kinds, strict=True)):
            if kind in _CLASSES:
                columns.append(Cell(name, frozenset(self._shown[at]), steady=kind in _STEADY))
            else:
                columns.append(Cell(name, frozenset(), partial(self._convert, at), kind in _STEADY))
        if all(column.classes or column.convert for column in columns):
            table = self.table
            made = intake(columns, self.key_at, self.schema.table, table.rows, table.versions)
            self.plain, self.several = made.row, made.several
            self.columns = columns
            if self.alone:
                table.one = made.one

    def _refuse_row(self, key: Any, given: Any) -> None:
        raise ChangeRejected(
            f"row {shown(key)} of table {self.schema.table!r}: "
            f"a row is a mapping of columns, not {type(given).__name__}"
        )

    def patch(self, key: Any, given: Any) -> list[tuple[int, Value]]:
        """The cells a merge sets, as (position, value)."""
        if not isinstance(given, Mapping):
            raise ChangeRejected(f"a merge carries a mapping of columns, not {type(given).__name__}")
        cells = []
        for name, value in given.items():
            at = self.position.get(name)
            cells.append((self._new_column(name) if at is None else at, value))
        checked = [(at, value if self._stays(at, value) else self._convert(at, value)) for at, value in cells]
        held = dict(checked)
        for at, part in self._key_cells(key):
            if at in held and not same(held[at], part):
                self._refuse_key(at, held[at], key)
        return checked

    def widened(self) -> Schema:
        """The schema with the new columns."""
        return self.schema.widened(self.added)

    def _stays(self, at: int, value: Any) -> bool:
        """Whether a value is kept as it is: the common ones are canonical as they come."""
        if value is None:
            return True
        kind, plain = type(value), self._plain[at]
        if kind is not plain and plain is not object:
            return False
        return (kind is str and value.isascii()) or (kind is int and -INTEGER_LIMIT <= value < INTEGER_LIMIT)

    def _convert(self, at: int, value: Any) -> Value:
        kind = self.kinds[at]
        try:
            return canonical(value) if kind == "any" else typed(value, kind)
        except ValueError as error:
            raise ChangeRejected(
                f"column {self.names[at]!r} of table {self.schema.table!r}: {error}",
                hint="" if kind == "any" else f"the column is declared {kind}",
            ) from None

    def _from_sequence(self, key: Any, given: Any) -> Row:
        if len(given) != self.width:
            raise ChangeRejected(
                f"row {shown(key)} of table {self.schema.table!r} has {len(given)} cells, "
                f"the table {self.width} columns: " + ", ".join(self.names)
            )
        cells = [None if value is None else self._convert(at, value) for at, value in enumerate(given)]
        self._fill_key(cells, key)
        if self._left and not self.added:
            self._learn(cells)
        return tuple(cells)

    def _key_cells(self, key: Any) -> list[tuple[int, Value]]:
        if self.key_at is not None:
            return [(self.key_at, key)]
        if self._keys_at is None:
            return []
        if type(key) is not tuple or len(key) != len(self._keys_at):
            raise ChangeRejected(
                f"the id of table {self.schema.table!r} is a tuple of {len(self._keys_at)} "
                f"({', '.join(self.schema.key_columns)}), not {shown(key)}"
            )
        return list(zip(self._keys_at, key, strict=True))

    def _fill_key(self, cells: list[Value], key: Any) -> None:
        at = self.key_at
        if at is not None and cells[at] is None and self._plain[at] is object:
            cells[at] = key
            return
        for at, part in self._key_cells(key):
            held = cells[at]
            if held is None:
                cells[at] = part if self.kinds[at] == "any" else self._convert(at, part)
            elif (
                held is not part
                and not (type(held) is type(part) and held == part)
                and not same(held, self._convert(at, part))
            ):
                self._refuse_key(at, held, key)

    def _refuse_key(self, at: int, held: Value, key: Any) -> None:
        raise ChangeRejected(
            f"row {shown(key)} of table {self.schema.table!r}: its key column {self.names[at]!r} says {shown(held)}",
            hint="leave the key column out, or make it equal to the id",
        )

    def _new_column(self, name: Any) -> int:
        table = self.schema.table
        if type(name) is not str or not name:
            raise ChangeRejected(f"table {table!r}: {shown(name)} is no column name")
        if not self.schema.open:
            raise ChangeRejected(f"unknown column {name!r} in table {table!r}", hint=did_you_mean(name, self.names))
        if self.width >= self.max_columns:
            raise ChangeRejected(f"table {table!r} would have more than {self.max_columns} columns (max_columns)")
        canonical(name)
        self.names.append(name)
        self.kinds.append("any")
        self._plain.append(object)
        self.added.append(name)
        self.position[name] = self.width
        self.width += 1
        return self.width - 1
