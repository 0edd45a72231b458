"""Intake: the generated way in for rows whose cells are of the common classes, as a table has shown them so far.

Owns the code that lays such a row out, from a mapping or a tuple, at the cost of a look at each cell; and that of plain
changes: an upsert alone, up to the net change it makes, or a run of puts and deletions. Whatever is not plainly right
it declines: the long way (`engine/rows`, `engine/door`) converts it, or says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from sspcore.algebra.values import Value, same
from sspcore.codegen.source import Source
from sspcore.engine.change import Change

Row = tuple[Value, ...]
Net = tuple[Any, Row | None, Row | None]

LIMIT: Final = 2**63
PLAIN: Final = (str, int, float, bool, type(None))
"""Classes of cells that need no more than a look."""
IDS: Final = frozenset({str, int})
"""Classes of ids that need no more than a look."""


@attrs.frozen
class Cell:
    """A column: its name, the plain classes it takes without conversion, and how any other value is converted.

    `steady`: values of the column that are equal are the same, whatever was written.
    """

    name: str
    classes: frozenset[type]
    convert: Callable[[Any], Value] | None = None
    steady: bool = False


@attrs.frozen
class Intake:
    """The generated functions of a table. Each may raise KeyError, or what converting a cell raises: that declines.

    Attributes:
        row: (id, the row as given) → the row as kept, or None: declined.
        one: (change) → the net change of a plain upsert that stands alone, with one row twice where it changes
            nothing; or None: declined.
        several: (changes, found, strict) → how many changes at the beginning of a batch are plain: they put or delete
            a row of the table, as its rows are, and if `strict` as it may be. Puts the row of each id, or None, into
            `found`.
    """

    row: Callable[[Any, Any], Row | None]
    one: Callable[[Change], Net | None]
    several: Callable[[Sequence[Change], dict[Any, Row | None], bool], int]


def intake(
    columns: Sequence[Cell], key_at: int | None, table: str, rows: Mapping[Any, Row], versions: Mapping[Any, int]
) -> Intake:
    """The functions of a table. `key_at` is the column that holds the id, if one does; `rows`, `versions` live.

    >>> rows = {"a": ("a", 5)}
    >>> columns = [Cell("id", frozenset({str}), steady=True), Cell("delay", frozenset({int}), steady=True)]
    >>> made = intake(columns, 0, "flights", rows, {})
    >>> made.row("a", {"delay": 5}), made.row("a", ("a", 5)), made.row("a", {"delay": "5"}), made.row("a", ("b", 5))
    (('a', 5), ('a', 5), None, None)
    >>> made.one(Change("flights", "upsert", "a", {"delay": 6})), made.one(Change("flights", "delete", "a"))
    (('a', ('a', 5), ('a', 6)), None)
    """
    writer = IntakeWriter(columns, key_at)
    writer.row()
    writer.one(rows, versions)
    writer.several(table, rows, versions)
    return Intake(*writer.source.build("(row, one, several)"))


class IntakeWriter:
    """Writes the functions. In all of them `key` is the id, `given` the row as given, `a0 a1 …` its cells."""

    def __init__(self, columns: Sequence[Cell], key_at: int | None) -> None:
        self.source = Source()
        self.columns = columns
        self.key_at = key_at
        self.upsert = self.source.cell("upsert", "op")
        self.names = [self.source.cell(column.name, "name") for column in columns]

    def row(self) -> None:
        """`row(key, given)`."""
        with self.source.block("def row(key, given):"):
            self.lay_out("return None")
            self.source.line(f"return {self.kept()}")

    def one(self, rows: Mapping[Any, Row], versions: Mapping[Any, int]) -> None:
        """`one(change)`."""
        source = self.source
        find, stamped = source.cell(rows.get, "find"), source.cell(versions, "versions")
        with source.block("def one(change):"):
            source.line("_, op, key, given, _, source, version, _, _, _ = change")
            with source.block(f"if op != {self.upsert} or source is not None or version is not None or {stamped}:"):
                source.line("return None")
            self.lay_out("return None")
            source.line(f"new = {self.kept()}")
            source.line(f"old = {find}(key)")
            with source.block(f"if {self.unchanged()}:"):
                source.line("return key, old, old")
            source.line("return key, old, new")

    def several(self, table: str, rows: Mapping[Any, Row], versions: Mapping[Any, int]) -> None:
        """`several(changes, found, strict)`."""
        source = self.source
        kind, name = source.cell(Change, "kind"), source.cell(table, "name")
        delete, create, update = [source.cell(op, "op") for op in ("delete", "create", "update")]
        find, stamped = source.cell(rows.get, "find"), source.cell(versions, "versions")
        with source.block("def several(changes, found, strict):"):
            with source.block("for change in changes:"):
                with source.block(f"if type(change) is not {kind}:"):
                    source.line("break")
                source.line("table, op, key, given, _, source, version, _, _, _ = change")
                with source.block(f"if table != {name} or source is not None or version is not None:"):
                    source.line("break")
                with source.block(f"if op != {self.upsert}:"):
                    with source.block(f"if {stamped} or not ({self.id_test()}):"):
                        source.line("break")
                    source.line(f"old = found[key] if key in found else {find}(key)")
                    with source.block(f"if op == {delete}:"):
                        with source.block("if given is not None or old is None:"):
                            source.line("break")
                        source.line("found[key] = None")
                        source.line("continue")
                    expected = f"op == ({create} if old is None else {update})"
                    with source.block(f"if not ({expected} or not strict and (op == {create} or op == {update})):"):
                        source.line("break")
                self.lay_out("break")
                source.line(f"found[key] = {self.kept()}")
            with source.block("else:"):
                source.line("return len(changes)")
            source.note("how far it came")
            source.line("count = 0")
            with source.block("for other in changes:"):
                with source.block("if other is change:"):
                    source.line("return count")
                source.line("count += 1")

    def lay_out(self, decline: str) -> None:
        """From the row as given to its cells, each of which has been looked at."""
        source, columns, key_at = self.source, self.columns, self.key_at
        rest = [at for at in range(len(columns)) if at != key_at]
        with source.block("if type(given) is dict:"):
            with source.block(f"if len(given) == {len(columns)}:"):
                self._read(range(len(columns)))
                self._check_key(decline)
            if key_at is not None:
                with source.block(f"elif len(given) == {len(rest)}:"):
                    source.note("the id stands outside the row")
                    self._read(rest)
            with source.block("else:"):
                source.line(decline)
        with source.block(f"elif type(given) is tuple and len(given) == {len(columns)}:"):
            if columns:
                source.line(f"{', '.join([f'a{at}' for at in range(len(columns))])}, = given")
            self._check_key(decline)
        with source.block("else:"):
            source.line(decline)
        for at in rest:
            if columns[at].convert is not None and not columns[at].classes:
                with source.block(f"if a{at} is not None:"):
                    source.line(f"a{at} = {source.cell(columns[at].convert)}(a{at})")
        tests = [self.id_test(), *[_test(f"a{at}", columns[at].classes) for at in rest if columns[at].classes]]
        with source.block(f"if not ({' and '.join(tests)}):"):
            source.line(decline)

    def id_test(self) -> str:
        """Whether the id needs no more than a look."""
        return _test("key", IDS if self.key_at is None else self.columns[self.key_at].classes & IDS)

    def kept(self) -> str:
        """The row as it is kept: the id is the very one it is filed under."""
        cells = [
            "key" if at == self.key_at else _kept(f"a{at}", column.classes) for at, column in enumerate(self.columns)
        ]
        return f"({''.join([f'{cell}, ' for cell in cells])})"

    def unchanged(self) -> str:
        """Whether the row is as it was, in values and in types."""
        if all(column.steady for column in self.columns):
            return "old == new"
        return f"old == new and {self.source.cell(same, 'same')}(old, new)"

    def _read(self, places: Sequence[int]) -> None:
        """Cell by cell: asking a mapping for one after the other costs half of asking for all by `itemgetter`."""
        for at in places:
            self.source.note(self.columns[at].name)
            self.source.line(f"a{at} = given[{self.names[at]}]")

    def _check_key(self, decline: str) -> None:
        """A row may say its id: the one it comes with, or nothing but that it has none to say."""
        if self.key_at is not None:
            cell = f"a{self.key_at}"
            classes = self.columns[self.key_at].classes & IDS
            kind = "type(key)" if len(classes) > 1 else "str" if str in classes else "int"
            with self.source.block(f"if {cell} is not key and (type({cell}) is not {kind} or {cell} != key):"):
                self.source.line(decline)


def _test(name: str, classes: frozenset[type]) -> str:
    tests = {
        str: f"type({name}) is str and {name}.isascii()",
        int: f"type({name}) is int and {-LIMIT} <= {name} < {LIMIT}",
        float: f"type({name}) is float and {name} == {name}",
        bool: f"type({name}) is bool",
        type(None): f"{name} is None",
    }
    found = [tests[kind] for kind in PLAIN if kind in classes] or ["False"]
    return found[0] if len(found) == 1 else f"({' or '.join(found)})"


def _kept(name: str, classes: frozenset[type]) -> str:
    """The cell as it is kept: a float loses the sign of a zero."""
    if float not in classes:
        return name
    return f"{name} or 0.0" if len(classes) == 1 else f"({name} or 0.0 if type({name}) is float else {name})"
