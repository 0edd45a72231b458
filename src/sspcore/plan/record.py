"""A stand-in for one row, whose attributes are columns: what `lambda f: f.dep_delay > 60` is given.

Owns the stand-in and which names a class has. Refuses to know queries.
"""

from __future__ import annotations

import inspect
from typing import Any

from sspcore.errors import UsageError, did_you_mean
from sspcore.plan.terms import Term, col


class Record:
    """Attribute `x` is the column `x`, as a term. Of a class, only the names it annotates."""

    def __init__(self, of: type[Any] | None) -> None:
        self.__dict__["_of"] = of

    def __getattr__(self, name: str) -> Term:
        of = self.__dict__["_of"]
        if of is not None and name not in (names := column_names(of)):
            raise UsageError(f"{of.__name__} has no column {name!r}", hint=did_you_mean(name, names))
        return col(name)


def record(of: type[Any] | None) -> Record:
    """The stand-in for a row of a class, or of any table.

    >>> record(None).dep_delay > 60
    Term(name='')
    """
    return Record(of)


def column_names(of: type[Any]) -> list[str]:
    """The names a class annotates, those of its bases first."""
    return list(dict.fromkeys(name for base in reversed(of.__mro__) for name in inspect.get_annotations(base)))
