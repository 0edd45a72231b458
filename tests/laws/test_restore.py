"""Restore is indistinguishable from never having stopped: at every prefix of a history, for every plan."""

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given

from sspcore.algebra.interval import Interval
from sspcore.algebra.values import NAN
from sspcore.engine import image
from sspcore.engine.change import upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.image import STANDARD_JSON
from sspcore.engine.schema import Schema
from sspcore.errors import UsageError
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
    for prefix, data in enumerate(images):
        twin = Circuit.restore(data)
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


CODECS = [(STANDARD_JSON, msgspec.json), (msgspec.json, STANDARD_JSON), (msgspec.json, msgspec.json)]


@pytest.mark.parametrize(("writes", "reads"), CODECS, ids=["msgspec reads", "msgspec writes", "msgspec both"])
@given(scenario=scenarios(views=2, batches=3))
def test_an_image_is_the_same_whoever_writes_and_reads_it(writes, reads, scenario):
    world = World(scenario)
    for batch in scenario.history:
        world.apply(batch)
    data = world.circuit.image(writes)

    expect_alike(world.circuit, Circuit.restore(data, codec=reads))
    assert plain(data) == plain(world.circuit.image())


def plain(data):
    header, _, body = data.partition(b"\n")
    return header.split(b" ")[:3], json.loads(body)


AT = datetime(2013, 6, 24, 9, 30, 0, 125, tzinfo=UTC)
VALUES = (
    None, True, 2**70, -(2**63), 0.1, 1e308, NAN, math.inf, -math.inf, "\u2028\x00", b"\xff", AT, date(2013, 6, 24),
    Decimal("1.50"), Interval(1, 2, 3), (1, (NAN, b"x")), {"$": [1, Decimal(2)], "a": {"b": AT}}, {}, (),
)  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("kind", ["any", "declared"])
def test_every_value_comes_back_as_it_was(value, kind):
    declared = {float: "real", bytes: "bytes", datetime: "timestamp", date: "date", Decimal: "decimal"}
    columns = {"x": declared.get(type(value), "any") if kind == "declared" else "any", "y": "real"}
    circuit = Circuit(schemas=[Schema("t", columns)])
    circuit.apply([upsert("t", n, {"x": v, "y": 0.5}) for n, v in enumerate((None, value, None))])
    for codec in (None, msgspec.json):
        restored = Circuit.restore(circuit.image(codec), codec=codec)
        assert same_rows(restored.tables["t"].rows, circuit.tables["t"].rows)


@pytest.mark.parametrize("check", ["_is_plain", "_are_finite"])
def test_the_law_finds_values_that_a_codec_writes_in_a_way_of_its_own(check, monkeypatch):
    monkeypatch.setattr(image, check, lambda column: True)
    with pytest.raises((AssertionError, ValueError)):
        test_every_value_comes_back_as_it_was(NAN, "any" if check == "_is_plain" else "declared")


def test_a_cut_stays_as_it_was_while_the_circuit_goes_on():
    circuit = Circuit(schemas=[Schema("t", {"x": "integer"})])
    circuit.apply([upsert("t", n, {"x": n}) for n in range(3)])
    circuit.register("sum", "SELECT sum(x) AS x FROM t")
    cut = circuit.cut()
    circuit.apply([upsert("t", 3, {"x": 100})])
    circuit.register("more", "SELECT x FROM t")

    restored = Circuit.restore(cut.encode())
    assert restored.rows("sum") == [(3,)]
    assert (restored.version, list(restored.views)) == (1, ["sum"])


def test_what_a_codec_raises_is_a_fault_of_the_image():
    class Foreign(Exception):
        pass

    class Refusing:
        def decode(self, data):
            raise Foreign("no")

    with pytest.raises(UsageError, match="cannot be read: no"):
        Circuit.restore(Circuit().image(), codec=Refusing())
