"""Routing views are read, explained and watched like any view; placement tables are tables like any other."""

from __future__ import annotations

import pytest
import trio

from sspcore import delete, upsert
from sspcore.errors import ChangeRejected, Closed, ConfigError, UnknownView, UsageError
from tests.runtime.tools import Reader, open_test

SQL = """SELECT circuit, 'orders' AS "table", 'tenant' AS "column", id AS value FROM tenants"""
ROUTING = {"strategy": "meta", "placement": ["tenants"], "routes": [{"name": "by_tenant", "sql": SQL}]}


def home(tenant, circuit):
    return upsert("tenants", tenant, {"circuit": circuit})


async def test_a_routing_view_is_watched(autojump_clock):
    async with open_test({"routing": ROUTING}) as runtime:
        assert ("interested", "by_tenant") == runtime.routing.views
        await runtime.ingest(home("acme", "main"))
        async with runtime.routing.subscribe("by_tenant") as subscription:
            reader = Reader(subscription)
            assert [("main", "orders", "tenant", "acme")] == subscription.snapshot.rows
            await runtime.ingest(home("acme", "ops"))
            assert [("main", "ops")] == [(old[0], new[0]) for old, new in (await reader.next()).updated]
            await runtime.ingest([home("acme", "main"), home("duff", "ops")])
            await runtime.ingest(delete("tenants", "acme"))
            await reader.next()
            assert [("ops", "orders", "tenant", "duff")] == reader.mirror.rows() == (
                runtime.routing.snapshot("by_tenant").rows
            )  # fmt: skip
        await runtime.ingest(home("duff", "main"))
        with pytest.raises(trio.ClosedResourceError):
            await subscription.receive()


async def test_interests_come_and_go_with_views(autojump_clock):
    async with open_test({"routing": ROUTING}) as runtime, runtime.routing.subscribe("interested") as subscription:
        reader = Reader(subscription)
        await runtime.ingest(upsert("flights", 1, {"delay": 5}))
        await runtime.register("late", "SELECT id FROM flights WHERE delay > $m", {"m": 60})
        await reader.next()
        assert [("main", "flights", "late", "(delay > 60)", "active")] == [row[1:] for row in reader.mirror.rows()]
        await runtime.unregister("late")
        await reader.next()
        assert [] == reader.mirror.rows()


async def test_it_ends_with_the_runtime(autojump_clock):
    async with open_test({"routing": ROUTING}) as runtime:
        manager = runtime.routing.subscribe("by_tenant")
        subscription = await manager.__aenter__()
        await runtime.ingest(home("acme", "main"))
    assert 1 == len((await subscription.receive()).added)
    with pytest.raises(trio.EndOfChannel, match="the runtime was closed"):
        await subscription.receive()
    await manager.__aexit__(None, None, None)
    with pytest.raises(Closed):
        async with runtime.routing.subscribe("by_tenant"):
            pass


async def test_who_has_none_and_who_asks_for_another_is_told(autojump_clock):
    async with open_test({"routing": ROUTING}) as runtime:
        with pytest.raises(UnknownView, match="did you mean 'by_tenant'"):
            runtime.routing.snapshot("by_tenan")
        assert "scan tenants" in str(runtime.routing.explain("by_tenant"))
    async with open_test() as runtime:
        assert () == runtime.routing.views
        with pytest.raises(UsageError, match="'dependency' has no routing views; strategy 'meta' has"):
            runtime.routing.snapshot("by_tenant")


async def test_a_mistake_in_a_routing_view_is_found_at_the_start(autojump_clock):
    wrong = ROUTING | {"routes": [{"sql": SQL.replace("circuit,", "circuitt,") + " WHERE"}]}
    with pytest.raises((ConfigError, UsageError), match=r"routes\[0\].sql: line 1, column"):
        async with open_test({"routing": wrong}):
            pass


async def test_a_batch_that_is_refused_moves_nothing(autojump_clock):
    async with open_test({"routing": ROUTING}) as runtime:
        await runtime.register("all", "SELECT id FROM orders")
        await runtime.ingest([home("acme", "main"), upsert("orders", 1, {"tenant": "acme"})])
        with pytest.raises(ChangeRejected):
            await runtime.ingest([home("acme", "ops"), upsert("orders", 2, {"tenant": "acme"}), delete("orders", 1.5)])
        assert [(1,)] == await runtime.rows("all")
        (posting,) = runtime.routing.snapshot("by_tenant").rows
        assert "main" == posting[0]


async def test_rows_and_their_tenant_may_come_in_one_batch(autojump_clock):
    async with open_test({"routing": ROUTING}) as runtime:
        await runtime.create_circuit("ops")
        for circuit in ("main", "ops"):
            await runtime.register("all", "SELECT id FROM orders", circuit=circuit)
        await runtime.ingest([upsert("orders", 1, {"tenant": "acme"}), home("acme", "ops")])
        await runtime.settle()
        assert ([], [(1,)]) == (await runtime.rows("all"), await runtime.rows("all", circuit="ops"))
        told = {r.circuit: r.why for r in runtime.explain_routing(upsert("orders", 2, {"tenant": "acme"}))}
        assert "posted to ops" == told["main"]
        assert told["ops"].startswith("posted: orders where tenant = 'acme' to ops (by_tenant), and view all")
