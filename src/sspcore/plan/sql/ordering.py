"""ORDER BY, LIMIT and OFFSET.

Owns what may be ordered by (columns of the output by name or position, and expressions), where NULLs go (they are the
largest values unless told otherwise), and what a limit is. Refuses to know the rows that are ordered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
from sqlglot import exp

from sspcore.errors import did_you_mean
from sspcore.plan.catalog import find_name
from sspcore.plan.expressions import Constant, Expression, Param
from sspcore.plan.nodes import OrderTerm
from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.expressions import lower_expression
from sspcore.plan.sql.frame import Frame
from sspcore.plan.sql.scope import Scope, identifier
from sspcore.plan.sql.session import Session


@attrs.frozen
class Limits:
    """LIMIT and OFFSET, where given."""

    limit: Constant | Param | None = None
    offset: Constant | Param | None = None

    @property
    def any(self) -> bool:
        """One is given."""
        return self.limit is not None or self.offset is not None


def take_limits(arguments: Arguments, session: Session) -> Limits:
    """LIMIT n, FETCH FIRST n ROWS ONLY, OFFSET n of a query's node."""
    return Limits(
        _count(arguments.optional("limit"), "LIMIT", session), _count(arguments.optional("offset"), "OFFSET", session)
    )


def _count(node: exp.Expression | None, word: str, session: Session) -> Constant | Param | None:
    if node is None:
        return None
    arguments = Arguments(node, session.text)
    if isinstance(node, exp.Fetch):
        _rows_only(arguments, session)
        value = arguments.optional("count") or exp.Literal.number(1)
    else:
        value = arguments.node_at("expression")
    arguments.done()
    if isinstance(value, exp.Var) and str(value.this).upper() == "ALL":
        return None
    lowered = lower_expression(value, Frame(session, Scope(session), word))
    if isinstance(lowered, Param):
        return lowered
    if not isinstance(lowered, Constant):
        raise session.text.unsupported(
            f"a computed {word} is not supported",
            value,
            hint=f"write the number, or a parameter such as ${word.lower()}",
        )
    if lowered.value is None:
        return None
    if type(lowered.value) is not int or lowered.value < 0:
        raise session.text.error(f"{word} is {lowered.value!r}", value, hint="give a whole number from 0 on")
    return lowered


def _rows_only(arguments: Arguments, session: Session) -> None:
    """FETCH FIRST n ROWS ONLY is LIMIT n; WITH TIES and PERCENT are not."""
    arguments.take("direction")
    options = arguments.optional("limit_options")
    if options is None:
        return
    inner = Arguments(options, session.text)
    inner.take("rows")
    for name, word in (("with_ties", "WITH TIES"), ("percent", "PERCENT")):
        if inner.flag(name):
            raise session.text.unsupported(
                f"FETCH … {word} is not supported", arguments.node, hint="use LIMIT n", word=word.split()[0]
            )
    inner.done()


def order_terms(
    node: exp.Expression | None, session: Session, value_of: Callable[[exp.Expression], Expression]
) -> tuple[OrderTerm, ...]:
    """The terms of ORDER BY, each expression lowered by `value_of`."""
    if node is None:
        return ()
    arguments = Arguments(node, session.text)
    terms = []
    for item in arguments.nodes("expressions"):
        if not isinstance(item, exp.Ordered):
            raise session.text.unsupported("ORDER BY in this form is not supported", item)
        inner = Arguments(item, session.text)
        by, descending, nulls_first = inner.node_at("this"), inner.flag("desc"), inner.flag("nulls_first")
        inner.done()
        terms.append(OrderTerm(value_of(by), descending, nulls_first))
    arguments.done()
    return tuple(terms)


def position(node: exp.Expression, count: int, clause: str, session: Session) -> int | None:
    """The index an integer literal means in ORDER BY or GROUP BY; None for anything else."""
    if not isinstance(node, exp.Literal) or node.args.get("is_string"):
        return None
    text = str(node.this)
    if not text.isdigit() or not 1 <= int(text[:9]) <= count:
        raise session.text.error(
            f"{clause} {text[:20]}: there is no such column", node, hint=f"positions go from 1 to {count}"
        )
    return int(text) - 1


def output_order(
    node: exp.Expression | None, names: Sequence[str], outputs: Sequence[Expression], session: Session
) -> tuple[OrderTerm, ...]:
    """ORDER BY over output columns only, by name or position (after UNION and the like)."""

    def value_of(by: exp.Expression) -> Expression:
        at = position(by, len(outputs), "ORDER BY", session)
        if at is None and isinstance(by, exp.Column) and by.args.get("table") is None:
            name, exact = identifier(session, by.this)
            found = find_name(name, names, exact=exact)
            if found is None:
                raise session.text.error(f"no output column {name!r}", by, hint=did_you_mean(name, names))
            at = list(names).index(found)
        if at is None:
            raise session.text.unsupported(
                "ORDER BY an expression is not supported here", by, hint="select it, and order by its name or position"
            )
        return outputs[at]

    return order_terms(node, session, value_of)
