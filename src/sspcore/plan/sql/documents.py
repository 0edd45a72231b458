"""JSON in SQL: `->`, `->>`, `#>`, `#>>`, `?`, and containment of documents and lists.

Owns what quoted literals are beside these operators. Refuses to compute, and JSON paths in their own language.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from sspcore.plan.array_text import read_array
from sspcore.plan.expressions import Call, Constant, Expression
from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.frame import Frame
from sspcore.plan.sql.functions import lowered
from sspcore.plan.sql.literals import adapt, is_quoted

MEMBERS: Final[dict[type[exp.Expression], str]] = {exp.JSONExtract: "->", exp.JSONExtractScalar: "->>"}
PATHS: Final[dict[type[exp.Expression], str]] = {exp.JSONBExtract: "#>", exp.JSONBExtractScalar: "#>>"}
CONTAINMENT: Final[dict[type[exp.Expression], str]] = {
    exp.ArrayContainsAll: "@>",
    exp.ArrayContainedBy: "<@",
    exp.ArrayOverlaps: "&&",
}
KEYS: Final[dict[type[exp.Expression], str]] = {
    exp.JSONBContainsTopKey: "?",
    exp.JSONBContainsAnyTopKeys: "?|",
    exp.JSONBContainsAllTopKeys: "?&",
}


def member(node: exp.Expression, frame: Frame) -> Expression:
    """document -> 'name', document -> 0, and ->>."""
    arguments = Arguments(node, frame.session.text)
    document, at = arguments.node_at("this"), arguments.node_at("expression")
    if "only_json_types" in node.args:  # json_extract_path(…) says False
        arguments.expect("only_json_types", True, None)
    arguments.done()
    step = Constant(_step(at, frame)) if isinstance(at, exp.JSONPath) else lowered(at, frame)
    return Call(MEMBERS[type(node)], (_document(document, node, frame), step))


def _step(path: exp.Expression, frame: Frame) -> str | int:
    """The one name or position that sqlglot makes a JSON path of."""
    arguments = Arguments(path, frame.session.text)
    parts = arguments.nodes("expressions")
    arguments.done()
    if len(parts) == 2 and type(parts[0]) is exp.JSONPathRoot and not any(parts[0].args.values()):
        inner = Arguments(parts[1], frame.session.text)
        step = inner.take("this")
        inner.done()
        if (type(parts[1]) is exp.JSONPathKey and type(step) is str) or (
            type(parts[1]) is exp.JSONPathSubscript and type(step) is int
        ):
            return step
    raise frame.session.text.unsupported("this path into JSON is not supported", path, hint="use -> one step at a time")


def _document(node: exp.Expression, owner: exp.Expression, frame: Frame) -> Expression:
    value = lowered(node, frame)
    kind = frame.session.type_of(value)
    if is_quoted(node):
        return adapt(node, value, "json", frame.session)
    if kind not in ("json", "any"):
        raise frame.session.text.error(f"{kind} has no members", owner, hint="cast text that holds JSON: x::jsonb")
    return value


def path(node: exp.Expression, frame: Frame) -> Expression:
    """document #> '{name,0}' and #>>."""
    arguments = Arguments(node, frame.session.text)
    document, steps = arguments.node_at("this"), arguments.node_at("expression")
    arguments.done()
    return Call(PATHS[type(node)], (_document(document, node, frame), _names(steps, frame)))


def _names(node: exp.Expression, frame: Frame) -> Expression:
    """A list of texts: '{a,b}' or whatever gives one."""
    value = lowered(node, frame)
    if not is_quoted(node):
        return value
    found = read_array(str(node.this), lambda word, quoted: word)
    if found is None:
        raise frame.session.text.error(f"{str(node.this)[:40]!r} is no list of names", node, hint="such as '{a,b}'")
    return Constant(found)


def containment(node: exp.Expression, frame: Frame) -> Expression:
    """a @> b, a <@ b, a && b: quoted literals are JSON, or arrays."""
    arguments = Arguments(node, frame.session.text)
    sides = arguments.node_at("this"), arguments.node_at("expression")
    arguments.done()
    values = [adapt(n, lowered(n, frame), "json", frame.session) for n in sides]
    for n, value in zip(sides, values, strict=True):
        kind = frame.session.type_of(value)
        if kind not in ("json", "any") and not isinstance(value, Constant):
            raise frame.session.text.error(f"{kind} holds nothing", n, hint="it takes lists and JSON documents")
    return Call(CONTAINMENT[type(node)], tuple(values))


def keys(node: exp.Expression, frame: Frame) -> Expression:
    """document ? 'name', ?| and ?& a list of names."""
    arguments = Arguments(node, frame.session.text)
    document, names = arguments.node_at("this"), arguments.node_at("expression")
    arguments.done()
    symbol = KEYS[type(node)]
    wanted = lowered(names, frame) if symbol == "?" else _names(names, frame)
    return Call(symbol, (_document(document, node, frame), wanted))


HANDLERS: Final = {
    **dict.fromkeys(MEMBERS, member),
    **dict.fromkeys(PATHS, path),
    **dict.fromkeys(CONTAINMENT, containment),
    **dict.fromkeys(KEYS, keys),
}
