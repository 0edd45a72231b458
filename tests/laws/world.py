"""A circuit at work with a reader per view, judged after every commit: what all the laws are tested on."""

from __future__ import annotations

from random import Random

from sspcore.algebra.values import same
from sspcore.engine.circuit import Circuit
from sspcore.engine.options import CircuitOptions
from sspcore.testing.generate.choices import Choices
from sspcore.testing.generate.scenarios import scenario
from sspcore.testing.oracle import LawBroken, Mirror, check_circuit, expect_value, plain_tables


class World:
    """A circuit over a scenario's schemas. `apply` commits a batch, feeds the mirrors and judges everything."""

    def __init__(self, scenario, *, views=True, **options):
        self.scenario = scenario
        self.circuit = Circuit(schemas=scenario.schemas, options=CircuitOptions(**options))
        self.mirrors = {}
        self.applied = []
        if views:
            self.register(*scenario.views)

    def register(self, *view_ids):
        for view_id in view_ids:
            view = self.scenario.views[view_id]
            self.mirrors[view_id] = Mirror(self.circuit.register(view_id, view.plan, view.params))

    def unregister(self, view_id):
        self.circuit.unregister(view_id)
        del self.mirrors[view_id]

    def apply(self, batch):
        before = {view_id: self.circuit.view(view_id).version for view_id in self.mirrors}
        commit = self.circuit.apply(batch)
        self.applied.append(batch)
        assert not commit.failed, commit.failed
        for view_id, update in commit.updates.items():
            assert update.from_version == before[view_id]
            assert update.version == commit.version == self.circuit.version
            self.mirrors[view_id].apply(update)
        self.check()
        return commit

    def check(self):
        check_circuit(self.circuit)
        for view_id, mirror in self.mirrors.items():
            view = self.circuit.view(view_id)
            expect_value(mirror.keys, mirror.rows(), view.bound, self.circuit.tables, f"the mirror of {view_id!r}")
            assert (mirror.epoch, mirror.version) == (view.epoch, view.version)

    def check_tables(self):
        """The tables are what the history says, by a naive account that shares no code with the door."""
        wanted = plain_tables(self.scenario.schemas, self.applied)
        for name, table in wanted.items():
            held = self.circuit.tables[name]
            if held.names != table.names or not same_rows(held.rows, table.rows):
                raise LawBroken(f"table {name!r} is {held.names} {held.rows}, should be {table.names} {table.rows}")

    def restored(self):
        """The same world over a circuit restored from this one's image; the readers stay."""
        world = World.__new__(World)
        world.scenario, world.mirrors, world.applied = self.scenario, self.mirrors, list(self.applied)
        world.circuit = Circuit.restore(self.circuit.image())
        return world


def same_rows(a, b):
    return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)


def state(circuit):
    """Everything of a circuit that a reader or a producer could tell apart, as one value."""
    return (
        circuit.version,
        dict(circuit.marks),
        {name: (t.schema, dict(t.schema.columns), t.names, dict(t.rows), dict(t.versions))
         for name, t in circuit.tables.items()},
        {view_id: (v.version, v.epoch) for view_id, v in circuit.views.items()},
        dict(circuit.failed),
    )  # fmt: skip


def values(circuit):
    """Each view's keys and rows; the order counts for ordered views only."""
    out = {}
    for view_id in circuit.views:
        view = circuit.view(view_id)
        pairs = list(zip(view.keys(), view.rows(), strict=True))
        out[view_id] = pairs if view.ordered else dict(pairs)
    return out


def rebatched(history, size):
    """The same changes in batches of `size`."""
    changes = [change for batch in history for change in batch]
    return [changes[at : at + size] for at in range(0, len(changes), size)]


def seeded(seed, **sizes):
    """A scenario from a seed: for tests that want speed and no shrinking."""
    return scenario(Choices(Random(seed)), **sizes)
