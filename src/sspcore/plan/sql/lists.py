"""Lists in SQL: ARRAY[…], subscripts, `x = ANY (list)` and the functions of arrays.

Owns what quoted literals are inside and beside lists. A subscript counts from 1, as in Postgres's arrays. Refuses to
compute, and subscripts of JSON values, which Postgres counts from 0.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from sspcore.plan.array_text import read_array
from sspcore.plan.expressions import Call, Constant, Expression
from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.frame import Frame
from sspcore.plan.sql.functions import called, lowered
from sspcore.plan.sql.literals import READ_FROM_TEXT, adapt, adapt_all, from_text, is_quoted, json_word

PATHS: Final = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar)


def array(node: exp.Expression, frame: Frame) -> Expression:
    """ARRAY[a, b], of constants a constant; and ARRAY(SELECT …)."""
    if len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Query):
        arguments = Arguments(node, frame.session.text)
        (query,) = arguments.nodes("expressions")
        arguments.done()
        from sspcore.plan.sql.nested import list_of  # a query holds expressions

        return list_of(query, frame)
    return _list(node, _items(node, frame), frame)


def _items(node: exp.Expression, frame: Frame) -> list[exp.Expression]:
    arguments = Arguments(node, frame.session.text)
    nodes = arguments.nodes("expressions")
    arguments.done()
    if any(isinstance(n, exp.Query) for n in nodes):
        raise frame.session.text.unsupported("ARRAY of a subquery is not supported", node, hint="use = ANY (SELECT …)")
    return nodes


def _list(node: exp.Expression, nodes: list[exp.Expression], frame: Frame) -> Expression:
    items = adapt_all(nodes, [lowered(n, frame) for n in nodes], frame.session)
    return made(list(items))


def made(items: list[Expression]) -> Expression:
    """The list of these."""
    values = [e.value for e in items if isinstance(e, Constant)]
    return Constant(tuple(values)) if len(values) == len(items) else Call("array[]", tuple(items))


def subscript(node: exp.Expression, frame: Frame) -> Expression:
    """list[n], the first element at 1."""
    text, arguments = frame.session.text, Arguments(node, frame.session.text)
    value, positions = arguments.node_at("this"), arguments.nodes("expressions")
    arguments.done()
    inside = value
    while isinstance(inside, exp.Paren):
        inside = inside.this
    if isinstance(inside, PATHS):
        raise text.unsupported(
            "subscripts of JSON values are not supported", node, hint="use -> with a position from 0"
        )
    if len(positions) != 1 or isinstance(positions[0], exp.Slice):
        raise text.unsupported("slices of lists are not supported", node, hint="take one element: list[1]")
    position = lowered(positions[0], frame)
    if is_quoted(positions[0]):
        raise text.unsupported("subscripts by name are not supported", node, hint="use -> 'name'")
    return Call("[]", (lowered(value, frame), position))


def quantifies_query(node: object) -> bool:
    """Whether this is ANY, SOME or ALL of a query. The parser takes ALL ((SELECT …) UNION …) for a function's call."""
    if isinstance(node, exp.Any | exp.All):
        return isinstance(node.this, exp.Query)
    if isinstance(node, exp.Anonymous) and str(node.this).upper() in ("ANY", "SOME", "ALL"):
        return len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Query)
    return False


def quantified(
    node: exp.Expression, symbol: str, left: exp.Expression, right: exp.Expression, frame: Frame
) -> Expression:
    """x = ANY (list), x <> ALL (list) and so on; of a constant list, IN."""
    session, arguments = frame.session, Arguments(right, frame.session.text)
    if isinstance(right, exp.Anonymous):
        word = "all" if str(arguments.take("this")).lower() == "all" else "any"
        nodes = arguments.nodes("expressions")
    else:
        word, nodes = "all" if isinstance(right, exp.All) else "any", [arguments.node_at("this")]
    arguments.done()
    if len(nodes) != 1:
        raise session.text.error(f"{word.upper()} takes one list", node, hint="write = ANY (ARRAY[1, 2]), or IN (1, 2)")
    items = nodes[0]
    while isinstance(items, exp.Paren):
        items = items.this
    x = lowered(left, frame)
    kind = session.type_of(x)
    if isinstance(items, exp.Array):
        parts = _items(items, frame)
        elements = [adapt(n, lowered(n, frame), kind, session) for n in parts]
        x = adapt_all([left, *parts], [x, *elements], session)[0]
        return _compared(symbol, word, x, made(elements))
    if is_quoted(items):
        return _compared(symbol, word, x, Constant(literal_list(items, kind, frame)))
    value = lowered(items, frame)
    if session.type_of(value) not in ("json", "any"):
        raise session.text.error(f"{word.upper()} takes a list, not {session.type_of(value)}", items, hint="use IN (…)")
    return Call(f"{symbol} {word}", (x, value))


