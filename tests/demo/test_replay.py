"""The replay's clock: order kept, nothing lost, moments where the speed says."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sspcore.demo import day
from sspcore.demo.replay import THREE_MINUTES, default_speed, due
from sspcore.engine.change import delete

START = datetime(2013, 6, 24, 7, tzinfo=UTC)
moments = st.lists(st.integers(0, 5), max_size=12).map(
    lambda steps: [(START + timedelta(seconds=sum(steps[:n])), delete("t", n)) for n in range(len(steps))]
)


@given(moments, st.sampled_from([None, 0.5, 1.0, 60.0]), st.integers(1, 4))
def test_every_change_is_given_once_in_order_and_none_before_its_time(changes, speed, most):
    batches = list(due(changes, speed, most))

    assert [change for _, change in changes] == [change for _, _, batch in batches for change in batch]
    assert all(0 < len(batch) <= most for _, _, batch in batches)
    moment_of = {change.id: moment for moment, change in changes}
    for seconds, moment, batch in batches:
        assert moment == moment_of[batch[-1].id]
        if speed is not None:
            assert {moment} == {moment_of[change.id] for change in batch}
            assert math.isclose(seconds, (moment - changes[0][0]).total_seconds() / speed, abs_tol=1e-9)
        else:
            assert seconds == 0


def test_by_default_the_day_takes_three_minutes():
    changes = list(day.timed_changes())

    *_, (seconds, _, _) = due(changes, default_speed(changes[0][0], changes[-1][0]))

    assert round(seconds) == THREE_MINUTES


def test_quiet_hours_are_cut_short_where_asked():
    changes = [(START + timedelta(hours=hour), delete("t", hour)) for hour in (0, 5, 6)]

    assert [0.0, 60.0, 120.0] == [seconds for seconds, _, _ in due(changes, 60, longest=60.0)]


def test_the_day_is_whole_and_in_order():
    changes = list(day.timed_changes())

    assert 3657 == len(changes)
    assert sorted(moment for moment, _ in changes) == [moment for moment, _ in changes]
    assert {schema.table for schema in day.SCHEMAS} == {change.table for _, change in changes}
