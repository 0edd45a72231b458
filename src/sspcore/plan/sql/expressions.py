"""Expressions: operators, comparisons, choice and casts, each by a handler that accounts for every argument.

Owns the allow-list of expression nodes; functions are in `functions`, aggregates in `grouping`, subqueries in
`subqueries`. Refuses to know the clauses around them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlglot import exp

from sspcore.plan.catalog import find_name
from sspcore.plan.expressions import Call, Constant, Expression, Param
from sspcore.plan.sql import documents, functions, lists, times
from sspcore.plan.sql.arguments import Arguments, describe
from sspcore.plan.sql.frame import Frame
from sspcore.plan.sql.literals import adapt, adapt_all, as_one_number, from_text, json_text, literal
from sspcore.plan.sql.refusals import refused
from sspcore.plan.sql.scope import identifier

Handler = Callable[[exp.Expression, Frame], Expression]

COMPARISONS: Final[dict[type[exp.Expression], str]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
CAST_TYPES: Final = {
    "BOOLEAN": "boolean", "TINYINT": "integer", "SMALLINT": "integer", "INT": "integer", "BIGINT": "integer",
    "FLOAT": "real", "DOUBLE": "real", "DECIMAL": "decimal", "TEXT": "text", "VARCHAR": "text", "VARBINARY": "bytes",
    "TIMESTAMP": "timestamp", "TIMESTAMPTZ": "timestamp", "DATE": "date", "INTERVAL": "interval", "JSON": "json",
    "JSONB": "json",
}  # fmt: skip
"""sqlglot's names of types → ours."""


def lower_expression(node: exp.Expression, frame: Frame) -> Expression:
    """The expression over the symbols of the frame's scope. Raises SqlError or UnsupportedSql with the place."""
    if frame.grouping is not None and frame.grouping.written:
        group = frame.grouping.as_written(node)
        if group is not None:
            return group
    handler = HANDLERS.get(type(node))
    if handler is not None and not isinstance(node, exp.Anonymous):
        return handler(node, frame)
    from sspcore.plan.sql.aggregates import aggregate_of, lower_aggregate  # their arguments are expressions in turn

    if isinstance(node, exp.Filter) or aggregate_of(node) is not None:
        return lower_aggregate(node, frame)
    if handler is not None:
        return handler(node, frame)
    if isinstance(node, exp.Window):
        from sspcore.plan.sql.windows import lower_window  # as do windows

        return lower_window(node, frame)
    if isinstance(node, exp.Exists | exp.Subquery | exp.Query):
        from sspcore.plan.sql.subqueries import lower_subquery  # it holds a whole query, which holds expressions

        return lower_subquery(node, frame)
    raise refused(node, frame)


def _column(node: exp.Expression, frame: Frame) -> Expression:
    text = frame.session.text
    if isinstance(node.this, exp.Star):
        raise text.unsupported("* is not supported here", node, hint="list the columns")
    arguments = Arguments(node, text)
    arguments.take("this")
    arguments.take("table")
    arguments.done()
    assert isinstance(node, exp.Column)
    if node.args.get("table") is None and frame.aliases:
        name, exact = identifier(frame.session, node.this)
        alias = find_name(name, frame.aliases, exact=exact)
        if alias is not None and frame.scope.own(name, exact, node) is None:
            return frame.aliases[alias]
    return frame.scope.resolve(node)


def _constant(node: exp.Expression, frame: Frame) -> Expression:
    arguments = Arguments(node, frame.session.text)
    value = None if isinstance(node, exp.Null) else arguments.flag("this")
    arguments.done()
    return Constant(value)


def _raw(node: exp.Expression, frame: Frame) -> Expression:
    """$$text$$."""
    arguments = Arguments(node, frame.session.text)
    text = arguments.take("this")
    arguments.done()
    return Constant(str(text))


def _param(node: exp.Expression, frame: Frame) -> Expression:
    arguments = Arguments(node, frame.session.text)
    name = arguments.node_at("this")
    arguments.done()
    if not isinstance(name, exp.Var) or not isinstance(name.this, str):
        raise frame.session.text.unsupported("numbered parameters are not supported", node, hint="write $name")
    return Param(name.this)


