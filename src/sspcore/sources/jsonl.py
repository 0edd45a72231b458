"""Change files: one JSON object per line, `{"table", "op", "id", "row", …}`, read as changes.

Owns the way from a line to a `Change` and what is said when a line is wrong: file, line number, remedy. Values and
the form of a change are `wire/changes`'s; whether a change fits the rows before it is judged by the engine's door.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from sspcore.engine.change import ROW_OPS, Change
from sspcore.engine.schema import Schema, check_id
from sspcore.errors import ChangeRejected
from sspcore.sources.lines import LineReader
from sspcore.wire.changes import decode_change

FORM: Final = '{"table": "flights", "op": "upsert", "id": "AA1", "row": {"carrier": "AA"}}'
"""What a line looks like, for messages."""
_PLAIN_KEYS: Final = frozenset(("table", "op", "id", "row", "seq", "at"))
_ROW_OPS: Final = frozenset(ROW_OPS)
_PLAIN_IDS: Final = (str, int)
_PLAIN_SEQS: Final = (int, type(None))
_BOM: Final = b"\xef\xbb\xbf"


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON; write it as text, {json.dumps(text)}")


_decoder: Final[Any] = json.JSONDecoder(parse_constant=_no_constant)
_scan: Final[Callable[[str, int], tuple[Any, int]]] = _decoder.scan_once


def parse_line(text: str) -> Any:
    """One line as plain JSON values. Raises ValueError saying in plain words what is wrong, and where in the line."""
    try:
        value, end = _scan(text, 0)
    except StopIteration as stop:
        raise ValueError(_broken(text, stop.value)) from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{_broken(text, error.pos)}: {error.msg}") from None
    except RecursionError:
        raise ValueError("lists and objects are nested too deeply") from None
    if end != len(text):
        raise ValueError(f"{_broken(text, end)}: more text after the object; one change per line")
    return value


def _broken(text: str, at: int) -> str:
    shown = text[max(0, at - 20) : at + 20]
    return f"not JSON at column {at + 1} (near {shown!r})" if shown else f"not JSON at column {at + 1}"


class ChangeReader:
    """Turns lines of a change file into changes, counting lines and changes.

    Args:
        name: the file's name, for messages.
        schema: the declared schema of a table, or None for an open one.
        wanted: the tables whose changes are given out; those of others are checked for form only and counted in
            `skipped`. None for all. `seen` has the tables of the changes given out.

    >>> reader = ChangeReader("day.jsonl")
    >>> reader.read([b'{"table": "t", "op": "delete", "id": 1}'])[0].op
    'delete'
    """

    def __init__(
        self,
        name: str,
        schema: Callable[[str], Schema | None] = lambda table: None,
        *,
        wanted: Collection[str] | None = None,
    ) -> None:
        self.name, self._schema = name, schema
        self._wanted = None if wanted is None else frozenset(wanted)
        self._declared: dict[str, bool] = {}
        self.line = 0
        self.changes = 0
        self.skipped: dict[str, int] = {}
        self.seen: set[str] = set()
        self.numbers: list[int] = []

    def read(self, lines: list[bytes]) -> list[Change]:
        """The changes of the next lines; afterwards `numbers[i]` is the line number of change i.

        Blank lines are passed over. Raises ChangeRejected (the file's fault) naming file and line. Cost: O(bytes).
        """
        changes: list[Change] = []
        numbers: list[int] = []
        number = self.line
        try:
            for line in lines:
                number += 1
                if number == 1 and line.startswith(_BOM):
                    line = line[len(_BOM) :]
                text = line.decode("utf-8").strip()
                if not text:
                    continue
                change = self._change(parse_line(text))
                if change is not None:
                    changes.append(change)
                    numbers.append(number)
        except ChangeRejected as error:
            raise self.at_line(number, error) from error
        except UnicodeDecodeError as error:
            raise self.at_line(number, ChangeRejected(f"not UTF-8 at byte {error.start + 1}")) from error
        except ValueError as error:
            raise self.at_line(number, ChangeRejected(str(error), hint=f"a line looks like {FORM}")) from error
        self.line, self.numbers = number, numbers
        self.changes += len(changes)
        self.seen.update([change.table for change in changes])
        return changes

    def at_line(self, number: int, error: ChangeRejected) -> ChangeRejected:
        """The error with file and line in front, and without its place in a batch the user never made."""
        message = error.message.removesuffix(".")
        return ChangeRejected(
            f"{self.name}, line {number}: {message}", change=error.change, hint=error.hint, place=error.place
        )

    def located(self, error: ChangeRejected) -> ChangeRejected:
        """An error that the engine raised for the changes of the last `read`, with file and line."""
        if error.index is None or error.index >= len(self.numbers):
            return ChangeRejected(f"{self.name}, up to line {self.line}: {error.message}", hint=error.hint)
        return self.at_line(self.numbers[error.index], error)

    def _change(self, value: Any) -> Change | None:
        """A change of one row of an open table is made here at once; everything else goes the long way."""
        if type(value) is not dict:
            raise ValueError(f"a change is an object, not {json.dumps(value)[:40]}")
        table, op, key, row = value.get("table"), value.get("op"), value.get("id"), value.get("row")
        if (
            type(table) is str
            and table
            and type(op) is str
            and op in _ROW_OPS
            and type(key) in _PLAIN_IDS
            and ((row is None) if op == "delete" else (type(row) is dict))
            and value.keys() <= _PLAIN_KEYS
            and type(value.get("seq")) in _PLAIN_SEQS
            and type(value.get("at", "")) is str
            and not self._is_declared(table)
        ):
            change = Change(table, op, key, row, value.get("seq"))
        else:
            change = decode_change(value, self._schema)
            if op in _ROW_OPS:
                check_id(change.id)
        if self._wanted is not None and table not in self._wanted:
            self.skipped[change.table] = self.skipped.get(change.table, 0) + 1
            return None
        return change

    def _is_declared(self, table: str) -> bool:
        known = self._declared.get(table)
        if known is None:
            known = self._declared[table] = self._schema(table) is not None
        return known


def read_file(
    path: Path | str, schema: Callable[[str], Schema | None] = lambda table: None, *, most: int = 1000
) -> Iterator[list[Change]]:
    """The changes of a whole file in lists of at most `most`. Raises ChangeRejected naming file and line; OSError.

    >>> sum(map(len, read_file("/dev/null")))
    0
    """
    with open(path, "rb", buffering=0) as file:
        reader = ChangeReader(str(path), schema)
        for lines in LineReader(file.fileno(), str(path)).batches(most):
            changes = reader.read(lines)
            if changes:
                yield changes
