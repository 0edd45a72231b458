"""Restore is indistinguishable from never having stopped: at every prefix of a history, for every plan."""

from hypothesis import given

from sspcore.engine.circuit import Circuit
from sspcore.testing.oracle import Mirror, expect_same
from sspcore.testing.strategies import scenarios
from tests.laws.world import World, same_rows, state, values
from tests.profiles import scaled


def expect_alike(circuit, other):
    assert state(circuit) == state(other)
    for name, table in circuit.tables.items():
        assert same_rows(table.rows, other.tables[name].rows)
    for view_id, value in values(circuit).items():
        twin = values(other)[view_id]
        expect_same(dict(twin), dict(value), f"restored view {view_id!r}")
        if isinstance(value, list):
            assert [key for key, _ in twin] == [key for key, _ in value]


@scaled(0.5)
@given(scenarios(views=3, batches=5))
def test_restored_at_every_prefix_it_goes_on_as_if_never_stopped(scenario):
    """T8: for every prefix, image, restore, continue equals no restart: states, versions and updates alike."""
    world = World(scenario)
    images = [world.circuit.image()]
    commits = []
    for batch in scenario.history:
        commits.append(world.apply(batch))
        images.append(world.circuit.image())
    for prefix, image in enumerate(images):
        twin = Circuit.restore(image)
        mirrors = {view_id: Mirror(twin.view(view_id).snapshot()) for view_id in twin.views}
        for batch, commit in zip(scenario.history[prefix:], commits[prefix:], strict=True):
            again = twin.apply(batch)
            assert again.version == commit.version
            assert again.updates.keys() == commit.updates.keys()
            for view_id, update in again.updates.items():
                mirrors[view_id].apply(update)
                wanted = commit.updates[view_id]
                assert (update.epoch, update.from_version, update.version) == (
                    wanted.epoch, wanted.from_version, wanted.version,
                )  # fmt: skip
                assert update.delta == wanted.delta
        expect_alike(world.circuit, twin)


@given(scenarios(views=2, batches=5))
def test_restored_circuits_restart_again_and_again(scenario):
    """A restart after every batch: the readers never notice."""
    world = World(scenario)
    for batch in scenario.history:
        world.apply(batch)
        world = world.restored()
        world.check()
    world.check_tables()


@given(scenarios(views=3, batches=4))
def test_a_view_registered_after_a_restore_leaves_the_others_alive(scenario):
    """T9: restore, register, apply: every view is woken, the restored and the new."""
    world = World(scenario, views=False)
    world.register("v0", "v1")
    for batch in scenario.history[:2]:
        world.apply(batch)
    world = world.restored()
    world.register("v2")
    for batch in scenario.history[2:]:
        world.apply(batch)
