"""The ground of routing: one engine circuit whose tables say what there is, and whose views say what routes.

Owns its tables (`circuits`, `views`, `interests`, the placement tables), its views (the default routing view and the
configured ones), and who watches these. Refuses to know what follows for rows of other tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sspcore.abc import Resolved
from sspcore.engine.circuit import Circuit
from sspcore.engine.schema import Schema
from sspcore.engine.table import Row
from sspcore.engine.update import Commit, RowChange, ViewUpdate
from sspcore.errors import SqlError, UsageError, did_you_mean
from sspcore.plan.expressions import Column, Constant
from sspcore.plan.nodes import (
    Aggregate,
    AntiJoin,
    Distinct,
    Except,
    Filter,
    Intersect,
    Join,
    Plan,
    Project,
    Scan,
    SemiJoin,
    TopK,
    Union,
)
from sspcore.plan.traverse import columns, params_of, tables_of, walk_plan
from sspcore.routing.meta.options import INTERESTED, MetaOptions
from sspcore.routing.meta.told import Entries

COLUMNS: Final = ("circuit", "table", "column", "value")
"""What a routing view must have."""
INTERESTED_SQL: Final = """\
SELECT i.number, i.circuit, i."table", i.view, i.condition, i.state
FROM interests AS i
JOIN views AS v ON v.circuit = i.circuit AND v.view = i.view
JOIN circuits AS c ON c.circuit = i.circuit"""
"""The default routing view: an interest of a view that there is, in a circuit that there is, routes."""

_OWN: Final = (
    Schema("circuits", {"circuit": "text"}, "circuit"),
    Schema("views", {"circuit": "text", "view": "text"}, ("circuit", "view")),
    Schema(
        "interests",
        {"number": "integer", "circuit": "text", "view": "text", "table": "text", "condition": "text", "state": "text"},
        "number",
    ),
)

Watcher = Callable[[ViewUpdate], object]
Changes = Mapping[str, list[RowChange]]
"""Routing view → what changed in it, in order."""


class Ground:
    """The circuit, and what it holds of each routing view.

    Raises UsageError (the caller's) for a query that cannot be a routing view, with its place.

    Attributes: `circuit`, to read; `places`, routing view → the tables it places.
    """

    def __init__(self, options: MetaOptions) -> None:
        self.circuit = Circuit("routing", _OWN)
        for table in options.placement:
            self.circuit.create_table(Schema(table, {}, None, open=True))
        self.circuit.register(INTERESTED, INTERESTED_SQL)
        self.places: dict[str, frozenset[str]] = {}
        self._watchers: dict[str, list[Watcher]] = {}
        for at, route in enumerate(options.routes):
            name = options.name_of(at)
            try:
                plan = self.circuit.explain(route.sql).plan
                self.places[name] = _placed(at, plan, route.tables, options)
                self.circuit.register(name, route.sql)
            except SqlError as error:
                raise UsageError(f"routes[{at}].sql: {error}") from None

    def at(self, view: str) -> tuple[int, int, int, int]:
        """Where the four columns of a routing view are."""
        names = self.circuit.view(view).columns
        circuit, table, column, value = map(names.index, COLUMNS)
        return circuit, table, column, value

    def tell(self, entries: Entries) -> Commit | None:
        """Rows of its own tables come and go. Raises what a view raised that cannot go on."""
        known = self.circuit.tables
        net = [
            (table, key, row) for (table, key), row in entries.items() if row is not None or key in known[table].rows
        ]
        return self._published(self.circuit.deliver(net)) if net else None

    def admit(self, rows: Iterable[Resolved]) -> Changes:
        """Rows of placement tables are in: what changes in the routing views. Raises as `tell` does."""
        entries: list[tuple[str, Any, Row | None]] = []
        changed: dict[str, list[RowChange]] = {}
        for table, key, _, new, names, *_ in rows:
            held = self.circuit.tables[table]
            if len(names) > len(held.names):
                schema = Schema(table, dict.fromkeys(names, "any"), None, open=True)
                self._note(changed, self._published(self.circuit.widen(schema)))
            entries.append((table, key, new))
        if entries:
            self._note(changed, self._published(self.circuit.deliver(entries)))
        return changed

    def watch(self, view: str, callback: Watcher) -> Callable[[], None]:
        """Call back with every update of a view, from its snapshot now; the function given ends that."""
        self.circuit.view(view)
        watchers = self._watchers.setdefault(view, [])
        watchers.append(callback)

        def leave() -> None:
            if callback in watchers:
                watchers.remove(callback)

        return leave

    def _published(self, commit: Commit) -> Commit:
        for view, update in commit.updates.items():
            for watcher in list(self._watchers.get(view, ())):
                watcher(update)
        for error in commit.failed.values():
            raise error
        return commit

    def _note(self, changed: dict[str, list[RowChange]], commit: Commit) -> None:
        for view, update in commit.updates.items():
            if view in self.places:
                changed.setdefault(view, []).extend(update.changes)


def _placed(at: int, plan: Plan, listed: tuple[str, ...], options: MetaOptions) -> frozenset[str]:
    """The tables that a routing view places. Raises UsageError where it cannot be one."""
    names = columns(plan)
    for name in COLUMNS:
        if names.count(name) != 1:
            raise UsageError(
                f"routes[{at}].sql: a routing view has one column {name!r}, this one {names.count(name)}",
                hint=did_you_mean(name, names) or f"its columns: {', '.join(names)}",
            )
    for name in sorted(tables_of(plan) - set(options.placement)):
        raise UsageError(
            f"routes[{at}].sql: {name!r} is no placement table",
            hint=f"list it under placement; listed: {', '.join(options.placement) or 'none'}",
        )
    for name in sorted(params_of(plan)):
        raise UsageError(f"routes[{at}].sql: ${name} has no value", hint="who holds what depends on rows alone")
    if any(scan.star for scan in walk_plan(plan) if isinstance(scan, Scan)):
        raise UsageError(f"routes[{at}].sql: * means other columns as a table grows", hint="name the columns")
    found = frozenset(listed) or _constants(plan, names.index("table"))
    if not found:
        raise UsageError(
            f"routes[{at}]: which tables it places cannot be told from the query",
            hint="list them under tables, or write their names as constants",
        )
    for name in sorted(found & set(options.placement)):
        raise UsageError(f"routes[{at}]: {name!r} is a placement table, and these go to whom they interest")
    return found


def _constants(plan: Plan, at: int) -> frozenset[str] | None:
    """The texts that a column of the plan's result can be; None where that cannot be told."""
    match plan:
        case Project() | Aggregate():
            cells = plan.columns if isinstance(plan, Project) else plan.groups
            cell = cells[at][1] if at < len(cells) else None
            if isinstance(cell, Column):
                return _constants(plan.input, cell.index)
            return frozenset([cell.value]) if isinstance(cell, Constant) and type(cell.value) is str else None
        case Filter() | Distinct() | TopK():
            return _constants(plan.input, at)
        case Union(inputs=inputs):
            found: frozenset[str] = frozenset()
            for part in inputs:
                constants = _constants(part, at)
                if constants is None:
                    return None
                found |= constants
            return found
        case Join(left=left, right=right):
            width = len(columns(left))
            return _constants(left, at) if at < width else _constants(right, at - width)
        case SemiJoin() | AntiJoin() | Intersect() | Except():
            return _constants(plan.left, at)
    return None
