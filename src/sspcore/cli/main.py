"""The command `sspcore`: its arguments, and how errors and signals become exit codes.

Owns the parser and the exit codes: 0 done; 1 the data were refused or did not verify; 2 the command cannot be
understood or started; 130 interrupted. Each command lives in its own module, imported when it is used.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module

from sspcore.cli import arguments
from sspcore.errors import Full, InternalError, SspError, UsageError

DONE, REFUSED, MISUSED, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Expected errors are one clear message on standard error, never a traceback."""
    try:
        options = arguments.parser().parse_args(argv)
        return _run(options)
    except SystemExit as stop:  # argparse has printed its help or its complaint
        return stop.code if isinstance(stop.code, int) else MISUSED


def _run(options: argparse.Namespace) -> int:
    try:
        _check_streams(options)
        run: Callable[[argparse.Namespace], int] = import_module(f"sspcore.cli.{options.command}").run
        code = run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _abandon_output()  # the reader has seen enough (`| head`)
        return DONE
    except OSError as error:  # a full disk, a terminal that went away
        print(f"sspcore: {error.strerror or error}", file=sys.stderr)
        _abandon_output()
        return REFUSED
    except SspError as error:
        complain(error)
        return MISUSED if isinstance(error, UsageError) else REFUSED


def _check_streams(options: argparse.Namespace) -> None:
    if sys.stdout is None:
        raise UsageError("standard output is closed")
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() not in ("utf-8", "utf8"):
        sys.stdout.reconfigure(encoding="utf-8")  # JSON and CSV are UTF-8 whatever the locale
    try:
        getattr(options, "sql", "").encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError("the query is not UTF-8 text") from None


def _abandon_output() -> None:
    """Nothing more can be written; without this Python would complain once more while closing standard output."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(error: SspError) -> None:
    """One error, for people: what happened, then what to do."""
    if isinstance(error, InternalError):
        print(f"sspcore: internal error, please report it: {error}", file=sys.stderr)
        return
    text = str(error)
    if error.hint and not isinstance(error, Full) and "\n" not in text:
        text = text.replace(f"{error.message}; {error.hint}", f"{error.message}\n  hint: {error.hint}")
    print(f"sspcore: {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
