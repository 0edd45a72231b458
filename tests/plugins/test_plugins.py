"""Plugins: gathered once, by hooks; a fault names the plugin, the hook and the definition."""

from __future__ import annotations

import sys
import types

import attrs
import pytest

from sspcore import hookimpl, routing_strategies
from sspcore.abc import PolicySpec, StrategySpec
from sspcore.errors import ConfigError, PluginError
from sspcore.plugins import Plugins
from sspcore.routing.broadcast import Broadcast


def plugin(name="mine", **hooks):
    """A module that implements these hooks: each answers its value, or does what its function does."""
    module = types.ModuleType(name)
    for hook, answer in hooks.items():
        setattr(module, hook, hookimpl(answering(answer)))
    return module


def answering(answer):
    def implementation():
        return answer() if callable(answer) else answer

    return implementation


def test_a_plugin_s_strategies_stand_beside_ours():
    offered = routing_strategies([plugin(sspcore_routing_strategies=[StrategySpec("everywhere", Broadcast)])])

    assert {"everywhere"} == set(offered) - set(routing_strategies())
    assert isinstance(offered["everywhere"](), Broadcast)


def test_two_plugins_cannot_offer_one_name():
    specs = [StrategySpec("broadcast", Broadcast)]
    with pytest.raises(PluginError, match=r"plugins \S+ and \S+ both offer 'broadcast'") as caught:
        Plugins([plugin("mine", sspcore_routing_strategies=specs)])
    assert "mine" in str(caught.value) and "sspcore" in str(caught.value)


def raising():
    raise ZeroDivisionError("no")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "returned None; it must return a list of StrategySpec"),
        ({"a": Broadcast}, "it must return a list of StrategySpec"),
        ([Broadcast], "it must return a list of StrategySpec"),
        ([StrategySpec("", Broadcast)], "a Spec has a name and a factory"),
        ([StrategySpec("x", "Broadcast")], "a Spec has a name and a factory"),
        (raising, "failed with ZeroDivisionError: no"),
    ],
    ids=["nothing", "a mapping", "no spec", "no name", "no factory", "raises"],
)
def test_a_hook_s_answer_is_checked(answer, message):
    with pytest.raises(PluginError) as caught:
        Plugins([plugin("mine", sspcore_routing_strategies=answer)])
    assert message in str(caught.value) and "plugin mine: sspcore_routing_strategies (" in str(caught.value)


def test_what_is_no_plugin_is_said():
    class Class:
        @hookimpl
        def sspcore_routing_strategies(self):
            return []

    class Misspelt:
        @hookimpl
        def sspcore_routing_strategy(self):
            return []

    class Wrong:
        @hookimpl
        def sspcore_routing_strategies(self, config):
            return []

    for thing, message in (
        (Class, r"plugin Class is a class \(.*\); pass an instance"),
        (object(), "implements no hook"),
        (Misspelt(), "hooks: sspcore_routing_strategies, sspcore_backpressure_policies"),
        (Wrong(), "config"),
    ):
        with pytest.raises(PluginError, match=message):
            Plugins([thing])


def test_a_factory_s_product_must_do_the_work():
    class Half:
        def route(self, rows):
            return [()] * len(rows)

    plugins = Plugins(
        [plugin(sspcore_routing_strategies=[StrategySpec("half", Half), StrategySpec("none", lambda: 1 / 0)])]
    )
    with pytest.raises(PluginError, match=r"Half \(.*\) lacks circuit_added, circuit_removed, view_added"):
        plugins.strategy("half", {})
    with pytest.raises(PluginError, match=r"its factory <lambda> \(.*\) failed with ZeroDivisionError"):
        plugins.strategy("none", {})


def test_options_are_structured_into_the_spec_s_class():
    @attrs.frozen
    class Options:
        size: int

    made = []

    class Policy:
        def __init__(self, options):
            made.append(options)

        def admit(self, queue, changes, size, now): ...

    plugins = Plugins([plugin(sspcore_backpressure_policies=[PolicySpec("sized", Policy, Options)])])
    plugins.policy("sized", {"size": 3})
    assert [Options(3)] == made
    with pytest.raises(ConfigError, match=r"the key 'size' is missing @ \$.backpressure"):
        plugins.policy("sized", {})
    with pytest.raises(ConfigError, match=r"strategy 'broadcast' has no options, so not 'x' @ \$.routing"):
        plugins.strategy("broadcast", {"x": 1})
    with pytest.raises(ConfigError, match=r"unknown policy 'sizd' @ \$.backpressure.policy; did you mean 'sized'\?"):
        plugins.policy("sizd", {})


def half(instance, attribute, size):
    if size == 0:
        raise ValueError("size is at least 1")
    {"a": 1}[size] if size > 8 else 1 / (size - 4)


@attrs.frozen
class Failing:
    size: int = attrs.field(validator=half)


@attrs.frozen
class Outer:
    inner: Failing


def test_an_options_class_that_fails_is_the_plugin_s_fault():
    policies = [PolicySpec("sized", print, Failing), PolicySpec("nested", print, Outer)]
    plugins = Plugins([plugin(sspcore_backpressure_policies=policies)])
    with pytest.raises(ConfigError, match="size is at least 1"):
        plugins.policy("sized", {"size": 0})
    for size, slip in ((4, "ZeroDivisionError: division by zero"), (9, "KeyError: 9")):
        message = rf"policy 'sized' of plugin mine: its options Failing \(.*\) failed with {slip} \(.*test_plugins.py:\d+\) @ "
        with pytest.raises(PluginError, match=message):
            plugins.policy("sized", {"size": size})
    with pytest.raises(
        PluginError, match=r"'nested' of plugin mine: its options Outer .* failed with ZeroDivisionError"
    ):
        plugins.policy("nested", {"inner": {"size": 4}})
    for faulty in ({}, {"inner": {}}, {"inner": {"size": "x"}}, {"inner": {"size": 1, "more": 2}}):
        with pytest.raises(ConfigError):
            plugins.policy("nested", faulty)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package as pip would leave it, with an entry point of our group."""
    (tmp_path / "elsewhere.py").write_text(
        "from sspcore import hookimpl\n"
        "from sspcore.abc import StrategySpec\n"
        "from sspcore.routing.broadcast import Broadcast\n"
        "@hookimpl\n"
        "def sspcore_routing_strategies():\n"
        "    return [StrategySpec('elsewhere', Broadcast)]\n"
    )
    info = tmp_path / "elsewhere-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sspcore]\nelsewhere = elsewhere\nbroken = no_such_module\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("elsewhere", None)


def test_entry_points_load_by_name_and_only_on_request(installed):
    assert "elsewhere" not in Plugins().strategies
    assert "elsewhere" in Plugins(load=["elsewhere"]).strategies


def test_an_entry_point_that_cannot_be_imported_is_named(installed):
    with pytest.raises(PluginError, match="entry point 'broken' of group 'sspcore': ModuleNotFoundError"):
        Plugins(load=["broken"])


def test_an_entry_point_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="no entry point 'nowhere'"):
        Plugins(load=["nowhere"])
