"""What is being measured, on standard error: a bar in a terminal, a line each elsewhere. Owns nothing else."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self


class Progress:
    """Use it as a context; `say` a step's name when it begins."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._bar: Any = None
        if sys.stderr.isatty():
            try:
                from rich.console import Console
                from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
                from rich.progress import Progress as Bar
            except ImportError:
                return
            columns = (BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def step(self, words: str) -> None:
        """The next of the steps begins."""
        self._done += 1
        if self._bar:
            self._bar.update(self._task, completed=self._done - 1, description=words)
        else:
            print(f"[{self._done}/{self._total}] {words}", file=sys.stderr, flush=True)

    def say(self, words: str) -> None:
        """Something within a step."""
        if self._bar:
            self._bar.update(self._task, description=words)
        else:
            print(f"  {words}", file=sys.stderr, flush=True)
