"""How the ingress alone grows with circuits: one change that one circuit needs, among 1 to 1000 of them.

Owns what is timed: the synchronous step of the door (resolve, route, ask policies, write, queue), not the circuits.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from math import log
from random import Random
from time import process_time
from typing import Any

import attrs
import trio

import sspcore
from benchmarks.routing.workloads import ORDERS
from sspcore.engine.change import Change, create, update
from sspcore.errors import SspError

ROWS, TURN, TURNS, QUICK_TURNS = 2_000, 100, 12, 4
SQL = "SELECT id, amount FROM orders WHERE tenant = $tenant"


@attrs.frozen
class Curve:
    """A strategy's seconds per change in the ingress, by number of circuits, and the power of its growth."""

    strategy: str
    points: tuple[tuple[int, float], ...]

    @property
    def exponent(self) -> float | None:
        """Time grows as circuits to this power, from the first point to the last."""
        if len(self.points) < 2:
            return None
        slope: float = statistics.linear_regression(*_logs(self.points)).slope
        return slope


def measure(strategies: Mapping[str, Mapping[str, Any]], sizes: Sequence[int], quick: bool = False) -> Iterator[Curve]:
    """A curve per strategy."""
    turns = QUICK_TURNS if quick else TURNS
    for name, options in strategies.items():
        points = []
        for size in sizes:
            try:
                points.append((size, trio.run(_door, {"routing": {"strategy": name, **options}}, size, turns)))
            except SspError:
                break
        if points:
            yield Curve(name, tuple(points))


async def _door(routing: Mapping[str, Any], circuits: int, turns: int) -> float:
    """Seconds of processor per change: the best of some turns."""
    random = Random(circuits)
    names = [f"tenant{n:04}" for n in range(circuits)]

    def order() -> dict[str, Any]:
        amount = random.randrange(10_000)
        return {"tenant": random.choice(names), "env": "prod", "amount": amount, "status": "open"}

    config = {**routing, "plugins": {"load": ["*"]}}
    async with sspcore.open_runtime(config, schemas=[ORDERS]) as runtime:
        for name in names:
            await runtime.create_circuit(name)
        held = {n: order() for n in range(ROWS)}
        await runtime.ingest([create("orders", n, row) for n, row in held.items()])
        for name in names:
            await runtime.register("mine", SQL, {"tenant": name}, circuit=name)
        found = []
        for _ in range(turns):
            changes = [_moved(n, held, random) for n in random.sample(range(ROWS), TURN)]
            start = process_time()
            for change in changes:
                runtime.ingest_nowait(change)
            found.append((process_time() - start) / TURN)
            await runtime.settle()
        return min(found)


def _moved(n: int, held: dict[int, dict[str, Any]], random: Random) -> Change:
    held[n] = held[n] | {"amount": random.randrange(10_000)}
    return update("orders", n, held[n])


def _logs(points: Sequence[tuple[int, float]]) -> tuple[list[float], list[float]]:
    return [log(size) for size, _ in points], [log(seconds) for _, seconds in points]
