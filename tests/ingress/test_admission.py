"""Admission without a runtime: one synchronous step, and the order of those who wait."""

from __future__ import annotations

import sys

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sspcore import create, upsert
from sspcore.backpressure.block import Block
from sspcore.backpressure.drop_with_error import DropWithError
from sspcore.backpressure.mailbox import Batch, Mailbox
from sspcore.engine.options import CircuitOptions
from sspcore.errors import ChangeRejected, Full
from sspcore.ingress.admission import Admission, Admitted, Ticket
from sspcore.ingress.lane import Lane
from sspcore.ingress.registry import Registry
from sspcore.routing.dependency import Dependency
from sspcore.routing.guard import Guard


def house(*circuits, capacity=4, policy=Block):
    """A registry with circuits that each have a view of tables `t` and one of their own name."""
    registry = Registry(Guard(Dependency()), CircuitOptions())
    for name in circuits:
        registry.add_circuit(Lane(name, policy(), policy.__name__, Mailbox(capacity)))
        registry.register(name, f"{name} and all", f"SELECT id FROM t UNION ALL SELECT id FROM {name}", None)
    return Admission(registry.base, registry.router, registry.lanes)


def changes(table, *ids):
    return [upsert(table, i, {}) for i in ids]


def queued(admission, circuit):
    """The ids a circuit has queued, batch by batch."""
    items = admission.lanes[circuit].mailbox._items
    return [[key for _, key, _ in item.entries] for item in items if type(item) is Batch]


def test_an_admitted_batch_is_written_and_queued_everywhere_in_one_step():
    admission = house("a", "b")
    admitted = admission.submit(changes("t", 1, 2), 0.0)

    assert Admitted(1, ("a", "b"), (), 2, 0) == admitted
    assert [[1, 2]] == queued(admission, "a") == queued(admission, "b")
    assert {1, 2} == set(admission.base.tables["t"].rows)


def test_a_parked_batch_has_written_nothing():
    admission = house("a", "b")
    admission.submit(changes("a", 1, 2, 3), 0.0)
    ticket = admission.submit(changes("t", 4, 5), 0.0)

    assert isinstance(ticket, Ticket) and {"a", "b"} == ticket.targets
    assert [] == queued(admission, "b")
    assert {} == admission.base.tables["t"].rows
    assert (1, 3) == (admission.offset, admission.received)


def test_a_no_op_is_admitted_and_goes_nowhere():
    admission = house("a")
    admission.submit(changes("t", 1), 0.0)

    assert Admitted(2, (), (), 0, 0) == admission.submit(changes("t", 1), 0.0)


def test_an_earlier_ticket_s_claim_makes_a_queue_full_for_others():
    admission = house("a", "b")
    admission.submit(changes("a", 1, 2, 3), 0.0)
    first = admission.submit(changes("t", 4, 5), 0.0)
    behind = admission.submit(changes("b", 6), 0.0)  # b is empty, but the first waits for it too

    assert isinstance(behind, Ticket)
    with pytest.raises(Full):
        admission.submit_now(changes("b", 7), 0.0)
    assert admission.again(behind, 0.0) is None
    assert admission.again(first, 0.0) is None
    while admission.lanes["a"].mailbox.take() is not None:
        pass
    woken = []
    first.wake, behind.wake = lambda: woken.append("first"), lambda: woken.append("behind")
    admission.room("a")
    assert ["first"] == woken
    assert isinstance(admission.again(first, 0.0), Admitted)
    assert ["first", "behind"] == woken[:2], "who leaves wakes the next"
    assert isinstance(admission.again(behind, 0.0), Admitted)
    assert 0 == admission.waiting


def test_a_circuit_that_never_waits_refuses_rather_than_overtake():
    registry = Registry(Guard(Dependency()), CircuitOptions())
    for name, policy in (("a", Block()), ("b", DropWithError())):
        registry.add_circuit(Lane(name, policy, name, Mailbox(4)))
        registry.register(name, f"{name} and all", f"SELECT id FROM t UNION ALL SELECT id FROM {name}", None)
    admission = Admission(registry.base, registry.router, registry.lanes)
    admission.submit(changes("a", 1, 2, 3), 0.0)
    assert isinstance(admission.submit(changes("t", 4, 5), 0.0), Ticket)

    with pytest.raises(Full):
        admission.submit(changes("b", 6), 0.0)


def test_a_ticket_refused_when_its_turn_comes_makes_way():
    admission = house("a")
    admission.submit(changes("a", 1, 2, 3, 4), 0.0)
    doomed = admission.submit([create("a", 9, {})], 0.0)
    behind = admission.submit(changes("a", 5), 0.0)
    admission.base.commit(admission.base.resolve([create("a", 9, {})]))
    woken = []
    behind.wake = lambda: woken.append(1)

    with pytest.raises(ChangeRejected):
        admission.again(doomed, 0.0)
    assert ([1], 1) == (woken, admission.waiting)