def _paren(node: exp.Expression, frame: Frame) -> Expression:
    arguments = Arguments(node, frame.session.text)
    inner = arguments.node_at("this")
    arguments.done()
    return lower_expression(inner, frame)


def operands(node: exp.Expression, frame: Frame) -> tuple[exp.Expression, exp.Expression]:
    """The two sides of an operator that has no other arguments."""
    arguments = Arguments(node, frame.session.text)
    left, right = arguments.node_at("this"), arguments.node_at("expression")
    if isinstance(node, exp.Div):  # `typed`: two integers give an integer; `safe`: a zero divisor is no error in SQL
        arguments.expect("typed", True)
        arguments.expect("safe", False, None)
    elif isinstance(node, exp.DPipe):
        arguments.expect("safe", True)
    arguments.done()
    return left, right


def _comparison(node: exp.Expression, frame: Frame) -> Expression:
    left, right = operands(node, frame)
    if lists.quantifies_query(right):
        from sspcore.plan.sql.subqueries import lower_subquery

        return lower_subquery(node, frame)
    if isinstance(right, exp.Any | exp.All) or (
        isinstance(right, exp.Anonymous) and str(right.this).upper() in ("ANY", "SOME", "ALL")
    ):
        return lists.quantified(node, COMPARISONS[type(node)], left, right, frame)
    if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
        return _rows(node, left, right, frame)
    return compared(COMPARISONS[type(node)], left, right, frame)


def _rows(node: exp.Expression, left: exp.Expression, right: exp.Expression, frame: Frame) -> Expression:
    """(a, b) = (c, d), and <>."""
    ours, theirs = cells(left, frame), cells(right, frame)
    if not isinstance(node, exp.EQ | exp.NEQ):
        raise frame.session.text.unsupported(
            "ordering of rows is not supported", node, hint="write a < c OR (a = c AND b < d)"
        )
    if len(ours) != len(theirs):
        raise frame.session.text.error(f"{len(ours)} values compared with {len(theirs)}", node)
    equal = Call("and", tuple([compared("=", a, b, frame) for a, b in zip(ours, theirs, strict=True)]))
    return equal if isinstance(node, exp.EQ) else Call("not", (equal,))


def cells(node: exp.Expression, frame: Frame) -> list[exp.Expression]:
    """The values of a row constructor, or the one value."""
    if not isinstance(node, exp.Tuple):
        return [node]
    arguments = Arguments(node, frame.session.text)
    values = arguments.nodes("expressions")
    arguments.done()
    return values


def compared(function: str, left: exp.Expression, right: exp.Expression, frame: Frame) -> Expression:
    """A comparison, literals taking the type of the other side."""
    pair = [lower_expression(left, frame), lower_expression(right, frame)]
    return Call(function, adapt_all([left, right], pair, frame.session))


def _distinct(node: exp.Expression, frame: Frame) -> Expression:
    different = compared("is distinct", *operands(node, frame), frame)
    return different if isinstance(node, exp.NullSafeNEQ) else Call("not", (different,))


def _arithmetic(node: exp.Expression, frame: Frame) -> Expression:
    return times.arithmetic(node, *operands(node, frame), frame)


def _negative(node: exp.Expression, frame: Frame) -> Expression:
    arguments = Arguments(node, frame.session.text)
    value = lower_expression(arguments.node_at("this"), frame)
    arguments.done()
    if isinstance(value, Constant) and type(value.value) in (int, float) and value.value == value.value:
        return Constant(-value.value + (0.0 if type(value.value) is float else 0))
    return Call("neg", (value,))


def _concatenation(node: exp.Expression, frame: Frame) -> Expression:
    left, right = operands(node, frame)
    return Call("||", (lower_expression(left, frame), lower_expression(right, frame)))


def _junction(node: exp.Expression, frame: Frame) -> Expression:
    """AND and OR, as many operands as there are in a row."""
    kind = exp.And if isinstance(node, exp.And) else exp.Or
    flat: list[exp.Expression] = []
    rest = [node]
    while rest:  # a chain of a thousand ORs is a thousand levels deep: no recursion
        top = rest.pop()
        if isinstance(top, kind):
            rest += reversed(operands(top, frame))
        else:
            flat.append(top)
    return Call("and" if kind is exp.And else "or", tuple([lower_expression(n, frame) for n in flat]))


