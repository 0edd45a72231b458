"""The image of a circuit: schemas, rows, plans and parameters, versions and marks, as checksummed bytes.

Owns the format: JSON, with values it has no form for in the lossless form of `algebra/tagged`. Operator state is never
in it: views are hydrated from the rows. Refuses to know who writes JSON: a codec is passed in, and what one wrote any
other reads.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from math import isfinite
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Protocol

import attrs

from sspcore.algebra.tagged import decode, encode
from sspcore.engine.options import CircuitOptions
from sspcore.engine.schema import Schema
from sspcore.engine.shaped import DigestView, view_class
from sspcore.engine.table import Id, Row, Table
from sspcore.engine.template import Understood
from sspcore.engine.view import View
from sspcore.errors import SspError, UsageError
from sspcore.plan.json import from_json, to_json

if TYPE_CHECKING:
    from sspcore.engine.circuit import Circuit

MAGIC = b"sspcore image "
FORMAT = 2
_PLAIN_TYPES: Final = frozenset({"text", "integer", "boolean"})
"""Declared types whose values are JSON's own."""
_PLAIN: Final = frozenset({str, int, bool, type(None)})


class Codec(Protocol):
    """Who writes JSON and reads it again. The module `msgspec.json` is one, which writes several times as fast.

    It is given None, booleans, integers of any size, finite floats, text, lists, tuples, and dicts by text alone, and
    must give them back as they were, but for tuples, which come back as lists.
    """

    def encode(self, value: Any, /) -> bytes:
        """The value as JSON."""
        ...

    def decode(self, data: bytes, /) -> Any:
        """The value of a JSON text. What it raises is taken for a fault of the image."""
        ...


class StandardJson:
    """The codec of the standard library."""

    def encode(self, value: Any, /) -> bytes:
        """The value as JSON."""
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()

    def decode(self, data: bytes, /) -> Any:
        """The value of a JSON text."""
        return json.loads(data)


STANDARD_JSON: Final = StandardJson()


class Cut:
    """A circuit as it was when it was cut: `encode` makes the image of it, while the circuit goes on.

    Made by `Circuit.cut`. The rows are shared with the circuit, not copied, for nobody changes a row in place.

    >>> from sspcore.engine.circuit import Circuit
    >>> circuit = Circuit("flights")
    >>> cut = circuit.cut()
    >>> Circuit.restore(cut.encode()).name
    'flights'
    """

    __slots__ = ("_data", "_rows")

    def __init__(self, data: dict[str, Any], rows: list[tuple[Schema, dict[Id, Row]]]) -> None:
        self._data = data
        self._rows = rows

    def encode(self, codec: Codec | None = None) -> bytes:
        """The image as bytes: one line of header (format, checksum), then the body. Needs nothing of the circuit.

        Args: `codec`, who writes the JSON; None is the standard library.
        Cost: O(rows).
        """
        tables = [
            data | {"ids": list(rows), "rows": _spelled_out(list(rows.values()), list(schema.columns.values()))}
            for data, (schema, rows) in zip(self._data["tables"], self._rows, strict=True)
        ]
        body = (codec or STANDARD_JSON).encode(self._data | {"tables": tables})
        return b"%s%d %08x\n" % (MAGIC, FORMAT, zlib.crc32(body)) + body


def cut_circuit(circuit: Circuit) -> Cut:
    """What an image holds, as it is now, sharing the rows. Cost: one pointer a row, and O(tables + views)."""
    tables = list(circuit.tables.values())
    data = {
        "name": circuit.name,
        "options": attrs.asdict(circuit.options),
        "version": circuit.version,
        "now": encode(circuit.now),
        "generation": circuit._generation,
        "marks": dict(circuit.marks),
        "tables": [_dump_table(table) for table in tables],
        "views": [_dump_view(view) for view in circuit.views.values()],
    }
    return Cut(data, [(table.schema, table.rows.copy()) for table in tables])


def _spelled_out(rows: list[Row], types: Sequence[str]) -> list[Row]:
    """The rows, those columns tagged that hold what JSON has no form for; mostly none, then they are as they were."""
    tagged = {}
    for at, kind in enumerate(types):
        if kind not in _PLAIN_TYPES and not (kind == "real" and _are_finite(map(itemgetter(at), rows))):
            column = list(map(itemgetter(at), rows))
            if not _is_plain(column):
                tagged[at] = list(map(encode, column))
    if not tagged:
        return rows
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for at, column in tagged.items():
        columns[at] = column
    return list(zip(*columns, strict=True))


def _is_plain(column: list[Any]) -> bool:
    """Whether JSON has a form for all of these."""
    kinds = set(map(type, column))
    if float in kinds:
        kinds.remove(float)
        if not all(map(isfinite, [value for value in column if type(value) is float])):
            return False
    return kinds <= _PLAIN


