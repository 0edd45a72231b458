"""Our own strategies and policies, checked as a stranger would check theirs: exact over a hundred thousand pairs each.

A pair is a row that changes and a circuit that must hear of it. What keeps the development profile short is fewer
histories; CI tries them all.
"""

from __future__ import annotations

import pytest

from sspcore import Schema
from sspcore.plugins import Plugins
from sspcore.routing.routed import Routed, RoutedOptions
from sspcore.testing import check_policy, check_strategy
from tests.profiles import profile

ROUND = 60
PAIRS = {"dev": 3_000, "ci": 100_000, "nightly": 2_000_000}


BY_TENANT = """SELECT circuit, 'orders' AS "table", 'tenant' AS "column", id AS value FROM tenants"""
BY_AMOUNT = """
    SELECT circuit, 'orders' AS "table", 'amount' AS "column", max(size) AS value FROM tenants GROUP BY circuit"""
PLACES = {
    "schemas": (
        Schema("orders", {"id": "any", "tenant": "any", "amount": "any"}, "id"),
        Schema("tenants", {"id": "any", "circuit": "text", "size": "integer"}, "id"),
    ),
    "values": {"tenant": (1, 2, "1", True, None), "circuit": ("main", "ops", "nowhere", None)},
}


def offered(name, **options):
    return lambda: Plugins().strategy(name, options)


def by_amount(table, key, row):
    return ("main", "ops") if row.get("amount") == 1 else "lab"


STRATEGIES = {
    "broadcast": offered("broadcast"),
    "dependency": offered("dependency"),
    "hybrid": offered("hybrid"),
    "hybrid, a table broadcast": offered("hybrid", broadcast=["orders"]),
    "hybrid, a default": offered("hybrid", fallback="default", default="ops"),
    "hybrid, all else broadcast": offered("hybrid", fallback="broadcast"),
    "hybrid, by predicate": offered("hybrid", by="predicate", broadcast=["people"]),
    "meta": offered("meta"),
    "meta, by tenant": offered("meta", placement=["tenants"], routes=[{"sql": BY_TENANT}]),
    "meta, by tenant and amount": offered(
        "meta", placement=["tenants"], routes=[{"sql": BY_TENANT}, {"sql": BY_AMOUNT}], default="lab"
    ),
    "predicate": offered("predicate"),
    "routed": offered("routed", column="home", default="main"),
    "routed, one whole": offered("routed", column="home", tables={"people": "*"}, default="main", whole=["lab"]),
    "routed, by change": offered("routed", by_change=True, column="home", default="main"),
    "routed, a function": lambda: Routed(RoutedOptions(), by_amount),
    "sharded": offered("sharded", circuits=["main", "ops", "lab"]),
    "sharded, two of three": offered("sharded", circuits=["main", "ops"], column="home", everywhere=["people"]),
    "shadow": offered("shadow", a="dependency", b="broadcast"),
    "shadow of predicate": offered("shadow", a="predicate", b="dependency"),
    "shadow of a partition": offered(
        "shadow", a="routed", a_options={"column": "home", "default": "main"}, b="broadcast"
    ),
}


def test_every_strategy_of_ours_is_checked():
    checked = {name.partition(",")[0] for name in STRATEGIES}

    assert Plugins().strategies.keys() <= checked, "give it a line in STRATEGIES"


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_keeps_the_contract(name):
    pairs = batches = refused = seed = 0
    while pairs < PAIRS[profile()]:
        world = PLACES if "by tenant" in name else {}
        checked = check_strategy(STRATEGIES[name], examples=12 if profile() == "dev" else ROUND, seed=seed, **world)
        pairs, batches, refused = pairs + checked.pairs, batches + checked.batches, refused + checked.refused
        seed += 1

    assert batches > 2 * refused, "most batches are admitted"


@pytest.mark.parametrize("name", Plugins().policies)
def test_a_policy_keeps_the_contract(name):
    assert check_policy(Plugins().policies[name], examples=4_000).questions == 4_000
