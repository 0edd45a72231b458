"""A runtime in small: base rows, circuits with the rows they hold, and the work of filling in and giving up rows.

Owns when a strategy is told what, and what circuits hold because of its answers. Written to be read: dicts, and
generators for work done in slices. Refuses to use the library's own ingress.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sspcore.abc import Everything, Interest, Interests, Resolved
from sspcore.algebra.values import same
from sspcore.testing.check.examine import Examiner
from sspcore.testing.check.holdings import Circuit, Holdings, View
from sspcore.testing.check.told import concerns, told_image
from sspcore.testing.check.worlds import VIEWS, Step

SLICE: Final = 2
"""Rows a slice of work looks at, so that even few rows take several."""


class Model(Holdings):
    """One history with one strategy. `run` raises ContractBroken where a law is broken."""

    def __init__(self, examiner: Examiner, names: Sequence[str]) -> None:
        super().__init__(examiner)
        self.names = names

    def run(self, script: Sequence[Step]) -> None:
        """Do the steps, then all work that is left."""
        for kind, first, *more in script:
            self.checked.steps += 1
            if kind == "batch":
                self.batch(first)
            else:
                name = self.names[first % len(self.names)]
                getattr(self, kind)(name, *more)
            self.check()
        for circuit in list(self.circuits):
            self.work(circuit, 1_000)
        self.check()

    # Steps

    def add(self, name: str) -> None:
        """A circuit, unless it is there."""
        if name not in self.circuits:
            self.examiner.tell(f"circuit {name!r} is added", "circuit_added", name)
            self.circuits[name] = Circuit(name)

    def remove(self, name: str) -> None:
        """A circuit goes, with all its views, whatever is under way."""
        if self.circuits.pop(name, None) is not None:
            self.examiner.tell(f"circuit {name!r} is removed", "circuit_removed", name)

    def show(self, name: str, view: int, plan: int) -> None:
        """A view shows a plan from now on: it is added, bound anew, or called back while it is being given up."""
        self.add(name)
        circuit, title, plan = self.circuits[name], VIEWS[view % len(VIEWS)], plan % len(self.world.plans)
        held = circuit.views.get(title)
        if held is None:
            circuit.views[title] = View(plan)
            interests = self.world.interests[plan]
            line = f"view {title!r} of {name!r} is added: it needs {_said(interests)}"
            self.examiner.tell(line, "view_added", name, title, interests)
            self._start(circuit, title)
        elif held.plan != plan:
            self._rebind(circuit, title, plan)

    def _rebind(self, circuit: Circuit, title: str, plan: int) -> None:
        interests = self.world.interests[plan]
        line = f"view {title!r} of {circuit.name!r} changes: it needs {_said(interests)}"
        self._change(circuit, title, interests, line)
        circuit.views[title].plan = plan
        self._start(circuit, title)

    def _start(self, circuit: Circuit, title: str) -> None:
        """The work that follows from what a view newly needs; nothing is under way for a circuit that has failed."""
        self.checked.views += 1
        if circuit.running:
            circuit.work.pop(title, None)
            circuit.work[title] = self._fill(circuit, title)
        elif len(self.told.circuits[circuit.name][title]) > 1:
            self._settle(circuit, title)

    def hide(self, name: str, view: int) -> None:
        """A view is unregistered: at once, or once its rows have been retracted where others read the table."""
        circuit, title = self.circuits.get(name), VIEWS[view % len(VIEWS)]
        held = circuit.views.get(title) if circuit else None
        if circuit is None or held is None or held.plan is None:
            return
        tables = {table for interests in self.told.circuits[name][title] for table in interests}
        shared = [
            table for table in tables if self.judge.selects(table)
            and any(other != title for other, _, _ in self.told.needing(name, table))
        ]  # fmt: skip
        if circuit.running and shared:
            self._change(circuit, title, {}, f"view {title!r} of {name!r} ends; its rows are being given up")
            held.plan = held.live = None
            circuit.work.pop(title, None)
            circuit.work[title] = self._fill(circuit, title)
        else:
            self._forget(circuit, title)

    def work(self, name: str, slices: int) -> None:
        """Some slices of a circuit's work; where it has failed, it is filled anew."""
        circuit = self.circuits.get(name)
        if circuit is None:
            return
        if not circuit.running:
            self._refill(circuit)
        while circuit.work and slices > 0:
            key, work = next(iter(circuit.work.items()))
            if next(work, self) is self:
                circuit.work.pop(key, None)
            slices -= 1

    def fail(self, name: str) -> None:
        """A circuit loses all it holds; what was under way for it is called off."""
        circuit = self.circuits.get(name)
        if circuit is None or not circuit.running:
            return
        self.examiner.story.append(f"circuit {name!r} fails: it holds nothing, and work for it is called off")
        self.checked.failures += 1
        circuit.running = False
        circuit.held.clear()
        circuit.work.clear()
        for title, view in list(circuit.views.items()):
            view.live = None
            if len(self.told.circuits[name][title]) > 1:
                self._settle(circuit, title)
            if view.plan is None:
                self._forget(circuit, title)
        for table in {*circuit.gained, *[table for owner, table in self.told.lost if owner == name]}:
            self._end_move(circuit, table)

    def widen(self, _: str) -> None:
        """Every table gets a column more, NULL in the rows there are; what views of it need is told anew."""
        wide = self.world.widened
        if wide is None:
            return
        for table, rows in self.base.items():
            names = wide.schemas[table].names
            more = (None,) * (len(names) - len(self.world.schemas[table].names))
            self.examiner.story.append(f"table {table!r} gets column {names[-1]!r}")
            for key, row in list(rows.items()):
                rows[key] = row + more
                for circuit in self.circuits.values():
                    if key in circuit.held.get(table, {}):
                        circuit.held[table][key] = rows[key]
        self.examiner.world = wide
        for circuit in self.circuits.values():
            for title, view in list(circuit.views.items()):
                if view.plan is not None and wide.interests[view.plan] != self.told.circuits[circuit.name][title][0]:
                    self._rebind(circuit, title, view.plan)

    def batch(self, changes: Sequence[tuple[int, int, int]]) -> None:
        """Rows change, if the strategy does not refuse them."""
        rows: dict[tuple[str, Any], Resolved] = {}
        for at, which, image in changes:
            table = list(self.base)[at % len(self.base)]
            ids = self.world.ids[table]
            key = ids[which % len(ids)]
            old = self.base[table].get(key)
            new = None if image >= self.world.count(table) else self.world.row(table, key, image)
            if (old is None) != (new is None) or (old is not None and new is not None and not same(old, new)):
                rows[table, key] = Resolved(table, key, old, new, self.world.schemas[table].names)
            else:
                rows.pop((table, key), None)
        if not rows:
            return
        answers = self.examiner.route(list(rows.values()))
        if answers is None:
            return
        self.examiner.story += [_happened(row) for row in rows.values()]
        for row in rows.values():
            if row.new is None:
                del self.base[row.table][row.id]
            else:
                self.base[row.table][row.id] = row.new
        for row, targets in answers:
            for name, kind in targets.items():
                self._deliver(self.circuits[name], row, kind)
        self._admitted(list(rows.values()))

    # What circuits get

    def _deliver(self, circuit: Circuit, row: Resolved, kind: str) -> None:
        """A put, or a retraction; a row that only interests about to settle need is retracted, or it would stay."""
        if not circuit.running or not self.told.reads(circuit.name, row.table):
            return
        held = circuit.held.setdefault(row.table, {})
        if kind == "put" and row.new is not None and self.needs(circuit, row.table, row.id, row.new):
            held[row.id] = row.new
        else:
            held.pop(row.id, None)

    # Work in slices

    def _fill(self, circuit: Circuit, title: str) -> Iterator[None]:
        """Fill in what a view newly needs, show it, give up what only older interests needed, settle."""
        view = circuit.views[title]
        newest, *older = self.told.circuits[circuit.name][title]
        if view.plan is not None:
            for table, interest in newest.items():
                yield from self._walk(circuit, table, interest)
            view.live = view.plan
            yield
        if older:
            for interests in older:
                for table, interest in interests.items():
                    if self.judge.selects(table):
                        yield from self._sweep(circuit, table, interest)
            self._settle(circuit, title)
        if view.plan is None:
            self._forget(circuit, title)
        self._drop_unread(circuit)

    def _walk(self, circuit: Circuit, table: str, interest: Everything | Interest) -> Iterator[None]:
        keys = list(self.base[table])
        for start in range(0, len(keys), SLICE):
            for key in keys[start : start + SLICE]:
                row = self.base[table].get(key)
                if row is not None and concerns(interest, row) and self.share(circuit, table, key, row):
                    circuit.held.setdefault(table, {})[key] = row
                    self.checked.backfilled += 1
                elif row is not None and not self.judge.selects(table) and self.share(circuit, table, key, row):
                    circuit.held.setdefault(table, {})[key] = row
            yield

    def _sweep(self, circuit: Circuit, table: str, interest: Everything | Interest) -> Iterator[None]:
        keys = list(self.base[table])
        for start in range(0, len(keys), SLICE):
            for key in keys[start : start + SLICE]:
                row = self.base[table].get(key)
                if row is not None and concerns(interest, row) and not self.needs(circuit, table, key, row):
                    self.checked.swept += circuit.held.get(table, {}).pop(key, None) is not None
            yield

    def _refill(self, circuit: Circuit) -> None:
        self.examiner.story.append(f"circuit {circuit.name!r} is filled anew")
        circuit.running = True
        for view in circuit.views.values():
            view.live = view.plan
        for table, rows in self.base.items():
            if self.told.reads(circuit.name, table):
                circuit.held[table] = {k: row for k, row in rows.items() if self.needs(circuit, table, k, row)}
                self.checked.backfilled += len(circuit.held[table])

    # What is told

    def _change(self, circuit: Circuit, title: str, new: Interests, line: str) -> None:
        old = self.told.circuits[circuit.name][title][0]
        self.examiner.tell(line, "view_changed", circuit.name, title, old, new)

    def _settle(self, circuit: Circuit, title: str) -> None:
        line = f"view {title!r} of {circuit.name!r} has settled"
        self.examiner.tell(line, "view_settled", circuit.name, title)

    def _forget(self, circuit: Circuit, title: str) -> None:
        circuit.work.pop(title, None)
        del circuit.views[title]
        line = f"view {title!r} of {circuit.name!r} is removed"
        self.examiner.tell(line, "view_removed", circuit.name, title)
        self._drop_unread(circuit)

    def _drop_unread(self, circuit: Circuit) -> None:
        for table in list(circuit.held):
            if not self.told.reads(circuit.name, table):
                del circuit.held[table]

    # Placing: shares that move

    def _admitted(self, rows: list[Resolved]) -> None:
        strategy = self.examiner.strategy
        watched = [row for row in rows if strategy.watches(row.table)] if self.examiner.placing else []
        if not watched:
            return
        for move in self.examiner.tell("these rows are admitted", "admitted", watched):
            circuit = self.circuits[move.circuit]
            if move.gained is not None:
                circuit.gained.setdefault(move.table, []).append(move.gained)
            circuit.work.pop(f"move {move.table}", None)
            if circuit.running:
                circuit.work[f"move {move.table}"] = self._move(circuit, move.table)
            else:
                self._end_move(circuit, move.table)

    def _move(self, circuit: Circuit, table: str) -> Iterator[None]:
        if self.told.reads(circuit.name, table):
            for interest in list(circuit.gained.get(table, ())):
                yield from self._walk_gained(circuit, table, interest)
            for interest in list(self.told.lost.get((circuit.name, table), ())):
                yield from self._sweep(circuit, table, interest)
        self._end_move(circuit, table)

    def _walk_gained(self, circuit: Circuit, table: str, interest: Everything | Interest) -> Iterator[None]:
        for key in list(self.base[table]):
            row = self.base[table].get(key)
            if row is not None and concerns(interest, row) and self.needs(circuit, table, key, row):
                circuit.held.setdefault(table, {})[key] = row
                self.checked.backfilled += 1
            yield

    def _end_move(self, circuit: Circuit, table: str) -> None:
        circuit.gained.pop(table, None)
        self.examiner.tell(f"what moved of {table!r} has settled in {circuit.name!r}", "settled", circuit.name, table)


def _said(interests: Interests) -> str:
    return " and ".join([f"{table} where {interest}" for table, interest in interests.items()]) or "nothing"


def _happened(row: Resolved) -> str:
    where = f"row {row.id!r} of {row.table!r}"
    if row.new is None:
        return f"{where} is deleted"
    if row.old is None:
        return f"{where} comes as {told_image(row)}"
    return f"{where} becomes {told_image(row)}"
