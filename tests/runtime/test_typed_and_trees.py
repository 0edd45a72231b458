"""Rows as objects and trees, from the runtime: what subscribers get, also where several commits come as one."""

from __future__ import annotations

import attrs

import sspcore
from sspcore import col, create, merge
from tests.runtime.tools import open_test


@attrs.frozen
class Flight:
    id: str
    carrier: str
    delay: int | None = None


LATE = sspcore.query("flights", Flight).where(lambda f: f.carrier == "AA").select("id", "carrier", "delay")
TREE = sspcore.query("carriers").select("name").related(
    "flights", sspcore.query("flights").order_by("-delay").select("delay"), on={"id": "carrier"}
)  # fmt: skip


async def test_snapshots_rows_and_updates_come_as_objects(autojump_clock):
    async with open_test() as runtime:
        await runtime.ingest([create("flights", "A1", {"carrier": "AA", "delay": 5})])
        await runtime.register("late", LATE)
        async with runtime.subscribe("late") as late:
            assert late.snapshot.typed(Flight) == [Flight("A1", "AA", 5)]
            await runtime.ingest([merge("flights", "A1", {"delay": 7})])
            assert (await late.receive()).typed(Flight).updated == ((Flight("A1", "AA", 5), Flight("A1", "AA", 7)),)
        assert await runtime.rows("late", as_type=Flight) == [Flight("A1", "AA", 7)]


async def test_a_slow_reader_of_a_tree_gets_the_net_of_what_changed_within(autojump_clock):
    """Three commits wait; the one update says what changed within the row, once."""
    async with open_test() as runtime:
        await runtime.ingest([
            create("carriers", "AA", {"name": "American"}),
            *[create("flights", f"A{i}", {"carrier": "AA", "delay": i}) for i in (1, 2, 3)],
        ])  # fmt: skip
        await runtime.register("tree", TREE, format="tree")
        async with runtime.subscribe("tree") as tree:
            assert [[key for key, _ in row[1]] for row in tree.snapshot.rows] == [["A3", "A2", "A1"]]
            await runtime.ingest([merge("flights", "A1", {"delay": 9})])
            await runtime.ingest([merge("flights", "A1", {"delay": 0})])
            await runtime.ingest([create("flights", "A4", {"carrier": "AA", "delay": 4})])
            update = await tree.receive()
            assert [(c.path, c.key, c.placed, c.after) for c in update.nested] == [
                ((("AA", "flights"),), "A4", True, None), ((("AA", "flights"),), "A1", False, None)
            ]  # fmt: skip


async def test_a_query_that_nobody_registered_is_subscribed_to_as_a_tree(autojump_clock):
    async with open_test() as runtime:
        await runtime.ingest([create("carriers", "AA", {"name": "American"})])
        found = TREE.where(col("name") == "American")
        async with runtime.subscribe(found, format="tree") as tree:
            await runtime.ingest([create("flights", "A1", {"carrier": "AA", "delay": 1})])
            (change,) = (await tree.receive()).nested
            assert (change.key, dict(change.new), change.after) == ("A1", {"delay": 1}, None)
