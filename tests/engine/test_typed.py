"""Rows as objects: schemas from classes, rows structured into classes, and what does not fit."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal, NewType

import attrs
import pytest

import sspcore
from sspcore.errors import SchemaError, UsageError

Minutes = NewType("Minutes", int)


class Kind(StrEnum):
    CARGO = "cargo"


class Level(IntEnum):
    LOW = 1


@attrs.frozen
class Flight:
    id: str
    carrier: str
    dep_delay: int | None = None


@attrs.frozen
class Late:
    id: str
    dep_delay: int


@attrs.frozen
class Board:
    code: str
    late: list[Late]
    worst: Late | None


@attrs.frozen
class Everything:
    id: int
    flag: bool
    ratio: float
    raw: bytes
    at: datetime
    day: date
    fare: Decimal
    tags: list[str]
    extra: Mapping[str, int] | None
    inner: Late
    kind: Kind
    level: Level
    side: Literal["a", "b"]
    delay: Minutes | None
    noted: Annotated[str, "a note"]
    mixed: int | str
    anything: Any


def circuit():
    made = sspcore.Circuit(schemas=[
        sspcore.Schema.from_attrs(Flight, table="flights"), sspcore.Schema("carriers", {"code": "text"}, "code")
    ])  # fmt: skip
    made.apply([
        sspcore.create("carriers", "AA", {}), sspcore.create("flights", "A1", {"carrier": "AA", "dep_delay": 75}),
        sspcore.create("flights", "A2", {"carrier": "AA"}),
    ])  # fmt: skip
    return made


def test_a_class_gives_the_columns_and_types_of_a_table():
    schema = sspcore.Schema.from_attrs(Everything, table="t", key="id")

    assert dict(schema.columns) == {
        "id": "integer", "flag": "boolean", "ratio": "real", "raw": "bytes", "at": "timestamp", "day": "date",
        "fare": "decimal", "tags": "json", "extra": "json", "inner": "json", "kind": "text", "level": "integer",
        "side": "text", "delay": "integer", "noted": "text", "mixed": "any", "anything": "any",
    }  # fmt: skip
    assert (schema.table, schema.key, schema.open) == ("t", "id", False)


@pytest.mark.parametrize("of", [dict, 1, "Flight"])
def test_only_an_attrs_class_describes_a_table(of):
    with pytest.raises(SchemaError, match="no attrs class"):
        sspcore.Schema.from_attrs(of, table="t")


def test_every_door_gives_rows_as_objects():
    made = circuit()
    snapshot = made.register("all", "SELECT * FROM flights ORDER BY id")
    wanted = [Flight("A1", "AA", 75), Flight("A2", "AA")]

    assert made.rows("all", as_type=Flight) == made.view("all").rows(Flight) == snapshot.typed(Flight) == wanted
    assert made.query("SELECT * FROM flights ORDER BY id").typed(Flight) == wanted


def test_an_update_tells_what_was_added_removed_and_updated_as_objects():
    made = circuit()
    made.register("all", "SELECT * FROM flights")
    commit = made.apply([
        sspcore.create("flights", "A3", {"carrier": "UA"}), sspcore.delete("flights", "A2"),
        sspcore.merge("flights", "A1", {"dep_delay": 80}),
    ])  # fmt: skip

    typed = commit.updates["all"].typed(Flight)
    assert typed.added == (Flight("A3", "UA"),)
    assert typed.removed == (Flight("A2", "AA"),)
    assert typed.updated == ((Flight("A1", "AA", 75), Flight("A1", "AA", 80)),)


def test_nested_rows_become_objects_of_the_class_annotated():
    late = sspcore.query("flights").where(sspcore.col("dep_delay") > 60).select("id", "dep_delay")
    boards = sspcore.query("carriers").related("late", late, on={"code": "carrier"})
    boards = boards.related("worst", late.order_by("-dep_delay"), on={"code": "carrier"}, one=True)

    assert circuit().query(boards).typed(Board) == [Board("AA", [Late("A1", 75)], Late("A1", 75))]


def test_values_of_every_type_come_as_they_are():
    row = {
        "id": 1, "flag": True, "ratio": 1.0, "raw": b"x", "at": datetime(2013, 6, 24, tzinfo=UTC),
        "day": date(2013, 6, 24), "fare": Decimal("1.50"), "tags": ["a"], "extra": None,
        "inner": {"id": "A1", "dep_delay": 3}, "kind": "cargo", "level": 1, "side": "b", "delay": None, "noted": "n",
        "mixed": "m", "anything": [1, {"a": None}],
    }  # fmt: skip
    made = sspcore.Circuit(schemas=[sspcore.Schema.from_attrs(Everything, table="t")])
    made.apply([sspcore.create("t", 1, row)])

    (thing,) = made.query("SELECT * FROM t").typed(Everything)
    assert attrs.asdict(thing, recurse=False) | {"anything": None} == row | {
        "inner": Late("A1", 3), "kind": Kind.CARGO, "level": Level.LOW, "anything": None
    }  # fmt: skip


def fields(**annotations):
    return attrs.make_class("Thing", {name: attrs.field(type=kind) for name, kind in annotations.items()}, frozen=True)


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({"dep_delay": int}, r"NULL is no int @ \$\.dep_delay.*\| None"),
        ({"carrier": int}, r"'AA' \(str\) is no int @ \$\.carrier"),
        ({"carrier": bool}, "is no bool"),
        ({"carier": str}, "asks for a column 'carier'.*did you mean 'carrier'"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_by_name(annotations, message):
    with pytest.raises(UsageError, match=message):
        circuit().query("SELECT * FROM flights").typed(fields(**annotations))


def test_no_truth_is_a_number_and_no_number_a_text():
    made = sspcore.Circuit()
    for value, kind in ((True, int), (1, bool), (1, str), (1.5, int), ("1", int)):
        with pytest.raises(UsageError, match="does not fit"):
            made.query("SELECT $v AS x", {"v": value}).typed(fields(x=kind))
    real = fields(x=float)
    assert made.query("SELECT $v AS x", {"v": 1}).typed(real) == [real(1.0)]


def test_a_default_stands_in_for_a_column_that_is_not_there():
    assert circuit().query("SELECT id, carrier FROM flights WHERE id = 'A1'").typed(Flight) == [Flight("A1", "AA")]


def test_what_is_no_attrs_class_is_refused():
    with pytest.raises(UsageError, match="give an attrs class"):
        circuit().query("SELECT * FROM flights").typed(dict)


def test_the_engine_runs_where_cattrs_is_absent():
    """cattrs is imported with the first typed rows, not before."""
    code = """
import sys
sys.modules["cattrs"] = None
import sspcore
circuit = sspcore.Circuit()
circuit.register("late", sspcore.query("flights").where(sspcore.col("delay") > 60).select("carrier"))
assert circuit.apply([sspcore.upsert("flights", "a", {"carrier": "AA", "delay": 75})]).updates["late"].added == (("AA",),)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
