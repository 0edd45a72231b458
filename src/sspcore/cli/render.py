"""How values, rows and updates look as text: a table for people, JSON lines and CSV for programs.

Owns the looks. Refuses to know terminals (`redraw`), and where rows come from. Every function returns lines
without line ends.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sspcore.algebra.values import Value
from sspcore.wire.values import encode_value

Row = Sequence[Value]
MAX_CELL = 60
"""A table cell longer than this is cut with an ellipsis; two of them still fit a wide terminal."""


def table(
    columns: Sequence[str], rows: Sequence[Row], *, width: int | None = None, height: int | None = None
) -> list[str]:
    """Rows under their column names, numbers to the right. Cost: O(cells).

    Args: `width` cuts lines, `height` the number of lines, the last saying how many rows are not shown.

    >>> print("\\n".join(table(("carrier", "n"), [("AA", 12), ("B6", None)])))
    carrier     n
    ───────  ────
    AA         12
    B6       NULL
    """
    hidden = 0
    if height is not None and len(rows) + 2 > height:
        hidden = len(rows) - max(0, height - 3)
        rows = rows[: len(rows) - hidden]
    cells = [[cell(value) for value in row] for row in rows]
    names = [_clean(name) for name in columns]
    right = [_numeric(row[i] for row in rows) for i in range(len(names))]
    widths = [max([display_width(name), *(display_width(row[i]) for row in cells)]) for i, name in enumerate(names)]
    lines = [_line(names, widths, right), "  ".join("─" * w for w in widths)]
    lines += [_line(row, widths, right) for row in cells]
    if hidden:
        lines.append(f"… {hidden:,} more rows")
    return [_cut(line.rstrip(), width) for line in lines]


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = []
    for text, width, to_the_right in zip(cells, widths, right, strict=True):
        pad = " " * (width - display_width(text))
        parts.append(pad + text if to_the_right else text + pad)
    return "  ".join(parts)


def _numeric(values: Iterable[Value]) -> bool:
    kinds = {type(v) for v in values if v is not None}
    return bool(kinds) and all(k.__name__ in ("int", "float", "Decimal") for k in kinds)


def cell(value: Value) -> str:
    """One value as people read it: NULL said so, long floats to 8 digits, control characters escaped.

    >>> cell(None), cell(True), cell(0.1 + 0.2), cell("a\\x1b[2J")
    ('NULL', 'true', '0.3', 'a\\\\x1b[2J')
    """
    if value is None:
        return "NULL"
    if type(value) is float:
        exact = repr(value)
        return exact if len(exact) <= 10 else f"{value:.8g}"
    if type(value) is str:
        text = _clean(value)
    else:
        encoded = encode_value(value)
        text = encoded if type(encoded) is str else json.dumps(encoded, ensure_ascii=False)
    return _cut(text, MAX_CELL)


def _clean(text: str) -> str:
    """Control and format characters escaped: a value must not be able to drive the reader's terminal."""
    if text.isprintable():
        return text
    return "".join([c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text])


def display_width(text: str) -> int:
    """How many columns a terminal gives the text: wide East Asian characters take two, combining ones none.

    >>> display_width("日本"), display_width("é")
    (4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _cut(text: str, width: int | None) -> str:
    if width is None or display_width(text) <= width:
        return text
    kept, used = [], 1
    for c in text:
        used += display_width(c)
        if used > width:
            break
        kept.append(c)
    return "".join(kept) + "…"


def unique_names(columns: Sequence[str]) -> list[str]:
    """Column names with the later of equal ones numbered, so that an object can hold them all.

    >>> unique_names(("id", "id", "id_2"))
    ['id', 'id_3', 'id_2']
    """
    taken, out = set(columns), []
    seen: set[str] = set()
    for name in columns:
        fresh, number = name, 1
        while fresh in seen or (number > 1 and fresh in taken):
            number += 1
            fresh = f"{name}_{number}"
        seen.add(fresh)
        out.append(fresh)
    return out


def jsonl(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """One JSON object per row, members in column order.

    >>> list(jsonl(("a", "b"), [(1, None)]))
    ['{"a": 1, "b": null}']
    """
    names = unique_names(columns)
    for row in rows:
        yield _json(_object(names, row))


def _object(names: Sequence[str], row: Row) -> dict[str, Any]:
    return {name: encode_value(value) for name, value in zip(names, row, strict=True)}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def csv(columns: Sequence[str], rows: Iterable[Row], *, header: bool = True) -> Iterator[str]:
    """Comma-separated values as Postgres writes them: NULL is an empty field, empty text is `""`.

    >>> list(csv(("a", "b"), [("x,y", None), ("", 1)]))
    ['a,b', '"x,y",', '"",1']
    """
    if header:
        yield ",".join([_field(name) for name in columns])
    for row in rows:
        yield ",".join([_field(value) for value in row])


def _field(value: Value) -> str:
    if value is None:
        return ""
    encoded = value if type(value) is str else encode_value(value)
    text = encoded if type(encoded) is str else _json(encoded)
    if not text or any(c in text for c in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def delta_json(
    columns: Sequence[str],
    version: int,
    added: Iterable[Row],
    updated: Iterable[tuple[Row, Row]],
    removed: Iterable[Row],
    *,
    reset: bool = False,
) -> str:
    """One update as one JSON object: `{"version", "added": [row], "updated": [{"old", "new"}], "removed": [row]}`.

    With `reset` there is one more member, `"reset": true`: the rows added are all there are.
    """
    names = unique_names(columns)
    update: dict[str, Any] = {
        "version": version,
        "added": [_object(names, row) for row in added],
        "updated": [{"old": _object(names, old), "new": _object(names, new)} for old, new in updated],
        "removed": [_object(names, row) for row in removed],
    }
    return _json(update | {"reset": True} if reset else update)


class DeltaTable:
    """Updates as lines under one header: version, `+` or `-`, the row; an updated row is a `-` and a `+`.

    Rows are written as they come, so columns widen when a wider value arrives and never narrow again.

    >>> deltas = DeltaTable(("carrier", "n"))
    >>> print("\\n".join(deltas.lines(7, [("+", ("AA", 1))])))
    version     carrier  n
          7  +  AA       1
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._names = ["version", "", *(_clean(name) for name in columns)]
        self._widths = [7, 1, *(display_width(name) for name in self._names[2:])]
        self._started = False

    def lines(self, version: int, signed: Iterable[tuple[str, Row]]) -> list[str]:
        """The lines of one update."""
        rows = [(version, sign, *row) for sign, row in signed]
        cells = [[str(row[0]), row[1], *(cell(value) for value in row[2:])] for row in rows]
        self._widths = [max([w, *(display_width(row[i]) for row in cells)]) for i, w in enumerate(self._widths)]
        lines = [] if self._started else [_line(self._names, self._widths, [False] * len(self._widths)).rstrip()]
        self._started = True
        for row, texts in zip(rows, cells, strict=True):
            lines.append(_line(texts, self._widths, [_numeric([value]) for value in row]).rstrip())
        return lines
