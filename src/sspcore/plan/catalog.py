"""What lowering is given and what it gives: the columns of tables, and a plan with warnings.

Owns the view of a table that SQL and the builder need, and how a written name finds a column. Refuses to know rows;
`engine.schema.Schema` fits `TableInfo` without either knowing the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import attrs

from sspcore.errors import did_you_mean
from sspcore.plan.nodes import Plan


class TableInfo(Protocol):
    """A table's columns (name → type, in order), its key, and whether it takes columns it has not shown yet."""

    @property
    def columns(self) -> Mapping[str, str]:
        """Column name → declared type, one of boolean integer real text bytes timestamp date decimal json any."""

    @property
    def open(self) -> bool:
        """Rows may bring columns not listed; an unknown one reads as NULL."""

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns that hold the id, never NULL; none when it stands outside the row."""


Catalog = Mapping[str, TableInfo]
"""Tables by name. One that makes up open tables for any name need not list them."""


@attrs.frozen
class Lowered:
    """A plan, and what its author should know though it is no error (a column no row has brought yet).

    `written` are the parameters that the query names, also those that no value of the plan depends on.
    """

    plan: Plan
    warnings: tuple[str, ...] = ()
    written: frozenset[str] = frozenset()


def find_name(name: str, names: Iterable[str], *, exact: bool = False) -> str | None:
    """The one of `names` that is meant: the same text, else (unless `exact`) the only one alike but for case.

    >>> find_name("carrier", ["id", "Carrier"]), find_name("x", ["X", "x"]), find_name("n", ["N"], exact=True)
    ('Carrier', 'x', None)
    """
    known = list(names)
    if name in known:
        return name
    folded = name.casefold()
    alike = [] if exact else [n for n in known if n.casefold() == folded]
    return alike[0] if len(set(alike)) == 1 else None


def unseen(table: str, name: str, known: Iterable[str]) -> str:
    """The warning for a column of an open table that no row has brought yet.

    >>> unseen("flights", "carier", ["id", "carrier"])
    "no row of table 'flights' has brought column 'carier' yet: it reads as NULL; did you mean 'carrier'?"
    """
    near = did_you_mean(name, known)
    warning = f"no row of table {table!r} has brought column {name!r} yet: it reads as NULL"
    return f"{warning}; {near}" if near else warning
