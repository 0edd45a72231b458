"""Plugins: what a runtime was given to choose from, gathered once, checked, by name.

Owns the faults of plugins at set-up: each names the plugin, the hook and the definition at fault.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, Final

import pluggy

from sspcore import builtins, hookspecs
from sspcore.abc import BackpressurePolicy, RoutingStrategy, Spec
from sspcore.errors import ConfigError, PluginError, did_you_mean
from sspcore.plugin_checks import check_hooks, check_offer, make, name_of, options_of, place_of

GROUP: Final = "sspcore"
"""The entry point group under which packages announce their plugins."""

_NOTHING: Final[Spec[Any]] = Spec("", lambda: None)


class Plugins:
    """The strategies and policies at hand, ours among them.

    Args: `plugins`, modules or objects with functions marked `sspcore.hookimpl`; `load`, names of entry points, or "*".
    Raises PluginError where one of them is at fault, ConfigError for an entry point that is not installed.

    >>> {"dependency", "routed"} <= Plugins().strategies.keys()
    True
    """

    def __init__(self, plugins: Iterable[object] = (), load: Iterable[str] = ()) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._owners: dict[tuple[str, str], str] = {}
        self._register(builtins)
        for plugin in plugins:
            self._register(plugin)
        self._load(tuple(load))
        self.strategies: Mapping[str, Spec[RoutingStrategy]] = self._collect("sspcore_routing_strategies")
        self.policies: Mapping[str, Spec[BackpressurePolicy]] = self._collect("sspcore_backpressure_policies")

    def strategy(self, name: str, options: Mapping[str, Any], path: str = "$.routing") -> RoutingStrategy:
        """A strategy by name, with its options. Raises ConfigError or PluginError."""
        made: RoutingStrategy = self._build(
            "strategy", "sspcore_routing_strategies", self.strategies, name, options, path
        )
        return made

    def policy(self, name: str, options: Mapping[str, Any], path: str = "$.backpressure") -> BackpressurePolicy:
        """A policy by name, with its options. Raises ConfigError or PluginError."""
        made: BackpressurePolicy = self._build(
            "policy", "sspcore_backpressure_policies", self.policies, name, options, path
        )
        return made

    def _part(
        self, kind: str, hook: str, specs: Mapping[str, Spec[Any]], path: str, owner: str,
        name: str, options: Mapping[str, Any], place: str,
    ) -> Any:  # fmt: skip
        """What a composed one is made of, its options at a place among its owner's."""
        if specs.get(name, _NOTHING).composed:
            raise ConfigError(f"{kind} {owner!r} is made of plain ones, not of {name!r} @ {path}.{place}")
        return self._build(kind, hook, specs, name, options, f"{path}.{place}")

    def _register(self, plugin: object, place: str = "") -> None:
        """Once each, whoever brings it."""
        if isinstance(plugin, type):
            raise PluginError(
                f"plugin {plugin.__name__}{place} is a class{place_of(plugin)}",
                hint="pass an instance of it, or a module",
            )
        if self._manager.is_registered(plugin):
            return
        parse = self._manager.parse_hookimpl_opts
        marked = {name: opts for name in dir(plugin) if (opts := parse(plugin, name)) is not None}
        check_hooks(plugin, {name: bool(opts.get("optionalhook")) for name, opts in marked.items()}, place)
        self._manager.register(plugin, f"{_called(plugin)} {id(plugin)}")

    def _load(self, names: Collection[str]) -> None:
        """The entry points of these names, or all of them."""
        if not names:
            return  # looking for what is installed takes milliseconds
        found: dict[str, EntryPoint] = {}
        for point in entry_points(group=GROUP):
            if point.name not in names and "*" not in names:
                continue
            if point.name in found:
                raise PluginError(
                    f"entry point {point.name!r} of group {GROUP!r} is announced by {_package(found[point.name])} and "
                    f"by {_package(point)}", hint="uninstall one of them",
                )  # fmt: skip
            found[point.name] = point
        for name in names:
            if name not in found and name != "*":
                meant = did_you_mean(name, {point.name for point in entry_points(group=GROUP)})
                raise ConfigError(
                    f"no entry point {name!r} in group {GROUP!r} @ $.plugins.load",
                    hint=meant if "mean" in meant else "install the package that announces it",
                )
        for point in found.values():
            place = f"entry point {point.name!r} of group {GROUP!r}"
            try:
                plugin = point.load()
            except Exception as error:
                raise PluginError(
                    f"{place}: {type(error).__name__}: {error}", hint=f"{_package(point)} says it is {point.value}"
                ) from error
            self._register(plugin, f" ({place}, of {_package(point)})")

    def _collect(self, hook: str) -> Mapping[str, Spec[Any]]:
        specs: dict[str, Spec[Any]] = {}
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            plugin = _called(implementation.plugin)
            for spec in check_offer(plugin, hook, implementation.function):
                if spec.name in specs:
                    other = self._owners[hook, spec.name]
                    twice = f"plugin {plugin} offers {spec.name!r} twice"
                    both = f"plugins {other} and {plugin} both offer {spec.name!r}"
                    raise PluginError(
                        f"{twice if other == plugin else both} ({hook}{place_of(implementation.function)})",
                        hint="give it another name" if other in (plugin, "sspcore") else "load only one of them",
                    )
                specs[spec.name], self._owners[hook, spec.name] = spec, plugin
        return MappingProxyType(specs)

    def _build(
        self, kind: str, hook: str, specs: Mapping[str, Spec[Any]], name: str, options: Mapping[str, Any], path: str
    ) -> Any:
        spec = specs.get(name)
        if spec is None:
            raise ConfigError(f"unknown {kind} {name!r} @ {path}.{kind}", hint=did_you_mean(name, specs))
        if spec.config is None and options:
            raise ConfigError(f"{kind} {name!r} has no options, so not {next(iter(options))!r} @ {path}")
        owner = self._owners[hook, name]
        arguments: tuple[Any, ...] = () if spec.config is None else (options_of(kind, owner, spec, options, path),)
        if spec.composed:
            arguments += (partial(self._part, kind, hook, specs, path, name),)
        return make(kind, owner, spec, arguments)


def _offered(found: Plugins, spec: Spec[RoutingStrategy]) -> Callable[..., RoutingStrategy]:
    """A factory to be called with its options, or without."""
    if not spec.composed:
        return spec.factory
    hook = "sspcore_routing_strategies"
    part = partial(found._part, "strategy", hook, found.strategies, "$", spec.name)
    return lambda *options: spec.factory(*options, part)


def _called(plugin: object) -> str:
    return "sspcore" if plugin is builtins else name_of(plugin)


def _package(point: EntryPoint) -> str:
    return f"package {point.dist.name} {point.dist.version}" if point.dist is not None else "a package"


def routing_strategies(
    plugins: Iterable[object] = (), entry_points: bool = False
) -> Mapping[str, Callable[..., RoutingStrategy]]:
    """The routing strategies at hand: name → factory, called with its options or without.

    Args: `plugins`, more of them, as for `open_runtime`; `entry_points`, look at installed packages too.

    >>> type(routing_strategies()["dependency"]()).__name__
    'Dependency'
    """
    found = Plugins(plugins, ["*"] if entry_points else ())
    return {name: _offered(found, spec) for name, spec in found.strategies.items()}
