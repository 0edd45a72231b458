"""Functions of JSON: members and elements by path, containment, keys; as Postgres does it for jsonb.

Owns what is inside lists and objects. JSON's null is NULL here, so `->` gives NULL for it too. Positions start at 0,
from the end below 0. Refuses JSON paths in a language of their own.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Final, NoReturn

from sspcore.algebra.values import (
    BOOL,
    LIST,
    NUMBER,
    OBJECT,
    TEXT,
    FrozenObject,
    Value,
    canonical,
    canonical_key,
    class_of,
)
from sspcore.plan.casts import to_text
from sspcore.plan.total import MAX_TEXT, NULL_BY_ERROR, Function, strict

_TYPES: Final = {BOOL: "boolean", NUMBER: "number", TEXT: "string", LIST: "array", OBJECT: "object"}
_POSITION: Final = re.compile(r"[+-]?[0-9]{1,9}")


def _inside(document: Value, at: Value) -> Value:
    """A member by name or an element by position; NULL where there is none."""
    if type(document) is FrozenObject:
        return document.get(at) if type(at) is str else None
    return _at(document, at) if type(at) is int else None


def _at(items: tuple[Value, ...], position: int) -> Value:
    return items[position] if -len(items) <= position < len(items) else None


@strict
def _get(document: Value, at: Value) -> Value:
    if class_of(document) not in (LIST, OBJECT) or type(at) not in (str, int):
        return NULL_BY_ERROR
    return _inside(document, at)


@strict
def _get_path(document: Value, path: Value) -> Value:
    """A path is a list of texts; one in a list is a position."""
    if type(path) is not tuple or not all(step is None or type(step) is str for step in path):
        return NULL_BY_ERROR
    for step in path:
        if step is None:
            return None
        if type(document) is tuple:
            document = _at(document, int(step)) if _POSITION.fullmatch(step) else None
        elif type(document) is FrozenObject:
            document = document.get(step)
        else:
            return None
    return document


def _as_text(get: Callable[..., Value]) -> Callable[..., Value]:
    """The same, as text: of text itself, else as JSON writes it."""

    def apply(*values: Value) -> Value:
        found = get(*values)
        return found if found is None or found is NULL_BY_ERROR else to_text(found)

    return apply


@strict
def _contains(a: Value, b: Value) -> Value:
    """jsonb's containment: each member and element of the second is in the first; a list holds a bare value too."""
    if class_of(a) not in _TYPES or class_of(b) not in _TYPES:
        return NULL_BY_ERROR
    if type(a) is tuple and type(b) not in (tuple, FrozenObject):
        b = (b,)
    return _holds(a, b)


def _holds(a: Value, b: Value) -> bool:
    if type(b) is FrozenObject:
        return type(a) is FrozenObject and all(name in a and _holds(a[name], b[name]) for name in b)
    if type(b) is not tuple:
        left, right = canonical_key(a), canonical_key(b)
        return left is right or bool(left == right)
    if type(a) is not tuple:
        return False
    plain = {canonical_key(item) for item in a if type(item) not in (tuple, FrozenObject)}
    nested = [item for item in a if type(item) in (tuple, FrozenObject)]
    return all(
        any(_holds(item, wanted) for item in nested if type(item) is type(wanted))
        if type(wanted) in (tuple, FrozenObject)
        else canonical_key(wanted) in plain
        for wanted in b
    )


def _has(document: Value, name: Value) -> Value:
    """A member of an object, a text in a list, or the text itself."""
    if type(document) is FrozenObject:
        return name in document
    return any(type(item) is str and item == name for item in (document if type(document) is tuple else (document,)))


@strict
def _has_key(document: Value, name: Value) -> Value:
    return _has(document, name) if class_of(document) in _TYPES and type(name) is str else NULL_BY_ERROR


def _has_keys(of_all: Callable[..., bool]) -> Callable[..., Value]:
    """Any or all of a list of names; a NULL among them is skipped."""

    def apply(document: Value, names: Value) -> Value:
        if class_of(document) not in _TYPES or type(names) is not tuple:
            return NULL_BY_ERROR
        if any(name is not None and type(name) is not str for name in names):
            return NULL_BY_ERROR
        return of_all(_has(document, name) for name in names if name is not None)

    return strict(apply)


@strict
def _array_length(document: Value) -> Value:
    return len(document) if type(document) is tuple else NULL_BY_ERROR


@strict
def _typeof(document: Value) -> Value:
    return _TYPES.get(class_of(document), NULL_BY_ERROR)


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _refuse(digits)


@strict
def read_json(text: Value) -> Value:
    """The value that JSON text says; NULL_BY_ERROR for other text. Cost: O(size).

    >>> read_json('[1, {"a": null}]')
    (1, FrozenObject({'a': None}))
    """
    if type(text) is not str or len(text) > MAX_TEXT:
        return NULL_BY_ERROR
    try:
        return canonical(json.loads(text, parse_constant=_refuse, parse_float=_finite))
    except (ValueError, RecursionError):
        return NULL_BY_ERROR


@strict
def _from_text(value: Value) -> Value:
    if type(value) is str:
        return read_json(value)
    return value if class_of(value) in _TYPES else NULL_BY_ERROR


FUNCTIONS: Final = (
    Function("->", 2, 2, _get, "The member of that name, or the element at that position (0 the first, -1 the last)."),
    Function("->>", 2, 2, _as_text(_get), "The same as text."),
    Function("#>", 2, 2, _get_path, "What is at the end of a path, a list of names and positions, all texts."),
    Function("#>>", 2, 2, _as_text(_get_path), "The same as text."),
    Function("@>", 2, 2, _contains, "The first list or object holds every element or member of the second."),
    Function("<@", 2, 2, lambda a, b: _contains(b, a), "The second holds the first."),
    Function("?", 2, 2, _has_key, "The object has a member of that name, or the list that text."),
    Function("?|", 2, 2, _has_keys(any), "It has one of a list of names."),
    Function("?&", 2, 2, _has_keys(all), "It has all of a list of names."),
    Function("jsonb_array_length", 1, 1, _array_length, "How many elements a list has."),
    Function("jsonb_typeof", 1, 1, _typeof, "object, array, string, number or boolean."),
    Function("read json", 1, 1, _from_text, "The value that JSON text says; what is no text stays."),
)
