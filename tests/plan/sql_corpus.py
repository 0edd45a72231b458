"""Queries whose meaning is compared with DuckDB, by what they exercise.

Every table has few rows over few values, NULL among them, so that joins meet, groups fill and comparisons are unknown.
`t(id, a, b, c)`, `u(id, x, y)`, `v(id, x, z)`: id, a, c, x, z integers, b and y text.
"""

from tests.plan.sql_corpus_relations import RELATIONS
from tests.plan.sql_corpus_values import VALUES

CORPUS = {
    "expressions": """
        SELECT a + c, a - c, a * c, -a, +a, a % 3, a / 2, (a + 1) * 2 FROM t
        SELECT a / nullif(c, 0), a % nullif(c, 0) FROM t
        SELECT 2 + 3 * 4, 'a' || 'b' || 'c', 7 / 2, -7 / 2, -7 % 3, NULL, TRUE, 1.5
        SELECT a = c, a <> c, a < c, a <= c, a > c, a >= c, a != c FROM t
        SELECT NOT a = c, a = 1 AND c = 2, a = 1 OR c = 2, NOT (a = 1 OR NOT c = 2) FROM t
        SELECT a IS NULL, a IS NOT NULL, (a = 1) IS TRUE, (a = 1) IS NOT TRUE FROM t
        SELECT (a = 1) IS FALSE, (a = 1) IS NOT FALSE, (a = 1) IS UNKNOWN, (a = 1) IS NOT UNKNOWN FROM t
        SELECT a = c IS NULL, a + c IS NULL FROM t
        SELECT a IS DISTINCT FROM c, a IS NOT DISTINCT FROM c, b IS DISTINCT FROM NULL FROM t
        SELECT a BETWEEN 1 AND 3, a NOT BETWEEN c AND 3, a BETWEEN c - 1 AND c + 1 FROM t
        SELECT a IN (1, 2), a NOT IN (1, 2), a IN (1, NULL), a NOT IN (1, NULL), a IN (c, 3) FROM t
        SELECT b LIKE 'a%', b LIKE '%b', b NOT LIKE '_', b ILIKE 'A%', b NOT ILIKE '%B%' FROM t
        SELECT b LIKE 'a!%' ESCAPE '!', b NOT LIKE '!_%' ESCAPE '!' FROM t
        SELECT CASE a WHEN 1 THEN 'one' WHEN 2 THEN 'two' END, CASE a WHEN c THEN 1 ELSE 0 END FROM t
        SELECT CASE WHEN a < c THEN a WHEN a > c THEN c ELSE -1 END, CASE WHEN a IS NULL THEN 'none' END FROM t
        SELECT coalesce(a, c, -1), coalesce(b, 'none'), nullif(a, c), nullif(b, 'a') FROM t
        SELECT greatest(a, c), least(a, c, 2) FROM t
        SELECT CAST(a AS text), a::text || '!', CAST('12' AS integer) + a, CAST(a AS double precision) / 2 FROM t
        SELECT upper(b), lower(b), length(b), trim('  x '), ltrim('xxa', 'x'), rtrim('a  '), replace(b, 'a', 'z') FROM t
        SELECT substr(b, 1, 1), substring(b from 2), left(b, 1), right(b, 1), reverse(b), repeat(b, 2) FROM t
        SELECT lpad(b, 3, '-'), rpad(b, 3, '-'), split_part('a-b-c', '-', 2), concat(b, '-', a) FROM t
        SELECT position('b' in b), strpos(b, 'b'), starts_with(b, 'a'), concat_ws(',', b, a), ascii(b), chr(65) FROM t
        SELECT abs(-a), round(a * 1.5), floor(a / 2.0), ceil(a / 2.0), sign(a - 2), trunc(a / 2.0) FROM t
        SELECT sqrt(a * a), power(a, 2), mod(a, 3), exp(0), ln(1), log(100), pi() > 3 FROM t
        SELECT (a, c) = (1, 2), (a, id) IN ((1, 2), (2, 3)), (a, c) <> (1, 2) FROM t WHERE a + c IS NOT NULL
        SELECT t.a AS "Mixed Case", b b2, a + 1 AS "select" FROM t
        SELECT * FROM (VALUES (1, 'a'), (2, NULL), (1 + 2, 'c')) AS w (n, s) WHERE n < 3 OR s = 'c'
    """,
    "where": """
        SELECT id FROM t WHERE a > 1
        SELECT id FROM t WHERE a > 1 AND b = 'a' OR c IS NULL
        SELECT id FROM t WHERE NOT (a > 1 AND b = 'a')
        SELECT id FROM t WHERE (a > 1 OR c > 1) AND (b <> 'a' OR b IS NULL)
        SELECT id FROM t WHERE TRUE
        SELECT id FROM t WHERE a = 1 AND NULL
        SELECT T.ID FROM t WHERE A = 1
    """,
    "joins": """
        SELECT t.id, u.id FROM t JOIN u ON t.a = u.x
        SELECT t.id, u.id FROM t, u WHERE t.a = u.x AND u.y = 'a' AND t.c > 1
        SELECT t.id, u.id, v.id FROM t, u, v WHERE t.a = v.x AND u.x = v.z
        SELECT t.id, u.id, v.id FROM t JOIN u ON t.a = u.x JOIN v ON v.x = t.c AND v.z > u.id
        SELECT t.id, u.id FROM t LEFT JOIN u ON t.a = u.x AND u.y = 'a'
        SELECT t.id, u.id FROM t LEFT JOIN u ON t.a = u.x AND t.b = 'a'
        SELECT t.id, u.id FROM t LEFT JOIN u ON t.a = u.x WHERE u.id IS NULL AND t.c > 1
        SELECT t.id, u.id FROM t LEFT JOIN u ON t.a > u.x
        SELECT t.id, u.id FROM t RIGHT JOIN u ON t.a = u.x AND t.b = 'a' WHERE u.y > 'a'
        SELECT t.id, u.id FROM t FULL JOIN u ON t.a = u.x AND u.y = t.b
        SELECT t.id, u.id FROM t FULL JOIN u ON t.a = u.x WHERE t.b = 'a' OR u.y IS NULL
        SELECT t.id, u.id, v.id FROM t LEFT JOIN u ON t.a = u.x LEFT JOIN v ON v.x = u.x
        SELECT t.id, u.id, v.id FROM t LEFT JOIN (u JOIN v ON u.x = v.x) ON t.a = u.x
        SELECT t.id, u.id, v.id FROM t LEFT JOIN u ON t.a = u.x JOIN v ON v.x = t.a WHERE u.y = 'b'
        SELECT t.id, u.id, v.id FROM t JOIN u ON t.a = u.x LEFT JOIN v ON v.x = u.x AND v.z = t.c WHERE t.c < 3
        SELECT x.id, y.id FROM t x JOIN t y ON x.a = y.c AND x.id < y.id
        SELECT x.id, y.id, z.id FROM t x, t y, t z WHERE x.a = y.a AND y.c = z.c
        SELECT t.id, w.n FROM t JOIN ((VALUES (1, 2), (2, 3)) AS w (n, m) LEFT JOIN u ON u.x = w.n) ON t.a = w.m
        SELECT t.id, u.id FROM t CROSS JOIN u WHERE t.a + u.x = 4
        SELECT x, u.id, y, v.id, z FROM u JOIN v USING (x)
        SELECT x, u.id, v.id FROM u LEFT JOIN v USING (x)
        SELECT x, u.id, v.id FROM u FULL JOIN v USING (x)
        SELECT x, u.id, v.id FROM u RIGHT JOIN v USING (x)
        SELECT * FROM t JOIN u ON TRUE WHERE t.id = 1
        SELECT t.id FROM t JOIN u ON t.a IN (u.x, u.id) AND (t.b = u.y OR u.y IS NULL)
        SELECT t.*, u.y FROM t, u WHERE t.id = u.id
        SELECT x.id FROM t x, u y, v z, t w WHERE x.a = w.a AND y.x = w.c AND z.z = x.c AND y.id > 1
        SELECT x.id FROM t x, v z, u y, t w WHERE x.a = y.x AND z.z = w.c AND x.c = w.a
        SELECT t.id, v.id FROM t LEFT JOIN u ON t.a = u.x, v WHERE u.id = v.id
        SELECT t.id, u.id FROM t LEFT JOIN u ON t.a = u.x AND u.id IN (SELECT z FROM v)
        SELECT t.id, u.id FROM t LEFT JOIN u ON t.a = u.x AND EXISTS (SELECT 1 FROM v WHERE v.x = t.c)
        SELECT t.id, u.id FROM t JOIN u ON t.a = u.x AND EXISTS (SELECT 1 FROM v WHERE v.x = t.c AND v.z = u.x)
    """,
    "groups": """
        SELECT b, count(*), count(a), sum(a), avg(a), min(a), max(a) FROM t GROUP BY b
        SELECT count(*), count(a), sum(a), avg(a), min(b), max(b) FROM t
        SELECT count(*), sum(a), max(a) FROM t WHERE a > 100
        SELECT count(DISTINCT a), sum(DISTINCT a), count(DISTINCT b) FROM t
        SELECT a + c AS s, count(*) FROM t GROUP BY a + c
        SELECT a + c AS s, count(*) FROM t GROUP BY s
        SELECT a + c, b, count(*) FROM t GROUP BY 2, 1
        SELECT b, (a + c) * 2, count(*) + 1 FROM t GROUP BY b, a + c
        SELECT b FROM t GROUP BY b HAVING count(*) > 1
        SELECT b, sum(a) FROM t GROUP BY b HAVING sum(a) > 3 OR b IS NULL
        SELECT b, count(*) AS n FROM t WHERE a IS NOT NULL GROUP BY b HAVING NOT count(*) = 1
        SELECT 1 FROM t HAVING count(*) > 100
        SELECT count(*) FILTER (WHERE a > 1), sum(a) FILTER (WHERE b = 'a') FROM t
        SELECT b, count(DISTINCT a) FILTER (WHERE c > 0), max(a) FILTER (WHERE a < c) FROM t GROUP BY b
        SELECT upper(b), count(*) FROM t GROUP BY upper(b) HAVING max(length(b)) > 0
        SELECT t.id, t.b, count(u.id) FROM t LEFT JOIN u ON t.a = u.x GROUP BY t.id, t.b
        SELECT t.b, sum(u.x) FROM t JOIN u ON t.a = u.x GROUP BY t.b
        SELECT CASE WHEN a > 1 THEN 'big' ELSE 'small' END AS size, count(*) FROM t GROUP BY 1
        SELECT sum(a) + count(*) * 2, max(a) - min(a) FROM t
        SELECT b, 'const' FROM t GROUP BY b, 'const'
        SELECT DISTINCT b FROM t
        SELECT DISTINCT a, c FROM t WHERE a IS NOT NULL OR c IS NOT NULL
        SELECT DISTINCT count(*) FROM t GROUP BY b
        SELECT max(m) FROM (SELECT b, max(a) AS m FROM t GROUP BY b) q
        SELECT q.n, count(*) FROM (SELECT b, count(*) AS n FROM t GROUP BY b) AS q GROUP BY q.n
    """,
    "set operations": """
        SELECT a FROM t UNION SELECT x FROM u
        SELECT a FROM t UNION ALL SELECT x FROM u UNION ALL SELECT z FROM v
        SELECT a FROM t UNION SELECT x FROM u UNION ALL SELECT z FROM v
        SELECT a FROM t INTERSECT SELECT x FROM u
        SELECT a FROM t EXCEPT SELECT x FROM u
        SELECT a, b FROM t EXCEPT SELECT x, y FROM u
        SELECT a FROM t UNION SELECT x FROM u INTERSECT SELECT z FROM v
        (SELECT a FROM t UNION SELECT x FROM u) EXCEPT SELECT z FROM v
        SELECT a FROM t EXCEPT (SELECT x FROM u UNION SELECT z FROM v)
        SELECT * FROM (SELECT a FROM t UNION ALL SELECT x FROM u) q WHERE a > 1
        SELECT id FROM t WHERE a IN (SELECT x FROM u UNION SELECT z FROM v)
        VALUES (1, 'a'), (2, 'b') UNION SELECT a, b FROM t
    """,
    "ctes": """
        WITH q AS (SELECT a, b FROM t WHERE a > 1) SELECT * FROM q
        WITH q AS (SELECT a FROM t), r AS (SELECT a FROM q WHERE a < 3) SELECT q.a, r.a FROM q JOIN r ON q.a = r.a
        WITH q (n, s) AS (SELECT a, b FROM t) SELECT n, count(s) FROM q GROUP BY n
        WITH q AS (SELECT x FROM u) SELECT id FROM t WHERE a IN (SELECT x FROM q) OR c IN (SELECT x FROM q)
        WITH q AS (SELECT x FROM u UNION SELECT z FROM v) SELECT count(*) FROM q
        SELECT id FROM t WHERE a = (WITH q AS (SELECT x FROM u) SELECT max(x) FROM q)
        WITH t AS (SELECT x AS a FROM u) SELECT a FROM t
        SELECT * FROM (WITH q AS (SELECT 1 AS one) SELECT one FROM q) AS w, u
    """,
    "subqueries in conditions": """
        SELECT id FROM t WHERE a IN (SELECT x FROM u)
        SELECT id FROM t WHERE a NOT IN (SELECT x FROM u)
        SELECT id FROM t WHERE a NOT IN (SELECT x FROM u WHERE x IS NOT NULL)
        SELECT id FROM t WHERE id NOT IN (SELECT id FROM u)
        SELECT id FROM t WHERE NOT a IN (SELECT x FROM u WHERE y = 'a')
        SELECT id FROM t WHERE a IN (SELECT x FROM u) OR b = 'a'
        SELECT id FROM t WHERE NOT (a IN (SELECT x FROM u) OR c IN (SELECT z FROM v))
        SELECT id, a IN (SELECT x FROM u), a NOT IN (SELECT x FROM u WHERE x > 1) FROM t
        SELECT id FROM t WHERE a = ANY (SELECT x FROM u)
        SELECT id FROM t WHERE a <> ALL (SELECT x FROM u WHERE x IS NOT NULL)
        SELECT id FROM t WHERE (a, b) IN (SELECT x, y FROM u)
        SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u)
        SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.x > 100)
        SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.x = t.a)
        SELECT id FROM t WHERE NOT EXISTS (SELECT * FROM u WHERE u.x = t.a AND u.y = 'a')
        SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.x < t.a)
        SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.x < t.a OR u.y = t.b)
        SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.x = t.a) OR c > 2
        SELECT id FROM t WHERE NOT (EXISTS (SELECT 1 FROM u WHERE u.x = t.a) AND c > 2)
        SELECT id, EXISTS (SELECT 1 FROM u WHERE u.x = t.a AND u.id > t.id) FROM t
        SELECT id FROM t WHERE a IN (SELECT x FROM u WHERE u.y = t.b)
        SELECT id FROM t WHERE a NOT IN (SELECT x FROM u WHERE u.y = t.b)
        SELECT id FROM t WHERE a NOT IN (SELECT x FROM u WHERE u.id > t.id) OR c = 1
        SELECT id FROM t WHERE a IN (SELECT x + t.c FROM u)
        SELECT id FROM t WHERE a NOT IN (SELECT x + t.c FROM u)
        SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u, v WHERE u.x = v.x AND v.z = t.a)
        SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u LEFT JOIN v ON u.x = v.x WHERE u.x = t.a AND v.id IS NULL)
        SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.x = t.a AND EXISTS (SELECT 1 FROM v WHERE v.x = u.x))
        SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE x = a AND NOT EXISTS (SELECT 1 FROM v WHERE z = c))
        SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE NOT EXISTS (SELECT 1 FROM v WHERE v.x = u.x AND z < a))
        SELECT id FROM t WHERE a IN (SELECT x FROM u WHERE u.y IN (SELECT b FROM t AS t2 WHERE t2.c = t.c))
        SELECT id FROM t WHERE a IN (SELECT max(x) FROM u GROUP BY y)
        SELECT id FROM t WHERE a IN (SELECT max(x) FROM u WHERE u.y = t.b GROUP BY u.id)
        SELECT id FROM t WHERE EXISTS (SELECT u.y FROM u WHERE u.x = t.a GROUP BY u.y HAVING count(*) > 1)
        SELECT id FROM t WHERE a IN (SELECT max(x) FROM u WHERE u.y = t.b)
        SELECT id FROM t WHERE EXISTS (SELECT max(x) FROM u WHERE u.y = t.b HAVING count(*) > 1)
        SELECT id FROM t WHERE a IN (SELECT DISTINCT x FROM u WHERE u.id <> t.id)
        SELECT id FROM t WHERE EXISTS (SELECT x FROM u WHERE u.x = t.a UNION SELECT z FROM v WHERE v.x = t.c)
        SELECT id FROM t WHERE a IN (SELECT x FROM u WHERE t.c > 1)
        SELECT id FROM t WHERE a IN (SELECT max(x) FROM u WHERE u.y = t.b HAVING count(*) > 1)
        SELECT id FROM t WHERE a NOT IN (SELECT count(*) FROM u WHERE u.y = t.b UNION SELECT z FROM v WHERE v.x = t.c)
        SELECT id FROM t WHERE EXISTS (SELECT 1 FROM (SELECT x FROM u WHERE u.y = t.b) q, v WHERE q.x = v.x)
        SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM (SELECT count(*) AS n FROM u WHERE u.y = t.b) q WHERE n = t.a)
        SELECT id FROM t WHERE a IN (WITH q AS (SELECT x, y FROM u WHERE u.id > t.id) SELECT x FROM q WHERE y = t.b)
        SELECT b FROM t GROUP BY b HAVING count(*) IN (SELECT x FROM u)
        SELECT b FROM t GROUP BY b HAVING b IN (SELECT y FROM u)
        SELECT b FROM t GROUP BY b HAVING EXISTS (SELECT 1 FROM u WHERE u.y = t.b)
        SELECT b, count(*) FROM t WHERE a IN (SELECT x FROM u) GROUP BY b
        SELECT b, sum(CASE WHEN a IN (SELECT x FROM u) THEN 1 ELSE 0 END) FROM t GROUP BY b
        SELECT t.id FROM t JOIN u ON t.a = u.x WHERE EXISTS (SELECT 1 FROM v WHERE v.x = t.c AND v.z = u.id)
        SELECT id FROM t WHERE id IN (SELECT id FROM u ORDER BY id DESC LIMIT 2)
    """,
    "scalar subqueries": """
        SELECT id, (SELECT max(x) FROM u) FROM t
        SELECT id FROM t WHERE a = (SELECT min(a) FROM t)
        SELECT id, (SELECT count(*) FROM u WHERE u.x = t.a) FROM t
        SELECT id, (SELECT count(*) FROM u WHERE u.x < t.a) FROM t
        SELECT id, (SELECT sum(x) + 1 FROM u WHERE u.y = t.b) FROM t
        SELECT id, (SELECT coalesce(sum(x), 0) FROM u WHERE u.y = t.b AND u.id > t.id) FROM t
        SELECT id, (SELECT count(*) * 10 + t.a FROM u WHERE u.y = t.b) FROM t
        SELECT id, (SELECT y FROM u WHERE u.id = t.id) FROM t
        SELECT id FROM t WHERE a > (SELECT avg(x) FROM u WHERE u.y = t.b)
        SELECT id FROM t WHERE a < (SELECT max(x) FROM u WHERE u.id <> t.id)
        SELECT id, (SELECT max(x) FROM u WHERE u.y = t.b HAVING count(*) > 1) FROM t
        SELECT id, (SELECT 42), (SELECT a + 1), (SELECT c WHERE a > 1) FROM t
        SELECT id, coalesce((SELECT max(z) FROM v WHERE v.x = t.a), -1) + 1 FROM t ORDER BY 2, 1
        SELECT b, max(a), (SELECT count(*) FROM u WHERE u.y = t.b) FROM t GROUP BY b
        SELECT b FROM t GROUP BY b HAVING sum(a) >= (SELECT max(x) FROM u WHERE u.y = t.b)
        SELECT id, (SELECT max(x) FROM u WHERE u.x < (SELECT max(z) FROM v WHERE v.x = t.a)) FROM t
        SELECT id, (SELECT max(x) FROM u WHERE u.x = (SELECT count(*) FROM v WHERE v.x = u.x AND v.z < t.c)) FROM t
        SELECT CASE WHEN a > (SELECT avg(x) FROM u) THEN 'above' ELSE 'below' END, count(*) FROM t GROUP BY 1
        SELECT id FROM t ORDER BY (SELECT count(*) FROM u WHERE u.x = t.a), id LIMIT 3
        SELECT id, (SELECT x FROM u ORDER BY id LIMIT 1) FROM t
        SELECT id, (SELECT count(DISTINCT y) FROM u WHERE u.x <= t.a OR u.x IS NULL) FROM t
        SELECT id, (SELECT sum(n) FROM (SELECT count(*) AS n FROM u WHERE u.x = t.a GROUP BY y) q) FROM t
        SELECT id, (WITH q AS (SELECT t.a + 1 AS n) SELECT n * 2 FROM q) FROM t
        SELECT id, (WITH q AS (SELECT max(x) AS n FROM u WHERE u.y = t.b) SELECT q.n + r.n FROM q, q AS r) FROM t
        SELECT coalesce(a, (SELECT max(x) FROM u)), count(*) FROM t GROUP BY coalesce(a, (SELECT max(x) FROM u))
        SELECT id, (SELECT max(n) FROM (SELECT count(*) AS n FROM u GROUP BY y) q) FROM t
        SELECT t.id, u.id, (SELECT count(*) FROM v WHERE v.x = t.a AND v.z = u.x) FROM t JOIN u ON t.b = u.y
    """,
    "order": """
        SELECT id, a FROM t ORDER BY a, id
        SELECT id, a FROM t ORDER BY a DESC, id DESC
        SELECT id, a FROM t ORDER BY a NULLS FIRST, id
        SELECT id, a FROM t ORDER BY a DESC NULLS LAST, id
        SELECT id AS n, a + c AS s FROM t ORDER BY s, n
        SELECT id FROM t ORDER BY a + c DESC, id LIMIT 3
        SELECT id FROM t ORDER BY b, a DESC, id LIMIT 3 OFFSET 2
        SELECT id, a FROM t ORDER BY 2 DESC, 1 OFFSET 1
        SELECT b, count(*) AS n FROM t GROUP BY b ORDER BY n DESC, b
        SELECT b FROM t GROUP BY b ORDER BY count(*), b DESC
        SELECT DISTINCT b FROM t ORDER BY b DESC
        SELECT DISTINCT a + 1 FROM t ORDER BY a + 1
        SELECT a AS k FROM t UNION SELECT x FROM u ORDER BY k LIMIT 4
        SELECT a FROM t UNION ALL SELECT x FROM u ORDER BY 1 DESC
        (SELECT a FROM t ORDER BY a, id LIMIT 2) UNION ALL (SELECT x FROM u ORDER BY x DESC, id LIMIT 2) ORDER BY 1
        SELECT q.a FROM (SELECT a, id FROM t ORDER BY id DESC LIMIT 3) q WHERE q.a > 0 ORDER BY q.id
        SELECT id FROM t ORDER BY id LIMIT 0
        SELECT id FROM t ORDER BY id FETCH FIRST 2 ROWS ONLY
        SELECT t.id, u.id FROM t LEFT JOIN u ON t.a = u.x ORDER BY u.id DESC, t.id
        SELECT a AS b FROM t ORDER BY b, a
    """,
    **RELATIONS,
    **VALUES,
}

QUERIES = [(topic, line.strip()) for topic, text in CORPUS.items() for line in text.splitlines() if line.strip()]
