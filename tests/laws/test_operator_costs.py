"""The cost law: what one change touches does not depend on how many rows there are.

Counted twice. By the meter, in which operators report the rows and probes they touch: equal over 100 and over 10 000
rows. And by the interpreter, in byte codes executed, since an operator could forget to report: no more than half as
many again, which leaves room for a chunk of a sorted list that splits, and none for a walk over 10 000 rows (but for
one that happens wholly inside a built-in, such as `sorted`: neither count sees that).
Where the stated bound is another (theta joins: the other side; top-k: O(log n) comparisons) that bound is tested.
"""

from __future__ import annotations

import ast
import pkgutil
import sys
from collections.abc import Callable
from importlib import import_module
from inspect import getsource, isclass
from math import log2

import attrs
import pytest

from sspcore.engine import operators
from sspcore.engine.operators.base import Binary, Meter, Operator
from sspcore.engine.operators.build import operator_of
from sspcore.engine.operators.network import Network
from sspcore.engine.operators.ordered import Ordered
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plan.nodes import (
    Aggregate,
    AggregateCall,
    AntiJoin,
    Distinct,
    Except,
    Filter,
    Intersect,
    Join,
    Mark,
    Nest,
    OrderTerm,
    Project,
    Rank,
    Recursive,
    Scan,
    SemiJoin,
    TopK,
    Union,
    Values,
    Working,
)

NAMES = ("a", "b")
T, U = Scan("t", NAMES), Scan("u", NAMES)
A, B = Column(0), Column(1)
ON = ((A, A),)
NOT_SAME = Call("<>", (B, Column(3)))
TOTALS = (
    ("n", AggregateCall("count")),
    ("sum", AggregateCall("sum", B)),
    ("avg", AggregateCall("avg", B)),
    ("least", AggregateCall("min", B)),
    ("greatest", AggregateCall("max", B)),
    ("different", AggregateCall("count", B, distinct=True)),
    ("every", AggregateCall("bool_and", B)),
    ("spread", AggregateCall("stddev_samp", B)),
    ("spread of different ones", AggregateCall("var_pop", B, distinct=True)),
)
LISTS = (
    ("list", AggregateCall("array_agg", B, order=(OrderTerm(A),))),
    ("text", AggregateCall("string_agg", B, separator=Constant(","))),
    ("once", AggregateCall("array_agg", B, distinct=True)),
)
"""In groups of one row: what they write is as long as the group."""


def pairs(n):
    """Every row has one partner in the other table, and a value of its own."""
    return {i: (i, i) for i in range(n)}


def ten_groups(n):
    return {i: (i % 10, i) for i in range(n)}


@attrs.frozen
class Case:
    """A plan over tables of n rows. Rows 3 to 8 exist for every n; the changes made are the same for every n."""

    plan: object
    rows: Callable = pairs
    tables: tuple[str, ...] = ("t",)


BOTH = ("t", "u")
CASES = {
    "Scan": [Case(Scan("t", ("b",)))],
    "Values": [Case(Union((Values(NAMES, ((Constant(1), Constant(2)),)), T), all=True))],
    "Filter": [Case(Filter(T, Call("<", (A, Constant(50)))))],
    "Project": [Case(Project(T, (("s", Call("+", (A, B))),)))],
    "Join": [
        Case(Join(kind, T, U, ON, residual), tables=BOTH)
        for kind in ("inner", "left", "right", "full")
        for residual in (None, NOT_SAME)
    ],
    "SemiJoin": [Case(SemiJoin(T, U, ON), tables=BOTH), Case(SemiJoin(T, U, ON, NOT_SAME), tables=BOTH)],
    "AntiJoin": [Case(AntiJoin(T, U, ON), tables=BOTH), Case(AntiJoin(T, U, ON, NOT_SAME), tables=BOTH)],
    "Mark": [
        Case(Mark(T, U, "m", ON), tables=BOTH),
        Case(Mark(T, U, "m", ON, NOT_SAME), tables=BOTH),
        Case(Mark(T, U, "m", key=(A, A)), tables=BOTH),
        Case(Mark(T, U, "m", ON, key=(B, B)), tables=BOTH),
        Case(Mark(T, U, "m", ON, NOT_SAME, key=(B, B)), tables=BOTH),
    ],
    "Nest": [
        Case(Nest(T, U, "kids", ON), tables=BOTH),
        Case(Nest(T, U, "kids", ON, None, (OrderTerm(B),), Constant(2)), tables=BOTH),
        Case(Nest(T, U, "kids", ON, NOT_SAME, (OrderTerm(B),), Constant(2)), tables=BOTH),
        Case(Nest(T, U, "kid", ON, form="object"), tables=BOTH),
    ],
    "Aggregate": [
        Case(Aggregate(T, (("a", A),), TOTALS)),
        Case(Aggregate(T, (("a", A),), TOTALS), ten_groups),
        Case(Aggregate(T, (), TOTALS)),
        Case(Aggregate(T, (("a", A),), LISTS)),
    ],
    "Distinct": [Case(Distinct(T)), Case(Distinct(Project(T, (("a", A),))), ten_groups)],
    "UnionAll": [Case(Union((T, U), all=True), tables=BOTH)],
    "Union": [Case(Union((T, U)), tables=BOTH)],
    "Intersect": [Case(Intersect(T, U), tables=BOTH)],
    "Except": [Case(Except(T, U), tables=BOTH)],
    "IntersectAll": [Case(Intersect(T, U, all=True), tables=BOTH)],
    "ExceptAll": [Case(Except(T, U, all=True), tables=BOTH)],
    "Recursive": [
        Case(
            Recursive(T, Project(Join("inner", Working("w", NAMES), U, ((B, A),)), (("a", A), ("b", Column(3)))), "w"),
            tables=BOTH,
        ),
    ],
    "Rank": [
        Case(Rank(T, "n", "row_number", (A,), (OrderTerm(B),))),
        Case(Rank(T, "n", "rank", (), (OrderTerm(B),), Constant(9))),
        Case(Rank(T, "n", "dense_rank", (A,), (OrderTerm(B),), Constant(3)), ten_groups),
        Case(TopK(T, (OrderTerm(B),), Constant(3), Constant(1), (A,)), ten_groups),
    ],
    "TopK": [
        Case(TopK(T, (OrderTerm(B),))),
        Case(TopK(T, (OrderTerm(B),), Constant(5))),
        Case(TopK(T, (OrderTerm(B),), Constant(50))),
        Case(TopK(T, (OrderTerm(B),), Constant(3), Constant(4))),
        Case(TopK(T, (OrderTerm(B),), None, Constant(4))),
        Case(Project(TopK(Join("inner", T, U, ON), (OrderTerm(B),), Constant(5)), (("b", B),)), tables=BOTH),
    ],
}
ALL = [pytest.param(name, case, id=f"{name}-{at}") for name, cases in CASES.items() for at, case in enumerate(cases)]


