"""ARRAY(SELECT …): what it means beside DuckDB, that it stays so while tables change, and what is refused."""

import json
from random import Random

import duckdb
import pytest

import sspcore
from sspcore.algebra.values import canonical
from sspcore.errors import SqlError, UnsupportedSql
from sspcore.plan.nodes import Nest
from sspcore.plan.traverse import walk_plan
from sspcore.testing.oracle import Mirror, check_circuit, expect_value
from sspcore.wire.values import encode_row

SCHEMAS = {
    "p": {"id": "integer", "name": "text", "least": "integer"},
    "c": {"id": "integer", "p": "integer", "x": "integer", "name": "text"},
    "g": {"id": "integer", "c": "integer", "v": "text"},
}
VALUES = [
    "SELECT id, ARRAY(SELECT name FROM c WHERE c.p = p.id ORDER BY x DESC, c.id LIMIT 2) AS kids FROM p",
    "SELECT id, ARRAY(SELECT name FROM c WHERE c.p = p.id ORDER BY x NULLS FIRST, c.id LIMIT 2 OFFSET 1) FROM p",
    "SELECT id, ARRAY(SELECT id FROM c ORDER BY id LIMIT 3) FROM p WHERE least > 0",
    "SELECT q.id, ARRAY(SELECT c.x + q.least FROM c WHERE c.p = q.id ORDER BY 1 DESC) FROM p AS q",
    "SELECT id, ARRAY(SELECT c.id FROM c WHERE c.x > p.least ORDER BY c.id LIMIT 2) FROM p",
    "SELECT id, ARRAY(SELECT DISTINCT c.x FROM c WHERE c.p = p.id ORDER BY c.x) FROM p",
    "SELECT id, ARRAY(SELECT DISTINCT c.x FROM c WHERE c.p <= p.id ORDER BY c.x) FROM p",
    "SELECT id, ARRAY(SELECT max(c.id) FROM c WHERE c.p = p.id GROUP BY c.x ORDER BY max(c.id)) FROM p",
    "SELECT id, ARRAY(SELECT c.id FROM c WHERE c.p = p.id UNION SELECT g.id FROM g WHERE g.c = p.id ORDER BY 1) FROM p",
    "SELECT id, ARRAY(SELECT g.v FROM c JOIN g ON g.c = c.id WHERE c.p = p.id ORDER BY g.v, g.id) FROM p",
    "SELECT id, ARRAY(SELECT c.id FROM c WHERE c.p = p.id AND EXISTS (SELECT 1 FROM g WHERE g.c = c.id) ORDER BY 1) FROM p",
    "SELECT id, ARRAY(SELECT (SELECT count(*) FROM g WHERE g.c = c.id) FROM c WHERE c.p = p.id ORDER BY c.id) FROM p",
    "SELECT count(*), ARRAY(SELECT id FROM c ORDER BY id LIMIT 2) FROM p",
    "SELECT least, ARRAY(SELECT c.id FROM c WHERE c.x = p.least ORDER BY c.id) FROM p GROUP BY least",
    "SELECT name FROM p WHERE cardinality(ARRAY(SELECT id FROM c WHERE c.p = p.id)) > 1",
    "SELECT q.id, q.kids FROM (SELECT id, ARRAY(SELECT c.id FROM c WHERE c.p = p.id ORDER BY 1) kids FROM p) q",
]  # fmt: skip
OBJECTS = [
    """SELECT id, ARRAY(SELECT json_build_object('n', c.name, 'g', ARRAY(SELECT v FROM g WHERE g.c = c.id ORDER BY v, g.id))
       FROM c WHERE c.p = p.id ORDER BY x DESC, c.id LIMIT 2) FROM p""",
    """SELECT id, ARRAY(SELECT jsonb_build_object('x', c.x, 'n', count(*)) FROM c WHERE c.p = p.id
       GROUP BY c.x ORDER BY count(*) DESC, c.x) FROM p""",
    "SELECT id, ARRAY(SELECT json_build_object('x', least) FROM c WHERE c.p = p.id) FROM p",
    "SELECT id, ARRAY(SELECT json_build_object('id', x, 'x', id) FROM c WHERE c.p = p.id ORDER BY x, id) FROM p",
]


def change(random):
    table = random.choice("ppccccgg")
    row_id = random.randrange(7)
    if random.random() < 0.2:
        return sspcore.delete(table, row_id)
    number = random.choice((None, 0, 1, 2, 3))
    row = {
        "p": {"name": f"p{row_id}", "least": number},
        "c": {"p": random.choice((None, 0, 1, 2)), "x": number, "name": random.choice("abc")},
        "g": {"c": number, "v": random.choice("xyz")},
    }[table]
    return sspcore.upsert(table, row_id, row)


