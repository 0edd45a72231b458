"""Drafts: what a batch would make of tables, before anything is written.

Owns the rows a batch touches in one table, and what is left of all of them, net. Refuses to judge changes (`door`).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from operator import ne
from typing import Any

import attrs

from sspcore.algebra.values import same
from sspcore.engine.rows import RowMaker
from sspcore.engine.schema import Schema
from sspcore.engine.table import Id, Net, Row
from sspcore.errors import ChangeRejected

_MISSING: Any = object()


@attrs.define
class Draft:
    """What a batch would make of one table: the rows it touches, and the schema it needs."""

    rows: Mapping[Id, Row]
    versions: Mapping[Id, int]
    maker: RowMaker
    touched: dict[Id, Row | None] = attrs.field(factory=dict)
    stamped: dict[Id, int | None] = attrs.field(factory=dict)

    def current(self, key: Id) -> Row | None:
        """The row as the changes before this one leave it, in the draft's (perhaps wider) layout."""
        row = self.touched.get(key, _MISSING)
        if row is _MISSING:
            row = self.rows.get(key)
            if row is not None and len(row) < self.maker.width:
                row = row + (None,) * (self.maker.width - len(row))
        result: Row | None = row
        return result

    def row(self, key: Id, given: Any) -> Row:
        """The row of an id, as given. Raises ChangeRejected or ValueError (the producer's data)."""
        row = self._plain(key, given)
        return self.maker.row(key, given) if row is None else row

    def plain(self, key: Id, given: object) -> bool:
        """Note a row that is to be as given, when that is plainly right; False sends it the long way."""
        row = self._plain(key, given)
        if row is None:
            return False
        self.touched[key] = row
        return True

    def _plain(self, key: Id, given: object) -> Row | None:
        try:
            return self.maker.plain(key, given)
        except (ChangeRejected, ValueError, KeyError):
            return None

    def net(self) -> list[Net]:
        """(id, old, new) of every id whose row really changes; old rows are padded to the new layout."""
        if not self.maker.added:
            return net_of(self.rows, self.touched, self.maker.steady)
        out: list[Net] = []
        width = self.maker.width
        for key, new in self.touched.items():
            old = self.rows.get(key)
            if old is not None and len(old) < width:
                old += (None,) * (width - len(old))
            if new is not None and len(new) < width:
                new += (None,) * (width - len(new))
            if old is None or new is None:
                if old is not new:
                    out.append((key, old, new))
            elif not same(old, new):
                out.append((key, old, new))
        return out


def net_of(rows: Mapping[Id, Row], touched: Mapping[Id, Row | None], steady: bool) -> list[Net]:
    """(id, old, new) of every id for which `touched` says another row than `rows`.

    `steady`: rows of the table that are equal are the same. Cost: no Python code for a row, if so.

    >>> net_of({"a": (1,), "b": (2,)}, {"a": (1,), "b": None, "c": (3,)}, True)
    [('b', (2,), None), ('c', None, (3,))]
    """
    olds, news = list(map(rows.get, touched)), touched.values()
    if steady:
        return list(compress(zip(touched, olds, news, strict=True), map(ne, olds, news)))
    return [
        (key, old, new)
        for key, old, new in zip(touched, olds, news, strict=True)
        if old is not new and (old != new or old is None or new is None or not same(old, new))
    ]


@attrs.define
class Resolution:
    """A batch that will be accepted: per table the net row changes, plus schemas, marks and counts. Nothing written."""

    net: dict[str, list[Net]]
    created: dict[str, Schema]
    widened: dict[str, Schema]
    marks: dict[str, int]
    versions: dict[str, dict[Id, int | None]]
    received: int
    no_ops: int
    duplicates: int

    @property
    def forms(self) -> bool:
        """Whether it changes anything but rows."""
        return bool(self.created or self.widened or self.marks or self.versions)

    @property
    def changed(self) -> int:
        """How many rows the batch changes."""
        return sum(map(len, self.net.values()))
