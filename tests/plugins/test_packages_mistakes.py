"""Mistakes that authors make: each is told with the plugin, the definition that is at fault, and what to do."""

from __future__ import annotations

import dataclasses
import re
import sys
import textwrap

import attrs
import pytest

from sspcore import hookimpl
from sspcore.abc import Accept, PolicySpec, StrategySpec
from sspcore.errors import ConfigError, PluginError
from sspcore.plugins import Plugins
from sspcore.routing.dependency import Dependency
from sspcore.routing.routed import Routed, RoutedOptions

HERE = r"\(tests/plugins/test_packages_mistakes\.py:\d+\)"


class Strategies:
    """A plugin that offers these."""

    def __init__(self, *specs):
        self.specs = list(specs)

    @hookimpl
    def sspcore_routing_strategies(self):
        return self.specs


class Policies(Strategies):
    sspcore_routing_strategies = None

    @hookimpl
    def sspcore_backpressure_policies(self):
        return self.specs


# Hooks


class Misspelt:
    @hookimpl
    def sspcore_routing_strategie(self):
        return []


class Unmarked:
    def sspcore_routing_strategies(self):
        return []


class WithArguments:
    @hookimpl
    def sspcore_routing_strategies(self, config):
        return []


class Async:
    @hookimpl
    async def sspcore_routing_strategies(self):
        return []


class Raising:
    @hookimpl
    def sspcore_routing_strategies(self):
        return [1 / 0]


class Yielding:
    @hookimpl
    def sspcore_routing_strategies(self):
        yield StrategySpec("x", Dependency)


class OneSpec:
    @hookimpl
    def sspcore_backpressure_policies(self):
        return PolicySpec("x", Policy)


class Policy:
    def admit(self, queue, changes, size, now):
        return Accept()


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        (Misspelt(), rf"plugin Misspelt: there is no hook 'sspcore_routing_strategie' {HERE}; did you mean 'sspcore_rout"),
        (Unmarked(), rf"plugin Unmarked implements no hook: its sspcore_routing_strategies {HERE} is not marked; mark"),
        (Unmarked, rf"plugin Unmarked is a class {HERE}; pass an instance of it, or a module"),
        (WithArguments(), rf"sspcore_routing_strategies {HERE} takes \(config\); a hook is called without arguments"),
        (Async(), rf"plugin Async: sspcore_routing_strategies {HERE} is async; .* write it with def"),
        (Raising(), rf"Raising: sspcore_routing_strategies {HERE} failed with ZeroDivisionError: division by zero {HERE}"),
        (Yielding(), rf"{HERE} returned <generator .*; it must return a list of StrategySpec"),
        (OneSpec(), rf"sspcore_backpressure_policies {HERE} returned Spec\(.*; it must return a list of PolicySpec"),
        (Strategies(Dependency), r"returned \[<class .*Dependency'>\]; it must return a list of StrategySpec"),
        (Strategies(StrategySpec("x", Dependency())), r"a Spec has a name and a factory: StrategySpec\('name', Class\)"),
        (Strategies(StrategySpec("dependency", Dependency)), r"plugins sspcore and Strategies both offer 'dependency' .*; "
         r"give it another name"),
        (Strategies(*[StrategySpec("x", Dependency)] * 2), rf"plugin Strategies offers 'x' twice .*{HERE}"),
    ],
)  # fmt: skip
def test_a_hook_at_fault_is_told_when_plugins_are_gathered(plugin, message):
    with pytest.raises(PluginError, match=message):
        Plugins([plugin])


# What factories make


class Half(Dependency):
    explain = None


class WrongRoute(Dependency):
    def route(self, row, context):
        return []


class WrongView(Dependency):
    def view_added(self, circuit, view):
        pass


class AsyncRoute(Dependency):
    async def route(self, rows):
        return []


class YieldingRoute(Dependency):
    def route(self, rows):
        yield from ()


class WrongHolds(Dependency):
    def holds(self, circuit):
        return True


class HalfPlacing(Dependency):
    def admitted(self, rows):
        return []


class WithoutHolds(Dependency):
    def addressed(self, table):
        return True


class WrongAddressed(Routed):
    def __init__(self):
        super().__init__(RoutedOptions(default="main"))

    def addressed(self):
        return True


class WrongAdmit:
    def admit(self, queue, changes):
        return Accept()


@attrs.frozen
class Options:
    size: int = 1


class WithOptions(Dependency):
    def __init__(self, options):
        super().__init__()


