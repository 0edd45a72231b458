"""In a runtime, chosen by configuration: live changes get in beside a bulk load that is turned away."""

from __future__ import annotations

import pytest
import trio
import trio.testing

import sspcore
import sspcore_policy_bulk_yields
from sspcore.errors import ConfigError, Full

CONFIG = {
    "backpressure": {"policy": "bulk_yields", "bulk": 10, "capacity": 100},
    "circuit": [{"name": "main", "views": [{"id": "n", "sql": "SELECT count(*) FROM readings"}]}],
}


def open_runtime(config=CONFIG):
    return sspcore.open_runtime(config, plugins=[sspcore_policy_bulk_yields])


def batch(first, changes):
    return [sspcore.create("readings", n, {"value": n}) for n in range(first, first + changes)]


async def test_bulk_beyond_its_share_is_told_when_to_try_again_and_live_changes_get_in():
    async with open_runtime() as runtime:
        runtime.ingest_nowait(batch(0, 40))  # nothing is drained before the next checkpoint
        with pytest.raises(Full) as refused:
            runtime.ingest_nowait(batch(40, 11))
        assert (40, 100) == (refused.value.depth, refused.value.capacity) and refused.value.retry_after > 0
        for first in range(1_000, 1_060, 10):
            runtime.ingest_nowait(batch(first, 10))
        await trio.testing.wait_all_tasks_blocked()
        await runtime.ingest(batch(40, 11))
        assert [(111,)] == await runtime.rows("n")


async def test_a_load_that_heeds_the_time_told_gets_everything_in_and_delays_no_live_change(autojump_clock):
    """Live batches never meet a full queue, however fast the load comes."""
    waits = []

    async def load(runtime):
        for first in range(0, 2_000, 40):
            while True:
                try:
                    await runtime.ingest(batch(first, 40))
                    break
                except Full as full:
                    await trio.sleep(full.retry_after)

    async with open_runtime() as runtime:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(load, runtime)
            for first in range(10_000, 10_200, 10):
                since = trio.current_time()
                await runtime.ingest(batch(first, 10))
                waits.append(trio.current_time() - since)
        assert [(2_200,)] == await runtime.rows("n")
    assert [0.0] * 20 == waits


async def test_a_slip_in_the_configuration_names_its_place():
    for options, message in (
        ({"share": 2.0}, r"share is a part of the queue, between 0 and 1, not 2.0 @ circuit 'main'"),
        ({"shar": 0.5}, r"unknown key 'shar' \(did you mean 'share'\?\) @ circuit 'main'"),
    ):
        with pytest.raises(ConfigError, match=message):
            async with open_runtime({"backpressure": {"policy": "bulk_yields"} | options}):
                pass
