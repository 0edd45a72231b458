"""W10: a year of flights from New York, a million real changes, into a three-way join with an aggregate and two boards.

Owns the making of that workload from the data set. Flights are created as scheduled, then depart or are cancelled, then
land, in order of time, in batches of a thousand; airlines and planes are there from the start.
"""

from __future__ import annotations

import heapq
import subprocess
from datetime import datetime
from functools import cache
from typing import Any

from benchmarks import flights
from benchmarks.engine.data import Batches
from benchmarks.engine.shapes import Row, Tables
from benchmarks.engine.workloads import Goal, View, Workload

COLUMNS = {
    "airlines": {"id": "text", "carrier": "text", "name": "text"},
    "planes": {"id": "text", "tailnum": "text", "manufacturer": "text", "seats": "integer"},
    "flights": {
        "id": "text", "carrier": "text", "tailnum": "text", "origin": "text", "dest": "text", "status": "text",
        "dep_delay": "integer", "arr_delay": "integer",
    },
}  # fmt: skip
BATCH = 1000
JOIN: list[View] = [("airlines", {})]
BOARDS: list[View] = [("airlines", {}), ("carriers", {}), ("late", {})]


@cache
def _read(periods: tuple[str, ...]) -> tuple[Tables, Batches]:
    data = flights.Data(flights.fetch())
    rows = [
        row for row in data.rows("flights")
        if f"{int(row['year']):04}-{int(row['month']):02}-{int(row['day']):02}".startswith(periods)
    ]  # fmt: skip
    reference: dict[str, dict[Any, Row]] = {"airlines": {}, "planes": {}}
    for table, key, row in flights.reference(data, rows):
        if table in reference:
            reference[table][key] = {c: (key if c == "id" else row[c]) for c in COLUMNS[table]}
    start = min(map(flights.hour_of, rows))
    events: list[tuple[datetime, int, str, Row]] = []
    for flight in rows:
        for moment, op, key, row in flights.course(flight):
            at = start if op == "create" else moment
            events.append((at, len(events), key, {c: (key if c == "id" else row[c]) for c in COLUMNS["flights"]}))
    heapq.heapify(events)
    changes = [("flights", key, row) for _, _, key, row in (heapq.heappop(events) for _ in range(len(events)))]
    batches: Batches = [list(changes[n : n + BATCH]) for n in range(0, len(changes), BATCH)]
    return {**reference, "flights": {}}, batches


def workloads(periods: tuple[str, ...] = ("2013",)) -> list[Workload]:
    """The join alone, which more peers can do, and with the boards. The data are fetched when asked for."""
    span = "the year" if periods == ("2013",) else " ".join(periods)

    def made(title: str, views: list[View], goal: Goal) -> Workload:
        return Workload(
            "W10", f"{span} of flights: {title}", "drain", lambda: _read(periods)[0], views, goal,
            lambda tables, count: _read(periods)[1][:count], length=10**9, once=True, quick=False, columns=COLUMNS,
            unavailable=(OSError, subprocess.SubprocessError),
        )  # fmt: skip

    return [
        made("three-way join, grouped", JOIN, Goal(None, None, {"rest": 1})),
        made("with two boards", BOARDS, Goal(None, None, {"rest": 1})),
    ]
