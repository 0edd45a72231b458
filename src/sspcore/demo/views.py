"""The live views of the demo, in SQL.

Owns the queries and what each shows. They are also examples: each can be pasted into `sspcore query`.
"""

from __future__ import annotations

from typing import Final

import attrs


@attrs.frozen
class DemoView:
    """A view: its id, what it shows, its SQL; `sqlite` when SQLite understands it and must agree."""

    id: str
    title: str
    sql: str
    sqlite: bool = False


VIEWS: Final = (
    DemoView(
        "last_departures",
        "Departures board: the last to leave",
        """\
SELECT substr(f.departed, 12, 5) AS departed, f.carrier || ' ' || CAST(f.flight AS text) AS flight, f.origin,
       coalesce(ap.name, f.dest) AS destination, al.name AS airline, f.dep_delay AS delay
FROM flights f
JOIN airlines al ON al.carrier = f.carrier
LEFT JOIN airports ap ON ap.faa = f.dest
WHERE f.departed IS NOT NULL
ORDER BY f.departed DESC, f.id
LIMIT 15""",
        sqlite=True,
    ),
    DemoView(
        "next_departures",
        "Departures board: the next to leave",
        """\
SELECT substr(f.scheduled, 12, 5) AS scheduled, f.carrier || ' ' || CAST(f.flight AS text) AS flight, f.origin,
       coalesce(ap.name, f.dest) AS destination, al.name AS airline
FROM flights f
JOIN airlines al ON al.carrier = f.carrier
LEFT JOIN airports ap ON ap.faa = f.dest
WHERE f.status = 'scheduled'
ORDER BY f.scheduled, f.id
LIMIT 15""",
        sqlite=True,
    ),
    DemoView(
        "worst_delays",
        "The ten worst delays, with airport and plane",
        """\
SELECT f.dep_delay AS delay, f.carrier || ' ' || CAST(f.flight AS text) AS flight, f.origin,
       coalesce(ap.name, f.dest) AS destination, p.manufacturer, p.model, p.seats
FROM flights f
LEFT JOIN airports ap ON ap.faa = f.dest
LEFT JOIN planes p ON p.tailnum = f.tailnum
WHERE f.dep_delay IS NOT NULL
ORDER BY f.dep_delay DESC, f.id
LIMIT 10""",
        sqlite=True,
    ),
    DemoView(
        "delays_by_carrier",
        "Delays by carrier",
        """\
SELECT al.name AS airline, count(*) AS flights, count(f.departed) AS departed,
       sum(CASE WHEN f.status = 'cancelled' THEN 1 ELSE 0 END) AS cancelled,
       avg(f.dep_delay) AS mean_delay, max(f.dep_delay) AS worst_delay
FROM flights f
JOIN airlines al ON al.carrier = f.carrier
GROUP BY al.name
ORDER BY avg(f.dep_delay) DESC NULLS LAST, al.name""",
        sqlite=True,
    ),
    DemoView(
        "cancellations_by_hour",
        "Cancellations by hour of schedule (UTC)",
        """\
SELECT substr(scheduled, 1, 13) AS hour, origin, count(*) AS cancelled
FROM flights
WHERE status = 'cancelled'
GROUP BY substr(scheduled, 1, 13), origin""",
        sqlite=True,
    ),
    DemoView(
        "weather_and_delays",
        "Weather beside delay, by airport and hour",
        """\
SELECT w.origin, substr(w.hour, 1, 13) AS hour, w.temp, w.wind_speed, w.precip, w.visib,
       count(f.dep_delay) AS departed, avg(f.dep_delay) AS mean_delay
FROM weather w
LEFT JOIN flights f ON f.origin = w.origin AND substr(f.scheduled, 1, 13) = substr(w.hour, 1, 13)
GROUP BY w.origin, substr(w.hour, 1, 13), w.temp, w.wind_speed, w.precip, w.visib""",
        sqlite=True,
    ),
    DemoView(
        "traffic_by_hour",
        "Traffic by hour of schedule (UTC)",
        """\
SELECT substr(scheduled, 1, 13) AS hour, count(*) AS flights, count(departed) AS departed, count(landed) AS landed,
       sum(CASE WHEN status = 'cancelled' THEN 1 ELSE 0 END) AS cancelled
FROM flights
GROUP BY substr(scheduled, 1, 13)
ORDER BY substr(scheduled, 1, 13)""",
        sqlite=True,
    ),
    DemoView(
        "destinations_in_trouble",
        "Destinations whose flights leave half an hour late on average",
        """\
SELECT coalesce(ap.name, f.dest) AS destination, count(f.dep_delay) AS departed, avg(f.dep_delay) AS mean_delay
FROM flights f
LEFT JOIN airports ap ON ap.faa = f.dest
GROUP BY coalesce(ap.name, f.dest)
HAVING count(f.dep_delay) >= 5 AND avg(f.dep_delay) > 30""",
        sqlite=True,
    ),
    DemoView(
        "in_the_air",
        "In the air now",
        """\
SELECT id, carrier, origin, dest, substr(departed, 12, 5) AS departed, dep_delay
FROM flights
WHERE status = 'departed'""",
        sqlite=True,
    ),
    DemoView(
        "airlines_without_cancellations",
        "Airlines that have cancelled nothing yet",
        """\
SELECT a.carrier, a.name
FROM airlines a
WHERE NOT EXISTS (SELECT 1 FROM flights f WHERE f.carrier = a.carrier AND f.status = 'cancelled')""",
        sqlite=True,
    ),
)
