"""Plugins: what a runtime was given to choose from, gathered once, checked, by name.

Owns the faults of plugins at set-up: each names the plugin, the hook and the definition at fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import pluggy

from sspcore import builtins, hookspecs
from sspcore.abc import BackpressurePolicy, RoutingStrategy, Spec
from sspcore.config import structure
from sspcore.errors import ConfigError, PluginError, SspError, did_you_mean

GROUP: Final = "sspcore"
"""The entry point group under which packages announce their plugins."""

_NOTHING: Final[Spec[Any]] = Spec("", lambda: None)

_METHODS: Final = {
    "sspcore_routing_strategies": (
        "circuit_added", "circuit_removed", "view_added", "view_changed", "view_settled", "view_removed", "route",
        "explain",
    ),
    "sspcore_backpressure_policies": ("admit",),
}  # fmt: skip


class Plugins:
    """The strategies and policies at hand, ours among them.

    Args: `plugins`, modules or objects with functions marked `sspcore.hookimpl`; `load`, names of entry points, or "*".
    Raises PluginError where one of them is at fault, ConfigError for an entry point that is not installed.

    >>> sorted(Plugins().strategies)
    ['broadcast', 'dependency', 'hybrid', 'routed', 'shadow', 'sharded']
    """

    def __init__(self, plugins: Iterable[object] = (), load: Iterable[str] = ()) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._register(builtins, "sspcore")
        for plugin in plugins:
            self._register(plugin)
        for name in load:
            self._load(name)
        self._refuse_unknown_hooks()
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

    def _register(self, plugin: object, name: str | None = None) -> None:
        if isinstance(plugin, type):
            raise PluginError(f"plugin {plugin.__name__} is a class", hint="pass an instance of it, or a module")
        try:
            self._manager.register(plugin, name)
        except (ValueError, pluggy.PluginValidationError) as error:
            raise PluginError(f"plugin {_name_of(plugin)}: {error}") from None
        registered = self._manager.get_name(plugin)
        if registered is not None and not self._manager.get_hookcallers(plugin):
            raise PluginError(
                f"plugin {_name_of(plugin)} implements no hook",
                hint=f"mark a function {' or '.join(_METHODS)} with sspcore.hookimpl",
            )

    def _load(self, name: str) -> None:
        try:
            count = self._manager.load_setuptools_entrypoints(GROUP, None if name == "*" else name)
        except Exception as error:
            raise PluginError(f"entry point {name!r} of group {GROUP!r}: {type(error).__name__}: {error}") from error
        if not count and name != "*":
            raise ConfigError(f"no entry point {name!r} in group {GROUP!r} @ $.plugins.load", hint="install it")

    def _refuse_unknown_hooks(self) -> None:
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(
                f"plugin {_name_of(error.plugin)}: {error}",
                hint="hooks: " + ", ".join(_METHODS),
            ) from None

    def _collect(self, hook: str) -> Mapping[str, Spec[Any]]:
        specs: dict[str, Spec[Any]] = {}
        owners: dict[str, str] = {}
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            plugin = implementation.plugin_name
            for spec in _listed(plugin, hook, implementation.function):
                if spec.name in specs:
                    raise PluginError(
                        f"plugins {owners[spec.name]} and {plugin} both offer {spec.name!r} ({hook})",
                        hint="load only one of them",
                    )
                specs[spec.name], owners[spec.name] = spec, plugin
        return MappingProxyType(specs)

    def _build(
        self, kind: str, hook: str, specs: Mapping[str, Spec[Any]], name: str, options: Mapping[str, Any], path: str
    ) -> Any:
        spec = specs.get(name)
        if spec is None:
            raise ConfigError(f"unknown {kind} {name!r} @ {path}.{kind}", hint=did_you_mean(name, specs))
        if spec.config is None and options:
            raise ConfigError(f"{kind} {name!r} has no options, so not {next(iter(options))!r} @ {path}")
        arguments: tuple[Any, ...] = () if spec.config is None else (structure(spec.config, options, path),)
        if spec.composed:
            arguments += (partial(self._part, kind, hook, specs, path, name),)
        try:
            made = spec.factory(*arguments)
        except SspError:
            raise
        except Exception as error:
            raise PluginError(f"{kind} {name!r}: its factory failed with {type(error).__name__}: {error}") from error
        missing = [method for method in _METHODS[hook] if not callable(getattr(made, method, None))]
        if missing:
            raise PluginError(
                f"{kind} {name!r}: {type(made).__name__} lacks {', '.join(missing)}",
                hint="see the protocol in sspcore.abc",
            )
        return made


def _offered(found: Plugins, spec: Spec[RoutingStrategy]) -> Callable[..., RoutingStrategy]:
    """A factory to be called with its options, or without."""
    if not spec.composed:
        return spec.factory
    hook = "sspcore_routing_strategies"
    part = partial(found._part, "strategy", hook, found.strategies, "$", spec.name)
    return lambda *options: spec.factory(*options, part)


def _listed(plugin: str, hook: str, function: Callable[[], Any]) -> list[Spec[Any]]:
    try:
        specs = function()
    except Exception as error:
        raise PluginError(f"plugin {plugin}: {hook} failed with {type(error).__name__}: {error}") from error
    if not isinstance(specs, list | tuple) or not all(isinstance(spec, Spec) for spec in specs):
        raise PluginError(f"plugin {plugin}: {hook} returned {specs!r}", hint="it must return a list of Spec")
    for spec in specs:
        if not isinstance(spec.name, str) or not spec.name or not callable(spec.factory):
            raise PluginError(f"plugin {plugin}: {hook} offers {spec!r}", hint="a Spec has a name and a factory")
    return list(specs)


def _name_of(plugin: object) -> str:
    return getattr(plugin, "__name__", None) or type(plugin).__name__


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
