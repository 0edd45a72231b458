"""What people write that is known and refused, and what to write instead.

Owns the wording of refusals of expression nodes; docs/reference/sql.md lists the same. Refuses to lower anything.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from sspcore.errors import SqlError
from sspcore.plan.sql import functions
from sspcore.plan.sql.arguments import describe, not_supported
from sspcore.plan.sql.frame import Frame

NAMES: Final = {
    exp.RegexpLike: ("regular expressions", "use LIKE, strpos or split_part"),
    exp.RegexpILike: ("regular expressions", "use ILIKE"),
    exp.SimilarTo: ("SIMILAR TO", "use LIKE"),
    exp.Glob: ("GLOB", "use LIKE"),
    exp.Collate: ("COLLATE", "text compares by code point; use lower(x) to ignore case"),
    exp.Placeholder: ("this kind of parameter", "write $name"),
    exp.Any: ("ANY here", "it follows =, <>, <, <=, > or >="),
    exp.All: ("ALL here", "it follows =, <>, <, <=, > or >="),
    exp.JSONBDeleteAtPath: ("#-", "keep the document without the member"),
    exp.Overlaps: ("OVERLAPS", "write a < d AND c < b"),
    exp.TryCast: ("TRY_CAST", "use CAST: one that fails gives NULL"),
    exp.Tuple: ("a row of values here", "compare the columns one by one"),
    exp.Star: ("* here", "list the columns, or write count(*)"),
    exp.ByteString: ("E'…'", "write the characters themselves"),
    exp.HexString: ("X'…'", "pass the bytes as a parameter"),
    exp.BitString: ("B'…'", "write the number"),
    exp.WithinGroup: ("ordered-set aggregates (WITHIN GROUP)", "docs/reference/sql.md lists the aggregates"),
    exp.BitwiseAnd: ("bitwise operators", "use %, / and *"),
    exp.BitwiseOr: ("bitwise operators", "use %, / and *"),
    exp.BitwiseXor: ("bitwise operators", "use %, / and *"),
    exp.BitwiseNot: ("bitwise operators", "use -x - 1"),
    exp.BitwiseLeftShift: ("bitwise operators", "use * power(2, n)"),
    exp.BitwiseRightShift: ("bitwise operators", "use / power(2, n)"),
}
"""What people may write that we know and refuse, and what to write instead."""


def refused(node: exp.Expression, frame: Frame) -> SqlError:
    """The refusal of a node that is on no list."""
    if type(node) in NAMES:
        what, hint = NAMES[type(node)]
        return frame.session.text.unsupported(not_supported(what), node, hint=hint)
    if isinstance(node, exp.Func) and not isinstance(node, exp.Binary | exp.Connector):
        return functions.unknown(node, frame)
    return frame.session.text.unsupported(
        f"{describe(node, frame.session.text)} is not supported", node, hint="docs/reference/sql.md lists what is"
    )
