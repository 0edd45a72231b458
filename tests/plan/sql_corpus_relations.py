"""Queries whose meaning is compared with DuckDB: aggregates over many rows, windows, LATERAL and limits inside."""

RELATIONS = {
    "more aggregates": """
        SELECT b, bool_and(a > 1), bool_or(a > 1), bool_and(a = 1) FILTER (WHERE c > 1) FROM t GROUP BY b
        SELECT bool_and(a > 100), bool_or(NULL) FROM t WHERE a > 100
        SELECT b, stddev(a), stddev_samp(c), stddev_pop(a), variance(a), var_samp(c), var_pop(a) FROM t GROUP BY b
        SELECT stddev(DISTINCT a), var_pop(DISTINCT a) FILTER (WHERE c > 0) FROM t
        SELECT b, array_agg(a ORDER BY a DESC, id), array_agg(c + 1 ORDER BY c NULLS FIRST, id) FROM t GROUP BY b
        SELECT array_agg(DISTINCT a ORDER BY a), array_agg(DISTINCT b ORDER BY b DESC NULLS LAST) FROM t
        SELECT array_agg(a ORDER BY id) FILTER (WHERE c > 1), array_agg(id ORDER BY id) FROM t WHERE a > 0
        SELECT a, string_agg(b, ', ' ORDER BY id), string_agg(b, '' ORDER BY b DESC, id) FROM t GROUP BY a
        SELECT string_agg(DISTINCT b, '-' ORDER BY b), string_agg(b, '-' ORDER BY id) FILTER (WHERE a > 1) FROM t
        SELECT b, string_agg(upper(b), ';' ORDER BY id) FROM t GROUP BY b HAVING bool_or(a > 1)
        SELECT t.id, (SELECT string_agg(u.y, ',' ORDER BY u.id) FROM u WHERE u.x = t.a) FROM t
        SELECT t.id, (SELECT array_agg(u.id ORDER BY u.id DESC) FROM u WHERE u.x < t.a) FROM t
    """,
    "aggregates of a query around": """
        SELECT (SELECT sum(t.a) FROM u WHERE u.id = 4) FROM t
        SELECT (SELECT sum(t.a)), (SELECT count(t.a) + 1) FROM t
        SELECT b, (SELECT sum(a) FROM u WHERE u.id = 4) FROM t GROUP BY b
        SELECT b, (SELECT count(*) FROM u WHERE u.x < sum(t.a)) AS n FROM t GROUP BY b
        SELECT b, (SELECT count(u.x) + count(t.a) FROM u) FROM t GROUP BY b
        SELECT b, (SELECT max(x) FROM u WHERE y = b AND x <= count(t.c)) FROM t GROUP BY b
        SELECT b FROM t GROUP BY b HAVING EXISTS (SELECT 1 FROM u WHERE u.x = count(t.a))
        SELECT b FROM t GROUP BY b HAVING min(a) NOT IN (SELECT x FROM u WHERE x < max(t.a)) OR count(*) = 1
        SELECT b FROM t GROUP BY b ORDER BY (SELECT count(*) FROM u WHERE x < max(t.a)), b
        SELECT b, max(a) IN (SELECT count(t.a) FROM u), sum(a) > ANY (SELECT min(t.a) + u.x FROM u) FROM t GROUP BY b
        SELECT b, (SELECT sum(a) FILTER (WHERE a > 1)), (SELECT count(DISTINCT t.a)) FROM t GROUP BY b
        SELECT b, a, (SELECT sum(a) FILTER (WHERE u.x > 1) FROM u) FROM t GROUP BY b, a
        SELECT b, a, (SELECT sum(u.x) FILTER (WHERE a > 1) FROM u) FROM t GROUP BY b, a
        SELECT b, (SELECT count(*) FROM u HAVING sum(t.a) > 3) FROM t GROUP BY b
        SELECT b, (SELECT (SELECT sum(t.a) + max(v.z) FROM v WHERE v.x = u.x) FROM u WHERE u.id = 4) FROM t GROUP BY b
        SELECT b, (SELECT (SELECT sum(t.a) + max(v.z) FROM v WHERE v.x < max(u.x)) FROM u WHERE u.y = b) FROM t GROUP BY b
        SELECT b, (SELECT q.n + 1 FROM (SELECT sum(t.a) AS n) AS q) FROM t GROUP BY b
        SELECT b, (WITH q AS (SELECT x, sum(t.a) AS n FROM u GROUP BY x) SELECT max(n) FROM q) FROM t GROUP BY b
        SELECT b, (SELECT max(n) FROM u JOIN LATERAL (SELECT sum(t.a) + u.x AS n) AS q ON TRUE) FROM t GROUP BY b
        SELECT b, (SELECT sum(u.x + (SELECT min(t.a))) FROM u) FROM t GROUP BY b
        SELECT b, (SELECT max(n) FROM (SELECT x AS n FROM u UNION SELECT sum(t.a)) AS q) FROM t GROUP BY b
        SELECT b, rank() OVER (ORDER BY (SELECT sum(t.a)) NULLS FIRST) FROM t GROUP BY b
        SELECT t.id, (SELECT (SELECT count(*) + sum(u.x) FROM v WHERE v.x < max(u.x) + t.a) FROM u WHERE u.y = t.b) FROM t
    """,
    "recursion": """
        WITH RECURSIVE r (n) AS (SELECT a FROM t UNION SELECT v.z FROM r JOIN v ON v.x = r.n) SELECT n FROM r
        WITH RECURSIVE r AS (SELECT id, a FROM t UNION SELECT r.id, u.x FROM r, u WHERE u.id = r.a) SELECT * FROM r
        WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n + 1 FROM r WHERE n < 5) SELECT n, n * n FROM r
        WITH RECURSIVE r (n, d) AS (SELECT a, 0 FROM t WHERE id = 2 UNION SELECT v.z, d + 1 FROM v JOIN r ON v.x = n WHERE d < 3) SELECT n, min(d) FROM r GROUP BY n
        WITH RECURSIVE r AS (SELECT x, z FROM v UNION SELECT r.x, v.z FROM r JOIN v ON r.z = v.x) SELECT z FROM r WHERE x = 1
        WITH RECURSIVE r AS (SELECT id, a AS up FROM t WHERE b = 'a' UNION SELECT t.id, t.a FROM r LEFT JOIN t ON t.id = r.up) SELECT * FROM r ORDER BY id, up LIMIT 4
        WITH RECURSIVE r AS (SELECT x FROM v UNION SELECT z FROM v, r WHERE v.x = r.x AND z NOT IN (SELECT a FROM t WHERE a > 2)) SELECT * FROM r
        WITH RECURSIVE r AS (SELECT x + 0.5 AS n FROM v UNION SELECT DISTINCT n + 0.5 FROM r WHERE n < 3) SELECT n FROM r WHERE n > 1
        WITH RECURSIVE r AS (SELECT a AS n FROM t UNION SELECT v.z FROM r JOIN v ON v.x = r.n), s AS (SELECT n FROM r UNION SELECT u.x FROM s JOIN u ON u.id = s.n) SELECT count(*) FROM s
        WITH RECURSIVE r AS (SELECT a AS n FROM t UNION SELECT z FROM r JOIN v ON x = n WHERE EXISTS (SELECT 1 FROM u WHERE u.x = z)) SELECT t.id FROM t WHERE a IN (SELECT n FROM r)
        WITH RECURSIVE plain AS (SELECT a FROM t UNION SELECT x FROM u) SELECT * FROM plain
    """,
    "windows": """
        SELECT id, row_number() OVER (PARTITION BY b ORDER BY a, id) FROM t
        SELECT id, rank() OVER (ORDER BY a DESC NULLS LAST), dense_rank() OVER (PARTITION BY c ORDER BY a) AS d FROM t
        SELECT * FROM (SELECT id, b, row_number() OVER (PARTITION BY b ORDER BY a DESC, id) AS n FROM t) q WHERE n <= 2
        SELECT id FROM (SELECT id, rank() OVER (PARTITION BY b ORDER BY a) AS n FROM t) q WHERE n = 1 AND id > 2
        SELECT id, n FROM (SELECT id, dense_rank() OVER (ORDER BY a) AS n FROM t) q WHERE 3 > n OR id = 1
        WITH q AS (SELECT id, a, rank() OVER (ORDER BY c) AS n FROM t) SELECT q.id, x FROM q JOIN u ON x = a AND n < 3
        SELECT b, count(*), rank() OVER (ORDER BY count(*) DESC) FROM t GROUP BY b
        SELECT b, row_number() OVER (PARTITION BY count(*) ORDER BY b) AS n FROM t GROUP BY b HAVING count(*) > 0
        SELECT id, rank() OVER (ORDER BY (SELECT count(*) FROM u WHERE u.x = t.a)) FROM t
        SELECT id FROM t ORDER BY row_number() OVER (PARTITION BY b ORDER BY a, id), id
        SELECT DISTINCT a, dense_rank() OVER (ORDER BY a) FROM t
        SELECT id, 10 - row_number() OVER (ORDER BY id) * 2 FROM t WHERE a > 0 LIMIT 100
        SELECT id FROM t WHERE id IN (SELECT q.id FROM (SELECT id, rank() OVER (ORDER BY x) AS n FROM u) q WHERE n < 3)
        SELECT id FROM t WHERE (SELECT max(n) FROM (SELECT rank() OVER (ORDER BY y) AS n FROM u WHERE x = t.a) q) > 1
        SELECT t.id, rank() OVER (PARTITION BY u.y ORDER BY t.a, u.id) FROM t LEFT JOIN u ON u.x = t.a
        SELECT DISTINCT ON (b) b, id, a FROM t ORDER BY b, a DESC NULLS LAST, id
        SELECT DISTINCT ON (a, b) id FROM t ORDER BY b, a, id
        SELECT DISTINCT ON (a + c) id, a + c AS s FROM t ORDER BY s, id DESC LIMIT 3
        SELECT id FROM (SELECT DISTINCT ON (a) a, id FROM t ORDER BY a, id) q WHERE a > 0
    """,
    "lateral and limits inside": """
        SELECT t.id, q.y FROM t JOIN LATERAL (SELECT y FROM u WHERE x = t.a ORDER BY u.id DESC LIMIT 1) AS q ON TRUE
        SELECT t.id, n FROM t LEFT JOIN LATERAL (SELECT id FROM u WHERE x < t.a ORDER BY id LIMIT 2) q (n) ON TRUE
        SELECT t.id, n FROM t LEFT JOIN LATERAL (SELECT u.id AS n FROM u WHERE x = t.a) q ON n > 2 WHERE t.c > 0
        SELECT t.id, q.n FROM t CROSS JOIN LATERAL (SELECT t.a + t.c AS n) q WHERE q.n > 1
        SELECT t.id, q.n FROM t, LATERAL (SELECT count(*) AS n FROM u WHERE u.x = t.a) q
        SELECT t.id, u.id, m FROM t, u, LATERAL (SELECT max(z) AS m FROM v WHERE x = u.x AND z > t.a) q WHERE u.id < 4
        SELECT t.id, q.n FROM t JOIN LATERAL (SELECT 1 AS n) q ON TRUE
        SELECT t.id, p.n, q.n FROM t, LATERAL (SELECT t.a * 2 AS n) p, LATERAL (SELECT p.n + 1 AS n) q
        SELECT t.id, q.id FROM t, LATERAL (SELECT id FROM u WHERE x = t.a UNION SELECT id FROM v WHERE x = t.a) q
        SELECT t.id, s FROM t, LATERAL (SELECT sum(id) AS s FROM u WHERE x = t.a GROUP BY y ORDER BY 1 LIMIT 1) q
        SELECT t.id FROM t WHERE EXISTS (SELECT 1 FROM u, LATERAL (SELECT u.x + t.a AS n) q WHERE q.n = 2)
        SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u LEFT JOIN LATERAL (SELECT z FROM v WHERE z = t.c) q ON z = x WHERE z < 2)
        SELECT t.id, (SELECT u.y FROM u WHERE u.x = t.a ORDER BY u.id DESC LIMIT 1) FROM t
        SELECT t.id, (SELECT u.id + t.a FROM u WHERE u.x < t.a ORDER BY u.id LIMIT 1) FROM t
        SELECT t.id, (SELECT u.id FROM u WHERE u.x = t.a ORDER BY u.id LIMIT 1 OFFSET 1) FROM t
        SELECT t.id, (SELECT count(*) FROM u WHERE u.x = t.a LIMIT 1) FROM t
        SELECT t.id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.x = t.a LIMIT 1)
        SELECT t.id FROM t WHERE t.c IN (SELECT u.id FROM u WHERE u.x = t.a ORDER BY u.id LIMIT 2)
        SELECT t.id FROM t WHERE t.c NOT IN (SELECT u.x FROM u WHERE u.id > t.a ORDER BY u.x NULLS LAST LIMIT 2)
        SELECT t.id FROM t WHERE t.c IN (SELECT DISTINCT u.x FROM u WHERE u.id > t.a ORDER BY u.x LIMIT 2)
        SELECT id, (SELECT min(x) FROM (SELECT x FROM u WHERE id > t.a UNION ALL SELECT x FROM v ORDER BY 1 LIMIT 2)) FROM t
        SELECT id FROM t ORDER BY id LIMIT 1 + 1 OFFSET 2 - 1
    """,
    "any and all": """
        SELECT id FROM t WHERE a > ANY (SELECT x FROM u)
        SELECT id FROM t WHERE a > ALL (SELECT x FROM u WHERE id < 3)
        SELECT id FROM t WHERE a <= ALL (SELECT x FROM u WHERE u.x > t.c)
        SELECT id FROM t WHERE NOT a < ANY (SELECT x FROM u WHERE x IS NOT NULL) OR c = 1
        SELECT id, a < ANY (SELECT x FROM u), a >= ALL (SELECT x FROM u WHERE x > 0) FROM t
        SELECT id, a = ALL (SELECT x FROM u WHERE u.x = t.a), a <> ANY (SELECT x FROM u WHERE u.id > t.c) FROM t
        SELECT b, max(a) >= ALL (SELECT x FROM u WHERE x IS NOT NULL) FROM t GROUP BY b
        SELECT id FROM t WHERE (a, c) NOT IN (SELECT x, id FROM u)
        SELECT id FROM t WHERE (a, b) NOT IN (SELECT x, y FROM u WHERE id > 2) OR a IS NULL
        SELECT id, (a, c) IN (SELECT x, z FROM v) IS TRUE FROM t
        SELECT id FROM t WHERE a > ANY (SELECT max(x) FROM u WHERE u.id < t.id)
    """,
    "set operations on multisets": """
        SELECT a FROM t INTERSECT ALL SELECT x FROM u
        SELECT a FROM t EXCEPT ALL SELECT x FROM u
        SELECT a, b FROM t EXCEPT ALL SELECT x, y FROM u ORDER BY 1, 2 LIMIT 4
        (SELECT a FROM t UNION ALL SELECT x FROM u) INTERSECT ALL SELECT x FROM v
        SELECT a FROM t EXCEPT ALL SELECT x FROM u EXCEPT SELECT x FROM v
        SELECT id FROM t WHERE EXISTS (SELECT x FROM u WHERE id > t.a EXCEPT ALL SELECT x FROM v)
    """,
}
