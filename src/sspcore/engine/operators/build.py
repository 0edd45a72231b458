"""From a plan node to its operator. Owns the pairing and the compiling of a node's expressions; runs nothing."""

from __future__ import annotations

from collections.abc import Callable
from math import floor, isfinite
from typing import Any

from sspcore.algebra.values import NUMBER, FrozenObject, Key, Value, canonical, class_of
from sspcore.codegen.source import Source
from sspcore.engine.operators.aggregate import Aggregate
from sspcore.engine.operators.antijoin import AntiJoin
from sspcore.engine.operators.base import Meter, Operator, Row
from sspcore.engine.operators.distinct import Distinct
from sspcore.engine.operators.except_ import Except, ExceptAll
from sspcore.engine.operators.filter import Filter
from sspcore.engine.operators.intersect import Intersect, IntersectAll
from sspcore.engine.operators.join import Join, Side
from sspcore.engine.operators.judged import JudgedMembership
from sspcore.engine.operators.mark import Mark
from sspcore.engine.operators.membership import Keys, Membership
from sspcore.engine.operators.nest import Nest
from sspcore.engine.operators.project import Project
from sspcore.engine.operators.rank import Rank
from sspcore.engine.operators.readers import read_group, read_join_key, read_row
from sspcore.engine.operators.recursive import FOUND, Recursive
from sspcore.engine.operators.scan import Scan
from sspcore.engine.operators.semijoin import SemiJoin
from sspcore.engine.operators.siblings import Family, JudgedSiblings, SharedSiblings
from sspcore.engine.operators.sortkeys import entry_of, peers_entry_of
from sspcore.engine.operators.topk import TopK
from sspcore.engine.operators.union import Union, UnionAll
from sspcore.engine.operators.values import Values
from sspcore.errors import InternalError, UsageError
from sspcore.plan import nodes, traverse
from sspcore.plan.evaluate import compile_expression, compile_predicate
from sspcore.plan.expressions import Column, Constant, Expression, Param
from sspcore.plan.keys import join_key
from sspcore.plan.thread import THREAD, threaded
from sspcore.plan.trees import key_value

Names = Callable[[str], tuple[str, ...]]
"""The column names of a table, as its rows are laid out."""


def operator_of(plan: nodes.Plan, columns_of: Names, meter: Meter) -> Operator:
    """A fresh operator for one node of a bound plan. Cost: O(its expressions)."""
    match plan:
        case nodes.Scan():
            return Scan(plan.columns, columns_of(plan.table), meter)
        case nodes.Values():
            rows = [read_row(row, meter.nulls)(()) for row in plan.rows]
            return Values(rows, meter)
        case nodes.Filter():
            return Filter(compile_predicate(plan.predicate, meter.nulls), meter)
        case nodes.Project():
            return Project(read_row([e for _, e in plan.columns], meter.nulls), meter)
        case nodes.Join():
            return _join(plan, meter)
        case nodes.SemiJoin():
            return SemiJoin(_membership(plan, None, meter))
        case nodes.AntiJoin():
            return AntiJoin(_membership(plan, None, meter))
        case nodes.Mark():
            return Mark(_membership(plan, plan.key, meter))
        case nodes.Nest():
            return Nest(_siblings(plan, meter))
        case nodes.Aggregate():
            return Aggregate([e for _, e in plan.groups], [call for _, call in plan.aggregates], meter)
        case nodes.Distinct():
            return Distinct(meter)
        case nodes.Recursive():
            return _recursive(plan, meter)
        case nodes.Working():
            raise InternalError(f"no recursion {plan.name!r} is around its rows", hint="please report the query")
        case nodes.Union():
            return UnionAll(meter) if plan.all else Union(meter)
        case nodes.Intersect():
            return IntersectAll(meter) if plan.all else Intersect(meter)
        case nodes.Except():
            return ExceptAll(meter) if plan.all else Except(meter)
        case nodes.TopK():
            limit, offset = count_of(plan.limit, "LIMIT"), count_of(plan.offset, "OFFSET")
            if plan.partition:
                return _top_of_each(plan, limit, offset or 0, meter)
            return TopK(entry_of(plan.order, meter.nulls), limit, offset or 0, meter)
        case nodes.Rank():
            peers = plan.function != "row_number"
            entry = peers_entry_of(plan.order, meter.nulls) if peers else entry_of(plan.order, meter.nulls)
            partition = read_group(plan.partition, meter.nulls)
            return Rank(partition, entry, plan.function, 0, _most(plan.limit), True, meter)


def _top_of_each(plan: nodes.TopK, limit: int | None, offset: int, meter: Meter) -> Rank:
    partition = read_group(plan.partition, meter.nulls)
    end = None if limit is None else offset + limit
    return Rank(partition, entry_of(plan.order, meter.nulls), "row_number", offset, end, False, meter)


