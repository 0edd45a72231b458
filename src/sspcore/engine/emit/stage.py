"""Stages: what a plan is cut into, each a pipe that is compiled or an operator that is not.

Owns the cut and the wiring: which node feeds which. Refuses to run anything; that is `engine/program`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from sspcore.codegen.source import Source
from sspcore.engine.emit.aggregate import Grouping, GroupsEmitter, has_emitter
from sspcore.engine.emit.cells import Binding, Recipe
from sspcore.engine.emit.judging import JudgingEmitter
from sspcore.engine.emit.marking import MarkingEmitter
from sspcore.engine.emit.membership import MembershipEmitter
from sspcore.engine.emit.nest import NestEmitter, Nesting, is_whole
from sspcore.engine.emit.pairs import PairsEmitter
from sspcore.engine.emit.pipe import MOST_NODES, Leaf, Pipe, Schemas, foreign, pipe_of
from sspcore.engine.emit.rows import RowsEmitter
from sspcore.engine.emit.sides import Matched, Sides, is_matched
from sspcore.engine.emit.tallying import TallyingEmitter
from sspcore.engine.emit.topk import Ordering, TopKEmitter
from sspcore.engine.operators.base import Meter
from sspcore.plan import nodes, traverse
from sspcore.plan.expressions import (
    Column,
    Constant,
    Expression,
    columns_read,
    conjuncts,
    remap,
    shift,
    substitute,
    walk,
)  # fmt: skip
from sspcore.plan.types import type_of


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
    steady: list[Any]
    """The values of the cells, in the order of `make`, where they are the same in every view; None elsewhere."""
    moving: tuple[tuple[int, Callable[[Binding], Any]], ...]
    """The places of the other cells, and how they get their values."""
    columns: tuple[tuple[str, ...], ...]
    """The columns of the rows it reads, for each leaf."""
    given: int
    """The inputs whose rows `hydrate` takes, the first so many; others are looked up."""
    value: int = attrs.field(init=False)
    rebind: int = attrs.field(init=False)
    window: int = attrs.field(init=False)
    row: int = attrs.field(init=False)
    idle: int = attrs.field(init=False)
    anew: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        for name in ("value", "rebind", "window", "row", "idle", "anew"):
            object.__setattr__(self, name, self.place(name))

    def bind(self, binding: Binding) -> tuple[Any, ...]:
        """The functions of one view."""
        values = self.steady.copy()
        for at, make in self.moving:
            values[at] = make(binding)
        return self.make(*values)

    def place(self, function: str) -> int:
        """Where `bind` gives a function; 0 when it does not (there stands `hydrate`)."""
        return self.functions.index(function) if function in self.functions else 0

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

    @property
    def top(self) -> nodes.TopK | None:
        """The top-k it is, or ends in below a projection."""
        plan = self.plan.input if isinstance(self.plan, nodes.Project) and self.code is not None else self.plan
        return plan if isinstance(plan, nodes.TopK) and (self.code is None or self.code.window) else None


class Cutter:
    """Cuts a plan into nodes, inputs before what they feed."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._whole: nodes.Plan | None = None
        self.nodes: list[Node] = []

    def cut_whole(self, plan: nodes.Plan) -> Input:
        """Where the rows of the whole plan come from."""
        self._whole = plan
        return self.cut(plan)

    def cut(self, plan: nodes.Plan) -> Input:
        """Where the rows of a plan come from; the nodes that give them are appended."""
        match plan:
            case nodes.Aggregate() if self.emits(plan):
                return self._aggregate(plan)
            case nodes.Distinct() if self.emits(plan):
                pipe, values = self._single(plan.input, _columns(plan))
                return self._sink(plan, pipe, GroupsEmitter, Grouping(tuple(values), ()))
            case nodes.TopK() if self.emits(plan):
                return self._top(plan, plan)
            case nodes.Nest() if self.emits(plan):
                return self._nest(plan)
            case nodes.Project(nodes.TopK() as top) if self.emits(top):
                return self._top(plan, top)
        pipe = pipe_of(plan, self._schemas)
        first = pipe.leaves[0]
        if pipe.is_table and first.table is not None:
            return Input(first.table)
        if first.table is None and is_matched(first.plan):
            return self._matched(plan, first.plan, pipe)
        if first.table is None and first.plan is plan:  # nothing of it is a pipe
            return self._operator(plan)
        return self.cut_pipe(plan, pipe)

    def emits(self, plan: nodes.Plan) -> bool:
        """True when a node that keeps state can be code. A top-k must be able to read its input again."""
        match plan:
            case nodes.Aggregate():
                return has_emitter([call for _, call in plan.aggregates])
            case nodes.Distinct():
                return bool(traverse.columns(plan))
            case nodes.TopK():
                return plan.limit is not None and not plan.partition and self._anew(plan.input)
            case nodes.Nest():
                return plan.residual is None
        return False

    def _anew(self, plan: nodes.Plan) -> bool:
        """True when a plan's rows can be had anew: from tables, or from what a compiled node keeps."""
        leaves = pipe_of(plan, self._schemas).leaves
        if all(leaf.table is not None for leaf in leaves):
            return True
        below = leaves[0].plan
        if not is_matched(below):
            return self.emits(below)
        return not (isinstance(below, nodes.Join) and below.kind in ("right", "full")) and self._anew(below.left)

    def _top(self, plan: nodes.TopK | nodes.Project, top: nodes.TopK) -> Input:
        """A top-k, with the projection above it: what a row shows is worked out for the visible ones only."""
        outputs = [e for _, e in plan.columns] if isinstance(plan, nodes.Project) else _columns(top)
        pipe, expressions = self._single(top.input, [*outputs, *[term.expression for term in top.order]])
        terms = [attrs.evolve(t, expression=e) for t, e in zip(top.order, expressions[len(outputs) :], strict=True)]
        pipe = attrs.evolve(pipe, outputs=tuple(expressions[: len(outputs)]), names=traverse.columns(plan))
        return self._sink(plan, pipe, TopKEmitter, Ordering(tuple(terms), top))

    def _aggregate(self, plan: nodes.Aggregate) -> Input:
        arguments = [call.argument for _, call in plan.aggregates if call.argument is not None]
        pipe, expressions = self._single(plan.input, [*[e for _, e in plan.groups], *arguments])
        read = iter(expressions[len(plan.groups) :])
        calls = [
            call if call.argument is None else attrs.evolve(call, argument=next(read)) for _, call in plan.aggregates
        ]
        grouping = Grouping(tuple(expressions[: len(plan.groups)]), tuple(calls), bool(plan.groups))
        return self._sink(plan, pipe, GroupsEmitter, grouping)

    def _nest(self, plan: nodes.Nest) -> Input:
        """A nest over two pipes: parents and children are read as they come, whatever filters and cuts them."""
        width, shown = len(traverse.columns(plan.left)), traverse.shown(plan)
        left, ours = self._single(plan.left, [*_columns(plan.left), *[a for a, _ in plan.on]])
        left = attrs.evolve(left, outputs=tuple(ours[:width]), names=traverse.columns(plan.left))
        inputs = self._inputs(left)
        theirs = [*[b for _, b in plan.on], *[e for _, e in shown], *[term.expression for term in plan.order]]
        right, found = self._single(plan.right, theirs)
        inputs += self._inputs(right)
        read = iter(found)
        nesting = Nesting(
            plan, is_whole(plan, pipe_of(plan.right, self._schemas)), right, tuple(ours[width:]),
            tuple([next(read) for _ in plan.on]),
            shown=tuple([(name, next(read)) for name, _ in shown]),
            order=tuple([attrs.evolve(term, expression=next(read)) for term in plan.order]),
        )  # fmt: skip
        both = attrs.evolve(left, leaves=left.leaves + right.leaves)
        return self._append(Node(plan, inputs, emitted(lambda source, _: NestEmitter(source, left, nesting), both)))

    def _single(self, plan: nodes.Plan, expressions: Sequence[Expression]) -> tuple[Pipe, list[Expression]]:
        """A pipe of one leaf that gives a plan's rows, and expressions over that leaf instead of the plan's rows.

        A join becomes a node of its own first, cut to the columns that are read.
        """
        pipe = pipe_of(plan, self._schemas)
        join = pipe.leaves[0].plan
        if len(pipe.leaves) > 1 or isinstance(join, nodes.Join):
            used = sorted({column for e in expressions for column in columns_read(e)})
            pipe = pipe.narrowed(used)
            if isinstance(join, nodes.Join):
                self._matched(plan, join, pipe)
            else:
                self.cut_pipe(plan, pipe)
            kinds = tuple([type_of(e, pipe.kinds) for e in pipe.outputs])
            leaf = Leaf(plan, None, pipe.names, kinds, node=len(self.nodes) - 1)
            places = {column: at for at, column in enumerate(used)}
            outputs = tuple([Column(at, name) for at, name in enumerate(pipe.names)])
            return Pipe((leaf,), outputs, pipe.names), [remap(e, places) for e in expressions]
        over_leaf = [substitute(e, pipe.outputs) for e in expressions]
        if sum(1 for e in over_leaf for _ in walk(e)) > MOST_NODES:
            return foreign(plan, self._schemas), list(expressions)
        return pipe, over_leaf

    def _matched(self, plan: nodes.Plan, node: Matched | nodes.Join, pipe: Pipe) -> Input:
        """Two sides that are matched, with what is filtered and computed above them."""
        sides = self._sides(node, pipe)
        first, second, *_ = sides.pipe.leaves
        inputs = self._input(first), self._input(second)

        def emitter(source: Source, _: Pipe) -> MembershipEmitter | PairsEmitter:
            if isinstance(node, nodes.Join):
                return PairsEmitter(source, sides, node)
            if isinstance(node, nodes.Mark) and node.key is not None:
                return (TallyingEmitter if sides.residual else MarkingEmitter)(source, sides, node)
            return JudgingEmitter(source, sides, node) if sides.residual else MembershipEmitter(source, sides, node)

        return self._append(Node(plan, inputs, emitted(emitter, sides.leaves)))

    def _sides(self, node: Matched | nodes.Join, pipe: Pipe) -> Sides:
        """The sides of a node, cut, and what a pipe over it reads, over their columns."""
        wide = len(traverse.columns(node.left))
        above = [*pipe.outputs, *pipe.filters]
        pairs = [] if node.residual is None else conjuncts(node.residual)
        kind = node.kind if isinstance(node, nodes.Join) else ""
        over = [*pairs, *above] if kind else pairs  # what reads the columns of both sides
        asked = {c for e in over for c in columns_read(e)} | {c for e in above for c in columns_read(e) if c < wide}
        on = [*node.on, *([node.key] if isinstance(node, nodes.Mark) and node.key is not None else [])]
        left_keys, right_keys = [a for a, _ in on], [b for _, b in on]
        left, columns = self._side(
            node.left, {c for c in asked if c < wide}, left_keys, [*pairs, *above], kind in ("right", "full")
        )
        moved = [remap(e, {c: c - wide if c >= wide else c for c in columns_read(e)}) for e in over]
        right, others = self._side(
            node.right, {c - wide for c in asked if c >= wide}, right_keys, moved, kind in ("left", "full")
        )
        first, second = left.leaves[0], right.leaves[0].moved(left.width)
        others = [shift(e, left.width) for e in others]
        leaves: tuple[Leaf, ...] = first, second
        row = (*columns, *others)
        if not kind:
            verdict = Leaf(node, None, (getattr(node, "name", ""),), ("boolean",), offset=left.width + right.width)
            leaves, row = (*leaves, verdict), (*columns, Column(verdict.offset))
        whole = attrs.evolve(pipe, leaves=leaves, outputs=tuple([substitute(e, row) for e in pipe.outputs]), filters=())
        tests = [list(left.filters), [shift(test, left.width) for test in right.filters]]
        residual = [substitute(e, (*columns, *others)) for e in pairs]
        late: list[Expression] = []
        for test in [substitute(test, row) for test in pipe.filters]:
            read = whole.leaves_of(test)
            if read == {0} and kind in ("", "inner", "left"):
                tests[0].append(test)
            elif read == {1} and kind in ("inner", "right"):
                tests[1].append(test)
            else:
                (residual if kind == "inner" and read else late).append(test)
        return Sides(
            whole,
            (tuple(tests[0]), tuple(tests[1])),
            (
                tuple([substitute(a, tuple(columns)) for a in left_keys]),
                tuple([substitute(b, tuple(others)) for b in right_keys]),
            ),
            tuple(residual),
            tuple(late),
            bool(set(traverse.tables_of(node.left)) & set(traverse.tables_of(node.right))),
        )

    def _side(
        self, plan: nodes.Plan, used: set[int], keys: Sequence[Expression], above: Sequence[Expression], plain: bool
    ) -> tuple[Pipe, list[Expression]]:
        """A pipe of one leaf for a side, and its columns as expressions over that leaf: NULL for one nobody reads.

        `plain`: where it is padded all columns are NULL, so that none may be computed.
        """
        places = sorted(used | {c for e in keys for c in columns_read(e)})
        wanted: list[Expression] = [Column(at) for at in places]
        pipe, found = self._single(plan, wanted)
        columns: list[Expression] = [Constant(None)] * len(traverse.columns(plan))
        for at, e in zip(places, found, strict=True):
            columns[at] = e
        most = max([c for e in above for c in columns_read(e)], default=0)
        over = (*columns, *[Constant(None)] * (1 + most))
        size = sum(1 for e in above for _ in walk(substitute(e, over)))
        if size > MOST_NODES or (plain and not all(isinstance(e, Column) or e == Constant(None) for e in columns)):
            return foreign(plan, self._schemas), _columns(plan)
        return pipe, columns

    def _sink(self, plan: nodes.Plan, pipe: Pipe, emitter: Callable[..., Any], *more: Any) -> Input:
        inputs = self._inputs(pipe)
        return self._append(Node(plan, inputs, emitted(lambda source, pipe: emitter(source, pipe, *more), pipe)))

    def cut_pipe(self, plan: nodes.Plan, pipe: Pipe) -> Input:
        """A node for a pipe that gives rows."""
        inputs = self._inputs(pipe)
        single = plan is self._whole and pipe.leaves[0].table is not None
        return self._append(Node(plan, inputs, emitted(lambda source, pipe: RowsEmitter(source, pipe, single), pipe)))

    def _operator(self, plan: nodes.Plan) -> Input:
        return self._append(Node(plan, tuple([self.cut(child) for child in traverse.inputs(plan)])))

    def _inputs(self, pipe: Pipe) -> tuple[Input, ...]:
        return tuple([self._input(leaf) for leaf in pipe.leaves])

    def _input(self, leaf: Leaf) -> Input:
        if leaf.table is not None:
            return Input(leaf.table)
        return Input(node=leaf.node) if leaf.node is not None else self.cut(leaf.plan)

    def _append(self, node: Node) -> Input:
        self.nodes.append(node)
        return Input(node=len(self.nodes) - 1)


def emitted(emitter: Callable[[Source, Pipe], Any], pipe: Pipe) -> Compiled:
    """The code an emitter writes for a pipe, compiled."""
    source = Source()
    writer = emitter(source, pipe)
    functions = list(writer.emit())
    varying = tuple([name for name, recipe in source.cells.items() if recipe.varies])
    if varying:
        functions.append("rebind")
        with source.block(f"def rebind({', '.join(['new_' + name for name in varying])}):"):
            source.note("other values for the parameters")
            source.line(f"nonlocal {', '.join(varying)}")
            for name in varying:
                source.line(f"{name} = new_{name}")
    recipes: list[Recipe] = list(source.cells.values())
    nobody = Binding({}, {}, Meter())
    return Compiled(
        source, tuple(functions), source.make(f"({', '.join(functions)},)"), varying,
        [recipe.make(nobody) if recipe.steady else None for recipe in recipes],
        tuple([(at, recipe.make) for at, recipe in enumerate(recipes) if not recipe.steady]),
        tuple([leaf.names for leaf in pipe.leaves]), writer.given,
    )  # fmt: skip


def _columns(plan: nodes.Plan) -> list[Expression]:
    return [Column(at, name) for at, name in enumerate(traverse.columns(plan))]