def discovered():
    """Every operator there is: the classes of the package that are one, but for the two that are only a form."""
    found = {}
    for module in pkgutil.iter_modules(operators.__path__, operators.__name__ + "."):
        for value in vars(import_module(module.name)).values():
            if isclass(value) and issubclass(value, Operator) and value.__module__ == module.name:
                found[value.__name__] = value
    return {name: found[name] for name in found.keys() - {"Operator", "Binary"}}


def test_every_operator_has_a_cost_case():
    assert discovered().keys() == CASES.keys()
    assert issubclass(discovered()["Join"], Binary)


@pytest.mark.parametrize(("name", "case"), ALL)
def test_the_case_of_an_operator_runs_that_operator(name, case):
    def used(plan):
        yield type(operator_of(plan, lambda table: NAMES, Meter()))
        for field in ("input", "left", "right"):
            if hasattr(plan, field):
                yield from used(getattr(plan, field))
        for child in getattr(plan, "inputs", ()):
            yield from used(child)

    assert discovered()[name] in set(used(case.plan))


def changes_of(case, n):
    """An update in place, one that moves, a deletion, an insertion, and the way back, on each table."""
    rows = case.rows(n)
    for table in case.tables:
        old = rows[3]
        yield table, (3, old, (old[0], 40))
        yield table, (3, (old[0], 40), (7, 40))
        yield table, (3, (7, 40), (7, None))
        yield table, (3, (7, None), old)
        yield table, (4, rows[4], None)
        yield table, (4, None, rows[4])
        yield table, (-1, None, (5, -1))
        yield table, (-1, (5, -1), None)


def hydrated(case, n):
    meter = Meter()
    network = Network(case.plan, lambda table: NAMES, meter)
    network.hydrate(lambda table: case.rows(n))
    return network, meter


def reported(case, n):
    """(rows, probes) per change, as the operators report them."""
    network, meter = hydrated(case, n)
    work = []
    for table, change in changes_of(case, n):
        rows, probes = meter.rows, meter.probes
        network.advance({table: [change]})
        work.append((meter.rows - rows, meter.probes - probes))
    return work


def executed(case, n):
    """Byte codes per change, as the interpreter sees them."""
    network, _ = hydrated(case, n)
    return [byte_codes(network.advance, {table: [change]}) for table, change in changes_of(case, n)]


def byte_codes(function, *args):
    count = 0

    def trace(frame, event, arg):
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*args)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(("name", "case"), ALL)
def test_a_change_touches_as_many_rows_and_probes_over_100_rows_as_over_10_000(name, case):
    small = reported(case, 100)
    assert all(rows for rows, _ in small), "a change that counts as no work is not counted"
    assert small == reported(case, 10_000)


@pytest.mark.parametrize(("name", "case"), ALL)
def test_a_change_runs_no_more_code_over_10_000_rows_than_over_100(name, case):
    for few, many in zip(executed(case, 100), executed(case, 10_000), strict=True):
        assert many <= few * 1.5 + 100


