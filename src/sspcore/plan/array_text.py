"""Array literals as Postgres writes them: `{1, 2}`, `{a,"b c",NULL}`, `{{1},{2}}`.

Owns the grammar. What an element's text means is the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from sspcore.algebra.values import MAX_NESTING

Element = Callable[[str, bool], Any]
"""From an element's text, and whether it stood in quotes, to its value."""

_BLANKS: Final = " \t\n\r\f\v"
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE: Final = re.compile(r'[^{},"\\]+')


def read_array(text: str, element: Element) -> tuple[Any, ...] | None:
    """The elements, or None for text that is no array literal; an unquoted NULL is None.

    >>> read_array('{1, "a,b", NULL, {}}', lambda word, quoted: word)
    ('1', 'a,b', None, ())
    """
    trimmed = text.strip(_BLANKS)
    found = _array(trimmed, 0, element, MAX_NESTING) if trimmed.startswith("{") else None
    return found[0] if found is not None and found[1] == len(trimmed) else None


def _array(text: str, at: int, element: Element, room: int) -> tuple[tuple[Any, ...], int] | None:
    """The array whose brace opens at a place, and the place after it."""
    at = _after_blanks(text, at + 1)
    items: list[Any] = []
    item: Any
    if room == 0:
        return None
    if text[at : at + 1] == "}":
        return (), at + 1
    while True:
        if text[at : at + 1] == "{":
            inner = _array(text, at, element, room - 1)
            if inner is None:
                return None
            item, at = inner
        elif quoted := _QUOTED.match(text, at):
            item, at = element(re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL), True), quoted.end()
        elif bare := _BARE.match(text, at):
            word, at = bare[0].strip(_BLANKS), bare.end()
            if not word:
                return None
            item = None if word.upper() == "NULL" else element(word, False)
        else:
            return None
        items.append(item)
        at = _after_blanks(text, at)
        if text[at : at + 1] == "}":
            return tuple(items), at + 1
        if text[at : at + 1] != ",":
            return None
        at = _after_blanks(text, at + 1)


def _after_blanks(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _BLANKS:
        at += 1
    return at
