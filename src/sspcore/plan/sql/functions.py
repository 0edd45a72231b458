"""Scalar functions: from sqlglot's node for each to the function of the library, argument by argument.

Owns the allow-list of function names. Refuses to know what they compute (`plan/functions`).
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from sspcore.errors import UnsupportedSql, did_you_mean
from sspcore.plan.expressions import Call, Expression
from sspcore.plan.functions import FUNCTIONS
from sspcore.plan.sql.arguments import Arguments, describe
from sspcore.plan.sql.frame import Frame

SIMPLE: Final[dict[type[exp.Expression], tuple[str, tuple[str, ...]]]] = {
    exp.Upper: ("upper", ("this",)),
    exp.Lower: ("lower", ("this",)),
    exp.Length: ("length", ("this",)),
    exp.Substring: ("substr", ("this", "start", "length")),
    exp.Replace: ("replace", ("this", "expression", "replacement")),
    exp.StrPosition: ("strpos", ("this", "substr")),
    exp.Left: ("left", ("this", "expression")),
    exp.Right: ("right", ("this", "expression")),
    exp.Reverse: ("reverse", ("this",)),
    exp.Repeat: ("repeat", ("this", "times")),
    exp.SplitPart: ("split_part", ("this", "delimiter", "part_index")),
    exp.StartsWith: ("starts_with", ("this", "expression")),
    exp.Ascii: ("ascii", ("this",)),
    exp.Abs: ("abs", ("this",)),
    exp.Round: ("round", ("this", "decimals")),
    exp.Floor: ("floor", ("this",)),
    exp.Ceil: ("ceil", ("this",)),
    exp.Trunc: ("trunc", ("this", "decimals")),
    exp.Sqrt: ("sqrt", ("this",)),
    exp.Pow: ("power", ("this", "expression")),
    exp.Exp: ("exp", ("this",)),
    exp.Ln: ("ln", ("this",)),
    exp.Log: ("log", ("this", "expression")),
    exp.Sign: ("sign", ("this",)),
    exp.Pi: ("pi", ()),
    exp.UnixToTime: ("to_timestamp", ("this",)),
}
"""Node → our function, and the arguments in its order (the later ones may be absent)."""

BY_NAME: Final = {
    **{name: name for name in (
        "length", "substr", "strpos", "ltrim", "rtrim", "lpad", "rpad", "concat", "starts_with", "cardinality",
        "jsonb_array_length", "jsonb_typeof",
    )},
    "json_array_length": "jsonb_array_length", "json_typeof": "jsonb_typeof",
}  # fmt: skip
"""Functions that (some version of) sqlglot leaves unparsed → ours."""

_INITCAP_DELIMITERS: Final = " \t\n\r\x0c\x0b!\"#$%&'()*+,\\-./:;<=>?@\\[\\]^_`{|}~"
"""What the dialect writes for Postgres's own initcap, where every character but letters and digits delimits."""


def simple(node: exp.Expression, frame: Frame) -> Expression:
    """A function whose arguments are plain operands."""
    name, order = SIMPLE[type(node)]
    arguments = Arguments(node, frame.session.text)
    operands = [lowered(n, frame) for n in [arguments.optional(a) for a in order] if n is not None]
    arguments.done()
    return called(name, operands, node, frame)


def called(name: str, operands: list[Expression], node: exp.Expression, frame: Frame) -> Expression:
    """A call, if the function takes so many arguments."""
    function = FUNCTIONS[name]
    most = function.max_args
    if len(operands) < function.min_args or (most is not None and len(operands) > most):
        span = f"{function.min_args}" + (
            "" if most == function.min_args else " or more" if most is None else f"–{most}"
        )
        raise frame.session.text.error(f"{name} takes {span} arguments, not {len(operands)}", node, hint=function.doc)
    return Call(name, tuple(operands))


def lowered(node: exp.Expression, frame: Frame) -> Expression:
    """An operand."""
    from sspcore.plan.sql.expressions import lower_expression  # the two know each other: functions nest

    return lower_expression(node, frame)


def listed(node: exp.Expression, frame: Frame) -> Expression:
    """concat and concat_ws: NULLs are skipped, as the dialect's flags say."""
    name = "concat" if type(node) is exp.Concat else "concat_ws"
    arguments = Arguments(node, frame.session.text)
    operands = [lowered(n, frame) for n in arguments.nodes("expressions")]
    if "safe" in node.args:
        arguments.expect("safe", True)
    arguments.expect("coalesce", True)
    arguments.done()
    return called(name, operands, node, frame)


