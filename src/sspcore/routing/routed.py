"""Routed: who holds a row is said by its change (its address), a tenant in a column, its table, or a function of it.

Owns the order in which they are asked. Refuses to keep addresses: the runtime does, beside the rows, so that a circuit
filled late or anew finds its share again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from sspcore.abc import Address
from sspcore.engine.table import Row
from sspcore.errors import ChangeRejected, UsageError, shown
from sspcore.routing.partition import EVERYWHERE, Homes, Partitioned


@attrs.frozen
class RoutedOptions:
    """Options of `routed`; asked in this order, the first that answers counts.

    Args: `by_change`, whether changes are asked first: the circuits one names (`targets`, "*" for every circuit), else
    its `tenant`; a row stays where its last change with an address put it; `column`, whose value names the circuit
    (NULL, or no such column: ask on); `names`, tenant or value → circuit where they differ; `tables`, table → circuit
    or list of circuits, "*" for every circuit; `default`, the circuit of the other rows (none: they are refused);
    `whole`, circuits that hold every row of the tables they read.
    """

    by_change: bool = False
    column: str | None = None
    names: Mapping[str, Any] = attrs.field(factory=dict)
    tables: Mapping[str, Any] = attrs.field(factory=dict)
    default: str | None = None
    whole: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        for option, held in (("names", self.names), ("tables", self.tables)):
            for name, given in held.items():
                several = option == "tables" and isinstance(given, list | tuple)
                for circuit in given if several else (given,):
                    if not isinstance(circuit, str) or not circuit:
                        raise UsageError(f"{option}.{name}: a circuit's name is text, not {shown(circuit)}")
        if "" in (self.column, self.default, *self.whole):
            raise UsageError("a name cannot be ''")


Function = Callable[[str, Any, Mapping[str, Any]], str | Sequence[str] | None]
"""(table, id, column → value) → the circuit or circuits of the row, or None: ask on. Must be pure."""


class Routed(Partitioned):
    """Each row goes to the circuits it names, as far as they read its table.

    Args: `options`; `function`, asked after column and tables, before the default. In a runtime a batch is refused,
    whole, when one of its rows names no circuit or one that does not exist. A function that raises refuses it too.

    >>> from sspcore.abc import ALL, Resolved
    >>> routed = Routed(RoutedOptions(column="tenant"))
    >>> for circuit in ("acme", "duff"):
    ...     routed.circuit_added(circuit)
    ...     routed.view_added(circuit, "all", {"orders": ALL})
    >>> list(routed.route([Resolved("orders", 7, (7, "acme"), (7, "duff"), ("id", "tenant"))]))
    [(('acme', 'retract'), ('duff', 'put'))]
    """

    def __init__(self, options: RoutedOptions | None = None, function: Function | None = None) -> None:
        super().__init__()
        self.options = options = options or RoutedOptions()
        self.function = function
        ways = options.by_change or options.column is not None or options.tables or options.default is not None
        if not ways and function is None:
            raise UsageError(
                "routed needs to know by what",
                hint="give it by_change, a column, tables, a default, or in code a function",
            )
        self._names = {value: (circuit,) for value, circuit in options.names.items()}
        self._tables = {table: _homes(given) for table, given in options.tables.items()}
        self._default = None if options.default is None else (options.default,)
        self._whole = frozenset(options.whole)
        if options.by_change:
            self.addressed = self._addressed

    def whole(self, circuit: str) -> bool:
        """Those configured so."""
        return circuit in self._whole

    def _addressed(self, table: str) -> bool:
        """Every table is asked for by address."""
        return True

    def homes(
        self, table: str, key: Any, image: Row, columns: Sequence[str], address: Address | None = None
    ) -> Homes | None:
        """By address, column, table, function, default. Raises ChangeRejected where none answers."""
        if address is not None and self.options.by_change:
            targets, tenant = address
            if targets:
                return _homes(targets)
            if tenant is not None:
                return self._names.get(tenant) or (tenant,)
        column = self.options.column
        if column is not None and column in columns:
            at = columns.index(column)
            value = image[at] if at < len(image) else None
            if value is not None:
                return self._named(table, key, value)
        if table in self._tables:
            return self._tables[table]
        if self.function is not None:
            answer = self.function(table, key, dict(zip(columns, image, strict=False)))
            if answer is not None:
                return _homes(answer)
        if self._default is not None:
            return self._default
        raise self._nameless(table, key)

    def _nameless(self, table: str, key: Any) -> ChangeRejected:
        """The error for a row of which nothing names a circuit: what was asked, and what to do."""
        column = self.options.column
        asked = [f"column {column!r} is NULL or missing"] if column is not None else []
        moves = ["fill it in"] if column is not None else []
        if self.options.by_change:
            asked.insert(0, "no change gave it targets or a tenant")
            moves.insert(0, 'give the change a tenant (change._replace(tenant="…"))')
        asked = asked or [f"table {table!r} is not listed"]
        return ChangeRejected(
            f"row {shown(key)} of {table!r} names no circuit: {', and '.join(asked)}",
            hint=", ".join([*moves, "list the table under tables, or configure a default"]),
        )

    def _named(self, table: str, key: Any, value: Any) -> Homes:
        """The circuit of a column's value: text as it is, an integer by its digits."""
        if type(value) is int or (type(value) is str and value):
            name = str(value)
            return self._names.get(name) or (name,)
        raise ChangeRejected(
            f"row {shown(key)} of {table!r} names no circuit: {shown(value)} in column {self.options.column!r}",
            hint="text or an integer names a circuit",
        )


def _homes(given: str | Sequence[str]) -> Homes | None:
    if isinstance(given, str):
        return EVERYWHERE if given == "*" else (given,)
    return EVERYWHERE if "*" in given else tuple(given)
