"""Lazy views: computed when they are read after a change, and at no other time."""

import pytest

from sspcore import delete, upsert
from sspcore.errors import AlreadyExists, UsageError
from sspcore.runtime import circuit_task
from tests.runtime.tools import ALL, LATE, WORST, fail, judge, open_test


def flights(*ids, delay=75):
    return [upsert("flights", i, {"carrier": "AA", "delay": delay}) for i in ids]


def work(runtime, view):
    held = runtime._workers["main"].stage.circuit.views[view]
    return held.statistics.advances, held.statistics.rehydrates


async def test_a_lazy_view_does_no_work_but_when_it_is_read(autojump_clock):
    async with open_test() as runtime:
        await runtime.ingest(flights(*range(5)))
        assert (await runtime.register("late", LATE, lazy=True)).rows == [("AA", 5)]
        for number in range(5, 10):
            await runtime.ingest(flights(number))
        assert work(runtime, "late") == (0, 0)

        assert await runtime.rows("late") == [("AA", 10)]
        assert (await runtime.snapshot("late")).rows == [("AA", 10)]
        assert work(runtime, "late") == (0, 1)
        await runtime.ingest([delete("flights", 0)])
        snapshot = await runtime.snapshot("late")
        assert (snapshot.rows, snapshot.version) == ([("AA", 9)], runtime.circuits["main"].version)
        assert work(runtime, "late") == (0, 2)


async def test_an_ordered_view_over_a_large_table_may_be_lazy_too(autojump_clock, monkeypatch):
    monkeypatch.setattr(circuit_task, "LARGE", 10)
    async with open_test() as runtime:
        await runtime.ingest(flights(*range(20)))
        await runtime.register("worst", WORST, lazy=True)
        await runtime.ingest(flights("x", delay=1_000))
        assert (await runtime.rows("worst"))[0] == ("x", 1_000)
        assert work(runtime, "worst") == (0, 1)


async def test_nobody_subscribes_to_a_lazy_view_but_to_its_query(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("late", LATE, lazy=True)
        with pytest.raises(UsageError, match="'late' is lazy: it is computed when it is read"):
            async with runtime.subscribe("late"):
                pass
        async with runtime.subscribe(LATE) as late:
            await runtime.ingest(flights(1))
            assert (await late.receive()).added == (("AA", 1),)
        assert await runtime.rows("late") == [("AA", 1)]
        await runtime.unregister("late")


async def test_the_same_view_is_lazy_or_it_is_not(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("late", LATE, lazy=True)
        assert (await runtime.register("late", LATE, lazy=True)).rows == []
        with pytest.raises(AlreadyExists):
            await runtime.register("late", LATE)


async def test_a_circuit_derived_anew_has_its_lazy_views_lazy(autojump_clock):
    async with open_test() as runtime:
        await runtime.register("late", LATE, lazy=True)
        await runtime.register("all", ALL)
        await runtime.ingest(flights(1))
        fail(runtime)
        await runtime.settle()
        await runtime.ingest(flights(2))
        assert work(runtime, "late") == (0, 0)
        assert await runtime.rows("late") == [("AA", 2)]
        judge(runtime)


async def test_a_view_of_the_configuration_may_be_lazy(autojump_clock):
    config = {"circuit": [{"name": "main", "views": [{"id": "late", "sql": LATE, "lazy": True}]}]}
    async with open_test(config) as runtime:
        await runtime.ingest(flights(1))  # its columns are new, so that the query is understood anew
        before = work(runtime, "late")
        await runtime.ingest(flights(2))
        assert work(runtime, "late") == before
        assert await runtime.rows("late") == [("AA", 2)]
