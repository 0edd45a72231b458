"""Plans for people: an indented tree in words close to SQL.

Owns the wording. Refuses to know circuits and tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from sspcore.algebra.interval import Interval
from sspcore.algebra.values import Value
from sspcore.plan.expressions import Call, Column, Constant, Expression, Param
from sspcore.plan.interests import interests
from sspcore.plan.join_order import Statistics, TableStatistics
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
    Pairs,
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
from sspcore.plan.optimise import optimise
from sspcore.plan.traverse import children, columns, scans_of  # fmt: skip

_INFIX = frozenset({"=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "||", "and", "or", "like", "ilike",
                    "->", "->>", "#>", "#>>", "@>", "<@", "&&", "?", "?|", "?&"})  # fmt: skip
_POSTFIX = {"is null": "is null", "is true": "is true", "is false": "is false"}


@attrs.frozen
class Explanation:
    """A plan with its parameters and warnings, and if asked for the code that runs it; `str()` is for people.

    `assumed` is what the order of joins was chosen for, as tables were then; None where there was no choice.
    """

    plan: Plan
    params: Mapping[str, Value]
    warnings: tuple[str, ...]
    code: str = ""
    assumed: Statistics | None = None

    @property
    def optimised(self) -> Plan:
        """The plan that runs: what the planner makes of the one that was written. Cost: the planner's, each time."""
        return optimise(self.plan, self.assumed)

    def __str__(self) -> str:
        lines, runs = list(_tree(self.plan, "", "")), self.optimised
        if runs != self.plan:
            lines += ["runs as", *_tree(runs, "", "")]
        lines += [f"${name} = {value!r}" for name, value in self.params.items()]
        lines += [f"planned for {_known(name, known)}" for name, known in (self.assumed or {}).items()]
        lines += list(_narrowed(runs))
        lines += [f"warning: {warning}" for warning in self.warnings]
        if self.code:
            lines += ["", self.code]
        return "\n".join(lines)


def _known(name: str, known: TableStatistics) -> str:
    different = [f"{count} different {column}" for column, count in known.distinct.items()]
    return ", ".join([f"{name} of {known.rows} row{'s' * (known.rows != 1)}", *different])


def _narrowed(plan: Plan) -> Iterator[str]:
    """The tables of which only some rows matter: other changes do not reach the view."""
    names = {scan.table: scan.columns for scan in scans_of(plan)}
    for table, condition in interests(plan, names.__getitem__).items():
        if condition is not None:
            yield f"changes of {table} matter where {show(condition, names[table])}"


def explain_plan(
    plan: Plan, params: Mapping[str, Value], warnings: tuple[str, ...] = (), code: str = "",
    assumed: Statistics | None = None,
) -> Explanation:  # fmt: skip
    """The explanation of a plan."""
    return Explanation(plan, dict(params), warnings, code, assumed)


def _tree(plan: Plan, first: str, rest: str) -> list[str]:
    lines = [first + describe(plan)]
    inputs = children(plan)
    for i, child in enumerate(inputs):
        last = i == len(inputs) - 1
        lines += _tree(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))
    return lines


def describe(plan: Plan) -> str:
    """One line for a node.

    >>> describe(Scan("flights", ("id", "carrier")))
    'scan flights (id, carrier)'
    """
    match plan:
        case Scan():
            alias = f" as {plan.alias}" if plan.alias and plan.alias != plan.table else ""
            return f"scan {plan.table}{alias} ({', '.join(plan.columns)})"
        case Values():
            return f"values, {len(plan.rows)} row{'s' * (len(plan.rows) != 1)}"
        case Filter():
            return f"filter {show(plan.predicate, columns(plan.input))}"
        case Project():
            names = columns(plan.input)
            return "project " + ", ".join(_named(name, show(e, names)) for name, e in plan.columns)
        case Join():
            theta = "" if plan.on else " (theta: a change costs the other side)"
            return f"{plan.kind} join{_condition(plan.on, plan.residual, plan.left, plan.right)}{theta}"
        case SemiJoin() | AntiJoin():
            word = "semi join" if isinstance(plan, SemiJoin) else "anti join"
            return word + _condition(plan.on, plan.residual, plan.left, plan.right)
        case Mark():
            key = ""
            if plan.key is not None:
                key = f" {show(plan.key[0], columns(plan.left))} in {show(plan.key[1], columns(plan.right))}"
            return f"mark {plan.name}:{key}{_condition(plan.on, plan.residual, plan.left, plan.right)}"
        case Aggregate():
            names = columns(plan.input)
            calls = ", ".join(_named(name, _call(a, names)) for name, a in plan.aggregates)
            groups = ", ".join(_named(name, show(e, names)) for name, e in plan.groups)
            return "aggregate " + (calls or "nothing") + (f" by {groups}" if plan.groups else "")
        case Distinct():
            return "distinct"
        case Union():
            return "union all" if plan.all else "union"
        case Intersect():
            return "intersect all" if plan.all else "intersect"
        case Except():
            return "except all" if plan.all else "except"
        case TopK():
            return _window(plan, plan.input) + _partition(plan.partition, columns(plan.input))
        case Recursive():
            return f"recursion {plan.name}: from the first, the second again and again, until nothing is new"
        case Working():
            return f"what recursion {plan.name} has found ({', '.join(plan.columns)})"
        case Rank():
            names = columns(plan.input)
            order = ", ".join(_term(t, names) for t in plan.order)
            limit = f" up to {show(plan.limit, ())}" if plan.limit is not None else ""
            return f"{plan.function} as {plan.name}: by {order or 'key'}{_partition(plan.partition, names)}{limit}"
        case Nest():
            names = columns(plan.right)
            what = plan.form + (" with keys" if plan.keyed else "")
            cells = ", ".join(_named(name, show(e, names)) for name, e in plan.cells)
            condition = _condition(plan.on, plan.residual, plan.left, plan.right)
            return f"nest {plan.name}: {what}{f' ({cells})' if cells else ''}{condition} {_window(plan, plan.right)}"


