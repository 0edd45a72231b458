"""The image of a circuit: schemas, rows, plans and parameters, versions and marks, as checksummed bytes.

Owns the format. Operator state is never in it: views are hydrated from the rows. The default codec is the standard
library's JSON, in the lossless form of `algebra/tagged`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from operator import is_, itemgetter
from typing import TYPE_CHECKING, Any

import attrs

from sspcore.algebra.tagged import decode, encode
from sspcore.engine.options import CircuitOptions
from sspcore.engine.schema import Schema
from sspcore.engine.shaped import DigestView, view_class
from sspcore.engine.table import Table
from sspcore.engine.template import Understood
from sspcore.engine.view import View
from sspcore.errors import SspError, UsageError
from sspcore.plan.json import from_json, to_json

if TYPE_CHECKING:
    from sspcore.engine.circuit import Circuit

MAGIC = b"sspcore image "
FORMAT = 1


def dump_image(circuit: Circuit) -> bytes:
    """The image as bytes: one line of header (format, checksum), then the body."""
    return encode_image(cut_image(circuit))


def encode_image(cut: dict[str, Any]) -> bytes:
    """A cut as bytes. Needs nothing of the circuit, which may go on meanwhile. Cost: O(rows), some 1 µs each."""
    try:
        body = _dumps(cut)
    except ValueError:  # NaN or an infinity, which JSON has no number for: spell every value out
        for table in cut["tables"]:
            table["rows"] = [(encode(key), encode(row)) for key, row in table["rows"]]
        body = _dumps(cut)
    return b"%s%d %08x\n" % (MAGIC, FORMAT, zlib.crc32(body)) + body


def _dumps(cut: dict[str, Any]) -> bytes:
    # Most values are JSON's own and tuples are its lists: the encoder asks for the tagged form of the others only.
    text = json.dumps(cut, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=encode)
    return text.encode()


def cut_image(circuit: Circuit) -> dict[str, Any]:
    """What an image holds, as it is now, sharing the rows. Cost: one pointer a row, and O(tables + views)."""
    return {
        "name": circuit.name,
        "options": attrs.asdict(circuit.options),
        "version": circuit.version,
        "now": encode(circuit.now),
        "generation": circuit._generation,
        "marks": dict(circuit.marks),
        "tables": [_dump_table(table) for table in circuit.tables.values()],
        "views": [_dump_view(view) for view in circuit.views.values()],
    }


def load_image(cls: type[Circuit], data: bytes, epoch: str | None) -> Circuit:
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
        return _build(cls, json.loads(body), epoch)
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
        "rows": list(table.rows.items()),
        "versions": [[encode(key), version] for key, version in table.versions.items()],
    }


def _load_table(data: dict[str, Any]) -> Table:
    key = tuple(data["key"]) if isinstance(data["key"], list) else data["key"]
    table = Table(Schema(data["table"], dict(data["columns"]), key, data["open"]))
    table.rows.update(_load_rows(data["rows"], len(table.names)))
    table.versions = {decode(key): version for key, version in data["versions"]}
    return table


def _load_rows(data: list[Any], width: int) -> Iterable[tuple[Any, tuple[Any, ...]]]:
    """The rows under their ids; only columns in which some value is tagged, or a list, are looked at one by one."""
    keys, rows = [entry[0] for entry in data], [entry[1] for entry in data]
    if set(map(len, rows)) - {width}:
        raise ValueError(f"a row has not the {width} values of its table")
    columns = [list(map(itemgetter(at), rows)) for at in range(width)]
    decoded = [_decoded(column) for column in columns]
    same = all(map(is_, columns, decoded))
    return zip(_decoded(keys), map(tuple, rows) if same else zip(*decoded, strict=True), strict=True)


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
