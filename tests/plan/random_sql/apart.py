"""DuckDB in a process of its own, ended where a query does not end: it has been seen to wait for itself for ever.

Owns that process, the limit and what is told of it. Such a query has no answer of DuckDB's, and is counted.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from time import process_time

import duckdb

from tests.plan.random_sql.peers import DuckDb, Row

CONTEXT = multiprocessing.get_context("spawn")


def serve(pipe: Connection) -> None:
    """Say that it is there, then answer until the pipe closes: rows or an error, and the processor time so far."""
    database = duckdb.connect(":memory:", config={"threads": "1"})
    pipe.send("here")
    while True:
        try:
            sql = pipe.recv()
        except EOFError:
            return
        try:
            answer = database.execute(sql).fetchall(), None
        except duckdb.Error as error:
            answer = None, error
        pipe.send((*answer, process_time()))


class DuckDbApart(DuckDb):
    """As `DuckDb`, with a limit of seconds for each statement."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.seconds, self.skipped = seconds, []
        self.spent = self._spent_now = 0.0
        self._child = None
        super().__init__()

    @property
    def processor_time(self) -> float:
        """Seconds its processes have computed."""
        return self.spent + self._spent_now

    def run(self, sql: str) -> list[Row]:
        """Execute a statement. Raises DuckDB's own error, and one of ours where the limit is passed."""
        self._pipe.send(sql)
        try:
            rows, error, self._spent_now = self._pipe.recv() if self._pipe.poll(self.seconds) else self._end(sql)
        except EOFError:
            rows, error, self._spent_now = self._end(sql)
        if error is not None:
            raise error
        return rows

    def _end(self, sql: str) -> tuple[None, duckdb.Error, float]:
        self.skipped.append(sql)
        self._child.kill()
        return None, duckdb.FatalException(f"no answer within {self.seconds} s, or none at all"), self._spent_now

    def _connect(self) -> None:
        if self._child is not None:
            self._pipe.close()
            self._child.kill()
            self._child.join()
        self.spent, self._spent_now = self.processor_time, 0.0
        self._pipe, theirs = CONTEXT.Pipe()
        self._child = CONTEXT.Process(target=serve, args=(theirs,), daemon=True)
        self._child.start()
        theirs.close()
        self._pipe.recv()
