"""Meta: who holds which rows is what SQL says over tables of one's own; routing is a query kept live.

Owns the two indexes, postings and interests, and keeps them by nothing but the deltas of the routing views. Refuses to
run a query for a row that is routed, and to follow circuits as they come and go: a posting may name one before it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import attrs

from sspcore.abc import Interests, Move, Reason, Resolved, Routing, Target
from sspcore.algebra.values import Key, Value, canonical_key
from sspcore.engine.circuit import Circuit
from sspcore.engine.table import Row
from sspcore.index.statistics import IndexStatistics
from sspcore.routing.any_of import AnyOf
from sspcore.routing.meta.ground import Changes, Ground, Watcher
from sspcore.routing.meta.options import INTERESTED, MetaOptions
from sspcore.routing.meta.postings import Place, Posting, posting_of
from sspcore.routing.meta.reasons import reasons
from sspcore.routing.meta.shares import Circuits, Shares
from sspcore.routing.meta.told import Entries, Told
from sspcore.routing.predicate import Predicate

Targets = tuple[Target, ...]
_REMEMBERED: Final = 10_000
"""Ways between circuits whose targets are kept for the next row that goes the same way."""


@attrs.frozen
class PlacementStatistics:
    """What the routing views say: `postings` with effect; `faults`, fault → how many postings have it; `unknown`,
    circuits that postings name and that do not exist; `leaving`, (circuit, table) that have not settled."""

    postings: int
    faults: Mapping[str, int]
    unknown: tuple[str, ...]
    leaving: tuple[tuple[str, str], ...]


class Placed:
    """A table whose rows the postings share out. Cost of a change: a lookup per image and column that postings name."""

    def __init__(self, default: str | None) -> None:
        self.shares = Shares(default)
        self.readers: dict[str, AnyOf] = {}
        self._ways: dict[tuple[Circuits, Circuits], Targets | None] = {}
        """(circuits of the old image, of the new) → targets, where all of them want all rows; else None: ask them."""
        self._made: dict[Targets, Targets] = {}

    def forget(self) -> None:
        """Somebody wants other rows now."""
        self._ways, self._made = {}, {}

    def targets(self, old: Row | None, new: Row | None, columns: Sequence[str]) -> Targets:
        """Puts where a circuit holds, or has not settled, the new image and wants it; retractions where the old."""
        before = () if old is None else self.shares.routed(old, columns)
        after = () if new is None else self.shares.routed(new, columns)
        way = before, after
        targets = self._ways.get(way)
        if targets is None:
            targets = self._asked(before, after, old, new)
            if way not in self._ways:
                readers = [self.readers[circuit] for circuit in (*before, *after) if circuit in self.readers]
                self._remember(way, targets if all(reader.everything for reader in readers) else None)
        return targets

    def _asked(self, before: Circuits, after: Circuits, old: Row | None, new: Row | None) -> Targets:
        """The same, by asking each circuit; equal targets are one tuple, so that others look into it once."""
        targets: list[Target] = []
        readers = self.readers
        for circuit in after:
            reader = readers.get(circuit)
            if reader is None:
                continue
            if new is not None and reader.matches(new):
                targets.append((circuit, "put"))
            elif old is not None and circuit in before and reader.matches(old):
                targets.append((circuit, "retract"))
        if old is not None and before != after:
            left = [circuit for circuit in before if circuit not in after and circuit in readers]
            targets += [(circuit, "retract") for circuit in left if readers[circuit].matches(old)]
        made = tuple(targets)
        return self._made.setdefault(made, made)

    def _remember(self, way: tuple[Circuits, Circuits], targets: Targets | None) -> None:
        if len(self._ways) >= _REMEMBERED:
            self._ways, self._made = {}, {}
        self._ways[way] = targets


class Meta:
    """Routing views, which are SQL over placement tables, say which circuit holds which rows.

    # Guarantees
    - Tables that a routing view places are shared out: a circuit holds the rows its postings claim, as far as a view of
      its is interested. All other tables, placement tables among them, go to the circuits with an interest in the row.
    - Who holds a row follows from it, the options and the rows of placement tables. A posting may name a circuit that
      does not exist yet: its rows wait in the base tables. A posting that means nothing is kept, counted and explained.
    - Postings and interests are kept by deltas of views, so at every moment they are what the queries say.

    Attributes: `circuit`, an engine circuit, to read: its tables and routing views.

    >>> from sspcore.abc import ALL
    >>> from sspcore.routing.meta.options import RouteOptions
    >>> sql = \"\"\"SELECT circuit, 'orders' AS "table", 'tenant' AS "column", id AS value FROM tenants\"\"\"
    >>> meta = Meta(MetaOptions(("tenants",), (RouteOptions(sql),)))
    >>> for circuit in ("east", "west"):
    ...     meta.circuit_added(circuit)
    ...     meta.view_added(circuit, "all", {"orders": ALL})
    >>> moves = meta.admitted([Resolved("tenants", "acme", None, ("acme", "east"), ("id", "circuit"))])
    >>> order = Resolved("orders", 7, None, (7, "acme"), ("id", "tenant"))
    >>> list(meta.route([order])), meta.holds("east", order), meta.holds("west", order)
    ([(('east', 'put'),)], True, False)
    >>> meta.admitted([Resolved("tenants", "acme", ("acme", "east"), ("acme", "west"), ("id", "circuit"))])
    ... # doctest: +NORMALIZE_WHITESPACE
    [Move(circuit='east', table='orders', gained=None, lost=Region(...)), Move(circuit='west', ...)]
    """

    def __init__(self, options: MetaOptions | None = None) -> None:
        self.options = options = options or MetaOptions()
        self._ground = Ground(options)
        self._told = Told()
        self._circuits: dict[str, None] = {}
        self._unplaced = Predicate()
        self._placed = {
            table: Placed(options.default) for view in self._ground.places.values() for table in sorted(view)
        }
        self._watched = frozenset(options.placement)
        self._post({view: [(key, None, row) for key, row in self._rows(view)] for view in self._ground.places})
        self._moves()

    @property
    def circuit(self) -> Circuit:
        """Its tables and routing views, to read."""
        return self._ground.circuit

    # What it is told

    def circuit_added(self, circuit: str) -> None:
        """A circuit exists from now on."""
        self._circuits[circuit] = None
        self._unplaced.circuit_added(circuit)
        self._tell({("circuits", circuit): (circuit,)})

    def circuit_removed(self, circuit: str) -> None:
        """Its views go. What it held waits in the base tables."""
        self._tell(self._told.circuit_removed(circuit))
        self._unplaced.circuit_removed(circuit)
        self._circuits.pop(circuit, None)
        for placed in self._placed.values():
            placed.shares.settle(circuit)

    def view_added(self, circuit: str, view: str, interests: Interests) -> None:
        """Route by its interests."""
        self._tell(self._told.view_added(circuit, view, interests))

    def view_changed(self, circuit: str, view: str, old: Interests, new: Interests) -> None:
        """Route by the new ones, and by all told before until `view_settled`."""
        self._tell(self._told.view_changed(circuit, view, old, new))

    def view_settled(self, circuit: str, view: str) -> None:
        """Route by the newest only."""
        self._tell(self._told.view_settled(circuit, view))

    def view_removed(self, circuit: str, view: str) -> None:
        """Route by none of its interests."""
        self._tell(self._told.view_removed(circuit, view))

    def watches(self, table: str) -> bool:
        """The placement tables."""
        return table in self._watched

    def admitted(self, rows: Sequence[Resolved]) -> Sequence[Move]:
        """Keep the routing views, and by their deltas the postings. Gives one move per circuit and table."""
        self._post(self._ground.admit([row for row in rows if row.table in self._watched]))
        return self._moves()

    def settled(self, circuit: str, table: str) -> None:
        """The circuit hears no more of rows of the table that it lost."""
        placed = self._placed.get(table)
        if placed is not None:
            placed.shares.settle(circuit)

    def watch(self, view: str, callback: Watcher) -> Callable[[], None]:
        """Call back with each update of a routing view, from its value now on; the function given ends that.

        Raises UnknownView. The callback is part of admission: it must neither wait nor raise.
        """
        return self._ground.watch(view, callback)

    # What it is asked

    def selects(self, table: str) -> bool:
        """Always: of the rows a circuit holds, it gets those a view of its is interested in."""
        return True

    def holds(self, circuit: str, row: Resolved) -> bool:
        """Whether a posting says so; every circuit holds the rows of tables that no routing view places."""
        if row.new is None:
            return False
        placed = self._placed.get(row.table)
        return placed is None or circuit in placed.shares.held(row.new, row.columns)

    def route(self, rows: Sequence[Resolved]) -> Routing:
        """By postings and interests, or by interests alone."""
        placed = self._placed
        if not placed:
            return self._unplaced.route(rows)
        if len(rows) == 1 and rows[0][0] in placed:
            table, _, old, new, columns, *_ = rows[0]
            return (placed[table].targets(old, new, columns),)
        others = [row for row in rows if row[0] not in placed]
        answers = self._unplaced.route(others)
        if len(others) == len(rows):
            return answers
        following = iter(answers)
        return [placed[row[0]].targets(row[2], row[3], row[4]) if row[0] in placed else next(following) for row in rows]

    def explain(self, row: Resolved) -> Sequence[Reason]:
        """Names the interest, and of placed tables the posting with its routing view."""
        (targets,) = self.route([row])
        placed = self._placed.get(row.table)
        interests = [held for _, held in self._rows(INTERESTED) if held[2] == row.table]
        postings = None if placed is None else [p for p in self.postings() if p.table == row.table and not p.fault]
        return reasons(
            row, dict(targets), self._circuits, interests, postings, self._told.interests, self.options.default
        )

    def postings(self) -> list[Posting]:
        """All rows of the routing views, also those without effect. Cost: O(rows)."""
        found = []
        for view, places in self._ground.places.items():
            at = self._ground.at(view)
            found += [posting_of(view, row, at, places) for _, row in self._rows(view)]
        return found

    def statistics(self) -> Mapping[str, IndexStatistics]:
        """Table → the index of the interests in it, of tables that no routing view places. Cost: O(interests)."""
        return self._unplaced.statistics()

    def placement(self) -> PlacementStatistics:
        """What is posted, and what of it has no effect. Cost: O(postings)."""
        faults: dict[str, int] = {}
        unknown: dict[str, None] = {}
        postings = self.postings()
        for posting in postings:
            if posting.fault:
                faults[posting.fault] = faults.get(posting.fault, 0) + 1
            elif posting.holder not in self._circuits:
                unknown[posting.holder] = None
        leaving = [(circuit, table) for table, placed in self._placed.items() for circuit in placed.shares.leaving]
        return PlacementStatistics(len(postings) - sum(faults.values()), faults, tuple(unknown), tuple(leaving))

    # Inside

    def _rows(self, view: str) -> Iterable[tuple[Key, Row]]:
        held = self._ground.circuit.view(view)
        return zip(held.keys(), held.rows(), strict=True)

    def _tell(self, entries: Entries) -> None:
        """Commit to the strategy's own tables; what that changes in the default routing view, change in the index."""
        commit = self._ground.tell(entries)
        update = None if commit is None else commit.updates.get(INTERESTED)
        for _, old, new in () if update is None else update.changes:
            if old is None and new is not None:
                self._interested(new)
            elif old is not None and new is None:
                self._uninterested(old)
        self._told.forget(entries)

    def _interested(self, row: Row) -> None:
        number, circuit, table = row[:3]
        interest = self._told.interests[number]
        placed = self._placed.get(table)
        if placed is None:
            self._unplaced.view_added(circuit, str(number), {table: interest})
        else:
            placed.readers.setdefault(circuit, AnyOf()).add(interest)
            placed.forget()

    def _uninterested(self, row: Row) -> None:
        number, circuit, table = row[:3]
        placed = self._placed.get(table)
        if placed is None:
            self._unplaced.view_removed(circuit, str(number))
            return
        reader = placed.readers[circuit]
        reader.remove(self._told.interests[number])
        if not len(reader):  # it holds nothing of the table any more, so there is nothing to give up
            del placed.readers[circuit]
            placed.shares.settle(circuit)
        placed.forget()

    def _post(self, changes: Changes) -> None:
        """Change the postings as the routing views changed."""
        for view, changed in changes.items():
            at, places = self._ground.at(view), self._ground.places[view]
            for _, old, new in changed:
                for row, more in ((old, False), (new, True)):
                    if row is None:
                        continue
                    circuit, table, column, value = [row[i] for i in at]
                    if type(circuit) is str and type(column) is str and value is not None and circuit and column:
                        if table not in places:
                            continue
                        place: Place = column, canonical_key(value)
                    else:
                        posting = posting_of(view, row, at, places)
                        if posting.fault:
                            continue
                        place, circuit = posting.place, posting.holder
                    shares = self._placed[table].shares
                    if more:
                        shares.post(place, value, circuit)
                    else:
                        shares.unpost(place, value, circuit)

    def _moves(self) -> list[Move]:
        """What circuits that read the tables gain and lose; these hear of what they lost until they have settled."""
        moves = []
        for table, placed in sorted(self._placed.items()):
            gained: dict[str, dict[Place, Value]] = {}
            lost: dict[str, dict[Place, Value]] = {}
            for place, value, before, after in placed.shares.moved():
                for circuit in after:
                    if circuit not in before and circuit in placed.readers:
                        gained.setdefault(circuit, {})[place] = value
                for circuit in before:
                    if circuit not in after and circuit in placed.readers:
                        lost.setdefault(circuit, {})[place] = value
                        placed.shares.leave(place, circuit)
            region = placed.shares.region
            moves += [
                Move(c, table, region(gained.get(c, {})), region(lost.get(c, {}))) for c in sorted({*gained, *lost})
            ]
        return moves