def _not(node: exp.Expression, frame: Frame) -> Expression:
    arguments = Arguments(node, frame.session.text)
    value = lower_expression(arguments.node_at("this"), frame)
    arguments.done()
    return Call("not", (value,))


def negated(node: exp.Expression, arguments: Arguments, value: Expression) -> Expression:
    """The value, or its negation where the node says NOT; then nothing may be left."""
    value = Call("not", (value,)) if arguments.flag("negate") else value
    arguments.done()
    return value


def _is(node: exp.Expression, frame: Frame) -> Expression:
    arguments = Arguments(node, frame.session.text)
    value, what = lower_expression(arguments.node_at("this"), frame), arguments.node_at("expression")
    if isinstance(what, exp.Null):
        tested = Call("is null", (value,))
    elif isinstance(what, exp.Boolean):
        tested = Call("is true" if what.this else "is false", (value,))
    else:
        raise frame.session.text.unsupported(
            f"IS {describe(what, frame.session.text)} is not supported", node,
            hint="IS takes NULL, TRUE, FALSE and DISTINCT FROM",
        )  # fmt: skip
    return negated(node, arguments, tested)


def _between(node: exp.Expression, frame: Frame) -> Expression:
    arguments = Arguments(node, frame.session.text)
    value, low, high = (arguments.node_at(n) for n in ("this", "low", "high"))
    inside = Call("and", (compared(">=", value, low, frame), compared("<=", value, high, frame)))
    return negated(node, arguments, inside)


def _in(node: exp.Expression, frame: Frame) -> Expression:
    if node.args.get("query") is not None:
        from sspcore.plan.sql.subqueries import lower_subquery

        return lower_subquery(node, frame)
    arguments = Arguments(node, frame.session.text)
    value, items = arguments.node_at("this"), arguments.nodes("expressions")
    if isinstance(value, exp.Tuple):
        found: Expression = Call("or", tuple([_rows(exp.EQ(), value, item, frame) for item in items]))
    else:
        lowered = [lower_expression(n, frame) for n in (value, *items)]
        kind = frame.session.type_of(lowered[0])
        lowered[1:] = [adapt(n, e, kind, frame.session) for n, e in zip(items, lowered[1:], strict=True)]
        found = Call("in", tuple(lowered))
    if not items:
        raise frame.session.text.error("IN needs at least one value", node)
    return negated(node, arguments, found)


def _like(node: exp.Expression, frame: Frame, escape: exp.Expression | None = None) -> Expression:
    arguments = Arguments(node, frame.session.text)
    parts = [arguments.node_at("this"), arguments.node_at("expression")]
    own = arguments.optional("escape")
    parts += [e for e in (own, escape) if e is not None]
    matched = Call(
        "like" if isinstance(node, exp.Like) else "ilike", tuple([lower_expression(p, frame) for p in parts])
    )
    return negated(node, arguments, matched)


def _escape(node: exp.Expression, frame: Frame) -> Expression:
    """x LIKE pattern ESCAPE character."""
    arguments = Arguments(node, frame.session.text)
    match, escape = arguments.node_at("this"), arguments.node_at("expression")
    arguments.done()
    if isinstance(match, exp.Not) and isinstance(match.this, exp.Like | exp.ILike):
        return Call("not", (_like(match.this, frame, escape),))
    if not isinstance(match, exp.Like | exp.ILike):
        raise frame.session.text.unsupported("ESCAPE is not supported here", node, hint="it follows LIKE")
    return _like(match, frame, escape)


