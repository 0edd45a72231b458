"""Views over times, lists and JSON, kept while rows change: what arrives, what is explained, what an image keeps."""

from datetime import UTC, datetime, timedelta

import pytest

from sspcore import Circuit, Interval, Schema, create, delete, merge, upsert

NOON = datetime(2013, 6, 24, 12, tzinfo=UTC)
ARRIVALS = Schema("arrivals", {"id": "text", "scheduled": "timestamp", "landed": "timestamp"})
PLACES = Schema("places", {"id": "text", "tags": "json", "doc": "json"})


def minutes(n):
    return timedelta(minutes=n)


@pytest.fixture
def circuit():
    circuit = Circuit(schemas=[ARRIVALS, PLACES])
    circuit.advance(NOON)
    rows = {"a": (0, 30), "b": (10, 130), "c": (70, 80)}
    circuit.apply([
        create("arrivals", key, {"scheduled": NOON + minutes(s), "landed": NOON + minutes(t)})
        for key, (s, t) in rows.items()
    ])  # fmt: skip
    circuit.apply([
        create("places", "louvre", {"tags": ["art", "museum"], "doc": {"city": "Paris", "open": True, "lines": ["Rue"]}}),
        create("places", "park", {"tags": ["trees"], "doc": {"city": "Rome"}}),
    ])  # fmt: skip
    return circuit


def test_hours_and_mean_delays_are_kept(circuit):
    sql = """SELECT date_trunc('hour', scheduled) AS hour, count(*) AS n, avg(landed - scheduled) AS late
             FROM arrivals GROUP BY 1"""
    hour = timedelta(hours=1)
    assert set(circuit.register("hours", sql).rows) == {
        (NOON, 2, Interval.of(minutes(75))), (NOON + hour, 1, Interval.of(minutes(10)))
    }  # fmt: skip

    circuit.apply([merge("arrivals", "b", {"landed": NOON + minutes(20)}), delete("arrivals", "c")])

    assert circuit.rows("hours") == [(NOON, 2, Interval.of(minutes(20)))]


def test_equal_spans_are_one_group_whatever_their_parts(circuit):
    rows = circuit.register("spans", "SELECT landed - scheduled AS span, count(*) FROM arrivals GROUP BY 1").rows
    assert set(rows) == {(Interval.of(minutes(n)), 1) for n in (30, 120, 10)}

    commit = circuit.apply([upsert("arrivals", "d", {"scheduled": NOON, "landed": NOON + minutes(30)})])

    assert set(commit.updates["spans"].delta.items()) == {
        ((Interval.of(minutes(30)), 1), -1), ((Interval.of(minutes(30)), 2), 1)
    }  # fmt: skip


def test_a_window_slides_with_the_circuits_time(circuit):
    circuit.register("recent", "SELECT id FROM arrivals WHERE landed > $now - interval '30 minutes'")
    assert len(circuit.rows("recent")) == 3

    commit = circuit.advance(NOON + minutes(100))

    assert set(commit.updates["recent"].delta.items()) == {(("a",), -1)}
    assert set(circuit.rows("recent")) == {("b",), ("c",)}


def test_lists_and_documents_are_looked_into(circuit):
    sql = """SELECT id, doc ->> 'city' AS city, tags[1] AS first, doc #>> '{lines,0}' AS line FROM places
             WHERE 'art' = ANY (tags) OR doc @> '{"city": "Rome"}'"""
    assert set(circuit.register("found", sql).rows) == {
        ("louvre", "Paris", "art", "Rue"), ("park", "Rome", "trees", None)
    }  # fmt: skip

    commit = circuit.apply(
        [merge("places", "park", {"doc": {"city": "Oslo"}}), merge("places", "louvre", {"tags": ["art"]})]
    )

    assert set(commit.updates["found"].delta.items()) == {(("park", "Rome", "trees", None), -1)}


def test_values_of_other_classes_are_null():
    circuit = Circuit()
    circuit.apply([create("open", 1, {"at": NOON, "doc": {"n": 1}}), create("open", 2, {"at": "noon", "doc": "text"})])
    sql = "SELECT id, at - interval '1 day' AS x, extract(hour FROM at) AS h, doc ->> 'n' AS n, doc[1] AS e FROM open"

    assert set(circuit.register("odd", sql).rows) == {
        (1, NOON - timedelta(days=1), 12.0, "1", None), (2, None, None, None, None)
    }  # fmt: skip


def test_an_explanation_reads_like_sql(circuit):
    circuit.register(
        "v", "SELECT tags[1] AS a FROM places WHERE 1 = ANY (tags) AND tags @> '{x}' AND doc ->> 'n' = 'y'"
    )
    circuit.register("w", "SELECT id FROM arrivals WHERE landed - scheduled > interval '1 hour'")

    shown = str(circuit.explain("v"))
    assert "(1 = any(tags))" in shown
    assert "(tags @> array['x'])" in shown
    assert "((doc ->> 'n') = 'y')" in shown
    assert "tags[1] as a" in shown
    assert "((landed - scheduled) > interval '01:00:00')" in str(circuit.explain("w"))


def test_an_image_keeps_intervals_in_rows_and_plans():
    circuit = Circuit()
    circuit.apply([create("jobs", 1, {"took": timedelta(hours=25)}), create("jobs", 2, {"took": 90_000})])
    circuit.register("long", "SELECT id, took FROM jobs WHERE took > interval '1 day'")

    restored = Circuit.restore(circuit.image())

    assert restored.rows("long") == circuit.rows("long") == [(1, Interval(0, 1, 3_600_000_000))]
    restored.apply([upsert("jobs", 2, {"took": timedelta(days=2)})])
    assert len(restored.rows("long")) == 2