def _compared(symbol: str, word: str, x: Expression, items: Expression) -> Expression:
    if isinstance(items, Constant):
        found = Call("in", (x, *map(Constant, items.value)))
    else:
        assert isinstance(items, Call)
        found = Call("in", (x, *items.args))
    if (symbol, word) == ("=", "any"):
        return found
    if (symbol, word) == ("<>", "all"):
        return Call("not", (found,))
    return Call(f"{symbol} {word}", (x, items))


def literal_list(node: exp.Expression, kind: str, frame: Frame) -> tuple[object, ...]:
    """'{a,b}' as a list of values of a type."""
    session = frame.session

    def element(word: str, quoted: bool) -> object:
        if kind in ("any", "json"):
            return word if quoted else json_word(word)
        return from_text(word, kind, node, session) if kind in READ_FROM_TEXT else word

    found = read_array(str(node.this), element)
    if found is None:
        raise session.text.error(f"{str(node.this)[:40]!r} is no array", node, hint="such as '{1,2}', or ARRAY[1, 2]")
    return found


def cast_list(node: exp.Expression, value: exp.Expression, kind: str, frame: Frame) -> Expression:
    """ARRAY[…]::type[] and '{…}'::type[]; a list from a row holds what it holds."""
    inside = value
    while isinstance(inside, exp.Paren):
        inside = inside.this
    if is_quoted(inside):
        return Constant(literal_list(inside, kind, frame))
    if isinstance(inside, exp.Array):
        parts = _items(inside, frame)
        items = [adapt(n, lowered(n, frame), kind, frame.session) for n in parts]
        return made([
            e if frame.session.type_of(e) == kind or e == Constant(None) else Call("cast", (e, Constant(kind)))
            for e in items
        ])  # fmt: skip
    raise frame.session.text.unsupported(
        "a cast of a column to an array type is not supported", node, hint="lists keep their elements: leave it out"
    )


def element_type(to: exp.Expression, frame: Frame) -> exp.Expression:
    """The one type of the elements of an array type."""
    arguments = Arguments(to, frame.session.text)
    arguments.take("this")
    arguments.flag("nested")
    inner = arguments.nodes("expressions")
    arguments.done()
    if len(inner) != 1:
        raise frame.session.text.unsupported("an array type without its elements' is not supported", to, hint="int[]")
    return inner[0]


def length(node: exp.Expression, frame: Frame) -> Expression:
    """array_length(list, 1): NULL of an empty list, as in Postgres."""
    arguments = Arguments(node, frame.session.text)
    value, dimension = arguments.node_at("this"), arguments.optional("expression")
    arguments.done()
    if dimension is None or lowered(dimension, frame) != Constant(1):
        raise frame.session.text.unsupported(
            "array_length of another dimension than 1 is not supported", node, hint="array_length(x, 1), cardinality(x)"
        )
    return Call("nullif", (Call("cardinality", (lowered(value, frame),)), Constant(0)))


def of_list(node: exp.Expression, frame: Frame) -> Expression:
    """array_append, array_prepend, array_cat, array_remove and array_position."""
    name, order = FUNCTIONS[type(node)]
    arguments = Arguments(node, frame.session.text)
    operands = [arguments.node_at(n) for n in order if n != "expressions"]
    if "expressions" in order:
        operands += arguments.nodes("expressions")
    arguments.done()
    values = [lowered(n, frame) for n in operands]
    if name == "array_prepend":
        values.reverse()
    return called(name, values, node, frame)


FUNCTIONS: Final[dict[type[exp.Expression], tuple[str, tuple[str, ...]]]] = {
    exp.ArrayPosition: ("array_position", ("this", "expression")),
    exp.ArrayAppend: ("array_append", ("this", "expression")),
    exp.ArrayPrepend: ("array_prepend", ("this", "expression")),
    exp.ArrayConcat: ("array_cat", ("this", "expressions")),
    exp.ArrayRemove: ("array_remove", ("this", "expression")),
}
HANDLERS: Final = {
    **dict.fromkeys(FUNCTIONS, of_list),
    exp.Array: array,
    exp.Bracket: subscript,
    exp.ArraySize: length,
}
