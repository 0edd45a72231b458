"""Rollback: whatever line of the engine a commit dies at, the circuit is exactly as before, and goes on.

Raised as an interrupt (a BaseException) the whole batch is undone; raised as a bug in an operator, only the view it
happened in is hydrated anew, and its readers are told the same as ever.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.change import clear, upsert
from sspcore.errors import CircuitFailed
from sspcore.plan import traverse
from sspcore.testing.oracle import check_circuit
from sspcore.testing.strategies import scenarios
from tests.laws.faults import Bug, Interrupt, Stop, break_for_good
from tests.laws.world import World, seeded, state, values
from tests.profiles import profile, scaled

STRIDE = {"dev": 23, "ci": 9, "nightly": 1}
"""Every line in nightly runs; otherwise every so many, from a start that the batch number varies."""


def attempts(batch_number):
    stride = STRIDE[profile()]
    at = batch_number % stride
    while True:
        yield at
        at += stride


def unordered(circuit):
    return {v: sorted(map(repr, x.items() if isinstance(x, dict) else x)) for v, x in values(circuit).items()}


def marked(batch, number):
    """The batch with a mark and a row version, so that all there is to undo is there."""
    return [[batch[0]._replace(source="s", seq=number, version=number), *batch[1:]]]


def by_table(batch, number):
    """The batch cut into one for each table, which changes rows and nothing besides."""
    names = dict.fromkeys(change.table for change in batch)
    return [[change for change in batch if change.table == name] for name in names]


@pytest.mark.parametrize("cut", [marked, by_table])
@pytest.mark.parametrize("seed", [1, 2, 5, 9])
def test_a_commit_interrupted_at_any_line_is_undone(seed, cut):
    """Raise at every k-th primitive of `apply`: state, versions, marks and views are as before, and it goes on."""
    scenario = seeded(seed, views=3, batches=3, size=4)
    world = World(scenario)
    for number, history in enumerate(scenario.history):
        for batch in cut(history, number):
            interrupted(world, batch, number)


def interrupted(world, batch, number):
    before, shown = state(world.circuit), unordered(world.circuit)
    for at in attempts(number):
        version = world.circuit.version
        commit, place = attempt(world.circuit, batch, at)
        if world.circuit.version != version or place is None:
            break
        assert state(world.circuit) == before, place
        assert unordered(world.circuit) == shown, place
        check_circuit(world.circuit)
    # past the point of no return it is wholly applied
    assert place is None or place.startswith(("commit_", "drained"))
    catch_up(world, commit)


def attempt(circuit, batch, at):
    """The commit and None, or None and the place where the interrupt struck."""
    try:
        with Interrupt(at):
            return circuit.apply(batch), None
    except Stop as place:
        return None, str(place)


def catch_up(world, commit):
    """The readers go on after the commit that got through; when its updates were lost they start again."""
    if commit is None:
        for view_id in list(world.mirrors):
            world.mirrors[view_id] = type(world.mirrors[view_id])(world.circuit.view(view_id).snapshot())
    else:
        for view_id, update in commit.updates.items():
            world.mirrors[view_id].apply(update)
    world.check()


@pytest.mark.parametrize("seed", [3, 4, 6, 7, 8])
def test_a_bug_at_any_line_of_an_operator_costs_one_hydration(seed):
    """A view that raises while it advances is hydrated anew, and its readers are told the same as ever."""
    scenario = seeded(seed, views=2, batches=3, size=4)
    for number, batch in enumerate(scenario.history):
        for at in attempts(number):
            world = World(scenario)
            for earlier in scenario.history[:number]:
                world.apply(earlier)
            with Interrupt(at, Bug, under=("engine/operators",)) as interrupt:
                commit = world.circuit.apply(batch)
            if not interrupt.fired:
                break
            assert not commit.failed
            for view_id, update in commit.updates.items():
                world.mirrors[view_id].apply(update)
            world.check()


@scaled(0.3)
@given(scenarios(views=2, batches=3), st.integers(0, 400))
def test_registration_interrupted_at_any_line_leaves_nothing(scenario, at):
    """`register` is all or nothing too."""
    world = World(scenario, views=False)
    world.apply(scenario.history[0])
    before = state(world.circuit)
    view = scenario.views["v0"]
    try:
        with Interrupt(at):
            world.circuit.register("v0", view.plan, view.params)
    except Stop:
        if "v0" not in world.circuit.views:
            assert state(world.circuit) == before
            world.register("v0")
    for batch in scenario.history[1:]:
        world.circuit.apply(batch)
        check_circuit(world.circuit)


def test_a_raising_view_fails_alone():
    """T62: a view whose code raises is dropped and named; the batch commits, the others move, and it can come back."""
    for seed in range(12):
        scenario = seeded(seed, views=3, batches=4)
        broken = next((v for v, view in scenario.views.items() if traverse.tables_of(view.plan)), None)
        if broken is None:
            continue
        world = World(scenario)
        world.apply(scenario.history[0])
        table = min(traverse.tables_of(scenario.views[broken].plan))
        with pytest.MonkeyPatch.context() as patch:
            break_for_good(world.circuit.views[broken].materialisation, patch)
            del world.mirrors[broken]

            commit = world.circuit.apply([clear(table)])

        assert list(commit.failed) == [broken] == list(world.circuit.failed)
        assert isinstance(commit.failed[broken], Bug)
        assert world.circuit.tables[table].rows == {}
        with pytest.raises(CircuitFailed, match="register it again"):
            world.circuit.rows(broken)
        for view_id, update in commit.updates.items():
            world.mirrors[view_id].apply(update)
        world.check()
        world.apply([upsert("elsewhere", 1, {})])

        world.register(broken)  # revived
        assert not world.circuit.failed
        for schema in scenario.schemas:
            world.apply([clear(schema.table)])
