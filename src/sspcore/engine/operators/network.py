"""Network: the operators of one plan, wired. Owns which of them a change reaches, and in what sequence.

Refuses to know circuits, versions and what becomes of the result. Every occurrence of a table in a plan is an input of
its own, so a table joined with itself any number of times needs no special care: each join sees its left side change
first. Subplans that look alike are not shared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from sspcore.algebra.values import Key
from sspcore.engine.operators.base import NO_CHANGE, Delta, Meter, Operator, Row
from sspcore.engine.operators.build import Names, operator_of
from sspcore.engine.operators.filter import Filter
from sspcore.engine.operators.scan import Scan
from sspcore.engine.operators.topk import TopK
from sspcore.plan import nodes, traverse
from sspcore.plan.evaluate import compile_predicate

Port = Callable[[Delta], Delta]


class Network:
    """A plan kept live: its whole value once, then the delta of every commit.

    Args: `plan`, with every parameter bound; `columns_of`, the column names of a table as its rows are laid out;
    `meter`, where work is counted. Raises UsageError (the caller's) for a parameter without a value, and a
    LIMIT or OFFSET that is no count.

    When a step raises (an operator is at fault), the state is undefined: discard the network, hydrate another.

    >>> from sspcore.plan.expressions import Call, Column, Constant
    >>> late = nodes.Filter(nodes.Scan("flights", ("delay",)), Call(">", (Column(0), Constant(60))))
    >>> network = Network(late, lambda table: ("id", "delay"), Meter())
    >>> network.hydrate(lambda table: {"a": ("a", 75), "b": ("b", 10)})
    {'a': (75,)}
    >>> network.advance({"flights": [("b", ("b", 10), ("b", 90))]})
    [('b', None, (90,))]
    """

    __slots__ = ("_chains", "_meter", "_nodes", "_top", "steps", "tables")

    def __init__(self, plan: nodes.Plan, columns_of: Names, meter: Meter) -> None:
        self.tables = frozenset(traverse.tables_of(plan))
        """The tables the plan reads."""
        self._meter = meter
        self._nodes: list[tuple[nodes.Plan, Operator, tuple[int, ...]]] = []
        self._add(plan, columns_of, meter)
        top = traverse.ordering(plan)
        self._top: TopK | None = None
        for node, operator, _ in self._nodes:
            if node is top and isinstance(operator, TopK):
                self._top = operator
                operator.gather()
        self._chains = {table: self._chain(table) for table in self.tables}
        self.steps: dict[str, Port] = {table: self._step(table) for table in self.tables}
        """Table → the function from its net changes to the delta of the value; call `begin` before, once a commit."""

    def _add(self, plan: nodes.Plan, columns_of: Names, meter: Meter) -> int:
        inputs = tuple([self._add(child, columns_of, meter) for child in traverse.inputs(plan)])
        self._nodes.append((plan, operator_of(plan, columns_of, meter), inputs))
        return len(self._nodes) - 1

    def _chain(self, table: str) -> list[Port] | None:
        """The steps from the one place where a table is read up to the root; None when it is read in several."""
        places = [at for at, (node, _, _) in enumerate(self._nodes) if _reads(node, table)]
        if len(places) > 1:
            return None
        at, chain = places[0], []
        scan = self._nodes[at][1]
        if not (isinstance(scan, Scan) and scan.passes):
            chain.append(scan.port(0))
        for above in range(at + 1, len(self._nodes)):
            _, operator, inputs = self._nodes[above]
            if at in inputs:
                chain.append(operator.port(inputs.index(at)))
                at = above
        return chain

    # The value and its changes

    def hydrate(self, rows_of: Callable[[str], Mapping[Key, Row]]) -> dict[Key, Row]:
        """The whole value; of a fresh network only. In order for an ordered plan. Cost: that of all input rows."""
        deltas: dict[str, Delta] = {
            table: [(key, None, row) for key, row in rows_of(table).items()] for table in self.tables
        }
        return {key: row for key, _, row in self._run(deltas, first=True) if row is not None}

    def advance(self, deltas: Mapping[str, Delta]) -> Delta:
        """The delta of the value for the net changes of some tables; of others than `tables` it takes no notice.

        Cost: that of the operators between the changed tables and the root, while there is something to pass on.
        """
        self.begin()
        if len(deltas) == 1:
            for table, delta in deltas.items():
                if table in self.steps:
                    return self.steps[table](delta)
        return self._run({table: delta for table, delta in deltas.items() if delta and table in self.tables})

    def begin(self) -> None:
        """A commit begins: forget what the one before moved."""
        if self._top is not None:
            self._top.rest()

    def rebind(self, plan: nodes.Plan) -> None:
        """Run another plan from now on that differs in what its filters ask; the value does not change by itself."""
        for at, (fresh, (held, operator, inputs)) in enumerate(zip(_inputs_first(plan), self._nodes, strict=True)):
            if isinstance(fresh, nodes.Filter) and isinstance(held, nodes.Filter) and isinstance(operator, Filter):
                if fresh.predicate != held.predicate:
                    operator.judge_by(compile_predicate(fresh.predicate, self._meter.nulls))
                self._nodes[at] = fresh, operator, inputs

    def release(self) -> None:
        """Let go of what it holds of the tables: nothing, operators keep state of their own."""

    def _step(self, table: str) -> Port:
        chain = self._chains[table]
        if chain is None:
            return lambda delta: self._run({table: delta})
        if len(chain) == 1:
            return chain[0]

        def step(delta: Delta) -> Delta:
            for port in chain:
                if not delta:
                    return delta
                delta = port(delta)
            return delta

        return step

    def _run(self, deltas: Mapping[str, Delta], first: bool = False) -> Delta:
        """One pass over all operators, inputs first; but for the first time, past those whose inputs stayed."""
        if not deltas and not first:
            return NO_CHANGE
        results: list[Delta] = []
        for node, operator, inputs in self._nodes:
            given = [results[at] for at in inputs]
            if isinstance(node, nodes.Scan):
                given.append(deltas.get(node.table, NO_CHANGE))
            results.append(operator.step(*given) if first or any(given) else NO_CHANGE)
        return results[-1]

    # Order, for ordered plans

    def order(self) -> list[Key]:
        """All keys of an ordered plan's value, in order; [] for an unordered one. Cost: O(value)."""
        return [] if self._top is None else self._top.order()

    def moved(self) -> list[Key]:
        """The keys of an ordered plan's value that the last call of `hydrate` or `advance` added or moved."""
        return [] if self._top is None else self._top.moved()

    def placements(self, keys: Iterable[Key]) -> tuple[tuple[Key, Key | None], ...]:
        """Each of these keys of an ordered plan's value with its predecessor (None: it is the first), in final order.

        Cost: O(log n) a key.
        """
        return () if self._top is None else self._top.placements(keys)


def _inputs_first(plan: nodes.Plan) -> Iterator[nodes.Plan]:
    for child in traverse.inputs(plan):
        yield from _inputs_first(child)
    yield plan


def _reads(node: nodes.Plan, table: str) -> bool:
    return isinstance(node, nodes.Scan) and node.table == table
