"""Regions: some rows of a table, as the interest of a view.

Owns the one judgement of whether a row is in it, for everyone who must agree: strategies, backfills, sweeps, refills.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import attrs

from sspcore.algebra.values import Key
from sspcore.engine.explain import show
from sspcore.engine.table import Row
from sspcore.index.clauses import Clause, clause_of
from sspcore.index.judge import closure_of
from sspcore.plan.expressions import Expression


@attrs.frozen(slots=False, cache_hash=True)
class Region:
    """The rows of a table that a condition holds for.

    Args: `condition`, over columns by position, its parameters bound; `columns`, the table's, to be shown by name.

    >>> from sspcore.plan.expressions import Call, Column, Constant
    >>> late = Region(Call(">", (Column(1), Constant(60))), ("id", "delay"))
    >>> late.matches(("AA1", 75)), late.matches(("AA1", None)), str(late)
    (True, False, '(delay > 60)')
    """

    condition: Expression
    columns: Sequence[str] = attrs.field(default=(), eq=False)

    @cached_property
    def _test(self) -> Callable[[Row], bool]:
        return closure_of(clause_of(self.condition)).test

    def matches(self, row: Row) -> bool:
        """Whether the row is in it. What cannot be told counts as a match, for every judge alike."""
        try:
            return self._test(row)
        except Exception:  # noqa: BLE001 - falls open, and for the same row always
            return True

    @cached_property
    def keys(self) -> Mapping[int, frozenset[Key]]:
        """Columns → the values, as canonical keys, one of which every row of it has there; never NULL."""
        return _keys(clause_of(self.condition))

    def __str__(self) -> str:
        return show(self.condition, tuple(self.columns))


def _keys(clause: Clause) -> dict[int, frozenset[Key]]:
    match clause:
        case ("=", column, key) if key is not None:
            return {column: frozenset([key])}
        case ("in", column, keys) if None not in keys:
            return {column: frozenset(keys)}
        case ("and", parts):
            found: dict[int, frozenset[Key]] = {}
            for part in parts:
                for column, keys in _keys(part).items():
                    found[column] = found[column] & keys if column in found else keys
            return found
        case ("or", parts):
            first, *others = map(_keys, parts)
            for other in others:
                first = {column: keys | other[column] for column, keys in first.items() if column in other}
            return first
    return {}
