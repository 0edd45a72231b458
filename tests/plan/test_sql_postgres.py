"""What SQL means here is what it means to PostgreSQL: interpreted plans over random rows against a server.

The server is the tests' own (`tests/postgres.py`); its temporary tables vanish with each session.
"""

import json
import os
import re
import tempfile
from random import Random

import pytest

from sspcore.engine.interpret import interpret
from sspcore.plan.sql.lower import lower
from sspcore.plan.traverse import columns
from sspcore.wire.values import encode_row
from tests.plan.sql_corpus_values import OF_POSTGRES, VALUES
from tests.plan.sql_times import Times
from tests.plan.sql_world import CATALOG, SCHEMAS, tables
from tests.postgres import MISSING, Server

QUERIES = [line.strip() for text in VALUES.values() for line in text.splitlines() if line.strip()] + OF_POSTGRES
WORLDS = range(4)
SAMPLES = 3_000
END = "end of the answer"


@pytest.fixture(scope="module")
def postgres():
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        os.chmod(folder, 0o755)  # the server has a user of its own
        with Server(f"{folder}/s") as server:
            yield server


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_over_times_lists_and_json_is_understood(sql):
    assert columns(lower(sql, CATALOG).plan)


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.parametrize("seed", WORLDS)
def test_queries_mean_what_they_mean_to_postgres(postgres, seed):
    world = tables(seed)
    plans = [lower(sql, CATALOG).plan for sql in QUERIES]
    script = [*created(world), *[asked(sql, columns(plan)) for sql, plan in zip(QUERIES, plans, strict=True)]]

    answers = postgres.psql("\n".join(script)).split(f"{END}\n")[: len(QUERIES)]

    assert len(answers) == len(QUERIES)
    for sql, plan, answer in zip(QUERIES, plans, answers, strict=True):
        theirs = [shown(json.loads(line)) for line in answer.splitlines()]
        ours = [shown(encode_row(row)) for row in interpret(plan, world).values()]
        assert sorted(map(repr, theirs)) == sorted(map(repr, ours)), sql


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_times_are_computed_as_postgres_does(postgres):
    """To its last digit, but for products of intervals: Postgres multiplies floats, and rounds where they are not."""
    times = Times(Random(1))
    queries = [f"SELECT {times.expression()}" for _ in range(SAMPLES)]
    script = ["SET timezone = 'UTC'; SET intervalstyle = 'postgres';", *[asked(sql, ["x"]) for sql in queries]]

    answers = postgres.psql("\n".join(script)).split(f"{END}\n")

    differing = []
    for sql, answer in zip(queries, answers, strict=False):
        (theirs,) = shown(json.loads(answer))
        ((ours,),) = [shown(encode_row(row)) for row in interpret(lower(sql, {}).plan, {}).values()]
        if theirs != ours and not beyond(theirs):
            differing.append((sql, theirs, ours))
    assert [d for d in differing if " * " not in d[0] and " / " not in d[0]] == []
    assert len(differing) <= SAMPLES / 300, differing


def beyond(moment):
    """A time that Python has not: then it is NULL here."""
    return isinstance(moment, str) and (moment.endswith(" BC") or re.match(r"\d{5}", moment) is not None)


def created(world):
    yield "SET timezone = 'UTC'; SET intervalstyle = 'postgres';"
    types = {"integer": "integer", "text": "text"}
    for name, table in world.items():
        yield f"CREATE TEMPORARY TABLE {name} ({', '.join(f'{c} {types[k]}' for c, k in SCHEMAS[name].columns.items())});"
        for row in table.rows.values():
            cells = ["NULL" if v is None else "'" + str(v).replace("'", "''") + "'" for v in row]
            yield f"INSERT INTO {name} VALUES ({', '.join(cells)});"


def asked(sql, names):
    """The rows as JSON, one to a line, and a line that ends them."""
    cells = [f"c{i}" for i, _ in enumerate(names)]
    listed = ", ".join(cells)
    return f"SELECT jsonb_build_array({listed}) FROM ({sql}) AS q ({listed});\n\\echo {END}"


TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|\+00:00)?)?")


def shown(row):
    """Numbers of all types alike, times without their zone, dates as their start."""
    return [shown_cell(cell) for cell in row]


def shown_cell(cell):
    found = TIME.fullmatch(cell) if isinstance(cell, str) else None
    if found is not None:
        return f"{found[1]}T{found[2] or '00:00:00'}"
    return round(float(cell), 9) if isinstance(cell, int | float) and not isinstance(cell, bool) else cell
