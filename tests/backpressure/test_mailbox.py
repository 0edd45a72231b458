"""The mailbox: order, batched takes, and an account that always balances."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sspcore.backpressure.mailbox import TAKE, Batch, Mailbox


@attrs.frozen
class Note:
    text: str
    survives: bool = True


def batch(rows, **more):
    return Batch([("t", number, (number,)) for number in range(rows)], **more)


def sizes(run):
    return [b.changes for b in run]


@pytest.mark.parametrize(
    ("queued", "taken"),
    [
        ([1], [1]),
        ([1, 2, 3], [1, 2, 3]),
        ([TAKE, 1], [TAKE]),
        ([TAKE - 1, 1, 1], [TAKE - 1, 1]),
        ([5 * TAKE, 1], [5 * TAKE]),  # never split, and then alone
        ([1, TAKE], [1]),
    ],
)
def test_a_take_is_one_whole_batch_and_more_while_they_are_small(queued, taken):
    mailbox = Mailbox(10_000)
    for rows in queued:
        mailbox.put(batch(rows))

    assert taken == sizes(mailbox.take())


def test_a_command_waits_its_turn_and_ends_a_run():
    mailbox = Mailbox(10)
    mailbox.put(batch(1))
    mailbox.command(Note("between"))
    mailbox.put(batch(2))

    assert [1] == sizes(mailbox.take())
    assert Note("between") == mailbox.take()
    assert [2] == sizes(mailbox.take())
    assert mailbox.take() is None


def test_commands_and_backfill_are_outside_capacity():
    mailbox = Mailbox(10)
    mailbox.put(batch(500, backfill=True))
    mailbox.command(Note("hello"))

    assert 0 == mailbox.statistics().depth
    assert mailbox.statistics().oldest is None
    assert 500 == mailbox.queued


def test_the_oldest_batch_is_found_behind_backfill():
    mailbox = Mailbox(10)
    mailbox.put(batch(5, backfill=True, at=1.0))
    mailbox.put(batch(1, at=2.0))
    mailbox.put(batch(1, at=3.0))

    assert 2.0 == mailbox.statistics().oldest


def test_giving_up_the_queue_keeps_the_questions_in_order():
    mailbox = Mailbox(10)
    for item in ("first", "second"):
        mailbox.command(Note(item))
        mailbox.put(batch(2))
        mailbox.command(Note(f"not {item}", survives=False))
    lost = mailbox.discard()

    assert [2, 2] == sizes(lost)
    assert [Note("first"), Note("second"), None] == [mailbox.take() for _ in range(3)]
    assert (4, 4, 0) == (mailbox.delivered, mailbox.discarded, mailbox.queued)


def test_every_put_wakes():
    woken = []
    mailbox = Mailbox(10)
    mailbox.wake = lambda: woken.append(len(mailbox))
    mailbox.put(batch(1))
    mailbox.command(Note("x"))

    assert [1, 2] == woken


class Accounts(RuleBasedStateMachine):
    """Any history of puts, takes, failures: delivered = applied + no_ops + queued + discarded, and FIFO."""

    def __init__(self):
        super().__init__()
        self.mailbox = Mailbox(50, max_bytes=1000)
        self.expected = []
        self.number = 0

    @rule(rows=st.integers(1, 300), size=st.integers(0, 50), backfill=st.booleans())
    def put(self, rows, size, backfill):
        self.number += 1
        item = batch(rows, size=size, backfill=backfill, offset=self.number, at=float(self.number))
        self.mailbox.put(item)
        self.expected.append(item)

    @rule(survives=st.booleans())
    def command(self, survives):
        note = Note(str(len(self.expected)), survives)
        self.mailbox.command(note)
        self.expected.append(note)

    @rule(no_ops=st.integers(0, 10), fails=st.booleans())
    def take(self, no_ops, fails):
        run = self.mailbox.take()
        if run is None:
            assert [] == self.expected
            return
        if isinstance(run, Note):
            assert run is self.expected.pop(0)
            return
        assert run == self.expected[: len(run)]
        del self.expected[: len(run)]
        rows = sum(sizes(run))
        assert len(run) == 1 or rows <= TAKE
        if fails:
            self.give_up(run)
        else:
            self.mailbox.settle(run, rows - min(no_ops, rows), min(no_ops, rows))
            assert self.mailbox.offset >= run[-1].offset

    def give_up(self, run):
        lost = self.mailbox.discard(run)
        assert [*run, *(item for item in self.expected if isinstance(item, Batch))] == lost
        self.expected = [item for item in self.expected if isinstance(item, Note) and item.survives]

    @invariant()
    def the_account_balances(self):
        m = self.mailbox
        waiting = [item for item in self.expected if isinstance(item, Batch)]
        assert m.queued == sum(sizes(waiting))
        assert m.delivered == m.applied + m.no_ops + m.queued + m.discarded
        counted = [item for item in waiting if not item.backfill]
        figures = m.statistics()
        assert (sum(sizes(counted)), sum(b.size for b in counted), len(counted)) == figures[:3]
        assert (counted[0].at if counted else None) == figures.oldest


TestAccounts = Accounts.TestCase
