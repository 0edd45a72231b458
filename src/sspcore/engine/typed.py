"""Rows as objects of a class: a class's columns, and rows structured into it by cattrs.

Owns how annotations and column types correspond, and the converter. Refuses to know tables and views. cattrs is
imported when rows are first asked for as objects, so that the engine runs without it.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from sspcore.errors import SchemaError, UsageError, did_you_mean

T = TypeVar("T")

_TYPES: Final[dict[type, str]] = {
    bool: "boolean", int: "integer", float: "real", str: "text", bytes: "bytes", datetime: "timestamp", date: "date",
    Decimal: "decimal", list: "json", tuple: "json", dict: "json", set: "json", frozenset: "json",
}  # fmt: skip
_ACCEPTS: Final[dict[type, tuple[type, ...]]] = {
    bool: (bool,), int: (int,), float: (float, int), str: (str,), bytes: (bytes,), datetime: (datetime,),
    date: (date,), Decimal: (Decimal, int),
}  # fmt: skip
"""What a value may be to become one of these; nothing is parsed and no truth is a number."""


def columns_of(of: type[Any], table: str) -> dict[str, str]:
    """Column name → type, as the class annotates its attributes. Raises SchemaError for what is no attrs class.

    >>> columns_of(attrs.make_class("Flight", {"id": attrs.field(type=str), "late": attrs.field(type=int | None)}), "f")
    {'id': 'text', 'late': 'integer'}
    """
    if not isinstance(of, type) or not attrs.has(of):
        raise SchemaError(f"table {table!r}: {of!r} is no attrs class", hint="decorate it with @attrs.frozen")
    try:
        hints = get_type_hints(of, include_extras=True)
    except NameError as error:
        raise SchemaError(
            f"table {table!r}: an annotation of {of.__name__} is not known here: {error}",
            hint="define what it names at the top of its module",
        ) from None
    return {field.name: _column_type(hints.get(field.name, field.type)) for field in attrs.fields(of)}


def _column_type(annotation: Any) -> str:
    """The column type of an annotation; `any` where none fits. NULL may stand in any column."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _column_type(get_args(annotation)[0])
    if origin is Literal:
        return _common({_column_type(type(value)) for value in get_args(annotation) if value is not None})
    if origin in (Union, types.UnionType):
        return _common({_column_type(part) for part in get_args(annotation) if part is not type(None)})
    if hasattr(annotation, "__supertype__"):  # a NewType
        return _column_type(annotation.__supertype__)
    kind = origin or annotation
    if not isinstance(kind, type):
        return "any"
    if attrs.has(kind):
        return "json"
    for base in kind.__mro__:
        if base in _TYPES:
            return _TYPES[base]
    return "json" if issubclass(kind, Iterable) else "any"


def _common(kinds: set[str]) -> str:
    return kinds.pop() if len(kinds) == 1 else "any"


@attrs.frozen
class TypedUpdate(Generic[T]):
    """The rows of an update as objects: `added`, `removed`, and (old, new) pairs `updated`."""

    added: tuple[T, ...]
    removed: tuple[T, ...]
    updated: tuple[tuple[T, T], ...]


def reader(as_type: type[T], columns: Sequence[str]) -> Callable[[Sequence[Any]], T]:
    """The function from a row to an object. Columns the class does not name are left out; one it names must be there
    unless it has a default; nested rows become lists of the class annotated.

    Raises UsageError (the caller's) for a class that asks for other columns; so does the function for a value that is
    not what the class says, such as NULL where it does not say `| None`. Cost: that of cattrs, some microseconds a row.
    """
    of: type[Any] = as_type
    if not isinstance(of, type) or not attrs.has(of):
        raise UsageError(f"as_type is {as_type!r}", hint="give an attrs class, decorated with @attrs.frozen")
    for field in attrs.fields(of):
        if field.default is attrs.NOTHING and field.name not in columns:
            raise UsageError(
                f"{as_type.__name__} asks for a column {field.name!r}, the view has {', '.join(columns) or 'none'}",
                hint=did_you_mean(field.name, columns) or "give it a default, or select the column",
            )
    names = tuple(columns)
    structure = _hook(as_type)

    def read(row: Sequence[Any]) -> T:
        members = dict(zip(names, row, strict=True))
        try:
            made: T = structure(members, as_type)
        except Exception:  # noqa: BLE001 - the class's own validators may raise anything
            raise _unfit(as_type, members) from None
        return made

    return read


def _hook(as_type: type[T]) -> Callable[[Any, Any], T]:
    from cattrs.errors import StructureHandlerNotFoundError

    try:
        hook: Callable[[Any, Any], T] = _converter(False).get_structure_hook(as_type)
    except (StructureHandlerNotFoundError, NameError) as error:
        raise UsageError(
            f"{as_type.__name__} has an attribute that no value can become: {error}",
            hint="annotate plain types, attrs classes, lists and mappings of these",
        ) from None
    return hook


def _unfit(as_type: type[Any], members: dict[str, Any]) -> UsageError:
    """What does not fit, told by the converter that takes its time."""
    from cattrs import transform_error

    try:
        _converter(True).structure(members, as_type)
    except Exception as error:  # noqa: BLE001 - as above
        faults = transform_error(error, format_exception=lambda fault, _: str(fault))
        hint = "write `| None` where a column may be NULL" if any("NULL" in fault for fault in faults) else ""
        return UsageError(f"a row does not fit {as_type.__name__}: {'; '.join(faults)}", hint=hint)
    return UsageError(f"a row does not fit {as_type.__name__}")


@cache
def _converter(detailed: bool) -> Any:
    """A converter that takes values as they are: the engine's are typed already."""
    from cattrs import Converter

    converter = Converter(detailed_validation=detailed)
    for kind, accepted in _ACCEPTS.items():
        converter.register_structure_hook(kind, _exact(kind, accepted))
    converter.register_structure_hook_factory(_is_plain_union, _one_of)
    return converter


def _is_plain_union(annotation: Any) -> bool:
    """`int | str` and the like, which cattrs leaves to its users; `int | None` it knows."""
    parts = [part for part in get_args(annotation) if part is not type(None)]
    is_union = get_origin(annotation) in (Union, types.UnionType)
    return is_union and len(parts) > 1 and all(part in _ACCEPTS for part in parts)


def _one_of(annotation: Any) -> Callable[[Any, Any], Any]:
    parts = get_args(annotation)

    def structure(value: Any, _: Any) -> Any:
        if type(value) in parts:
            return value
        raise ValueError(f"{'NULL' if value is None else repr(value)} is no {annotation}")

    return structure


def _exact(kind: type, accepted: tuple[type, ...]) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if type(value) in accepted:
            return value if type(value) is kind else kind(value)
        shown = "NULL" if value is None else f"{value!r} ({type(value).__name__})"
        raise ValueError(f"{shown} is no {kind.__name__}")

    return structure
