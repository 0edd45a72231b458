"""Imports point inwards: algebra ← plan ← engine ← …, pure ← runtime ← edges; the table is in rings.py."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.rings import (
    GENERATES_CODE,
    IMPURE,
    IMPURE_CALLS,
    IMPURE_METHODS,
    MAY_IMPORT,
    PURE,
    ROOT,
    TYPES_ONLY,
    imports,
    modules,
    room_of,
    tree,
)

ROOMS = sorted({room_of(name) for name in modules()} - {"sspcore"})


def faults_of_imports(room: str, path: Path) -> list[str]:
    """Each import of one file that its room may not have, with the rule and the remedy."""
    faults = []
    allowed = MAY_IMPORT[room] | {room, "errors", "abc"}
    for name, line, types_only, inside in imports(path):
        place = f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}:{line}"
        top, _, rest = name.partition(".")
        if top == "sspcore":
            target = room_of(rest)
            if target not in MAY_IMPORT:
                faults.append(
                    f"{place}: imports {name} from the facade; the library imports from the room that defines a name, "
                    f"the facade is for users"
                )
            elif target not in allowed and not (types_only and target in TYPES_ONLY.get(room, ())):
                faults.append(
                    f"{place}: {room} may not import {target} (it may: {', '.join(sorted(allowed))}); "
                    f"move what is needed inwards, or pass it as an argument"
                )
        elif room in PURE and top in IMPURE:
            faults.append(
                f"{place}: {room} is pure and may not import {top}; take time, chance, codecs and files as arguments"
            )
        elif top == "sqlglot" and not path.is_relative_to(ROOT / "src/sspcore/plan/sql"):
            faults.append(f"{place}: only plan/sql knows sqlglot; ask it to lower the SQL")
        eager = rest.startswith("plan.sql") and not inside and not path.is_relative_to(ROOT / "src/sspcore/plan/sql")
        if eager and (room in PURE or room == "runtime"):  # an edge is loaded when it is used
            faults.append(f"{place}: plan.sql brings sqlglot; import it inside the function that lowers SQL")
    return faults


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_its_ring_allows(room):
    assert room in MAY_IMPORT, f"{room} is a new room: give it a line in tests/architecture/rings.py"
    faults = [f for name, path in modules().items() if room_of(name) == room for f in faults_of_imports(room, path)]
    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.parametrize("room", [room for room in ROOMS if room in PURE])
def test_a_pure_room_reads_no_clock_and_touches_no_file(room):
    faults = []
    for name, path in modules().items():
        if room_of(name) != room:
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await) and room != "abc":
                faults.append(f"{path.relative_to(ROOT)}:{node.lineno}: the pure ring never waits; runtime/ does")
            if not isinstance(node, ast.Call):
                continue
            function = node.func
            if room == GENERATES_CODE and isinstance(function, ast.Name) and function.id in ("exec", "compile"):
                continue
            if (isinstance(function, ast.Name) and function.id in IMPURE_CALLS) or (
                isinstance(function, ast.Attribute) and function.attr in IMPURE_METHODS and not node.args
            ):
                faults.append(
                    f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(function)}() is not pure; pass it in"
                )
    assert not faults, "\n" + "\n".join(faults)


def calls_of(name: str, path: Path) -> list[str]:
    """Where a file calls a builtin, directly or handed on by name."""
    return [
        f"{path.name}:{node.lineno}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]


def test_code_is_made_in_one_room_only():
    """Not in the pure ring, not at the edges: whatever runs as code went through codegen's checks."""
    places = {
        builtin: {name for name, path in modules().items() if calls_of(builtin, path)}
        for builtin in ("exec", "compile", "eval", "__import__")
    }
    assert places == {"exec": {"codegen.source"}, "compile": {"codegen.source"}, "eval": set(), "__import__": set()}


def test_nothing_in_the_library_leans_on_the_test_kit():
    leaning = {room for room, allowed in MAY_IMPORT.items() if "testing" in allowed}
    assert not leaning


def test_the_table_has_no_cycle():
    """A room reachable from itself would make the order of the rings a matter of opinion."""
    for start in MAY_IMPORT:
        seen: set[str] = set()
        todo = list(MAY_IMPORT[start])
        while todo:
            room = todo.pop()
            if room not in seen:
                seen.add(room)
                todo += MAY_IMPORT[room]
        assert start not in seen, f"{start} may reach itself through the table"


@pytest.mark.parametrize(
    ("room", "code", "rule"),
    [
        ("algebra", "from sspcore.plan.nodes import Plan", "algebra may not import plan"),
        ("engine", "from sspcore.runtime.runtime import Runtime", "engine may not import runtime"),
        ("engine", "def f():\n    import time", "engine is pure and may not import time"),
        ("backpressure", "from sspcore.engine.change import Change", "backpressure may not import engine"),
        ("wire", "from sspcore import Circuit", "facade is for users"),
        ("cli", "import sqlglot", "only plan/sql knows sqlglot"),
        ("engine", "from sspcore.plan.sql import lower", "import it inside the function"),
        ("sidecar", "from sspcore.testing.oracle import Oracle", "sidecar may not import testing"),
        ("abc", "from sspcore.engine.change import Change", "abc may not import engine"),
    ],
)
def test_the_reading_of_imports_finds_each_kind_of_fault(tmp_path, room, code, rule):
    path = tmp_path / "planted.py"
    path.write_text(code)
    (fault,) = faults_of_imports(room, path)
    assert rule in fault


def test_types_alone_may_be_named_by_the_protocols(tmp_path):
    path = tmp_path / "protocols.py"
    path.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sspcore.engine.change import Change\n"
    )
    assert [] == faults_of_imports("abc", path)
