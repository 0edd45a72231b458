"""The ingress without a runtime: a registry, an admission, and circuits whose mailboxes are taken by hand.

What each circuit would hold once it had taken everything queued is kept beside it, by following what is put into its
mailbox. So that what must hold of it can be asked after every step, with whatever still under way.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sspcore.abc import ALL
from sspcore.backpressure.block import Block
from sspcore.backpressure.mailbox import Batch, Mailbox
from sspcore.engine.circuit import Circuit
from sspcore.engine.interpret_expressions import evaluate
from sspcore.engine.moving import rebind
from sspcore.engine.options import CircuitOptions
from sspcore.ingress.admission import Admission
from sspcore.ingress.lane import CreateTable, DropTable, Lane, RemoveView, Tend, WidenTable
from sspcore.ingress.refill import refill
from sspcore.ingress.registry import Registry
from sspcore.ingress.walk import Errand
from sspcore.routing.guard import Guard
from sspcore.testing.oracle import expect_value

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Install:
    """A view to register, or to give other parameters, when its turn comes."""

    survives = True

    def __init__(self, action):
        self.action = action


class Following(Mailbox):
    """A mailbox that keeps what its circuit will hold."""

    def __init__(self):
        super().__init__(1_000_000)
        self.held = {}
        self.width = {}

    def put(self, batch):
        super().put(batch)
        for table, key, row in batch.entries:
            if row is None:
                self.held[table].pop(key, None)
            else:
                self.held[table][key] = row

    def command(self, command):
        super().command(command)
        if isinstance(command, CreateTable):
            assert command.schema.table not in self.held, "made twice"
            self.held[command.schema.table] = {}
        elif isinstance(command, DropTable):
            del self.held[command.table]
        elif isinstance(command, WidenTable):
            held = self.held[command.schema.table]
            for key, row in held.items():
                held[key] = row + (None,) * (len(command.schema.names) - len(row))


class House:
    """Circuits at work, one step at a time."""

    def __init__(self, strategy, schemas=()):
        self.guard = Guard(strategy)
        self.registry = Registry(self.guard, CircuitOptions(strict=False))
        self.base = self.registry.base
        for schema in schemas:
            self.registry.declare(schema)
        self.admission = Admission(self.base, self.guard, self.registry.lanes, self.registry.working.admitted)
        self.circuits = {}
        self.refused = 0

    @property
    def lanes(self):
        return self.registry.lanes

    def create(self, name):
        lane = Lane(name, Block(), "block", Following())
        self.registry.add_circuit(lane)
        self.circuits[name] = Circuit(name)

    def destroy(self, name):
        lane = self.lanes[name]
        self.registry.remove_circuit(lane)
        lane.stop()
        del self.circuits[name]

    def ingest(self, *changes):
        return self.admission.submit_now(list(changes), 0.0)

    def register(self, name, view, query, params=None):
        lane = self.lanes[name]
        registration, walks = self.registry.register(name, view, query, params)
        if walks is not None:
            self._behind(lane, walks, lambda: self._install(lane, registration))

    def unregister(self, name, view):
        self.registry.unregister(self.lanes[name], self.registry.registration(name, view))

    def rebind(self, name, view, params, fails=False):
        lane, registration = self.lanes[name], self.registry.registration(name, view)
        promise = self.registry.promise(lane, registration, params)

        def move():
            kept = False
            try:
                if fails:
                    raise ArithmeticError("it cannot")
                rebind(self.circuits[name], view, promise.params)
                registration.params = dict(promise.params)
                kept = True
            except Exception:
                self.refused += 1
            finally:
                self.registry.working.moved(lane, promise, kept)

        self._behind(lane, promise.walks, move)

    def lose(self, name):
        """The circuit fails; until `come_back` it queues nothing."""
        lane = self.lanes[name]
        lane.mailbox.held = {}
        lane.fall_behind(ZeroDivisionError())

    def come_back(self, name):
        lane = self.lanes[name]
        self.circuits[name] = circuit = refill(lane, self.base, CircuitOptions(), NOW)
        lane.refilled()
        lane.mailbox.held = {table: dict(held.rows) for table, held in circuit.tables.items()}

    def take(self, name, most=1):
        """Have a circuit take so many items from its mailbox; how many it took."""
        lane, taken = self.lanes[name], 0
        while lane.running and taken < most and (item := lane.mailbox.take(1)) is not None:
            taken += 1
            self._obey(lane, item)
        return taken

    def settle(self):
        """Have everybody take everything, walks included."""
        for name, lane in self.lanes.items():
            if not lane.running:
                self.come_back(name)
            self.take(name, 100_000)

    def _behind(self, lane, walks, action):
        lane.begin(Errand(walks, lambda: lane.mailbox.command(Install(action))), self.base)

    def _install(self, lane, registration):
        if lane.views.get(registration.view) is registration:
            self.circuits[lane.name].register(registration.view, registration.given, registration.params)
            registration.live = True
            self.registry.working.installed(lane, registration)

    def _obey(self, lane, item):
        circuit = self.circuits[lane.name]
        match item:
            case list():
                commit = circuit.deliver([entry for batch in item for entry in batch.entries])
                lane.mailbox.settle(item, commit.stats.netted, commit.stats.no_ops)
            case Tend():
                lane.tend(item.errand, self.base)
            case CreateTable():
                circuit.create_table(item.schema)
            case DropTable():
                circuit.drop_table(item.table)
            case WidenTable():
                circuit.widen(item.schema)
            case RemoveView():
                if item.view in circuit.views:
                    circuit.unregister(item.view)
            case Install():
                item.action()

    # What must be so

    def law(self):
        """After every step: what is held is current; what filled interests want is held; nothing else once settled."""
        for name, lane in self.lanes.items():
            if not lane.running:
                continue
            held = lane.mailbox.held
            assert set(held) == {table for table, holding in lane.tables.items() if holding.there}
            for table, rows in held.items():
                self._current(name, lane, table, rows)
            for registration in lane.views.values():
                if registration.live and not registration.busy:
                    self._fed(name, lane, registration)

    def _current(self, name, lane, table, rows):
        base, holding = self.base.tables[table].rows, lane.tables[table]
        if holding.partial:
            return
        for key, row in rows.items():
            assert base.get(key) == row, f"{name} holds {table} {key}: {row}, but it is {base.get(key)}"
        if not lane.unsettled and not lane.occupied and self.guard.selects(table):
            for key, row in rows.items():
                assert wanted(lane, table, row), f"{name} holds {table} {key}: {row}, which no view of it wants"

    def _fed(self, name, lane, registration):
        for table, interest in registration.interests.items():
            rows = lane.mailbox.held[table]
            for key, row in self.base.tables[table].rows.items():
                if not self.guard.selects(table) or true(interest, row):
                    assert rows.get(key) == row, f"{name} lacks {table} {key}: {row} for {registration.view}"

    def right(self):
        """Once everything is taken, every view is its query over all rows."""
        for name, lane in self.lanes.items():
            assert not lane.unsettled and not lane.occupied and lane.told.keys() == lane.views.keys()
            for view, registration in lane.views.items():
                assert registration.live and not registration.busy
                held = self.circuits[name].view(view)
                expect_value(held.keys(), held.rows(), held.bound, self.base.tables, f"{view} of {name}")
            for table, holding in lane.tables.items():
                assert holding.readers or not self.guard.selects(table), f"{name} holds {table}, which no view reads"
            for table, rows in lane.mailbox.held.items():
                assert rows == self.circuits[name].tables[table].rows
            mailbox = lane.mailbox
            assert mailbox.delivered == mailbox.applied + mailbox.no_ops + mailbox.queued + mailbox.discarded


def true(interest, row):
    return interest is ALL or evaluate(interest.condition, row) is True


def wanted(lane, table, row):
    """Naively: whether some view of the lane wants a row."""
    asked = [told for view in lane.views.values() for told in (view.interests, view.coming or {})]
    return any(table in told and true(told[table], row) for told in asked)


def queued(lane):
    return [f"{i.changes} rows" if type(i) is Batch else type(i).__name__ for i in lane.mailbox._items]
