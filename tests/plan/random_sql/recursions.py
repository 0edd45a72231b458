"""Random queries of WITH RECURSIVE that end: closures over a table, and walks of a few steps.

Owns the form `first part UNION recursive part`. New values come of the tables, or are counted up to a bound.
"""

from __future__ import annotations

from sspcore.testing.generate.choices import Choices
from tests.plan.random_sql.expressions import NOT, Expressions
from tests.plan.random_sql.scopes import Scope, Source
from tests.plan.random_sql.tables import SCHEMAS


def recursion(c: Choices, name: str, draw: Expressions) -> tuple[str, list[tuple[str, str]]]:
    """`name (columns) AS (…)` and its columns."""
    first, other = c.pick(SCHEMAS), c.pick(SCHEMAS)
    kind = c.pick(("integer", "integer", "text"))
    start, probe, shown = (_column(c, table, kind) for table in (first, other, other))
    columns = [(f"{name}x", kind)]
    cells, steps = [f"p.{start}"], [f"q.{shown}"]
    if c.chance(40):
        columns.append((f"{name}y", "integer"))
        cells.append("0" if c.chance(60) else f"p.{_column(c, first, 'integer')}")
        steps.append(f"{name}y + 1" if cells[-1] == "0" else c.pick((f"{name}y", f"q.{_column(c, other, 'integer')}")))
    counted = steps[-1].endswith("+ 1")
    where = f" WHERE {draw.condition(_scope(c, 'p', first), 1).text}" if c.chance(40) else ""
    join = c.weighted(((6, "JOIN"), (1, "LEFT JOIN"), (2, ",")))
    on = f"q.{probe} = {name}x"
    bound = [f"{name}y < {c.between(1, 3)}"] if counted else []
    if c.chance(30):
        bound.append(draw.condition(_scope(c, "q", other), 1).at(NOT))
    if c.chance(15):
        free = c.pick(SCHEMAS)
        bound.append(f"{name}x {c.pick(('IN', 'NOT IN'))} (SELECT {_column(c, free, kind)} FROM {free.table})")
    if join == ",":
        step, bound = f"{name}, {other.table} AS q", [on, *bound]
    elif join == "JOIN" and c.chance(30):
        step = f"{other.table} AS q JOIN {name} ON {on}"
    else:
        step = f"{name} {join} {other.table} AS q ON {on}"
    inside = f" WHERE {' AND '.join(bound)}" if bound else ""
    listed = ", ".join([n for n, _ in columns])
    distinct = "DISTINCT " if c.chance(10) else ""
    text = (
        f"{name} ({listed}) AS (SELECT {', '.join(cells)} FROM {first.table} AS p{where}"
        f" UNION SELECT {distinct}{', '.join(steps)} FROM {step}{inside})"
    )
    return text, columns


def _column(c: Choices, table, kind: str) -> str:
    return c.pick([name for name, its in table.columns.items() if its == kind])


def _scope(c: Choices, alias: str, table) -> Scope:
    return Scope(c, [Source(alias, list(table.columns.items()))], bare=False)
