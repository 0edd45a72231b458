"""Values as JSON and back without loss: what JSON has no form for is tagged `{"$": [type, text]}`.

Owns the lossless form used in images and JSON plans. The wire has its own, friendlier form (`wire/values.py`),
which leans on declared types; this one needs none.
"""

from __future__ import annotations

import base64
from datetime import date, datetime
from decimal import Decimal
from math import isinf
from typing import Any

from sspcore.algebra.interval import Interval
from sspcore.algebra.values import FALSE, NAN, TRUE, BoolKey, FrozenObject, Value, canonical


def encode(value: Value) -> Any:
    """A canonical value (or key) as plain JSON values.

    >>> encode((1, Decimal("1.50")))
    [1, {'$': ['decimal', '1.50']}]
    """
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is float:
        if value != value or isinf(value):
            return {"$": ["real", "nan" if value != value else "inf" if value > 0 else "-inf"]}
        return value
    if kind is tuple:
        return [encode(v) for v in value]
    if kind is FrozenObject:
        return {"$": ["object", {name: encode(v) for name, v in value.items()}]}
    if kind is BoolKey:
        return {"$": ["key", bool(value)]}
    if kind is bytes:
        return {"$": ["bytes", base64.b64encode(value).decode()]}
    if kind is Interval:
        return {"$": ["interval", [value.months, value.days, value.microseconds]]}
    name = {Decimal: "decimal", datetime: "timestamp", date: "date"}[kind]
    return {"$": [name, str(value) if kind is Decimal else value.isoformat()]}


def decode(data: Any) -> Value:
    """The inverse of `encode`. Raises ValueError for anything `encode` cannot have made.

    >>> decode({"$": ["date", "2013-06-24"]})
    datetime.date(2013, 6, 24)
    """
    if isinstance(data, list):
        return tuple([decode(v) for v in data])
    if not isinstance(data, dict):
        return canonical(data)
    tag = data.get("$")
    if len(data) != 1 or not isinstance(tag, list) or len(tag) != 2 or not isinstance(tag[0], str):
        raise ValueError('a tagged value is {"$": [type, text]}')
    name, body = tag
    try:
        match name:
            case "real":
                return {"nan": NAN, "inf": float("inf"), "-inf": float("-inf")}[body]
            case "object":
                return FrozenObject({canonical(k): decode(v) for k, v in body.items()})
            case "key":
                return {True: TRUE, False: FALSE}[body]
            case "bytes":
                return base64.b64decode(body, validate=True)
            case "decimal":
                return canonical(Decimal(body))
            case "timestamp":
                return canonical(datetime.fromisoformat(body))
            case "interval":
                months, days, microseconds = map(int, body)
                return canonical(Interval(months, days, microseconds))
            case "date":
                return date.fromisoformat(body)
    except (KeyError, TypeError, AttributeError, ArithmeticError, ValueError) as error:
        raise ValueError(f"{body!r} is no {name}: {error}") from None
    raise ValueError(f"unknown type {name!r} of a tagged value")
