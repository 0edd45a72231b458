"""Plans as JSON and back: one tagged object per node and expression, member names as in `plan/nodes`.

Owns the form. A node is `{"node": "filter", "input": …, "predicate": …}`; an expression is one of `{"column": 0}` (or
its name, where only one column of the input has it), `{"constant": …}`, `{"param": "name"}`,
`{"call": "=", "args": […]}`. Constants are written as `algebra/tagged` does. Refuses to repair: what is not understood
whole is a PlanError with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sspcore.algebra.tagged import decode, encode
from sspcore.errors import PlanError, did_you_mean, shown
from sspcore.plan.check import MAX_DEPTH, check
from sspcore.plan.expressions import Call, Column, Constant, Expression, Param
from sspcore.plan.nodes import (
    Aggregate,
    AggregateCall,
    AntiJoin,
    Distinct,
    Except,
    Filter,
    Intersect,
    Join,
    Mark,
    Nest,
    OrderTerm,
    Plan,
    Project,
    Rank,
    Recursive,
    Scan,
    SemiJoin,
    TopK,
    Union,
    Values,
    Working,
)
from sspcore.plan.traverse import columns

_PARTNERS: Final = {"left": "plan", "right": "plan", "on": "pairs?", "residual": "both?"}
_FORMS: Final[dict[str, tuple[type[Any], dict[str, str]]]] = {
    "scan": (Scan, {"table": "text", "columns": "names", "star": "flag?", "alias": "text?"}),
    "values": (Values, {"columns": "names", "rows": "rows"}),
    "filter": (Filter, {"input": "plan", "predicate": "expression"}),
    "project": (Project, {"input": "plan", "columns": "named"}),
    "join": (Join, {"kind": "text", **_PARTNERS}),
    "semi_join": (SemiJoin, _PARTNERS),
    "anti_join": (AntiJoin, _PARTNERS),
    "mark": (Mark, {"name": "text", **_PARTNERS, "key": "pair?"}),
    "nest": (Nest, {"name": "text", **_PARTNERS, "order": "right_terms?", "limit": "count?", "offset": "count?",
                    "cells": "right_named?", "form": "text?", "keyed": "flag?"}),
    "aggregate": (Aggregate, {"input": "plan", "groups": "named", "aggregates": "calls"}),
    "distinct": (Distinct, {"input": "plan"}),
    "union": (Union, {"inputs": "plans", "all": "flag?"}),
    "intersect": (Intersect, {"left": "plan", "right": "plan", "all": "flag?"}),
    "except": (Except, {"left": "plan", "right": "plan", "all": "flag?"}),
    "top_k": (TopK, {"input": "plan", "order": "terms", "limit": "count?", "offset": "count?",
                     "partition": "expressions?"}),
    "rank": (Rank, {"input": "plan", "name": "text", "function": "text", "partition": "expressions?",
                    "order": "terms?", "limit": "count?"}),
    "recursive": (Recursive, {"base": "plan", "step": "plan", "name": "text"}),
    "working": (Working, {"name": "text", "columns": "names"}),
}  # fmt: skip
"""Tag → the node and the kind of each member; `?` marks one that may be left out."""
_CALL: Final = ("function", "argument", "distinct", "order", "separator", "where")
_TAGS: Final = {node: tag for tag, (node, _) in _FORMS.items()}


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as plain JSON values; `from_json` gives an equal plan back.

    >>> to_json(Filter(Scan("flights", ("late",)), Column(0, "late")))["predicate"]
    {'column': 0, 'name': 'late'}
    """
    tag = _TAGS[type(plan)]
    out: dict[str, Any] = {"node": tag}
    for name, kind in _FORMS[tag][1].items():
        value = getattr(plan, name)
        if not (kind.endswith("?") and (value is None or value is False or value == () or value == "")):
            out[name] = _written(value)
    return out


def _written(value: Any) -> Any:
    match value:
        case Column():
            return {"column": value.index, "name": value.name} if value.name else {"column": value.index}
        case Constant():
            return {"constant": encode(value.value)}
        case Param():
            return {"param": value.name}
        case Call():
            return {"call": value.function, "args": [_written(a) for a in value.args]}
        case AggregateCall():
            members = {name: getattr(value, name) for name in _CALL}
            return {name: _written(v) for name, v in members.items() if v is not None and v is not False and v != ()}
        case OrderTerm():
            flags = {name: True for name in ("descending", "nulls_first") if getattr(value, name)}
            return {"expression": _written(value.expression)} | flags
        case tuple():
            return [_written(v) for v in value]
        case str() | bool():
            return value
        case _:
            return to_json(value)


