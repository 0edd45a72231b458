"""Values and keys in JSON: nothing is lost, nothing is confused, wrong text is refused by name."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import FALSE, NAN, TRUE, FrozenObject, canonical, canonical_key, same
from sspcore.wire.values import decode_key, decode_value, encode_key, encode_row, encode_value

SCALARS = {
    "boolean": st.booleans(), "integer": st.integers(-(2**63), 2**63 - 1), "real": st.floats(), "text": st.text(
        st.characters(exclude_categories=["Cs"])), "bytes": st.binary(),
    "timestamp": st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.just(UTC)),
    "date": st.dates(), "decimal": st.decimals(allow_nan=False, allow_infinity=False, places=4),
}  # fmt: skip
ANY = st.recursive(
    st.one_of(*SCALARS.values(), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS["text"], inner, max_size=3),
    max_leaves=6,
).map(canonical)


def through_json(data: object) -> object:
    return json.loads(json.dumps(data, allow_nan=False))


@pytest.mark.parametrize("kind", SCALARS)
@given(data=st.data())
def test_a_declared_value_survives_json(kind: str, data: st.DataObject) -> None:
    value = canonical(data.draw(SCALARS[kind]))
    back = canonical(decode_value(through_json(encode_value(value)), kind))
    assert same(back, value)


@given(ANY, st.booleans())
def test_every_value_prints_as_json(value: object, as_text: bool) -> None:
    through_json(encode_value(value, as_text))


@given(ANY)
def test_a_key_survives_json(value: object) -> None:
    key = canonical_key(value)
    assert canonical_key(decode_key(through_json(encode_key(key)))) == key


@given(ANY, ANY)
def test_keys_print_alike_iff_equal(a: object, b: object) -> None:
    left, right = canonical_key(a), canonical_key(b)
    printed = [json.dumps(encode_key(key), sort_keys=True) for key in (left, right)]
    assert (printed[0] == printed[1]) == (left is right or left == right)


@pytest.mark.parametrize(
    ("a", "b"),
    [(1, 1.0), (Decimal("1.50"), 1.5), (Decimal("0.10"), Decimal("0.1")), (2**60, float(2**60)),
     (date(2013, 6, 24), datetime(2013, 6, 24, tzinfo=UTC))],
)  # fmt: skip
def test_equal_keys_of_different_types_print_alike(a: object, b: object) -> None:
    assert encode_key(canonical_key(a)) == encode_key(canonical_key(b))


@pytest.mark.parametrize(
    ("a", "b"), [(TRUE, 1), (FALSE, 0), (NAN, "NaN"), (b"YWI=", "YWI="), (("a",), "a"), (Decimal("0.1"), "0.1")]
)
def test_different_keys_print_differently(a: object, b: object) -> None:
    assert json.dumps(encode_key(a)) != json.dumps(encode_key(b))


def test_integers_leave_as_text_beyond_doubles_when_asked() -> None:
    assert encode_row((2**53 - 1, 2**53, -(2**60)), True) == [2**53 - 1, str(2**53), str(-(2**60))]
    assert encode_row((2**53,)) == [2**53]
    assert encode_key(2**60, True) == {"integer": str(2**60)}


def test_integers_too_long_to_print_leave_as_hexadecimal() -> None:
    huge = 10**5000
    assert encode_value(huge) == f"{huge:#x}"
    assert decode_key(encode_key(huge)) == huge


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [("soon", "timestamp", "ISO 8601"), ("2013-06-24T07:00:00", "timestamp", "no time zone"),
     ("0001-01-01T00:00:00+14:00", "timestamp", "beyond the years"), ("2013-02-30", "date", "ISO 8601 date"),
     ("2013-W01-1", "date", "ISO 8601 date"), ("1_000", "decimal", "no decimal"), ("NaN", "decimal", "no decimal"),
     ("x", "integer", "no integer"), ("1.0", "integer", "no integer"), ("fast", "real", "Infinity"),
     ("Y WI=", "bytes", "base64"), ("ü", "bytes", "base64")],
)  # fmt: skip
def test_text_of_another_type_is_refused(text: str, kind: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        decode_value(text, kind)


def test_a_decimal_is_never_read_through_a_double() -> None:
    with pytest.raises(ValueError, match="send a decimal as text"):
        decode_value(0.1, "decimal")


@pytest.mark.parametrize(
    "data", [{}, {"a": 1}, {"time": 3}, {"real": "x"}, {"object": []}, float("inf"), {"a": 1, "b": 2}]
)
def test_what_is_no_key_is_refused(data: object) -> None:
    with pytest.raises(ValueError):
        decode_key(data)


def test_objects_and_lists_keep_their_members() -> None:
    assert encode_value(FrozenObject({"a": (1, None)})) == {"a": [1, None]}
