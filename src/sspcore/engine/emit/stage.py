"""Stages: what a plan is cut into, each a pipe that is compiled or an operator that is not.

Owns the cut and the wiring: which node feeds which. Refuses to run anything; that is `engine/program`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from sspcore.codegen.source import Source
from sspcore.engine.emit.cells import Recipe
from sspcore.engine.emit.pipe import Pipe, Schemas, pipe_of
from sspcore.engine.emit.rows import RowsEmitter
from sspcore.plan import nodes, traverse


@attrs.frozen
class Input:
    """Where a node's rows come from: a table, or (`node`) another node of the program."""

    table: str | None = None
    node: int = -1


@attrs.frozen(eq=False)
class Compiled:
    """A pipe that became code: its source, and the functions that `make` gives, by name, in order."""

    source: Source
    functions: tuple[str, ...]
    make: Callable[..., tuple[Any, ...]]
    varying: tuple[str, ...]
    """The cells that read parameters."""

    @property
    def recipes(self) -> Sequence[Recipe]:
        """How the cells get their values, in the order of `make`."""
        return list(self.source.cells.values())

    @property
    def result(self) -> str:
        """What `make` returns."""
        return f"({', '.join(self.functions)},)"

    def listing(self) -> str:
        """The code with its notes."""
        return self.source.listing(self.result)


@attrs.frozen(eq=False)
class Node:
    """A part of the program: `plan` is its topmost node; `inputs` where its rows come from, one per leaf or child."""

    plan: nodes.Plan
    inputs: tuple[Input, ...]
    code: Compiled | None = None
    """None: `plan` runs as the operator of its kind."""


class Cutter:
    """Cuts a plan into nodes, inputs before what they feed."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self.nodes: list[Node] = []

    def cut(self, plan: nodes.Plan) -> Input:
        """Where the rows of a plan come from; the nodes that give them are appended."""
        pipe = pipe_of(plan, self._schemas)
        first = pipe.leaves[0]
        if pipe.is_table and first.table is not None:
            return Input(first.table)
        if first.table is None and first.plan is plan:  # nothing of it is a pipe
            return self._operator(plan)
        return self._append(Node(plan, self._inputs(pipe), emitted(RowsEmitter, pipe)))

    def _operator(self, plan: nodes.Plan) -> Input:
        return self._append(Node(plan, tuple([self.cut(child) for child in traverse.children(plan)])))

    def _inputs(self, pipe: Pipe) -> tuple[Input, ...]:
        return tuple([Input(leaf.table) if leaf.table is not None else self.cut(leaf.plan) for leaf in pipe.leaves])

    def _append(self, node: Node) -> Input:
        self.nodes.append(node)
        return Input(node=len(self.nodes) - 1)


def emitted(emitter: Callable[[Source, Pipe], Any], pipe: Pipe) -> Compiled:
    """The code an emitter writes for a pipe, compiled."""
    source = Source()
    functions = list(emitter(source, pipe).emit())
    varying = tuple([name for name, recipe in source.cells.items() if recipe.varies])
    if varying:
        functions.append("rebind")
        with source.block(f"def rebind({', '.join(['new_' + name for name in varying])}):"):
            source.note("other values for the parameters")
            source.line(f"nonlocal {', '.join(varying)}")
            for name in varying:
                source.line(f"{name} = new_{name}")
    return Compiled(source, tuple(functions), source.make(f"({', '.join(functions)},)"), varying)
