"""Reading table schemas and parameters that people write for the command line.

Owns the form of a schema file: TOML or JSON, a table name over its columns and key.

    [flights]
    key = "id"
    columns = { carrier = "text", dep_delay = "integer" }
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from sspcore.engine.schema import Schema
from sspcore.errors import ConfigError, SchemaError, UsageError, did_you_mean

_FIELDS = ("columns", "key", "open")


def read_schemas(path: str) -> list[Schema]:
    """The schemas of a file, .toml or .json. Raises ConfigError naming file and place (the writer's fault)."""
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read schema file {path!r}: {getattr(error, 'strerror', None) or error}") from None
    try:
        data = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}", hint="a schema file is TOML, or JSON if named .json") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: a schema file maps table names to schemas")
    return [_schema(path, table, entry) for table, entry in data.items()]


def _schema(path: str, table: str, entry: Any) -> Schema:
    place = f"{path}: $.{table}"
    if not isinstance(entry, dict) or not isinstance(entry.get("columns", {}), dict):
        raise ConfigError(
            f"{place}: a table has columns and a key", hint='for example columns = { carrier = "text" }, key = "id"'
        )
    for name in entry:
        if name not in _FIELDS:
            raise ConfigError(f"{place}.{name}: unknown setting", hint=did_you_mean(name, _FIELDS))
    key = entry.get("key", "id")
    if isinstance(key, list):
        key = tuple(key)
    elif key is False or key == "":
        key = None  # TOML has no null
    elif key is not None and not isinstance(key, str):
        raise ConfigError(f"{place}.key: a key is a column, a list of columns, or false when the id stands outside")
    try:
        return Schema(table, entry.get("columns", {}), key, entry.get("open", False))
    except (SchemaError, TypeError) as error:
        raise ConfigError(f"{place}: {error}") from None


def read_params(pairs: list[str]) -> dict[str, Any]:
    """`name=value` pairs; a value that is JSON is taken as such (60, true, null, "60"), any other is text.

    >>> read_params(["m=60", "carrier=AA", 'code="60"'])
    {'m': 60, 'carrier': 'AA', 'code': '60'}
    """
    params: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.removeprefix("$")
        if not equals or not name:
            raise UsageError(f"--param takes name=value, not {pair!r}")
        if name in params:
            raise UsageError(f"--param gives ${name} twice")
        try:
            params[name] = json.loads(text)
        except (ValueError, RecursionError):
            params[name] = text
    return params
