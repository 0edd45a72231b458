"""What a row costs under `geohash` and under strategies that look at less: the table of the README.

Run it as `python measure.py`. Processor time, the least of 300 repetitions of a batch of 100 rows; a few seconds.
"""

from __future__ import annotations

import random
import time
import timeit
from collections.abc import Sequence

import sspcore
from sspcore.abc import ALL, Resolved, RoutingStrategy
from sspcore_route_geohash import Geohash, GeohashOptions, encode

ROWS = 100
COLUMNS = ("id", "tenant", "latitude", "longitude")


def places(count: int) -> list[tuple[float, float]]:
    """Points in and around New York."""
    chance = random.Random(7)
    return [(chance.uniform(40.4, 41.0), chance.uniform(-74.3, -73.6)) for _ in range(count)]


def told(strategy: RoutingStrategy, circuits: Sequence[str]) -> RoutingStrategy:
    """With a view in each circuit."""
    for circuit in circuits:
        strategy.circuit_added(circuit)
        strategy.view_added(circuit, "all", {"cabs": ALL})
    return strategy


def microseconds(strategy: RoutingStrategy, rows: list[Resolved]) -> float:
    """Of one row."""
    strategy.route(rows)
    return (
        min(timeit.repeat(lambda: strategy.route(rows), timer=time.process_time, number=1, repeat=300))
        / len(rows)
        * 1e6
    )


def main() -> None:
    """Print the table."""
    entering = [
        Resolved("cabs", n, None, (n, f"c{n % 10}", *place), COLUMNS) for n, place in enumerate(places(ROWS))
    ]  # fmt: skip
    moving = [
        row._replace(old=(row.id, "c0", *place)) for row, place in zip(entering, reversed(places(ROWS)), strict=True)
    ]
    ten = [f"c{n}" for n in range(10)]
    make = sspcore.routing_strategies()
    lines = [("`dependency`: every circuit gets it", told(make["dependency"](), ten))]
    for regions, length in ((10, 4), (1_000, 6), (10_000, 7)):
        prefixes = sorted({encode(*place, length) for place in places(20 * regions)})[:regions]
        homes = {prefix: ten[n % 10] for n, prefix in enumerate(prefixes)}
        strategy = told(Geohash(GeohashOptions(homes, default="c0")), ten)
        lines.append((f"`geohash`: {len(prefixes):,} regions of {length} characters", strategy))
    print("| strategy, ten circuits | a row enters | a row moves |")
    print("|---|---|---|")
    for name, strategy in lines:
        print(f"| {name} | {microseconds(strategy, entering):.2f} µs | {microseconds(strategy, moving):.2f} µs |")


main()
