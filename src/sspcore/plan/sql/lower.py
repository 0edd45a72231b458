"""The door: SQL text to a plan.

Owns the promise that any text gives a plan, a SqlError or an UnsupportedSql, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from sspcore.errors import PlanError, SqlError
from sspcore.plan.catalog import Catalog, Lowered
from sspcore.plan.check import check
from sspcore.plan.nodes import Plan
from sspcore.plan.rank_bounds import bounded
from sspcore.plan.sql.queries import judge_unread, lower_query
from sspcore.plan.sql.session import Session
from sspcore.plan.sql.text import Text


def lower(sql: str, catalog: Catalog, *, views: Mapping[str, Plan] | None = None) -> Lowered:
    """The plan of a query, and warnings for its author.

    Args: `catalog` gives the columns of tables by name; `views` the plans that `FROM name` stands for.
    Raises SqlError (the author's) with line, column and caret; UnsupportedSql for SQL that is valid and not kept live,
    with what to write instead. Cost: some milliseconds.

    >>> from sspcore.plan.traverse import columns
    >>> class Flights:
    ...     columns, open, key_columns = {"id": "text", "carrier": "text", "dep_delay": "integer"}, False, ("id",)
    >>> lowered = lower("SELECT carrier, count(*) AS n FROM flights WHERE dep_delay > $m GROUP BY 1",
    ...                 {"flights": Flights()})
    >>> columns(lowered.plan)
    ('carrier', 'n')
    """
    text = Text(sql)
    try:
        session = Session(text, catalog, views or {})
        tree = text.parse()
        query = lower_query(tree, session, None, {})
        text.check_names(tree)  # after lowering: what is refused by name is refused better there
        plan = bounded(query.relation(ordered=True).plan)
        judge_unread(session)
        check(plan)
    except RecursionError:
        raise SqlError("the query nests too deeply", sql, hint="split it into several views") from None
    except PlanError as error:  # only size can be at fault here
        raise SqlError(error.message, sql, hint=error.hint) from None
    return Lowered(plan, tuple(session.warnings), _written(tree))


def parameters(sql: str) -> frozenset[str]:
    """The parameters that a query which can be lowered names. Cost: parsing it.

    >>> parameters("SELECT id, $a FROM flights WHERE dep_delay > $m") == {"a", "m"}
    True
    """
    return _written(Text(sql).parse())


def _written(tree: exp.Expression) -> frozenset[str]:
    return frozenset([p.this.name for p in tree.find_all(exp.Parameter)])
