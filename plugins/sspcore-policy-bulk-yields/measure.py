"""What a policy costs, and how long live changes wait beside a bulk load: the tables of the README.

Run it as `python measure.py`: a minute, one process, real time; of five runs that with the lowest median.
"""

from __future__ import annotations

import statistics
import time
import timeit
from functools import partial

import trio

import sspcore
import sspcore_policy_bulk_yields
from sspcore.abc import QueueStatistics
from sspcore.errors import Full
from sspcore_policy_bulk_yields import BulkYields, BulkYieldsOptions

POLICIES: list[dict[str, object]] = [
    {"policy": "block"},
    {"policy": "drop_with_error"},
    {"policy": "bulk_yields", "share": 0.5},
    {"policy": "bulk_yields", "share": 0.1},
    {"policy": "bulk_yields", "share": 0.5, "lag": 0.01},
]
BATCH, LOAD, LOADERS, CAPACITY = 500, 60_000, 4, 10_000
"""Changes of a bulk batch, of the whole load, tasks that share it, and what the queue holds."""
VIEWS = [
    "SELECT sensor, count(*) AS n, sum(value) AS total FROM readings GROUP BY sensor",
    "SELECT id, value FROM readings ORDER BY value DESC LIMIT 10",
]


async def beside_a_load(backpressure: dict[str, object]) -> tuple[list[float], int, float]:
    """Seconds each live change took to be in the views, or was refused for; refusals; seconds of the whole load."""
    waits: list[float] = []
    refused = 0
    config = {"backpressure": backpressure | {"capacity": CAPACITY}}
    async with sspcore.open_runtime(config, plugins=[sspcore_policy_bulk_yields]) as runtime:
        for number, sql in enumerate(VIEWS):
            await runtime.register(f"v{number}", sql)

        async def load(loader: int) -> None:
            for first in range(loader * BATCH, LOAD, LOADERS * BATCH):
                rows = range(first, first + BATCH)
                batch = [sspcore.upsert("readings", n, {"sensor": n % 100, "value": n * 7 % 10_007}) for n in rows]
                while True:
                    try:
                        await runtime.ingest(batch, ack="queued")
                        break
                    except Full as full:
                        await trio.sleep(full.retry_after)

        async def live() -> None:
            nonlocal refused
            number = 10**9
            while True:
                number += 1
                since = trio.current_time()
                while True:
                    try:
                        await runtime.ingest(sspcore.upsert("readings", number, {"sensor": 1, "value": 1}))
                        break
                    except Full as full:
                        refused += 1
                        await trio.sleep(full.retry_after)
                waits.append(trio.current_time() - since)
                await trio.sleep(0.002)

        since = trio.current_time()
        async with trio.open_nursery() as everything:
            everything.start_soon(live)
            async with trio.open_nursery() as loading:
                for loader in range(LOADERS):
                    loading.start_soon(load, loader)
            await runtime.settle()
            took = trio.current_time() - since
            everything.cancel_scope.cancel()
    return waits, refused, took


def main() -> None:
    """Print the tables."""
    queue = QueueStatistics(50, 5_000, 5, 100, 100_000, 0.0)
    policy = BulkYields(BulkYieldsOptions(bulk=10))
    for name, changes in (("a live batch", 5), ("bulk", 20)):
        seconds = min(
            timeit.repeat(
                partial(policy.admit, queue, changes, 100, 1.0), timer=time.process_time, number=100, repeat=1_000
            )
        )
        print(f"asked about {name}: {seconds / 100 * 1e6:.2f} µs")
    print("\n| policy | a live change is in the views after: median | 99 of 100 | refused | the load takes |")
    print("|---|---|---|---|---|")
    for backpressure in POLICIES:
        runs = [trio.run(beside_a_load, backpressure) for _ in range(5)]
        waits, refused, took = min(runs, key=lambda run: statistics.median(run[0]))
        ordered = sorted(waits)
        name = ", ".join(f"{key} {value}" if key != "policy" else f"`{value}`" for key, value in backpressure.items())
        print(
            f"| {name} | {statistics.median(waits) * 1e3:.1f} ms | {ordered[len(ordered) * 99 // 100] * 1e3:.1f} ms | "
            f"{refused} | {took:.2f} s |"
        )


main()
