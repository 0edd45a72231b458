"""The taxonomy of errors: who is at fault, what happened, with which values, and what to do next.

Owns every exception class the library raises on purpose. Refuses to know where they are raised.
Each class has a stable machine `code`; edges (HTTP, WebSocket, command line) translate by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class SspError(Exception):
    """Root of all errors the library raises on purpose.

    `code` is stable and meant for programs, `message` says what happened with which values,
    `hint` says what to do next (it may be empty).

    >>> str(SspError("something broke", hint="try again"))
    'something broke; try again'
    """

    code = "error"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message

    def as_dict(self) -> dict[str, Any]:
        """The error as plain values, for the wire."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class UsageError(SspError):
    """The caller asked for something that cannot be done as asked."""

    code = "usage"


class PlanError(UsageError):
    """A plan (or JSON plan) is malformed; `path` is the place, such as `$.input.predicate.args[0]`."""

    code = "plan"

    def __init__(self, message: str, path: str = "$", *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path

    def __str__(self) -> str:
        return f"{super().__str__()} @ {self.path}"

    def as_dict(self) -> dict[str, Any]:
        return super().as_dict() | {"path": self.path}


class SqlError(UsageError):
    """SQL text cannot be understood; carries the line and column (from 1) and draws a caret under the place."""

    code = "sql"

    def __init__(self, message: str, sql: str = "", line: int = 1, column: int = 1, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.sql, self.line, self.column = sql, line, column

    @property
    def caret(self) -> str:
        """The offending line of the SQL with a caret under the column."""
        lines = self.sql.splitlines() or [""]
        text = lines[min(self.line, len(lines)) - 1]
        column = max(1, min(self.column, len(text) + 1))
        start = max(0, column - 60)
        shown = text[start : column + 60].replace("\t", " ")
        return f"{shown}\n{' ' * (column - 1 - start)}^"

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}: " if self.sql else ""
        return f"{place}{super().__str__()}" + (f"\n{self.caret}" if self.sql else "")

    def as_dict(self) -> dict[str, Any]:
        more = {"line": self.line, "column": self.column, "caret": self.caret if self.sql else ""}
        return super().as_dict() | more


class UnsupportedSql(SqlError):
    """SQL that is valid but outside what is kept live; `hint` says what to write instead."""

    code = "unsupported_sql"


class SchemaError(UsageError):
    """A schema is malformed, or contradicts one that exists."""

    code = "schema"


class ConfigError(UsageError):
    """A configuration is malformed; the message names each place as `$.path`."""

    code = "config"


class UnknownName(UsageError):
    """Nothing has this name; the hint names the nearest that exists."""

    code = "unknown"
    kind = "name"

    def __init__(self, name: object, known: Iterable[str] = ()) -> None:
        names = sorted(str(k) for k in known)
        super().__init__(f"unknown {self.kind} {name!r}", hint=did_you_mean(str(name), names))
        self.name = name


class UnknownCircuit(UnknownName):
    """No circuit has this name."""

    code, kind = "unknown_circuit", "circuit"


class UnknownView(UnknownName):
    """No view has this id."""

    code, kind = "unknown_view", "view"


class UnknownTable(UnknownName):
    """No table has this name."""

    code, kind = "unknown_table", "table"


class AlreadyExists(UsageError):
    """The name is taken by something else."""

    code = "already_exists"


class Busy(UsageError):
    """The circuit is in the midst of a commit that is done in slices; it serves nothing until that ends."""

    code = "busy"


class Closed(UsageError):
    """The object was closed, stopped or destroyed by its owner before this call."""

    code = "closed"


class ChangeRejected(SspError):
    """A change is refused, and with it its whole batch: nothing was applied.

    `index` is its place in the batch, `place` the place inside the change where known, such as `.row.dep_delay`.
    """

    code = "change_rejected"

    def __init__(
        self, message: str, *, index: int | None = None, change: object = None, hint: str = "", place: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.index, self.change, self.place = index, change, place

    @property
    def path(self) -> str:
        """Where the fault lies, such as `$[3].row.dep_delay`; empty when not known."""
        if self.index is None:
            return f"${self.place}" if self.place else ""
        return f"$[{self.index}]{self.place}"

    def __str__(self) -> str:
        return f"{super().__str__()} @ {self.path}" if self.path else super().__str__()

    def as_dict(self) -> dict[str, Any]:
        more = {} if self.index is None else {"index": self.index}
        return super().as_dict() | more | ({"path": self.path} if self.path else {})


class Full(SspError):
    """A queue is full and the policy refuses to wait; nothing was accepted. Try again after `retry_after` seconds."""

    code = "full"

    def __init__(self, message: str, *, depth: int, capacity: int, retry_after: float, hint: str = "") -> None:
        advice = f"try again in {retry_after:g} s, send less at once, or raise the capacity"
        super().__init__(message, hint=hint or advice)
        self.depth, self.capacity, self.retry_after = depth, capacity, retry_after

    def as_dict(self) -> dict[str, Any]:
        more = {"depth": self.depth, "capacity": self.capacity, "retry_after": self.retry_after}
        return super().as_dict() | more


class PluginError(SspError):
    """A plugin is at fault: the message names the plugin, the hook, the offending definition and the law it broke."""

    code = "plugin"


class PeerError(SspError):
    """The remote end broke the protocol; `reply` is the message to answer with."""

    code = "peer"

    def __init__(self, message: str, *, code: str = "peer", hint: str = "", reply: object = None) -> None:
        super().__init__(message, hint=hint, code=code)
        self.reply = reply


class CircuitFailed(SspError):
    """A circuit gave up, or a view of it failed; its state is derived anew, or waits for an operator."""

    code = "circuit_failed"


class TooExpensive(SspError):
    """A limit would be passed: the message names it and the actual value."""

    code = "too_expensive"

    def __init__(self, what: str, *, limit: int, actual: int, hint: str = "") -> None:
        super().__init__(f"{what}: {actual} is above the limit of {limit}", hint=hint)
        self.limit, self.actual = limit, actual


class Forbidden(SspError):
    """The principal has no right to do this."""

    code = "forbidden"


class NotCovered(SspError):
    """A one-off query needs rows of `table` that this circuit does not hold."""

    code = "not_covered"

    def __init__(self, table: str, interest: str = "ALL") -> None:
        super().__init__(
            f"the circuit does not hold the rows of table {table!r} that the query needs ({interest})",
            hint="run the query over the runtime's base tables (runtime.query), or register it as a view",
        )
        self.table, self.interest = table, interest


class InternalError(SspError):
    """Our own bug: please report it with this text."""

    code = "internal"


def shown(value: object) -> str:
    """A value as a message shows it: its repr cut to 80 characters, or its type where a repr is not to be had.

    >>> shown("x" * 100)[-4:]
    'xxx…'
    """
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  nested too deep, an integer of too many digits, a hostile __repr__
        return f"<{type(value).__name__}>"
    return text if len(text) <= 80 else text[:79] + "…"


def defined_at(function: object) -> str:
    """Where a plugin's function or method is defined, for a message: " (file:line)", or nothing where it is no Python.

    >>> defined_at(print)
    ''
    """
    while (wrapped := getattr(function, "__wrapped__", None)) is not None:
        function = wrapped
    code = getattr(function, "__code__", None)
    return "" if code is None else f" ({code.co_filename}:{code.co_firstlineno})"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint naming the nearest known name, or the known names when few, or nothing.

    >>> did_you_mean("staus", ["id", "status"])
    "did you mean 'status'?"
    """
    names = list(known)
    folded = {n.casefold(): n for n in names}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    if 0 < len(names) <= 12:
        return "known: " + ", ".join(names)
    return ""
