"""The laws again for views written in SQL: a corpus of queries over random histories, judged after every commit."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.schema import Schema
from sspcore.testing.generate.choices import Choices
from sspcore.testing.generate.scenarios import Scenario, ViewPlan
from sspcore.testing.generate.tables import History
from sspcore.testing.oracle import Mirror
from tests.laws.test_batches import deliver
from tests.laws.world import World, values

SCHEMAS = (
    Schema("a", {"u": "integer", "v": "text", "w": "real", "x": "boolean"}),
    Schema("b", {"u": "integer", "v": "text", "w": "decimal"}),
    Schema("c", {"u": "any", "v": "any"}, open=True),
)
CORPUS = (
    "SELECT id, u, v FROM a",
    "SELECT u + 1 AS next, upper(v) || '!' AS loud FROM a WHERE u >= $low AND NOT x",
    "SELECT * FROM a WHERE v LIKE 'a%' OR w BETWEEN 0 AND 1.5",
    "SELECT * FROM c",
    "SELECT id, u FROM c WHERE u IS NOT NULL AND u <> 'a'",
    "SELECT a.id, b.id AS other, a.v FROM a JOIN b ON a.u = b.u",
    "SELECT a.id, b.v FROM a LEFT JOIN b ON a.u = b.u AND b.w > 0",
    "SELECT a.id, b.id, c.id FROM a, b, c WHERE a.u = b.u AND b.v = c.v",
    "SELECT p.id, q.id FROM a AS p JOIN a AS q ON p.u = q.u AND p.w < q.w",
    "SELECT p.id, q.id, r.id FROM a p JOIN a q ON p.u = q.u JOIN a r ON q.v = r.v",
    "SELECT id FROM a WHERE u IN (SELECT u FROM b WHERE w IS NOT NULL)",
    "SELECT id FROM a WHERE u NOT IN (SELECT u FROM b)",
    "SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.u = a.u AND b.v <> a.v)",
    "SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.u = a.u)",
    "SELECT id FROM a WHERE x OR u IN (SELECT u FROM b) OR NOT EXISTS (SELECT 1 FROM c WHERE c.u = a.u)",
    "SELECT count(*), count(w), sum(u), avg(w), min(v), max(v) FROM a",
    "SELECT v, count(*) AS n, sum(w) AS s FROM a GROUP BY v HAVING count(*) > 1",
    "SELECT u, count(DISTINCT v) AS kinds FROM a GROUP BY u",
    "SELECT u % 2 AS odd, min(w), max(w) FROM a WHERE w IS NOT NULL GROUP BY u % 2",
    "SELECT a.v, sum(b.w) FROM a LEFT JOIN b ON a.u = b.u GROUP BY a.v",
    "SELECT DISTINCT u, x FROM a",
    "SELECT u FROM a UNION SELECT u FROM b",
    "SELECT u, v FROM a UNION ALL SELECT u, v FROM b",
    "SELECT v FROM a INTERSECT SELECT v FROM b",
    "SELECT v FROM a EXCEPT SELECT v FROM b",
    "SELECT id, w FROM a ORDER BY w DESC, v LIMIT 3",
    "SELECT id, v FROM a ORDER BY v NULLS FIRST",
    "SELECT id, u FROM a ORDER BY u LIMIT 4 OFFSET 2",
    "SELECT v, count(*) AS n FROM a GROUP BY v ORDER BY n DESC, v LIMIT 2",
    "WITH busy AS (SELECT u, count(*) AS n FROM a GROUP BY u) SELECT b.id, busy.n FROM b JOIN busy ON b.u = busy.u",
    "SELECT t.v, t.total FROM (SELECT v, sum(u) AS total FROM a GROUP BY v) AS t WHERE t.total > 1",
    "SELECT id, CASE WHEN u > 1 THEN 'many' WHEN u = 1 THEN 'one' ELSE coalesce(v, 'none') END AS how FROM a",
    "SELECT id, CAST(u AS text) || v AS label, nullif(u, 1) FROM a",
    "SELECT 1 AS one, 'x' AS x",
    "WITH RECURSIVE r (n) AS (SELECT u FROM a WHERE x UNION SELECT c.v FROM r JOIN c ON c.u = r.n) SELECT n FROM r",
    "WITH RECURSIVE r (n, d) AS (SELECT u, 0 FROM b UNION SELECT c.u, d + 1 FROM c JOIN r ON c.v = n WHERE d < 3) "
    "SELECT n, min(d) AS d FROM r GROUP BY n",
    "WITH RECURSIVE r AS (SELECT u, v FROM c UNION SELECT r.u, c.v FROM r JOIN c ON c.u = r.v) "
    "SELECT a.id, r.v FROM a LEFT JOIN r ON r.u = a.u WHERE a.u >= $low",
)
PARAMS = {"low": 1}


def world_of(choices, queries, batches):
    maker = History(choices, SCHEMAS)
    views = {f"v{i}": ViewPlan(sql, PARAMS if "$" in sql else {}) for i, sql in enumerate(queries)}
    scenario = Scenario(SCHEMAS, views, [maker.fill(), *[maker.batch() for _ in range(batches)]])
    return World(scenario)


@pytest.mark.parametrize("sql", CORPUS)
def test_a_query_of_the_corpus_equals_recomputation(sql):
    for seed in range(4):
        world = world_of(Choices(Random(seed)), [sql], 8)
        for batch in world.scenario.history:
            world.apply(batch)
        twin = world.restored()
        assert values(twin.circuit) == values(world.circuit)


STARS = (
    "SELECT * FROM c", "SELECT * FROM c ORDER BY u DESC LIMIT 3", "SELECT a.id, c.* FROM a LEFT JOIN c ON a.u = c.u",
)  # fmt: skip


@given(st.randoms(use_true_random=False), st.data())
def test_updates_compose_across_resets(random, data):
    """When a table widens, views of all its columns start anew; updates composed across that still lead there."""
    world = world_of(Choices(random), STARS, 10)
    lazy = {name: Mirror(world.circuit.view(name).snapshot()) for name in world.scenario.views}
    waiting = {}
    for batch in world.scenario.history:
        for name, update in world.apply(batch).updates.items():
            view = world.circuit.view(name)
            place = view.placements if view.ordered else None
            waiting[name] = waiting[name].then(update, place) if name in waiting else update
        if data.draw(st.booleans(), label="deliver"):
            deliver(world, lazy, waiting)
    deliver(world, lazy, waiting)


@given(st.lists(st.sampled_from(CORPUS), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_queries_live_together(queries, random):
    """Several at once over one history, restarted half-way: star views follow their tables as they widen."""
    world = world_of(Choices(random), queries, 6)
    for at, batch in enumerate(world.scenario.history):
        world.apply(batch)
        if at == 3:
            world = world.restored()
            world.check()
