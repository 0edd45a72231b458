"""`sspcore query` in this process: answers, formats, and every way an input can be wrong."""

from __future__ import annotations

import json
import sqlite3

import pytest

from sspcore.demo import day as bundled

DELAYS = "SELECT id, dep_delay FROM flights ORDER BY dep_delay DESC"


def test_it_prints_the_result_at_the_end_of_the_input(sspcore, day):
    done = sspcore("query", day, DELAYS)

    assert ["id   dep_delay", "───  ─────────", "UA7         90"] == done.out.splitlines()
    assert (0, "") == (done.code, done.err)


def test_jsonl_is_one_object_per_row_in_column_order(sspcore, day):
    done = sspcore("query", day, "SELECT dep_delay, id FROM flights", "--format", "jsonl")

    assert '{"dep_delay": 90, "id": "UA7"}\n' == done.out


def test_csv_has_a_header(sspcore, day):
    assert "id,dep_delay\nUA7,90\n" == sspcore("query", day, DELAYS, "--format", "csv").out


def test_parameters_are_json_or_text(sspcore, day):
    sql = "SELECT id FROM flights WHERE dep_delay > $m AND carrier = $c"

    done = sspcore("query", day, sql, "--param", "m=60", "--param", "c=UA", "--format", "jsonl")

    assert [{"id": "UA7"}] == [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize(
    ("params", "message"),
    [([], "$m"), (["--param", "m"], "name=value"), (["--param", "m=1", "--param", "m=2"], "twice"),
     (["--param", "m=1", "--param", "x=2"], "$x")],
)  # fmt: skip
def test_missing_malformed_and_extra_parameters_are_told(sspcore, day, params, message):
    done = sspcore("query", day, "SELECT id FROM flights WHERE dep_delay > $m", *params)

    assert (2, "") == (done.code, done.out)
    assert message in done.err


def test_deltas_add_up_to_the_result(sspcore, day):
    done = sspcore("query", day, "SELECT id, dep_delay FROM flights", "--deltas", "--format", "jsonl")

    updates = [json.loads(line) for line in done.out.splitlines()]
    rows: list[dict[str, object]] = []
    for update in updates:
        for old in update["removed"] + [pair["old"] for pair in update["updated"]]:
            rows.remove(old)
        rows += update["added"] + [pair["new"] for pair in update["updated"]]
    assert [{"id": "UA7", "dep_delay": 90}] == rows
    assert 4 == len(updates)
    assert sorted(u["version"] for u in updates) == [u["version"] for u in updates]


def test_deltas_as_csv_have_version_and_sign_in_front(sspcore, day):
    done = sspcore("query", day, "SELECT count(*) AS n FROM flights", "--deltas", "--format", "csv")

    lines = done.out.splitlines()
    assert ["version,change,n", "0,+,0", "1,-,0", "1,+,1"] == lines[:4]
    assert "1" == lines[-1].split(",")[2]


def test_deltas_of_all_columns_start_again_when_a_row_brings_a_new_one(sspcore, tmp_path):
    lines = [f'{{"table": "t", "op": "create", "id": {n}, "row": {{"{c}": {n}}}}}' for n, c in enumerate("ab", 1)]
    (tmp_path / "f").write_text("\n".join(lines))

    done = sspcore("query", tmp_path / "f", "SELECT * FROM t", "--deltas", "--format", "jsonl")

    first, second = [json.loads(line) for line in done.out.splitlines()]
    assert {"version": 1, "added": [{"id": 1, "a": 1}], "updated": [], "removed": []} == first
    assert second["reset"]
    assert [{"id": 1, "a": 1, "b": None}, {"id": 2, "a": None, "b": 2}] == second["added"]


def test_the_whole_bundled_day_agrees_with_sqlite(sspcore):
    sql = "SELECT carrier, count(*) AS n, sum(dep_delay) AS minutes FROM flights GROUP BY carrier ORDER BY carrier"
    final: dict[str, dict[str, object]] = {}
    for line in bundled.path().read_text().splitlines():
        change = json.loads(line)
        if change["table"] == "flights":
            final[change["id"]] = change["row"]
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE flights (carrier, dep_delay)")
    rows = [(row["carrier"], row["dep_delay"]) for row in final.values()]
    connection.executemany("INSERT INTO flights VALUES (?, ?)", rows)
    expected = connection.execute(sql).fetchall()
    connection.close()

    done = sspcore("query", bundled.path(), sql, "--format", "jsonl")

    assert expected == [tuple(json.loads(line).values()) for line in done.out.splitlines()]


GOOD = '{"table": "flights", "op": "create", "id": "A", "row": {"n": 1}}\n'


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{oops", ["not JSON"]),
        ('{"table": "flights", "op": "crate", "id": "B", "row": {}}', ["unknown op 'crate'", "create"]),
        ('{"table": "flights", "op": "create", "id": "A", "row": {}}', ["exists already", "upsert"]),
        ('{"table": "flights", "op": "update", "id": "B", "row": {}}', ["no such row", "upsert"]),
        ('{"table": "flights", "op": "merge", "id": "B", "row": {}}', ["no such row", "upsert"]),
        ('{"table": "flights", "op": "create", "id": {"a": 1}, "row": {}}', ["an id is text"]),
        ('{"table": "flights", "op": "create", "id": "B", "row": {"n": ' + "[" * 70 + "]" * 70 + "}}", ["nest"]),
        ('{"table": "flights", "op": "create", "id": "B", "row": {"n": ' + "[" * 200_000, ["nest"]),
        ('{"table": "flights", "op": "create", "id": "B", "row": {"n": ' + "9" * 5000 + "}}", ["digits"]),
        ('{"table": "flights", "op": "create", "id": "B", "row": {"n": "\\ud800"}}', ["surrogate"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("format", ["table", "jsonl", "csv"])
def test_a_bad_line_is_told_with_file_line_and_remedy_and_nothing_is_printed(sspcore, tmp_path, line, words, format):
    path = tmp_path / "bad.jsonl"
    path.write_text(GOOD + "\n" + line + "\n" + GOOD.replace("A", "Z"))

    done = sspcore("query", path, "SELECT id FROM flights", "--format", format)

    assert (1, "") == (done.code, done.out)
    assert done.err.startswith(f"sspcore: {path}, line 3: ")
    assert all(word in done.err for word in words), done.err
    assert len(done.err) < 600


def test_a_value_of_the_wrong_type_is_told_with_its_column(sspcore, tmp_path):
    (tmp_path / "f").write_text('{"table": "flights", "op": "create", "id": "A", "row": {"n": "late"}}\n')
    (tmp_path / "tables.toml").write_text('[flights]\ncolumns = { id = "text", n = "integer" }\n')

    done = sspcore("query", tmp_path / "f", "SELECT n FROM flights", "--schema", tmp_path / "tables.toml")

    assert (1, "") == (done.code, done.out)
    assert "line 1: " in done.err
    assert "'n'" in done.err
    assert "declared integer" in done.err


def test_declared_text_is_read_as_its_type(sspcore, tmp_path):
    (tmp_path / "f").write_text('{"table": "t", "op": "create", "id": 1, "row": {"at": "2013-06-24T09:00:00+02:00"}}\n')
    (tmp_path / "tables.json").write_text('{"t": {"columns": {"id": "integer", "at": "timestamp"}}}')

    done = sspcore("query", tmp_path / "f", "SELECT at FROM t", "--schema", tmp_path / "tables.json", "--format", "csv")

    assert "at\n2013-06-24T07:00:00Z\n" == done.out


def test_sql_that_cannot_be_understood_shows_where(sspcore, day):
    done = sspcore("query", day, "SELECT id,\n  FROM WHERE flights")

    assert (2, "") == (done.code, done.out)
    assert "^" in done.err
    assert "line 2" in done.err


def test_unsupported_sql_says_what_to_write_instead(sspcore, day):
    done = sspcore("query", day, "SELECT now() FROM flights")

    assert 2 == done.code
    assert "    " in done.err or "^" in done.err
    assert "now" in done.err


@pytest.mark.parametrize("file", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_told(sspcore, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = sspcore("query", file, "SELECT 1")

    assert (2, "") == (done.code, done.out)
    assert f"cannot read '{file}'" in done.err


def test_a_table_the_input_never_names_is_noted_with_the_nearest(sspcore, day):
    done = sspcore("query", day, "SELECT id FROM flight")

    assert 0 == done.code
    assert "no change is of table 'flight'; did you mean 'flights'?" in done.err


def test_a_column_no_row_has_is_noted_but_one_that_came_later_is_not(sspcore, day):
    assert "carier" in sspcore("query", day, "SELECT carier FROM flights").err
    assert "" == sspcore("query", day, "SELECT carrier FROM flights").err


def test_an_empty_input_gives_an_empty_answer(sspcore, tmp_path):
    (tmp_path / "f").touch()

    assert "n\n0\n" == sspcore("query", tmp_path / "f", "SELECT count(*) AS n FROM t", "--format", "csv").out
    assert "" == sspcore("query", tmp_path / "f", "SELECT id FROM t", "--format", "jsonl").out


def test_a_table_called_as_the_view_is_no_trouble(sspcore, tmp_path):
    (tmp_path / "f").write_text('{"table": "query", "op": "create", "id": 1, "row": {}}\n')

    assert "id\n1\n" == sspcore("query", tmp_path / "f", "SELECT id FROM query", "--format", "csv").out
