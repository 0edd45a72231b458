"""Configuration: what a runtime is set up with, from a TOML file, a mapping, or as it is.

Owns its form, and errors that name every place (`@ $.circuit[0].polcy`). Refuses to know what the options of a plugin
mean: their own attrs class says it, structured by the same rules (`structure`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs
from cattrs import Converter, transform_error
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

from sspcore.engine.options import CircuitOptions
from sspcore.engine.schema import Schema
from sspcore.errors import ConfigError, SspError, did_you_mean, shown

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class RoutingConfig:
    """`[routing]`: which circuits get a change. The strategy's own options stand beside its name.

    Args: `strategy`, any registered name; `patience`, seconds a call of a strategy or of a policy may take before it is
    interrupted; `options`, the strategy's own, standing beside these.
    """

    strategy: str = "dependency"
    patience: float = attrs.field(default=5.0, validator=attrs.validators.gt(0))
    options: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class BackpressureConfig:
    """`[backpressure]`: what happens when a circuit's queue is full, unless the circuit says otherwise.

    Args: `policy`, any registered name; `capacity`, changes a queue holds; `max_bytes`, about how many bytes it holds;
    `options`, the policy's own, standing beside these.
    """

    policy: str = "block"
    capacity: int = attrs.field(default=10_000, validator=attrs.validators.ge(1))
    max_bytes: int = attrs.field(default=64 * 2**20, validator=attrs.validators.ge(1))
    options: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class IngressConfig:
    """`[ingress]`: how changes are judged.

    Args: `strict`, refuse `create` of an existing row and `update`/`merge` of a missing one; `stale`, "ignore" or
    "refuse" a change whose row version is not above the row's; `strict_tables`, a table nobody declared is an error;
    `max_columns`, columns an open table may grow to; `max_rows`, rows a table may hold.
    """

    strict: bool = True
    stale: str = "ignore"
    strict_tables: bool = False
    max_columns: int = 1_000
    max_rows: int | None = None

    def options(self) -> CircuitOptions:
        """As options of a circuit."""
        return CircuitOptions(**attrs.asdict(self))

    def __attrs_post_init__(self) -> None:
        self.options()  # it knows the ranges


@attrs.frozen(kw_only=True)
class ClockConfig:
    """`[clock]`: how time passes for views that read `$now`.

    Args: `tick`, seconds from one time they are told to the next.
    """

    tick: float = attrs.field(default=1.0, validator=attrs.validators.gt(0))


@attrs.frozen(kw_only=True)
class ViewConfig:
    """`views = [{…}]` of a circuit: a view registered at the start.

    Args: `id`, its name in the circuit; `sql`, the query; `params`, a value for each `$name` in it; `lazy`, computed
    when it is read after a change instead of kept.
    """

    id: str
    sql: str
    params: Mapping[str, Any] = attrs.field(factory=dict)
    lazy: bool = False


@attrs.frozen(kw_only=True)
class CircuitConfig:
    """`[[circuit]]`: a circuit created at the start. "main" exists in any case; listed here, it gets these settings.

    Args: `name`; `policy`, `capacity`, `max_bytes` and `options`, in place of those of `[backpressure]`; `schemas`,
    tables declared with it, as under `[[table]]`; `views`, registered at the start.
    """

    name: str
    policy: str | None = None
    capacity: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    max_bytes: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    options: Mapping[str, Any] = attrs.field(factory=dict)
    schemas: tuple[Schema, ...] = ()
    views: tuple[ViewConfig, ...] = ()


@attrs.frozen(kw_only=True)
class SidecarConfig:
    """`[sidecar]`: the HTTP and WebSocket server.

    Args: `host` and `port`, where it listens; `token_env`, the environment variable that holds the bearer token;
    `origins`, web origins besides its own whose pages may connect, such as "https://app.example".
    """

    host: str = "127.0.0.1"
    port: int = attrs.field(default=8667, validator=[attrs.validators.ge(0), attrs.validators.lt(2**16)])
    token_env: str = "SSPCORE_TOKEN"
    origins: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class PluginsConfig:
    """`[plugins]`: installed packages that may add strategies and policies.

    Args: `load`, names of entry points of the group `sspcore`, or `["*"]` for all that are installed.
    """

    load: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Config:
    """Everything a runtime is set up with; each part has defaults.

    Args: `routing`, `backpressure`, `ingress`, `clock`, `plugins`, `sidecar`: the sections of the file; `circuits`: its
    `[[circuit]]` entries; `tables`: its `[[table]]` entries, schemas with `name`, `columns`, `key`, `open`.

    >>> load_config({"backpressure": {"policy": "drop_with_error"}}).backpressure.policy
    'drop_with_error'
    """

    routing: RoutingConfig = attrs.field(factory=RoutingConfig)
    backpressure: BackpressureConfig = attrs.field(factory=BackpressureConfig)
    ingress: IngressConfig = attrs.field(factory=IngressConfig)
    clock: ClockConfig = attrs.field(factory=ClockConfig)
    plugins: PluginsConfig = attrs.field(factory=PluginsConfig)
    sidecar: SidecarConfig = attrs.field(factory=SidecarConfig)
    circuits: tuple[CircuitConfig, ...] = ()
    tables: tuple[Schema, ...] = ()


def load_config(config: Config | Mapping[str, Any] | str | Path | None) -> Config:
    """A Config from a TOML file's path, a mapping of the same form, a Config, or nothing (all defaults).

    Raises ConfigError (the writer's fault), one line per fault, each with its place.
    """
    if config is None:
        return Config()
    if isinstance(config, Config):
        return config
    if isinstance(config, Mapping):
        return structure(Config, config)
    path = Path(config)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}", hint="pass the path of a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None
    try:
        return structure(Config, data)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", hint=error.hint) from None


def structure(form: type[T], data: object, path: str = "$") -> T:
    """Plain data as an attrs class: types checked, unknown keys refused, faults with their place below `path`.

    Raises ConfigError.

    >>> structure(SidecarConfig, {"prot": 80})
    Traceback (most recent call last):
    sspcore.errors.ConfigError: unknown key 'prot' (did you mean 'port'?) @ $
    """
    try:
        return _CONVERTER.structure(data, form)
    except Exception as error:  # noqa: BLE001 - cattrs gathers whatever the classes raise
        faults = transform_error(error, path, _describe)
        if form is Config:
            faults = [_as_written(fault) for fault in faults]
        raise ConfigError("\n".join(faults)) from None


def _describe(error: BaseException, form: type[Any] | None) -> str:
    if isinstance(error, ForbiddenExtraKeysError):
        known = [_spelling(error.cl, field.name) for field in attrs.fields(error.cl)]
        faults = []
        for key in sorted(error.extra_fields):
            hint = did_you_mean(key, known)
            faults.append(f"unknown key {key!r}" + (f" ({hint.rstrip()})" if hint else ""))
        return ", ".join(faults)
    if isinstance(error, KeyError):
        return f"the key {error.args[0]!r} is missing"
    if isinstance(error, SspError):
        return str(error)
    if isinstance(error, ValueError | TypeError):
        return str(error.args[0]) if error.args else type(error).__name__
    return f"{type(error).__name__}: {error}"


_SPELLING: Final = {Config: {"circuits": "circuit", "tables": "table"}}
"""Where the key in a file is not the attribute's name: `[[circuit]]` reads better than `[[circuits]]`."""


def _as_written(fault: str) -> str:
    """The fault with its place spelled as in the file."""
    message, at, place = fault.rpartition(" @ $.")
    for name, key in _SPELLING[Config].items():
        if place.startswith(name):
            place = key + place.removeprefix(name)
    return message + at + place


def _spelling(form: type[Any], name: str) -> str:
    return _SPELLING.get(form, {}).get(name, name)


_CONVERTER: Final = Converter(forbid_extra_keys=True)


def _exactly(kind: type[T], name: str) -> None:
    def check(value: Any, _: object) -> T:
        if type(value) is kind or (kind is float and type(value) is int):
            return kind(value)  # type: ignore[call-arg]
        raise TypeError(f"{shown(value)} is no {name}")

    _CONVERTER.register_structure_hook(kind, check)


for _kind, _name in ((str, "text"), (int, "integer"), (float, "number"), (bool, "boolean (true or false)")):
    _exactly(_kind, _name)


def _table(value: Any, _: object) -> Schema:
    if isinstance(value, Schema):
        return value
    if not isinstance(value, Mapping):
        raise TypeError(f"a table is {{name, columns, key, open}}, not {shown(value)}")
    unknown = sorted(value.keys() - {"name", "columns", "key", "open"})
    if unknown:
        hint = did_you_mean(str(unknown[0]), ["name", "columns", "key", "open"])
        raise TypeError(f"unknown key {unknown[0]!r} of a table" + (f" ({hint})" if hint else ""))
    if "name" not in value:
        raise KeyError("name")
    columns = value.get("columns", {})
    if not isinstance(columns, Mapping):
        raise TypeError(f"columns are {{name = type}}, not {shown(columns)}")
    key = value.get("key", "id")
    return Schema(value["name"], columns, tuple(key) if isinstance(key, list) else key, bool(value.get("open", False)))


def _settings(form: type[Any], **overrides: Any) -> Callable[[Any, Any], Any]:
    """How a section of settings becomes an attrs class."""
    plain = make_dict_structure_fn(form, _CONVERTER, **overrides)

    def check(value: Any, kind: Any) -> Any:
        return plain(_mapping(value), kind)

    return check


def _beside(form: type[Any]) -> Callable[[Any, Any], Any]:
    """The same, where keys the section does not know are options of what it names."""
    known = {field.name for field in attrs.fields(form)}
    plain = _settings(form)

    def split(value: Any, kind: Any) -> Any:
        given = _mapping(value)
        beside = {key: option for key, option in given.items() if key not in known}
        if beside and "options" in given:
            raise ValueError(f"options stand beside the others or under options, not both: {', '.join(beside)}")
        settings = {key: setting for key, setting in given.items() if key in known}
        return plain(settings | {"options": beside} if beside else settings, kind)

    return split


def _mapping(value: Any, _: object = None) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"a table of settings is expected, not {shown(value)}")
    return dict(value)


_each_text: Final = _CONVERTER.get_structure_hook(tuple[str, ...])


def _texts(value: Any, kind: Any) -> Any:
    if not isinstance(value, list | tuple):  # a text alone would be taken letter by letter
        raise TypeError(f"a list of texts is expected, not {shown(value)}")
    return _each_text(value, kind)


_CONVERTER.register_structure_hook_func(lambda form: form == tuple[str, ...], _texts)
_CONVERTER.register_structure_hook_factory(attrs.has, lambda form: _settings(form))
_CONVERTER.register_structure_hook_func(lambda form: form == Mapping[str, Any], _mapping)
_CONVERTER.register_structure_hook(Schema, _table)
_CONVERTER.register_structure_hook(RoutingConfig, _beside(RoutingConfig))
_CONVERTER.register_structure_hook(BackpressureConfig, _beside(BackpressureConfig))
_CONVERTER.register_structure_hook(
    Config, _settings(Config, circuits=override(rename="circuit"), tables=override(rename="table"))
)
