"""WITH RECURSIVE: a query of WITH that reads itself.

Owns the form `first part UNION recursive part` and what each use of a query of WITH becomes: the query lowered again,
a recursion, or, inside the recursive part, the rows found so far. Refuses to
know what a step may be (`plan.recursion`).
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from sqlglot import exp

from sspcore.plan.expressions import Column
from sspcore.plan.nodes import Distinct, Plan, Project, Recursive, Working
from sspcore.plan.recursion import fault_of
from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.literals import widest_number
from sspcore.plan.sql.queries import Query, as_types, lower_query
from sspcore.plan.sql.relation import Relation
from sspcore.plan.sql.scope import Cte
from sspcore.plan.sql.session import Session
from sspcore.plan.traverse import columns


@attrs.frozen
class Given:
    """A query whose rows a plan gives as they are."""

    session: Session
    plan: Plan
    names: list[str]
    types: list[str]
    free: set[int]

    def relation(self, *, ordered: bool = False) -> Relation:
        """Its rows."""
        owner = self.session.source()
        symbols = [self.session.symbol(n, k, owner) for n, k in zip(self.names, self.types, strict=True)]
        return Relation(self.plan, tuple(symbols))


def names_itself(query: exp.Expression, name: str) -> bool:
    """Somewhere in the query a table is called so."""
    return any(
        isinstance(table.this, exp.Identifier) and str(table.this.this).casefold() == name.casefold()
        for table in query.find_all(exp.Table)
    )


def lower_cte(cte: Cte, session: Session) -> Query:
    """What a use of a query of WITH (or of one in FROM) stands for. Raises SqlError or UnsupportedSql."""
    if cte.found is not None:
        names, types = cte.found
        return Given(session, Working(cte.recursive, tuple(names)), list(names), list(types), set())
    if not cte.recursive or not names_itself(cte.query, cte.recursive):
        return lower_query(cte.query, session, cte.around, cte.ctes)
    return _recursion(cte, session)


def _recursion(cte: Cte, session: Session) -> Query:
    """The first part, and the recursive part over the rows found so far, until both agree on the columns' types."""
    first_part, recursive_part = _parts(cte, session)
    session.lowered.add(id(cte.query))
    first = lower_query(first_part, session, cte.around, cte.ctes)
    names = [*cte.names, *first.names[len(cte.names) :]]
    types = list(first.types)
    while True:
        inside = Cte(cte.query, (), None, {}, cte.recursive, (tuple(names), tuple(types)))
        step = lower_query(recursive_part, session, cte.around, {**cte.ctes, cte.recursive: inside})
        if len(step.names) != len(names):
            raise session.text.error(f"UNION of {len(names)} columns and {len(step.names)}", recursive_part)
        if first.free or step.free:
            raise session.text.unsupported(
                "a recursion that reads columns of the query around is not supported", cte.query,
                hint="recurse over all of them, and compare outside", word="RECURSIVE",
            )  # fmt: skip
        merged = _merged(types, step.types)
        if merged == types:
            break
        types = merged
    made = step.relation().plan
    made = made.input if isinstance(made, Distinct) else made  # UNION sifts the rows anyway
    start = _called(as_types(first.relation().plan, first.types, types), names)
    plan = Recursive(start, as_types(made, step.types, types), cte.recursive)
    fault = fault_of(plan)
    if fault is not None:
        raise session.text.unsupported(
            f"{fault.message} is not supported", recursive_part,
            hint=fault.hint, word=cte.recursive,
        )  # fmt: skip
    return Given(session, plan, names, types, set())


def _called(plan: Plan, names: list[str]) -> Plan:
    """The plan with these names for its columns."""
    if list(columns(plan)) == names:
        return plan
    return Project(plan, tuple([(name, Column(i, name)) for i, name in enumerate(names)]))


def _merged(ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """The types that hold both: the same, the wider of two numbers, else any."""
    return [a if a == b else widest_number({a, b}) or "any" for a, b in zip(ours, theirs, strict=True)]


def _parts(cte: Cte, session: Session) -> tuple[exp.Expression, exp.Expression]:
    """The two parts of the UNION. Raises UnsupportedSql for any other form."""
    query = cte.query
    if not isinstance(query, exp.Union):
        raise session.text.unsupported(
            f"{cte.recursive!r} reads itself, but is no UNION", query,
            hint="write SELECT … (where it starts) UNION SELECT … (one step on)", word="RECURSIVE",
        )  # fmt: skip
    arguments = Arguments(query, session.text)
    first, step = arguments.node_at("this"), arguments.node_at("expression")
    if not arguments.flag("distinct"):
        raise session.text.unsupported(
            "UNION ALL in WITH RECURSIVE is not supported", query,
            hint="write UNION: each different row once, so that circles come to an end", word="ALL",
        )  # fmt: skip
    for clause in ("order", "limit", "offset"):
        if arguments.optional(clause) is not None:
            raise session.text.unsupported(
                "ORDER BY and LIMIT of a recursion are not supported",
                query,
                hint="write them around it, where it is read",
            )
    arguments.done()
    if names_itself(first, cte.recursive):
        raise session.text.unsupported(
            f"{cte.recursive!r} reads itself in more than the last part of its UNION", first,
            hint="join all steps in one SELECT", word=cte.recursive,
        )  # fmt: skip
    return first, step
