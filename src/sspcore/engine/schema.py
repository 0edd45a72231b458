"""Schemas: the columns of a table, their types, and its key.

Owns what a row of a table must look like. Refuses to hold rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import attrs

from sspcore.algebra.values import FrozenObject, Value, canonical
from sspcore.errors import SchemaError, did_you_mean, shown

COLUMN_TYPES: Final = (
    "boolean", "integer", "real", "text", "bytes", "timestamp", "date", "decimal", "json", "any",
)  # fmt: skip
INTEGER_LIMIT: Final = 2**63
"""Declared integers are 64-bit signed, as in every database a change may come from."""


def _columns(columns: Mapping[str, str]) -> Mapping[str, str]:
    return dict(columns)


@attrs.frozen
class Schema:
    """A table's name, its columns with their types in order, and its key.

    Args:
        table: the name; not empty.
        columns: name → type, one of boolean integer real text bytes timestamp date decimal json any.
        key: the column that holds a row's id (added in front when not listed), a tuple of columns for a composite
            key (the id is then that tuple), or None when the id stands outside the row.
        open: accept columns not listed here, widening the table.

    Raises SchemaError (the caller's fault) for an unknown type, a duplicate or empty name, a key that is not a column.

    >>> Schema("flights", {"carrier": "text", "dep_delay": "integer"}).names
    ('id', 'carrier', 'dep_delay')
    """

    table: str
    columns: Mapping[str, str] = attrs.field(factory=dict, converter=_columns, hash=False)
    key: str | tuple[str, ...] | None = "id"
    open: bool = False

    @classmethod
    def from_attrs(
        cls, of: type[Any], table: str, key: str | tuple[str, ...] | None = "id", *, open: bool = False
    ) -> Schema:
        """The schema of a table whose rows an attrs class describes: its attributes are the columns, in order.

        `bool int float str bytes datetime date Decimal` give the column types of these; lists, mappings and nested
        classes json; `X | None` that of X; whatever else any. Raises SchemaError (the caller's).

        >>> import attrs
        >>> Schema.from_attrs(attrs.make_class("Flight", {"id": attrs.field(type=str)}), table="flights").columns
        {'id': 'text'}
        """
        from sspcore.engine.typed import columns_of

        return cls(table, columns_of(of, table), key, open)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.table, str) or not self.table:
            raise SchemaError(f"a table needs a name, not {self.table!r}")
        for name, kind in self.columns.items():
            if not isinstance(name, str) or not name:
                raise SchemaError(f"table {self.table!r}: {name!r} is no column name")
            if kind not in COLUMN_TYPES:
                raise SchemaError(
                    f"table {self.table!r}: column {name!r} has unknown type {kind!r}",
                    hint=did_you_mean(str(kind), COLUMN_TYPES),
                )
        if isinstance(self.key, str):
            if self.key not in self.columns:
                object.__setattr__(self, "columns", {self.key: "any"} | dict(self.columns))
        elif self.key is not None:
            if not isinstance(self.key, tuple | list) or not all(isinstance(k, str) for k in self.key):
                raise SchemaError(
                    f"table {self.table!r}: {self.key!r} is no key",
                    hint="a key is a column's name, a list of them, or None when the id stands outside the row",
                )
            object.__setattr__(self, "key", tuple(self.key))
            missing = [k for k in self.key if k not in self.columns]
            if missing or len(self.key) < 1:
                raise SchemaError(
                    f"table {self.table!r}: key column {missing[0]!r} is not a column" if missing
                    else f"table {self.table!r}: a composite key needs columns",
                    hint="list it under columns, or use key=None when the id stands outside the row",
                )  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order: the layout of the table's row tuples."""
        return tuple(self.columns)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns that hold the id; none when it stands outside the row."""
        if self.key is None:
            return ()
        return (self.key,) if isinstance(self.key, str) else self.key

    def widened(self, names: list[str]) -> Schema:
        """The schema with more columns of type any at the end."""
        return attrs.evolve(self, columns=dict(self.columns) | dict.fromkeys(names, "any"))


def open_schema(table: str) -> Schema:
    """The schema of a table nobody declared: key `id`, its first column, open to any other."""
    return Schema(table, {"id": "any"}, "id", open=True)


_EXPECTED: Final[dict[str, tuple[type, ...]]] = {
    "boolean": (bool,), "integer": (int,), "real": (float, int), "text": (str,), "bytes": (bytes,),
    "timestamp": (datetime,), "date": (date,), "decimal": (Decimal, int),
    "json": (bool, int, float, str, tuple, FrozenObject),
}  # fmt: skip


def typed(value: Any, kind: str) -> Value:
    """`value` in its canonical form, checked against a column type; NULL fits every type.

    A `real` column keeps floats (an int becomes one), a `decimal` column Decimals, so that a column shows one class
    and one type. Raises ValueError (the caller's data) naming the value and the type.

    >>> typed(3, "real")
    3.0
    """
    value = canonical(value)
    if value is None or kind == "any":
        return value
    if type(value) not in _EXPECTED[kind]:
        raise ValueError(f"{shown(value)} is no {kind}")
    if kind == "integer" and not -INTEGER_LIMIT <= value < INTEGER_LIMIT:
        raise ValueError(f"{shown(value)} is beyond the 64-bit range of an integer column; declare it decimal or any")
    if kind == "real" and type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"{shown(value)} is beyond the range of a real column") from None
    if kind == "decimal" and type(value) is int:
        return Decimal(value)
    return value


def check_id(value: Any) -> Any:
    """A row id: text, an int, or a non-empty tuple of these (lists become tuples). Raises ValueError otherwise."""
    if type(value) is str or type(value) is int:
        return canonical(value)
    if isinstance(value, tuple | list) and value:
        return tuple([_check_part(v) for v in value])
    raise ValueError(f"an id is text, an integer or a tuple of these, not {shown(value)}")


def _check_part(value: Any) -> Any:
    if type(value) is str or type(value) is int:
        return canonical(value)
    raise ValueError(f"a part of an id is text or an integer, not {shown(value)}")
