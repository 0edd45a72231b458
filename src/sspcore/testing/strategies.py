"""Hypothesis strategies for everything a circuit is made of: values, schemas, rows, expressions, plans, histories.

Owns the bridge from the generators (`sspcore.testing.generate`) to hypothesis; every choice they make is one that
hypothesis records and shrinks. Needs hypothesis installed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import strategies as st

from sspcore.algebra.values import Value
from sspcore.engine.change import Change
from sspcore.engine.schema import Schema
from sspcore.plan.expressions import Expression
from sspcore.plan.nodes import Plan
from sspcore.testing.generate import expressions as _expressions
from sspcore.testing.generate import garbage as _garbage
from sspcore.testing.generate import plans as _plans
from sspcore.testing.generate import scenarios as _scenarios
from sspcore.testing.generate import tables as _tables
from sspcore.testing.generate import values as _values
from sspcore.testing.generate.choices import Choices
from sspcore.testing.generate.scenarios import Scenario

__all__ = [
    "batches", "changes", "expressions", "histories", "plans", "predicates", "rows", "scenarios", "schemas", "values",
]  # fmt: skip

T = TypeVar("T")


def _drawn(make: Callable[[Choices], T]) -> st.SearchStrategy[T]:
    return st.randoms(use_true_random=False).map(lambda random: make(Choices(random)))


def values(kind: str = "any") -> st.SearchStrategy[Value]:
    """Cells of a column type, from a small domain that holds the awkward ones; NULL now and then."""
    return _drawn(lambda c: _values.value(c, kind))


def schemas(table: str = "a") -> st.SearchStrategy[Schema]:
    """Schemas of one table: declared or open, keyed by `id`, by two columns or by nothing."""
    return _drawn(lambda c: _tables.schema(c, table))


def rows(schema: Schema) -> st.SearchStrategy[dict[str, Value]]:
    """Rows of a schema as mappings, without the key columns."""
    return _drawn(lambda c: _tables.row(c, schema))


def expressions(kinds: Sequence[str]) -> st.SearchStrategy[Expression]:
    """Expressions over a row whose columns have these types."""
    return _drawn(lambda c: _expressions.scalar(c, kinds, 2)[0])


def predicates(kinds: Sequence[str]) -> st.SearchStrategy[Expression]:
    """Conditions over a row whose columns have these types."""
    return _drawn(lambda c: _expressions.predicate(c, kinds))


def plans(schemas: Sequence[Schema], scans: int = 4) -> st.SearchStrategy[Plan]:
    """Plans over these tables with at most so many occurrences of tables."""
    return _drawn(lambda c: _plans.plan(c, schemas, scans))


def histories(schemas: Sequence[Schema], batches: int = 8) -> st.SearchStrategy[list[list[Change]]]:
    """Histories that a strict circuit accepts: a batch that fills the tables, then batches of any ops."""
    return _drawn(lambda c: _tables.history(c, schemas, batches))


def scenarios(views: int = 3, batches: int = 8, scans: int = 4, size: int = 6) -> st.SearchStrategy[Scenario]:
    """Schemas, views over them and a history, together.

    >>> from sspcore.testing.strategies import scenarios
    >>> sorted(scenarios(views=2).example().views)  # doctest: +SKIP
    ['v0', 'v1']
    """
    return _drawn(lambda c: _scenarios.scenario(c, views, batches, scans, size))


def changes(table: str = "a") -> st.SearchStrategy[Change]:
    """Changes with any content at all in every field, right or wrong: what a door must judge without breaking."""
    return _drawn(lambda c: _garbage.change(c, table))


def batches(table: str = "a") -> st.SearchStrategy[list[list[Change]]]:
    """Up to three batches of such changes."""
    return _drawn(lambda c: [_garbage.batch(c, table) for _ in range(c.between(1, 3))])
