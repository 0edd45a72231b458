"""ORDER BY, LIMIT and OFFSET.

Owns what may be ordered by (columns of the output by name or position, and expressions), where NULLs go (they are the
largest values unless told otherwise), what a limit is, and the nodes that order and limit. Refuses to know SELECT.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
from sqlglot import exp

from sspcore.errors import did_you_mean
from sspcore.plan.catalog import find_name
from sspcore.plan.evaluate import NullCounter, compile_expression
from sspcore.plan.expressions import Call, Constant, Expression, Param, walk
from sspcore.plan.nodes import OrderTerm, Rank, TopK
from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.expressions import lower_expression
from sspcore.plan.sql.frame import Frame
from sspcore.plan.sql.relation import Relation
from sspcore.plan.sql.scope import Scope, identifier
from sspcore.plan.sql.session import Session


@attrs.frozen
class Limits:
    """LIMIT and OFFSET, where given."""

    limit: Constant | Param | None = None
    offset: Constant | Param | None = None
    ties: bool = False
    """WITH TIES: rows that ORDER BY does not tell from the last are in too."""

    @property
    def any(self) -> bool:
        """One is given."""
        return self.limit is not None or self.offset is not None

    @property
    def admits_one(self) -> bool:
        """Wherever there is a row, one is within the limits."""
        limit = self.limit
        return self.offset is None and isinstance(limit, Constant) and limit.value is not None and limit.value > 0


def limited(
    relation: Relation, order: Sequence[OrderTerm], limits: Limits, session: Session, each: Sequence[Expression] = ()
) -> Relation:
    """The rows in this order, cut to their window; with `each` the window of every combination of these values."""
    terms, partition = relation.ordered(order), tuple([relation.over(e) for e in each])
    if not limits.ties:
        return Relation(TopK(relation.plan, terms, limits.limit, limits.offset, partition), relation.symbols)
    place = session.symbol("place", "integer", session.source())
    end = sum([e.value for e in (limits.limit, limits.offset) if isinstance(e, Constant)])
    if limits.limit == Constant(0):
        end = 0  # no last row, so none that ties with it
    ranked = Relation(Rank(relation.plan, "place", "rank", partition, terms, Constant(end)), (*relation.symbols, place))
    cells = [(s, session.names[s], session.column(s)) for s in relation.symbols]
    return limited(ranked, order, Limits(None, limits.offset), session, each).projected(cells)


def take_limits(arguments: Arguments, session: Session) -> Limits:
    """LIMIT n, FETCH FIRST n ROWS ONLY or WITH TIES, OFFSET n of a query's node."""
    fetch = arguments.node.args.get("limit")
    ties = isinstance(fetch, exp.Fetch) and _ties(fetch, arguments.node, session)
    limits = Limits(
        _count(arguments.optional("limit"), "LIMIT", session), _count(arguments.optional("offset"), "OFFSET", session),
        ties,
    )  # fmt: skip
    if ties and not all(e is None or isinstance(e, Constant) for e in (limits.limit, limits.offset)):
        raise session.text.unsupported(
            "a parameter beside WITH TIES is not supported", arguments.node, hint="write the number", word="TIES"
        )
    return limits


def _ties(fetch: exp.Fetch, query: exp.Expression, session: Session) -> bool:
    options = fetch.args.get("limit_options")
    if not isinstance(options, exp.Expression) or not options.args.get("with_ties"):
        return False
    if query.args.get("order") is None:
        raise session.text.error("WITH TIES without ORDER BY", query, hint="order the rows")
    return True


def _count(node: exp.Expression | None, word: str, session: Session) -> Constant | Param | None:
    if node is None:
        return None
    arguments = Arguments(node, session.text)
    if isinstance(node, exp.Fetch):
        _fetched(arguments, session)
        value = arguments.optional("count") or exp.Literal.number(1)
    else:
        value = arguments.node_at("expression")
    arguments.done()
    if isinstance(value, exp.Var) and str(value.this).upper() == "ALL":
        return None
    lowered = lower_expression(value, Frame(session, Scope(session), word))
    if isinstance(lowered, Param):
        return lowered
    if isinstance(lowered, Call) and all(isinstance(e, Call | Constant) for e in walk(lowered)):
        lowered = Constant(compile_expression(lowered, NullCounter())(()))
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


def _fetched(arguments: Arguments, session: Session) -> None:
    """FETCH FIRST n ROWS ONLY is LIMIT n; `take_limits` reads WITH TIES; PERCENT is not supported."""
    arguments.take("direction")
    options = arguments.optional("limit_options")
    if options is None:
        return
    inner = Arguments(options, session.text)
    inner.take("rows")
    inner.flag("with_ties")
    if inner.flag("percent"):
        raise session.text.unsupported(
            "FETCH … PERCENT is not supported", arguments.node, hint="use LIMIT n", word="PERCENT"
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
