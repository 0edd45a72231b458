"""The bundled day: its file, its tables, and its changes beside the moment of each.

Owns the data. Refuses to know how fast they are replayed, and into what.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

from sspcore.engine.change import Change
from sspcore.engine.schema import Schema
from sspcore.sources.jsonl import ChangeReader

SCHEMAS: Final = (
    Schema("airlines", {"carrier": "text", "name": "text"}, key="carrier"),
    Schema(
        "airports",
        {"faa": "text", "name": "text", "lat": "real", "lon": "real", "alt": "integer", "tzone": "text"},
        key="faa",
    ),
    Schema(
        "planes",
        {
            "tailnum": "text", "year": "integer", "manufacturer": "text", "model": "text",
            "engines": "integer", "seats": "integer",
        },
        key="tailnum",
    ),
    Schema(
        "flights",
        {
            "id": "text", "carrier": "text", "flight": "integer", "tailnum": "text", "origin": "text", "dest": "text",
            "distance": "integer", "scheduled": "text", "status": "text", "departed": "text", "dep_delay": "integer",
            "landed": "text", "arr_delay": "integer", "air_time": "integer",
        },
    ),
    Schema(
        "weather",
        {
            "id": "text", "origin": "text", "hour": "text", "temp": "real", "humid": "real", "wind_speed": "real",
            "precip": "real", "pressure": "real", "visib": "real",
        },
    ),
)  # fmt: skip


def path() -> Path:
    """Where the change file lies."""
    return Path(str(files("sspcore.demo") / "flights-2013-06-24.jsonl"))


def timed_changes() -> Iterator[tuple[datetime, Change]]:
    """Every change of the day with its moment, in order. Cost: O(file), 3 657 changes.

    >>> moment, change = next(timed_changes())
    >>> moment.isoformat(), change.table, change.id
    ('2013-06-24T07:00:00+00:00', 'airlines', '9E')
    """
    schemas = {schema.table: schema for schema in SCHEMAS}
    reader = ChangeReader(path().name, schemas.get)
    with path().open("rb") as file:
        for line in file:
            moment = datetime.fromisoformat(json.loads(line)["at"])
            for change in reader.read([line]):
                yield moment, change
