"""Expressions written as text agree with their closures on every value, of every type, against every constant."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import NAN, canonical, same
from sspcore.codegen.source import Source
from sspcore.engine.emit.cells import Binding
from sspcore.engine.emit.expressions import Expressions
from sspcore.engine.operators.base import Meter
from sspcore.plan.evaluate import NullCounter, compile_expression, compile_predicate
from sspcore.plan.expressions import Call, Column, Constant, Param, bind

VALUES = tuple(map(canonical, (
    None, True, False, 0, 1, 2, 2**53 + 1, -5, 0.0, 1.0, 1.5, float(2**53), NAN, float("inf"), float("-inf"),
    Decimal(1), Decimal("1.50"), "", "a", "b", "1", b"a", date(2013, 6, 24), datetime(2013, 6, 24, tzinfo=UTC),
    [1, 2], [1.0, 2], [True, 2], {"a": 1}, {"a": 1.0},
)))  # fmt: skip
OF_KIND = {
    "any": VALUES,
    "integer": tuple(v for v in VALUES if v is None or type(v) is int),
    "text": tuple(v for v in VALUES if v is None or type(v) is str),
    "real": tuple(v for v in VALUES if v is None or type(v) is float),
    "boolean": tuple(v for v in VALUES if v is None or type(v) is bool),
}
SYMBOLS = ("=", "<>", "<", "<=", ">", ">=")


def written(expression, kinds, params=None):
    """The expression as generated code: its value and its test, functions of a row."""
    source = Source()
    write = Expressions(source, kinds)

    def env(column):
        return f"row[{column}]"

    with source.block("def value(row):"):
        source.line(f"return {write.value(expression, env)}")
    with source.block("def test(row):"):
        source.line(f"return {write.test(expression, env)}")
    binding = Binding(params or {}, {}, Meter())
    return source.make("(value, test)")(*[recipe.make(binding) for recipe in source.cells.values()])


def agree(expression, kinds, rows, params=None):
    bound = bind(expression, params or {})
    wanted, tests = compile_expression(bound, NullCounter()), compile_predicate(bound, NullCounter())
    value, test = written(expression, kinds, params)
    for row in rows:
        assert same(value(row), wanted(row)), (expression, row)
        assert bool(test(row)) is tests(row), (expression, row)


@pytest.mark.parametrize(("kind", "symbol"), list(product(OF_KIND, SYMBOLS)))
def test_a_column_against_every_constant(kind, symbol):
    rows = [(value,) for value in OF_KIND[kind]]
    for constant in VALUES:
        for call in (Call(symbol, (Column(0), Constant(constant))), Call(symbol, (Constant(constant), Column(0)))):
            agree(call, (kind,), rows)
            agree(Call("not", (call,)), (kind,), rows)
        agree(Call(symbol, (Column(0), Param("p"))), (kind,), rows, {"p": constant})


@pytest.mark.parametrize(("first", "second"), list(product(OF_KIND, OF_KIND)))
def test_two_columns(first, second):
    rows = list(product(OF_KIND[first], OF_KIND[second]))
    for symbol in SYMBOLS:
        agree(Call(symbol, (Column(0), Column(1))), (first, second), rows)


@pytest.mark.parametrize("kind", OF_KIND)
def test_membership_and_choice(kind):
    rows = [(value,) for value in OF_KIND[kind]]
    for items in ((1, "a"), (None, 2), (True, 1.5), (NAN, (1, 2)), ()):
        agree(Call("in", (Column(0), *map(Constant, map(canonical, items)))), (kind,), rows)
    late = Call(">", (Column(0), Constant(1)))
    agree(Call("case", (late, Constant("late"), Column(0))), (kind,), rows)
    agree(Call("coalesce", (Column(0), Constant(7))), (kind,), rows)
    agree(Call("or", (late, Call("is null", (Column(0),)), Column(0))), (kind,), rows)
    agree(Call("not", (Call("and", (late, Column(0))),)), (kind,), rows)
    agree(Call("cast", (Column(0), Constant("integer"))), (kind,), rows)
    agree(Call("like", (Column(0), Constant("a%"))), (kind,), rows)


@given(st.integers(1, 40), st.sampled_from(SYMBOLS))
def test_an_expression_too_large_to_read_runs_as_a_closure(depth, symbol):
    expression = Column(0)
    for at in range(depth):
        expression = Call("+", (expression, Constant(at)))
    agree(Call(symbol, (expression, Constant(9))), ("integer",), [(value,) for value in OF_KIND["integer"]])


BELOW = ("is null", "is true", "is false", "not")


def nested(leaf):
    """Conditions within conditions: each text must be one operand where it is put."""
    return st.one_of(
        st.builds(lambda f, a: Call(f, (a,)), st.sampled_from(BELOW), leaf),
        st.builds(lambda f, a, b: Call(f, (a, b)), st.sampled_from((*SYMBOLS, "and", "or", "coalesce")), leaf, leaf),
        st.builds(lambda a, b, c: Call("case", (a, b, c)), leaf, leaf, leaf),
        st.builds(lambda a: Call("in", (a, Constant(1), Constant(True))), leaf),
    )


@given(
    st.recursive(
        st.sampled_from([Column(0), Column(1), Column(2), Constant(1), Constant(None), Constant(True), Constant("a")]),
        nested,
        max_leaves=8,
    )
)
def test_whatever_stands_within_whatever(expression):
    """Python reads `x is True is not None` as two comparisons: no text may run into its neighbours."""
    rows = list(product((None, 1, 5), (None, True, False), (None, "a", 1.5, NAN)))
    agree(expression, ("integer", "boolean", "any"), rows)


LEAVES = (Column(0), Column(1), Column(2), Call("<", (Column(0), Constant(3))), Call("=", (Column(0), Column(2))))


@pytest.mark.parametrize("leaf", LEAVES, ids=map(repr, LEAVES))
def test_three_deep(leaf):
    rows = list(product((None, 1, 5), (None, True, False), (None, "a", 1.5, NAN)))
    for outer, middle, inner in product(BELOW, repeat=3):
        agree(Call(outer, (Call(middle, (Call(inner, (leaf,)),)),)), ("integer", "boolean", "any"), rows)
