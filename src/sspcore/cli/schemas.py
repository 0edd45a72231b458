"""Reading table schemas and parameters that people write for the command line.

Owns the form of a schema file: TOML or JSON, a table name over its columns and key.

    [flights]
    key = "id"
    columns = { carrier = "text", dep_delay = "integer" }

A server's configuration will do too: its `[[table]]` entries are read.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from sspcore.config import load_config, structure
from sspcore.engine.schema import Schema
from sspcore.errors import ConfigError, UsageError


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
    try:
        if isinstance(data.get("table"), list):
            return list(load_config(data).tables)
        return [_schema(table, entry) for table, entry in data.items()]
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", hint=error.hint) from None


def _schema(table: str, entry: Any) -> Schema:
    if isinstance(entry, dict):
        if "name" in entry:
            raise ConfigError(f"unknown key 'name' @ $.{table}", hint="the section's own name is the table's")
        key = entry.get("key", "id")
        if not (key is None or key is False or isinstance(key, str | list)):
            raise ConfigError(f"a key is a column, a list of columns, or false for an id outside @ $.{table}.key")
        entry = entry | {"name": table, "key": key or None}  # TOML has no null
    return structure(Schema, entry, f"$.{table}")


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
