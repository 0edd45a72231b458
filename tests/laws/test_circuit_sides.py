"""Two-sided nodes in a circuit: planned, shared by views that come late, moved to other parameters, restored from images.

The plans are those of `test_program_sides`, which holds their programs alone to what they mean. Here rows reach them only
where the planner and the views' interests say so, and tables change in batches.
"""

from random import Random

import pytest

from sspcore.engine.change import delete, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.emit import window
from sspcore.engine.materialisation import Materialisation
from sspcore.plan.traverse import params_of
from sspcore.testing.oracle import Mirror, check_circuit
from tests.laws.test_program_sides import SCHEMAS, key_of, row_of, whole_of


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    monkeypatch.setattr(window, "SMALLEST", 2)


class Readers:
    """A circuit with up to four views of one plan, and a mirror of each."""

    def __init__(self, seed):
        self.r = Random(seed)
        self.circuit = Circuit(schemas=SCHEMAS)
        self.plan = whole_of(self.r, True)
        self.params = params_of(self.plan)
        self.mirrors = {}
        self.register()

    def register(self):
        view_id = f"v{len(self.mirrors)}"
        params = {"n": self.r.choice((1, 2, "1"))} if self.params else {}
        self.mirrors[view_id] = Mirror(self.circuit.register(view_id, self.plan, params))

    def rebind(self):
        view_id = self.r.choice(sorted(self.mirrors))
        update = self.circuit.rebind(view_id, {"n": self.r.choice((1, 2, "1", 3))})
        if update.changes or update.placed:
            self.mirrors[view_id].apply(update)

    def apply(self):
        r, batch = self.r, []
        for _ in range(r.choice((1, 1, 1, 3, 6))):
            table = r.choice("pqse")
            key = key_of(r, table)
            batch.append(delete(table, key) if r.random() < 0.3 else upsert(table, key, row_of(r, table, key)))
        commit = self.circuit.apply(batch)
        assert not commit.failed
        for view_id, update in commit.updates.items():
            self.mirrors[view_id].apply(update)

    def step(self):
        what = self.r.random()
        if what < 0.1 and len(self.mirrors) < 4:
            self.register()
        elif what < 0.2 and self.params:
            self.rebind()
        elif what < 0.25:
            self.circuit = Circuit.restore(self.circuit.image())
        else:
            self.apply()

    def check(self):
        check_circuit(self.circuit)
        for view_id, mirror in self.mirrors.items():
            view = self.circuit.view(view_id)
            held = dict(zip(view.keys(), view.rows(), strict=True))
            assert dict(zip(mirror.keys, mirror.rows(), strict=True)) == held


@pytest.mark.parametrize("part", range(2))
def test_views_of_two_sides_follow_whatever_comes(part, monkeypatch):
    """And no part of one ever raised: it would have been computed anew, and nobody had noticed."""
    raised = []

    def watched(move):
        def moving(self, table, changes):
            try:
                return move(self, table, changes)
            except Exception as error:
                raised.append(error)
                raise

        return moving

    for name in ("advance", "follow"):
        monkeypatch.setattr(Materialisation, name, watched(getattr(Materialisation, name)))
    for seed in range(part * 100, part * 100 + 100):
        readers = Readers(seed)
        for _ in range(20):
            readers.step()
            readers.check()
        assert not raised, f"seed {seed}"
