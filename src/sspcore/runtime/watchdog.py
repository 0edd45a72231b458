"""The watchdog: code of plugins that gives no answer is interrupted, so that nothing it does stops the runtime.

Owns how long a strategy or a policy may take, and one thread that looks at a clock. Refuses to know what follows: the
call raises, like any other that fails, and whoever asked decides (routing falls open, admission refuses).

How a call is interrupted without anything reaching whatever runs after it. CPython lets a thread raise an exception in
another one (`PyThreadState_SetAsyncExc`), which happens at that thread's next bytecode, wherever it is by then. So:

- The thread of the loop says which call it is in (`inside`: the tuple of its arguments, which no other call shares as
  long as somebody holds it), and when it has left it; then it looks whether the watchdog is at work (`firing`).
- The watchdog says that it is at work first, then looks whether that call is still on, then fires. Of two threads that
  each write and then read what the other wrote, one sees the other: either the watchdog sees that the call is over, or
  the loop sees the watchdog, waits until it is done, and has what has not been raised yet raised then and there.
- What is raised while that goes on is caught there. It can be two at most: what was on its way when the call ended, and
  what a watchdog that had looked already still sent. Nothing is sent after the call is seen to be over.

What cannot be interrupted is code that runs no bytecode: a call into C that does not return. The watchdog then logs
where it stands, once, and the interruption happens when it returns. C code that keeps the interpreter's lock stops
every thread, this one too (`faulthandler.dump_traceback_later` is for that). Code that catches everything can swallow
an interruption, and so do finalizers: there will be another one.
"""

from __future__ import annotations

import ctypes
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Final

log = logging.getLogger("sspcore.runtime")

STRATEGY: Final = (
    "circuit_added", "circuit_removed", "view_added", "view_changed", "view_settled", "view_removed", "route",
    "explain", "selects", "holds", "addressed", "watches", "admitted", "settled",
)  # fmt: skip
"""What the runtime calls of a routing strategy."""
POLICY: Final = ("admit",)
"""What it calls of a backpressure policy."""

LOOKS: Final = 4
"""How often the watchdog looks within its patience: a process that was suspended gets as many looks again."""
STRIKES: Final = 3
"""After so many calls in a row that gave no answer it is not asked again: each one stops everything for a while."""

_IDLE, _FIRING, _FIRED = 0, 1, 2


class Interrupted(BaseException):
    """Raised in code that takes too long. Not an Exception, so that `except Exception` does not keep it going."""


class Watchdog:
    """A bound on the time of calls made in one thread.

    Args: `patience`, seconds a call may take; it is noticed between one and one and a quarter of that.
    Attributes: `hung`, how many calls were interrupted.
    Calls do not nest, and have arguments. Cost: a tenth of a microsecond a call.
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.hung = 0
        self.inside: tuple[Any, ...] | None = None
        self.firing = _IDLE
        self._thread = threading.get_ident()
        self._closing = threading.Event()

    def start(self) -> None:
        """Watch the calls of this thread from now on."""
        self._thread = threading.get_ident()
        threading.Thread(target=self._watch, name="sspcore watchdog", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._closing.set()

    def over(self, made: Any, what: str, methods: Iterable[str]) -> Any:
        """The same object with these methods bounded, those that it has; `what` it is, for messages."""
        return _Watched(made, {
            name: self.bounded(getattr(made, name), f"{what}: {name}") for name in methods if hasattr(made, name)
        })  # fmt: skip

    def bounded(self, function: Callable[..., Any], what: str) -> Callable[..., Any]:
        """The function, that raises TimeoutError when it gives no answer in time."""
        strikes = 0

        def bounded(*args: Any) -> Any:
            nonlocal function, strikes
            self.inside = args
            try:
                answer = function(*args)
                strikes = 0
                return answer
            except Interrupted as error:
                where = error.__traceback__
            finally:
                self.inside = None
                if self.firing:
                    try:
                        try:
                            self._take_back()
                        except Interrupted:
                            self._take_back()
                    except Interrupted:
                        self._take_back()
            strikes += 1
            if strikes == STRIKES:
                function = self._refuse
            raise self._told(what, where, strikes)

        bounded.__wrapped__ = function  # type: ignore[attr-defined]  # errors tell where it is defined
        return bounded

    def _take_back(self) -> None:
        """The call is over: see to it that nothing of the watchdog's is on its way."""
        while self.firing == _FIRING:
            time.sleep(0)
        if _interrupt is not None:
            try:  # there is room for one: this, in the place of what may be on its way
                _interrupt(self._thread, Interrupted)
                while True:
                    pass
            except Interrupted:  # taking it back unraised would leave CPython 3.11 looking for it for ever
                pass
        self.firing = _IDLE

    def _told(self, what: str, where: TracebackType | None, strikes: int) -> TimeoutError:
        """The error for whoever asked; where it hung goes to the log the first time."""
        self.hung += 1
        frames = traceback.extract_tb(where)[1:]
        if strikes == 1:
            stack = "".join(traceback.format_list(frames))
            log.error("%s gave no answer within %g s and was interrupted:\n%s", what, self.patience, stack)
        place = f", interrupted at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        return TimeoutError(f"no answer within {self.patience:g} s{place}")

    def _refuse(self, *_: object) -> Any:
        raise TimeoutError(f"not asked: no answer within {self.patience:g} s, {STRIKES} times in a row")

    # In the watchdog's thread

    def _watch(self) -> None:
        seen: tuple[Any, ...] | None = None
        looks = 0
        while not self._closing.wait(self.patience / LOOKS):
            call = self.inside
            if call is None or call is not seen:
                seen, looks = call, 0
                continue
            looks += 1
            if looks % LOOKS == 0:
                self._fire(call)
                if looks == 2 * LOOKS:
                    self._report(call)

    def _fire(self, call: tuple[Any, ...]) -> None:
        """Interrupt a call, if it is still on."""
        before, fired = self.firing, False
        self.firing = _FIRING
        try:
            if self.inside is call and _interrupt is not None:
                fired = True
                _interrupt(self._thread, Interrupted)
        finally:
            self.firing = _FIRED if fired else before

    def _report(self, call: tuple[Any, ...]) -> None:
        """Log where a call stands that was interrupted and is still on."""
        frame = sys._current_frames().get(self._thread)
        stack = traceback.StackSummary()
        what = "a plugin"
        for inner, line in traceback.walk_stack(frame):
            if inner.f_locals.get("self") is self and "what" in inner.f_locals:
                what = inner.f_locals["what"]
                break
            stack.append(traceback.FrameSummary(inner.f_code.co_filename, line, inner.f_code.co_name))
        stack.reverse()
        if self.inside is call:
            log.error(
                "%s has given no answer for %g s and cannot be interrupted: it runs no Python code, or catches "
                "everything. The runtime stands still until it returns:\n%s",
                what, 2 * self.patience, "".join(traceback.format_list(stack)),
            )  # fmt: skip


class _Watched:
    """An object with some methods replaced."""

    def __init__(self, made: Any, methods: dict[str, Callable[..., Any]]) -> None:
        self._made = made
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)


def _raiser() -> Any:
    """CPython's way into another thread, taking an exception class; None where there is no such way."""
    form = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.py_object)
    try:
        return form(("PyThreadState_SetAsyncExc", ctypes.pythonapi))
    except (AttributeError, ValueError):
        return None


_interrupt: Final = _raiser()
