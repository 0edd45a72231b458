"""`sspcore bench`: finds the benchmarks, in the repository or beside the installed package, and runs them.

Owns where they are. They are no part of the library: nothing else imports them.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import cast

from sspcore import errors
from sspcore.errors import UsageError


def run(options: argparse.Namespace) -> int:
    """Run the benchmarks; 0, or 1 when sspcore itself gave a wrong answer. Raises UsageError."""
    folder = home()
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    if options.what != "all":
        return _run(options.what, options)
    if options.only:
        raise UsageError("--only names workloads of one benchmark", hint="say `sspcore bench engine` or `routing`")
    return max(_run(part, _apart(options, part)) for part in ("engine", "routing"))


def _run(part: str, options: argparse.Namespace) -> int:
    return cast(int, import_module(f"benchmarks.{part}.main").run(options))


def _apart(options: argparse.Namespace, part: str) -> argparse.Namespace:
    """The same, with files of its own: run.json becomes run-engine.json and run-routing.json."""

    def own(name: str | None) -> str | None:
        path = Path(name or "")
        return str(path.with_stem(f"{path.stem}-{part}")) if name and path.suffix else name

    return argparse.Namespace(**vars(options) | {"json": own(options.json), "plot": own(options.plot)})


def home() -> Path:
    """The folder that holds the package `benchmarks`: the checkout's root, or what the wheel brought along."""
    package = Path(errors.__file__).resolve().parent
    for folder in (package.parents[1], package / "_bundled"):
        if (folder / "benchmarks" / "engine" / "main.py").is_file():
            return folder
    raise UsageError("the benchmarks are not installed", hint="run `make bench` in a checkout of the repository")
