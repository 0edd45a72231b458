"""Hypothesis strategies for everything a circuit is made of: values, schemas, rows, expressions, plans, histories.

Owns the bridge from the generators (`sspcore.testing.generate`) to hypothesis; every choice they make is one that
hypothesis records and shrinks. Needs hypothesis installed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from sspcore.algebra.values import NAN, Value
from sspcore.engine.change import OPS, Change
from sspcore.engine.schema import Schema
from sspcore.plan.expressions import Expression
from sspcore.plan.nodes import Plan
from sspcore.testing import generate
from sspcore.testing.generate import expressions as _expressions
from sspcore.testing.generate import plans as _plans
from sspcore.testing.generate import scenarios as _scenarios
from sspcore.testing.generate import tables as _tables
from sspcore.testing.generate import values as _values
from sspcore.testing.generate.choices import Choices
from sspcore.testing.generate.scenarios import Scenario

__all__ = [
    "changes", "expressions", "generate", "histories", "plans", "predicates", "rows", "scenarios", "schemas", "values",
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


def changes(table: str = "a") -> st.SearchStrategy[Any]:
    """Changes with any content at all in every field, right or wrong: what a door must judge without breaking."""
    return _anything(table)


def _anything(table: str) -> st.SearchStrategy[Any]:
    cell = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.binary(max_size=3),
        st.datetimes(), st.dates(), st.decimals(), st.just(NAN), st.just(object()), st.complex_numbers(),
    )  # fmt: skip
    nested = st.recursive(
        cell,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2) | cell, inner, max_size=3),
        max_leaves=6,
    )  # fmt: skip
    names = st.sampled_from(("id", "u", "v", "w", "k", "l", "zz", "", "\ud800")) | st.integers()
    likely: list[Any] = [1, 2, "1", "x:01", (1, "p"), (2, "q"), 1.0, True, None, (), [], "", "\ud800"]
    ids = st.sampled_from(likely) | nested
    row = st.dictionaries(names, nested, max_size=4)
    return st.builds(
        Change,
        table=st.sampled_from((table, table, table, "b", "view", "new", "", None, 7)),
        op=st.sampled_from((*OPS, *OPS, "insert", "", None, 1)),
        id=ids,
        row=row | row | st.none() | nested | st.lists(nested, max_size=5).map(tuple)
        | st.dictionaries(ids.filter(_hashable), row | nested, max_size=3),
        seq=st.none() | st.none() | st.integers(-2, 5) | cell,
        source=st.none() | st.sampled_from(("s", "t", "", 3)),
        version=st.none() | st.none() | st.integers(-2, 5) | cell,
    )  # fmt: skip


def _hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
