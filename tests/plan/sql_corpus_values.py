"""Queries over times, lists and JSON, by what they exercise; over the tables of `sql_corpus`.

Times and lists mean the same to DuckDB; all of them the same to Postgres (`test_sql_postgres`).
"""

VALUES = {
    "times": """
        SELECT date '2013-01-31' + a::integer, date '2013-03-01' - c::integer, 3 + date '2013-01-31' FROM t
        SELECT date '2013-03-01' - (date '2013-01-31' + a::integer) FROM t
        SELECT date '2013-01-31' + interval '1 month', timestamp '2013-03-31 12:00' - interval '1 month 2 days' FROM t
        SELECT timestamp '2013-06-24 12:34:56' + a * interval '1 hour', timestamp '2013-06-24' + interval '90 minutes' FROM t
        SELECT date_trunc('month', date '2013-01-31' + a::integer * 20), date_trunc('week', date '2013-01-31') FROM t
        SELECT date_trunc('hour', timestamp '2013-06-24 12:34:56' + a * interval '40 minutes') FROM t
        SELECT extract(year FROM date '2012-12-30' + a::integer), extract(doy FROM date '2012-12-30') FROM t
        SELECT extract(dow FROM date '2012-12-30' + a::integer), extract(week FROM date '2012-12-30') FROM t
        SELECT extract(epoch FROM timestamp '2013-06-24 12:34:56' + a * interval '1 day') FROM t
        SELECT date_part('hour', timestamp '2013-06-24 12:34:56'), extract(quarter FROM date '2013-06-24') / 2 FROM t
        SELECT extract(epoch FROM interval '1 day 2 hours' * a) FROM t
        SELECT extract(day FROM interval '3 days' + interval '2' DAY) FROM t
        SELECT id FROM t WHERE date '2013-01-01' + a::integer > '2013-01-02' AND a < c
        SELECT id FROM t WHERE date '2013-01-01' + c::integer <= timestamp '2013-01-03 00:00:00'
        SELECT id FROM t WHERE timestamp '2013-01-02' - timestamp '2013-01-01' > a * interval '11 hours'
        SELECT interval '1 day' = interval '24 hours', interval '1 month' > interval '29 days' FROM t
        SELECT -interval '1 day' < interval '0 s', interval '1 day' - interval '2 days' < interval '-23:00' FROM t
        SELECT a, count(*), min(date '2013-01-01' + c::integer), max(timestamp '2013-01-01' + c * interval '1 day') FROM t GROUP BY a
        SELECT CAST('2013-06-24' AS date), CAST(timestamp '2013-06-24 12:00:00' AS date), '2013-06-24'::timestamp FROM t
        SELECT date_trunc('year', timestamp '2013-06-24 12:34:56') + a * interval '6 months' FROM t ORDER BY 1, id
        SELECT timestamp '2013-06-24 12:00:00' - interval '30 minutes' BETWEEN date '2013-06-24' AND '2013-06-25' FROM t
        SELECT extract(epoch FROM CAST(a || ' hours' AS interval)) FROM t
    """,
    "lists": """
        SELECT a = ANY (ARRAY[1, 2]), a <> ALL (ARRAY[1, 2]), a = ANY (ARRAY[c, 2]), a <> ALL (ARRAY[c, NULL]) FROM t
        SELECT (ARRAY[a, c])[1], (ARRAY[a, c])[2], (ARRAY[a, c])[3], (ARRAY['x', b])[c] FROM t
        SELECT id FROM t WHERE ARRAY[a, c] @> ARRAY[1] AND a IS NOT NULL AND c IS NOT NULL
        SELECT id FROM t WHERE ARRAY[1, 2] && ARRAY[a, 7] OR ARRAY[a] <@ ARRAY[1, 2, 3] AND a IS NOT NULL
        SELECT array_length(ARRAY[a, c], 1), array_position(ARRAY[1, 2, 3], a), (array_append(ARRAY[a], c))[2] FROM t
        SELECT (ARRAY[a] || ARRAY[c])[2], (array_cat(ARRAY[a], ARRAY[c]))[1], (array_prepend(a, ARRAY[c]))[1] FROM t
    """,
}
"""Also understood by DuckDB."""

