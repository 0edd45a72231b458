"""Addresses, one case at a time: files, waiting batches, another strategy, explanations."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from sspcore import merge, upsert
from sspcore.errors import ChangeRejected
from sspcore.sources.jsonl import read_file
from sspcore.wire.changes import decode_change
from tests.runtime.test_addresses import BY_CHANGE, check, watched
from tests.runtime.test_partitions import QUERIES, SCHEMAS
from tests.runtime.tools import open_test, stall


async def here(runtime, *circuits):
    return [sorted(row[0] for row in await runtime.rows("v0", circuit=circuit)) for circuit in circuits]


@asynccontextmanager
async def two_tenants(config=BY_CHANGE, **more):
    async with open_test({"routing": {"strategy": "routed", **config}, **more}, schemas=SCHEMAS) as runtime:
        await runtime.create_circuit("ops")
        for circuit in ("main", "ops"):
            await runtime.register("v0", QUERIES["v0"], circuit=circuit)
        yield runtime


async def test_changes_of_a_file_go_where_they_say(autojump_clock, tmp_path):
    lines = [
        {"table": "t", "op": "upsert", "id": n, "row": {"x": n}, "tenant": ("main", "ops")[n % 2]} for n in range(4)
    ]
    file = tmp_path / "day.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    async with two_tenants() as runtime:
        for batch in read_file(file):
            await runtime.ingest(batch)
        assert [[0, 2], [1, 3]] == await here(runtime, "main", "ops")
        await runtime.ingest(
            decode_change({"table": "t", "op": "merge", "id": 0, "row": {}, "targets": ["ops", "main"]})
        )
        assert [[0, 2], [0, 1, 3]] == await here(runtime, "main", "ops")


async def test_a_batch_that_waits_moves_nothing_and_is_judged_again(autojump_clock, monkeypatch):
    model = watched(monkeypatch)
    row = {"home": None, "x": 1}
    async with two_tenants(backpressure={"capacity": 1}) as runtime:
        await runtime.ingest(upsert("t", 1, row)._replace(tenant="main"))
        stalled = stall(runtime, "ops")
        await runtime.ingest(upsert("t", 2, row)._replace(tenant="ops"), ack="queued")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(runtime.ingest, merge("t", 1, {})._replace(tenant="ops"))
            await wait_all_tasks_blocked()
            assert 1 == runtime.statistics().waiting
            assert "main" == runtime._registry.base.addresses.finder("t")(1).tenant
            nursery.start_soon(runtime.ingest, merge("t", 1, {"x": 5}))
            await wait_all_tasks_blocked()
            stalled.release()
        await runtime.settle()
        check(runtime, model)
        assert [[], [1, 2]] == await here(runtime, "main", "ops")


async def test_another_strategy_finds_what_its_shadow_has_kept(autojump_clock):
    watching = {"strategy": "shadow", "a": "dependency", "b": "routed", "b_options": BY_CHANGE}
    async with open_test({"routing": watching}, schemas=SCHEMAS) as runtime:
        await runtime.create_circuit("ops")
        for circuit in ("main", "ops"):
            await runtime.register("v0", QUERIES["v0"], circuit=circuit)
        await runtime.ingest([upsert("t", n, {"x": n})._replace(tenant=("main", "ops")[n % 2]) for n in range(4)])
        assert [[0, 1, 2, 3]] * 2 == await here(runtime, "main", "ops")
        await runtime.set_routing("routed", BY_CHANGE)
        assert [[0, 2], [1, 3]] == await here(runtime, "main", "ops")
        await runtime.set_routing("dependency")
        await runtime.set_routing("routed", BY_CHANGE)
        assert [[], []] == await here(runtime, "main", "ops"), "nobody kept them meanwhile"
        await runtime.ingest(merge("t", 1, {})._replace(tenant="main"))
        assert [[1], []] == await here(runtime, "main", "ops")


async def test_routing_is_explained_by_the_address(autojump_clock):
    async with two_tenants() as runtime:
        await runtime.ingest(upsert("t", 1, {"x": 1})._replace(tenant="main"))
        reasons = runtime.explain_routing(merge("t", 1, {})._replace(tenant="eu"))
        assert {("main", "it leaves this home"), ("ops", "read by v0, and this is a home of it")} == {
            (reason.circuit, reason.why) for reason in reasons if reason.routed
        }
        assert not any(reason.routed for reason in runtime.explain_routing(merge("t", 1, {})))
        with pytest.raises(ChangeRejected, match="no change gave it targets or a tenant"):
            runtime.explain_routing(upsert("t", 2, {"x": 1}))


async def test_without_by_change_nothing_is_kept(autojump_clock):
    async with two_tenants({"default": "main"}) as runtime:
        await runtime.ingest(upsert("t", 1, {"x": 1})._replace(tenant="ops"))
        assert [[1], []] == await here(runtime, "main", "ops")
        assert not runtime._registry.base.addresses.active
