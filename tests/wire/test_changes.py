"""The change decoder: faults are named with their place, everything else comes through as it was meant."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.change import OPS, Change, create, delete, merge, replace, upsert
from sspcore.engine.schema import Schema
from sspcore.errors import ChangeRejected
from sspcore.wire.changes import FIELDS, decode_change, encode_change
from tests.profiles import fuzz

FLIGHTS = Schema(
    "flights", {"id": "text", "at": "timestamp", "price": "decimal", "delay": "integer", "load": "real", "more": "any"}
)


def schema(table: str) -> Schema | None:
    return FLIGHTS if table == "flights" else None


def test_text_is_parsed_into_the_declared_types() -> None:
    row = {"at": "2013-06-24T09:00:00+02:00", "price": "12.50", "load": "NaN", "more": "12.50", "new": "2013-06-24"}
    change = decode_change({"table": "flights", "op": "upsert", "id": "AA1", "row": row}, schema)
    assert change.row["at"] == datetime(2013, 6, 24, 7, tzinfo=UTC)
    assert change.row["price"] == Decimal("12.50")
    assert change.row["load"] != change.row["load"]
    assert (change.row["more"], change.row["new"]) == ("12.50", "2013-06-24")


def test_a_row_may_be_a_list_in_schema_order() -> None:
    cells = ["AA1", None, "1", 5, 0.5, []]
    change = decode_change({"table": "flights", "op": "create", "id": "AA1", "row": cells}, schema)
    assert change.row == ("AA1", None, Decimal(1), 5, 0.5, [])


def test_lists_in_id_position_are_tuples() -> None:
    assert decode_change({"table": "legs", "op": "delete", "id": ["AA", 1]}).id == ("AA", 1)


def test_replace_takes_an_object_or_pairs() -> None:
    by_text = decode_change({"table": "t", "op": "replace", "row": {"a": {"x": 1}}})
    by_pair = decode_change({"table": "t", "op": "replace", "row": [[1, {"x": 1}], [["b", 2], {"x": 2}]]})
    assert by_text.row == {"a": {"x": 1}}
    assert by_pair.row == {1: {"x": 1}, ("b", 2): {"x": 2}}


@pytest.mark.parametrize(
    ("data", "path", "says"),
    [
        ([], "$[3]", "an object with table"),
        (None, "$[3]", "an object with table"),
        ({"table": "flights", "op": "upsert", "id": 1, "rows": {}}, "$[3]", "did you mean 'row'"),
        ({"op": "delete", "id": 1}, "$[3].table", "names its table"),
        ({"table": "flights", "op": "remove", "id": 1}, "$[3].op", "unknown op 'remove'"),
        ({"table": "flights", "op": 7, "id": 1}, "$[3].op", "unknown op 7"),
        ({"table": "flights", "op": "create", "id": "a"}, "$[3].row", "create carries a row"),
        ({"table": "flights", "op": "create", "id": "a", "row": "x"}, "$[3].row", "not text"),
        ({"table": "flights", "op": "create", "id": "a", "row": {"at": "noon"}}, "$[3].row.at", "ISO 8601"),
        ({"table": "flights", "op": "create", "id": "a", "row": {"price": 0.1}}, "$[3].row.price", "as text"),
        ({"table": "flights", "op": "create", "id": "a", "row": [1]}, "$[3].row", "1 cells"),
        ({"table": "flights", "op": "replace", "row": [["a", {}], ["a", {}]]}, "$[3].row[1]", "twice"),
        ({"table": "flights", "op": "replace", "row": [[True, {}]]}, "$[3].row[0]", "an id is"),
        ({"table": "flights", "op": "replace", "row": ["a"]}, "$[3].row[0]", "pairs"),
        ({"table": "flights", "op": "delete", "id": 1, "seq": "1"}, "$[3].seq", "an integer"),
        ({"table": "flights", "op": "delete", "id": 1, "seq": True}, "$[3].seq", "an integer"),
        ({"table": "flights", "op": "delete", "id": 1, "targets": [1]}, "$[3].targets", "names of circuits"),
    ],
)
def test_a_fault_is_named_with_its_place(data: object, path: str, says: str) -> None:
    with pytest.raises(ChangeRejected, match=says) as caught:
        decode_change(data, schema, index=3)
    assert caught.value.path == path
    assert caught.value.as_dict()["path"] == path


def test_the_time_of_the_event_is_no_part_of_the_change() -> None:
    data = {"seq": 7, "at": "2013-06-24T07:00:00Z", "table": "t", "op": "delete", "id": "a"}
    assert decode_change(data) == Change("t", "delete", "a", seq=7)


@pytest.mark.parametrize(
    "change",
    [create("flights", "a", {"price": Decimal("1.5"), "at": datetime(2013, 6, 24, tzinfo=UTC)}), delete("t", ("a", 1)),
     merge("t", 1, {"x": None}), replace("flights", {("a", 1): {"load": 0.5}}),
     upsert("t", "a", {"x": 1})._replace(seq=3, source="s", version=2, targets=("main",), tenant="acme")],
)  # fmt: skip
def test_a_change_survives_json(change: Change) -> None:
    assert decode_change(json.loads(json.dumps(encode_change(change))), schema) == change


@pytest.mark.parametrize(
    ("given", "place", "message"),
    [({"tenant": 7}, "$[2].tenant", "tenant is text"), ({"targets": "acme"}, "$[2].targets", "targets is a list"),
     ({"targets": ["acme", None]}, "$[2].targets", "names of circuits, as text")],
)  # fmt: skip
def test_an_address_is_text(given: dict[str, Any], place: str, message: str) -> None:
    with pytest.raises(ChangeRejected, match=message) as caught:
        decode_change({"table": "t", "op": "delete", "id": 1} | given, index=2)
    assert place == caught.value.as_dict()["path"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(FIELDS, JSON)
    | {"table": st.sampled_from(["flights", "t", ""]) | JSON, "op": st.sampled_from(OPS) | JSON}
    | {"row": st.dictionaries(st.sampled_from([*FLIGHTS.columns, "new"]), JSON) | JSON},
)


@pytest.mark.fuzz
@fuzz()
@given(JSON | NEARLY)
def test_anything_decodes_or_is_refused_with_a_reason(data: object) -> None:
    try:
        assert type(decode_change(data, schema, index=0)) is Change
    except ChangeRejected as error:
        refusal = error
    else:
        return
    assert refusal.path.startswith("$[0]")
    assert 0 < len(refusal.message) < 600
