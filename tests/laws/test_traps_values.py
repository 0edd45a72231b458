"""Traps of values: what is equal, what comes first, what sums to what; against references that share no code."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cmp_to_key
from itertools import product
from random import Random

import pytest

from sspcore.algebra.values import NAN, FrozenObject, canonical_key
from sspcore.engine.change import create, delete, merge, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.interpret_expressions import evaluate
from sspcore.engine.operators.base import Meter
from sspcore.engine.schema import Schema
from sspcore.plan import nodes
from sspcore.plan.evaluate import compile_expression, compile_predicate
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.testing.oracle import check_circuit

INF = float("inf")
MIXED = (
    None, True, False, 0, 1, -1, 2**53, 2**53 + 1, 10**13, 10**13 + 1, 1.0, 0.1, 1e-7, 2e-7, -INF, INF, NAN,
    float(2**53), Decimal(1), Decimal("1.0"), Decimal("0.1"), "", "a", "ab", "b", "B", "é", "1", b"", b"a",
    date(2013, 6, 24), datetime(2013, 6, 24, tzinfo=UTC), datetime(2013, 6, 24, 1, tzinfo=UTC),
    (), (1,), (1.0,), (True,), (1, 2), ("a",), ((1,), 2), FrozenObject({}), FrozenObject({"k": 1}),
    FrozenObject({"k": True}), FrozenObject({"l": 0}),
)  # fmt: skip

# The reference: classes, then values, written from the documentation and with no help of the engine's.


def kind(value):
    if value is None:
        return 7
    if isinstance(value, bool):
        return 0
    for at, types in enumerate(((int, float, Decimal), (str,), (bytes,), (date,), (tuple,), (FrozenObject,)), 1):
        if isinstance(value, types):
            return at
    raise AssertionError(value)


def three_way(a, b):
    return (a > b) - (a < b)


def reference(a, b):
    """-1, 0, 1 in the one total order."""
    if kind(a) != kind(b):
        return three_way(kind(a), kind(b))
    match kind(a):
        case 1:
            return three_way(magnitude(a), magnitude(b))
        case 2:
            return three_way([ord(c) for c in a], [ord(c) for c in b])
        case 4:
            return three_way(moment(a), moment(b))
        case 5:
            return next((r for x, y in zip(a, b, strict=False) if (r := reference(x, y))), three_way(len(a), len(b)))
        case 6:
            x, y = ([part for name in sorted(o) for part in (name, o[name])] for o in (a, b))
            return reference(tuple(x), tuple(y))
        case 7:
            return 0
    return three_way(a, b)


def magnitude(number):
    if isinstance(number, float) and not math.isfinite(number):
        return (3, 0) if math.isnan(number) else (2, 0) if number > 0 else (0, 0)
    return (1, Fraction(number))


def moment(value):
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)


def table(values, column="any"):
    circuit = Circuit(schemas=[Schema("t", {"n": "integer", "x": column}, "n")])
    circuit.apply([create("t", n, {"x": value}) for n, value in enumerate(values)])
    return circuit


ROWS = nodes.Scan("t", ("n", "x"))


def test_one_total_order():
    """T11: text descends too, NULL is where it was asked for, nothing is scaled or rounded, NaN tops the numbers.

    Descending is the exact reverse of ascending but for ties, which are broken by key both ways.
    """
    for descending, nulls_first in product((False, True), repeat=2):
        expect_ordered(descending, nulls_first)


def expect_ordered(descending, nulls_first):
    circuit = table(MIXED)
    circuit.register("v", nodes.TopK(ROWS, (nodes.OrderTerm(Column(1), descending, nulls_first),)))
    choices = Random(11)
    for _ in range(20):
        circuit.apply([merge("t", choices.randrange(len(MIXED)), {"x": choices.choice(MIXED)})])

    def before(a, b):
        if (a[1] is None) != (b[1] is None):
            return -1 if (a[1] is None) == nulls_first else 1
        return (reference(a[1], b[1]) * (-1 if descending else 1)) or three_way(a[0], b[0])

    held = list(circuit.tables["t"].rows.values())
    assert [row[0] for row in circuit.rows("v")] == [row[0] for row in sorted(held, key=cmp_to_key(before))]


def truth(symbol, a, b):
    """What a comparison must say: None when unknown."""
    if a is None or b is None:
        return None
    order = reference(a, b)
    if kind(a) != kind(b):
        return {"=": False, "<>": True}.get(symbol)
    answers = {"=": order == 0, "<>": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}
    return answers[symbol]


def test_values_of_different_classes_are_never_equal_and_never_ordered():
    """T12: = is FALSE and <> TRUE across classes, < > NULL; within a class exactly one of < = > holds."""
    for symbol in ("=", "<>", "<", "<=", ">", ">="):
        for a, b in product(MIXED, MIXED):
            wanted = truth(symbol, a, b)
            nulls = Meter().nulls
            for call in (
                Call(symbol, (Column(0), Constant(b))), Call(symbol, (Constant(a), Column(1))),
                Call(symbol, (Column(0), Column(1))),
            ):  # fmt: skip
                assert compile_expression(call, nulls)((a, b)) is wanted, (symbol, a, b)
                assert compile_predicate(call, nulls)((a, b)) is (wanted is True), (symbol, a, b)
                assert evaluate(call, (a, b)) is wanted, (symbol, a, b)


def test_lists_and_objects_are_equal_by_what_they_hold():
    """T13: keys agree with equality, hashes with keys; a join on lists meets only equal ones."""
    for a, b in product(MIXED, MIXED):
        equal = reference(a, b) == 0
        assert ((canonical_key(a),) == (canonical_key(b),)) is equal, (a, b)
        assert not equal or hash(canonical_key(a)) == hash(canonical_key(b))
    circuit = table(MIXED)
    circuit.register("v", nodes.Join("inner", ROWS, ROWS, ((Column(1), Column(1)),)))

    pairs = {(row[0], row[2]) for row in circuit.rows("v")}
    assert pairs == {
        (n, m) for n, m in product(range(len(MIXED)), repeat=2)
        if truth("=", MIXED[n], MIXED[m])
    }  # fmt: skip


def test_true_and_1_are_two_and_1_and_1_0_are_one():
    """T54: in groups, DISTINCT, joins, set operations and counts of different values; NaN is one value."""
    values = (1, True, 1.0, Decimal(1), NAN, float("nan"), False, 0, 0.0, None, None, (1,), (True,), (1.0,), "1")
    different = 9  # 1, TRUE, NaN, FALSE, 0, NULL, (1,), (TRUE,), '1'
    circuit = Circuit(schemas=[Schema("t", {"n": "integer", "x": "any"}, "n")])
    xs = nodes.Scan("t", ("x",))
    count = (("n", nodes.AggregateCall("count")),)
    plans = {
        "groups": nodes.Aggregate(xs, (("x", Column(0)),), count),
        "distinct": nodes.Distinct(xs),
        "union": nodes.Union((xs, xs)),
        "intersect": nodes.Intersect(xs, xs),
        "different": nodes.Aggregate(xs, (), (("n", nodes.AggregateCall("count", Column(0), distinct=True)),)),
        "ones": nodes.SemiJoin(ROWS, nodes.Values(("y",), ((Constant(1),),)), ((Column(1), Column(0)),)),
        "truths": nodes.Filter(ROWS, Call("=", (Column(1), Constant(True)))),
        "self": nodes.Join("inner", ROWS, ROWS, ((Column(1), Column(1)),)),
    }
    for name, plan in plans.items():
        circuit.register(name, plan)
    for n, value in enumerate(values):
        circuit.apply([create("t", n, {"x": value})])
        check_circuit(circuit)

    assert {len(circuit.rows(name)) for name in ("groups", "distinct", "union", "intersect")} == {different}
    assert circuit.rows("different") == [(different - 1,)]
    assert [row[0] for row in circuit.rows("ones")] == [0, 2, 3]
    assert [row[0] for row in circuit.rows("truths")] == [1]
    assert len(circuit.rows("self")) == 3**2 + 1 + 2**2 + 1 + 2**2 + 2**2 + 1 + 1
    circuit.apply([delete("t", n) for n in range(len(values))])
    check_circuit(circuit)


def test_sums_forget_what_was_taken_away():
    """T48: −old +new equals recomputation, floats included; what is added and removed leaves no trace."""
    plan = nodes.Aggregate(
        ROWS, (), (("s", nodes.AggregateCall("sum", Column(1))), ("a", nodes.AggregateCall("avg", Column(1))))
    )
    circuit = table([0.1, 0.2, 0.3], "real")
    circuit.register("v", plan)
    start = circuit.rows("v")
    held = {0: 0.1, 1: 0.2, 2: 0.3}
    choices = Random(48)
    for _ in range(60):
        n, x = choices.randrange(5), choices.choice((1e16, -1e16, 1.0, 0.1, 1e-300, 3.5, 1e300, 0.7, -0.1))
        circuit.apply([upsert("t", n, {"x": x})])
        held[n] = x
        assert circuit.rows("v") == [(math.fsum(held.values()), float(sum(map(Fraction, held.values())) / len(held)))]
    for x in (INF, -INF, NAN, 1.0):
        circuit.apply([upsert("t", 9, {"x": x})])
        check_circuit(circuit)
    circuit.apply([delete("t", n) for n in (3, 4, 9)])
    circuit.apply([upsert("t", n, {"x": x}) for n, x in enumerate((0.1, 0.2, 0.3))])

    assert circuit.rows("v") == start == [(0.6, pytest.approx(0.2))]