def from_json(data: object) -> Plan:
    """The checked plan that JSON values describe.

    Raises PlanError (the caller's) with the place, such as `$.input.predicate.args[0]`, whatever the data is.

    >>> from_json({"node": "filter", "input": {"node": "scan", "table": "flights", "columns": ["late"]},
    ...            "predicate": {"column": "late"}})
    Filter(input=Scan(table='flights', columns=('late',), star=False, alias=''), predicate=Column(index=0, name='late'))
    """
    plan = _Reader().plan(data, "$", 1)
    check(plan)
    return plan


Names = tuple[str, ...]


class _Reader:
    """Reads each kind of member; a kind's method takes the value, its path and the node's scopes."""

    def plan(self, data: object, path: str, depth: int) -> Plan:
        if depth > MAX_DEPTH:
            raise PlanError(f"the plan nests deeper than {MAX_DEPTH} nodes", path)
        members = _object(data, path)
        tag = members.get("node")
        if not isinstance(tag, str) or tag not in _FORMS:
            raise PlanError(f"unknown node {shown(tag)}", f"{path}.node", hint=did_you_mean(str(shown(tag)), _FORMS))
        node, form = _FORMS[tag]
        _no_others(members, {"node", *form}, path)
        values: dict[str, Any] = {}
        for name, kind in form.items():  # inputs first: expressions are read over their columns
            place = f"{path}.{name}"
            if name not in members and not kind.endswith("?"):
                raise PlanError(f"a {tag} node needs {name!r}", path)
            if name in members and kind == "plan":
                values[name] = self.plan(members[name], place, depth + 1)
            elif name in members and kind == "plans":
                parts = _list(members[name], place)
                values[name] = tuple([self.plan(p, f"{place}[{i}]", depth + 1) for i, p in enumerate(parts)])
        scopes = _scopes(values, path)
        for name, kind in form.items():
            if name in members and name not in values:
                read: Callable[[object, str, dict[str, Names]], Any] = getattr(self, kind.rstrip("?"))
                values[name] = read(members[name], f"{path}.{name}", scopes)
        built: Plan = node(**values)
        return built

    def text(self, data: object, path: str, scopes: dict[str, Names]) -> str:
        if not isinstance(data, str):
            raise PlanError(f"{shown(data)} is no text", path)
        return data

    def flag(self, data: object, path: str, scopes: dict[str, Names]) -> bool:
        if not isinstance(data, bool):
            raise PlanError(f"{shown(data)} is neither true nor false", path)
        return data

    def names(self, data: object, path: str, scopes: dict[str, Names]) -> Names:
        return tuple([self.text(n, f"{path}[{i}]", scopes) for i, n in enumerate(_list(data, path))])

    def rows(self, data: object, path: str, scopes: dict[str, Names]) -> tuple[tuple[Expression, ...], ...]:
        return tuple([
            tuple([_expression(c, f"{path}[{i}][{j}]", (), 1) for j, c in enumerate(_list(row, f"{path}[{i}]"))])
            for i, row in enumerate(_list(data, path))
        ])  # fmt: skip

    def expression(self, data: object, path: str, scopes: dict[str, Names]) -> Expression:
        return _expression(data, path, scopes["input"], 1)

    def expressions(self, data: object, path: str, scopes: dict[str, Names]) -> tuple[Expression, ...]:
        return tuple([self.expression(e, f"{path}[{i}]", scopes) for i, e in enumerate(_list(data, path))])

    def both(self, data: object, path: str, scopes: dict[str, Names]) -> Expression:
        return _expression(data, path, scopes["left"] + scopes["right"], 1)

    def pair(self, data: object, path: str, scopes: dict[str, Names]) -> tuple[Expression, Expression]:
        left, right = _two(data, path)
        ours = _expression(left, f"{path}[0]", scopes["left"], 1)
        return ours, _expression(right, f"{path}[1]", scopes["right"], 1)

    def pairs(self, data: object, path: str, scopes: dict[str, Names]) -> tuple[tuple[Expression, Expression], ...]:
        return tuple([self.pair(p, f"{path}[{i}]", scopes) for i, p in enumerate(_list(data, path))])

    def named(self, data: object, path: str, scopes: dict[str, Names]) -> tuple[tuple[str, Expression], ...]:
        out = []
        for i, item in enumerate(_list(data, path)):
            name, value = _two(item, f"{path}[{i}]")
            expression = self.expression(value, f"{path}[{i}][1]", scopes)
            out.append((self.text(name, f"{path}[{i}][0]", scopes), expression))
        return tuple(out)

    def calls(self, data: object, path: str, scopes: dict[str, Names]) -> tuple[tuple[str, AggregateCall], ...]:
        out = []
        for i, item in enumerate(_list(data, path)):
            name, value = _two(item, f"{path}[{i}]")
            out.append((self.text(name, f"{path}[{i}][0]", scopes), self.call(value, f"{path}[{i}][1]", scopes)))
        return tuple(out)

    def call(self, data: object, path: str, scopes: dict[str, Names]) -> AggregateCall:
        members = _object(data, path)
        _no_others(members, set(_CALL), path)

        def maybe(name: str, scopes: dict[str, Names]) -> Any:
            value = members.get(name)
            return None if value is None else self.expression(value, f"{path}.{name}", scopes)

        return AggregateCall(
            self.text(members.get("function"), f"{path}.function", scopes),
            maybe("argument", scopes),
            self.flag(members.get("distinct", False), f"{path}.distinct", scopes),
            self.terms(members.get("order", []), f"{path}.order", scopes),
            maybe("separator", {"input": ()}),
            maybe("where", scopes),
        )

    def terms(self, data: object, path: str, scopes: dict[str, Names]) -> tuple[OrderTerm, ...]:
        out = []
        for i, item in enumerate(_list(data, path)):
            place = f"{path}[{i}]"
            members = _object(item, place)
            _no_others(members, {"expression", "descending", "nulls_first"}, place)
            by = self.expression(members.get("expression"), f"{place}.expression", scopes)
            flags = [self.flag(members.get(n, False), f"{place}.{n}", scopes) for n in ("descending", "nulls_first")]
            out.append(OrderTerm(by, *flags))
        return tuple(out)

    def right_named(self, data: object, path: str, scopes: dict[str, Names]) -> tuple[tuple[str, Expression], ...]:
        return self.named(data, path, {"input": scopes["right"]})

    def right_terms(self, data: object, path: str, scopes: dict[str, Names]) -> tuple[OrderTerm, ...]:
        return self.terms(data, path, {"input": scopes["right"]})

    def count(self, data: object, path: str, scopes: dict[str, Names]) -> Expression | None:
        """A limit: an expression, or the bare number."""
        return None if data is None else Constant(data) if type(data) is int else _expression(data, path, (), 1)


