"""Needs: which rows of each table a query can depend on, worked out once per query and bound for each view of it.

Owns the step from a template to the interests strategies are told. Refuses to judge rows (`routing.interest`).
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from sspcore.abc import ALL, Everything, Interests
from sspcore.algebra.values import Value
from sspcore.engine.crossing import without_time
from sspcore.engine.table import Table
from sspcore.engine.template import Template
from sspcore.plan.expressions import Expression, bind, columns_read
from sspcore.plan.interests import interests
from sspcore.plan.nodes import Scan
from sspcore.plan.traverse import walk_plan
from sspcore.routing.interest import Region


@attrs.frozen
class Needs:
    """Per table a condition with open parameters and the table's columns; no condition: every row."""

    conditions: Mapping[str, tuple[Expression | None, tuple[str, ...]]]

    def bound(self, params: Mapping[str, Value]) -> Interests:
        """The interests of a view with these parameters. Cost: O(conditions)."""
        return {table: _bound(condition, names, params) for table, (condition, names) in self.conditions.items()}


def needs_of(template: Template, tables: Mapping[str, Table]) -> Needs:
    """What a query needs of each table it names. Cost: O(plan).

    Of a table that lacks a column its condition reads it needs everything: the column may yet come, and with it other
    rows. What the time decides counts as met, so that nothing moves as it passes.
    """
    names = {table: list(tables[table].names) for table in template.tables}
    for node in walk_plan(template.optimised):
        if isinstance(node, Scan):
            names[node.table] += [column for column in node.columns if column not in names[node.table]]
    found = interests(template.optimised, names.__getitem__)
    conditions: dict[str, tuple[Expression | None, tuple[str, ...]]] = {}
    for table in sorted(template.tables):
        columns = tables[table].names
        condition = without_time(found.get(table))
        if condition is not None and max(columns_read(condition), default=0) >= len(columns):
            condition = None
        conditions[table] = condition, columns
    return Needs(conditions)


def _bound(condition: Expression | None, names: tuple[str, ...], params: Mapping[str, Value]) -> Everything | Region:
    return ALL if condition is None else Region(bind(condition, params), names)