def circuit():
    return sspcore.Circuit(schemas=[sspcore.Schema(name, columns) for name, columns in SCHEMAS.items()])


def peer(tables):
    connection = duckdb.connect()
    for name, columns in SCHEMAS.items():
        kinds = ", ".join(f"{c} {'BIGINT' if kind == 'integer' else 'TEXT'}" for c, kind in columns.items())
        connection.execute(f"CREATE TABLE {name} ({kinds})")
        for row in tables[name].rows.values():
            connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
    connection.execute("SET default_null_order = 'NULLS_LAST_ON_ASC_FIRST_ON_DESC'")
    return connection


def plain(rows):
    return sorted(json.dumps(encode_row(map(canonical, row))) for row in rows)


@pytest.mark.parametrize("sql", VALUES)
def test_a_list_is_what_duckdb_says(sql):
    random = Random(sql)
    made = circuit()
    for _ in range(6):
        made.apply([change(random) for _ in range(25)])
        with peer(made.tables) as duck:
            wanted = duck.execute(sql.replace("cardinality(", "len(")).fetchall()
        assert plain(wanted) == plain(made.query(sql).rows)


@pytest.mark.parametrize("sql", VALUES + OBJECTS)
def test_a_list_stays_what_recomputation_gives(sql):
    random = Random(sql)
    made = circuit()
    mirror = Mirror(made.register("v", sql))
    for size in (1,) * 25 + (7,) * 6 + (60,) * 2:
        commit = made.apply([change(random) for _ in range(size)])
        assert not commit.failed
        if "v" in commit.updates:
            mirror.apply(commit.updates["v"])
        check_circuit(made)
        expect_value(mirror.keys, mirror.rows(), made.view("v").bound, made.tables, "the mirror")
    assert made.view("v").statistics.rehydrates == 0


def test_a_list_of_objects_has_the_members_asked_for_in_their_order():
    made = circuit()
    made.apply(
        [
            sspcore.create("p", 1, {}),
            sspcore.create("c", 2, {"p": 1, "x": 5}),
            sspcore.create("g", 3, {"c": 2, "v": "z"}),
        ]
    )
    (row,) = made.query(
        "SELECT id, ARRAY(SELECT json_build_object('x', x, 'leaves', ARRAY(SELECT v FROM g WHERE c = c.id)) FROM c) FROM p"
    ).rows
    assert encode_row(row) == [1, [{"x": 5, "leaves": ["z"]}]]
    assert list(row[1][0]) == ["x", "leaves"]


def test_an_empty_list_is_no_null():
    made = circuit()
    made.apply([sspcore.create("p", 1, {})])
    assert made.query("SELECT ARRAY(SELECT id FROM c WHERE c.p = p.id) AS k FROM p").rows == [((),)]


def test_plain_correlation_is_a_nest_over_the_table_itself():
    plan = circuit().explain(VALUES[0]).plan
    (nest,) = [node for node in walk_plan(plan) if isinstance(node, Nest)]
    assert (len(nest.on), nest.residual, nest.limit.value, nest.form) == (1, None, 2, "values")
    assert not any(type(node).__name__ in ("Distinct", "Join") for node in walk_plan(plan))


@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        ("SELECT ARRAY(SELECT id, x FROM c) FROM p", SqlError, "ARRAY of a query of 2 columns.*select one column"),
        ("SELECT ARRAY(SELECT json_build_object('a', id, 'a', x) FROM c) FROM p", UnsupportedSql, "each name once"),
        ("SELECT ARRAY(SELECT json_build_object('a') FROM c) FROM p", UnsupportedSql, "pairs of a quoted name"),
        ("SELECT ARRAY(SELECT json_build_object(name, id) FROM c) FROM p", UnsupportedSql, "pairs of a quoted name"),
        ("SELECT ARRAY(SELECT json_build_object('a', id) FROM c ORDER BY 1) FROM p", UnsupportedSql, "name the column"),
        (
            "SELECT ARRAY(SELECT c.id FROM c WHERE c.p = p.id ORDER BY p.least + c.x) FROM p",
            UnsupportedSql,
            "select it too",
        ),
        ("SELECT ARRAY(SELECT nope FROM c) FROM p", SqlError, "unknown column 'nope'"),
    ],
)
def test_what_is_no_list_is_refused(sql, error, message):
    with pytest.raises(error, match=message):
        circuit().query(sql)
