"""Compiled = operators = interpreted: a program keeps the value that its plan means, and says the same of its changes.

Over random plans of all kinds and random histories, in batches of one, seven and a hundred. Tables are written one
after the other, each followed by its step, as a circuit does; no circuit, view or update of its own stands between.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import same
from sspcore.engine.door import Door
from sspcore.engine.emit import window
from sspcore.engine.interpret import interpret
from sspcore.engine.operators import accumulators
from sspcore.engine.operators.base import Meter, compose
from sspcore.engine.operators.network import Network
from sspcore.engine.options import CircuitOptions
from sspcore.engine.program import compile_plan
from sspcore.engine.table import Table
from sspcore.engine.update import Snapshot, ViewUpdate
from sspcore.plan.traverse import bind_plan, columns, ordering, params_of
from sspcore.testing.oracle import Mirror, expect_same
from sspcore.testing.strategies import scenarios
from tests.laws.world import rebatched
from tests.profiles import scaled


@pytest.fixture(scope="module", autouse=True)
def small_windows():
    """Windows of two and flat lists of three, so that even these small tables overflow them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window, "SMALLEST", 2)
        patch.setattr(accumulators, "MOST_FLAT", 3)
        yield


class Bench:
    """Tables behind a door, a program and a network of one plan, and a reader who is told what the program says."""

    def __init__(self, schemas, view):
        self.tables = {schema.table: Table(schema) for schema in schemas}
        self.door = Door(self.tables, CircuitOptions(), {})
        self.view, self.plan = view, view.bound
        self.version = 0
        self.program = None
        self.hydrate()

    def hydrate(self):
        if self.program is not None:
            self.program.release()
        self.meter = Meter()
        code = compile_plan(self.view.plan, lambda table: self.tables[table].schema)
        self.program = code.bind(self.view.params, self.tables, self.meter)
        self.value = self.program.hydrate(lambda table: self.tables[table].rows)
        self.network = Network(self.plan, lambda table: self.tables[table].names, Meter())
        wanted = self.network.hydrate(lambda table: self.tables[table].rows)
        expect_same(self.value, wanted, "the program's value against the network's")
        ordered = ordering(self.plan) is not None
        keys = self.program.order() if ordered else list(self.value)
        rows = [self.value[key] for key in keys]
        self.mirror = Mirror(Snapshot("v", "e", self.version, columns(self.plan), keys, rows, ordered))

    def apply(self, batch):
        resolution = self.door.resolve(batch)
        self.door.commit_forms(resolution)
        if resolution.widened:
            for name, net in resolution.net.items():
                self.tables[name].write(net)
            self.hydrate()
            return
        self.program.begin()
        delta = []
        for name, net in resolution.net.items():
            self.tables[name].write(net)
            if name in self.program.steps and net:
                step = self.program.steps[name](net)
                self.judge(step)
                for key, _, new in step:
                    if new is None:
                        del self.value[key]
                    else:
                        self.value[key] = new
                delta = compose(delta, step)
        moved = [key for key in self.program.moved() if key in self.value]
        placed = self.program.placements(moved)
        self.tell(delta, placed)
        wanted = self.network.advance(resolution.net)
        expect_same({k: (o, n) for k, o, n in delta}, {k: (o, n) for k, o, n in wanted}, "the delta")

    def judge(self, delta):
        """The laws of a delta: each key once, never the same row twice, old rows as they are."""
        seen = set()
        for key, old, new in delta:
            assert key not in seen, f"{key!r} comes twice in {delta}"
            seen.add(key)
            assert old is not None or new is not None, f"weight zero: {key!r} in {delta}"
            assert not same(old, new), f"a change of nothing: {key!r} {old!r}"
            assert same(self.value.get(key), old), f"{key!r} was {self.value.get(key)!r}, not {old!r}"

    def tell(self, delta, placed):
        before, self.version = self.version, self.version + 1
        if delta or placed:
            self.mirror.apply(ViewUpdate("v", "e", before, self.version, (), tuple(delta), placed))
        self.mirror.version = self.version

    def check(self):
        wanted = interpret(self.plan, self.tables)
        expect_same(self.value, wanted, "the integral of the program's deltas")
        if ordering(self.plan) is not None:
            assert self.program.order() == list(wanted)
            assert self.mirror.keys == list(wanted)
            assert self.program.placements(wanted) == self.network.placements(wanted)


@scaled(3)
@given(scenarios(views=1, batches=6), st.sampled_from([None, 1, 7, 100]))
def test_a_program_is_right_after_every_batch(scenario, size):
    bench = Bench(scenario.schemas, scenario.views["v0"])
    for batch in scenario.history if size is None else rebatched(scenario.history, size):
        bench.apply(batch)
        bench.check()


@given(scenarios(views=1, batches=6))
def test_a_program_hydrates_to_what_it_had_become(scenario):
    bench = Bench(scenario.schemas, scenario.views["v0"])
    for batch in scenario.history:
        bench.apply(batch)
        before = dict(bench.value)
        order = bench.program.order()
        bench.hydrate()
        expect_same(bench.value, before, "hydrated again")
        assert bench.program.order() == order


@given(scenarios(views=1, batches=4))
def test_a_delta_and_its_inverse_are_nothing(scenario):
    """δ, then −δ, then δ again: the value returns to where it was, exactly, and goes on from there."""
    bench = Bench(scenario.schemas, scenario.views["v0"])
    for batch in scenario.history:
        resolution = bench.door.resolve(batch)
        if resolution.widened or len(resolution.net) > 1:
            bench.apply(batch)
            continue
        bench.apply(batch)
        after, order = dict(bench.value), bench.program.order()
        for name, net in resolution.net.items():
            for turn in ([(key, new, old) for key, old, new in net], net):
                bench.program.begin()
                bench.tables[name].write(turn)
                delta = bench.program.steps[name](turn) if name in bench.program.steps else []
                bench.judge(delta)
                for key, _, new in delta:
                    if new is None:
                        del bench.value[key]
                    else:
                        bench.value[key] = new
        expect_same(bench.value, after, "δ, −δ, δ")
        assert bench.program.order() == order


@given(scenarios(views=1, batches=4))
def test_equal_shapes_share_their_code(scenario):
    """The same plan with other constants in place of its parameters is the same text."""
    view = scenario.views["v0"]
    bench = Bench(scenario.schemas, view)
    for batch in scenario.history:
        bench.apply(batch)
    schema_of = {name: table.schema for name, table in bench.tables.items()}.__getitem__
    lifted, again = compile_plan(view.plan, schema_of), compile_plan(view.plan, schema_of)
    made = [node.code.make for node in lifted.nodes if node.code is not None]

    assert made == [node.code.make for node in again.nodes if node.code is not None]
    bound = compile_plan(bind_plan(view.plan, view.params), schema_of)
    if not params_of(view.plan):
        assert made == [node.code.make for node in bound.nodes if node.code is not None]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_many_fixed_scenarios(size):
    """The same sample every time, so that a planted fault is caught whatever the seed of the day."""
    from tests.laws.world import seeded

    for seed in range(150):
        scenario = seeded(seed, views=1, batches=5)
        bench = Bench(scenario.schemas, scenario.views["v0"])
        for batch in rebatched(scenario.history, size):
            bench.apply(batch)
            bench.check()