def test_a_circuit_behind_is_named_and_not_asked():
    admission = house("a", "b")
    admission.submit(changes("a", 1, 2, 3, 4), 0.0)
    admission.lanes["a"].fall_behind(ZeroDivisionError())

    assert Admitted(2, ("b",), ("a",), 1, 0) == admission.submit(changes("t", 5), 0.0)
    assert [] == queued(admission, "a")


def test_no_hook_runs_and_work_per_change_is_flat():
    """A batch of 512 costs less than twice the calls of one of 256, none of them pluggy's. Cost without a stopwatch."""
    counts = {}
    for size in (256, 512):
        admission = house("a", "b", capacity=10_000)
        batch = [upsert("t", i, {"x": i}) for i in range(size)]
        admission.submit(batch, 0.0)  # makes the columns
        batch = [upsert("t", i, {"x": -i}) for i in range(size)]
        calls = []

        def count(frame, event, argument, calls=calls):
            if event == "call":
                calls.append(frame.f_code.co_filename)

        sys.setprofile(count)
        try:
            admission.submit(batch, 0.0)
        finally:
            sys.setprofile(None)
        assert not [name for name in calls if "pluggy" in name]
        assert 1 == len([name for name in set(calls) if name.endswith("dependency.py")])
        counts[size] = len(calls)
    # per change: the door's judge, its id, its version, its row, one comparison; 12 leaves room, not for another layer
    assert counts[512] - counts[256] <= 12 * 256, counts


class Queueing(RuleBasedStateMachine):
    """Producers of three tables over two circuits, in any order: nothing overtakes, nothing is lost or doubled."""

    def __init__(self):
        super().__init__()
        self.admission = house("a", "b", capacity=3)
        self.waiting = []
        self.admitted = {"a": [], "b": []}
        self.taken = {"a": [], "b": []}
        self.number = 0

    @rule(table=st.sampled_from(("t", "a", "b")), rows=st.integers(1, 5))
    def produce(self, table, rows):
        self.number += 1
        batch = changes(table, *[f"{self.number}.{i}" for i in range(rows)])
        outcome = self.admission.submit(batch, 0.0)
        if isinstance(outcome, Ticket):
            outcome.wake = lambda: None
            self.waiting.append((outcome, batch))
        else:
            targets = {"a", "b"} if table == "t" else {table}
            assert not any(targets & ticket.targets for ticket, _ in self.waiting), "overtook a ticket"
            self.note(outcome, batch)

    def note(self, outcome, batch):
        for circuit in outcome.targets:
            self.admitted[circuit].append([change.id for change in batch])

    @rule(circuit=st.sampled_from(("a", "b")))
    def take(self, circuit):
        run = self.admission.lanes[circuit].mailbox.take()
        if isinstance(run, list):
            self.taken[circuit] += [[key for _, key, _ in batch.entries] for batch in run]

    @precondition(lambda self: self.waiting)
    @rule(at=st.integers(0, 9))
    def ask_again(self, at):
        ticket, batch = self.waiting[at % len(self.waiting)]
        outcome = self.admission.again(ticket, 0.0)
        if outcome is not None:
            ahead = [t for t, _ in self.waiting if t.number < ticket.number]
            assert not any(t.targets & set(outcome.targets) for t in ahead), "overtook a ticket"
            self.waiting.remove((ticket, batch))
            self.note(outcome, batch)

    @precondition(lambda self: self.waiting)
    @rule(at=st.integers(0, 9))
    def give_up(self, at):
        self.admission.forget(self.waiting.pop(at % len(self.waiting))[0])

    @invariant()
    def what_is_admitted_is_what_circuits_get_in_order(self):
        for circuit, batches in self.admitted.items():
            assert batches == self.taken[circuit] + queued(self.admission, circuit)
        assert len(self.waiting) == self.admission.waiting

    @invariant()
    def memory_is_bounded(self):
        for lane in self.admission.lanes.values():
            figures = lane.mailbox.statistics()
            assert figures.depth <= figures.capacity or figures.batches == 1

    @invariant()
    def the_first_in_line_can_always_enter_once_its_circuits_are_empty(self):
        if self.waiting and not any(len(lane.mailbox) for lane in self.admission.lanes.values()):
            ticket, batch = min(self.waiting, key=lambda pair: pair[0].number)
            outcome = self.admission.again(ticket, 0.0)
            assert outcome is not None
            self.waiting.remove((ticket, batch))
            self.note(outcome, batch)


TestQueueing = Queueing.TestCase
