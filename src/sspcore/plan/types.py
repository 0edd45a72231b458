"""The column type of an expression, as far as it is known before any row is seen.

Owns a guess that is never wrong, only silent (`any`): what it says steers how literals are read and how columns are
shown. Refuses to check anything; expressions are total over all classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sspcore.algebra.interval import Interval
from sspcore.algebra.values import FrozenObject
from sspcore.plan.catalog import Catalog
from sspcore.plan.expressions import Call, Column, Constant, Expression
from sspcore.plan.nodes import (
    Aggregate,
    AggregateCall,
    Except,
    Intersect,
    Join,
    Mark,
    Nest,
    Plan,
    Project,
    Rank,
    Recursive,
    Scan,
    Union,
    Values,
    Working,
)
from sspcore.plan.traverse import children, shown

_OF_VALUE: Final[dict[type, str]] = {
    bool: "boolean", int: "integer", float: "real", str: "text", bytes: "bytes", datetime: "timestamp", date: "date",
    Decimal: "decimal", Interval: "interval", tuple: "json", FrozenObject: "json",
}  # fmt: skip
_BOOLEAN: Final = frozenset({
    "and", "or", "not", "=", "<>", "<", "<=", ">", ">=", "is null", "is true", "is false", "is distinct", "in", "like",
    "ilike", "starts_with", "@>", "<@", "&&", "?", "?|", "?&",
    *[f"{symbol} {word}" for symbol in ("=", "<>", "<", "<=", ">", ">=") for word in ("any", "all")],
})  # fmt: skip
_TEXT: Final = frozenset({
    "concat", "concat_ws", "upper", "lower", "initcap", "trim", "ltrim", "rtrim", "substr", "replace", "left", "right",
    "lpad", "rpad", "reverse", "repeat", "split_part", "chr", "->>", "#>>", "jsonb_typeof",
})  # fmt: skip
_INTEGER: Final = frozenset({"length", "strpos", "ascii", "cardinality", "array_position", "jsonb_array_length"})
_JSON: Final = frozenset({
    "->", "#>", "array[]", "array_append", "array_prepend", "array_cat", "array_remove", "read json",
})  # fmt: skip
_ALWAYS: Final = {
    **dict.fromkeys(_BOOLEAN, "boolean"), **dict.fromkeys(_TEXT, "text"), **dict.fromkeys(_INTEGER, "integer"),
    **dict.fromkeys(_JSON, "json"), "extract": "real", "date_trunc": "timestamp", "to_timestamp": "timestamp",
    "make_interval": "interval", "interval of": "interval", "interval part": "integer",
}  # fmt: skip
"""Function → the type of whatever it gives."""
_NUMBERS: Final = ("integer", "decimal", "real")
_ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "%", "mod"})
_KEEPS: Final = frozenset({"neg", "abs", "round", "trunc", "floor", "ceil", "sign"})


_OF_AGGREGATE: Final = {"bool_and": "boolean", "bool_or": "boolean", "array_agg": "json", "string_agg": "text"}
_DIVIDES: Final = frozenset({"avg", "var_samp", "var_pop", "stddev_samp", "stddev_pop"})


def type_of(expression: Expression, columns: Sequence[str] | Callable[[int], str]) -> str:
    """The type of what the expression gives, one of the column types, `any` when not known.

    `columns` gives the type of each column it reads. The value may always be NULL.

    >>> type_of(Call("+", (Column(0), Constant(1))), ["decimal"])
    'decimal'
    """
    match expression:
        case Column(index):
            return columns(index) if callable(columns) else columns[index]
        case Constant(value):
            return _OF_VALUE.get(type(value), "any")
        case Call("cast", (_, Constant(str(kind)))):
            return kind
        case Call(function, args):
            return _of_call(function, [type_of(a, columns) for a in args], args)
        case _:
            return "any"


def _of_call(function: str, kinds: list[str], args: tuple[Expression, ...]) -> str:
    if function in _ALWAYS:
        return _ALWAYS[function]
    if function == "||":
        return "any" if "any" in kinds or "json" in kinds else "text" if "text" in kinds else "any"
    if function in _ARITHMETIC:
        if all(k in _NUMBERS for k in kinds):
            return max(kinds, key=_NUMBERS.index)
        return of_times(function, kinds[0], kinds[1]) or "any"
    if function in _KEEPS:
        return kinds[0] if kinds[0] in _NUMBERS or (function == "neg" and kinds[0] == "interval") else "any"
    if function in ("coalesce", "greatest", "least"):
        return common(kinds, args)
    if function == "nullif":
        return kinds[0]
    if function == "case":
        return common([*kinds[1:-1:2], kinds[-1]], (*args[1:-1:2], args[-1]))
    return "any"


_OF_TIMES: Final[dict[tuple[str, str, str], str]] = {
    ("timestamp", "+", "interval"): "timestamp", ("interval", "+", "timestamp"): "timestamp",
    ("date", "+", "interval"): "timestamp", ("interval", "+", "date"): "timestamp",
    ("date", "+", "integer"): "date", ("integer", "+", "date"): "date", ("interval", "+", "interval"): "interval",
    ("timestamp", "-", "interval"): "timestamp", ("date", "-", "interval"): "timestamp",
    ("date", "-", "integer"): "date", ("date", "-", "date"): "integer", ("interval", "-", "interval"): "interval",
    ("timestamp", "-", "timestamp"): "interval", ("timestamp", "-", "date"): "interval",
    ("date", "-", "timestamp"): "interval",
    **{("interval", "*", number): "interval" for number in _NUMBERS},
    **{(number, "*", "interval"): "interval" for number in _NUMBERS},
    **{("interval", "/", number): "interval" for number in _NUMBERS},
}  # fmt: skip


def of_times(function: str, left: str, right: str) -> str | None:
    """The type that arithmetic on times and intervals gives; None where it has no meaning, or types are not known.

    >>> of_times("-", "timestamp", "timestamp"), of_times("+", "date", "date")
    ('interval', None)
    """
    return _OF_TIMES.get((left, function, right))


def common(kinds: Sequence[str], expressions: Sequence[Expression]) -> str:
    """The type all alternatives share, NULLs apart; `any` when they differ."""
    told = {k for k, e in zip(kinds, expressions, strict=True) if e != Constant(None)}
    return told.pop() if len(told) == 1 else "any"


def type_of_aggregate(call: AggregateCall, columns: Sequence[str] | Callable[[int], str]) -> str:
    """The type of an aggregate's result."""
    if call.function == "count" or call.argument is None:
        return "integer"
    if call.function in _OF_AGGREGATE:
        return _OF_AGGREGATE[call.function]
    kind = type_of(call.argument, columns)
    if call.function in _DIVIDES:
        return {"integer": "real", "real": "real", "decimal": "decimal"}.get(kind, "any")
    return kind if call.function in ("min", "max") or kind in _NUMBERS else "any"


