"""Strategies and policies that do everything wrong: the runtime goes on, views are right, and the error says who and where."""

from __future__ import annotations

import logging

import pytest

from sspcore import hookimpl, open_runtime, upsert
from sspcore.abc import Accept, PolicySpec, StrategySpec
from sspcore.errors import ConfigError, PluginError
from sspcore.routing.dependency import Dependency
from tests.runtime.tools import ALL, LATE, balanced, judge, open_test


class Broken:
    """Does its work, but for one method."""

    method = ""
    does = None

    def __init__(self):
        self.works = Dependency()


def broken(name):
    def method(self, *args):
        if self.method == name:
            return self.does(*args)
        return getattr(self.works, name)(*args)

    return method


METHODS = (
    "circuit_added", "circuit_removed", "view_added", "view_changed", "view_settled", "view_removed", "route", "explain",
)  # fmt: skip
for each in METHODS:
    setattr(Broken, each, broken(each))


class Fickle:
    """A policy: in one circuit, something else than an answer."""

    def __init__(self):
        self.does = Accept

    def admit(self, queue, changes, size, now):
        return self.does()


class Plugin:
    @hookimpl
    def sspcore_routing_strategies(self):
        return [StrategySpec("broken", Broken)]

    @hookimpl
    def sspcore_backpressure_policies(self):
        return [PolicySpec("fickle", Fickle)]


def flight(number):
    return upsert("flights", number, {"carrier": "AA", "delay": number})


def divides(*_):
    return 1 / 0


FAULTS = {
    **{f"{method} raises": (method, divides) for method in METHODS},
    "route raises what is no error of ours": ("route", lambda rows: (_ for _ in ()).throw(KeyError("x"))),
    "route knows circuits there are not": ("route", lambda rows: [(("nowhere", "put"),)] * len(rows)),
    "route answers too few": ("route", lambda rows: []),
    "route answers too many": ("route", lambda rows: [()] * (len(rows) + 1)),
    "route answers nothing": ("route", lambda rows: None),
    "route answers circuits only": ("route", lambda rows: [("main",)] * len(rows)),
    "route answers other verbs": ("route", lambda rows: [(("main", "upsert"),)] * len(rows)),
    "route answers no sequence": ("route", lambda rows: {"main": "put"}),
    "explain answers nothing": ("explain", lambda row: None),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_broken_strategy_stops_nothing_and_is_named(fault, monkeypatch, autojump_clock, caplog):
    caplog.set_level(logging.ERROR, "sspcore.runtime")
    method, does = FAULTS[fault]
    monkeypatch.setattr(Broken, "method", method)
    monkeypatch.setattr(Broken, "does", staticmethod(does))
    async with open_test({"routing": {"strategy": "broken"}}, plugins=[Plugin()]) as runtime:
        await runtime.register("all", ALL)
        await runtime.create_circuit("ops")
        await runtime.create_circuit("gone")
        await runtime.register("late", LATE, circuit="ops")
        for number in range(5):
            await runtime.ingest([flight(number), flight(number + 100)])
        runtime.explain_routing(flight(7))
        await runtime.register("again", LATE)
        await runtime.unregister("again")
        await runtime.destroy_circuit("gone")
        await runtime.ingest(flight(6))
        await runtime.settle()
        judge(runtime)
        balanced(runtime)
        assert 11 == len(await runtime.rows("all"))
        error = runtime._registry.router.error
    assert f"routing strategy 'broken': {method} ({__file__}:" in str(error)
    assert [str(error)] == [record.getMessage() for record in caplog.records], "logged, once"


@pytest.mark.parametrize(
    "does", [divides, lambda: None, lambda: True, lambda: Accept], ids=["raises", "None", "True", "a class"]
)
async def test_a_broken_policy_refuses_for_its_circuit_and_no_other(does, autojump_clock):
    async with open_test(plugins=[Plugin()]) as runtime:
        policy = Fickle()
        await runtime.create_circuit("ops", policy=policy)
        await runtime.register("all", ALL)
        await runtime.register("ids", "SELECT id FROM orders", circuit="ops")
        policy.does = does
        with pytest.raises(
            PluginError, match=rf"policy 'Fickle' of circuit 'ops': admit \({__file__}:\d+\) "
        ) as caught:
            await runtime.ingest([flight(1), upsert("orders", 1, {"x": 1})])
        assert "nothing was accepted" in str(caught.value) or "it must answer" in str(caught.value)
        await runtime.ingest(flight(2))
        assert [2] == [row[0] for row in await runtime.rows("all")]
        policy.does = Accept
        await runtime.ingest(upsert("orders", 1, {"x": 1}))
        assert [(1,)] == await runtime.rows("ids", circuit="ops")
        judge(runtime)
        balanced(runtime)


@pytest.mark.parametrize(
    ("routing", "message"),
    [
        (
            {"strategy": "hybrid", "fallbak": "drop"},
            r"unknown key 'fallbak' \(did you mean 'fallback'\?\) @ \$.routing",
        ),
        ({"strategy": "hybrid", "broadcast": "a"}, r"a list of texts is expected, not 'a' @ \$.routing.broadcast"),
        ({"strategy": "routed", "column": 7}, r"7 is no text @ \$.routing.column"),
        ({"strategy": "routed"}, "routed needs to know by what"),
        ({"strategy": "dependncy"}, r"unknown strategy 'dependncy' @ \$.routing.strategy; did you mean 'dependency'"),
        ({"strategy": "broadcast", "tables": []}, r"strategy 'broadcast' has no options, so not 'tables' @ \$.routing"),
        ({"patience": "long"}, r"'long' is no number @ \$.routing.patience"),
        ({"patience": 0}, r"'patience' must be > 0: 0.* @ \$.routing"),
    ],
)
async def test_what_is_configured_wrong_is_said_with_its_place(routing, message):
    with pytest.raises(ConfigError if "by what" not in message else Exception, match=message):
        async with open_runtime({"routing": routing}):
            raise AssertionError("it opened")