def _partition(partition: tuple[Expression, ...], names: tuple[str, ...]) -> str:
    return f" for each {', '.join(show(e, names) for e in partition)}" if partition else ""


def _window(plan: TopK | Nest, input: Plan) -> str:
    order = ", ".join(_term(t, columns(input)) for t in plan.order)
    limit = f" limit {show(plan.limit, ())}" if plan.limit is not None else ""
    offset = f" offset {show(plan.offset, ())}" if plan.offset is not None else ""
    return f"order by {order or 'key'}{limit}{offset}"


def show(expression: Expression, names: tuple[str, ...]) -> str:
    """An expression as text, its columns by name."""
    match expression:
        case Column():
            return names[expression.index] if expression.index < len(names) else f"#{expression.index}"
        case Constant():
            return _literal(expression.value)
        case Param():
            return f"${expression.name}"
        case Call():
            return _show_call(expression, names)


def _show_call(call: Call, names: tuple[str, ...]) -> str:
    args = [show(a, names) for a in call.args]
    if call.function in _INFIX and len(args) >= 2:
        return "(" + f" {call.function} ".join(args) + ")"
    if call.function in _POSTFIX:
        return f"({args[0]} {_POSTFIX[call.function]})"
    if call.function == "not":
        return f"not {args[0]}"
    if call.function == "in":
        return f"({args[0]} in ({', '.join(args[1:])}))"
    if call.function.endswith((" any", " all")):
        return f"({args[0]} {call.function}({args[1]}))"
    if call.function == "[]":
        return f"{args[0]}[{args[1]}]"
    if call.function == "array[]":
        return f"array[{', '.join(args)}]"
    if call.function == "cast":
        return f"cast({args[0]} as {args[1].strip(chr(39))})"
    return f"{call.function}({', '.join(args)})"


def _literal(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return {None: "NULL", True: "TRUE", False: "FALSE"}[value]
    if isinstance(value, Interval):
        return f"interval '{value}'"
    if isinstance(value, tuple):
        return f"array[{', '.join(map(_literal, value))}]"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def _named(name: str, text: str) -> str:
    return text if name == text else f"{text} as {name}"


def _call(call: AggregateCall, names: tuple[str, ...]) -> str:
    argument = "*" if call.argument is None else show(call.argument, names)
    separator = f", {show(call.separator, ())}" if call.separator is not None else ""
    order = f" order by {', '.join(_term(t, names) for t in call.order)}" if call.order else ""
    where = f" filter (where {show(call.where, names)})" if call.where is not None else ""
    return f"{call.function}({'distinct ' * call.distinct}{argument}{separator}{order}){where}"


def _term(term: OrderTerm, names: tuple[str, ...]) -> str:
    nulls = "" if term.nulls_first == term.descending else f" nulls {'first' if term.nulls_first else 'last'}"
    return show(term.expression, names) + " desc" * term.descending + nulls


def _condition(on: Pairs, residual: Expression | None, left: Plan, right: Plan) -> str:
    names = columns(left), columns(right)
    parts = [f"{show(a, names[0])} = {show(b, names[1])}" for a, b in on]
    if residual is not None:
        parts.append(show(residual, names[0] + names[1]))
    return f" on {' and '.join(parts)}" if parts else ""
