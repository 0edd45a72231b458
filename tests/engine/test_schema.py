"""Schemas, column types and ids."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sspcore.engine.schema import Schema, check_id, open_schema, typed
from sspcore.errors import SchemaError


def test_an_unlisted_key_column_is_added_in_front():
    assert Schema("t", {"x": "text"}).names == ("id", "x")
    assert Schema("t", {"x": "text"}, key="code").names == ("code", "x")
    assert Schema("t", {"x": "text"}, key=None).names == ("x",)


def test_a_listed_key_column_keeps_its_place_and_type():
    schema = Schema("t", {"x": "text", "id": "integer"})

    assert schema.names == ("x", "id")
    assert schema.columns["id"] == "integer"


def test_an_open_schema_has_its_id_first():
    assert open_schema("t").names == ("id",)
    assert open_schema("t").open


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("", {}), "needs a name"),
        (("t", {"x": "string"}), "unknown type 'string'"),
        (("t", {"": "text"}), "no column name"),
        (("t", {"x": "text"}, ("x", "y")), "key column 'y' is not a column"),
        (("t", {"x": "text"}, ()), "needs columns"),
        (("t", {"x": "text"}, 5), "5 is no key"),
        (("t", {"x": "text"}, (1,)), "is no key"),
    ],
)
def test_a_malformed_schema_is_refused_with_the_reason(arguments, said):
    with pytest.raises(SchemaError, match=said):
        Schema(*arguments)


def test_a_misspelt_type_gets_a_suggestion():
    with pytest.raises(SchemaError, match="did you mean 'integer'"):
        Schema("t", {"x": "integr"})


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (3, "real", 3.0), (-0.0, "real", 0.0), (3, "decimal", Decimal(3)), (None, "integer", None),
        ([1, [2]], "json", (1, (2,))), (date(2020, 1, 1), "date", date(2020, 1, 1)), (b"x", "bytes", b"x"),
        (datetime(2020, 1, 1, tzinfo=UTC), "timestamp", datetime(2020, 1, 1, tzinfo=UTC)), (2**62, "integer", 2**62),
    ],
)  # fmt: skip
def test_a_value_of_the_declared_type_is_accepted_in_canonical_form(value, kind, expected):
    got = typed(value, kind)

    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "integer"), (1, "boolean"), (2**63, "integer"), (-(2**63) - 1, "integer"), ("1", "integer"),
        (1.0, "integer"), (1, "text"), ("\ud800", "text"), (datetime(2020, 1, 1), "timestamp"),
        (date(2020, 1, 1), "timestamp"), (datetime(2020, 1, 1, tzinfo=UTC), "date"), (1.5, "decimal"),
        (Decimal("NaN"), "decimal"), (object(), "any"), ({1: 2}, "json"), (10**400, "real"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(value, kind):
    with pytest.raises(ValueError, match=r"."):
        typed(value, kind)


def test_values_may_nest_to_a_depth_of_64_and_no_deeper():
    value: object = 1
    for _ in range(64):
        value = [value]
    typed(value, "json")

    with pytest.raises(ValueError, match="nest deeper"):
        typed([value], "json")


def test_ids_are_text_integers_or_tuples_of_them_and_never_parsed():
    assert check_id("2024:01") == "2024:01"
    assert check_id(["a", 1]) == ("a", 1)
    assert check_id("1") != check_id(1)
    for wrong in (None, 1.0, True, (), (None,), (True,), b"x"):
        with pytest.raises(ValueError, match="an id is|a part of an id"):
            check_id(wrong)
