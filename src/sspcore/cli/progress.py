"""Progress over a long input, on standard error: a bar in a terminal, a line now and then elsewhere.

Owns when to speak: never during the first moments, so that short inputs stay silent. Refuses to know what is read.
`rich` draws the bar where it is installed; without it a plain one does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol, TextIO

PATIENCE = 0.5
"""Seconds before anything shows: what is done sooner needs no bar."""
REDRAW = 0.1
PERIOD = 5.0
"""Seconds between lines where there is no terminal: a log should not fill up."""


class Display(Protocol):
    """What shows the state of a reading."""

    def show(self, done: int, total: int | None, changes: int, seconds: float) -> None:
        """The state now: bytes done, bytes in all if known, changes read, seconds since the start."""

    def close(self) -> None:
        """Take the display away, leaving the line clean."""


class Progress:
    """Says how far a reading is, when it is worth saying.

    Args: `stream`, where to; `total`, bytes in all or None for a pipe; `clock`, seconds, an argument for tests.
    """

    def __init__(
        self, stream: TextIO, total: int | None, *, plain: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._total, self._clock = stream, total, clock
        self._terminal = stream.isatty()
        self._plain = plain
        self._display: Display | None = None
        self._start = clock()
        self._next = self._start + (PATIENCE if self._terminal else PERIOD)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return self._clock() - self._start

    @property
    def spoke(self) -> bool:
        """Whether anything was shown: then a closing line is worth it too."""
        return self._display is not None

    def at(self, done: int, changes: int) -> None:
        """The reading has come to byte `done` and read `changes`. Cheap when it is not time to show anything."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + (REDRAW if self._terminal else PERIOD)
        if self._display is None:
            self._display = self._make()
        self._display.show(done, self._total, changes, now - self._start)

    def close(self) -> None:
        """The reading has ended, well or badly."""
        if self._display is not None:
            self._display.close()

    def _make(self) -> Display:
        if not self._terminal:
            return LogDisplay(self._stream)
        if not self._plain:
            try:
                return RichDisplay(self._stream, self._total)
            except ImportError:
                pass
        return PlainDisplay(self._stream)


def describe(done: int, total: int | None, changes: int, seconds: float) -> str:
    """The state in words.

    >>> describe(50, 200, 3000, 2.0)
    '25%  3,000 changes  1,500/s  0:06 left'
    """
    parts = [f"{100 * done // total}%"] if total else []
    parts.append(f"{changes:,} changes")
    if seconds > 0:
        parts.append(f"{changes / seconds:,.0f}/s")
    if total and 0 < done < total and seconds > 0:
        parts.append(f"{_minutes(seconds * (total - done) / done)} left")
    return "  ".join(parts)


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"


class PlainDisplay:
    """A bar drawn with carriage returns, for terminals where rich is not installed."""

    WIDTH = 24

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = 0

    def show(self, done: int, total: int | None, changes: int, seconds: float) -> None:
        text = describe(done, total, changes, seconds)
        if total:
            full = min(self.WIDTH, self.WIDTH * done // total)
            text = f"[{'#' * full}{'.' * (self.WIDTH - full)}] {text}"
        self._stream.write("\r" + text.ljust(self._shown))
        self._stream.flush()
        self._shown = len(text)

    def close(self) -> None:
        self._stream.write("\r" + " " * self._shown + "\r")
        self._stream.flush()


class LogDisplay:
    """A line now and then, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, done: int, total: int | None, changes: int, seconds: float) -> None:
        print(describe(done, total, changes, seconds), file=self._stream, flush=True)

    def close(self) -> None:
        pass


class RichDisplay:
    """The bar of `rich`."""

    def __init__(self, stream: TextIO, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        columns: list[Any] = [BarColumn(bar_width=None)] if total else []
        console = Console(file=stream)
        self._bar = Bar(*columns, TextColumn("{task.description}"), console=console, transient=True, auto_refresh=False)
        self._task = self._bar.add_task("", total=total)
        self._bar.start()

    def show(self, done: int, total: int | None, changes: int, seconds: float) -> None:
        self._bar.update(self._task, completed=done, description=describe(done, total, changes, seconds), refresh=True)

    def close(self) -> None:
        self._bar.stop()