def _most(limit: Constant | Param | None) -> int | None:
    """The greatest integer that is at most the limit; None for no limit. What compares with no number admits none."""
    if limit is None:
        return None
    if isinstance(limit, Param):
        raise UsageError(f"the limit of a rank is ${limit.name}, a parameter without a value")
    value: Any = canonical(limit.value)
    if class_of(value) != NUMBER:
        return 0
    if type(value) is not float or isfinite(value):
        whole: int = floor(value)
        return whole
    return 0 if value < 0 else None


def _recursive(plan: nodes.Recursive, meter: Meter) -> Recursive:
    from sspcore.engine.operators.network import Network  # networks are made of operators, this one of networks

    names = {scan.table: scan.columns for scan in traverse.scans_of(plan)}
    names_of = {**names, FOUND: (*[f"c{i}" for i in range(len(traverse.columns(plan)))], THREAD)}.__getitem__
    base = Network(plan.base, names_of, meter)
    step = Network(threaded(plan.step, plan.name, FOUND), names_of, meter)
    return Recursive(base, step, tuple(names), plan.name, meter)


def _join(plan: nodes.Join, meter: Meter) -> Join:
    left_key = read_join_key([a for a, _ in plan.on], meter.nulls)
    right_key = read_join_key([b for _, b in plan.on], meter.nulls)
    left = Side(left_key, len(traverse.columns(plan.left)), plan.kind in ("left", "full"))
    right = Side(right_key, len(traverse.columns(plan.right)), plan.kind in ("right", "full"))
    residual = None if plan.residual is None else compile_predicate(plan.residual, meter.nulls)
    return Join(left, right, join_key(plan.left, plan.right), residual, meter)


def _membership(
    plan: nodes.SemiJoin | nodes.AntiJoin | nodes.Mark, key: tuple[Expression, Expression] | None, meter: Meter
) -> Membership | JudgedMembership:
    keys = Keys(
        read_join_key([a for a, _ in plan.on], meter.nulls),
        read_join_key([b for _, b in plan.on], meter.nulls),
        read_join_key([] if key is None else [key[0]], meter.nulls),
        read_join_key([] if key is None else [key[1]], meter.nulls),
    )
    if plan.residual is None:
        return Membership(keys, meter)
    return JudgedMembership(keys, compile_predicate(plan.residual, meter.nulls), meter)


def _siblings(plan: nodes.Nest, meter: Meter) -> SharedSiblings | JudgedSiblings:
    many = plan.form in ("objects", "values")
    limit = count_of(plan.limit, "LIMIT")
    family = Family(
        read_join_key([a for a, _ in plan.on], meter.nulls),
        read_join_key([b for _, b in plan.on], meter.nulls),
        entry_of(plan.order, meter.nulls),
        _child(plan, meter),
        limit if many else 1 if limit is None else min(1, limit),
        count_of(plan.offset, "OFFSET") or 0,
        many or plan.keyed,
    )
    if plan.residual is None:
        return SharedSiblings(family, meter)
    return JudgedSiblings(family, compile_predicate(plan.residual, meter.nulls), meter)


def _child(plan: nodes.Nest, meter: Meter) -> Callable[[Key, Row], Value]:
    """What a child is within its parent's cell."""
    source, shown = Source(), traverse.shown(plan)
    values = [
        f"row[{e.index}]" if isinstance(e, Column) else f"{source.cell(compile_expression(e, meter.nulls))}(row)"
        for _, e in shown
    ]
    if plan.form in ("values", "value"):
        (child,) = values
    else:
        members = [f"{source.cell(name)}: {value}" for (name, _), value in zip(shown, values, strict=True)]
        child = f"{source.cell(FrozenObject.owning)}({{{', '.join(members)}}})"
    with source.block("def child(key, row):"):
        as_value = source.cell(key_value)
        source.line(
            f"return (key if type(key) is str else {as_value}(key), {child})" if plan.keyed else f"return {child}"
        )
    made: Callable[[Key, Row], Value] = source.build("child")
    return made


def count_of(bound: Expression | None, word: str) -> int | None:
    """A LIMIT or OFFSET as a number of rows; None for none given, or NULL. Raises UsageError (the caller's)."""
    if bound is None:
        return None
    if not isinstance(bound, Constant):
        raise UsageError(f"{word} is {bound!r}, a parameter without a value")
    count = bound.value
    if count is not None and (type(count) is not int or count < 0):
        raise UsageError(f"{word} is {count!r}", hint="give a whole number from 0 on, or NULL for none")
    return count
