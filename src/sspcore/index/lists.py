"""Source for the questions answered by a list: whom a change can touch, and whose predicate holds for a row.

Owns the text of `touch` and `route`. Refuses to know what `emit` owns, how rows are fetched and lanes probed.
"""

from __future__ import annotations

from typing import Any

from sspcore.index.emit import Fallback, Writer
from sspcore.index.lanes import EqualityLane, Lane, ScanLane


class ListsWriter(Writer):
    """Writes `touch` or `route`."""

    def _append(self, text: str) -> str:
        return f"out.append({text})"

    def _extend(self, text: str) -> list[str]:
        return [f"out += {text}"]

    def _start(self, always: Any, repeats: bool) -> None:
        self.source.cells["always"] = always
        self.source.line("out = list(always) if always else []")
        if repeats:
            self.source.line("h = 0")

    def _finish(self, repeats: bool) -> None:
        self.source.line("return list(unique(out)) if h > 1 else out" if repeats else "return out")

    def touch(self, always: Any, fall: Fallback) -> Any:
        """`touch(old, new)`: ids whose cover one of the rows meets, each once; what is scanned is judged."""
        source = self.source
        with source.block("def touch(orow, nrow):"):
            with source.block("try:"):
                with source.block("if orow is None or nrow is None:"):
                    with source.block("if nrow is None:"):
                        source.line("nrow = orow")
                    repeats = any(lane.several == 2 for lane in self.lanes)
                    self.fetch("n", False)
                    self._start(always, repeats)
                    for at in self.runs("n"):
                        self._touch_one(at, repeats)
                    self._finish(repeats)
                repeats = any(lane.several or not isinstance(lane, EqualityLane) for lane in self.lanes)
                self.fetch("n", False)
                self.fetch("o", False)
                self.compare(False)
                self._start(always, repeats)
                for at in self.runs("n", "o"):
                    self._touch_two(at, repeats)
                self._finish(repeats)
            self.close("touch", fall, "orow, nrow")
        return source.build("touch")

    def _touch_one(self, at: int, repeats: bool) -> None:
        lane = self.lanes[at]
        if isinstance(lane, ScanLane):
            self._judge_scan(at, self.named(self._text(at), "n"), repeats and lane.several == 2)
        else:
            self.probe(at, "n", lambda: self._touched(lane, "None, nrow", repeats and lane.several == 2))

    def _touch_two(self, at: int, repeats: bool) -> None:
        lane = self.lanes[at]
        if isinstance(lane, ScanLane):
            condition = self.conditions[at]
            assert condition is not None
            text = self._text(at)
            both = f"{self.named(text, 'n')} or not ({self.untouched(condition)}) and {self.named(text, 'o')}"
            self._judge_scan(at, both, bool(lane.several))
            return
        counted = bool(lane.several) or not isinstance(lane, EqualityLane)
        rows = "None, nrow"
        if lane.shape is not None:
            rows = f"orow if {self.equal(lane)} else None, nrow"
        self.probe(at, "n", lambda: self._touched(lane, rows, counted))
        with self.source.block(f"if not ({self.equal(lane)}):"):
            self.probe(at, "o", lambda: self._touched(lane, "orow, None", counted))

    def _touched(self, lane: Lane, rows: str, counted: bool) -> None:
        source = self.source
        if counted:
            source.line("h += 1")
        if lane.shape is None:
            self.posting(self._append, self._extend)
            return
        source.line("k = type(x)")
        with source.block("if k is tuple:"):
            source.line("out.append(x[0])")
        with source.block("elif k is list:"), source.block("for s in x:"):
            source.line("out.append(s[0])")
        with source.block("else:"):
            source.line(f"out += x.touch({rows})")

    def _text(self, at: int) -> str:
        condition = self.conditions[at]
        assert condition is not None
        return condition.text

    def _judge_scan(self, at: int, test: str, counted: bool) -> None:
        source = self.source
        with self.scan(at), source.block(f"if {test}:"):
            if counted:
                source.line("h += 1")
            if self.counter is not None:
                source.line(f"lane{at}.hits += 1")
            self.posting(self._append, self._extend)

    def route(self, always: Any, fall: Fallback) -> Any:
        """`route(row)`: ids whose predicate is TRUE of the row, each once."""
        source = self.source
        repeats = any(lane.several == 2 for lane in self.lanes)
        with source.block("def route(nrow):"):
            with source.block("try:"):
                self.fetch("n", True)
                self._start(always, repeats)
                for at in self.runs("n"):
                    lane = self.lanes[at]
                    if isinstance(lane, ScanLane):
                        self._judge_scan(at, self.named(self._text(at), "n"), lane.several == 2)
                    else:
                        self.probe(at, "n", lambda at=at: self._routed(at))  # type: ignore[misc]
                self._finish(repeats)
            self.close("route", fall, "nrow")
        return source.build("route")

    def _routed(self, at: int) -> None:
        lane, condition, source = self.lanes[at], self.conditions[at], self.source
        if condition is None:
            if lane.several == 2:
                source.line("h += 1")
            self.posting(self._append, self._extend)
            return

        def nested() -> None:
            source.line("out += x.route(nrow)")
            if lane.several == 2:
                source.line("h += 1")

        def tested() -> None:
            with source.block(f"if {self.met(at, 'n')}:"):
                source.line("out.append(s)")
                if lane.several == 2:
                    source.line("h += 1")

        self.members(at, tested, nested)