DOCUMENT = """'{"a": [1, 2, {"x": null}], "b": {"a": 1.5, "deep": ["y"]}, "ab": "text", "B": true}'::jsonb"""
DOCUMENTS = f"""
    SELECT {DOCUMENT} ->> b, {DOCUMENT} -> b ->> 'a', {DOCUMENT} -> b ->> c::integer FROM t
    SELECT {DOCUMENT} -> b = '[1, 2, {{"x": null}}]', {DOCUMENT} -> b = '"text"', {DOCUMENT} -> b <> 'true' FROM t
    SELECT {DOCUMENT} #>> '{{b,deep,0}}', {DOCUMENT} #>> '{{a,-2}}', {DOCUMENT} #>> ARRAY['a', '2', b] FROM t
    SELECT ({DOCUMENT} #> '{{a,0}}')::integer + 1, ({DOCUMENT} ->> 'nothing') IS NULL FROM t
    SELECT {DOCUMENT} ? b, {DOCUMENT} ?| ARRAY['z', b], {DOCUMENT} ?& '{{a,b}}', '["a", "b"]'::jsonb ? b FROM t
    SELECT id FROM t WHERE {DOCUMENT} @> ('{{"' || b || '": true}}')::jsonb
    SELECT {DOCUMENT} @> '{{"a": [2]}}', {DOCUMENT} -> 'a' @> '2', '{{"a": 1.50}}' <@ ({DOCUMENT} -> 'b') FROM t
    SELECT jsonb_array_length({DOCUMENT} -> 'a'), jsonb_typeof({DOCUMENT} -> b), json_typeof('"x"'::json) FROM t
    SELECT a > ANY (ARRAY[c, 1]), a >= ALL (ARRAY[1, 2]), a = SOME (ARRAY[1, 3]), a < ALL (ARRAY[]::integer[]) FROM t
    SELECT a = ANY ('{{1,2}}'), b = ANY ('{{a,"a%",NULL}}'), b <> ALL ('{{a}}'::text[]), NOT a = ANY (ARRAY[c]) FROM t
    SELECT date '2013-03-01' - '2013-01-01', extract(hour FROM interval '1 day' / 2) FROM t
    SELECT b, sum(a * interval '1 day 5 hours'), (avg(a * interval '1 day'))::text FROM t GROUP BY b
    SELECT sum(a * interval '1 hour') > interval '3 hours', avg(c * interval '1 hour') FILTER (WHERE a > 1) FROM t
    SELECT id, (SELECT sum(x * interval '1 month 2 days') FROM u WHERE u.x = t.a) FROM t
    SELECT a, avg(c * interval '1 hour') FROM t GROUP BY a HAVING sum(c * interval '1 hour') >= '1 hour' ORDER BY sum(c * interval '1 day'), a
    SELECT max(a * interval '1 hour'), min(DISTINCT c * interval '1 hour'), count(DISTINCT a * interval '1 day') FROM t
    SELECT cardinality(ARRAY[a, c]), cardinality(array_remove(ARRAY[a, c], 1)), array_length(ARRAY[]::text[], 1) FROM t
    SELECT (ARRAY[a] || c)[2], (a || ARRAY[c])[1], array_position(ARRAY[a, c], NULL) FROM t
    SELECT make_interval(days => a::integer, hours => 30) > interval '2 days', to_timestamp(a) = '1970-01-01 00:00:01' FROM t
    SELECT extract(epoch FROM make_interval(0, a::integer, 1, 1, 1, 1, 1.5)), extract(month FROM interval '14 months') FROM t
    SELECT date_trunc('month', timestamptz '2013-01-31 12:00+02'), date(timestamp '2013-06-24 12:00'), date '2013-01-31' + a * interval '1 month' FROM t
    SELECT timestamptz '2013-01-31 12:00' AT TIME ZONE 'UTC' - interval '1' HOUR, date_trunc('day', timestamptz '2013-01-31', 'UTC') FROM t
    SELECT timestamp '2013-06-24' - timestamp '2013-01-01 12:30', (interval '1 month' * 1.5)::text, (interval '1 day' / 7)::text FROM t
    SELECT extract(century FROM timestamp '2013-06-24'), extract(isodow FROM date '2013-06-23'), extract(second FROM timestamp '2013-06-24 00:00:01.25') FROM t
    SELECT interval '1 week 2 days ago', interval '-1 mons +1 day', interval '1.5 years', interval 'P1Y2M3DT4H5M6.5S', interval '1' MONTH FROM t
"""
"""Only Postgres understands these."""

OF_POSTGRES = [line.strip() for line in DOCUMENTS.splitlines() if line.strip()]
