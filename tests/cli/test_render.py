"""The looks of answers: exact for programs, safe and aligned for people."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import FrozenObject
from sspcore.cli import render

NAMES = ("carrier", "n")


def test_a_table_aligns_text_left_and_numbers_right():
    lines = render.table(NAMES, [("AA", 5), ("Südwest", 1234), (None, None)])

    assert [
        "carrier     n",
        "───────  ────",
        "AA          5",
        "Südwest  1234",
        "NULL     NULL",
    ] == lines


def test_a_table_without_rows_is_its_header():
    assert ["carrier  n", "───────  ─"] == render.table(NAMES, [])


def test_wide_characters_take_two_columns():
    assert ["a   b", "──  ─", "日  x", "z   y"] == render.table(("a", "b"), [("日", "x"), ("z", "y")])


def test_a_value_cannot_drive_the_terminal():
    text = "\n".join(render.table(("a\x1b[2J",), [("\x1b]0;owned\x07",), ("a\r\nb",), ("\u202eevil",)]))

    assert all(c.isprintable() or c == "\n" for c in text)
    assert "a\\r\\nb" in text


def test_a_table_is_clipped_to_the_screen_and_says_what_is_missing():
    lines = render.table(("a",), [(n,) for n in range(100)], height=6)

    assert 6 == len(lines)
    assert "… 97 more rows" == lines[-1]
    assert ["abcdefg…"] == render.table(("abcdefghij",), [], width=8)[:1]


def test_the_table_fits_any_screen():
    for rows in range(6):
        for height in range(3, 8):
            assert len(render.table(("a",), [(1,)] * rows, height=height)) <= height


def test_jsonl_has_one_object_per_row_in_column_order():
    assert ['{"z": 1, "a": null}'] == list(render.jsonl(("z", "a"), [(1, None)]))


def test_jsonl_writes_every_kind_of_value():
    row = (
        True,
        2**70,
        Decimal("1.50"),
        datetime(2013, 6, 24, tzinfo=UTC),
        b"ab",
        (1, "x"),
        FrozenObject({"k": 1}),
        "ü",
    )
    names = tuple("abcdefgh")

    (line,) = render.jsonl(names, [row])

    expected = [True, 2**70, "1.50", "2013-06-24T00:00:00Z", "YWI=", [1, "x"], {"k": 1}, "ü"]
    assert dict(zip(names, expected, strict=True)) == json.loads(line)
    assert "ü" in line


def test_nan_and_infinity_are_text_so_that_every_reader_can_parse_the_line():
    (line,) = render.jsonl(("a", "b"), [(float("nan"), float("-inf"))])

    assert '{"a": "NaN", "b": "-Infinity"}' == line


def test_equal_column_names_are_numbered_so_that_none_is_lost():
    assert ['{"id": 1, "id_2": 2, "n": 3}'] == list(render.jsonl(("id", "id", "n"), [(1, 2, 3)]))


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "b", ""]), max_size=8))
def test_numbered_names_are_unique_and_the_first_of_each_stays(names):
    found = render.unique_names(names)

    assert len(set(found)) == len(names)
    assert all(found[names.index(name)] == name for name in names)


@given(st.lists(st.tuples(st.text(), st.text() | st.integers()), max_size=5))
def test_csv_is_read_back_by_pythons_own_reader(rows):
    text = "\n".join(render.csv(("a", "b"), rows)) + "\n"

    found = list(csv.reader(io.StringIO(text, newline="")))
    assert [["a", "b"], *([a, str(b)] for a, b in rows)] == found


def test_csv_tells_null_from_empty_text():
    assert ["a,b", ',""'] == list(render.csv(("a", "b"), [(None, "")]))


def test_an_update_as_json_has_all_that_changed():
    line = render.delta_json(NAMES, 7, [("AA", 1)], [(("B6", 1), ("B6", 2))], [("UA", 3)])

    assert {
        "version": 7,
        "added": [{"carrier": "AA", "n": 1}],
        "updated": [{"old": {"carrier": "B6", "n": 1}, "new": {"carrier": "B6", "n": 2}}],
        "removed": [{"carrier": "UA", "n": 3}],
    } == json.loads(line)


def test_updates_as_lines_have_one_header_and_widen():
    deltas = render.DeltaTable(NAMES)

    assert ["version     carrier  n", "      1  +  AA       5"] == deltas.lines(1, [("+", ("AA", 5))])
    assert ["      2  -  AA          5", "      2  +  AA       1000"] == deltas.lines(
        2, [("-", ("AA", 5)), ("+", ("AA", 1000))]
    )
