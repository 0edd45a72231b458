"""Literals: numbers, quoted text, and what quoted text means beside a typed column.

Owns the rule that a quoted literal takes the declared type of the other side (`at > '2013-06-24'`), and that a number
with a point is exact beside a decimal. Refuses bit strings and escapes of other dialects.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from sqlglot import exp

from sspcore.algebra.values import Value, canonical
from sspcore.errors import shown
from sspcore.plan.array_text import read_array
from sspcore.plan.casts import cast
from sspcore.plan.expressions import Call, Constant, Expression
from sspcore.plan.functions_json import read_json
from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.frame import Frame
from sspcore.plan.sql.session import Session
from sspcore.plan.total import NULL_BY_ERROR

READ_FROM_TEXT: Final = frozenset({
    "timestamp", "date", "interval", "decimal", "bytes", "boolean", "integer", "real", "json",
})  # fmt: skip
"""Types whose values people write as quoted literals."""
NUMBERS: Final = ("integer", "decimal", "real")
"""The types of numbers, each wider than those before."""
MAX_DIGITS: Final = 1000


def literal(node: exp.Expression, frame: Frame) -> Expression:
    """A number or a quoted text."""
    arguments = Arguments(node, frame.session.text)
    text = arguments.take("this")
    quoted = arguments.flag("is_string")
    arguments.done()
    if not isinstance(text, str):
        raise frame.session.text.unsupported("a literal in this form is not supported", node)
    return Constant(checked(text, node, frame.session) if quoted else number(text, node, frame.session))


def checked(value: Value, node: exp.Expression, session: Session) -> Value:
    """The value in canonical form; SqlError for what no cell may hold."""
    try:
        return canonical(value)
    except ValueError as error:
        raise session.text.error(f"no such value: {error}", node) from None


def number(text: str, node: exp.Expression, session: Session) -> Value:
    """Digits are an integer; with a point or an exponent a float."""
    try:
        if len(text) <= MAX_DIGITS and text.isascii() and text.isdigit():
            return checked(int(text), node, session)
        value = float(text)
    except ValueError:
        raise session.text.error(f"{text[:40]!r} is no number", node) from None
    if value in (float("inf"), float("-inf")):
        raise session.text.error(f"{text[:40]!r} is beyond the range of numbers", node)
    return checked(value, node, session)


def adapt(node: exp.Expression, expression: Expression, kind: str, session: Session) -> Expression:
    """A literal as the type of what it stands beside; anything else as it is.

    Raises SqlError when a quoted literal cannot be read as that type.
    """
    if not isinstance(expression, Constant):
        return expression
    written = _literal_of(node)
    if written is None:
        return expression
    sign, leaf = written
    if kind == "decimal" and type(expression.value) is float and not leaf.args.get("is_string"):
        return Constant(checked(Decimal(str(leaf.this)) * sign, node, session))
    if not leaf.args.get("is_string") or type(expression.value) is not str or kind not in READ_FROM_TEXT:
        return expression
    return Constant(from_text(expression.value, kind, node, session))


def from_text(text: str, kind: str, node: exp.Expression, session: Session) -> Value:
    """A quoted literal read as a type; SqlError when it is none."""
    if kind == "json":
        return document(text, node, session)
    value = cast(text, kind)
    if value is NULL_BY_ERROR:
        examples = {
            "timestamp": ", such as '2013-06-24 15:00:00'", "date": ", such as '2013-06-24'",
            "interval": ", such as '1 day 2 hours'",
        }  # fmt: skip
        raise session.text.error(f"{shown(text)} is no {kind}{examples.get(kind, '')}", node)
    return checked(value, node, session)


def json_text(text: str, node: exp.Expression, session: Session) -> Value:
    """A quoted literal cast to JSON; SqlError when it is none."""
    value = read_json(text)
    if value is NULL_BY_ERROR:
        raise session.text.error(f"{shown(text)} is no JSON", node, hint="text inside JSON is quoted: '\"text\"'")
    return checked(value, node, session)


def document(text: str, node: exp.Expression, session: Session) -> Value:
    """A quoted literal beside JSON: JSON itself, or an array such as '{1,2}'; SqlError for others."""
    if text.strip() == "{}":
        raise session.text.error("'{}' is an object and an array", node, hint="write '{}'::jsonb, or ARRAY[]")
    value = read_json(text)
    if value is NULL_BY_ERROR:
        value = read_array(text, lambda word, quoted: word if quoted else json_word(word))
    if value is NULL_BY_ERROR or (value is None and text.strip() != "null"):
        raise session.text.error(
            f"{shown(text)} is no JSON", node,
            hint="compare text with ->>, or write it as JSON does: '\"text\"'",
        )  # fmt: skip
    return checked(value, node, session)


def json_word(word: str) -> Value:
    """A word of an array whose type is not known: a number or truth where JSON has one, else text."""
    value = read_json(word)
    return word if value is NULL_BY_ERROR or value is None else value


def is_quoted(node: exp.Expression) -> bool:
    """The node is a quoted literal, in parentheses or not."""
    while isinstance(node, exp.Paren):
        node = node.this
    return isinstance(node, exp.Literal) and bool(node.args.get("is_string"))


def adapt_all(
    nodes: Sequence[exp.Expression], expressions: Sequence[Expression], session: Session
) -> tuple[Expression, ...]:
    """Operands that stand beside each other: literals take the type of the others, where those agree on one."""
    kinds = {
        session.type_of(e)
        for n, e in zip(nodes, expressions, strict=True)
        if not (isinstance(e, Constant) and (e.value is None or _literal_of(n) is not None))
    }
    if len(kinds) != 1:
        return tuple(expressions)
    kind = kinds.pop()
    return tuple([adapt(n, e, kind, session) for n, e in zip(nodes, expressions, strict=True)])


def as_one_number(expressions: Sequence[Expression], session: Session) -> list[Expression]:
    """Alternatives that are numbers of different types, each as the widest of these; anything else as it is.

    Else what `/` means for the one that is chosen would depend on the row: a view's column has one type, as in SQL.
    """
    kinds = [session.type_of(e) for e in expressions]
    told = {k for k, e in zip(kinds, expressions, strict=True) if e != Constant(None)}
    widest = widest_number(told)
    if widest is None:
        return list(expressions)
    return [as_number(e, kind, widest) for e, kind in zip(expressions, kinds, strict=True)]


def widest_number(kinds: set[str]) -> str | None:
    """The type that holds all of several different types of numbers; None where they are not such."""
    return max(kinds, key=NUMBERS.index) if len(kinds) > 1 and kinds <= set(NUMBERS) else None


def as_number(expression: Expression, kind: str, wanted: str) -> Expression:
    """A number of one type as one of another."""
    if kind == wanted or expression == Constant(None):
        return expression
    if isinstance(expression, Constant) and type(expression.value) in (int, float):
        value = cast(expression.value, wanted)
        return expression if value is NULL_BY_ERROR else Constant(value)
    return Call("cast", (expression, Constant(wanted)))


def _literal_of(node: exp.Expression) -> tuple[int, exp.Expression] | None:
    """The literal under signs and parentheses, and its sign."""
    sign = 1
    while isinstance(node, exp.Paren | exp.Neg):
        sign = -sign if isinstance(node, exp.Neg) else sign
        node = node.this
    return (sign, node) if isinstance(node, exp.Literal) else None
