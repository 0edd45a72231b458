"""Aggregate calls as they are written: count(*), sum(DISTINCT x), string_agg(x, ', ' ORDER BY y) FILTER (WHERE z).

Owns the allow-list of aggregates. Which group they are of is `grouping`'s.
"""

from __future__ import annotations

from typing import Final

import attrs
from sqlglot import exp

from sspcore.plan.expressions import Call, Constant, Expression, Param, columns_read
from sspcore.plan.functions_time import PARTS
from sspcore.plan.nodes import LISTS, AggregateCall, OrderTerm
from sspcore.plan.sql.arguments import Arguments, describe
from sspcore.plan.sql.expressions import lower_expression
from sspcore.plan.sql.frame import Frame
from sspcore.plan.sql.ordering import order_terms
from sspcore.plan.sql.scope import Scope
from sspcore.plan.traverse import call_expressions

CALLS: Final[dict[type[exp.Expression], str]] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Min: "min",
    exp.Max: "max",
    exp.LogicalAnd: "bool_and",
    exp.LogicalOr: "bool_or",
    exp.Stddev: "stddev_samp",
    exp.StddevSamp: "stddev_samp",
    exp.StddevPop: "stddev_pop",
    exp.Variance: "var_samp",
    exp.VariancePop: "var_pop",
    exp.ArrayAgg: "array_agg",
    exp.JSONArrayAgg: "array_agg",
    exp.GroupConcat: "string_agg",
}
NAMES: Final = {"every": "bool_and", "jsonb_agg": "array_agg"}
"""Those sqlglot has no node for."""
ABOVE: Final = ("SELECT", "HAVING", "ORDER BY")
"""The clauses that are of groups, where there are groups."""
LOWERED: Final = "a SELECT that is lowered"


def aggregate_of(node: exp.Expression) -> str | None:
    """The aggregate that a function's node calls; None for anything else."""
    if isinstance(node, exp.Anonymous):
        return NAMES.get(str(node.this).lower())
    return CALLS.get(type(node))


class NotGrouped(Exception):
    """A subquery holds an aggregate over columns of the SELECT with this scope, which was lowered without groups."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope


def has_aggregate(node: exp.Expression, scope: Scope) -> bool:
    """The expression holds an aggregate of its own SELECT (those of subqueries: see `NotGrouped`)."""
    if aggregate_of(node) is not None or isinstance(node, exp.Filter):
        return not _distance(node, scope)
    if isinstance(node, exp.Query):
        return False
    if isinstance(node, exp.Window):  # the call itself is of the rows beside; what it reads may be of groups
        parts = [*node.this.iter_expressions(), *[n for n in node.iter_expressions() if n is not node.this]]
        return any(has_aggregate(part, scope) for part in parts)
    return any(has_aggregate(child, scope) for child in node.iter_expressions())


def _distance(node: exp.Expression, scope: Scope) -> int:
    """How many SELECTs further out an aggregate belongs: to the nearest one that it reads a column of.

    One that reads a query is of the SELECT it stands in.
    """
    if node.find(exp.Query) is not None:
        return 0
    read = [c for c in node.find_all(exp.Column) if isinstance(c.this, exp.Identifier)]
    return min([scope.distance(column) for column in read], default=0)


def _further_out(node: exp.Expression, distance: int, frame: Frame) -> Expression:
    """An aggregate of a query around: a column of that query's groups, which is read from inside."""
    *inside, owner = list(frame.scope.outwards())[: distance + 1]
    if owner.grouping is None and owner.clause in ABOVE:
        raise NotGrouped(owner)
    again = owner.clause == LOWERED  # now it may only be written once more
    grouping = owner.grouping if again or owner.clause in ABOVE else None
    known = set() if grouping is None else set(grouping.calls)
    unread = again and not known
    if not unread:
        value = lower_aggregate(node, Frame(frame.session, owner, owner.clause, grouping))
        unread = again and grouping is not None and len(grouping.calls) > len(known)
    if unread:
        raise frame.session.text.unsupported(
            "an aggregate over columns of the query around is not supported in a query of WITH that nothing reads",
            node, hint="leave that query out",
        )  # fmt: skip
    for scope in reversed(inside):
        value = scope.crossed(value)
    return value


def lower_aggregate(node: exp.Expression, frame: Frame) -> Expression:
    """An aggregate, perhaps with FILTER: a symbol of the grouping."""
    text, grouping = frame.session.text, frame.grouping
    distance = _distance(node, frame.scope)
    if distance:
        return _further_out(node, distance, frame)
    if grouping is None:
        raise text.error(
            f"an aggregate in {frame.clause}: there is no group here", node,
            hint="use HAVING" if frame.clause == "WHERE" else "use a subquery",
        )  # fmt: skip
    before = len(grouping.steps)
    clause, frame.scope.clause = frame.scope.clause, "an aggregate"
    try:
        call, function = _written(node, Frame(frame.session, frame.scope, "an aggregate", steps=grouping.steps))
    finally:
        frame.scope.clause = clause
    steps = grouping.steps[before:]
    read = set[int]().union(*[columns_read(e) for e in call_expressions(call)], *[s.needs for s in steps])
    read -= set[int]().union(*[s.gives for s in steps])
    if read and read <= frame.scope.free:
        raise text.unsupported(
            "a subquery in an aggregate over columns of the query around is not supported", node,
            hint="compute it in that query",
        )  # fmt: skip
    if call.argument is not None and function in ("sum", "avg"):
        if frame.session.type_of(call.argument) == "interval":
            return _of_intervals(node, call, frame)
    return grouping.call(call, function)


