"""FETCH FIRST n ROWS WITH TIES: rows that ORDER BY does not tell from the last are in too. (DuckDB has no such clause.)"""

from random import Random

import pytest

from sspcore.engine.interpret import interpret
from sspcore.plan.sql.lower import lower
from sspcore.plan.traverse import ordering
from tests.plan.sql_world import CATALOG, tables


def with_ties(values, count, offset):
    rows = sorted(values)[offset:]
    return [v for v in rows if v <= rows[count - 1]] if len(rows) > count > 0 else rows[: count or 0]


@pytest.mark.parametrize("offset", [0, 1, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_peers_of_the_last_row_are_in(count, offset):
    sql = f"SELECT a FROM t WHERE a IS NOT NULL ORDER BY a OFFSET {offset} ROWS FETCH FIRST {count} ROWS WITH TIES"
    plan = lower(sql, CATALOG).plan
    assert ordering(plan) is not None
    for seed in range(20):
        world = tables(seed)
        values = [row[1] for row in world["t"].rows.values() if row[1] is not None]
        assert [row[0] for row in interpret(plan, world).values()] == with_ties(values, count, offset)


def test_each_outer_row_has_ties_of_its_own():
    sql = """SELECT t.id, q.x FROM t JOIN LATERAL (
                 SELECT u.x FROM u WHERE u.id > t.id ORDER BY u.x DESC NULLS LAST FETCH FIRST ROW WITH TIES) q ON TRUE"""
    plan = lower(sql, CATALOG).plan
    for seed in range(20):
        world, wanted = tables(seed), []
        for id_ in world["t"].rows:
            seen = [x for i, x, _ in world["u"].rows.values() if i > id_]
            best = max([x for x in seen if x is not None], default=None)
            wanted += [(id_, x) for x in seen if x == best]
        assert sorted(interpret(plan, world).values(), key=repr) == sorted(wanted, key=repr)


def test_a_computed_limit_is_a_number():
    random = Random(0)
    for _ in range(10):
        a, b = random.randrange(4), random.randrange(4)
        plan = lower(f"SELECT id FROM t ORDER BY id LIMIT {a} * {b} + 1", CATALOG).plan
        assert plan.limit.value == a * b + 1
