"""The equations of the operators, over random plans of all of them: integral, batching, inverse, zero.

A network of operators is driven by hand here, without a circuit, a view or an update between.
"""

from hypothesis import given

from sspcore.algebra.values import same
from sspcore.engine.door import Door
from sspcore.engine.interpret import interpret
from sspcore.engine.operators.base import Meter
from sspcore.engine.operators.network import Network
from sspcore.engine.options import CircuitOptions
from sspcore.engine.table import Table
from sspcore.plan.traverse import ordering
from sspcore.testing.oracle import expect_same
from sspcore.testing.strategies import scenarios
from tests.profiles import scaled


class Bench:
    """Tables behind a door, and one network with the integral of what it emits."""

    def __init__(self, schemas, plan):
        self.tables = {schema.table: Table(schema) for schema in schemas}
        self.door = Door(self.tables, CircuitOptions(), {})
        self.plan = plan
        self.hydrate()

    def hydrate(self):
        self.network = Network(self.plan, lambda table: self.tables[table].names, Meter())
        self.value = dict(self.network.hydrate(lambda table: self.tables[table].rows))

    def admit(self, batch):
        """Write a batch; its net changes, or None when a table was widened (a network is for one layout)."""
        resolution = self.door.resolve(batch)
        self.door.commit(resolution)
        return None if resolution.widened else resolution.net

    def advance(self, net):
        delta = self.network.advance(net)
        seen = set()
        for key, old, new in delta:
            assert key not in seen, f"{key!r} comes twice in {delta}"
            seen.add(key)
            assert old is not None or new is not None, f"weight zero: {key!r} in {delta}"
            assert not same(old, new), f"a change of nothing: {key!r} {old!r}"
            assert same(self.value.get(key), old), f"{key!r} was {self.value.get(key)!r}, not {old!r}"
            if new is None:
                del self.value[key]
            else:
                self.value[key] = new
        return delta

    def check(self):
        wanted = interpret(self.plan, self.tables)
        expect_same(self.value, wanted, "the integral of the deltas")
        if ordering(self.plan) is not None:
            assert self.network.order() == list(wanted)


def run(bench, batch):
    net = bench.admit(batch)
    if net is None:
        bench.hydrate()
    else:
        bench.advance(net)


@scaled(2)
@given(scenarios(views=1, batches=6))
def test_the_integral_of_the_deltas_is_the_value_of_the_plan(scenario):
    """I(step(Δ₁), …, step(Δₙ)) = plan(I(Δ₁, …, Δₙ)), after every step."""
    bench = Bench(scenario.schemas, scenario.views["v0"].bound)
    for batch in scenario.history:
        run(bench, batch)
        bench.check()


@given(scenarios(views=1, batches=4))
def test_one_batch_is_many_small_steps(scenario):
    """The net of single steps is the delta of the batch."""
    one, many = (Bench(scenario.schemas, scenario.views["v0"].bound) for _ in range(2))
    for batch in scenario.history:
        run(one, batch)
        for change in batch:
            run(many, [change])
        expect_same(many.value, one.value, "single steps")
        if ordering(one.plan) is not None:
            assert many.network.order() == one.network.order()


@given(scenarios(views=1, batches=4))
def test_a_delta_and_its_inverse_are_nothing(scenario):
    """δ, then −δ, then δ again: the value returns to where it was, exactly, and goes on from there."""
    bench = Bench(scenario.schemas, scenario.views["v0"].bound)
    for batch in scenario.history:
        net = bench.admit(batch)
        if net is None:
            bench.hydrate()
            continue
        before = dict(bench.value)
        order = bench.network.order()
        bench.advance(net)
        bench.advance({table: [(key, new, old) for key, old, new in rows] for table, rows in net.items()})
        expect_same(bench.value, before, "δ then −δ")
        assert bench.network.order() == order
        bench.advance(net)
        bench.check()


@given(scenarios(views=1, batches=2))
def test_no_change_makes_no_change(scenario):
    """Zero in, zero out: an empty delta, and one of tables the plan does not read."""
    bench = Bench(scenario.schemas, scenario.views["v0"].bound)
    for batch in scenario.history:
        run(bench, batch)
        assert bench.network.advance({}) == []
        assert bench.network.advance({"elsewhere": [(1, None, (1,))]}) == []
        assert bench.network.advance(dict.fromkeys(bench.tables, [])) == []
        assert list(bench.network.moved()) == []
        bench.check()
