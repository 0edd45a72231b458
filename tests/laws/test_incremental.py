"""Incremental = recompute: after every commit every view is what `interpret` says, and so is what its readers hold.

Over random plans, schemas and histories; in batches of 1, 7 and 100; registered before, in the middle and after.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.change import Change, delete
from sspcore.engine.operators import ordered
from sspcore.errors import ChangeRejected
from sspcore.testing.strategies import scenarios
from tests.laws.world import World, rebatched, state, values
from tests.profiles import scaled


@pytest.fixture(scope="module", autouse=True)
def small_chunks():
    """Ordered state in chunks of four, so that even these small tables make it split and merge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordered, "CHUNK", 4)
        yield


@scaled(2)
@given(scenarios(views=3, batches=8))
def test_every_view_equals_recomputation_after_every_commit(scenario):
    """T1: views and their readers are right after every step of any history, whatever the plan."""
    world = World(scenario)
    for batch in scenario.history:
        world.apply(batch)
    world.check_tables()


@pytest.mark.parametrize("size", [1, 7, 100])
@given(scenario=scenarios(views=2, batches=6))
def test_batches_of_any_size(scenario, size):
    world = World(scenario)
    for batch in rebatched(scenario.history, size):
        world.apply(batch)
    world.check_tables()


@given(scenarios(views=3, batches=8), st.data())
def test_a_view_registered_at_any_point_equals_one_registered_first(scenario, data):
    """Before, in the middle and after; and taken away in between, then registered again."""
    first, late = World(scenario), World(scenario, views=False)
    points = {v: data.draw(st.integers(0, len(scenario.history)), label=f"register {v}") for v in scenario.views}
    gone = data.draw(st.integers(0, len(scenario.history)), label="unregister v0")
    for at in range(len(scenario.history) + 1):
        late.register(*[v for v, point in points.items() if point == at])
        if at == gone and "v0" in late.mirrors:
            late.unregister("v0")
        if at == gone + 2 and "v0" not in late.mirrors and points["v0"] <= at:
            late.register("v0")
        if at < len(scenario.history):
            first.apply(scenario.history[at])
            late.apply(scenario.history[at])
    late.register(*[v for v in scenario.views if v not in late.mirrors])
    late.check()

    assert {v: same_shape(x) for v, x in values(first.circuit).items()} == {
        v: same_shape(x) for v, x in values(late.circuit).items()
    }


def same_shape(value):
    """Values of views as comparable things: unordered ones as maps of key → repr."""
    return {k: repr(r) for k, r in value.items()} if isinstance(value, dict) else [(k, repr(r)) for k, r in value]


@given(scenarios(views=2, batches=6))
def test_rows_delivered_resolved_equal_changes_applied(scenario):
    """`deliver` of the rows a batch leaves behind does what `apply` of the batch does."""
    first, second = World(scenario), World(scenario)
    for batch in scenario.history:
        before = {name: dict(table.rows) for name, table in first.circuit.tables.items()}
        first.apply(batch)
        for name, table in first.circuit.tables.items():
            if table.names != second.circuit.tables[name].names:
                for view_id, update in second.circuit.widen(table.schema).updates.items():
                    second.mirrors[view_id].apply(update)
        entries = [
            (name, key, table.rows.get(key))
            for name, table in first.circuit.tables.items()
            for key in before[name].keys() | table.rows.keys()
        ]
        for view_id, update in second.circuit.deliver(entries).updates.items():
            second.mirrors[view_id].apply(update)
        second.check()


@given(scenarios(views=2, batches=6))
def test_everything_deleted_leaves_what_nothing_gives(scenario):
    """T2: after deleting all rows every view is what it is over empty tables."""
    empty = values(World(scenario).circuit)
    world = World(scenario)
    for batch in scenario.history:
        world.apply(batch)
    for table in list(world.circuit.tables.values()):
        for row_id in list(table.rows):
            world.apply([delete(table.schema.table, row_id)])

    assert {v: same_shape(x) for v, x in values(world.circuit).items()} == {v: same_shape(x) for v, x in empty.items()}


@given(scenarios(views=2, batches=4))
def test_a_refused_batch_changes_nothing(scenario):
    """A batch whose last change is refused leaves versions, tables and views as they were, and the next one works."""
    world = World(scenario)
    for batch in scenario.history:
        before, shown = state(world.circuit), values(world.circuit)
        with pytest.raises(ChangeRejected) as refused:
            world.circuit.apply([*batch, Change("a", "no such op", 1)])
        assert refused.value.index == len(batch)
        assert state(world.circuit) == before
        assert values(world.circuit) == shown
        world.apply(batch)
