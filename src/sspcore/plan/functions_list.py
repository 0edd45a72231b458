"""Functions of lists, under the names that Postgres has for arrays; positions start at 1.

Owns membership (`x = ANY (list)`), subscripts and lists made of others. Elements are equal as values of `=` are.
Refuses to know objects and containment (`functions_json`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from sspcore.algebra.values import MAX_NESTING, FrozenObject, Value, canonical_key, compare, equals
from sspcore.plan.total import MAX_TEXT, NULL_BY_ERROR, Function, strict

_ORDERINGS: Final[dict[str, Callable[[int], bool]]] = {
    "<": lambda order: order < 0, "<=": lambda order: order <= 0,
    ">": lambda order: order > 0, ">=": lambda order: order >= 0,
}  # fmt: skip
COMPARISONS: Final = ("=", "<>", *_ORDERINGS)


def _answer(symbol: str, a: Value, b: Value) -> Value:
    if symbol == "=":
        return equals(a, b)
    if symbol == "<>":
        same = equals(a, b)
        return None if same is None else not same
    order = compare(a, b)
    return None if order is None else _ORDERINGS[symbol](order)


def _quantified(symbol: str, dominant: bool) -> Callable[[Value, Value], Value]:
    """ANY (dominated by TRUE) or ALL (by FALSE) of the comparisons with each element."""

    def apply(x: Value, items: Value) -> Value:
        if items is None:
            return None
        if type(items) is not tuple:
            return NULL_BY_ERROR
        result: Value = not dominant
        for item in items:
            answer = _answer(symbol, x, item)
            if answer is dominant:
                return dominant
            if answer is None:
                result = None
        return result

    return apply


def fits_inside(value: Value, room: int = MAX_NESTING - 1) -> bool:
    """The value may be an element: it nests no deeper than a cell may. Cost: O(size), of lists and objects only."""
    if type(value) is not tuple and type(value) is not FrozenObject:
        return True
    inner: Iterable[Value] = value.values() if isinstance(value, FrozenObject) else value
    return room > 0 and all(fits_inside(item, room - 1) for item in inner)


def _array(*items: Value) -> Value:
    return items if all(map(fits_inside, items)) else NULL_BY_ERROR


@strict
def _cardinality(items: Value) -> Value:
    return len(items) if type(items) is tuple else NULL_BY_ERROR


@strict
def _element(items: Value, position: Value) -> Value:
    """NULL outside, as in Postgres: positions do not count from the end."""
    if type(items) is not tuple or type(position) is not int:
        return NULL_BY_ERROR
    return items[position - 1] if 1 <= position <= len(items) else None


def _position(items: Value, x: Value) -> Value:
    """Of the first element that is not distinct from the value; NULL when there is none."""
    if items is None:
        return None
    if type(items) is not tuple:
        return NULL_BY_ERROR
    wanted = canonical_key(x)
    for i, item in enumerate(items, 1):
        key = canonical_key(item)
        if key is wanted or key == wanted:
            return i
    return None


def capped(items: tuple[Value, ...]) -> Value:
    """A list, within the cap on what an expression makes longer."""
    return items if len(items) <= MAX_TEXT else NULL_BY_ERROR


def _append(items: Value, x: Value) -> Value:
    """A NULL list is an empty one, as in Postgres."""
    items = () if items is None else items
    return capped((*items, x)) if type(items) is tuple and fits_inside(x) else NULL_BY_ERROR


def _prepend(x: Value, items: Value) -> Value:
    items = () if items is None else items
    return capped((x, *items)) if type(items) is tuple and fits_inside(x) else NULL_BY_ERROR


def _cat(a: Value, b: Value) -> Value:
    """Where one is NULL, the other."""
    for side in (a, b):
        if side is not None and type(side) is not tuple:
            return NULL_BY_ERROR
    if a is None or b is None:
        return b if a is None else a
    return capped(a + b)


def _remove(items: Value, x: Value) -> Value:
    if items is None:
        return None
    if type(items) is not tuple:
        return NULL_BY_ERROR
    unwanted = canonical_key(x)
    kept = []
    for item in items:
        key = canonical_key(item)
        if key is not unwanted and key != unwanted:
            kept.append(item)
    return tuple(kept)


@strict
def _overlap(a: Value, b: Value) -> Value:
    if type(a) is not tuple or type(b) is not tuple:
        return NULL_BY_ERROR
    keys = {canonical_key(item) for item in a if item is not None}
    return any(item is not None and canonical_key(item) in keys for item in b)


def joined(a: Value, b: Value) -> Value:
    """`||` where one is a list: the other's elements, or the other as one more element."""
    for side in (a, b):
        if type(side) is not tuple and not fits_inside(side):
            return NULL_BY_ERROR
    return capped((a if type(a) is tuple else (a,)) + (b if type(b) is tuple else (b,)))


FUNCTIONS: Final = (
    *[
        Function(f"{symbol} {word}", 2, 2, _quantified(symbol, dominant), f"The value {symbol} {what} of a list.")
        for symbol in COMPARISONS
        for word, dominant, what in (("any", True, "an element"), ("all", False, "every element"))
    ],
    Function("array[]", 0, None, _array, "The list of the arguments."),
    Function("cardinality", 1, 1, _cardinality, "How many elements a list has."),
    Function("[]", 2, 2, _element, "The element at a position, 1 the first; NULL where there is none."),
    Function("array_position", 2, 2, _position, "Where the value is first in the list, 1 the first; else NULL."),
    Function("array_append", 2, 2, _append, "The list with the value after it."),
    Function("array_prepend", 2, 2, _prepend, "The list with the value (the first argument) before it."),
    Function("array_cat", 2, 2, _cat, "The first list with the second after it."),
    Function("array_remove", 2, 2, _remove, "The list without the elements that equal the value."),
    Function("&&", 2, 2, _overlap, "Two lists share an element that is not NULL."),
)
