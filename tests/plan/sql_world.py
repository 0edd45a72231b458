"""Small tables for tests of SQL: schemas, random rows, and the same rows in DuckDB."""

from datetime import date, datetime
from random import Random

import attrs
import duckdb

from sspcore.engine.schema import Schema
from sspcore.plan.catalog import Catalog

SCHEMAS = {
    "t": Schema("t", {"id": "integer", "a": "integer", "b": "text", "c": "integer"}),
    "u": Schema("u", {"id": "integer", "x": "integer", "y": "text"}),
    "v": Schema("v", {"id": "integer", "x": "integer", "z": "integer"}),
}
CATALOG: Catalog = SCHEMAS
DOMAINS = {"integer": (None, None, 0, 1, 1, 2, 2, 3, 4), "text": (None, "a", "a", "b", "ab", "B", "a%", "_b")}


@attrs.define
class Rows:
    """A table as `interpret` reads it."""

    names: tuple[str, ...]
    rows: dict[int, tuple]


def tables(seed: int, most: int = 9) -> dict[str, Rows]:
    """Random rows for each table; now and then none."""
    random = Random(seed)
    world = {}
    for name, schema in SCHEMAS.items():
        kinds = list(schema.columns.values())[1:]
        count = random.randint(0 if random.random() < 0.15 else 3, most)
        ids = random.sample(range(1, most + 4), count)
        world[name] = Rows(schema.names, {i: (i, *[random.choice(DOMAINS[k]) for k in kinds]) for i in sorted(ids)})
    return world


def duck(world: dict[str, Rows]):
    """A DuckDB with the same rows that divides and orders as Postgres does."""
    connection = duckdb.connect(":memory:", config={"threads": "1"})
    connection.execute("SET integer_division = true; SET default_null_order = 'nulls_last_on_asc_first_on_desc'")
    types = {"integer": "BIGINT", "text": "VARCHAR"}
    for name, table in world.items():
        columns = ", ".join(f"{column} {types[kind]}" for column, kind in SCHEMAS[name].columns.items())
        connection.execute(f"CREATE TABLE {name} ({columns})")
        for row in table.rows.values():
            connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
    return connection


def shown(row) -> tuple:
    """A row with numbers of all types alike, and times: what databases agree on."""
    return tuple([_shown(v) for v in row])


def _shown(value):
    if isinstance(value, list | tuple):
        return shown(value)
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
        return moment.replace(tzinfo=None).isoformat()
    return value if isinstance(value, bool | str | None) else round(float(value), 9)
