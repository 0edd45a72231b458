"""One lowering: what all its parts share.

Owns *symbols*: each column of each table occurrence, group, aggregate and output has a number of its own while a query
is lowered, and expressions hold these numbers as `Column(symbol)`; only when a plan node is made do they become
positions (`relation.Relation.over`). So an expression may move between nodes freely. Refuses to know SQL's clauses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sspcore.plan.catalog import Catalog
from sspcore.plan.expressions import Column, Expression
from sspcore.plan.nodes import Plan
from sspcore.plan.sql.text import Text
from sspcore.plan.types import type_of

if TYPE_CHECKING:
    from sspcore.plan.sql.scope import Cte

MAX_QUERIES: Final = 500
"""SELECTs in one query, each use of a CTE counted: CTEs that use the one before twice double at each step."""


class Session:
    """The text, the catalog and the symbols of one lowering."""

    def __init__(self, text: Text, catalog: Catalog, views: Mapping[str, Plan]) -> None:
        self.text, self.catalog, self.views = text, catalog, views
        self.names: list[str] = []
        self.types: list[str] = []
        self.owners: list[int] = []
        self.never_null: set[int] = set()
        self.padded: frozenset[int] = frozenset()
        """Occurrences on the padded side of an outer join: there even key columns may be NULL."""
        self.warnings: dict[str, None] = {}
        self.ctes: list[Cte] = []
        """Every query of a WITH."""
        self.lowered: set[int] = set()
        """The queries lowered so far, by the identity of their nodes."""
        self._sources = 0
        self._queries = 0

    def source(self) -> int:
        """The number of a new occurrence of a table, or of what stands for one."""
        self._sources += 1
        return self._sources

    def symbol(self, name: str, kind: str, owner: int) -> int:
        """A new symbol for a column of occurrence `owner`."""
        self.names.append(name)
        self.types.append(kind)
        self.owners.append(owner)
        return len(self.names) - 1

    def column(self, symbol: int) -> Column:
        """The expression that reads the symbol."""
        return Column(symbol, self.names[symbol])

    def type_of(self, expression: Expression) -> str:
        """The expression's column type as far as it is known, else `any`."""
        return type_of(expression, self.types)

    def is_never_null(self, symbol: int) -> bool:
        """No row can show NULL in this column."""
        return symbol in self.never_null and self.owners[symbol] not in self.padded

    def count_query(self) -> None:
        """One more SELECT is lowered. Raises SqlError when there are too many."""
        self._queries += 1
        if self._queries > MAX_QUERIES:
            raise self.text.error(
                f"more than {MAX_QUERIES} SELECTs, counting each use of a CTE",
                hint="register parts as views of their own",
            )

    def warn(self, message: str) -> None:
        """Something the author should know; said once."""
        self.warnings[message] = None
