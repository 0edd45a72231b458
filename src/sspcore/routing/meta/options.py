"""Options of `meta`: the placement tables, and the routing views over them.

Owns their form. What the queries mean is found out by `ground`, which has the tables.
"""

from __future__ import annotations

from typing import Final

import attrs

from sspcore.errors import UsageError

OWN_TABLES: Final = ("circuits", "views", "interests")
"""Tables of the strategy itself; its default routing view reads them."""
INTERESTED: Final = "interested"
"""The default routing view: which interests route, in tables that no other routing view places."""


@attrs.frozen
class RouteOptions:
    """`routes = [{…}]` of `meta`: a routing view.

    Args: `sql`, a query over placement tables whose rows are postings: columns `circuit`, `table`, `column`, `value`;
    `name`, the view's (`route_0`, … by place in the list); `tables`, which tables it places: only to be said where the
    query does not name them as constants in its column `table`.
    """

    sql: str
    name: str = ""
    tables: tuple[str, ...] = ()


@attrs.frozen
class MetaOptions:
    """Options of `meta`.

    Args: `placement`, the tables whose rows say who holds what: ordinary tables of the runtime; `routes`, the routing
    views over them; `default`, the circuit of those rows of a placed table that no posting claims (none: they stay in
    the runtime's base tables, counted as unrouted).
    """

    placement: tuple[str, ...] = ()
    routes: tuple[RouteOptions, ...] = ()
    default: str | None = None

    def __attrs_post_init__(self) -> None:
        for at, table in enumerate(self.placement):
            if not table:
                raise UsageError(f"placement[{at}]: a table's name is text, not ''")
            if table in OWN_TABLES:
                raise UsageError(
                    f"placement[{at}]: {table!r} is a table of the strategy itself", hint="give yours another name"
                )
            if table in self.placement[:at]:
                raise UsageError(f"placement[{at}]: {table!r} is listed twice")
        names: list[str] = []
        for at, route in enumerate(self.routes):
            name = self.name_of(at)
            if name in names or name == INTERESTED:
                raise UsageError(f"routes[{at}].name: {name!r} is taken", hint="give each routing view its own")
            if name in OWN_TABLES or name in self.placement:
                raise UsageError(f"routes[{at}].name: {name!r} is a table", hint="views and tables share one namespace")
            names.append(name)
            for table in route.tables:
                if not table:
                    raise UsageError(f"routes[{at}].tables: a table's name is text, not ''")
        if self.default == "":
            raise UsageError("default is the name of a circuit, not ''")
        if self.default is not None and not self.routes:
            raise UsageError("default is for rows that no posting claims, and there are no routes")

    def name_of(self, at: int) -> str:
        """The name of a routing view, by its place in the list."""
        return self.routes[at].name or f"route_{at}"
