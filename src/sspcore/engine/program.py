"""Programs: a plan as generated code, wired with the operators of what has no emitter, and kept live.

Owns what a table's changes pass through on their way to the value, and binding a view's parameters and tables to code
that all views of its shape share. Refuses to know circuits, versions, and how code is written (`engine/emit`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from sspcore.algebra.values import Key, Value
from sspcore.engine.emit.cells import Binding, varies
from sspcore.engine.emit.listing import listing
from sspcore.engine.emit.stage import Compiled, Cutter, Input, Node
from sspcore.engine.emit.window import Window
from sspcore.engine.operators.base import NO_CHANGE, Delta, Meter, Row, compose
from sspcore.engine.operators.build import operator_of
from sspcore.engine.operators.topk import TopK
from sspcore.engine.schema import Schema
from sspcore.engine.table import Net
from sspcore.errors import UsageError
from sspcore.plan import nodes, traverse
from sspcore.plan.traverse import bind_plan

Step = Callable[[Delta], Delta]
Rows = Mapping[Key, Row]
_STATELESS: Final = frozenset({"hydrate", "change_0", "row", "rebind"})
"""The functions of a part that keeps nothing of its rows."""
Path = tuple[tuple[int, tuple[int, ...]], ...]
"""The nodes a table's changes reach, inputs first, each with the places of its inputs that change."""


class Code:
    """A plan compiled, parameters open: what all views of the plan share. Made by `compile_plan`.

    Attributes: `plan`; `nodes`, its parts; `tables`, those it reads; `rebindable`, whether `Program.rebind` works;
    `rereads`, whether some part may have to read its input again; `stateless`, the one table it reads, where a change
    of that is all it takes to tell what changes.
    """

    __slots__ = (
        "_common", "nodes", "ordering", "paths", "plan", "rebindable", "rereads", "root", "stateless", "tables",
    )  # fmt: skip

    def __init__(self, plan: nodes.Plan, parts: Sequence[Node], root: Input) -> None:
        self.plan = plan
        self.nodes = tuple(parts)
        self.root = root
        self.tables = frozenset(traverse.tables_of(plan))
        self.paths = {table: _path(table, parts) for table in self.tables}
        top = traverse.ordering(plan)
        self.ordering = next((at for at, node in enumerate(parts) if top is not None and node.top is top), None)
        self.rereads = any(node.code is not None and node.top is not None for node in parts)
        stiff = [node.plan for node in parts if node.code is None]
        stiff += [node.top for node in parts if node.top is not None]
        stiff += [node.plan for node in parts if isinstance(node.plan, nodes.Nest) and node.code is not None]
        self.rebindable = not any(map(_has_params, stiff))
        self.stateless = _stateless(parts[0]) if len(parts) == 1 else None
        self._common: tuple[Any, ...] | None = None

    def bind(self, params: Mapping[str, Value], tables: Mapping[str, Any], meter: Meter) -> Program:
        """A program of one view, with nothing hydrated yet.

        Args: `params`, a value for each parameter; `tables`, name → object with `names`, `rows` (the same dict for
        life), `arrange` and `release`; `meter`, where work is counted. Raises UsageError (the caller's) for a parameter
        without a value, and a LIMIT or OFFSET that is no count. Cost: microseconds, but for arrangements not yet there.
        """
        return Program(self, Binding(params, tables, meter))

    def value(self, params: Mapping[str, Value], rows: Rows) -> tuple[dict[Key, Row], int]:
        """The value of one view without a program of its own, and how many NULLs stand for errors in it.

        Of `stateless` code only: the same functions serve all views, one after the other, each with its parameters.
        """
        if self._common is None:
            compiled, binding = self.nodes[0].code, Binding(params, {}, Meter())
            assert compiled is not None
            made = compiled.bind(binding)
            cells = [compiled.source.cells[name] for name in compiled.varying]
            plain = [cell.param for cell in cells] if cells and all(cell.param for cell in cells) else None
            self._common = binding, binding.meter.nulls, made[0], made[compiled.rebind], cells, plain
        binding, nulls, hydrate, rebind, cells, plain = self._common
        before = nulls.errors
        if plain is not None:
            if not rows:
                return {}, 0
            rebind(*map(params.__getitem__, plain))
        elif cells:
            binding.params = params
            rebind(*[cell.make(binding) for cell in cells])
        return hydrate(rows), nulls.errors - before

    def listing(self) -> str:
        """The generated code of all compiled parts, commented, for people."""
        return listing(self.nodes, self.root)


