"""From what people pass as a query to a checked plan: SQL text, a builder query, a plan, or a JSON plan.

Owns the choice of the way in, and the check that parameters fit. Refuses to know circuits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from sspcore.algebra.values import Value, canonical
from sspcore.engine.schema import Schema, open_schema
from sspcore.engine.table import Table
from sspcore.errors import UnknownTable, UsageError, did_you_mean
from sspcore.plan.catalog import Lowered
from sspcore.plan.check import check
from sspcore.plan.expressions import NOW
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import bind_plan, tables_of


@attrs.frozen
class Reading:
    """A checked plan, warnings for people, and the parameters that the query names, also those without effect."""

    plan: Plan
    warnings: tuple[str, ...]
    written: frozenset[str]
    inlines: bool = False
    """The query names a view, whose plan is now part of this one."""


class Plans(Mapping[str, Plan]):
    """The plans of views by id, for lowering `FROM view`; `used` has those that a query did read."""

    def __init__(self, plans: Mapping[str, Plan]) -> None:
        self._plans = plans
        self.used: dict[str, Plan] = {}

    def __getitem__(self, name: str) -> Plan:
        plan = self.used[name] = self._plans[name]
        return plan

    def __iter__(self) -> Iterator[str]:
        return iter(self._plans)

    def __len__(self) -> int:
        return len(self._plans)

    def __contains__(self, name: object) -> bool:
        return name in self._plans


class Bound(Mapping[str, Plan]):
    """The bound plans of views, each bound when it is asked for; `$now` stays open, so that they go on telling it."""

    def __init__(self, views: Mapping[str, Any]) -> None:
        self._views = views

    def __getitem__(self, name: str) -> Plan:
        view = self._views[name]
        return bind_plan(view.plan, {param: value for param, value in view.params.items() if param != NOW})

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __contains__(self, name: object) -> bool:
        return name in self._views


class Catalog(Mapping[str, Schema]):
    """Schemas by table name; unless strict, an unknown name is an open table nobody has filled yet."""

    def __init__(self, tables: Mapping[str, Table], strict: bool) -> None:
        self._tables = tables
        self._strict = strict

    def __getitem__(self, name: str) -> Schema:
        table = self._tables.get(name)
        if table is not None:
            return table.schema
        if self._strict or not name:
            raise KeyError(name)
        return open_schema(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def has(self, name: str) -> bool:
        """Whether the table is there already."""
        return name in self._tables

    def ambiguous(self, name: str) -> bool:
        """Whether there is a table of another name that is the same but for case. Cost: O(tables)."""
        folded = name.casefold()
        return any(table != name and table.casefold() == folded for table in self._tables)


def read_query(query: object, catalog: Mapping[str, Schema], views: Plans) -> Reading:
    """The checked plan of a query, and warnings. Raises SqlError, PlanError or UsageError: always the caller's.

    `views` maps view ids to their plans; `FROM view` inlines them.
    """
    if isinstance(query, str):
        from sspcore.plan.sql.lower import lower  # sqlglot is imported only when SQL is used

        lowered = lower(query, catalog, views=views)
    elif isinstance(query, Plan):
        lowered = Lowered(query)
    elif isinstance(query, Mapping):
        from sspcore.plan.json import from_json

        lowered = Lowered(from_json(query))
    elif hasattr(query, "lower"):
        lowered = query.lower(catalog)
    else:
        raise UsageError(
            f"a query is SQL text, a builder query, a plan or a JSON plan, not {type(query).__name__}",
            hint="start with sspcore.query('table'), or pass SQL text",
        )
    check(lowered.plan)
    for name in sorted(tables_of(lowered.plan)):
        if name in views:
            raise UsageError(f"{name!r} is a view", hint="only SQL reads views by name")
        if name not in catalog:
            raise UnknownTable(name, catalog)
    return Reading(lowered.plan, lowered.warnings, lowered.written, bool(views.used))


def moved_params(
    query: object, wanted: frozenset[str], old: Mapping[str, Value], params: Mapping[str, Any]
) -> dict[str, Value]:
    """The canonical values of a registered query's parameters when some of them change, as `canonical_params`.

    What a text names without effect is asked only where something else than `wanted` is given.
    """
    written = frozenset[str]()
    if isinstance(query, str) and not params.keys() <= wanted:
        from sspcore.plan.sql.lower import parameters  # sqlglot is imported only when SQL is used

        written = parameters(query)
    return canonical_params(wanted, written, {**old, **params})


def canonical_params(
    wanted: frozenset[str], written: frozenset[str], params: Mapping[str, Any] | None
) -> dict[str, Value]:
    """A canonical value for every parameter that the plan depends on, `wanted`.

    One that is only `written` in the query, without effect, is checked and dropped. Raises UsageError (the caller's)
    for a missing or an unknown one, or a value that is none.
    """
    if params is not None and params.keys() == wanted:
        try:
            return {name: canonical(value) for name, value in params.items()}
        except ValueError:
            pass  # which is at fault is told below
    given = params or {}
    values: dict[str, Value] = {}
    for name, value in given.items():
        if name not in wanted and name not in written:
            raise UsageError(f"the query has no parameter ${name}", hint=did_you_mean(str(name), wanted))
        try:
            values[name] = canonical(value)
        except ValueError as error:
            raise UsageError(f"parameter ${name}: {error}") from None
    for name in wanted:
        if name not in values:
            missing = min(wanted - given.keys())
            raise UsageError(f"parameter ${missing} has no value", hint="pass it in params")
    return values if len(values) == len(wanted) else {name: values[name] for name in given if name in wanted}
