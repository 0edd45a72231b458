"""The check of a plan: is it well formed, so that every operator may rely on it?

Owns the rules (positions in range, known functions with the right number of arguments, widths that agree, depth).
Refuses to judge types: expressions are total, so any class of value is an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sspcore.algebra.values import canonical
from sspcore.errors import PlanError, did_you_mean, shown
from sspcore.plan.casts import CASTS
from sspcore.plan.expressions import Call, Column, Constant, Expression, Param
from sspcore.plan.functions import FUNCTIONS
from sspcore.plan.nodes import (
    AGGREGATES,
    JOIN_KINDS,
    LISTS,
    NEST_FORMS,
    RANKS,
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
from sspcore.plan.recursion import fault_of, references
from sspcore.plan.traverse import columns

MAX_DEPTH: Final = 100
"""Levels of nodes, and of calls in one expression: all code over plans recurses, and must do so within Python's stack.
Each level of an expression takes up to three frames, of 1000 there are, and callers have their own."""


def check(plan: Plan) -> None:
    """Raise PlanError (the caller's) with the place, such as `$.input.predicate.args[0]`, unless the plan is sound.

    Cost: the size of the plan.

    >>> check(Filter(Scan("flights", ("carrier",)), Column(1)))
    Traceback (most recent call last):
    sspcore.errors.PlanError: column 1 of an input that has 1; positions go from 0 to 0 @ $.predicate
    """
    _node(plan, "$", 1)
    for place, working in references(plan):
        raise PlanError(
            f"no recursion {shown(working.name)} is around this", f"${place}", hint="it stands in the step of one"
        )


def check_expression(expression: Expression, width: int, path: str = "$") -> None:
    """Raise PlanError unless the expression can be computed over rows of `width` columns."""
    _expression(expression, width, path, 1)


def _node(plan: Plan, path: str, depth: int) -> int:
    """Check a node; its number of output columns."""
    if depth > MAX_DEPTH:
        raise PlanError(f"the plan nests deeper than {MAX_DEPTH} nodes", path, hint="split it into several views")
    match plan:
        case Recursive():
            return _recursive(plan, path, depth)
        case Working():
            _text(plan.name, f"{path}.name")
            _names(plan.columns, f"{path}.columns")
            return len(plan.columns)
        case Scan():
            _text(plan.table, f"{path}.table")
            _names(plan.columns, f"{path}.columns")
            _distinct(plan.columns, f"{path}.columns")
            return len(plan.columns)
        case Values():
            return _values(plan, path)
        case Filter() | Project() | Aggregate() | Distinct() | TopK() | Rank():
            return _unary(plan, path, _node(plan.input, f"{path}.input", depth + 1))
        case Join() | SemiJoin() | AntiJoin() | Mark() | Nest():
            left = _node(plan.left, f"{path}.left", depth + 1)
            return _partners(plan, path, left, _node(plan.right, f"{path}.right", depth + 1))
        case Union() | Intersect() | Except():
            return _set(plan, path, depth)
        case _:
            raise PlanError(f"{shown(plan)} is no plan node", path)


def _recursive(plan: Recursive, path: str, depth: int) -> int:
    _text(plan.name, f"{path}.name")
    base = _node(plan.base, f"{path}.base", depth + 1)
    step = _node(plan.step, f"{path}.step", depth + 1)
    if step != base:
        raise PlanError(f"{step} columns beside {base}", f"{path}.step", hint="both inputs need as many columns")
    for place, working in references(plan.step):
        if working.name == plan.name and len(working.columns) != base:
            raise PlanError(f"{len(working.columns)} columns of a recursion that has {base}", f"{path}.step{place}")
    fault = fault_of(plan)
    if fault is not None:
        raise PlanError(fault.message, path + fault.place, hint=fault.hint)
    return base


def _unary(plan: Filter | Project | Aggregate | Distinct | TopK | Rank, path: str, width: int) -> int:
    match plan:
        case Filter():
            _expression(plan.predicate, width, f"{path}.predicate", 1)
            return width
        case Project():
            return _named(plan.columns, width, f"{path}.columns")
        case Aggregate():
            groups = _named(plan.groups, width, f"{path}.groups")
            for i, (name, call) in enumerate(_pairs(plan.aggregates, f"{path}.aggregates")):
                _text(name, f"{path}.aggregates[{i}][0]")
                _aggregate(call, width, f"{path}.aggregates[{i}][1]")
            return groups + len(plan.aggregates)
        case TopK():
            _window(plan, width, path)
            _partition(plan, width, path)
            return width
        case Rank():
            return _rank(plan, width, path)
        case Distinct():
            return width


def _window(plan: TopK | Nest, width: int, path: str) -> None:
    _order(plan.order, width, f"{path}.order")
    _count(plan.limit, f"{path}.limit")
    _count(plan.offset, f"{path}.offset")


def _order(order: object, width: int, path: str) -> None:
    for i, term in enumerate(_sequence(order, path)):
        if not isinstance(term, OrderTerm):
            raise PlanError(f"{shown(term)} is no order term", f"{path}[{i}]")
        _expression(term.expression, width, f"{path}[{i}].expression", 1)


def _partition(plan: TopK | Rank, width: int, path: str) -> None:
    for i, expression in enumerate(_sequence(plan.partition, f"{path}.partition")):
        _expression(expression, width, f"{path}.partition[{i}]", 1)


def _rank(plan: Rank, width: int, path: str) -> int:
    _text(plan.name, f"{path}.name")
    if plan.function not in RANKS:
        raise PlanError(
            f"unknown rank {shown(plan.function)}", f"{path}.function", hint="one of " + ", ".join(RANKS)
        )  # fmt: skip
    _partition(plan, width, path)
    _order(plan.order, width, f"{path}.order")
    if plan.limit is not None:
        _constant(plan.limit, f"{path}.limit")
    return width + 1


def _constant(value: object, path: str) -> None:
    if not isinstance(value, Constant | Param):
        raise PlanError(f"{shown(value)} is neither a constant nor a parameter", path)
    _expression(value, 0, path, 1)


def _nest(plan: Nest, width: int, path: str) -> None:
    _text(plan.name, f"{path}.name")
    _window(plan, width, path)
    if plan.form not in NEST_FORMS:
        raise PlanError(
            f"unknown form of nested rows {shown(plan.form)}", f"{path}.form", hint="one of " + ", ".join(NEST_FORMS)
        )
    _named(plan.cells, width, f"{path}.cells")
    names = [name for name, _ in plan.cells] or columns(plan.right)
    place = f"{path}.cells" if plan.cells else f"{path}.right"
    if plan.form in ("values", "value"):
        if len(names) != 1:
            raise PlanError(f"{len(names)} columns where the nested {plan.form} need one", place)
        return
    for i, name in enumerate(names):
        if name in names[:i]:
            hint = "an object has a member once: name them apart in the cells"
            raise PlanError(f"two columns named {name!r} in the nested rows", place, hint=hint)


def _partners(plan: Join | SemiJoin | AntiJoin | Mark | Nest, path: str, left: int, right: int) -> int:
    for i, (ours, theirs) in enumerate(_pairs(plan.on, f"{path}.on")):
        _expression(ours, left, f"{path}.on[{i}][0]", 1)
        _expression(theirs, right, f"{path}.on[{i}][1]", 1)
    if plan.residual is not None:
        _expression(plan.residual, left + right, f"{path}.residual", 1)
    if isinstance(plan, Join):
        if plan.kind not in JOIN_KINDS:
            raise PlanError(
                f"unknown kind of join {shown(plan.kind)}", f"{path}.kind", hint="one of " + ", ".join(JOIN_KINDS)
            )
        return left + right
    if isinstance(plan, Nest):
        _nest(plan, right, path)
        return left + 1
    if not isinstance(plan, Mark):
        return left
    _text(plan.name, f"{path}.name")
    if plan.key is not None:
        (probe, member), *_ = _pairs((plan.key,), f"{path}.key")
        _expression(probe, left, f"{path}.key[0]", 1)
        _expression(member, right, f"{path}.key[1]", 1)
    return left + 1


def _set(plan: Union | Intersect | Except, path: str, depth: int) -> int:
    if isinstance(plan, Union):
        parts = [(f"{path}.inputs[{i}]", part) for i, part in enumerate(_sequence(plan.inputs, f"{path}.inputs"))]
        if not parts:
            raise PlanError("a union of nothing", f"{path}.inputs", hint="give at least one input")
    else:
        parts = [(f"{path}.left", plan.left), (f"{path}.right", plan.right)]
    widths = [_node(part, place, depth + 1) for place, part in parts]
    for (place, _), width in zip(parts, widths, strict=True):
        if width != widths[0]:
            raise PlanError(f"{width} columns beside {widths[0]}", place, hint="all inputs need as many columns")
    return widths[0]


def _values(plan: Values, path: str) -> int:
    _names(plan.columns, f"{path}.columns")
    for i, row in enumerate(_sequence(plan.rows, f"{path}.rows")):
        place = f"{path}.rows[{i}]"
        if len(_sequence(row, place)) != len(plan.columns):
            raise PlanError(f"a row of {len(row)} cells for {len(plan.columns)} columns", place)
        for j, cell in enumerate(row):
            if not isinstance(cell, Constant | Param):
                raise PlanError(
                    "a cell of constant rows is a constant or a parameter", f"{place}[{j}]",
                    hint="compute it in a projection above",
                )  # fmt: skip
            _expression(cell, 0, f"{place}[{j}]", 1)
    return len(plan.columns)


def _aggregate(call: AggregateCall, width: int, path: str) -> None:
    if not isinstance(call, AggregateCall):
        raise PlanError(f"{shown(call)} is no aggregate", path)
    if call.function not in AGGREGATES:
        raise PlanError(
            f"unknown aggregate {shown(call.function)}", f"{path}.function",
            hint=did_you_mean(str(call.function), AGGREGATES),
        )  # fmt: skip
    if call.argument is not None:
        _expression(call.argument, width, f"{path}.argument", 1)
    elif call.function != "count" or call.distinct:
        raise PlanError(f"{call.function} needs an argument", path, hint="only count takes whole rows")
    _list(call, width, path)


def _list(call: AggregateCall, width: int, path: str) -> None:
    """What only aggregates whose values have an order take."""
    for name, functions in (("order", LISTS), ("separator", ("string_agg",)), ("where", ("array_agg",))):
        if getattr(call, name) not in (None, ()) and call.function not in functions:
            hint = "its value has no order" if name == "order" else f"{functions[0]} takes one"
            if name == "where":
                hint = "make the argument NULL where the condition is not TRUE"
            raise PlanError(f"{call.function} takes no {name}", f"{path}.{name}", hint=hint)
    _order(call.order, width, f"{path}.order")
    for i, term in enumerate(call.order):
        if call.distinct and term.expression != call.argument:
            raise PlanError(
                "an order of DISTINCT values by anything but the values", f"{path}.order[{i}]",
                hint="order by the argument",
            )  # fmt: skip
    if call.separator is not None:
        _constant(call.separator, f"{path}.separator")
    if call.where is not None:
        _expression(call.where, width, f"{path}.where", 1)


def _expression(expression: Expression, width: int, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise PlanError(f"the expression nests deeper than {MAX_DEPTH} calls", path, hint="AND and OR take many")
    match expression:
        case Column(index):
            if type(index) is not int or not 0 <= index < width:
                raise PlanError(
                    f"column {shown(index)} of an input that has {width}", path,
                    hint=f"positions go from 0 to {width - 1}" if width else "it has no columns",
                )  # fmt: skip
        case Constant(value):
            try:
                canonical(value)
            except (ValueError, RecursionError) as error:
                raise PlanError(f"no constant: {error}", path) from None
        case Param(name):
            _text(name, path)
        case Call():
            _call(expression, width, path, depth)
        case _:
            raise PlanError(f"{shown(expression)} is no expression", path)


def _call(call: Call, width: int, path: str, depth: int) -> None:
    function = FUNCTIONS.get(call.function) if isinstance(call.function, str) else None
    if function is None:
        known = did_you_mean(call.function, FUNCTIONS) if isinstance(call.function, str) else ""
        raise PlanError(f"unknown function {shown(call.function)}", path, hint=known)
    count = len(_sequence(call.args, f"{path}.args"))
    if count < function.min_args or (function.max_args is not None and count > function.max_args):
        most = "or more" if function.max_args is None else f"to {function.max_args}"
        raise PlanError(f"{call.function} takes {function.min_args} {most} arguments, not {count}", path)
    if call.function == "case" and count % 2 == 0:
        raise PlanError("case takes pairs of condition and value, then the value of ELSE", path)
    if call.function == "cast":
        kind = call.args[1]
        if not isinstance(kind, Constant) or not isinstance(kind.value, str) or kind.value not in CASTS:
            raise PlanError(
                "the type to cast to is a constant text", f"{path}.args[1]", hint="one of " + ", ".join(CASTS)
            )
    for i, argument in enumerate(call.args):
        _expression(argument, width, f"{path}.args[{i}]", depth + 1)


def _named(columns: Any, width: int, path: str) -> int:
    for i, (name, expression) in enumerate(_pairs(columns, path)):
        _text(name, f"{path}[{i}][0]")
        _expression(expression, width, f"{path}[{i}][1]", 1)
    return len(columns)


def _count(limit: object, path: str) -> None:
    if limit is None or isinstance(limit, Param):
        return
    value = limit.value if isinstance(limit, Constant) else limit
    if not isinstance(limit, Constant) or not (value is None or (type(value) is int and value >= 0)):
        raise PlanError(f"{shown(value)} is no count of rows", path, hint="a whole number from 0 on, or a parameter")


def _sequence(value: Any, path: str) -> Sequence[Any]:
    if not isinstance(value, tuple):
        raise PlanError(f"{shown(value)} is no tuple", path)
    return value


def _pairs(value: Any, path: str) -> Sequence[tuple[Any, Any]]:
    for i, pair in enumerate(_sequence(value, path)):
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise PlanError(f"{shown(pair)} is no pair", f"{path}[{i}]")
    pairs: Sequence[tuple[Any, Any]] = value
    return pairs


def _text(value: object, path: str) -> None:
    if not isinstance(value, str):
        raise PlanError(f"{shown(value)} is no name", path)


def _names(names: Any, path: str) -> None:
    for i, name in enumerate(_sequence(names, path)):
        _text(name, f"{path}[{i}]")


def _distinct(names: Sequence[str], path: str) -> None:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            raise PlanError(f"column {name!r} is listed twice", f"{path}[{i}]", hint="read it once, project it twice")
        seen.add(name)
