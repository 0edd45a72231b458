"""Text functions of the library, under their Postgres names and with their Postgres meaning.

Owns text in code points (positions start at 1) and, where noted, bytes. Refuses collations and locales: order and
case are Unicode's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sspcore.algebra.interval import Interval
from sspcore.algebra.values import FrozenObject, Value
from sspcore.plan.casts import to_text
from sspcore.plan.functions_list import joined
from sspcore.plan.like import compile_like
from sspcore.plan.total import MAX_TEXT, NULL_BY_ERROR, Function, strict, text

_SCALARS: Final = frozenset({bool, int, float, Decimal, date, datetime, Interval})


def _typed(function: Callable[..., Value], *kinds: type) -> Callable[..., Value]:
    """The function over operands of exactly these types: NULL in, NULL out; another type is an error."""

    def apply(*values: Value) -> Value:
        for value in values:
            if value is None:
                return None
        for value, kind in zip(values, kinds, strict=False):
            if type(value) is not kind:
                return NULL_BY_ERROR
        return function(*values)

    return apply


@strict
def _length(x: Value) -> Value:
    return len(x) if type(x) is str or type(x) is bytes else NULL_BY_ERROR


def _join(a: Value, b: Value) -> Value:
    """`||`: two texts or bytes, text and a scalar written as text, a list and more elements, two objects."""
    if a is None or b is None:
        return None
    kind = type(a)
    if kind is type(b) and (kind is str or kind is bytes):
        return a + b if len(a) + len(b) <= MAX_TEXT else NULL_BY_ERROR
    if kind is tuple or type(b) is tuple:
        return joined(a, b)
    if kind is FrozenObject and type(b) is FrozenObject:
        return FrozenObject({**a, **b}) if len(a) + len(b) <= MAX_TEXT else NULL_BY_ERROR
    if (kind is str and type(b) in _SCALARS) or (type(b) is str and kind in _SCALARS):
        return _concat(a, b)
    return NULL_BY_ERROR


def _concat(*values: Value) -> Value:
    return _join_texts("", values)


def _concat_ws(*values: Value) -> Value:
    separator = values[0]
    if separator is None:
        return None
    return _join_texts(separator, values[1:]) if type(separator) is str else NULL_BY_ERROR


def _join_texts(separator: str, values: tuple[Value, ...]) -> Value:
    parts = [to_text(v) for v in values if v is not None]
    if any(p is NULL_BY_ERROR for p in parts):
        return NULL_BY_ERROR
    if sum(map(len, parts)) + len(separator) * len(parts) > MAX_TEXT:
        return NULL_BY_ERROR
    return separator.join(parts)


@strict
def _substr(x: Value, start: Value, count: Value = None) -> Value:
    """Positions from `start`, 1 the first; those before the text count too, as in Postgres."""
    if (type(x) is not str and type(x) is not bytes) or type(start) is not int:
        return NULL_BY_ERROR
    if count is None:  # no third argument: `strict` answers a NULL one
        return x[max(0, start - 1) :]
    if type(count) is not int or count < 0:
        return NULL_BY_ERROR
    return x[max(0, start - 1) : max(0, start - 1 + count)]


def _replace(x: str, old: str, new: str) -> Value:
    if not old:
        return x
    grown = len(x) + x.count(old) * (len(new) - len(old)) if len(new) > len(old) else 0
    return x.replace(old, new) if grown <= MAX_TEXT else NULL_BY_ERROR


def _pad(left: bool) -> Callable[..., Value]:
    def apply(x: str, size: int, fill: str = " ") -> Value:
        if size > MAX_TEXT:
            return NULL_BY_ERROR
        missing = max(0, size - len(x))
        if not missing or not fill:
            return x[: max(0, size)]
        padding = (fill * (missing // len(fill) + 1))[:missing]
        return padding + x if left else x + padding

    return apply


def _repeat(x: str, times: int) -> Value:
    return x * max(0, times) if len(x) * times <= MAX_TEXT else NULL_BY_ERROR


def _split_part(x: str, delimiter: str, n: int) -> Value:
    if n == 0:
        return NULL_BY_ERROR
    parts = x.split(delimiter) if delimiter else [x]
    index = n - 1 if n > 0 else len(parts) + n
    return parts[index] if 0 <= index < len(parts) else ""


def _initcap(x: str) -> Value:
    letters, inside = [], False
    for symbol in x:
        letters.append(symbol.lower() if inside else symbol.upper())
        inside = symbol.isalnum()
    return text("".join(letters))


def _chr(n: int) -> Value:
    return chr(n) if 0 < n < 0x110000 and not 0xD800 <= n < 0xE000 else NULL_BY_ERROR


def _like(fold: bool) -> Callable[..., Value]:
    def apply(x: str, pattern: str, escape: str = "\\") -> Value:
        match = compile_like(pattern, escape, fold)
        return NULL_BY_ERROR if match is None else match(x)

    return _typed(apply, str, str, str)


def _trim(strip: Callable[[str, str], str]) -> Callable[..., Value]:
    return _typed(lambda x, symbols=" ": strip(x, symbols) if symbols else x, str, str)


FUNCTIONS: Final = (
    Function("||", 2, 2, _join, "The second text (list, bytes) after the first; beside text a scalar becomes text."),
    Function("concat", 0, None, _concat, "All arguments written as text, NULLs skipped."),
    Function("concat_ws", 1, None, _concat_ws, "The same with a separator, the first argument, between them."),
    Function("like", 2, 3, _like(False), "The whole text matches a pattern of % (any run), _ (one) and escapes (\\)."),
    Function("ilike", 2, 3, _like(True), "The same, whatever the case of letters."),
    Function("upper", 1, 1, _typed(lambda x: text(x.upper()), str), "In upper case."),
    Function("lower", 1, 1, _typed(lambda x: text(x.lower()), str), "In lower case."),
    Function("initcap", 1, 1, _typed(_initcap, str), "The first letter of each word in upper case, the rest in lower."),
    Function("length", 1, 1, _length, "How many code points (of bytes, how many)."),
    Function("trim", 1, 2, _trim(str.strip), "Without spaces (or the symbols given) at both ends."),
    Function("ltrim", 1, 2, _trim(str.lstrip), "The same at the left end only."),
    Function("rtrim", 1, 2, _trim(str.rstrip), "The same at the right end only."),
    Function("substr", 2, 3, _substr, "From a position, 1 the first, so many (all, without a third argument)."),
    Function("replace", 3, 3, _typed(_replace, str, str, str), "Every place of the second text made the third."),
    Function("strpos", 2, 2, _typed(lambda x, y: x.find(y) + 1, str, str), "Where the second text begins, or 0."),
    Function("left", 2, 2, _typed(lambda x, n: x[:n], str, int), "The first n code points; all but the last -n."),
    Function("right", 2, 2, _typed(lambda x, n: x[-n:] if n else "", str, int), "The last n; all but the first -n."),
    Function("lpad", 2, 3, _typed(_pad(True), str, int, str), "Filled on the left up to a length, or cut to it."),
    Function("rpad", 2, 3, _typed(_pad(False), str, int, str), "Filled on the right up to a length, or cut to it."),
    Function("reverse", 1, 1, _typed(lambda x: x[::-1], str), "The code points from last to first."),
    Function("repeat", 2, 2, _typed(_repeat, str, int), "The text so many times."),
    Function(
        "split_part", 3, 3, _typed(_split_part, str, str, int),
        "The n-th part between delimiters, 1 the first, -1 the last.",
    ),
    Function("starts_with", 2, 2, _typed(str.startswith, str, str), "The text begins with the second."),
    Function("ascii", 1, 1, _typed(lambda x: ord(x[0]) if x else 0, str), "The first code point as a number; 0 of ''."),
    Function("chr", 1, 1, _typed(_chr, int), "The code point of this number."),
)  # fmt: skip
