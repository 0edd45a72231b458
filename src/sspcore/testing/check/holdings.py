"""What circuits hold, and what they must: the laws that are judged by results, after every step.

Owns which rows the views of a circuit need. Refuses to know how rows got where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from sspcore.abc import Everything, Interest, Interests, Resolved
from sspcore.engine.interpret import interpret
from sspcore.testing.check.examine import Examiner
from sspcore.testing.check.laws import ContractBroken
from sspcore.testing.check.told import concerns, told_image
from sspcore.testing.check.worlds import Row, World
from sspcore.testing.oracle import LawBroken, expect_same


@attrs.define(eq=False)
class View:
    """A view of a circuit: the plan it is to show (None: it is being given up), and the one its circuit shows now."""

    plan: int | None
    live: int | None = None


@attrs.define(eq=False)
class Circuit:
    """A circuit: whether it runs, its views, the rows it holds by table and id, and work under way, oldest first."""

    name: str
    running: bool = True
    views: dict[str, View] = attrs.field(factory=dict)
    held: dict[str, dict[Any, Row]] = attrs.field(factory=dict)
    work: dict[str, Iterator[None]] = attrs.field(factory=dict)
    gained: dict[str, list[Everything | Interest]] = attrs.field(factory=dict)
    """Table → what a placing strategy gave it, as long as that is being filled in."""


@attrs.frozen
class _Rows:
    """A table as `interpret` reads it."""

    names: tuple[str, ...]
    rows: dict[Any, Row]


class Holdings:
    """The base rows and the circuits of one history."""

    def __init__(self, examiner: Examiner) -> None:
        self.examiner = examiner
        self.told, self.judge, self.checked = examiner.told, examiner.judge, examiner.checked
        self.base: dict[str, dict[Any, Row]] = {table: {} for table in self.world.schemas}
        self.circuits: dict[str, Circuit] = {}

    @property
    def world(self) -> World:
        """The world as it is now."""
        return self.examiner.world

    def needs(self, circuit: Circuit, table: str, key: Any, row: Row, *, live: bool | None = None) -> bool:
        """Whether its views need a row: those to come, those shown now (`live`), or either."""
        needed = False
        for title, view in circuit.views.items():
            both: list[Interests] = []
            if live is not True and view.plan is not None:
                both.append(self.told.circuits[circuit.name][title][0])
            if live is not False and view.live is not None:
                both.append(self.world.interests[view.live])
            for interests in both:
                if table in interests and (not self.judge.selects(table) or concerns(interests[table], row)):
                    needed = True
        return needed and self.share(circuit, table, key, row)

    def share(self, circuit: Circuit, table: str, key: Any, row: Row) -> bool:
        return self.judge.share(circuit.name, Resolved(table, key, None, row, self.world.schemas[table].names), row)

    def check(self) -> None:
        """Every circuit that runs holds current rows, those its views need, and once all is settled no other."""
        for circuit in self.circuits.values():
            if circuit.running:
                for table in self.base:
                    self._check_held(circuit, table)
                if not circuit.gained and not any(owner == circuit.name for owner, _ in self.told.lost):
                    self._check_views(circuit)

    def _check_held(self, circuit: Circuit, table: str) -> None:
        held, base = circuit.held.get(table, {}), self.base[table]
        settled = not circuit.work
        for key, row in held.items():
            if base.get(key) is not row:
                raise self._wrong("current", circuit, table, key, row)
            if settled and self.judge.selects(table) and not self.needs(circuit, table, key, row, live=False):
                raise self._wrong("given up", circuit, table, key, row)
        if any(key.startswith("move ") for key in circuit.work):
            return
        for key, row in base.items():
            if key not in held and self.needs(circuit, table, key, row, live=not settled):
                raise self._wrong("held", circuit, table, key, row)

    def _wrong(self, law: str, circuit: Circuit, table: str, key: Any, row: Row) -> ContractBroken:
        now = self.base[table].get(key)
        columns = self.world.schemas[table].names
        shown_row = told_image(Resolved(table, key, None, row, columns))
        where = f"circuit {circuit.name!r}"
        if law == "current":
            new = "gone" if now is None else told_image(Resolved(table, key, None, now, columns))
            text = f"{where} holds row {key!r} of {table!r} as {shown_row}; it is {new} now"
        elif law == "held":
            text = f"{where} misses row {key!r} of {table!r}, {shown_row}, which its views need"
        else:
            text = f"{where} still holds row {key!r} of {table!r}, {shown_row}, which no view of it needs"
        return self.examiner.broken(law, text, "route")

    def _check_views(self, circuit: Circuit) -> None:
        """Views over what is held equal views over all rows, or the share of them."""
        if not any(view.live is not None for view in circuit.views.values()):
            return
        here, all_ = {}, {}
        for table, rows in self.base.items():
            names = self.world.schemas[table].names
            here[table] = _Rows(names, {key: row for key, row in rows.items() if key in circuit.held.get(table, {})})
            share = {key: row for key, row in rows.items() if self.share(circuit, table, key, row)}
            all_[table] = _Rows(names, share)
        for title, view in circuit.views.items():
            if view.live is None or all(here[t].rows == all_[t].rows for t in self.world.interests[view.live]):
                continue
            plan = self.world.plans[view.live]
            try:
                expect_same(interpret(plan, here), interpret(plan, all_), f"view {title!r} of circuit {circuit.name!r}")
            except LawBroken as error:
                raise self.examiner.broken("views", str(error), "route") from None
