"""Intake: the generated way in for rows whose cells are of the common classes, as a table has shown them so far.

Owns the code that lays such a row out, from a mapping or a tuple, at the cost of a look at each cell. Whatever is not
plainly right it declines with None: the long way (`engine/rows`) converts it, or says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

import attrs

from sspcore.algebra.values import Value
from sspcore.codegen.source import Source

Row = tuple[Value, ...]
Intake = Callable[[Any, Any], Row | None]
"""(id, the row as given) → the row as kept, or None: declined. May raise KeyError or what converting raises."""

LIMIT: Final = 2**63
PLAIN: Final = (str, int, float, bool, type(None))
"""Classes of cells that need no more than a look."""


@attrs.frozen
class Cell:
    """A column: its name, the plain classes it takes without conversion, and how any other value is converted."""

    name: str
    classes: frozenset[type]
    convert: Callable[[Any], Value] | None = None


def intake(columns: Sequence[Cell], key_at: int | None) -> tuple[Intake, Intake]:
    """The functions for mappings and for tuples. `key_at` is the column that holds the id, if one does.

    >>> of_mapping, of_tuple = intake([Cell("id", frozenset({str})), Cell("delay", frozenset({int}))], 0)
    >>> of_mapping("a", {"delay": 5}), of_mapping("a", {"id": "a", "delay": 5}), of_mapping("a", {"delay": "5"})
    (('a', 5), ('a', 5), None)
    >>> of_tuple("a", ("a", 5)), of_tuple("a", ("b", 5))
    (('a', 5), None)
    """
    source = Source()
    names = [f"a{at}" for at in range(len(columns))]
    rest = [at for at in range(len(columns)) if at != key_at]
    with source.block("def of_mapping(key, given):"):
        with source.block(f"if len(given) == {len(columns)}:"):
            _read(source, columns, range(len(columns)))
            _check_key(source, key_at)
        if key_at is not None:
            with source.block(f"elif len(given) == {len(rest)}:"):
                source.note("the id stands outside the row")
                _read(source, columns, rest)
                source.line(f"a{key_at} = key")
        with source.block("else:"):
            source.line("return None")
        _checked(source, columns, names)
    with source.block("def of_tuple(key, given):"):
        with source.block(f"if len(given) != {len(columns)}:"):
            source.line("return None")
        if names:
            source.line(f"{', '.join(names)}, = given")
        _check_key(source, key_at)
        _checked(source, columns, names)
    made: tuple[Intake, Intake] = source.build("(of_mapping, of_tuple)")
    return made


def _read(source: Source, columns: Sequence[Cell], places: Sequence[int]) -> None:
    if not places:
        return
    if len(places) == 1:
        source.line(f"a{places[0]} = given[{source.cell(columns[places[0]].name)}]")
        return
    get = source.cell(itemgetter(*[columns[at].name for at in places]))
    source.note(", ".join([columns[at].name for at in places]))
    source.line(f"{', '.join([f'a{at}' for at in places])} = {get}(given)")


def _check_key(source: Source, key_at: int | None) -> None:
    if key_at is not None:
        with source.block(f"if a{key_at} is not key and (type(a{key_at}) is not type(key) or a{key_at} != key):"):
            source.line("return None")


def _checked(source: Source, columns: Sequence[Cell], names: Sequence[str]) -> None:
    """Look at each cell; give the row, or None."""
    for name, column in zip(names, columns, strict=True):
        if column.convert is not None and not column.classes:
            with source.block(f"if {name} is not None:"):
                source.line(f"{name} = {source.cell(column.convert)}({name})")
    tests = [_test(name, column.classes) for name, column in zip(names, columns, strict=True) if column.classes]
    cells = "".join([f"{_kept(name, column.classes)}, " for name, column in zip(names, columns, strict=True)])
    if not tests:
        source.line(f"return ({cells})")
        return
    with source.block(f"if {' and '.join(tests)}:"):
        source.line(f"return ({cells})")
    source.line("return None")


def _test(name: str, classes: frozenset[type]) -> str:
    tests = {
        str: f"type({name}) is str and {name}.isascii()",
        int: f"type({name}) is int and {-LIMIT} <= {name} < {LIMIT}",
        float: f"type({name}) is float and {name} == {name}",
        bool: f"type({name}) is bool",
        type(None): f"{name} is None",
    }
    found = [tests[kind] for kind in PLAIN if kind in classes]
    return found[0] if len(found) == 1 else f"({' or '.join(found)})"


def _kept(name: str, classes: frozenset[type]) -> str:
    """The cell as it is kept: a float loses the sign of a zero."""
    if float not in classes:
        return name
    return f"{name} + 0.0" if len(classes) == 1 else f"({name} + 0.0 if type({name}) is float else {name})"
