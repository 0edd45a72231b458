"""Compiled expressions mean what the tree-walking specification says, for every form and every value."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.interval import Interval
from sspcore.algebra.values import NAN, canonical, same
from sspcore.engine.interpret_expressions import evaluate
from sspcore.errors import InternalError, UsageError
from sspcore.plan.evaluate import NullCounter, compile_expression, compile_predicate, compile_row
from sspcore.plan.expressions import Call, Column, Constant, Expression, Param
from sspcore.plan.functions import FUNCTIONS
from sspcore.testing.generate.values import DOMAINS, MIXED
from sspcore.testing.strategies import expressions, predicates
from tests.profiles import scaled

VALUES = (*MIXED, *[v for domain in DOMAINS.values() for v in domain[:4]], NAN, None, 2**53, float(2**53), "%a_",
          Interval(1), Interval(0, 30), "day", "hour", "k")  # fmt: skip
WIDTH = 3
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
NAMES = sorted(set(FUNCTIONS) - {"case", "repeat", "lpad", "rpad", "power"})

rows = st.tuples(*[st.sampled_from(VALUES)] * WIDTH)
leaves = st.integers(0, WIDTH - 1).map(Column) | st.sampled_from(VALUES).map(Constant)


@st.composite
def calls(draw: st.DrawFn, arguments: st.SearchStrategy[Expression]) -> Expression:
    """A call of any function, logic and comparison the most."""
    logic = st.sampled_from(["and", "or", "not", "in", "is null", "coalesce", "like", "cast", *COMPARISONS])
    name = draw(st.sampled_from(NAMES) | logic)
    function = FUNCTIONS[name]
    most = function.min_args + 3 if function.max_args is None else function.max_args
    args = draw(st.lists(arguments, min_size=function.min_args, max_size=most))
    if name == "cast":
        args[1] = Constant(draw(st.sampled_from(["text", "integer", "real", "boolean", "date", "nonsense"])))
    return Call(name, tuple(args))


def cases(arguments: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    branches = st.lists(st.tuples(arguments, arguments), min_size=1, max_size=3)
    return st.tuples(branches, arguments).map(lambda c: Call("case", (*[e for branch in c[0] for e in branch], c[1])))


trees = st.recursive(leaves, lambda inner: calls(inner) | cases(inner), max_leaves=8)


def agree(expression: Expression, row: tuple[object, ...]) -> None:
    nulls = NullCounter()
    expected = evaluate(expression, row)
    actual = compile_expression(expression, nulls)(row)

    assert same(expected, actual)
    assert compile_predicate(expression, nulls)(row) is (expected is True)
    assert same(actual, canonical(actual))


@scaled(10)
@given(trees, st.lists(rows, min_size=1, max_size=4))
def test_any_expression_over_any_row_agrees_with_the_specification(
    expression: Expression, several: list[tuple[object, ...]]
) -> None:
    """T13: fast path and slow path are one meaning."""
    for row in several:
        agree(expression, row)


@scaled(5)
@given(st.data())
def test_sensible_expressions_agree_with_the_specification(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(list(DOMAINS)), min_size=WIDTH, max_size=WIDTH))
    expression = data.draw(expressions(kinds) | predicates(kinds))
    cells = [st.sampled_from([*DOMAINS[kind], None]) for kind in kinds]

    agree(expression, data.draw(st.tuples(*cells)))


@pytest.mark.parametrize("symbol", COMPARISONS)
def test_every_comparison_of_every_two_values_agrees_in_every_form(symbol: str) -> None:
    """T12, T13, T54: a column against a constant on either side, and two columns, for all pairs of awkward values."""
    for a, b in product((*VALUES, Decimal("1.0"), 0.1, Decimal("0.1")), repeat=2):
        agree(Call(symbol, (Column(0), Constant(b))), (a,))
        agree(Call(symbol, (Constant(a), Column(0))), (b,))
        agree(Call(symbol, (Column(0), Column(1))), (a, b))
        agree(Call(symbol, (Call("coalesce", (Column(0),)), Constant(b))), (a,))


@pytest.mark.parametrize("symbol", ["and", "or"])
def test_and_and_or_of_every_three_truths_agree(symbol: str) -> None:
    columns = tuple([Column(i) for i in range(3)])
    for row in product((True, False, None, 5), repeat=3):
        for width in (1, 2, 3):
            agree(Call(symbol, columns[:width]), row)
            agree(Call("not", (Call(symbol, columns[:width]),)), row)


def test_in_of_constants_tells_true_from_one() -> None:
    """T54: the set of constants holds canonical keys."""
    for item, value in product(VALUES, VALUES):
        agree(Call("in", (Column(0), Constant(item), Constant("z"))), (value,))
        agree(Call("in", (Column(0), Constant(None), Constant(item))), (value,))


def test_nulls_by_error_are_counted_and_plain_nulls_are_not() -> None:
    nulls = NullCounter()
    half = compile_expression(Call("/", (Column(0), Column(1))), nulls)

    assert (2, None, None, None) == (half((4, 2)), half((4, None)), half((4, 0)), half(("4", 2)))
    assert nulls.errors == 2


@pytest.mark.parametrize(
    ("expression", "row"),
    [(Call(">", (Column(0), Constant(5))), ("a",)), (Call("and", (Column(0), Constant(True))), (5,)),
     (Call("not", (Column(0),)), (1,)), (Call("like", (Column(0), Constant("a%"))), (1,)),
     (Call("cast", (Column(0), Constant("integer"))), ("x",)),
     (Call("case", (Column(0), Constant(True), Constant(False))), (1,)),
     (Call("/", (Constant(1), Constant(0))), ())],
)  # fmt: skip
def test_each_kind_of_error_is_counted_once_a_row(expression: Expression, row: tuple[object, ...]) -> None:
    for compiled in (compile_expression, compile_predicate):
        nulls = NullCounter()
        run = compiled(expression, nulls)
        run(row)
        run(row)
        assert nulls.errors == 2


def test_what_decides_early_is_not_evaluated_further() -> None:
    """The operand behind a FALSE costs nothing: the division by zero is never tried, so never counted."""
    nulls = NullCounter()
    broken = Call("=", (Call("/", (Constant(1), Column(0))), Constant(1)))
    test = compile_predicate(Call("and", (Call("<>", (Column(0), Constant(0))), broken)), nulls)

    assert test((0,)) is False
    assert test((1,)) is True
    assert nulls.errors == 0


def test_rows_of_expressions() -> None:
    nulls = NullCounter()

    assert compile_row([], nulls)((1, 2)) == ()
    assert compile_row([Column(1)], nulls)((1, 2)) == (2,)
    assert compile_row([Column(1), Column(0)], nulls)((1, 2)) == (2, 1)
    assert compile_row([Column(1), Call("neg", (Column(0),))], nulls)((1, 2)) == (2, -1)


def test_no_predicate_is_true_for_every_row() -> None:
    assert compile_predicate(None, NullCounter())(()) is True


def test_a_parameter_without_a_value_and_an_unknown_function_are_refused() -> None:
    with pytest.raises(UsageError, match=r"parameter \$m has no value"):
        compile_expression(Param("m"), NullCounter())
    with pytest.raises(InternalError, match="no function 'zap'"):
        compile_expression(Call("zap", (Column(0),)), NullCounter())


def test_membership_of_a_constant_list_is_one_look_into_a_set() -> None:
    """NULLs, numbers of all types, booleans and lists as elsewhere."""
    items = (1, True, (1,), None, "a")
    for value in (1, 1.0, True, False, (1.0,), None, "a", "b", 2):
        for several in (items, items[:3], ()):
            agree(Call("= any", (Column(0), Constant(several))), (value,))
    for no_list in (None, 1, "a"):
        agree(Call("= any", (Column(0), Constant(no_list))), (1,))
