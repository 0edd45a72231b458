"""Names: which table occurrence a column name means, from the innermost SELECT outwards.

Owns the rules of lookup (exact, then without regard to case; inner before outer; open tables last), and which outer
columns a subquery reads. Refuses to know expressions beyond columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import attrs
from sqlglot import exp

from sspcore.errors import InternalError, did_you_mean
from sspcore.plan.catalog import TableInfo, find_name, unseen
from sspcore.plan.expressions import Column, Expression, rewrite
from sspcore.plan.sql.arguments import Arguments
from sspcore.plan.sql.domain import Domain
from sspcore.plan.sql.session import Session

if TYPE_CHECKING:
    from sspcore.plan.sql.grouping import Grouping


class Source:
    """What FROM gives a name to: a table occurrence (columns get symbols when first read) or a derived table."""

    def __init__(self, session: Session, alias: str, table: str = "", info: TableInfo | None = None) -> None:
        self.session, self.alias, self.table, self.info = session, alias, table, info
        self.id = session.source()
        self.columns: list[tuple[str, int]] = []
        """(name, symbol) in order; of a table, those read so far."""
        self.star = False

    @property
    def is_open(self) -> bool:
        """Any name is a column."""
        return self.info is not None and self.info.open

    @property
    def names(self) -> list[str]:
        """The names of all columns known."""
        seen = [name for name, _ in self.columns]
        return seen if self.info is None else list(dict.fromkeys([*self.info.columns, *seen]))

    def add(self, name: str, symbol: int) -> None:
        """One more column of a derived table."""
        self.columns.append((name, symbol))

    def symbols(self, name: str) -> list[int]:
        """The symbols of the columns of exactly this name; a table's gets one now if it has none."""
        found = [symbol for known, symbol in self.columns if known == name]
        if found or self.info is None:
            return found
        symbol = self.session.symbol(name, self.info.columns.get(name, "any"), self.id)
        if name in self.info.key_columns:
            self.session.never_null.add(symbol)
        self.columns.append((name, symbol))
        return [symbol]

    def all_columns(self) -> list[tuple[str, int]]:
        """Every column, in order: what `*` means."""
        if self.info is None:
            return list(self.columns)
        self.star = True
        return [(name, self.symbols(name)[0]) for name in self.names]


@attrs.frozen(eq=False)
class Cte:
    """A query of WITH, its columns' new names, and what it sees: each use lowers it again.

    `recursive` is its name where it may read itself; inside its own recursive part, `found` is the names and the types
    of the columns of the rows found so far.
    """

    query: exp.Expression
    names: tuple[str, ...]
    around: Scope | None
    ctes: Mapping[str, Cte]
    recursive: str = ""
    found: tuple[tuple[str, ...], tuple[str, ...]] | None = None