def trim(node: exp.Expression, frame: Frame) -> Expression:
    """trim(BOTH symbols FROM x), ltrim, rtrim, btrim."""
    arguments = Arguments(node, frame.session.text)
    operands = [lowered(arguments.node_at("this"), frame)]
    symbols = arguments.optional("expression")
    if symbols is not None:
        operands.append(lowered(symbols, frame))
    position = arguments.take("position", "BOTH")
    name = (
        {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}.get(position) if isinstance(position, str) else None
    )
    arguments.done()
    if name is None:
        raise frame.session.text.unsupported("trim in this form is not supported", node, hint="use ltrim or rtrim")
    return called(name, operands, node, frame)


def pad(node: exp.Expression, frame: Frame) -> Expression:
    """lpad and rpad."""
    arguments = Arguments(node, frame.session.text)
    operands = [lowered(arguments.node_at("this"), frame), lowered(arguments.node_at("expression"), frame)]
    fill = arguments.optional("fill_pattern")
    if fill is not None:
        operands.append(lowered(fill, frame))
    name = "lpad" if arguments.flag("is_left") else "rpad"
    arguments.done()
    return called(name, operands, node, frame)


def initcap(node: exp.Expression, frame: Frame) -> Expression:
    """initcap, without delimiters of one's own."""
    arguments = Arguments(node, frame.session.text)
    operand = lowered(arguments.node_at("this"), frame)
    delimiters = arguments.optional("expression")
    if delimiters is not None and delimiters.this != _INITCAP_DELIMITERS:
        raise frame.session.text.unsupported(
            "initcap with delimiters is not supported", node, hint="words are runs of letters and digits"
        )
    arguments.done()
    return Call("initcap", (operand,))


def chr_(node: exp.Expression, frame: Frame) -> Expression:
    """chr of one code point."""
    arguments = Arguments(node, frame.session.text)
    operands = [lowered(n, frame) for n in arguments.nodes("expressions")]
    arguments.done()
    return called("chr", operands, node, frame)


def modulo(node: exp.Expression, frame: Frame) -> Expression:
    """a % b and mod(a, b)."""
    arguments = Arguments(node, frame.session.text)
    operands = [lowered(arguments.node_at("this"), frame), lowered(arguments.node_at("expression"), frame)]
    arguments.done()
    return Call("%", tuple(operands))


def anonymous(node: exp.Expression, frame: Frame) -> Expression:
    """A function sqlglot has no node for: one of ours by name, or refused."""
    name = str(node.this).lower()
    if name not in BY_NAME:
        raise unknown(node, frame)
    arguments = Arguments(node, frame.session.text)
    arguments.take("this")
    operands = [lowered(n, frame) for n in arguments.nodes("expressions")]
    arguments.done()
    return called(BY_NAME[name], operands, node, frame)


def unknown(node: exp.Expression, frame: Frame) -> UnsupportedSql:
    """The refusal of a function that is not kept live."""
    text = frame.session.text
    name = (str(node.this) if isinstance(node, exp.Anonymous) else text.word_at(node)).lower()
    what = describe(node, text)
    if isinstance(node, exp.CurrentTimestamp | exp.CurrentDate | exp.CurrentTime | exp.CurrentDatetime | exp.Localtime):
        hint = "it changes without a change: use $now, a parameter that advance(now) moves"
        hint += "; its day is CAST($now AS date)" if isinstance(node, exp.CurrentDate) else ""
    elif isinstance(node, exp.Rand | exp.Uuid) or name in ("clock_timestamp", "gen_random_uuid", "random"):
        hint = "it changes without a change: pass the value as a parameter"
    elif name in ("unnest", "jsonb_array_elements", "json_array_elements", "jsonb_each"):
        hint = "keep one row per element; x = ANY (list) and @> look into a list"
    elif name == "age":
        hint = "subtract the times"
    elif name in ("to_char", "date_bin"):
        hint = "use date_trunc and extract"
    elif name.startswith("regexp"):
        hint = "use LIKE, strpos or split_part"
    elif isinstance(node, exp.AggFunc):
        hint = "docs/reference/sql.md lists the aggregates"
    else:
        spelled = [f for f in FUNCTIONS if f.replace("_", "").isalnum() and " " not in f]
        hint = did_you_mean(name, spelled) or "docs/reference/sql.md lists the functions"
    return text.unsupported(f"{what} is not supported", node, hint=hint)


HANDLERS: Final = {
    **dict.fromkeys(SIMPLE, simple),
    exp.Concat: listed,
    exp.ConcatWs: listed,
    exp.Trim: trim,
    exp.Pad: pad,
    exp.Initcap: initcap,
    exp.Chr: chr_,
    exp.Mod: modulo,
    exp.Anonymous: anonymous,
}