def test_the_count_of_byte_codes_would_show_a_walk():
    assert byte_codes(lambda: [i + 1 for i in range(10_000)]) > 10_000


@pytest.mark.parametrize("kind", ["inner", "left", "right", "full"])
def test_a_theta_join_visits_the_other_side_once_for_the_old_and_once_for_the_new_row(kind):
    """Without equalities there is one bucket; the row itself is the one more."""
    case = Case(Join(kind, T, U, (), NOT_SAME), tables=BOTH)
    for n in (10, 100):
        network, meter = hydrated(case, n)
        for table in BOTH:
            rows = meter.rows
            network.advance({table: [(3, (3, 3), (3, 4))]})
            assert meter.rows - rows == 1 + 2 * n
            rows = meter.rows
            network.advance({table: [(3, (3, 4), None)]})
            assert meter.rows - rows == 1 + n
            network.advance({table: [(3, None, (3, 3))]})


@pytest.mark.parametrize("node", [SemiJoin, AntiJoin, lambda t, u, on, residual: Mark(t, u, "m", on, residual, (A, A))])
def test_a_subquery_on_a_residual_alone_visits_the_other_side(node):
    case = Case(node(T, U, (), NOT_SAME), tables=BOTH)
    for n in (10, 100):
        network, meter = hydrated(case, n)
        rows = meter.rows
        network.advance({"u": [(3, (3, 3), None)]})
        assert meter.rows - rows == 1 + n


def test_a_child_beyond_the_window_visits_no_parent_and_one_within_it_those_that_show_it():
    """T18: ten groups of children, of which the best two show; ten parents each."""
    case = Case(Nest(T, U, "kids", ON, None, (OrderTerm(B),), Constant(2)), ten_groups, BOTH)
    for n in (100, 1000):
        network, meter = hydrated(case, n)
        last, best = n - 10, 0
        rows = meter.rows
        assert network.advance({"u": [(last, (0, last), (0, last + 5))]}) == []
        assert meter.rows - rows == 1
        rows = meter.rows
        delta = network.advance({"u": [(best, (0, best), (0, -1))]})
        assert len(delta) == n / 10
        assert meter.rows - rows == 1 + 2 + n / 10  # the change, the two children shown, the parents


def test_the_first_null_among_the_members_visits_just_the_rows_it_turns():
    """x IN (...) turns from FALSE to NULL for every row without a match: that is the output, not a walk."""
    case = Case(Mark(T, U, "m", key=(A, A)), tables=BOTH)
    network, meter = hydrated(case, 100)
    network.advance({"u": [(i, (i, i), None) for i in range(10)]})
    rows = meter.rows
    delta = network.advance({"u": [(50, (50, 50), (None, 50))]})
    assert len(delta) == 11
    assert meter.rows - rows == 1 + 11


class Counted(tuple):
    """An entry that counts how often it is compared."""

    __slots__ = ()
    comparisons = 0

    def __lt__(self, other):
        Counted.comparisons += 1
        return tuple(self) < tuple(other)


@pytest.mark.parametrize("n", [100, 10_000, 100_000])
def test_sorted_entries_take_a_logarithm_of_comparisons(n):
    """Two bisections (which chunk, where in it) make about log2 n; a replacement takes two, and two neighbours."""
    ordered = Ordered()
    ordered.refill([Counted((i,)) for i in range(n)])
    bound = 2 * (log2(n) + 4) + 4
    for old, new in [(5, 5.5), (n // 2, 0.5), (n - 1, 0.25), (0, n + 0.5), (n // 3, n // 2 + 0.5)]:
        Counted.comparisons = 0
        ordered.replace(Counted((old,)), Counted((new,)))
        assert 0 < Counted.comparisons <= bound
        Counted.comparisons = 0
        ordered.predecessor(Counted((new,)))
        assert Counted.comparisons <= bound
    Counted.comparisons = 0
    ordered.remove(Counted((7,)))
    ordered.add(Counted((7,)))
    assert 0 < Counted.comparisons <= bound


def test_removing_the_best_again_and_again_stays_as_cheap():
    """T50: a window that is refilled row by row never collapses, whatever is taken from its top."""
    case = Case(TopK(T, (OrderTerm(B),), Constant(50)))
    network, meter = hydrated(case, 5_000)
    costs = set()
    for i in range(4_000):
        rows, probes = meter.rows, meter.probes
        delta = network.advance({"t": [(i, (i, i), None)]})
        assert delta == [(i, (i, i), None), (i + 50, None, (i + 50, i + 50))]
        costs.add((meter.rows - rows, meter.probes - probes))
    assert len(costs) == 1


@pytest.mark.parametrize("module", [m.name for m in pkgutil.iter_modules(operators.__path__)])
def test_no_operator_knows_the_oracle(module):
    """An operator that asked `interpret` would be right and never incremental."""
    tree = ast.parse(getsource(import_module(f"{operators.__name__}.{module}")))
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    imported |= {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    assert not [name for name in imported if name and "interpret" in name]
