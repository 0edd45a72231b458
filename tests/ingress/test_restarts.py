"""When a circuit comes back, and when it does not: time and chance are arguments."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sspcore.ingress.restarts import HEALTHY, LONGEST, MOST, WITHIN, Restarts


def test_each_wait_is_up_to_twice_the_last():
    restarts = Restarts(most=100)

    assert [0.1, 0.2, 0.4, 0.8, 1.6] == [restarts.failed(n * 20.0, 1.0) for n in range(5)]
    assert [LONGEST] * 3 == [restarts.failed(200.0 + n, 1.0) for n in range(20)][-3:]


def test_the_wait_is_any_part_of_that():
    """Full jitter: circuits that failed together do not come back together."""
    assert [0.0, 0.025, 0.05] == [Restarts().failed(0.0, chance) for chance in (0.0, 0.25, 0.5)]


def test_after_a_minute_of_health_it_starts_over():
    restarts = Restarts()
    restarts.failed(0.0, 1.0)
    restarts.failed(1.0, 1.0)

    assert 0.1 == restarts.failed(1.0 + HEALTHY, 1.0)


def test_the_sixth_failure_in_a_minute_is_the_last():
    restarts = Restarts()
    answers = [restarts.failed(float(n), 0.5) for n in range(MOST + 1)]

    assert None not in answers[:-1] and answers[-1] is None
    assert MOST == restarts.count


@given(gaps=st.lists(st.floats(0.0, 40.0), max_size=60), chance=st.floats(0, 1, exclude_max=True))
def test_it_gives_up_exactly_when_more_than_five_fall_in_a_minute(gaps, chance):
    restarts, times, now = Restarts(), [], 0.0
    for gap in gaps:
        now += gap
        times.append(now)
        answer = restarts.failed(now, chance)
        recent = [t for t in times if now - t <= WITHIN]
        assert (answer is None) == (len(recent) > MOST)
        assert answer is None or 0 <= answer < LONGEST