def compile_plan(plan: nodes.Plan, schema_of: Callable[[str], Schema]) -> Code:
    """The code of a checked plan, parameters open.

    Valid while the schemas of its tables stay: a table that widens needs another. Cost: some 0.1 ms a node for a shape
    not seen before, less for one that was.

    >>> from sspcore.engine.table import Table
    >>> from sspcore.plan.expressions import Call, Column, Param
    >>> flights = Table(Schema("flights", {"id": "text", "delay": "integer"}))
    >>> flights.rows.update({"a": ("a", 75), "b": ("b", 10)})
    >>> late = nodes.Filter(nodes.Scan("flights", ("delay",)), Call(">", (Column(0), Param("limit"))))
    >>> code = compile_plan(late, lambda table: flights.schema)
    >>> program = code.bind({"limit": 60}, {"flights": flights}, Meter())
    >>> program.hydrate(lambda table: flights.rows)
    {'a': (75,)}
    >>> program.steps["flights"]([("b", ("b", 10), ("b", 90))])
    [('b', None, (90,))]
    """
    cutter = Cutter({table: schema_of(table) for table in traverse.tables_of(plan)})
    root = cutter.cut_whole(plan)
    return Code(plan, cutter.nodes, root)


class Part:
    """A node at work: how it hydrates, its step per input, and its rows anew where they can be had."""

    __slots__ = ("hydrate", "ports", "rebind", "step", "value")

    def __init__(
        self, hydrate: Callable[..., Rows], ports: Sequence[Step], step: Callable[..., Delta] | None = None,
        value: Callable[[], Rows] | None = None, rebind: Callable[..., None] | None = None,
    ) -> None:  # fmt: skip
        self.hydrate = hydrate
        """Of a compiled node: given the rows of its first input; of an operator: given those of all, as deltas."""
        self.ports = ports
        self.step = step
        self.value = value
        self.rebind = rebind


