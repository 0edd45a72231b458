"""Pathway through its public API: a ConnectorSubject per changing table, operators, `io.subscribe`.

A step is one commit; commits are pipelined (nothing is waited for but the last of a repeat), which is the best it can
do. A first value is a whole run over a static table, the start of its engine included: it has no other.
"""

from __future__ import annotations

import gc
import logging
from time import perf_counter, process_time, sleep
from typing import Any

import clock
import pathway as pw
from pathway.internals.parse_graph import G

logging.disable(logging.CRITICAL)
TYPES = {"text": str, "integer": int, "real": float}
QUIET = 0.3
"""Seconds without news after which all commits have come through."""
ISSUE = ("id_", "owner", "status", "priority", "score", "title")


class Feed(pw.io.python.ConnectorSubject):
    """Runs a script in Pathway's reader thread."""

    def __init__(self, script: Any) -> None:
        super().__init__(session_type="upsert")
        self._script = script

    def run(self) -> None:
        """The script, once."""
        self._script(self)


class Sink:
    """Keeps the rows of one view by their key, as `io.subscribe` tells of them, and when it last did."""

    def __init__(self, key: tuple[str, ...]) -> None:
        self.rows: dict[Any, Any] = {}
        self._key = key
        self.told, self.last = 0, 0.0

    def change(self, key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        """One row came or went; what goes may be told after what comes in its place."""
        name = tuple([row[c] for c in self._key])
        if is_addition:
            self.rows[name] = row
        elif self.rows.get(name) == row:
            del self.rows[name]

    def end(self, time: int) -> None:
        """All rows of one moment have been told."""
        self.told += 1
        self.last = perf_counter()


def rename(row: list[Any], columns: list[str]) -> dict[str, Any]:
    """A row as Pathway takes it: `id` is a reserved name."""
    return {"id_" if c == "id" else c: v for c, v in zip(columns, row, strict=True)}


class Pathway:
    """The driver; it times itself, for its engine runs in threads of its own."""

    def __init__(self) -> None:
        self.sinks: list[Sink] = []

    def _schema(self, name: str) -> Any:
        kinds = self.tables[name]["columns"]
        optional = name in ("flights", "planes")
        fields = {}
        for column, kind in kinds.items():
            key = column == "id"
            dtype = TYPES[kind] if key or not optional else TYPES[kind] | None
            fields["id_" if key else column] = pw.column_definition(primary_key=key, dtype=dtype)
        return pw.schema_builder(fields, name=name)

    def _static(self, name: str) -> Any:
        return pw.debug.table_from_rows(self._schema(name), [tuple(row) for row in self.tables[name]["rows"]])

    def _build(self, views: list[Any], read: dict[str, Any]) -> None:
        if len(views) > 1000:
            raise clock.Unsuited("a commit walks every operator of 10,000 views")
        self.sinks, self.columns = [], []
        for shape, params, *_ in views:
            table, columns, key = self._view(shape, params, read)
            sink = Sink(key)
            pw.io.subscribe(table, on_change=sink.change, on_time_end=sink.end)
            self.sinks.append(sink)
            self.columns.append(columns)

    def _view(
        self, shape: str, p: dict[str, Any], read: dict[str, Any]
    ) -> tuple[Any, tuple[str, ...], tuple[str, ...]]:
        count, total = pw.reducers.count, pw.reducers.sum
        if shape == "filter":
            t = read["issue"]
            return t.filter((t.status == "open") & (t.priority >= 5)), ISSUE, ("id_",)
        if shape == "keyed":
            t = read["issue"]
            return t.filter(t.owner == p["owner"]), ISSUE, ("id_",)
        if shape == "join":
            i, u = read["issue"], read["person"]
            return i.join(u, i.owner == u.id_).select(i.id_, i.owner, u.name), ("id_", "owner", "name"), ("id_",)
        if shape == "groups":
            # `strict`: without it a float sum loses updates that leave the count as it was (0.33.0).
            t = read["issue"]
            g = t.groupby(t.status).reduce(t.status, n=count(), s=total(t.score, strict=True))
            return g.select(g.status, g.n, g.s, a=g.s / g.n), ("status", "n", "s", "a"), ("status",)
        f = read["flights"]
        if shape == "carriers":
            g = f.select(f.carrier, d=pw.coalesce(f.dep_delay, 0))
            return g.groupby(g.carrier).reduce(g.carrier, n=count(), s=total(g.d)), ("carrier", "n", "s"), ("carrier",)
        al, pl = read["airlines"], read["planes"]
        named = f.join(al, f.carrier == al.carrier).select(f.tailnum, al.name, d=pw.coalesce(f.arr_delay, 0))
        made = named.join(pl, named.tailnum == pl.tailnum).select(named.name, pl.manufacturer, named.d)
        g = made.groupby(made.name, made.manufacturer).reduce(made.name, made.manufacturer, n=count(), s=total(made.d))
        return g, ("name", "manufacturer", "n", "s"), ("name", "manufacturer")

    def _run(self) -> None:
        pw.run(monitoring_level=pw.MonitoringLevel.NONE)
        G.clear()

    def _answers(self) -> list[Any]:
        return [
            [[row[c] for c in columns] for row in sink.rows.values()]
            for sink, columns in zip(self.sinks, self.columns, strict=True)
        ]

    def hydrate(self, task: dict[str, Any]) -> dict[str, Any]:
        """Whole runs over static tables."""
        self.tables = clock.read_tables(task)
        wall, cpu = [], []
        while len(wall) < task["repeats"]:
            self._build(task["views"], {name: self._static(name) for name in self.tables})
            gc.collect()
            busy, start = process_time(), perf_counter()
            self._run()
            wall.append(perf_counter() - start)
            cpu.append(process_time() - busy)
        note = "the start of its engine included"
        return {"wall": wall, "cpu": cpu, "steps": 1, "answers": self._answers(), "applied": 0, "note": note}

    def step(self, task: dict[str, Any]) -> dict[str, Any]:
        """Repeats of pipelined commits, within one run."""
        return self._streamed(task, self._repeats)

    def drain(self, task: dict[str, Any]) -> dict[str, Any]:
        """As much of the stream as there is time for."""
        return self._streamed(task, self._drained)

    def _streamed(self, task: dict[str, Any], script: Any) -> dict[str, Any]:
        self.tables = clock.read_tables(task)
        stream = clock.Stream(task, self.tables)
        columns = {name: list(table["columns"]) for name, table in self.tables.items()}
        (moving,) = {op[0] for batch in stream.batches for op in batch}
        prepared = [[None if new is None else rename(new, columns[t]) for t, _, _, new in b] for b in stream.batches]
        result: dict[str, Any] = {}

        def run(feed: Feed) -> None:
            for row in self.tables[moving]["rows"]:
                feed.next(**rename(row, columns[moving]))
            feed.commit()
            self._quiet(1 if self.tables[moving]["rows"] else 0)
            script(task, feed, stream, prepared, result)

        schema = self._schema(moving)
        read = {name: self._static(name) for name in self.tables if name != moving}
        read[moving] = pw.io.python.read(Feed(run), schema=schema, autocommit_duration_ms=None)
        self._build(task["views"], read)
        self._run()
        if "wall" not in result:
            raise RuntimeError("the feed ended early")
        return result | {"answers": self._answers(), "applied": stream.applied}

    def _quiet(self, least: int = 0) -> float:
        """Wait until nothing more is told; when that was last so."""
        told = -1
        while told != (told := sum(s.told for s in self.sinks)) or told < least:
            sleep(QUIET)
        return max(s.last for s in self.sinks)

    def _push(self, feed: Feed, part: list[Any]) -> None:
        for batch in part:
            for row in batch:
                feed.next(**row)
            feed.commit()

    def _timed(self, feed: Feed, part: list[Any]) -> tuple[float, float]:
        busy, start = process_time(), perf_counter()
        self._push(feed, part)
        return max(self._quiet() - start, 1e-9), process_time() - busy

    def _repeats(
        self, task: dict[str, Any], feed: Feed, stream: Any, prepared: list[Any], result: dict[str, Any]
    ) -> None:
        count = 20
        taken, _ = self._timed(feed, stream.take(prepared, count))
        each = taken / count
        count = max(
            1, min(20_000, int(task["seconds"] / task["repeats"] / each), stream.left() // (task["repeats"] + 1))
        )
        wall, cpu = [], []
        for _ in range(task["repeats"]):
            seconds, busy = self._timed(feed, stream.take(prepared, count))
            wall.append(seconds / count)
            cpu.append(busy / count)
        result |= {"wall": wall, "cpu": cpu, "steps": count, "note": "commits pipelined"}

    def _drained(
        self, task: dict[str, Any], feed: Feed, stream: Any, prepared: list[Any], result: dict[str, Any]
    ) -> None:
        seconds, changes = 0.0, 0
        while stream.left() and seconds < task["seconds"]:
            part = stream.take(prepared, min(20, stream.left()))
            seconds += self._timed(feed, part)[0]
            changes += sum(map(len, part))
        result |= {"wall": [seconds / changes], "cpu": [], "steps": changes, "note": f"{changes:,} changes"}


if __name__ == "__main__":
    clock.main(Pathway())
