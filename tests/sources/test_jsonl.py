"""Change files: what a line means, and what is said when it means nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.change import OPS, Change, create, delete, upsert
from sspcore.engine.schema import Schema
from sspcore.errors import ChangeRejected
from sspcore.sources.jsonl import ChangeReader, parse_line, read_file
from sspcore.wire.changes import decode_change
from tests.profiles import fuzz

GOOD = b'{"table":"t","op":"create","id":1,"row":{"a":2}}'


def read(*lines: bytes, **options: object) -> list[Change]:
    return ChangeReader("f", **options).read(list(lines))


def test_a_line_is_a_change():
    assert [create("t", 1, {"a": 2})] == read(GOOD)


def test_seq_and_at_are_understood_and_blank_lines_passed_over():
    line = b'{"seq":1,"at":"2013-06-24T07:00:00Z","table":"t","op":"delete","id":"x"}\r'

    assert [delete("t", "x")] == [c._replace(seq=None) for c in read(b"", line, b"  ")]


def test_a_byte_order_mark_in_front_is_not_part_of_the_first_line():
    assert [create("t", 1, {"a": 2})] == read(b"\xef\xbb\xbf" + GOOD)


def test_the_short_way_and_the_long_way_agree():
    """Plain changes of open tables skip the decoder of the wire; what they become is the same."""
    for op in ("create", "update", "upsert", "merge"):
        data = {"table": "t", "op": op, "id": "x", "row": {"a": None, "b": [1], "c": {"d": 1}}, "seq": 5}
        (short,) = read(json.dumps(data).encode())
        assert decode_change(data) == short


def test_a_line_says_where_its_row_belongs():
    line = b'{"table":"t","op":"upsert","id":1,"row":{},"targets":["acme","duff"],"tenant":"eu"}'

    assert [upsert("t", 1, {})._replace(targets=("acme", "duff"), tenant="eu")] == read(line)
    with pytest.raises(ChangeRejected, match="f, line 1: targets are names of circuits, as text"):
        read(line.replace(b'"duff"', b"7"))


def test_text_of_declared_columns_is_parsed():
    schema = Schema("t", {"at": "timestamp"})

    (change,) = read(
        b'{"table":"t","op":"upsert","id":1,"row":{"at":"2013-06-24T07:00:00Z"}}', schema={"t": schema}.get
    )

    assert change.row["at"].year == 2013


def test_composite_ids_and_whole_tables_go_the_long_way():
    changes = read(
        b'{"table":"t","op":"upsert","id":["a",1],"row":{}}',
        b'{"table":"t","op":"clear"}',
        b'{"table":"t","op":"replace","row":{"a":{"x":1}}}',
    )

    assert [upsert("t", ("a", 1), {}), Change("t", "clear"), Change("t", "replace", None, {"a": {"x": 1}})] == changes


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "not JSON at column 2"),
        (b"nonsense", "not JSON at column 1"),
        (GOOD + GOOD, "more text after the object"),
        (b'{"table":"t","op":"upsert","id":1,"row":{"a":NaN}}', "NaN is not JSON"),
        (b'{"table":"t","op":"upsert","id":1,"row":{"a":-Infinity}}', "-Infinity is not JSON"),
        (b"[1,2]", "a change is an object"),
        (b'"text"', "a change is an object"),
        (b"null", "a change is an object"),
        (b'{"op":"delete","id":1}', "names its table"),
        (b'{"table":"","op":"delete","id":1}', "names its table"),
        (b'{"table":"t","op":"creat","id":1,"row":{}}', "unknown op 'creat'"),
        (b'{"table":"t","op":["create"],"id":1,"row":{}}', "unknown op"),
        (b'{"table":"t","op":"create","id":1,"rows":{}}', "unknown field 'rows'"),
        (b'{"table":"t","op":"create","id":1}', "create carries a row"),
        (b'{"table":"t","op":"create","id":1,"row":5}', "a row is an object"),
        (b'{"table":"t","op":"create","id":1.5,"row":{}}', "an id is text"),
        (b'{"table":"t","op":"create","id":true,"row":{}}', "an id is text"),
        (b'{"table":"t","op":"create","id":1,"row":{},"seq":"x"}', "seq is an integer"),
        (b'{"table":"t","op":"create","id":1,"row":{},"at":5}', "at is text"),
        (b"\xff\xfe", "not UTF-8 at byte 1"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"1" * 5000, "limit"),
    ],
)
def test_a_bad_line_is_refused_naming_file_and_line(line, message):
    with pytest.raises(ChangeRejected, match=r"^f, line 2: ") as caught:
        read(GOOD, line)

    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


def test_line_numbers_go_on_from_batch_to_batch_and_count_blank_lines():
    reader = ChangeReader("f")
    reader.read([GOOD, b""])
    reader.read([b"", GOOD, GOOD])

    assert [4, 5] == reader.numbers
    assert (5, 3) == (reader.line, reader.changes)


def test_a_refusal_by_the_engine_is_told_with_its_line():
    reader = ChangeReader("f")
    changes = reader.read([GOOD, b"", GOOD])

    told = reader.located(ChangeRejected("the row exists already", index=1, change=changes[1], hint="use upsert"))

    assert "f, line 3: the row exists already; use upsert" == str(told)


def test_tables_nobody_wants_are_counted_but_their_form_is_checked():
    reader = ChangeReader("f", wanted={"t"})

    assert [create("t", 1, {"a": 2})] == reader.read([b'{"table":"u","op":"delete","id":1}', GOOD])
    assert ({"u": 1}, {"t"}) == (reader.skipped, reader.seen)
    for bad in (
        b'{"table":"u","op":"drop","id":1}',
        b'{"table":"u","op":"delete","id":{}}',
        b'{"table":"u","op":"merge"}',
    ):
        with pytest.raises(ChangeRejected, match="line 3"):
            reader.read([bad])


def outcome_of(reader: ChangeReader, line: bytes) -> list[Change] | str:
    try:
        return reader.read([line])
    except ChangeRejected as error:
        return str(error)


@pytest.mark.fuzz
@fuzz()
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_a_change_or_a_refusal(line):
    outcome = outcome_of(ChangeReader("f"), line.replace(b"\n", b" "))

    assert isinstance(outcome, list) or outcome.startswith("f, line 1: ")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
fields = st.fixed_dictionaries(
    {},
    optional={
        "table": st.sampled_from(["t", "u", ""]) | json_values,
        "op": st.sampled_from(OPS) | json_values,
        "id": st.sampled_from(["x", 1]) | json_values,
        "row": st.dictionaries(st.text(max_size=3), json_values, max_size=3) | json_values,
        "seq": st.integers() | json_values,
        "at": st.text(max_size=3) | json_values,
    },
)


@pytest.mark.fuzz
@fuzz()
@given(fields, st.sampled_from([None, {"t"}]))
def test_any_object_is_a_change_or_a_refusal(data, wanted):
    outcome = outcome_of(ChangeReader("f", wanted=wanted), json.dumps(data).encode())

    if isinstance(outcome, list):
        assert all(change.op in OPS and change.table for change in outcome)
    else:
        assert outcome.startswith("f, line 1: ")


def test_parse_line_reads_what_json_is():
    assert {"a": [1, 2.5, "ü", None, True]} == parse_line('{"a": [1, 2.5, "\\u00fc", null, true]}')


def test_a_file_is_read_in_batches(tmp_path):
    path = tmp_path / "day.jsonl"
    path.write_bytes(b"\n".join([GOOD] * 5))

    assert [2, 2, 1] == [len(batch) for batch in read_file(path, most=2)]
