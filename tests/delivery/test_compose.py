"""Several updates as one: the same effect, whoever composes and however often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.delivery.compose import compose
from sspcore.engine.circuit import Circuit
from sspcore.engine.update import ViewUpdate
from sspcore.errors import InternalError
from sspcore.testing.oracle import Mirror, expect_same, expect_value
from sspcore.testing.strategies import scenarios
from tests.profiles import scaled


def update(before, after, *changes, epoch="e", reset=False, placed=()):
    return ViewUpdate("v", epoch, before, after, ("x",), changes, placed, reset)


@scaled(3)
@given(scenario=scenarios(views=2, batches=6), random=st.randoms(use_true_random=False))
def test_a_reader_that_gets_compositions_sees_what_one_that_gets_every_update_sees(scenario, random):
    """Ordered views too: placements are asked for once, at the end, and are enough."""
    circuit = Circuit(schemas=scenario.schemas)
    every, some, pending = {}, {}, {}
    for view_id, view in scenario.views.items():
        snapshot = circuit.register(view_id, view.plan, view.params)
        every[view_id], some[view_id], pending[view_id] = Mirror(snapshot), Mirror(snapshot), []
    for batch in scenario.history:
        for view_id, change in circuit.apply(batch).updates.items():
            every[view_id].apply(change)
            pending[view_id].append(change)
            if len(pending[view_id]) > 1 and random.random() < 0.3:
                pending[view_id] = [compose(pending[view_id], circuit.view(view_id).placements)]
        for view_id, updates in pending.items():
            if updates and random.random() < 0.4:
                bring_up_to_date(circuit, some[view_id], updates)
    for view_id, updates in pending.items():
        bring_up_to_date(circuit, some[view_id], updates)
        expect_same(some[view_id].held, every[view_id].held, view_id)
        view = circuit.view(view_id)
        expect_value(some[view_id].keys, some[view_id].rows(), view.bound, circuit.tables, view_id)


def bring_up_to_date(circuit, mirror, updates):
    if not updates:
        return
    one = compose(updates, circuit.view(mirror.view).placements)
    assert (updates[0].from_version, updates[-1].version) == (one.from_version, one.version)
    if one.changes or one.placed or one.reset:
        mirror.apply(one)
        updates.clear()


@given(random=st.randoms(use_true_random=False))
def test_composing_all_at_once_equals_composing_one_by_one(random):
    """The n-ary form and `ViewUpdate.then` are one function."""
    held, updates = {}, []
    for version in range(1, 8):
        changes = []
        for key in sorted(random.sample(range(4), random.randint(1, 3))):
            old = held.pop(key, None)
            new = (random.randint(0, 2),) if old is None or random.random() < 0.6 else None
            if new is not None:
                held[key] = new
            if old != new:
                changes.append((key, old, new))
        updates.append(update(version - 1, version, *changes))
    folded = updates[0]
    for later in updates[1:]:
        folded = folded.then(later)

    assert sorted(folded.changes) == sorted(compose(updates).changes)
    assert (folded.from_version, folded.version) == (compose(updates).from_version, compose(updates).version)


def test_a_reset_replaces_all_before_it_and_takes_in_what_follows():
    first = update(1, 2, (1, None, ("a",)))
    reset = update(5, 6, (1, None, ("x",)), (2, None, ("y",)), epoch="f", reset=True)
    last = update(6, 7, (2, ("y",), None), (3, None, ("z",)), epoch="f")
    one = compose([first, reset, last])

    assert one.reset and ("f", 1, 7) == (one.epoch, one.from_version, one.version)
    assert [(1, None, ("x",)), (3, None, ("z",))] == list(one.changes)


def test_a_change_within_a_reset_stays_an_added_row():
    reset = update(0, 6, (1, None, ("x",)), reset=True)
    one = compose([reset, update(6, 7, (1, ("x",), ("y",)))])

    assert ((1, None, ("y",)),) == one.changes


@pytest.mark.parametrize("later", [update(3, 4), update(2, 3, epoch="other")])
def test_updates_that_do_not_chain_are_not_composed(later):
    with pytest.raises(InternalError, match="do not chain"):
        compose([update(1, 2), later])


def test_work_is_linear_in_the_changes():
    """A thousand updates of one row: the order is asked for once, for one key."""
    asked = []

    def place(keys):
        asked.append(list(keys))
        return tuple((key, None) for key in asked[-1])

    updates = [update(n, n + 1, (1, (n,), (n + 1,)), placed=((1, None),)) for n in range(1000)]
    one = compose(updates, place)

    assert [[1]] == asked
    assert ((1, (0,), (1000,)),) == one.changes
