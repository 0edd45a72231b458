"""Addresses: where changes said their rows belong, kept beside the rows of tables that are routed by it.

Owns what a batch does to addresses: the last change of a row that carries one counts, a change without one leaves it,
a row that goes takes it along, and what is not judged a change of the row (redelivered, or older than the row) does
nothing. Refuses to know what an address means (`routing`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Final

import attrs

from sspcore.abc import Address
from sspcore.engine.change import Change
from sspcore.engine.door import Door
from sspcore.engine.draft import Draft, Resolution
from sspcore.engine.schema import check_id
from sspcore.engine.table import Id, Net, Table
from sspcore.errors import ChangeRejected, shown

Find = Callable[[Id], Address | None]
"""The address of a row, by its id."""

_NONE: Final[Mapping[Id, Address]] = {}
_SHARED: Final = 10_000
"""Addresses remembered, to have one object for all rows that share it."""


def nowhere(key: Id) -> None:
    """The address of rows that have none."""


def no_table(table: str) -> bool:
    """Nothing is routed by address."""
    return False


class NotingDoor(Door):
    """A door that notes which changes of a batch it passed over: redelivered ones, and those older than their row."""

    passed: set[int]

    def _seen(self, change: Change, marks: dict[str, int]) -> bool:
        seen = super()._seen(change, marks)
        if seen:
            self.passed.add(id(change))
        return seen

    def _newer(self, draft: Draft, key: Id, change: Change) -> bool:
        newer = super()._newer(draft, key, change)
        if not newer:
            self.passed.add(id(change))
        return newer


@attrs.define
class Addressing:
    """What a batch makes of addresses; nothing is written yet.

    `after`: table → id → the address then, None where it has none any more; of tables routed by address that the batch
    touches, those ids whose address changes. `moves`: rows that stay as they are and have another address.
    """

    after: dict[str, dict[Id, Address | None]]
    moves: dict[str, list[Net]]


class Addresses:
    """Table → id → address, for rows there are.

    Args: `tables`, `marks`, owned by the caller; `door`, which judges as theirs does.
    Attributes: `addressed`, which tables have addresses; `active`, whether any may.
    """

    def __init__(self, tables: Mapping[str, Table], door: NotingDoor) -> None:
        self.addressed: Callable[[str], bool] = no_table
        self.active = False
        self._tables = tables
        self._door = door
        self._held: dict[str, dict[Id, Address]] = {}
        self._shared: dict[Address, Address] = {}

    def follow(self, addressed: Callable[[str], bool], active: bool) -> None:
        """Keep addresses of these tables from now on, and those of them that are there already."""
        self.addressed, self.active = addressed, active
        self._held = {table: held for table, held in self._held.items() if active and addressed(table)}

    def finder(self, table: str, addressing: Addressing | None = None) -> Find:
        """The addresses of a table as they are, or as a batch would leave them."""
        held = self._held.get(table, _NONE)
        after = None if addressing is None else addressing.after.get(table)
        if not after:
            return held.get if held else nowhere
        return lambda key: after[key] if key in after else held.get(key)

    def resolve(self, changes: Sequence[Change]) -> tuple[Resolution, Addressing | None]:
        """Judge a batch, writing nothing; None where no address changes. Raises ChangeRejected. Cost: O(changes)."""
        if len(set(map(id, changes))) < len(changes):  # judged apart, so they must be told apart
            changes = [Change._make(change) if type(change) is Change else change for change in changes]
        passed: set[int] = set()
        self._door.passed = passed
        resolution = self._door.resolve(changes)
        return resolution, self._drafted(changes, passed, resolution)

    def _drafted(self, changes: Sequence[Change], passed: set[int], resolution: Resolution) -> Addressing | None:
        drafts: dict[str, dict[Id, Address | None]] = {}
        for index, change in enumerate(changes):
            if id(change) in passed or not self.addressed(change.table):
                continue
            draft = drafts.setdefault(change.table, {})
            try:
                self._follow(draft, change)
            except ChangeRejected as error:
                error.index, error.change = index, change
                raise
        after: dict[str, dict[Id, Address | None]] = {}
        for table, draft in drafts.items():
            held = self._held.get(table, _NONE)
            changed = {key: address for key, address in draft.items() if address != held.get(key)}
            if changed:
                after[table] = changed
        return Addressing(after, self._moves(after, resolution)) if after else None

    def _follow(self, draft: dict[Id, Address | None], change: Change) -> None:
        """What one change that counts does to the addresses of its table."""
        address, op = self._address(change), change.op
        if op == "clear" or op == "replace":
            for key in [*self._held.get(change.table, ()), *draft]:
                draft[key] = None
            if op == "replace" and address is not None:
                draft.update((check_id(key), address) for key in change.row)
        elif op == "delete":
            draft[check_id(change.id)] = None
        elif address is not None:
            draft[check_id(change.id)] = address

    def _address(self, change: Change) -> Address | None:
        targets, tenant = change.targets, change.tenant
        if not targets and tenant is None:
            return None
        if not isinstance(targets, tuple | list) or not all(isinstance(name, str) and name for name in targets):
            raise ChangeRejected(f"targets are names of circuits, not {shown(targets)}", hint='such as ("acme",)')
        if tenant is not None and (not isinstance(tenant, str) or not tenant):
            raise ChangeRejected(f"a tenant is named by text, not {shown(tenant)}", hint="leave it out where none is")
        if len(self._shared) >= _SHARED:
            self._shared.clear()
        address = Address(tuple(targets), tenant)
        return self._shared.setdefault(address, address)

    def _moves(self, after: Mapping[str, Mapping[Id, Address | None]], resolution: Resolution) -> dict[str, list[Net]]:
        """Rows in the layout the batch leaves, that it does not change, only their address."""
        moves: dict[str, list[Net]] = {}
        for name, changed in after.items():
            table = self._tables.get(name)
            if table is None:
                continue
            net = {key for key, _, _ in resolution.net.get(name, ())}
            schema = resolution.widened.get(name, table.schema)
            pad = (None,) * (len(schema.names) - len(table.names))
            found = [(key, table.rows[key] + pad) for key in changed if key not in net and key in table.rows]
            if found:
                moves[name] = [(key, row, row) for key, row in found]
        return moves

    def commit(self, addressing: Addressing) -> None:
        """Write what was resolved against the present state. Cannot fail."""
        for table, changed in addressing.after.items():
            held = self._held.setdefault(table, {})
            for key, address in changed.items():
                if address is None:
                    held.pop(key, None)
                else:
                    held[key] = address
            if not held:
                del self._held[table]


def joined(net: Mapping[str, list[Net]], moves: Mapping[str, list[Net]]) -> dict[str, list[Net]]:
    """Rows that change and rows that only move, per table."""
    tables = dict.fromkeys(chain(net, moves))
    return {table: [*net.get(table, ()), *moves.get(table, ())] for table in tables}