def _are_finite(numbers: Iterable[float | None]) -> bool:
    """Whether all of these are finite; the sum says so, and no too often, by overflow, which only costs time."""
    try:
        return isfinite(sum(filter(None, numbers)))
    except OverflowError:
        return False


def load_image(cls: type[Circuit], data: bytes, epoch: str | None, codec: Codec | None) -> Circuit:
    """The circuit an image describes. Raises UsageError when the bytes are not a whole image of a known format."""
    header, _, body = bytes(data).partition(b"\n")
    parts = header.removeprefix(MAGIC).split(b" ")
    if not header.startswith(MAGIC) or len(parts) != 2 or not parts[0].isdigit():
        raise UsageError("these bytes are no sspcore image", hint="pass what Circuit.image() gave")
    if int(parts[0]) != FORMAT:
        raise UsageError(f"the image has format {int(parts[0])}, this version reads {FORMAT}", hint="upgrade sspcore")
    if parts[1] != b"%08x" % zlib.crc32(body):
        raise UsageError("the image is damaged: its checksum does not match", hint="restore an older one")
    try:
        read = (codec or STANDARD_JSON).decode(body)
    except Exception as error:  # a codec has errors of its own
        raise UsageError(f"the image cannot be read: {error}", hint="restore an older one") from error
    try:
        return _build(cls, read, epoch)
    except (KeyError, TypeError, ValueError, SspError) as error:
        raise UsageError(f"the image cannot be restored: {error}", hint="restore an older one") from error


def _build(cls: type[Circuit], image: dict[str, Any], epoch: str | None) -> Circuit:
    options = CircuitOptions(**image["options"])
    circuit = cls(image["name"], options=options if epoch is None else attrs.evolve(options, epoch=epoch))
    circuit.version = image["version"]
    circuit.now = decode(image["now"])
    circuit._generation = image["generation"]
    circuit._marks.update(image["marks"])
    for data in image["tables"]:
        table = _load_table(data)
        circuit._tables[table.schema.table] = table
    for data in image["views"]:
        plan = from_json(data["plan"])
        query = data["sql"] if data["sql"] is not None else plan
        params = {name: decode(value) for name, value in data["params"].items()}
        view_epoch = data["epoch"] if epoch is None else epoch
        understood = Understood(circuit._templates.of_plan(plan), params, tuple(data["warnings"]))
        kept = circuit._materialise(understood, circuit._tables, data["lazy"])
        kind = view_class(data["format"], data["digest"])
        circuit._file(kind(data["id"], query, kept, view_epoch, data["version"], understood.warnings))
    return circuit


def _dump_table(table: Table) -> dict[str, Any]:
    schema = table.schema
    return {
        "table": schema.table,
        "columns": list(schema.columns.items()),
        "key": schema.key,
        "open": schema.open,
        "versions": [[encode(key), version] for key, version in table.versions.items()],
    }


def _load_table(data: dict[str, Any]) -> Table:
    key = tuple(data["key"]) if isinstance(data["key"], list) else data["key"]
    table = Table(Schema(data["table"], dict(data["columns"]), key, data["open"]))
    ids = _decoded(data["ids"])
    table.rows.update(zip(ids, _load_rows(data["rows"], list(table.schema.columns.values())), strict=True))
    table.versions = {decode(key): version for key, version in data["versions"]}
    return table


def _load_rows(rows: list[Any], types: Sequence[str]) -> Iterable[Row]:
    """The rows; only columns in which some value is tagged, or a list, are looked at one by one."""
    if set(map(len, rows)) - {len(types)}:
        raise ValueError(f"a row has not the {len(types)} values of its table")
    tagged = {}
    for at, kind in enumerate(types):
        if kind not in _PLAIN_TYPES:
            column = list(map(itemgetter(at), rows))
            decoded = _decoded(column)
            if decoded is not column:
                tagged[at] = decoded
    if not tagged:
        return map(tuple, rows)
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for at, decoded in tagged.items():
        columns[at] = decoded
    return zip(*columns, strict=True)


def _decoded(values: Sequence[Any]) -> Sequence[Any]:
    kinds = set(map(type, values))
    return [decode(value) for value in values] if list in kinds or dict in kinds else values


def _dump_view(view: View) -> dict[str, Any]:
    return {
        "id": view.id,
        "sql": view.query if isinstance(view.query, str) else None,
        "plan": to_json(view.plan),
        "params": {name: encode(value) for name, value in view.params.items()},
        "epoch": view.epoch,
        "version": view.version,
        "warnings": list(view.warnings),
        "format": view.format,
        "lazy": view.materialisation.lazy,
        "digest": isinstance(view, DigestView),
    }
