"""What leaves a circuit: snapshots, commits and the updates of views.

Owns these values and how two updates compose. Refuses to know how they are made or sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import attrs

from sspcore.algebra.values import Key, Value, same
from sspcore.algebra.zset import ZSet
from sspcore.engine.typed import TypedUpdate, reader
from sspcore.errors import InternalError

T = TypeVar("T")
Row = tuple[Value, ...]
RowChange = tuple[Key, Row | None, Row | None]
"""(key, old row or None, new row or None): added, removed, or updated in place."""
Placement = tuple[Key, Key | None]
"""(key, the key just before it in the new order, or None at the front)."""
Place = Callable[[Iterable[Key]], tuple[Placement, ...]]
"""The placements of those of the keys that a view holds, in its order now."""


class Snapshot(NamedTuple):
    """The whole value of a view at a version. `rows[i]` has key `keys[i]`; ordered views come in order.

    `warnings` names what was understood but is likely a slip, such as a column no row has yet.
    """

    view: str
    epoch: str
    version: int
    columns: tuple[str, ...]
    keys: list[Key]
    rows: list[Row]
    ordered: bool = False
    warnings: tuple[str, ...] = ()

    def dicts(self) -> list[dict[str, Value]]:
        """The rows as mappings."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def typed(self, as_type: type[T]) -> list[T]:
        """The rows as objects of an attrs class. Raises UsageError (the caller's) where a row does not fit it."""
        return list(map(reader(as_type, self.columns), self.rows))


class ViewUpdate(NamedTuple):
    """How one view changed in one commit (or several composed): `from_version → version`, chained exactly.

    `changes` has each key at most once, net. `placed`, of ordered views, lists each added or moved row with its
    predecessor, in final order: take the removed and the placed keys out, then insert each placed key after its
    predecessor, in this sequence. With `reset` the update replaces everything: `changes` are all the rows, in order.

    >>> from sspcore import Circuit, upsert
    >>> circuit = Circuit()
    >>> view = circuit.register("late", "SELECT id, delay FROM flights WHERE delay > 60")
    >>> made = circuit.apply([upsert("flights", "AA1", {"delay": 75})]).updates["late"]
    >>> made.added, made.from_version, made.version
    ((('AA1', 75),), 0, 1)
    >>> circuit.apply([upsert("flights", "AA1", {"delay": 90})]).updates["late"].updated
    ((('AA1', 75), ('AA1', 90)),)
    """

    view: str
    epoch: str
    from_version: int
    version: int
    columns: tuple[str, ...]
    changes: tuple[RowChange, ...]
    placed: tuple[Placement, ...] = ()
    reset: bool = False
    reason: str = ""

    @property
    def added(self) -> tuple[Row, ...]:
        """Rows whose key was not in the view before."""
        return tuple([new for _, old, new in self.changes if old is None and new is not None])

    @property
    def removed(self) -> tuple[Row, ...]:
        """Rows whose key is no longer in the view."""
        return tuple([old for _, old, new in self.changes if new is None and old is not None])

    @property
    def updated(self) -> tuple[tuple[Row, Row], ...]:
        """(old, new) rows that changed in place."""
        return tuple([(old, new) for _, old, new in self.changes if old is not None and new is not None])

    @property
    def nested(self) -> tuple[Any, ...]:
        """What changed within the nested rows of a view of format "tree"; nothing in other views, and in a reset."""
        return ()

    @property
    def delta(self) -> ZSet:
        """The change as a Z-set of rows: removed rows weigh −1, added rows +1."""
        weights: list[tuple[Row, int]] = []
        for _, old, new in self.changes:
            if old is not None:
                weights.append((old, -1))
            if new is not None:
                weights.append((new, 1))
        return ZSet(weights)

    def typed(self, as_type: type[T]) -> TypedUpdate[T]:
        """`added`, `removed` and `updated` as objects of an attrs class.

        Raises UsageError (the caller's) where a row does not fit it. Cost: that of cattrs, a few microseconds a row.
        """
        read = reader(as_type, self.columns)
        return TypedUpdate(
            tuple(map(read, self.added)), tuple(map(read, self.removed)),
            tuple([(read(old), read(new)) for old, new in self.updated]),
        )  # fmt: skip

    def then(self, later: ViewUpdate, place: Place | None = None) -> ViewUpdate:
        """This update followed by `later`, as one: applying it equals applying both.

        `place` gives the placements of keys in the view's order *now* (`View.placements`); ordered views need it.
        Raises InternalError when the two do not chain.
        """
        if later.reset:
            return later._replace(from_version=self.from_version)
        if later.epoch != self.epoch or later.from_version != self.version:
            raise InternalError(
                f"updates of view {self.view!r} do not chain: {self.epoch}-{self.version} then "
                f"{later.epoch}-{later.from_version}"
            )
        changes = compose_changes(self.changes, later.changes)
        if self.reset:
            changes = tuple([(key, None, new) for key, _, new in changes if new is not None])
        keys = [key for key, _ in self.placed] + [key for key, _ in later.placed]
        placed = place(dict.fromkeys(keys)) if place is not None and keys else ()
        if self.reset and placed:
            rows = {key: new for key, _, new in changes}
            changes = tuple([(key, None, rows[key]) for key, _ in placed])
        return self._replace(version=later.version, changes=changes, placed=placed)


def compose_changes(first: Iterable[RowChange], second: Iterable[RowChange]) -> tuple[RowChange, ...]:
    """Net of two runs of changes: first old, last new, no-ops dropped. Cost: O(both)."""
    net: dict[Key, RowChange] = {c[0]: c for c in first}
    for change in second:
        key, _, new = change
        before = net.get(key)
        if before is None:
            net[key] = change
        elif same(before[1], new):
            del net[key]
        else:
            net[key] = (key, before[1], new)
    return tuple(net.values())


@attrs.frozen
class BatchStats:
    """What a batch did: changes received, row changes after netting, no-ops among them, and the views it reached."""

    received: int
    netted: int
    no_ops: int
    duplicates: int
    tables: tuple[str, ...]
    views_visited: int
    views_changed: int


class Commit(NamedTuple):
    """What applying a batch gives: the circuit's version and the update of every view that changed.

    `failed` names views that could not go on, with what they raised. `stats` is computed when asked for, from `work`.

    >>> from sspcore import Circuit, upsert
    >>> commit = Circuit().apply([upsert("flights", "AA1", {"delay": 75}), upsert("flights", "AA1", {"delay": 75})])
    >>> commit.version, commit.updates, (commit.stats.received, commit.stats.netted)
    (1, {}, (2, 1))
    """

    version: int
    updates: Mapping[str, ViewUpdate]
    failed: Mapping[str, Exception]
    work: tuple[Any, ...]

    @property
    def stats(self) -> BatchStats:
        """What the batch did."""
        count, *given = self.work
        stats: BatchStats = count(*given)
        return stats


@attrs.frozen
class Result:
    """The answer of a one-off query."""

    columns: tuple[str, ...]
    rows: list[Row]

    def dicts(self) -> list[dict[str, Any]]:
        """The rows as mappings."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def typed(self, as_type: type[T]) -> list[T]:
        """The rows as objects of an attrs class. Raises UsageError (the caller's) where a row does not fit it."""
        return list(map(reader(as_type, self.columns), self.rows))
