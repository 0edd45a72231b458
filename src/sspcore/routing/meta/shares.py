"""Shares: who holds which rows of one placed table, and who still must hear of rows it lost.

Owns the index of postings, kept posting by posting, and the answer for one image of a row. Refuses to know interests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sspcore.abc import ALL, Everything, Interest
from sspcore.algebra.values import Key, Value, canonical_key
from sspcore.engine.table import Row
from sspcore.index.shapes import OWN_KEYS
from sspcore.plan.expressions import Call, Column, Constant, Expression
from sspcore.routing.interest import Region
from sspcore.routing.meta.postings import Place

Circuits = tuple[str, ...]


class _Cell:
    """The circuits of one place: how many postings say so of each; those that lost it and have not settled."""

    __slots__ = ("holders", "leaving", "routed")

    def __init__(self) -> None:
        self.holders: dict[str, int] = {}
        self.leaving: dict[str, None] = {}
        self.routed: Circuits = ()
        """Holders and those that leave, and the default circuit where nobody holds."""

    def note(self, default: Circuits) -> None:
        """Holders or those that leave are others now."""
        self.routed = tuple(dict.fromkeys([*self.holders, *self.leaving, *(() if self.holders else default)]))


class Shares:
    """The postings of one table. Cost: a posting that comes or goes, O(circuits of its place); a question, one lookup
    per column that postings name.

    Args: `default`, the circuit of rows that no posting claims, if any.
    """

    def __init__(self, default: str | None) -> None:
        self._default: Circuits = () if default is None else (default,)
        self._lanes: dict[str, dict[Key, _Cell]] = {}
        self._whole: _Cell | None = None
        self._leaving: dict[str, dict[Place, None]] = {}
        self._touched: dict[Place, tuple[_Cell, Value, dict[str, int]]] = {}
        """Place → its cell, the value of its column, and its holders before."""
        self._columns: Sequence[str] = ()
        self._probes: tuple[tuple[int, dict[Key, _Cell]], ...] = ()
        """The lanes by position, as `_columns` has it: those whose column the table has."""
        self._alone: tuple[int, dict[Key, _Cell]] | None = None
        """The one lane there is, where no posting is about every row."""

    # Postings

    def post(self, place: Place, value: Value, circuit: str) -> None:
        """One more posting says so. Who is asked meanwhile may be told as before, until `moved`."""
        cell = self._touch(place, value)
        cell.holders[circuit] = cell.holders.get(circuit, 0) + 1

    def unpost(self, place: Place, value: Value, circuit: str) -> None:
        """One posting less says so; as above."""
        holders = self._touch(place, value).holders
        holders[circuit] -= 1
        if not holders[circuit]:
            del holders[circuit]

    def moved(self) -> list[tuple[Place, Value, Collection[str], Collection[str]]]:
        """Places with their value, who held them when this was asked last, and who does now, where these differ."""
        found: list[tuple[Place, Value, Collection[str], Collection[str]]] = []
        for place, (cell, value, before) in self._touched.items():
            if cell.holders.keys() != before.keys():
                found.append((place, value, before or self._default, tuple(cell.holders) or self._default))
            self._note(place, cell)
        self._touched = {}
        return found

    def leave(self, place: Place, circuit: str) -> None:
        """A circuit has lost the rows there: it hears of them until it has settled."""
        cell = self._ensure(place)  # it may have gone with its last posting
        cell.leaving[circuit] = None
        cell.note(self._default)
        self._leaving.setdefault(circuit, {})[place] = None

    def settle(self, circuit: str) -> None:
        """A circuit has given up all that it lost."""
        for place in self._leaving.pop(circuit, ()):
            cell = self._cell(place)
            assert cell is not None
            del cell.leaving[circuit]
            self._note(place, cell)

    def _touch(self, place: Place, value: Value) -> _Cell:
        touched = self._touched.get(place)
        if touched is None:
            cell = self._ensure(place)
            touched = self._touched[place] = cell, value, cell.holders.copy()
        return touched[0]

    def _cell(self, place: Place) -> _Cell | None:
        column, key = place
        if column is None:
            return self._whole
        lane = self._lanes.get(column)
        return None if lane is None else lane.get(key)

    def _ensure(self, place: Place) -> _Cell:
        cell = self._cell(place)
        if cell is None:
            cell = _Cell()
            column, key = place
            if column is None:
                self._whole = cell
                self._lay_out()
            else:
                if column not in self._lanes:
                    self._lanes[column] = {}
                    self._lay_out()
                self._lanes[column][key] = cell
        return cell

    def _note(self, place: Place, cell: _Cell) -> None:
        column, key = place
        if cell.holders or cell.leaving:
            cell.note(self._default)
        elif column is None:
            self._whole = None
            self._lay_out()
        else:
            lane = self._lanes[column]
            del lane[key]
            if not lane:
                del self._lanes[column]
                self._lay_out()

    # Questions

    def routed(self, image: Row, columns: Sequence[str]) -> Circuits:
        """The circuits to which a row with this image goes, as far as they are interested."""
        if columns is not self._columns:
            self._see(columns)
        if self._alone is not None:  # as a rule: one column decides
            at, lane = self._alone
            value = image[at] if at < len(image) else None
            cell = lane.get(value if type(value) in OWN_KEYS else canonical_key(value))
            return self._default if cell is None else cell.routed
        cells = self._cells(image)
        if not cells:
            return self._default
        if len(cells) == 1:
            return cells[0].routed
        found = [circuit for cell in cells for circuit in (*cell.holders, *cell.leaving)]
        claimed = any(cell.holders for cell in cells)
        return tuple(dict.fromkeys(found if claimed else (*found, *self._default)))

    def held(self, image: Row, columns: Sequence[str]) -> Circuits:
        """The circuits that hold a row with this image."""
        if columns is not self._columns:
            self._see(columns)
        found = [circuit for cell in self._cells(image) for circuit in cell.holders]
        return tuple(dict.fromkeys(found)) or self._default

    def _cells(self, image: Row) -> list[_Cell]:
        found = [] if self._whole is None else [self._whole]
        for at, lane in self._probes:
            value = image[at] if at < len(image) else None
            cell = lane.get(value if type(value) in OWN_KEYS else canonical_key(value))
            if cell is not None:
                found.append(cell)
        return found

    def _see(self, columns: Sequence[str]) -> None:
        if columns != self._columns:
            self._columns = columns
            self._lay_out()
        self._columns = columns

    def _lay_out(self) -> None:
        """Lanes come or go, or the columns are others."""
        columns = self._columns
        self._probes = tuple([
            (columns.index(column), lane) for column, lane in self._lanes.items() if column in columns
        ])  # fmt: skip
        self._alone = self._probes[0] if len(self._probes) == 1 and self._whole is None else None

    # Regions

    def region(self, places: Mapping[Place, Value]) -> Everything | Interest | None:
        """The rows of some places, by the value of each; all rows, where the column of one is not known yet."""
        if not places:
            return None
        values: dict[str | None, list[Constant]] = {}
        for (column, _), value in places.items():
            values.setdefault(column, []).append(Constant(value))
        conditions: list[Expression] = []
        for column, constants in values.items():
            if column is None or column not in self._columns:
                return ALL
            test = "=" if len(constants) == 1 else "in"
            conditions.append(Call(test, (Column(self._columns.index(column), column), *constants)))
        return Region(conditions[0] if len(conditions) == 1 else Call("or", tuple(conditions)), self._columns)

    @property
    def leaving(self) -> Collection[str]:
        """The circuits that have not settled."""
        return self._leaving.keys()
