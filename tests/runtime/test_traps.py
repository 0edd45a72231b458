"""Traps of routing and late registration: each test names one, and `tests/planted` proves that it would be caught."""

from __future__ import annotations

from sspcore import delete, upsert
from sspcore.plugins import Plugins
from tests.runtime.tools import ALL, LATE, judge, open_test, reading

STRATEGIES = (
    {"strategy": "broadcast"},
    {"strategy": "dependency"},
    {"strategy": "hybrid"},
    {"strategy": "meta"},
    {"strategy": "predicate"},
    {"strategy": "shadow", "a": "dependency", "b": "broadcast"},
)
PARTITIONS = ("routed", "sharded")
"""Of these a circuit's views are views of its share (`test_partitions`)."""


def test_every_strategy_is_held_to_the_traps():
    assert sorted(Plugins().strategies) == sorted([*[each["strategy"] for each in STRATEGIES], *PARTITIONS])


def flight(number, delay):
    return upsert("flights", number, {"carrier": "AA", "delay": delay})


async def test_a_row_that_leaves_a_view_is_routed_too():
    """T43: updates that leave a filter, and deletes, reach every circuit whose view had the row."""
    for strategy in STRATEGIES:
        async with open_test({"routing": strategy}) as runtime:
            await runtime.create_circuit("ops")
            await runtime.register("late", LATE)
            await runtime.register("all", ALL, circuit="ops")
            async with reading(runtime, "late") as reader:
                await runtime.ingest([flight(1, 75), flight(2, 80), flight(3, 90)])
                await runtime.ingest(flight(1, 5))
                judge(runtime, reader)
                await runtime.ingest(delete("flights", 2))
                judge(runtime, reader)
                await runtime.ingest([flight(1, 99), delete("flights", 3)])
                judge(runtime, reader)
                assert [("AA", 1)] == reader.mirror.rows()


async def test_registering_at_any_point_equals_registering_first():
    """T44: a view registered late, on a circuit that was routed nothing so far, misses no row."""
    for strategy in STRATEGIES:
        for point in range(8):
            async with open_test({"routing": strategy}) as runtime:
                await runtime.create_circuit("ops")
                await runtime.register("all", ALL)
                for step in range(8):
                    if step == point:
                        await runtime.register("all", ALL, circuit="ops")
                    await runtime.ingest([flight(step, step), delete("flights", step - 3)])
                judge(runtime)
                assert set(await runtime.rows("all")) == set(await runtime.rows("all", circuit="ops"))


async def test_a_row_held_from_before_never_reappears():
    """T58: unregister, change, register again: the table is what it is, not what the circuit remembered."""
    for strategy in STRATEGIES:
        async with open_test({"routing": strategy}) as runtime:
            await runtime.register("all", ALL)
            await runtime.ingest([flight(1, 75), flight(2, 80), flight(3, 90)])
            await runtime.unregister("all")
            await runtime.ingest([flight(1, 5), delete("flights", 2)])
            await runtime.register("again", ALL)
            judge(runtime)
            assert {(1, "AA", 5), (3, "AA", 90)} == set(await runtime.rows("again"))