@attrs.define(eq=False)
class Scope:
    """The sources of one SELECT, what is around it, and the CTEs it sees.

    `free` collects the outer symbols that are read here; with a `domain` they are read from there instead
    (see `subqueries`).
    """

    session: Session
    parent: Scope | None = None
    ctes: Mapping[str, Cte] = attrs.field(factory=dict)
    sources: list[Source] = attrs.field(factory=list)
    near: list[Source] = attrs.field(factory=list)
    """Sources that go before the others: in ON, those of the join itself before what a comma sets apart."""
    merged: dict[str, tuple[Expression, frozenset[int]]] = attrs.field(factory=dict)
    """Columns of JOIN … USING: name → value, and the symbols it hides."""
    free: set[int] = attrs.field(factory=set)
    domain: Domain | None = None
    lateral: bool = False
    """A query in FROM reads outer columns, so that this SELECT makes sense over a domain only."""
    windows: bool = False
    """Rows have places here, which depend on every condition."""
    clause: str = "FROM"
    """What is being lowered: tells whether an aggregate of this SELECT may stand there, also one written further in."""
    grouping: Grouping | None = None

    def distance(self, node: exp.Column) -> int:
        """How many SELECTs further out the column is found; 0 also where nothing is."""
        name, exact = identifier(self.session, node.this)
        qualifier = node.args.get("table")
        alias, exactly = ("", False) if qualifier is None else identifier(self.session, qualifier)

        def known(scope: Scope) -> bool:
            if alias:
                return find_name(alias, [s.alias for s in scope.sources], exact=exactly) is not None
            return scope.own(name, exact, node) is not None

        found = next((i for i, scope in enumerate(self.outwards()) if known(scope)), None)
        if found is None and not alias:  # a column that no table has yet
            found = next((i for i, scope in enumerate(self.outwards()) if any(s.is_open for s in scope.sources)), None)
        return found or 0

    def outwards(self) -> Iterator[Scope]:
        """This scope, and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def resolve(self, node: exp.Column) -> Expression:
        """What a column's name means here. Raises SqlError when nothing, or several things."""
        name, exact = identifier(self.session, node.this)
        qualifier = node.args.get("table")
        if qualifier is not None:
            return self._qualified(node, name, exact, *identifier(self.session, qualifier))
        found = self.known(name, exact, node)
        if found is None:
            found = self._invented(name, node)
        if found is None:
            raise self.session.text.error(f"unknown column {name!r}", node, hint=did_you_mean(name, self._all_names()))
        return found

    def known(self, name: str, exact: bool, node: exp.Expression) -> Expression | None:
        """The column of this name that some source is known to have, inner SELECTs first."""
        found = self.own(name, exact, node)
        if found is not None or self.parent is None:
            return found
        outer = self.parent.known(name, exact, node)
        return None if outer is None else self.crossed(outer)

    def own(self, name: str, exact: bool, node: exp.Expression) -> Expression | None:
        """The column of this name among the sources of this SELECT."""
        if self.near:
            found = self._among(self.near, name, exact, node)
            if found is not None:
                return found
        return self._among(self.sources, name, exact, node)

    def _among(self, sources: list[Source], name: str, exact: bool, node: exp.Expression) -> Expression | None:
        names = [n for source in sources for n in source.names]
        key = name if name in names else find_name(name, names, exact=exact)
        if key is None:
            return None
        symbols = [s for source in sources if key in source.names for s in source.symbols(key)]
        merged, hidden = self.merged.get(key, (None, frozenset()))
        if merged is not None and hidden <= set(symbols):
            symbols = [s for s in symbols if s not in hidden]
            if not symbols:
                return merged
            symbols += hidden
        if len(symbols) > 1:
            owners = [source.alias for source in sources if key in source.names]
            hint = f"write {owners[0]}.{key} or {owners[1]}.{key}" if len(set(owners)) > 1 else "give each an alias"
            raise self.session.text.error(f"column {name!r} is ambiguous", node, hint=hint)
        return self.session.column(symbols[0])

    def _invented(self, name: str, node: exp.Expression) -> Expression | None:
        """The column of this name that the only open table may yet get."""
        around = [s for s in self.sources if s.is_open]
        if len(around) > 1:
            raise self.session.text.error(
                f"which table is column {name!r} of?", node,
                hint="write " + " or ".join([f"{s.alias}.{name}" for s in around[:3]]),
            )  # fmt: skip
        if around:
            return self._new_column(around[0], name)
        outer = None if self.parent is None else self.parent._invented(name, node)
        return None if outer is None else self.crossed(outer)

    def _new_column(self, source: Source, name: str) -> Expression:
        if name not in source.names:
            assert source.info is not None
            self.session.warn(unseen(source.table, name, source.info.columns))
        return self.session.column(source.symbols(name)[0])

    def _qualified(self, node: exp.Column, name: str, exact: bool, qualifier: str, exactly: bool) -> Expression:
        source, crossings = self.find_source(qualifier, exactly, node)
        key = name if name in source.names else find_name(name, source.names, exact=exact)
        if key is not None:
            symbols = source.symbols(key)
            if len(symbols) > 1:
                raise self.session.text.error(
                    f"{qualifier!r} has {len(symbols)} columns {name!r}", node, hint="give each an alias"
                )
            found: Expression = self.session.column(symbols[0])
        elif source.is_open:
            found = self._new_column(source, name)
        else:
            raise self.session.text.error(
                f"{qualifier!r} has no column {name!r}", node, hint=did_you_mean(name, source.names)
            )
        for scope in crossings:
            found = scope.crossed(found)
        return found

    def find_source(self, alias: str, exact: bool, node: exp.Expression) -> tuple[Source, list[Scope]]:
        """The source of this name, and the scopes between it and here, outermost first. Raises SqlError."""
        crossed: list[Scope] = []
        scope: Scope | None = self
        while scope is not None:
            names = [s.alias for s in scope.sources]
            key = alias if alias in names else find_name(alias, names, exact=exact)
            if key is not None:
                return scope.sources[names.index(key)], crossed[::-1]
            crossed.append(scope)
            scope = scope.parent
        known = [s.alias for level in crossed for s in level.sources]
        raise self.session.text.error(f"no table {alias!r} in FROM", node, hint=did_you_mean(alias, known))

    def crossed(self, found: Expression) -> Expression:
        """An outer column as it is read from inside."""
        return rewrite(found, lambda e: self._inner(e) if isinstance(e, Column) else e)

    def _inner(self, column: Column) -> Column:
        if self.domain is None:
            self.free.add(column.index)
            return column
        if column.index not in self.domain.symbols:
            raise InternalError(f"lowering lost outer column {column.name!r}", hint="please report the query")
        return self.session.column(self.domain.symbols[column.index])

    def _all_names(self) -> list[str]:
        names = [n for source in self.sources for n in source.names]
        return names if self.parent is None else names + self.parent._all_names()

    def add(self, source: Source, node: exp.Expression) -> None:
        """One more source; its alias must be new here."""
        if any(s.alias == source.alias for s in self.sources):
            raise self.session.text.error(
                f"two tables in FROM are called {source.alias!r}", node, hint=f"write {source.alias} AS another_name"
            )
        self.sources.append(source)


def identifier(session: Session, node: object) -> tuple[str, bool]:
    """An identifier's name, and whether it is quoted (and so exact)."""
    place = node if isinstance(node, exp.Expression) else None
    if not isinstance(node, exp.Identifier):
        raise session.text.unsupported("a name in this form is not supported", place, hint="write a plain name")
    arguments = Arguments(node, session.text)
    name, quoted = arguments.take("this"), arguments.flag("quoted")
    arguments.done()
    if not isinstance(name, str):
        raise session.text.unsupported("a name in this form is not supported", place, hint="write a plain name")
    return name, quoted
