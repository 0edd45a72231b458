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
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import bind_plan, params_of, tables_of


@attrs.frozen
class Understood:
    """A checked plan (parameters not yet bound), the parameters' canonical values, and warnings for people."""

    plan: Plan
    params: dict[str, Value]
    warnings: tuple[str, ...]


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


def lower_query(query: object, catalog: Catalog, views: Mapping[str, Plan]) -> Lowered:
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
    return lowered


def understand(
    query: object, params: Mapping[str, Any] | None, catalog: Catalog, views: Mapping[str, Plan]
) -> Understood:
    """`lower_query`, with a canonical value for every parameter; UsageError for a missing or an unknown one."""
    lowered = lower_query(query, catalog, views)
    values = _checked_params(lowered, params or {})
    if values:
        check(bind_plan(lowered.plan, values))  # a LIMIT may be a parameter, and then only its value can be judged
    return Understood(lowered.plan, values, lowered.warnings)


def _checked_params(lowered: Lowered, params: Mapping[str, Any]) -> dict[str, Value]:
    """The values the plan depends on; one that is written in the query and without effect is checked and dropped."""
    wanted = params_of(lowered.plan)
    for name in params:
        if name not in wanted and name not in lowered.written:
            raise UsageError(f"the query has no parameter ${name}", hint=did_you_mean(str(name), wanted))
    missing = sorted(wanted - set(params))
    if missing:
        raise UsageError(f"parameter ${missing[0]} has no value", hint="pass it in params")
    values = {}
    for name, value in params.items():
        try:
            values[name] = canonical(value)
        except ValueError as error:
            raise UsageError(f"parameter ${name}: {error}") from None
    return {name: value for name, value in values.items() if name in wanted}
