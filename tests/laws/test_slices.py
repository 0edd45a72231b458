"""Slices: a commit in steps is the commit in one; until it ends nothing else is served, and closed it never was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.change import upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.drained import drained
from sspcore.errors import Busy, ChangeRejected
from sspcore.testing.oracle import Mirror, check_circuit
from sspcore.testing.strategies import scenarios
from tests.laws.world import World, seeded, state, values
from tests.profiles import scaled


@scaled(0.3)
@given(scenarios(views=3, batches=4, size=12), st.integers(1, 5))
def test_sliced_is_whole(scenario, rows):
    """Same updates, same placements, same state, for slices of any size."""
    sliced, whole = World(scenario), World(scenario)
    for batch in scenario.history:
        expected = whole.apply(batch)
        commit = drained(sliced.circuit.apply_sliced(batch, rows))
        assert commit.version == expected.version
        assert commit.updates.keys() == expected.updates.keys()
        for view_id, update in commit.updates.items():
            told = expected.updates[view_id]
            assert {c[0]: c for c in update.changes} == {c[0]: c for c in told.changes}
            sliced.mirrors[view_id].apply(update)
        sliced.check()
        assert state(sliced.circuit) == state(whole.circuit)


@pytest.mark.parametrize("seed", [1, 2, 5, 9])
def test_closed_after_any_step_it_never_was(seed):
    scenario = seeded(seed, views=3, batches=4, size=10)
    world = World(scenario)
    for batch in scenario.history:
        steps = 0
        while True:
            before, shown = state(world.circuit), values(world.circuit)
            slices = world.circuit.apply_sliced(batch, 2)
            try:
                for _ in range(steps):
                    next(slices)
            except StopIteration as end:
                for view_id, update in end.value.updates.items():
                    world.mirrors[view_id].apply(update)
                break
            slices.close()
            assert state(world.circuit) == before
            assert values(world.circuit) == shown
            check_circuit(world.circuit)
            steps += 1
        world.check()


def test_until_it_ends_nothing_is_served():
    circuit = Circuit()
    circuit.register("all", "SELECT id, x FROM t")
    slices = circuit.apply_sliced([upsert("t", n, {"x": n}) for n in range(10)], 3)
    next(slices)
    for ask in (
        lambda: circuit.apply([]),
        lambda: circuit.rows("all"),
        lambda: circuit.query("SELECT 1"),
        lambda: circuit.register("more", "SELECT id FROM t"),
        lambda: circuit.unregister("all"),
        lambda: circuit.rebind("all", {}),
        lambda: circuit.deliver([]),
        lambda: circuit.flush(),
        lambda: circuit.image(),
        lambda: next(circuit.apply_sliced([], 3)),
    ):
        with pytest.raises(Busy, match="in the midst of a sliced commit"):
            ask()
    commit = drained(slices)
    assert len(commit.updates["all"].added) == 10 == len(circuit.rows("all"))


def test_a_refused_batch_leaves_the_circuit_idle():
    circuit = Circuit()
    with pytest.raises(ChangeRejected):
        next(circuit.apply_sliced([upsert("t", 1, {"x": 1}), upsert("t", 1.5, {})]))
    circuit.apply([upsert("t", 1, {"x": 1})])


@scaled(0.5)
@given(scenarios(views=3, batches=4, size=12), st.integers(1, 5), st.integers(0, 30))
def test_a_view_registered_in_slices_is_the_view_registered_at_once(scenario, rows, stop):
    """The same snapshot, and the same from then on; closed at any step there is no such view."""
    world = World(scenario, views=False)
    first, *rest = scenario.history
    world.apply(first)
    for view_id, view in scenario.views.items():
        before = state(world.circuit)
        slices = world.circuit.register_sliced(view_id, view.plan, view.params, rows=rows)
        try:
            for _ in range(stop):
                next(slices)
                with pytest.raises(Busy):
                    world.circuit.apply([])
        except StopIteration as end:
            world.mirrors[view_id] = Mirror(end.value)
        else:
            slices.close()
            assert state(world.circuit) == before
            whole = world.circuit.register_sliced(view_id, view.plan, view.params, rows=rows)
            world.mirrors[view_id] = Mirror(drained(whole))
    world.check()
    for batch in rest:
        world.apply(batch)
    for view in world.circuit.views.values():
        assert view.statistics.rehydrates <= sum(bool(s.open) for s in scenario.schemas) * len(rest)
