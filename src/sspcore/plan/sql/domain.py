"""Domains: the different combinations of the outer values that a correlated subquery reads, as a table.

A subquery that reads outer columns in any way can be computed for all outer rows at once: it starts from its domain,
and its rows are matched to the outer rows by these values. Sound for any query without LIMIT, at the cost of one more
copy of the outer rows. Refuses to know queries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from sspcore.plan.expressions import Call, Constant, Expression
from sspcore.plan.sql.relation import Relation
from sspcore.plan.sql.session import Session

Pairs = list[tuple[Expression, Expression]]


@attrs.frozen
class Domain:
    """The outer values that a correlated subquery reads, each combination once, as a table it starts from."""

    relation: Relation
    source: int
    symbols: Mapping[int, int]
    """Outer symbol → symbol of the relation."""

    def again(self, session: Session) -> Domain:
        """The same table under symbols of its own, to be joined with this one."""
        source = session.source()
        fresh = {
            old: session.symbol(session.names[new], session.types[new], source) for old, new in self.symbols.items()
        }
        renamed = {self.symbols[old]: new for old, new in fresh.items()}
        return Domain(Relation(self.relation.plan, tuple([renamed[s] for s in self.relation.symbols])), source, fresh)


def domain_of(outer: Relation, free: set[int], session: Session) -> Domain:
    """The different combinations of the outer symbols' values."""
    source = session.source()
    symbols = {s: session.symbol(session.names[s], session.types[s], source) for s in sorted(free)}
    cells = [(new, session.names[old], session.column(old)) for old, new in symbols.items()]
    return Domain(outer.projected(cells).distinct(), source, symbols)


def matching(symbols: Iterable[tuple[int, int]], session: Session) -> Pairs:
    """Equalities that hold where each of our symbols has the value of theirs, NULLs equal."""
    pairs: Pairs = []
    for old, new in symbols:
        ours, theirs = session.column(old), session.column(new)
        if session.is_never_null(old):
            pairs.append((ours, theirs))
        else:  # NULL equals nothing: so compare whether it is NULL, and what it is with NULL replaced
            pairs.append((Call("is null", (ours,)), Call("is null", (theirs,))))
            pairs.append((Call("coalesce", (ours, Constant(False))), Call("coalesce", (theirs, Constant(False)))))
    return pairs
