"""One subscriber's outbox: chained, coalesced, bounded, honest about its end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sspcore.delivery.outbox import SLACK, Outbox
from sspcore.engine.update import Snapshot, ViewUpdate
from sspcore.errors import CircuitFailed


def snapshot(version=0, epoch="e"):
    return Snapshot("v", epoch, version, ("x",), [], [])


def update(before, after, *changes, epoch="e", reset=False):
    return ViewUpdate("v", epoch, before, after, ("x",), changes, (), reset)


def opened(version=0):
    outbox = Outbox("v")
    outbox.begin(snapshot(version))
    return outbox


def test_pending_updates_are_taken_as_one():
    outbox = opened()
    outbox.push(update(0, 1, (1, None, ("a",))), None)
    outbox.push(update(1, 4, (1, ("a",), ("b",))), None)
    taken = outbox.take()

    assert (0, 4, ((1, None, ("b",)),)) == (taken.from_version, taken.version, taken.changes)
    assert outbox.take() is None
    assert 1 == outbox.coalesced


def test_what_was_done_and_undone_is_no_news_but_keeps_the_chain():
    outbox = opened()
    outbox.push(update(0, 1, (1, None, ("a",))), None)
    outbox.push(update(1, 2, (1, ("a",), None)), None)
    assert outbox.take() is None
    outbox.push(update(2, 3, (2, None, ("b",))), None)
    taken = outbox.take()

    assert (0, 3, ((2, None, ("b",)),)) == (taken.from_version, taken.version, taken.changes)


def test_every_push_wakes():
    outbox, woken = opened(), []
    outbox.wake = lambda: woken.append(1)
    outbox.push(update(0, 1, (1, None, ("a",))), None)
    outbox.end("over")

    assert [1, 1] == woken


def test_a_reset_follows_whatever_the_subscriber_has():
    outbox = opened()
    outbox.push(update(0, 3, (1, None, ("a",))), None)
    outbox.take()
    outbox.push(update(3, 4, (1, ("a",), ("b",))), None)
    outbox.push(update(17, 2, (1, None, ("c",)), epoch="f", reset=True), None)
    taken = outbox.take()

    assert (3, 2, "f", True) == (taken.from_version, taken.version, taken.epoch, taken.reset)
    assert (2, "f") == (outbox.version, outbox.epoch)


def test_an_empty_reset_is_news():
    outbox = opened()
    outbox.push(update(0, 1, epoch="f", reset=True), None)

    assert outbox.take().reset


def test_after_a_loss_nothing_comes_before_a_reset():
    outbox = opened()
    outbox.push(update(0, 1, (1, None, ("a",))), None)
    outbox.lose()
    outbox.push(update(1, 2, (2, None, ("b",))), None)
    assert outbox.take() is None
    outbox.push(update(9, 9, (1, None, ("z",)), epoch="f", reset=True), None)
    outbox.push(update(9, 10, (1, ("z",), None), epoch="f"), None)
    taken = outbox.take()

    assert (0, 10, (), True) == (taken.from_version, taken.version, taken.changes, taken.reset)


def test_what_happened_before_the_end_can_still_be_taken():
    outbox = opened()
    outbox.push(update(0, 1, (1, None, ("a",))), None)
    outbox.push(update(1, 2, (2, None, ("b",))), None)
    outbox.end("unregistered")
    outbox.push(update(2, 3, (3, None, ("c",))), None)

    assert 2 == outbox.take().version
    assert outbox.take() is None
    assert (True, "unregistered", None) == (outbox.ended, outbox.reason, outbox.error)


def test_an_end_by_a_fault_leaves_nothing_to_take():
    outbox, fault = opened(), CircuitFailed("view failed")
    outbox.push(update(0, 1, (1, None, ("a",))), None)
    outbox.end("failed", fault)
    outbox.end("again")

    assert outbox.take() is None
    assert (fault, "failed") == (outbox.error, outbox.reason)


def test_a_subscriber_that_never_looks_costs_an_append_a_commit_and_bounded_memory():
    """Ten thousand commits over ten rows: composed so seldom that all composing together is linear in the changes."""
    outbox, asked = opened(), []

    def place(keys):
        asked.append(len(list(keys)))
        return ()

    for number in range(10_000):
        old = None if number < 10 else (number - 10,)
        placed = ((number % 10, None),)
        change = ViewUpdate("v", "e", number, number + 1, ("x",), ((number % 10, old, (number,)),), placed)
        outbox.push(change, place)
        assert outbox._weight <= 2 * 20 + SLACK + 2
    # each composition is preceded by at least SLACK / 2 pushes (a change and a placement weigh 2)
    assert len(asked) <= 10_000 // (SLACK // 2) + 1
    assert 10 == len(outbox.take().changes)


@given(takes=st.lists(st.booleans(), min_size=1, max_size=60))
def test_whatever_the_pace_updates_chain_and_none_is_lost(takes):
    outbox, version, total = opened(), 0, 0
    for number, take in enumerate(takes, 1):
        outbox.push(update(number - 1, number, (number, None, (number,))), None)
        if take:
            taken = outbox.take()
            assert version == taken.from_version
            version, total = taken.version, total + len(taken.changes)
    left = outbox.take()
    assert len(takes) == total + (0 if left is None else len(left.changes))


def test_a_closed_outbox_holds_nothing():
    outbox = opened()
    outbox.push(update(0, 1, (1, None, ("a",))), None)
    outbox.close()
    outbox.push(update(1, 2, (1, ("a",), None)), None)

    assert outbox.take() is None
