"""Raising at every k-th primitive: each line of the engine that a commit executes is one.

`Interrupt(after, where)` is a context in which the k-th traced line raises, as an interrupt or a bug would, at a place
nobody chose. No seam in the engine is needed, and none can be forgotten.
"""

from __future__ import annotations

import linecache
import sys
from pathlib import Path

import sspcore

SOURCE = Path(sspcore.__file__).parent


class Stop(BaseException):
    """What cancels from outside: no `except Exception` sees it."""


class Bug(Exception):
    """What a programming slip inside an operator raises."""


class Interrupt:
    """Raise `error` at the k-th line executed in modules under one of the folders; `fired` tells if it came to that.

    `but` names modules left in peace: the way back itself (`undo.py`) must be allowed to finish. `generated`: lines of
    generated code count too.
    """

    def __init__(self, after, error=Stop, under=("engine", "algebra"), but=("engine/undo.py",), generated=False):
        self.left, self.error, self.fired = after, error, False
        self.files = {}
        self.under = tuple(str(SOURCE / folder) for folder in under) + ("<sspcore ",) * generated
        self.but = tuple(str(SOURCE / file) for file in but)

    def __enter__(self):
        self.previous = sys.gettrace()
        sys.settrace(self.call)
        return self

    def __exit__(self, *_):
        sys.settrace(self.previous)

    def wanted(self, file):
        known = self.files.get(file)
        if known is None:
            known = self.files[file] = file.startswith(self.under) and not file.startswith(self.but)
        return known

    def call(self, frame, event, _):
        return self.line if self.wanted(frame.f_code.co_filename) else None

    def line(self, frame, event, _):
        # A bare `try:` is a no-op outside its own handler's range; no real interrupt can land between the two.
        if event == "line" and linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip() != "try:":
            self.left -= 1
            if self.left < 0:
                self.fired = True
                sys.settrace(None)
                raise self.error(f"{frame.f_code.co_qualname}:{frame.f_lineno}")
        return self.line


def break_steps(kept, error=Bug):
    """From now on this materialisation raises whenever it advances; a fresh maintainer does not."""

    def step(changes):
        raise error("planted in a step")

    kept.steps = dict.fromkeys(kept.steps, step)
    kept.row = kept.row and step


def break_for_good(kept, patch, error=Bug):
    """From now on it raises when it advances, and when it is hydrated anew."""
    break_steps(kept, error)
    real = type(kept).hydrate

    def hydrate(self, tables):
        if self is kept:
            raise error("planted in hydrate")
        real(self, tables)

    patch.setattr(type(kept), "hydrate", hydrate)