class Program:
    """One view's plan at work. Made by `Code.bind`.

    Attributes: `code`; `tables`, those it reads; `steps`, table → the step for net changes of that table, which the
    table and its arrangements hold already. A commit of several tables goes table by table, and its deltas compose.
    `row`, where each row of the one table makes at most one of the value, under its own id: the step for one change.
    `idle`, of some: (old row, new row) → True where their change plainly cannot concern the value; then it is counted.
    """

    __slots__ = ("_parts", "_top", "binding", "code", "idle", "row", "steps", "tables")

    def __init__(self, code: Code, binding: Binding) -> None:
        self.code = code
        self.tables = code.tables
        self.binding = binding
        self._parts: list[Part] = []
        self._top: TopK | Window | None = None
        self.row: Callable[[Net], Net | None] | None = None if code.nodes else _unchanged
        self.idle: Callable[[Row, Row], bool] | None = None
        for at, node in enumerate(code.nodes):
            if node.code is not None:
                part = self._compiled(node, node.code, at == code.ordering)
            else:
                part = self._operator(node, at == code.ordering)
            self._parts.append(part)
        self.steps: dict[str, Step] = {table: self._step(path) for table, path in code.paths.items()}

    # Wiring

    def _compiled(self, node: Node, code: Compiled, is_top: bool) -> Part:
        source = self._value_of(node.inputs[0]) if self.code.rereads else None
        if source is not None:
            self.binding.source = source
        made = code.bind(self.binding)
        value, rebind = code.value, code.rebind
        ports = made[1 : 1 + len(node.inputs)]
        step = _one_after_the_other(ports) if len(ports) > 1 else None
        part = Part(made[0], ports, step, rebind=made[rebind] if rebind else None)
        if code.row:
            self.row = made[code.row]
        if code.idle and len(self.code.nodes) == 1:
            self.idle = made[code.idle]
        if value:
            part.value = made[value]
        elif source is not None:
            anew = made[code.anew]  # or `hydrate`, of a part that keeps nothing
            part.value = lambda: anew(source())
        if is_top:
            self._top = made[code.window]
        return part

    def _operator(self, node: Node, is_top: bool) -> Part:
        binding = self.binding
        plan = bind_plan(node.plan, binding.params) if binding.params else node.plan
        operator = operator_of(plan, lambda table: binding.tables[table].names, binding.meter)

        def hydrate(given: Sequence[Rows]) -> Rows:
            delta = operator.step(*[[(key, None, row) for key, row in rows.items()] for rows in given])
            return {key: row for key, _, row in delta if row is not None}

        if is_top and isinstance(operator, TopK):
            self._top = operator
            operator.gather()
        return Part(hydrate, [operator.port(at) for at in range(len(node.inputs))], operator.step)

    def _value_of(self, given: Input) -> Callable[[], Rows] | None:
        """The rows of an input, anew; None where they cannot be had without its whole history."""
        if given.table is not None:
            table = self.binding.tables[given.table]
            return lambda: table.rows
        return self._parts[given.node].value

    def _step(self, path: Path) -> Step:
        if not path:
            return self._whole
        if len(path) == 1 and len(path[0][1]) == 1:
            ((at, (place,)),) = path
            return self._parts[at].ports[place]
        if all(len(places) == 1 for _, places in path):
            return _chain([self._parts[at].ports[places[0]] for at, places in path])
        return self._general(path)

    def _whole(self, delta: Delta) -> Delta:
        """The table's rows as they are."""
        self.binding.meter.rows += len(delta)
        return delta

    def _general(self, path: Path) -> Step:
        """Where a table's changes reach a node by several ways: they arrive together."""
        parts = [(at, places, self._parts[at], self.code.nodes[at].inputs) for at, places in path]
        last = path[-1][0]

        def step(delta: Delta) -> Delta:
            results: dict[int, Delta] = {-1: delta}
            for at, places, part, inputs in parts:
                given = [results[inputs[place].node] for place in places]
                if len(places) == 1:
                    results[at] = part.ports[places[0]](given[0]) if given[0] else NO_CHANGE
                elif any(given):
                    assert part.step is not None  # it has several inputs
                    deltas = dict(zip(places, given, strict=True))
                    results[at] = part.step(*[deltas.get(place, NO_CHANGE) for place in range(len(inputs))])
                else:
                    results[at] = NO_CHANGE
            return results[last]

        return step

    # The value and its changes

    def hydrate(self, rows_of: Callable[[str], Rows]) -> dict[Key, Row]:
        """The whole value; of a fresh program only. In order for an ordered plan. Cost: that of all input rows."""
        values: list[Rows] = []

        def rows(given: Input) -> Rows:
            return rows_of(given.table) if given.table is not None else values[given.node]

        for part, node in zip(self._parts, self.code.nodes, strict=True):
            if node.code is not None:
                values.append(part.hydrate(*[rows(given) for given in node.inputs[: node.code.given]]))
            else:
                values.append(part.hydrate([rows(given) for given in node.inputs]))
        value = rows(self.code.root)
        return dict(value) if self.code.root.table is not None or type(value) is not dict else value

    def hydrate_in_slices(self, rows_of: Callable[[str], Rows], size: int) -> Generator[None, None, dict[Key, Row]]:
        """`hydrate` in steps of about `size` input rows, with a pause after each: the rows arrive as insertions.

        The tables must stay as they are until it ends. Cost: that of following the insertions, some times `hydrate`'s.
        """
        values: list[dict[Key, Row]] = []
        for part, node in zip(self._parts, self.code.nodes, strict=True):
            empty: list[Rows] = [{} for _ in node.inputs]
            if node.code is None:
                value, driving = dict(part.hydrate(empty)), node.inputs
            else:  # it looks its other inputs up in their tables, which hold their rows already
                driving = node.inputs[: node.code.given]
                value = dict(part.hydrate(*empty[: len(driving)]))
            values.append(value)
            for place, given in enumerate(driving):
                rows = rows_of(given.table) if given.table is not None else values[given.node]
                items = iter(rows.items())
                while slice_of := list(islice(items, size)):
                    for key, _, new in part.ports[place]([(key, None, row) for key, row in slice_of]):
                        if new is None:
                            value.pop(key, None)  # what its tables say already may have kept it from coming
                        else:
                            value[key] = new
                    yield
        root = self.code.root
        found = dict(rows_of(root.table)) if root.table is not None else values[root.node]
        return {key: found[key] for key in self.order()} if self._top is not None else found

    def rebind(self, params: Mapping[str, Value]) -> None:
        """Other parameters from now on; the value does not change by itself.

        Raises UsageError (the caller's) when a part that runs as an operator reads a parameter (`code.rebindable`).
        """
        if not self.code.rebindable:
            raise UsageError("a part of this plan cannot change its parameters while it runs", hint="hydrate it anew")
        self.binding.params = params
        for part, node in zip(self._parts, self.code.nodes, strict=True):
            if part.rebind is not None and node.code is not None:
                cells = node.code.source.cells
                part.rebind(*[cells[name].make(self.binding) for name in node.code.varying])

    def release(self) -> None:
        """The program is not needed any more: give its arrangements back."""
        self.binding.release()

    # Order, for ordered plans

    def begin(self) -> None:
        """A commit begins: forget what moved."""
        if self._top is not None:
            self._top.rest()

    def order(self) -> list[Key]:
        """All keys of an ordered plan's value, in order; [] for an unordered one. Cost: O(value)."""
        return [] if self._top is None else self._top.order()

    def moved(self) -> list[Key]:
        """The keys of an ordered plan's value that were added or moved since the commit began."""
        return [] if self._top is None else self._top.moved()

    def placements(self, keys: Iterable[Key]) -> tuple[tuple[Key, Key | None], ...]:
        """Each of these keys of an ordered plan's value with its predecessor (None: it is the first), in final order.

        Cost: O(log n) a key.
        """
        return () if self._top is None else self._top.placements(keys)