def failing():
    return {}["nothing"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (StrategySpec("x", Half), rf"strategy 'x' of plugin Strategies: Half {HERE} lacks explain; see RoutingStrategy in"),
        (StrategySpec("x", WrongRoute), rf"WrongRoute.route {HERE} takes \(row, context\), but is called with \(rows\)"),
        (StrategySpec("x", WrongView), rf"WrongView.view_added {HERE} takes \(circuit, view\), but is called with \(circuit"
         r", view, interests\); see RoutingStrategy in sspcore.abc"),
        (StrategySpec("x", AsyncRoute), rf"AsyncRoute.route {HERE} is async; a strategy answers at once"),
        (StrategySpec("x", YieldingRoute), rf"YieldingRoute.route {HERE} is a generator"),
        (StrategySpec("x", WrongHolds), rf"holds {HERE} takes \(circuit\), but is called with \(circuit, row\); see Partit"),
        (StrategySpec("x", HalfPlacing), rf"HalfPlacing {HERE} lacks holds, watches, settled; see Placing in sspcore.abc"),
        (StrategySpec("x", WithoutHolds), rf"WithoutHolds {HERE} lacks holds; see Addressed in sspcore.abc"),
        (StrategySpec("x", WrongAddressed), rf"addressed {HERE} takes nothing, but is called with \(table\); see Address"),
        (PolicySpec("x", WrongAdmit), rf"policy 'x' of plugin Policies: WrongAdmit.admit {HERE} takes \(queue, changes\), "
         r"but is called with \(queue, changes, size, now\)"),
        (PolicySpec("x", Dependency), "lacks admit; see BackpressurePolicy"),
        (StrategySpec("x", Policy), rf"Policy {HERE} lacks circuit_added, .*, explain; see RoutingStrategy"),
        (StrategySpec("x", lambda: None), rf"its factory <lambda> {HERE} gave None; give an instance"),
        (StrategySpec("x", lambda: Dependency), rf"its factory <lambda> {HERE} gave the class Dependency; give an inst"),
        (StrategySpec("x", failing), rf"its factory failing {HERE} failed with KeyError: 'nothing' {HERE}"),
        (StrategySpec("x", Half, Options), rf"its factory Half {HERE} takes nothing, but is called with its options; let"),
        (StrategySpec("x", WithOptions), rf"its factory WithOptions {HERE} takes \(options\), but is called with nothing; "
         r"for options say StrategySpec\('x', WithOptions, Options\)"),
        (StrategySpec("x", Half, composed=True), "takes nothing, but is called with a function; let it take a function"),
    ],
)  # fmt: skip
def test_a_product_at_fault_is_told_when_it_is_made(spec, message):
    policy = spec.factory in (WrongAdmit,) or "BackpressurePolicy" in message
    plugins = Plugins([(Policies if policy else Strategies)(spec)])
    with pytest.raises(PluginError, match=message):
        (plugins.policy if policy else plugins.strategy)("x", {})


# Options


class Plain:
    size: int = 1


@dataclasses.dataclass
class Data:
    size: int = 1


@attrs.frozen
class Dangling:
    size: "Nowhere" = 1  # noqa: F821, UP037


@attrs.define(these={"size": attrs.field(default=1)})
class Untyped:
    pass


@attrs.frozen
class Shadowing:
    capacity: int = 1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            Plain,
            rf"offers policy 'x', whose options are Plain {HERE}, no attrs class; decorate a class with attrs.frozen",
        ),
        (Data, rf"whose options are Data {HERE}, no attrs class"),
        (Options(), r"whose options are Options\(size=1\), no attrs class"),
        (
            Dangling,
            rf"the annotations of whose options Dangling {HERE} mean nothing: name 'Nowhere' is not defined; import",
        ),
        (Untyped, rf"whose option 'size' of Untyped {HERE} has no type; annotate it"),
        (
            Shadowing,
            rf"whose option 'capacity' of Shadowing {HERE} is a setting of every policy; .* call it something else",
        ),
    ],
)
def test_a_class_of_options_at_fault_is_told_when_plugins_are_gathered(config, message):
    with pytest.raises(PluginError, match=message):
        Plugins([Policies(PolicySpec("x", lambda options: Policy(), config))])


# Packages


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Packages as pip would leave them: name, entry points, and a module's text."""

    def install(name, points, **modules):
        for module, text in modules.items():
            (tmp_path / f"{module}.py").write_text(textwrap.dedent(text))
            monkeypatch.delitem(sys.modules, module, raising=False)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[sspcore]\n" + "\n".join(points) + "\n")

    monkeypatch.syspath_prepend(str(tmp_path))
    return install


GOOD = """
    from sspcore import hookimpl, routing_strategies
    from sspcore.abc import StrategySpec
    @hookimpl
    def sspcore_routing_strategies():
        return [StrategySpec(__name__, routing_strategies()["broadcast"])]
"""


def test_an_entry_point_at_fault_is_told_with_its_package(package):
    package(
        "faulty", ["gone = no_such_module", "attribute = faulty_plain:nothing", "plain = faulty_plain", "kind = faulty_kind:Kind"],
        faulty_plain="hooks = []", faulty_kind="class Kind:\n    pass",
    )  # fmt: skip
    for name, message in (
        (
            "gone",
            "entry point 'gone' of group 'sspcore': ModuleNotFoundError: .*; package faulty 1.0 says it is no_such_mod",
        ),
        ("attribute", "AttributeError: .*'nothing'; package faulty 1.0 says it is faulty_plain:nothing"),
        (
            "plain",
            r"plugin faulty_plain \(entry point 'plain' of group 'sspcore', of package faulty 1.0\) implements no hook",
        ),
        ("kind", r"plugin Kind \(entry point 'kind' .*\) is a class \(.*faulty_kind.py:1\); pass an instance"),
    ):
        with pytest.raises(PluginError, match=message):
            Plugins(load=[name])


def test_two_packages_that_announce_one_entry_point_are_both_named(package):
    package("one", ["same = one_module"], one_module=GOOD)
    package("two", ["same = two_module"], two_module=GOOD)
    with pytest.raises(
        PluginError, match="'same' .* is announced by package (one|two) 1.0 and by package (one|two) 1.0"
    ):
        Plugins(load=["*"])


def test_an_entry_point_that_is_not_there_is_told_with_the_nearest(package):
    package("near", ["nearly = near_module"], near_module=GOOD)
    with pytest.raises(
        ConfigError, match=re.escape("no entry point 'nearl' in group 'sspcore' @ $.plugins.load; did you mean")
    ):
        Plugins(load=["nearl"])


def test_a_plugin_that_is_given_and_loaded_counts_once(package):
    package("once", ["once = once_module"], once_module=GOOD)
    import once_module

    assert "once_module" in Plugins([once_module, once_module], load=["once", "once", "*"]).strategies
