"""Each policy as a table: what a queue holds, what comes, what is answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.abc import Accept, Park, QueueStatistics, Refuse
from sspcore.backpressure.block import Block, BlockOptions
from sspcore.backpressure.drop_with_error import DropWithError, DropWithErrorOptions
from sspcore.errors import UsageError

#        depth, bytes, batches, capacity, max_bytes | changes, bytes | fits
TABLE = [
    (0, 0, 0, 10, 100, 1, 1, True),
    (9, 90, 3, 10, 100, 1, 10, True),
    (10, 0, 1, 10, 100, 1, 0, False),
    (9, 0, 1, 10, 100, 2, 0, False),
    (1, 95, 1, 10, 100, 1, 10, False),
    (0, 0, 0, 10, 100, 1000, 1, True),  # larger than the capacity: into an empty queue, alone
    (0, 0, 0, 10, 100, 1, 10_000, True),
    (1, 0, 1, 10, 100, 1000, 1, False),
]


@pytest.mark.parametrize(("depth", "size", "batches", "capacity", "most", "changes", "more", "fits"), TABLE)
def test_what_fits_is_accepted_and_what_does_not_is_answered_in_the_policy_s_way(
    depth, size, batches, capacity, most, changes, more, fits
):
    queue = QueueStatistics(depth, size, batches, capacity, most, 1.0 if batches else None)

    assert fits == queue.fits(changes, more)
    assert (Accept() if fits else Park(None)) == Block().admit(queue, changes, more, 2.0)
    assert (Accept() if fits else Refuse(1.0)) == DropWithError().admit(queue, changes, more, 2.0)


queues = st.builds(
    QueueStatistics,
    depth=st.integers(0, 30), size=st.integers(0, 3000), batches=st.integers(0, 5), capacity=st.integers(1, 20),
    max_bytes=st.integers(1, 2000), oldest=st.none() | st.floats(0, 100),
)  # fmt: skip


@given(queue=queues, changes=st.integers(0, 50), size=st.integers(0, 5000), now=st.floats(100, 200))
def test_block_never_refuses_and_drop_with_error_never_parks(queue, changes, size, now):
    assert isinstance(Block().admit(queue, changes, size, now), Accept | Park)
    answer = DropWithError().admit(queue, changes, size, now)
    assert isinstance(answer, Accept | Refuse)
    if isinstance(answer, Refuse):
        assert 0.05 <= answer.retry_after <= 5.0


@given(queue=queues, changes=st.integers(0, 50), size=st.integers(0, 5000))
def test_an_empty_queue_accepts_everything(queue, changes, size):
    """Or a producer would wait for ever."""
    empty = queue._replace(depth=0, size=0, batches=0, oldest=None)
    for policy in (Block(), DropWithError()):
        assert isinstance(policy.admit(empty, changes, size, 0.0), Accept)


def test_block_passes_its_deadline_on():
    full = QueueStatistics(10, 0, 1, 10, 100, 0.0)

    assert Park(2.5) == Block(BlockOptions(deadline=2.5)).admit(full, 1, 1, 0.0)


@pytest.mark.parametrize("waited", [0.0, 0.01, 1.0, 100.0])
def test_a_refused_producer_is_told_about_the_time_a_full_queue_takes_to_drain(waited):
    full = QueueStatistics(10, 0, 1, 10, 100, 50.0)
    policy = DropWithError(DropWithErrorOptions(least_retry=0.1, most_retry=10.0))

    assert Refuse(min(max(waited, 0.1), 10.0)) == policy.admit(full, 1, 1, 50.0 + waited)


@pytest.mark.parametrize(
    "wrong",
    [lambda: BlockOptions(deadline=-1), lambda: BlockOptions(deadline=float("nan")),
     lambda: DropWithErrorOptions(least_retry=2, most_retry=1), lambda: DropWithErrorOptions(least_retry=-1)],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UsageError):
        wrong()