def _written(node: exp.Expression, inner: Frame) -> tuple[AggregateCall, str]:
    """The call, and the function it is written with."""
    text = inner.session.text
    condition: Expression | None = None
    if isinstance(node, exp.Filter):
        arguments = Arguments(node, text)
        node, where = arguments.node_at("this"), Arguments(arguments.node_at("expression"), text)
        arguments.done()
        condition = lower_expression(where.node_at("this"), inner)
        where.done()
    function = aggregate_of(node)
    if function is None:
        raise text.unsupported(f"FILTER on {describe(node, text)} is not supported", node)
    return _call(node, function, inner, condition), function


def _of_intervals(node: exp.Expression, call: AggregateCall, frame: Frame) -> Expression:
    """sum and avg of intervals: each of their parts is summed."""
    grouping = frame.grouping
    assert grouping is not None
    assert call.argument is not None
    if call.distinct:
        raise frame.session.text.unsupported(
            f"{call.function}(DISTINCT …) of intervals is not supported", node, hint="use SELECT DISTINCT in FROM"
        )
    parts = [Call("interval part", (call.argument, Constant(part))) for part in PARTS]
    sums = [grouping.call(attrs.evolve(call, function="sum", argument=part), call.function) for part in parts]
    total = Call("interval of", tuple(sums))
    if call.function == "sum":
        return total
    return Call("/", (total, grouping.call(attrs.evolve(call, function="count"), "count")))


@attrs.frozen
class Operand:
    """What an aggregate is written over: one value, perhaps DISTINCT, perhaps with ORDER BY; its separator."""

    value: exp.Expression
    distinct: bool
    order: exp.Expression | None
    separator: exp.Expression | None


def _operand(node: exp.Expression, function: str, frame: Frame) -> Operand:
    text = frame.session.text
    arguments = Arguments(node, text)
    value, separator, order = _first(node, arguments, function, frame), arguments.optional("separator"), None
    if function == "count":
        arguments.expect("big_int", True)
    arguments.done()
    if function == "string_agg" and separator is None:
        raise text.error("string_agg needs a separator", node, hint="write string_agg(x, ', ')")
    if isinstance(value, exp.Order):
        order, inner = value, Arguments(value, text)
        value = inner.node_at("this")  # the rest is read by `order_terms`
    distinct = isinstance(value, exp.Distinct)
    if distinct:
        inner = Arguments(value, text)
        operands = inner.nodes("expressions")
        inner.done()
        if len(operands) != 1:
            raise text.unsupported(
                f"{function}(DISTINCT …) of several values is not supported", node,
                hint="count the rows of SELECT DISTINCT in FROM",
            )  # fmt: skip
        value = operands[0]
    return Operand(value, distinct, order, separator)


def _first(node: exp.Expression, arguments: Arguments, function: str, frame: Frame) -> exp.Expression:
    """The operand; of functions sqlglot has no node for, the only one in the list."""
    text = frame.session.text
    if not isinstance(node, exp.Anonymous):
        operand = arguments.optional("this")
    else:
        arguments.take("this")
        listed = arguments.nodes("expressions")
        if len(listed) > 1:
            raise text.error(f"{describe(node, text)} takes one value", node)
        operand = listed[0] if listed else None
    if operand is None:
        raise text.error(f"{function} needs an argument", node, hint="count(*) counts rows")
    return operand


def _call(node: exp.Expression, function: str, frame: Frame, condition: Expression | None) -> AggregateCall:
    text, written = frame.session.text, _operand(node, function, frame)
    if isinstance(written.value, exp.Star):
        Arguments(written.value, text).done()
        if function != "count" or written.distinct:
            raise text.error(f"{function}(*) has no meaning", node, hint="only count takes *")
        # FILTER: an aggregate skips NULLs, so what the condition does not admit becomes NULL
        counted = None if condition is None else Call("case", (condition, Constant(1), Constant(None)))
        return AggregateCall("count", counted)
    if written.order is not None and function not in LISTS:
        raise text.unsupported(
            f"ORDER BY inside {function} is not supported", node, hint="its result has no order: leave it out"
        )
    argument = lower_expression(written.value, frame)
    order = _order(written, function, argument, frame)
    separator = None if written.separator is None else _separator(written.separator, frame)
    if function == "array_agg":
        return AggregateCall(function, argument, written.distinct, order, where=condition)
    if condition is not None:
        plain, argument = argument, Call("case", (condition, argument, Constant(None)))
        order = tuple([attrs.evolve(t, expression=argument) if t.expression == plain else t for t in order])
    return AggregateCall(function, argument, written.distinct, order, separator)


def _order(written: Operand, function: str, argument: Expression, frame: Frame) -> tuple[OrderTerm, ...]:
    if written.order is None:
        return ()
    bare = written.order.copy()
    bare.set("this", None)

    def value(by: exp.Expression) -> Expression:  # a subquery that is written twice is one value
        return argument if by == written.value else lower_expression(by, frame)

    order = order_terms(bare, frame.session, value)
    if written.distinct and any(term.expression != argument for term in order):
        raise frame.session.text.error(
            f"{function}(DISTINCT …) ordered by another value", written.order, hint="order by the value itself"
        )
    return order


def _separator(node: exp.Expression, frame: Frame) -> Constant | Param:
    value = lower_expression(node, frame)
    if isinstance(value, Constant | Param):
        return value
    raise frame.session.text.unsupported(
        "a computed separator is not supported", node, hint="write the text, or a parameter such as $separator"
    )
