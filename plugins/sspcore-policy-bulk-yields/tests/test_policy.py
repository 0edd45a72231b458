"""The promises: live batches are never refused, bulk leaves them room, and nobody waits behind bulk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.abc import Accept, Park, QueueStatistics, Refuse
from sspcore.errors import UsageError
from sspcore_policy_bulk_yields import BulkYields, BulkYieldsOptions

POLICY = BulkYields(BulkYieldsOptions(bulk=10, share=0.5, lag=2.0, patience=3.0))

#   depth, bytes, oldest | changes, bytes | answer at time 10, of a queue for 100 changes and 1 000 bytes
TABLE = [
    (0, 0, None, 10, 10, Accept()),
    (0, 0, None, 5_000, 10, Accept()),  # an empty queue takes any batch
    (0, 0, None, 5_000, 5_000, Accept()),
    (40, 0, 9.0, 10, 10, Accept()),
    (40, 0, 9.0, 11, 10, Refuse(1.0 * (40 + 11 - 50) / 40)),  # what is beyond its share must go first
    (39, 0, 9.0, 11, 10, Accept()),
    (39, 495, 9.0, 11, 10, Refuse(1.0 * 5 / 495)),
    (39, 490, 9.0, 11, 10, Accept()),
    (95, 0, 9.0, 5, 10, Accept()),  # live batches use all of it
    (95, 0, 9.0, 6, 10, Park(3.0)),
    (95, 995, 9.0, 1, 10, Park(3.0)),
    (20, 0, 8.0, 11, 10, Accept()),
    (20, 0, 7.5, 11, 10, Refuse(2.5)),  # the queue lags: all of it must go
    (20, 0, 7.5, 10, 10, Accept()),  # which is no matter to live ones
    (100, 0, 0.0, 11, 10, Refuse(5.0)),
]


@pytest.mark.parametrize(("depth", "size", "oldest", "changes", "more", "answer"), TABLE)
def test_answers(depth, size, oldest, changes, more, answer):
    policy = BulkYields(BulkYieldsOptions(bulk=10, share=0.5, lag=2.0, patience=3.0, least_retry=0.001))
    queue = QueueStatistics(depth, size, int(depth > 0), 100, 1_000, oldest)
    actual = policy.admit(queue, changes, more, 10.0)

    assert type(answer) is type(actual)
    assert list(answer) == pytest.approx(list(actual))


capacities = st.integers(1, 1_000)
parts = st.floats(0.01, 0.99)
options = st.builds(
    BulkYieldsOptions, bulk=st.integers(1, 100), share=parts, lag=st.none() | st.floats(0, 10),
    patience=st.none() | st.floats(0, 10),
)  # fmt: skip


@st.composite
def queues(draw):
    capacity, most = draw(capacities), draw(capacities)
    depth = draw(st.integers(0, capacity + 10))
    size, oldest = (draw(st.integers(0, most + 10)), draw(st.floats(0, 100))) if depth else (0, None)
    return QueueStatistics(depth, size, int(depth > 0), capacity, most, oldest)


asked = {
    "options": options, "queue": queues(), "changes": st.integers(1, 500), "size": st.integers(0, 500),
    "now": st.floats(100, 200),
}  # fmt: skip


@given(**asked)
def test_live_batches_are_never_refused_and_bulk_never_waits_in_line(options, queue, changes, size, now):
    answer = BulkYields(options).admit(queue, changes, size, now)
    assert isinstance(answer, Accept | (Park if changes <= options.bulk else Refuse))
    assert not isinstance(answer, Park) or answer.patience == options.patience


@given(share=parts, load=st.lists(st.tuples(st.integers(11, 60), st.integers(0, 300)), min_size=10, max_size=40))
def test_bulk_leaves_the_rest_of_the_queue_to_live_batches(share, load):
    """However much comes: behind a first change, all but the share stays free, in changes and in bytes."""
    policy = BulkYields(BulkYieldsOptions(bulk=10, share=share))
    queue = QueueStatistics(1, 1, 1, 100, 1_000, 0.0)
    for changes, size in load:
        if policy.admit(queue, changes, size, 1.0) == Accept():
            queue = queue._replace(depth=queue.depth + changes, size=queue.size + size)
    rest = int(100 * (1 - share)), int(1_000 * (1 - share))
    assert queue.depth + rest[0] <= 100 or queue.depth == 1
    assert queue.size + rest[1] <= 1_000 or queue.size == 1
    live = min(rest[0], 10)
    assert not live or policy.admit(queue, live, min(rest[1], 999), 1.0) == Accept()


@given(**asked)
def test_an_empty_queue_accepts_everything_and_what_does_not_fit_never_enters_another(
    options, queue, changes, size, now
):
    policy = BulkYields(options)
    empty = queue._replace(depth=0, size=0, batches=0, oldest=None)
    assert Accept() == policy.admit(empty, changes, size, now)
    if not queue.fits(changes, size):
        assert Accept() != policy.admit(queue, changes, size, now)


@given(**asked, less=st.integers(1, 100))
def test_a_shorter_queue_accepts_what_a_longer_one_does(options, queue, changes, size, now, less):
    policy = BulkYields(options)
    shorter = queue._replace(depth=max(queue.depth - less, 0), size=max(queue.size - less, 0))
    if Accept() == policy.admit(queue, changes, size, now):
        assert Accept() == policy.admit(shorter, changes, size, now)


@given(**asked)
def test_the_time_told_is_within_bounds_and_no_more_than_the_queue_takes_to_drain(options, queue, changes, size, now):
    answer = BulkYields(options).admit(queue, changes, size, now)
    if isinstance(answer, Refuse):
        assert options.least_retry <= answer.retry_after <= options.most_retry
        assert answer.retry_after <= max(now - queue.oldest, options.least_retry)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bulk": 0}, "bulk is a number of changes, at least 1, not 0"),
        ({"share": 0.0}, "share is a part of the queue, between 0 and 1, not 0.0"),
        ({"share": 1.0}, "share is a part"),
        ({"share": float("nan")}, "share is a part"),
        ({"lag": -1.0}, "lag is a number of seconds, not -1.0"),
        ({"patience": float("nan")}, "patience is a number of seconds, not nan"),
        ({"least_retry": 0.0}, "0 < least_retry <= most_retry, not 0.0 and 5.0"),
        ({"least_retry": 6.0}, "0 < least_retry <= most_retry"),
    ],
)
def test_options_are_checked(wrong, message):
    with pytest.raises(UsageError, match=message):
        BulkYieldsOptions(**wrong)
