"""Assumptions: what the planner is told of tables, as they are when a query is first planned.

Owns what of a table is known without counting: its rows, and the different values of columns that are arranged. Refuses
to keep them true: a plan stays as it is while tables grow, and wrong figures cost time, never rows.
"""

from __future__ import annotations

from collections.abc import Mapping

from sspcore.engine.arrangement import Arrangement
from sspcore.engine.table import Table
from sspcore.plan.join_order import Statistics, TableStatistics
from sspcore.plan.nodes import Join, Plan
from sspcore.plan.traverse import tables_of, walk_plan


def assumptions(plan: Plan, tables: Mapping[str, Table]) -> Statistics | None:
    """What is known of the tables of a plan; None where it has no joins to choose among.

    Tables without rows are left out: they are more likely to be filled yet than to stay empty. Cost: O(plan).
    """
    if sum([isinstance(node, Join) for node in walk_plan(plan)]) < 2:
        return None
    return {name: _known(tables[name]) for name in sorted(tables_of(plan)) if name in tables and tables[name].rows}


def _known(table: Table) -> TableStatistics:
    """A table's statistics; where nothing is known of a column, all its values count as different."""
    arranged = {name[0]: held for name, held in table.arrangements.items() if isinstance(held, Arrangement)
                and len(name) == 1}  # fmt: skip
    return TableStatistics(len(table.rows), {column: len(held.index) for column, held in sorted(arranged.items())})
