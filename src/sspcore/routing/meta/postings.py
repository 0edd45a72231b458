"""Postings: the rows of routing views, read as who holds which rows of a table.

Owns what a posting means, and where it means nothing, why. Refuses to know how postings come about.
"""

from __future__ import annotations

from collections.abc import Container

import attrs

from sspcore.algebra.values import Key, Value, canonical_key
from sspcore.engine.table import Row
from sspcore.errors import shown

Place = tuple[str | None, Key]
"""Some rows of a placed table: those whose column has a value, by its canonical key; no column: every row."""


@attrs.frozen
class Posting:
    """A row of a routing view: rows of `table` with `value` in `column` are held by `circuit`; no column: every row.

    Args: `view`, the routing view; `fault`, why it has no effect, if it has none.
    """

    view: str
    circuit: Value
    table: Value
    column: Value
    value: Value
    fault: str = ""

    @property
    def place(self) -> Place:
        """The rows it is about, if it has effect."""
        if self.column is None:
            return None, None
        return str(self.column), canonical_key(self.value)

    @property
    def holder(self) -> str:
        """The circuit that holds them: text as it is, an integer by its digits."""
        return str(self.circuit)

    def __str__(self) -> str:
        where = "" if self.column is None else f" where {self.column} = {shown(self.value)}"
        return f"{self.table}{where} to {self.holder} ({self.view})"


def posting_of(view: str, row: Row, at: tuple[int, int, int, int], placed: Container[str]) -> Posting:
    """The posting that a row of a routing view is, `at` the places of its four columns.

    >>> print(posting_of("by_tenant", ("a", "orders", "tenant", "acme"), (0, 1, 2, 3), {"orders"}))
    orders where tenant = 'acme' to a (by_tenant)
    """
    circuit, table, column, value = [row[i] for i in at]
    fault = ""
    if type(circuit) not in (str, int) or circuit == "":
        fault = f"{shown(circuit)} names no circuit"
    elif type(table) is not str or table not in placed:
        fault = f"{shown(table)} is no table that {view} places"
    elif column is not None and (type(column) is not str or not column):
        fault = f"{shown(column)} names no column"
    elif column is not None and value is None:
        fault = "NULL is equal to nothing"
    return Posting(view, circuit, table, column, value, fault)
