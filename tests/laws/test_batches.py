"""Batches and updates compose: how a history is cut changes neither where it ends nor what readers are told in sum."""

from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.update import compose_changes
from sspcore.testing.oracle import Mirror, expect_same
from sspcore.testing.strategies import scenarios
from tests.laws.world import World, rebatched, same_rows, values


def net_of(updates):
    """The composition of a view's updates, as key → (old, new)."""
    total = ()
    for update in updates:
        total = compose_changes(total, update.changes)
    return {key: (old, new) for key, old, new in total}


def drive(scenario, batches):
    world = World(scenario)
    told = {view_id: [] for view_id in scenario.views}
    for batch in batches:
        for view_id, update in world.apply(batch).updates.items():
            told[view_id].append(update)
    return world, told


@given(scenarios(views=2, batches=6), st.data())
def test_every_partition_of_a_history_ends_alike(scenario, data):
    """T4: any cut of a trace into batches gives the same tables, the same views and the same net delta."""
    whole = [change for batch in scenario.history for change in batch]
    size = data.draw(st.integers(1, 12), label="batch size")
    cut = data.draw(st.integers(0, len(whole)), label="one more cut")
    partitions = [
        [whole],
        [[change] for change in whole],
        rebatched(scenario.history, size),
        [part for part in (whole[:cut], whole[cut:]) if part],
    ]
    (first, told), *others = [drive(scenario, partition) for partition in partitions]
    for other, also_told in others:
        for name, table in first.circuit.tables.items():
            assert same_rows(other.circuit.tables[name].rows, table.rows)
        for view_id, value in values(first.circuit).items():
            expect_same(dict(values(other.circuit)[view_id]), dict(value), view_id)
            if isinstance(value, list):
                assert [key for key, _ in value] == [key for key, _ in values(other.circuit)[view_id]]
            assert same_rows(net_of(also_told[view_id]), net_of(told[view_id]))


@given(scenarios(views=2, batches=8), st.data())
def test_updates_compose(scenario, data):
    """Two mirrors, one fed every update and one fed runs of them composed by `then`, always agree."""
    world = World(scenario)
    lazy = {view_id: Mirror(world.circuit.view(view_id).snapshot()) for view_id in scenario.views}
    waiting = {}
    for batch in scenario.history:
        for view_id, update in world.apply(batch).updates.items():
            view = world.circuit.view(view_id)
            place = view.placements if view.ordered else None
            waiting[view_id] = waiting[view_id].then(update, place) if view_id in waiting else update
        if data.draw(st.booleans(), label="deliver"):
            deliver(world, lazy, waiting)
    deliver(world, lazy, waiting)


def deliver(world, lazy, waiting):
    for view_id, update in waiting.items():
        mirror, view = lazy[view_id], world.circuit.view(view_id)
        if update.changes or update.placed:
            mirror.apply(update)
        else:  # what came and went in between: nothing to apply but the version
            mirror.version = update.version
        expect_same(mirror.held, dict(zip(view.keys(), view.rows(), strict=True)), f"composed updates of {view_id}")
        assert mirror.version == view.version
        if view.ordered:
            assert mirror.keys == view.keys()
    waiting.clear()