def column_types(plan: Plan, catalog: Catalog, found: Mapping[str, tuple[str, ...]] | None = None) -> tuple[str, ...]:
    """The type of each output column of a plan; `found` gives those of the recursions around it."""
    if isinstance(plan, Recursive):
        return _of_recursion(plan, catalog, found or {})
    below = [column_types(child, catalog, found) for child in children(plan)]
    match plan:
        case Working():
            return (found or {}).get(plan.name, ("any",) * len(plan.columns))
        case Scan():
            known = catalog[plan.table].columns if plan.table in catalog else {}
            return tuple([known.get(name, "any") for name in plan.columns])
        case Values():
            cells = [[row[i] for row in plan.rows] for i in range(len(plan.columns))]
            return tuple([common([type_of(c, ()) for c in column], column) for column in cells])
        case Project():
            return tuple([type_of(e, below[0]) for _, e in plan.columns])
        case Join():
            return below[0] + below[1]
        case Mark():
            return (*below[0], "boolean")
        case Rank():
            return (*below[0], "integer")
        case Nest():
            return (
                *below[0],
                type_of(shown(plan)[0][1], below[1]) if plan.form == "value" and not plan.keyed else "json",
            )
        case Aggregate():
            groups = [type_of(e, below[0]) for _, e in plan.groups]
            return tuple(groups + [type_of_aggregate(call, below[0]) for _, call in plan.aggregates])
        case Union() | Intersect() | Except():
            return tuple([kinds[0] if len(set(kinds)) == 1 else "any" for kinds in zip(*below, strict=True)])
        case _:
            return below[0]


def _of_recursion(plan: Recursive, catalog: Catalog, found: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The base's types, as far as the step gives the same types again when it is given these."""
    kinds = column_types(plan.base, catalog, found)
    while True:
        made = column_types(plan.step, catalog, {**found, plan.name: kinds})
        kept = tuple([a if a == b else "any" for a, b in zip(kinds, made, strict=True)])
        if kept == kinds:
            return kinds
        kinds = kept
