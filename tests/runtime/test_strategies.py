"""Each strategy that comes with the library, through whatever may happen to a runtime, against recomputation."""

from __future__ import annotations

import logging

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from sspcore import upsert
from sspcore.ingress import walk
from sspcore.testing.strategies import scenarios
from tests.runtime.test_interleavings import steps, tell
from tests.runtime.tools import ALL, judge, open_test

CONFIGURED = {
    "hybrid, dropping": {"strategy": "hybrid", "broadcast": ["a"]},
    "hybrid, broadcasting": {"strategy": "hybrid", "fallback": "broadcast"},
    "hybrid, by default": {"strategy": "hybrid", "fallback": "default", "default": "ops"},
    "hybrid, by predicate": {"strategy": "hybrid", "by": "predicate", "broadcast": ["a"]},
    "shadow": {"strategy": "shadow", "a": "dependency", "b": "hybrid", "b_options": {"fallback": "broadcast"}},
}


@pytest.mark.parametrize("routing", CONFIGURED.values(), ids=CONFIGURED)
@given(
    scenario=scenarios(views=3, batches=8, scans=3),
    script=st.lists(steps, min_size=5, max_size=40),
    slice=st.sampled_from((1, 512)),
)
def test_whatever_happens_views_are_right_once_it_is_over(routing, scenario, script, slice):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "SLICE", slice)
        config = {"routing": routing, "ingress": {"strict": False}}
        trio.run(tell, scenario, script, config, clock=MockClock(autojump_threshold=0))


async def test_differences_of_a_shadow_are_logged(autojump_clock, caplog):
    routing = {"strategy": "shadow", "a": "dependency", "b": "broadcast"}
    caplog.set_level(logging.WARNING, "sspcore.runtime")
    async with open_test({"routing": routing}) as runtime:
        await runtime.create_circuit("ops")
        await runtime.register("all", ALL, circuit="ops")
        await runtime.ingest(upsert("flights", 7, {"carrier": "AA", "delay": 1}))
        judge(runtime)
    (record,) = caplog.records
    assert "routing strategies differ: flights 7, None -> (7, " in record.getMessage()
    assert "delivered to ops (put), b would to main (put), ops (put)" in record.getMessage()