def _scopes(values: Mapping[str, Any], path: str) -> dict[str, Names]:
    """The columns of each input. A union without inputs has none; the check says so."""
    try:
        return {name: columns(value) for name, value in values.items() if name != "inputs"}
    except IndexError:
        raise PlanError("a union of nothing", path, hint="give at least one input") from None


def _expression(data: object, path: str, names: Names, depth: int) -> Expression:
    if depth > MAX_DEPTH:
        raise PlanError(f"the expression nests deeper than {MAX_DEPTH} calls", path)
    members = _object(data, path)
    if "column" in members:
        _no_others(members, {"column", "name"}, path)
        return _column(members["column"], members.get("name", ""), path, names)
    if "constant" in members:
        _no_others(members, {"constant"}, path)
        try:
            return Constant(decode(members["constant"]))
        except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise PlanError(f"no constant: {error}", path) from None
    if "param" in members:
        _no_others(members, {"param"}, path)
        if isinstance(members["param"], str):
            return Param(members["param"])
        raise PlanError(f"{shown(members['param'])} is no name", path)
    if "call" in members:
        _no_others(members, {"call", "args"}, path)
        if not isinstance(members["call"], str):
            raise PlanError(f"{shown(members['call'])} is no function", path)
        args = _list(members.get("args", []), f"{path}.args")
        return Call(
            members["call"], tuple([_expression(a, f"{path}.args[{i}]", names, depth + 1) for i, a in enumerate(args)])
        )
    raise PlanError("an expression has one of column, constant, param and call", path)


def _column(place: object, name: object, path: str, names: Names) -> Column:
    if not isinstance(name, str):
        raise PlanError(f"{shown(name)} is no name", path)
    if type(place) is int:
        return Column(place, name)
    if not isinstance(place, str):
        raise PlanError(f"{shown(place)} is neither the position nor the name of a column", path)
    if names.count(place) > 1:
        raise PlanError(f"{names.count(place)} columns are named {place!r}", path, hint="give the position")
    if place not in names:
        raise PlanError(f"unknown column {shown(place)}", path, hint=did_you_mean(place, names))
    return Column(names.index(place), place)


def _object(data: object, path: str) -> Mapping[Any, Any]:
    if not isinstance(data, Mapping):
        raise PlanError(f"{shown(data)} is no object", path)
    return data


def _list(data: object, path: str) -> list[Any] | tuple[Any, ...]:
    if not isinstance(data, list | tuple):
        raise PlanError(f"{shown(data)} is no list", path)
    return data


def _two(data: object, path: str) -> tuple[Any, Any]:
    pair = _list(data, path)
    if len(pair) != 2:
        raise PlanError(f"{shown(data)} is no pair", path)
    return pair[0], pair[1]


def _no_others(members: Mapping[Any, Any], known: set[str], path: str) -> None:
    for name in members:
        if name not in known:
            hint = did_you_mean(name, sorted(known)) if isinstance(name, str) else ""
            raise PlanError(f"unknown member {shown(name)}", path, hint=hint)
