"""Trees: which columns of a plan's rows are nested rows, with children that are told apart by their keys.

Owns the form of a tree: `keyed` makes a plan show every child with its key, `layout` says where the children are.
Refuses to know rows. A nested column counts as one only where nothing but the reader of the view looks into it: what
an expression reads stays a plain list of objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from sspcore.algebra.values import BoolKey, FrozenObject, Key, Value
from sspcore.plan.expressions import Column, Expression, columns_read
from sspcore.plan.nodes import AntiJoin, Filter, Join, Mark, Nest, Plan, Project, Rank, SemiJoin, TopK
from sspcore.plan.traverse import columns, expressions, shown, with_children

_INTEGERS: Final = 2.0**63
"""Integers of cells are below."""


@attrs.frozen
class Layout:
    """A nested cell, a list of (key, child): a child is a value, or an object whose members named in `nested` are such
    cells themselves."""

    nested: Mapping[str, Layout]


def key_value(key: Key) -> Value:
    """A key as a value of a cell: truth for what stands for it in keys, and equal numbers as the same one.

    Which of several equal values a key was made of is an accident of history (`1`, `1.0`); a cell must not tell.

    >>> key_value((1.0, Decimal("2.50"), Decimal("1.0"), 3))
    (1, 2.5, 1, 3)
    """
    kind = type(key)
    if kind is int or kind is str:
        return key
    if kind is tuple:
        return tuple([key_value(part) for part in key])
    if kind is BoolKey:
        return bool(key)
    if kind is FrozenObject:
        return FrozenObject({name: key_value(part) for name, part in key.items()})
    return _number(key) if kind is float or kind is Decimal else key


def _number(key: Any) -> Any:
    """The number all equal ones are told as: an integer, else a float, else a decimal without zeros at its end."""
    if key != key:
        return key
    if isinstance(key, Decimal) and key.is_infinite():
        return float(key)
    if -_INTEGERS < key < _INTEGERS and key == int(key):
        return int(key)
    if isinstance(key, float):
        return key
    near = float(key)
    if near == key:
        return near
    sign, digits, exponent = key.as_tuple()
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return Decimal((sign, digits[: len(digits) - zeros], int(exponent) + zeros))


def keyed(plan: Plan) -> Plan:
    """The plan with keys beside the children of all nested columns that reach its rows.

    >>> from sspcore.plan.nodes import Scan
    >>> nest = Nest(Scan("p", ("id",)), Scan("c", ("p", "x")), "kids", ((Column(0), Column(0)),))
    >>> keyed(nest).keyed, keyed(Filter(nest, Column(1))).input.keyed
    (True, False)
    """
    return _keyed(plan, set(range(len(columns(plan)))))


def layout(plan: Plan) -> dict[int, Layout]:
    """The nested columns of a keyed plan, by position."""
    match plan:
        case Nest():
            below = layout(plan.right)
            inner = {n: below[e.index] for n, e in shown(plan) if isinstance(e, Column) and e.index in below}
            if plan.form in ("values", "value"):
                inner = {}
            own = {len(columns(plan.left)): Layout(inner)} if plan.keyed else {}
            return layout(plan.left) | own
        case Project():
            below = layout(plan.input)
            cells = enumerate([e for _, e in plan.columns])
            return {i: below[e.index] for i, e in cells if isinstance(e, Column) and e.index in below}
        case Join():
            width = len(columns(plan.left))
            return layout(plan.left) | {width + i: cell for i, cell in layout(plan.right).items()}
        case SemiJoin() | AntiJoin() | Mark():
            return layout(plan.left)
        case Filter() | TopK() | Rank():
            return layout(plan.input)
        case _:
            return {}


def _keyed(plan: Plan, wanted: set[int]) -> Plan:
    """`wanted` are the columns that nothing above looks into."""
    match plan:
        case Nest():
            width = len(columns(plan.left))
            ours = [a for a, _ in plan.on] + [e for e in (plan.residual,) if e is not None]
            left = _keyed(plan.left, {i for i in wanted if i < width} - _read(ours))
            if width not in wanted:
                return attrs.evolve(plan, left=left)
            theirs = [b for _, b in plan.on] + [t.expression for t in plan.order]
            read = _read(theirs) | {i - width for i in _read(ours[len(plan.on) :])}
            passed = _passed([e for _, e in shown(plan)]) if plan.form in ("objects", "object") else set()
            return attrs.evolve(plan, left=left, right=_keyed(plan.right, passed - read), keyed=True)
        case Project():
            cells = [e for i, (_, e) in enumerate(plan.columns) if i in wanted]
            hidden = [e for i, (_, e) in enumerate(plan.columns) if i not in wanted]
            return attrs.evolve(plan, input=_keyed(plan.input, _passed(cells) - _read(hidden)))
        case Join():
            width = len(columns(plan.left))
            rest = wanted - _read([e for e in (plan.residual,) if e is not None])
            left = _keyed(plan.left, {i for i in rest if i < width} - _read(a for a, _ in plan.on))
            right = _keyed(plan.right, {i - width for i in rest if i >= width} - _read(b for _, b in plan.on))
            return with_children(plan, (left, right))
        case SemiJoin() | AntiJoin() | Mark():
            width = len(columns(plan.left))
            key = [plan.key[0]] if isinstance(plan, Mark) and plan.key is not None else []
            ours = [a for a, _ in plan.on] + key + [e for e in (plan.residual,) if e is not None]
            return with_children(plan, (_keyed(plan.left, {i for i in wanted if i < width} - _read(ours)), plan.right))
        case Filter() | TopK() | Rank():
            width = len(columns(plan.input))
            own = {i for i in wanted if i < width} - _read(expressions(plan))
            return with_children(plan, (_keyed(plan.input, own),))
        case _:
            return plan


def _read(them: Iterable[Expression]) -> set[int]:
    return set().union(*[columns_read(e) for e in them])


def _passed(cells: list[Expression]) -> set[int]:
    """The columns that are shown as they are, and not looked into beside that."""
    return {e.index for e in cells if isinstance(e, Column)} - _read(e for e in cells if not isinstance(e, Column))
