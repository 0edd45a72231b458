"""The table of who may import whom, and the reading of the source tree that the tests here share."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "sspcore"

PURE = (
    "algebra", "plan", "codegen", "index", "engine", "routing", "ingress", "delivery", "wire", "backpressure", "errors",
    "abc",
)  # fmt: skip
"""Rooms that are synchronous and deterministic: whatever varies is an argument."""

MAY_IMPORT = {
    # pure ring: algebra ← plan ← codegen ← index ← engine ← routing ← ingress; engine ← delivery ← wire;
    # backpressure stands alone, and admission asks it
    "errors": set[str](),
    "abc": set[str](),
    "algebra": {"errors"},
    "plan": {"algebra"},
    "codegen": {"algebra", "plan"},
    "index": {"algebra", "plan", "codegen"},
    "engine": {"algebra", "plan", "codegen", "index"},
    "routing": {"algebra", "plan", "codegen", "index", "engine"},
    "ingress": {"algebra", "plan", "engine", "routing", "backpressure"},
    "delivery": {"algebra", "plan", "engine"},
    "wire": {"algebra", "plan", "engine", "delivery"},
    "backpressure": set[str](),
    # runtime ring: obeys the pure ring; what was configured and plugged in comes to it through these three
    "runtime": {*PURE, "config", "hookspecs", "plugins"},
    # edges: they translate
    "config": {*PURE},
    "hookspecs": {*PURE, "config"},
    "plugins": {*PURE, "config", "hookspecs", "builtins", "plugin_checks"},
    "plugin_checks": {*PURE, "config"},
    "builtins": {*PURE, "config", "hookspecs"},
    "sources": {*PURE},
    "sidecar": {*PURE, "runtime", "config", "hookspecs", "plugins"},
    "demo": {*PURE, "runtime", "config", "sources", "sidecar"},
    "cli": {*PURE, "runtime", "config", "hookspecs", "plugins", "sources", "sidecar", "demo"},
    # the public kit for tests: nothing in the library may lean on it
    "testing": {*PURE, "runtime"},
}
"""Room → the rooms it may import, itself and `errors` and `abc` apart, which all may."""

TYPES_ONLY = {"abc": set(PURE)}
"""Rooms a room may name in annotations (under TYPE_CHECKING) only: a protocol speaks of what others define."""

IMPURE = {
    "asyncio", "concurrent", "glob", "io", "logging", "msgspec", "multiprocessing", "orjson", "os", "pathlib", "pluggy",
    "queue", "random", "rich", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl", "starlette",
    "subprocess", "sys", "tempfile", "threading", "time", "trio", "trio_websocket", "hypercorn", "urllib", "uuid",
}  # fmt: skip
"""What the pure ring never imports: time, chance, the world outside, and what a browser's Python lacks."""

IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "compile", "__import__", "globals"}
"""Builtins the pure ring never calls; `datetime.now()` and its like are looked for apart."""

GENERATES_CODE = "codegen"
"""The one room that may call `exec` and `compile`: what generated code may hold is decided there."""

IMPURE_METHODS = {"now", "today", "utcnow"}


@cache
def modules() -> dict[str, Path]:
    """Dotted name (without `sspcore.`; the facade is `sspcore`) → file, for every module of the library."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        found[".".join(parts) or "sspcore"] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def room_of(module: str) -> str:
    return module.split(".")[0]


def imports(path: Path) -> Iterator[tuple[str, int, bool, bool]]:
    """Every import of a file: (dotted name, line, for types only, inside a function)."""
    yield from _imports(tree(path), types_only=False, inside=False)


def _imports(node: ast.AST, types_only: bool, inside: bool) -> Iterator[tuple[str, int, bool, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield alias.name, child.lineno, types_only, inside
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{child.lineno}: relative imports hide the room; write it out"
            for alias in child.names:
                yield f"{child.module}.{alias.name}", child.lineno, types_only, inside
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            yield from _imports(child, True, inside)
        else:
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, types_only, inside or function)