def _path(table: str, parts: Sequence[Node]) -> Path:
    reached: set[int] = set()
    path = []
    for at, node in enumerate(parts):
        places = [i for i, given in enumerate(node.inputs) if given.table == table or given.node in reached]
        if places:
            reached.add(at)
            path.append((at, tuple(places)))
    return tuple(path)


def _one_after_the_other(ports: Sequence[Step]) -> Callable[..., Delta]:
    """The step of a compiled part for changes of all its inputs: the first follows first, as emitters rely on."""

    def step(*deltas: Delta) -> Delta:
        out = NO_CHANGE
        for port, delta in zip(ports, deltas, strict=True):
            if delta:
                out = compose(out, port(delta))
        return out

    return step


def _chain(steps: Sequence[Step]) -> Step:
    if len(steps) == 2:
        first, second = steps
        return lambda delta: second(passed) if (passed := first(delta)) else passed

    def step(delta: Delta) -> Delta:
        for each in steps:
            delta = each(delta)
            if not delta:
                break
        return delta

    return step


def _stateless(node: Node) -> str | None:
    """The table of a node that is the code of a filter or projection over one; None for others."""
    if node.code is None or len(node.inputs) != 1 or not _STATELESS >= set(node.code.functions):
        return None
    return node.inputs[0].table


def _unchanged(change: Net) -> Net:
    return change


def _has_params(plan: nodes.Plan) -> bool:
    return any(varies(expression) for expression in traverse.expressions(plan))
