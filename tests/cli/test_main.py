"""The command as a whole: help that teaches, and complaints without tracebacks."""

from __future__ import annotations

import pytest

from sspcore.cli.schemas import read_schemas
from sspcore.errors import ConfigError


@pytest.mark.parametrize("command", ["query", "explain", "serve", "demo"])
def test_help_teaches_with_examples(sspcore, command):
    done = sspcore(command, "--help")

    assert 0 == done.code
    assert "examples:" in done.out
    assert f"sspcore {command}" in done.out


def test_the_top_help_names_every_command(sspcore):
    out = sspcore("--help").out

    assert all(f"\n    {command}" in out for command in ("demo", "query", "explain", "serve"))


def test_the_version_is_told(sspcore):
    assert sspcore("--version").out.startswith("sspcore 0.")


@pytest.mark.parametrize(
    "arguments",
    [[], ["frobnicate"], ["query"], ["query", "f", "SELECT 1", "--format", "xml"], ["demo", "--speed", "fast"],
     ["demo", "--speed", "-1"], ["serve", "--port", "99999"]],
)  # fmt: skip
def test_a_misused_command_exits_2_with_one_complaint_and_a_pointer_to_help(sspcore, arguments):
    done = sspcore(*arguments)

    assert (2, "") == (done.code, done.out)
    assert "--help shows examples" in done.err
    assert 2 == len(done.err.splitlines())


def test_explain_prints_the_plan(sspcore):
    done = sspcore("explain", "SELECT carrier, count(*) AS n FROM flights WHERE dep_delay > 60 GROUP BY carrier")

    assert 0 == done.code
    assert "scan flights" in done.out


def test_explain_prints_the_generated_code(sspcore):
    done = sspcore("explain", "SELECT id FROM flights WHERE dep_delay > 60", "--code")

    assert "filter (dep_delay > 60)" in done.out
    assert "    def change_0(changes):\n        # changes of flights" in done.out


def test_explain_takes_the_columns_of_undeclared_tables_for_what_the_query_says(sspcore):
    out = sspcore("explain", "SELECT f.id, a.name FROM flights f JOIN airlines a ON a.code = f.carrier", "--code").out

    assert "warning" not in out
    assert "find1_by_1: the rows of airlines by code" in out
    assert "None, None" not in out


def test_explain_tells_how_changes_find_a_query(sspcore):
    sql = """
        SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer
        WHERE o.customer = $c AND o.total > $least AND c.name LIKE '%mill%' AND abs(o.rank) > 3"""

    out = sspcore("explain", sql, "--routing", "--param", "least=5").out

    told = out[out.index("which changes") :].splitlines()
    assert told[1] == "orders: rows where ((customer = $c) and (total > $least) and (abs(rank) > 3))"
    assert told[2] == "  by its value of customer, one look into a dict; the rest is tested there"
    assert told[3].startswith("customers: rows where")


@pytest.mark.parametrize(
    ("condition", "way"),
    [
        ("true", "every row"), ("a = 1", "its value of a"), ("a = 1 AND b = 2", "its value of a and b"),
        ("a IS NULL", "its value of a"), ("a > $x", "the sorted bounds of a"), ("a > 1 AND a < 5", "the cells of a"),
        ("a LIKE 'x%'", "how a begins"), ("a LIKE '%xyz%'", "three letters"), ("a ILIKE '%xyz%'", "folded"),
        ("a <> 1", "tested for every change"), ("a @> ARRAY['x']", "an element of a"),
        ("a > $now", "every row"), ("a = 1 OR b = 2", "its value of b"),
    ],
)  # fmt: skip
def test_every_way_of_finding_has_its_words(sspcore, condition, way):
    assert way in sspcore("explain", f"SELECT id FROM t WHERE {condition}", "--routing").out


def test_explain_shows_where_a_declared_table_lacks_a_column(sspcore, tmp_path):
    (tmp_path / "t.toml").write_text('[flights]\ncolumns = { id = "text", carrier = "text" }\n')

    done = sspcore("explain", "SELECT carier FROM flights", "--schema", tmp_path / "t.toml")

    assert (2, "") == (done.code, done.out)
    assert "'carrier'" in done.err
    assert "^" in done.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flights", "a schema file is TOML"),
        ("flights = 5", r"a table is .* @ \$\.flights"),
        ("[flights]\ncolums = {}", r"'colums' .*'columns'.* @ \$\.flights"),
        ('[flights]\ncolumns = { a = "integr" }', "integer"),
        ("[flights]\nkey = 5", r"\$\.flights\.key"),
        ('[flights]\nkey = ["a"]', "not a column"),
    ],
)
def test_a_bad_schema_file_is_told_with_its_place(tmp_path, text, message):
    path = tmp_path / "tables.toml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=message):
        read_schemas(str(path))


def test_a_schema_file_that_is_not_there_is_told():
    with pytest.raises(ConfigError, match="cannot read schema file"):
        read_schemas("nowhere.toml")


def test_keys_may_be_one_column_several_or_none(tmp_path):
    path = tmp_path / "tables.toml"
    path.write_text('[a]\nkey = "k"\n[b]\ncolumns = { x = "text", y = "text" }\nkey = ["x", "y"]\n[c]\nkey = false\n')

    assert ["k", ("x", "y"), None] == [schema.key for schema in read_schemas(str(path))]


def test_a_servers_configuration_will_do_as_a_schema_file(tmp_path):
    path = tmp_path / "sspcore.toml"
    path.write_text('[[table]]\nname = "flights"\ncolumns = { id = "text" }\n[sidecar]\nport = 9000\n')

    assert ["flights"] == [schema.table for schema in read_schemas(str(path))]
