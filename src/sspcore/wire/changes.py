"""Changes in JSON: `{"table": …, "op": …, "id": …, "row": {…}, "seq"?: …, "at"?: …}`, one object per change.

Owns the shape of that object and where in it a fault lies (`$[3].row.dep_delay`). Whether the change fits the
table is the door's to say; whether its sender may send it is the session's. Refuses to know files and sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sspcore.algebra.values import canonical
from sspcore.engine.change import OPS, Change
from sspcore.engine.schema import Schema, check_id
from sspcore.errors import ChangeRejected, did_you_mean
from sspcore.wire.values import decode_id, decode_value, encode_value

FIELDS: Final = ("table", "op", "id", "row", "seq", "at", "source", "version", "targets", "tenant")
"""What a change object may hold. `at`, the time of the event, paces a replay and is not part of the change."""

SchemaOf = Callable[[str], Schema | None]


def no_schemas(table: str) -> Schema | None:
    """For readers that know no schema: every text stays text."""
    return None


def decode_change(data: object, schema: SchemaOf = no_schemas, *, index: int | None = None) -> Change:
    """One change from its JSON object; text is parsed into the types that `schema(table)` declares.

    Raises ChangeRejected (the sender's fault) with the place, for: no object, an unknown or a missing field, a
    field of a wrong shape, an unknown op, text that is not of the column's type. Cost: O(columns given).

    >>> decode_change({"table": "flights", "op": "upsert", "id": "AA1", "row": {"dep_delay": 5}}).row
    {'dep_delay': 5}
    """
    if type(data) is not dict:
        raise _refused(f"a change is an object with table, op, id and row, not {_kind(data)}", index)
    if not data.keys() <= _FIELD_SET:
        name = next(name for name in data if name not in _FIELD_SET)
        raise _refused(f"unknown field {name!r} in a change", index, hint=did_you_mean(name, FIELDS))
    table, op = data.get("table"), data.get("op")
    if type(table) is not str or not table:
        raise _refused(f"a change names its table by text, not {_kind(table)}", index, ".table")
    if type(op) is not str or op not in OPS:
        raise _refused(f"unknown op {op!r}", index, ".op", did_you_mean(str(op), OPS))
    decode_row = _RowDecoder(table, schema(table), index)
    row = data.get("row")
    if row is not None:
        row = decode_row.rows(row) if op == "replace" else decode_row.row(row, ".row")
    elif op in _NEED_ROW:
        raise _refused(f"{op} carries a row", index, ".row", _NEED_ROW[op])
    change = Change(table, op, decode_id(data.get("id")), row)
    return change if data.keys() <= _BARE else _with_marks(change, data, index)


def encode_change(change: Change) -> dict[str, Any]:
    """A change as its JSON object; absent fields are left out. The inverse of `decode_change` for declared types.

    >>> from sspcore.engine.change import delete
    >>> encode_change(delete("flights", ("AA", 1)))
    {'table': 'flights', 'op': 'delete', 'id': ['AA', 1]}
    """
    data: dict[str, Any] = {"table": change.table, "op": change.op}
    if change.id is not None:
        data["id"] = _encode_id(change.id)
    if change.row is not None:
        if change.op == "replace":
            data["row"] = [[_encode_id(key), _encode_row(row)] for key, row in change.row.items()]
        else:
            data["row"] = _encode_row(change.row)
    for name in ("seq", "source", "version", "tenant"):
        if (value := getattr(change, name)) is not None:
            data[name] = value
    if change.targets:
        data["targets"] = list(change.targets)
    return data


class _RowDecoder:
    """Parses the cells of rows of one table."""

    def __init__(self, table: str, schema: Schema | None, index: int | None) -> None:
        self.table, self.index = table, index
        self.columns: Mapping[str, str] = {} if schema is None else schema.columns

    def row(self, data: object, place: str) -> object:
        if type(data) is dict:
            columns = self.columns
            if not columns:
                return data
            return {
                name: value if value is None or name not in columns else self.cell(name, value, f"{place}.{name}")
                for name, value in data.items()
            }
        if type(data) is list:
            names = list(self.columns)
            if len(names) != len(data):
                raise _refused(
                    f"a row of {len(data)} cells for table {self.table!r}, which declares {len(names)} columns",
                    self.index, place, "send an object of columns",
                )  # fmt: skip
            return tuple([self.cell(n, v, f"{place}[{at}]") for at, (n, v) in enumerate(zip(names, data, strict=True))])
        raise _refused(f"a row is an object of columns, not {_kind(data)}", self.index, place)

    def cell(self, name: str, value: object, place: str) -> object:
        try:
            return decode_value(value, self.columns[name])
        except ValueError as error:
            kind = self.columns[name]
            raise _refused(
                f"column {name!r} of table {self.table!r}: {error}", self.index, place, f"the column is declared {kind}"
            ) from None

    def rows(self, data: object) -> dict[Any, object]:
        """The rows of a `replace`: an object {id: row}, or a list of [id, row] for ids that are not text."""
        pairs = list(data.items()) if type(data) is dict else data
        if type(pairs) is not list:
            raise _refused("replace carries an object {id: row} or a list of [id, row]", self.index, ".row")
        rows: dict[Any, object] = {}
        for at, pair in enumerate(pairs):
            place = f".row[{at}]"
            if type(pair) not in (list, tuple) or len(pair) != 2:
                raise _refused("replace lists pairs [id, row]", self.index, place)
            try:
                key = check_id(pair[0])
            except ValueError as error:
                raise _refused(str(error), self.index, place) from None
            if key in rows:
                raise _refused(f"id {key!r} twice in one replace", self.index, place)
            rows[key] = self.row(pair[1], place)
        return rows


def _with_marks(change: Change, data: dict[str, Any], index: int | None) -> Change:
    for name, wanted, kind in _MARKS:
        value = data.get(name)
        if value is not None and type(value) is not wanted:
            raise _refused(f"{name} is {kind}, not {_kind(value)}", index, f".{name}")
    targets = data.get("targets") or ()
    if not all(type(target) is str for target in targets):
        raise _refused("targets are names of circuits, as text", index, ".targets")
    return change._replace(
        seq=data.get("seq"), source=data.get("source"), version=data.get("version"),
        tenant=data.get("tenant"), targets=tuple(targets),
    )  # fmt: skip


def _refused(message: str, index: int | None, place: str = "", hint: str = "") -> ChangeRejected:
    return ChangeRejected(message, index=index, place=place, hint=hint)


def _encode_id(key: Any) -> Any:
    return list(key) if type(key) is tuple else key


def _encode_row(row: Any) -> Any:
    if isinstance(row, Mapping):
        return {name: encode_value(canonical(value)) for name, value in row.items()}
    return [encode_value(canonical(value)) for value in row]


def _kind(data: object) -> str:
    return _KINDS.get(type(data), type(data).__name__)


_FIELD_SET: Final = frozenset(FIELDS)
_BARE: Final = frozenset(FIELDS[:4])
_NEED_ROW: Final = {
    "create": "such as {\"carrier\": \"AA\"}", "update": "an update replaces the row whole",
    "upsert": "such as {\"carrier\": \"AA\"}", "merge": "the columns to set",
    "replace": "{id: row} or a list of [id, row]",
}  # fmt: skip
_MARKS: Final = (
    ("seq", int, "an integer"), ("version", int, "an integer"), ("source", str, "text"), ("tenant", str, "text"),
    ("at", str, "text"), ("targets", list, "a list"),
)  # fmt: skip
_KINDS: Final = {
    dict: "an object", list: "a list", str: "text", int: "a number", float: "a number", bool: "a boolean",
    type(None): "nothing",
}  # fmt: skip
