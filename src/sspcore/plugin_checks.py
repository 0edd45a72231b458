"""What a plugin is held to while a runtime is set up: its hooks, what they offer, and what factories make.

Owns the faults an author may make, each told with the plugin, the definition (file and line) and what to do. Refuses to
judge what a strategy answers: `sspcore.testing` does, before anyone runs it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import attrs
from cattrs.errors import ForbiddenExtraKeysError

from sspcore.abc import Addressed, BackpressurePolicy, Partition, Placing, RoutingStrategy, Selective, Spec
from sspcore.config import BackpressureConfig, RoutingConfig, structure
from sspcore.errors import ConfigError, PluginError, SspError, did_you_mean, shown

HOOKS: Final = {"sspcore_routing_strategies": "strategy", "sspcore_backpressure_policies": "policy"}
"""Hook → what it offers."""

_SPECS: Final = {"strategy": "StrategySpec", "policy": "PolicySpec"}
_PROTOCOLS: Final[Mapping[str, type]] = {"strategy": RoutingStrategy, "policy": BackpressurePolicy}
_METHODS: Final = {
    "strategy": (
        "circuit_added", "circuit_removed", "view_added", "view_changed", "view_settled", "view_removed", "route",
        "explain",
    ),
    "policy": ("admit",),
}  # fmt: skip
_MORE: Final[Mapping[str, tuple[type, tuple[str, ...]]]] = {
    "selects": (Selective, ("selects",)),
    "holds": (Partition, ("holds",)),
    "addressed": (Addressed, ("holds", "addressed")),
    "admitted": (Placing, ("holds", "watches", "admitted", "settled")),
    "watches": (Placing, ("holds", "watches", "admitted", "settled")),
}
"""A method of more than a plain strategy → its protocol, and what else that asks for."""

_SETTINGS: Final[Mapping[str, type[Any]]] = {"strategy": RoutingConfig, "policy": BackpressureConfig}
"""Whose settings the options stand beside."""


def name_of(plugin: object) -> str:
    """What a plugin is called in messages: a module by its name, an object by its class."""
    return getattr(plugin, "__name__", None) or type(plugin).__name__


def place_of(thing: object) -> str:
    """Where something is defined, as " (file:line)"; empty where that is not known."""
    found = inspect.unwrap(getattr(thing, "__func__", thing))  # type: ignore[arg-type]
    for definition in (found, type(found)):
        try:
            return f" ({_short(inspect.getsourcefile(definition) or '')}:{inspect.getsourcelines(definition)[1]})"
        except (OSError, TypeError):
            continue
    return ""


def raised_at(error: BaseException) -> str:
    """Where an exception came from, as place_of."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f" ({_short(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})"


def check_hooks(plugin: object, marked: Mapping[str, bool], place: str = "") -> None:
    """A plugin's functions marked `hookimpl`: name → whether the hook may be one there is not (`optionalhook`)."""
    name = f"{name_of(plugin)}{place}"
    if not marked:
        unmarked = [hook for hook in HOOKS if callable(getattr(plugin, hook, None))]
        found = f": its {unmarked[0]}{place_of(getattr(plugin, unmarked[0]))} is not marked" if unmarked else ""
        raise PluginError(
            f"plugin {name} implements no hook{found}",
            hint=f"mark a function {' or '.join(HOOKS)} with sspcore.hookimpl",
        )
    for hook, optional in marked.items():
        function = getattr(plugin, hook)
        if hook not in HOOKS:
            if optional:
                continue
            meant = did_you_mean(hook, HOOKS)
            raise PluginError(
                f"plugin {name}: there is no hook {hook!r}{place_of(function)}",
                hint=(meant + " " if "mean" in meant else "") + "hooks: " + ", ".join(HOOKS),
            )
        if not _fits(function, 0):
            raise PluginError(
                f"plugin {name}: {hook}{place_of(function)} takes {_parameters(function)}",
                hint="a hook is called without arguments",
            )


def check_offer(plugin: str, hook: str, function: Callable[[], Any]) -> list[Spec[Any]]:
    """What a hook offers: its list of Specs, each with a name, a factory and an attrs class or None."""
    spec_class = _SPECS[HOOKS[hook]]

    def fault(what: str, hint: str) -> PluginError:
        return PluginError(f"plugin {plugin}: {hook}{place_of(function)} {what}", hint=hint)

    if inspect.iscoroutinefunction(function):
        raise fault("is async", "hooks run while a runtime is set up: write it with def")
    try:
        specs = function()
    except Exception as error:
        raise fault(
            f"failed with {type(error).__name__}: {error}{raised_at(error)}", f"it must return a list of {spec_class}"
        ) from error
    if not isinstance(specs, list | tuple) or not all(isinstance(spec, Spec) for spec in specs):
        raise fault(f"returned {shown(specs)}", f"it must return a list of {spec_class}")
    for spec in specs:
        if not isinstance(spec.name, str) or not spec.name or not callable(spec.factory):
            raise fault(
                f"offers {shown(spec)}",
                f"a Spec has a name and a factory: {spec_class}('name', Class) or {spec_class}('name', Class, Options)",
            )
        if spec.config is not None:
            wrong = _options_fault(HOOKS[hook], spec.config)
            if wrong is not None:
                raise fault(f"offers {HOOKS[hook]} {spec.name!r}, {wrong[0]}", wrong[1])
    return list(specs)


def _options_fault(kind: str, form: Any) -> tuple[str, str] | None:
    """What is wrong with a class of options, and what to do."""
    if not isinstance(form, type) or not attrs.has(form):
        what = f"{form.__name__}{place_of(form)}" if isinstance(form, type) else shown(form)
        return f"whose options are {what}, no attrs class", "decorate a class with attrs.frozen"
    try:
        attrs.resolve_types(form)
    except Exception as error:  # noqa: BLE001  an annotation may be any expression
        what = f"the annotations of whose options {form.__name__}{place_of(form)} mean nothing: {error}"
        return what, "import what they name at run time, not under TYPE_CHECKING"
    taken = {field.name for field in attrs.fields(_SETTINGS[kind])}
    for field in attrs.fields(form):
        if field.type is None:
            what = f"whose option {field.name!r} of {form.__name__}{place_of(form)} has no type"
            return what, "annotate it: by that what a file says is checked"
        if field.name in taken:
            what = f"whose option {field.name!r} of {form.__name__}{place_of(form)} is a setting of every {kind}"
            return what, "options stand beside those: call it something else"
    return None


def options_of(kind: str, owner: str, spec: Spec[Any], options: Mapping[str, Any], path: str) -> Any:
    """The options as the plugin's class of them. Raises ConfigError, and PluginError where the class itself fails."""
    form = spec.config
    assert form is not None
    try:
        return structure(form, options, path)
    except ConfigError as error:
        slip = _slip(error.__context__)
        if slip is None:
            raise
        raise PluginError(
            f"{kind} {spec.name!r} of plugin {owner}: its options {form.__name__}{place_of(form)} failed with "
            f"{type(slip).__name__}: {slip}{raised_at(slip)} @ {path}",
            hint="refuse options with ValueError",
        ) from slip


def _slip(error: BaseException | None) -> BaseException | None:
    """What an options class raised that is no refusal."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for each in error.exceptions if (found := _slip(each)) is not None), None)
    if isinstance(error, KeyError):
        return None if "cattrs" in raised_at(error) else error  # a key that is missing, or a slip of the class
    refusals = (SspError, ValueError, TypeError, ForbiddenExtraKeysError)
    return None if error is None or isinstance(error, refusals) else error


def make(kind: str, owner: str, spec: Spec[Any], arguments: tuple[Any, ...]) -> Any:
    """What a factory makes of its arguments, checked against the protocol. Raises PluginError."""
    factory = spec.factory
    called = getattr(factory, "__name__", shown(factory))

    def fault(what: str, hint: str) -> PluginError:
        whole = f"{kind} {spec.name!r} of plugin {owner}: its factory {called}{place_of(factory)} {what}"
        return PluginError(whole, hint=hint)

    if not _fits(factory, len(arguments)):
        given = [part for part, there in (("its options", spec.config), ("a function", spec.composed)) if there]
        hint = f"for options say {_SPECS[kind]}({spec.name!r}, {called}, Options)"
        if given:
            hint = f"let it take {' and '.join(given)}, or say so in the {_SPECS[kind]}"
        raise fault(f"takes {_parameters(factory)}, but is called with {' and '.join(given) or 'nothing'}", hint)
    try:
        made = factory(*arguments)
    except SspError:
        raise
    except Exception as error:
        what = f"failed with {type(error).__name__}: {error}{raised_at(error)}"
        raise fault(what, "refuse options in the options class, with ValueError") from error
    if made is None or isinstance(made, type):
        raise fault(f"gave {'None' if made is None else f'the class {made.__name__}'}", "give an instance")
    _check_methods(lambda: f"{kind} {spec.name!r} of plugin {owner}: {type(made).__name__}", kind, made, spec.composed)
    return made


def _check_methods(named: Callable[[], str], kind: str, made: object, composed: bool = False) -> None:
    """Every method of the protocol is there, is no coroutine, and can be called as it will be.

    One composed of others may offer half of what one of them does: they were checked.
    """
    wanted = [(_PROTOCOLS[kind], method) for method in _METHODS[kind]]
    for offered, (protocol, more) in _MORE.items() if kind == "strategy" else ():
        if getattr(made, offered, None) is not None:
            wanted += [(protocol, method) for method in ((offered,) if composed else more)]
    missing = {name: protocol for protocol, name in wanted if not callable(getattr(made, name, None))}
    if missing:
        protocol = next(iter(missing.values()))
        raise PluginError(
            f"{named()}{place_of(type(made))} lacks {', '.join(missing)}",
            hint=f"see {protocol.__name__} in sspcore.abc",
        )
    for protocol, name in wanted:
        method = getattr(made, name)
        if inspect.iscoroutinefunction(method) or inspect.isgeneratorfunction(method):
            form = "async" if inspect.iscoroutinefunction(method) else "a generator"
            raise PluginError(
                f"{named()}.{name}{place_of(method)} is {form}",
                hint=f"a {kind} answers at once: write it with def and return",
            )
        parameters = list(inspect.signature(getattr(protocol, name)).parameters)[1:]
        if not _fits(method, len(parameters)):
            raise PluginError(
                f"{named()}.{name}{place_of(method)} takes {_parameters(method)}, but is called with "
                f"({', '.join(parameters)})",
                hint=f"see {protocol.__name__} in sspcore.abc",
            )


def _fits(function: Callable[..., Any], arguments: int) -> bool:
    """Whether it can be called with so many arguments; True where that cannot be known."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(*[None] * arguments)
    except TypeError:
        return False
    return True


def _parameters(function: Callable[..., Any]) -> str:
    names = list(inspect.signature(function).parameters)
    return f"({', '.join(names)})" if names else "nothing"


def _short(file: str) -> str:
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return file
