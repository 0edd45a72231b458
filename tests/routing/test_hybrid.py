"""Hybrid: which of its three ways a row takes."""

from __future__ import annotations

import pytest

from sspcore.abc import ALL, Resolved
from sspcore.errors import ConfigError, UsageError
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plugins import Plugins
from sspcore.routing.hybrid import Hybrid, HybridOptions
from sspcore.routing.interest import Region


def hybrid(**options):
    made = Plugins().strategy("hybrid", options)
    for circuit in ("main", "ops"):
        made.circuit_added(circuit)
    made.view_added("ops", "late", {"flights": ALL})
    return made


def homes(strategy, table, old=None, new=(1,)):
    (targets,) = strategy.route([Resolved(table, 1, old, new)])
    return set(targets)


def test_a_broadcast_table_goes_everywhere_and_leaves_everywhere():
    strategy = hybrid(broadcast=["carriers"])

    assert {("main", "put"), ("ops", "put")} == homes(strategy, "carriers")
    assert {("main", "retract"), ("ops", "retract")} == homes(strategy, "carriers", (1,), None)


def test_a_table_that_is_read_goes_to_its_readers_only():
    for fallback in ("drop", "broadcast", "default"):
        assert {("ops", "put")} == homes(hybrid(fallback=fallback), "flights")


@pytest.mark.parametrize(
    ("fallback", "circuits"), [("drop", set()), ("broadcast", {"main", "ops"}), ("default", {"main"})]
)
def test_what_nobody_reads_goes_where_the_fallback_says(fallback, circuits):
    strategy = hybrid(fallback=fallback)

    assert {(circuit, "put") for circuit in circuits} == homes(strategy, "weather")
    assert {(circuit, "retract") for circuit in circuits} == homes(strategy, "weather", (1,), None)
    why = {r.circuit: r.why for r in strategy.explain(Resolved("weather", 1, None, (1,))) if r.routed}
    assert dict.fromkeys(circuits, f"nobody reads weather; the fallback is {fallback}") == why


def test_a_default_circuit_that_is_gone_gets_nothing_and_may_come_back():
    strategy = hybrid(fallback="default", default="ops")
    strategy.circuit_removed("ops")
    assert set() == homes(strategy, "weather") == homes(strategy, "flights")
    strategy.circuit_added("ops")
    assert {("ops", "put")} == homes(strategy, "weather")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fallback": "dorp"}, r"fallback 'dorp' is none; did you mean 'drop'\? @ \$.routing"),
        ({"fallback": "somewhere"}, "known: drop, broadcast, default"),
        ({"default": ""}, "default is the name of a circuit"),
        ({"broadcats": []}, "unknown key 'broadcats'"),
        ({"broadcast": "carriers"}, r"a list of texts is expected, not 'carriers' @ \$.routing.broadcast"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ConfigError, match=message):
        Plugins().strategy("hybrid", options)


def test_by_predicate_rows_go_to_those_they_concern_and_broadcast_tables_to_everybody():
    made = Hybrid(HybridOptions(broadcast=("u",), by="predicate"))
    for circuit in ("main", "ops"):
        made.circuit_added(circuit)
    made.view_added("ops", "mine", {"t": Region(Call("=", (Column(0), Constant(1)))), "u": ALL})

    assert [True, False] == [made.selects(table) for table in ("t", "u")]
    assert [(("ops", "retract"),), (), (("main", "put"), ("ops", "put"))] == list(made.route([
        Resolved("t", 1, (1,), (2,)), Resolved("t", 2, None, (2,)), Resolved("u", 1, None, (1,))
    ]))  # fmt: skip
    assert ["t", "u"] == sorted(made.statistics())
    assert not Hybrid().selects("t") and {} == Hybrid().statistics()


def test_by_predicate_nothing_is_sent_where_it_does_not_belong():
    with pytest.raises(UsageError, match="sends rows to circuits they do not concern"):
        HybridOptions(by="predicate", fallback="broadcast")
    with pytest.raises(UsageError, match="did you mean 'predicate'"):
        HybridOptions(by="predicat")