def _case(node: exp.Expression, frame: Frame) -> Expression:
    arguments = Arguments(node, frame.session.text)
    subject, default = arguments.optional("this"), arguments.optional("default")
    conditions, nodes, values = [], [], []
    for branch in arguments.nodes("ifs"):
        inner = Arguments(branch, frame.session.text)
        condition, value = inner.node_at("this"), inner.node_at("true")
        inner.done()
        conditions.append(
            lower_expression(condition, frame) if subject is None else compared("=", subject, condition, frame)
        )
        nodes.append(value)
        values.append(lower_expression(value, frame))
    arguments.done()
    nodes.append(exp.Null() if default is None else default)
    values.append(Constant(None) if default is None else lower_expression(default, frame))
    *results, otherwise = as_one_number(adapt_all(nodes, values, frame.session), frame.session)
    branches = [e for pair in zip(conditions, results, strict=True) for e in pair]
    return Call("case", (*branches, otherwise))


def _alternatives(node: exp.Expression, frame: Frame) -> Expression:
    """coalesce, nullif, greatest, least."""
    name = type(node).__name__.lower()
    arguments = Arguments(node, frame.session.text)
    nodes = [arguments.node_at("this")]
    nodes += [arguments.node_at("expression")] if name == "nullif" else arguments.nodes("expressions")
    if "ignore_nulls" in node.args and name in ("greatest", "least"):
        arguments.expect("ignore_nulls", True)
    arguments.done()
    values = adapt_all(nodes, [lower_expression(n, frame) for n in nodes], frame.session)
    return Call(name, values if name == "nullif" else tuple(as_one_number(values, frame.session)))


def _cast(node: exp.Expression, frame: Frame) -> Expression:
    arguments = Arguments(node, frame.session.text)
    value, to = arguments.node_at("this"), arguments.node_at("to")
    arguments.done()
    if isinstance(to, exp.DataType) and getattr(to.this, "value", "") == "ARRAY":
        return lists.cast_list(node, value, _type(lists.element_type(to, frame), node, frame), frame)
    kind = _type(to, node, frame)
    if isinstance(value, exp.Literal) and value.args.get("is_string") and kind == "json":
        return Constant(json_text(str(value.this), value, frame.session))
    if isinstance(value, exp.Literal) and value.args.get("is_string") and kind != "text":
        return Constant(from_text(str(value.this), kind, value, frame.session))
    operand = lower_expression(value, frame)
    if kind == "json" and frame.session.type_of(operand) in ("text", "any"):
        return Call("read json", (operand,))
    return Call("cast", (operand, Constant(kind)))


def _type(to: exp.Expression, node: exp.Expression, frame: Frame) -> str:
    text = frame.session.text
    arguments = Arguments(to, text)
    name = str(getattr(arguments.take("this"), "value", "")).upper()
    sizes = arguments.nodes("expressions")
    kind = CAST_TYPES.get(name)
    if kind is None or arguments.flag("nested"):
        hint = "cast to boolean, integer, double precision, numeric, text, bytea, timestamp, date, interval or jsonb"
        raise text.unsupported(f"a cast to {name.lower() or 'this type'} is not supported", node, hint=hint)
    if sizes:
        hint = {"text": "use left(x, n)", "decimal": "use round(x, n)"}.get(kind, "leave the size out")
        raise text.unsupported("a cast to a type with a size is not supported", node, hint=hint)
    arguments.done()
    return kind


HANDLERS: Final[dict[type[exp.Expression], Handler]] = {
    **functions.HANDLERS,
    **times.HANDLERS,
    **lists.HANDLERS,
    **documents.HANDLERS,
    **dict.fromkeys(COMPARISONS, _comparison),
    **dict.fromkeys(times.ARITHMETIC, _arithmetic),
    exp.Column: _column,
    exp.Literal: literal,
    exp.RawString: _raw,
    exp.Boolean: _constant,
    exp.Null: _constant,
    exp.Parameter: _param,
    exp.Paren: _paren,
    exp.NullSafeEQ: _distinct,
    exp.NullSafeNEQ: _distinct,
    exp.Neg: _negative,
    exp.DPipe: _concatenation,
    exp.And: _junction,
    exp.Or: _junction,
    exp.Not: _not,
    exp.Is: _is,
    exp.Between: _between,
    exp.In: _in,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Escape: _escape,
    exp.Case: _case,
    exp.Coalesce: _alternatives,
    exp.Nullif: _alternatives,
    exp.Greatest: _alternatives,
    exp.Least: _alternatives,
    exp.Cast: _cast,
}
