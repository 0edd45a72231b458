"""The tree-walking evaluator: three-valued logic by its tables, and the laws of logic and comparison."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import canonical_key
from sspcore.engine.interpret_expressions import evaluate, is_true
from sspcore.errors import UsageError
from sspcore.plan.expressions import Call, Column, Constant, Param
from sspcore.testing.generate.values import MIXED

TRUTHS = (True, False, None)
A, B = Column(0), Column(1)
values = st.sampled_from((*MIXED, None))


def of(name: str, *values: object) -> object:
    return evaluate(Call(name, tuple([Column(i) for i in range(len(values))])), values)


@pytest.mark.parametrize(
    ("name", "table"),
    [("and", "TFN FFF NFN"), ("or", "TTT TFN TNN")],
)
def test_and_and_or_follow_the_three_valued_tables(name: str, table: str) -> None:
    expected = [{"T": True, "F": False, "N": None}[t] for t in table.replace(" ", "")]

    assert expected == [of(name, a, b) for a, b in product(TRUTHS, TRUTHS)]


def test_what_is_not_boolean_counts_as_null_in_a_condition() -> None:
    assert of("not", 1) is None
    assert of("and", "x", False) is False
    assert of("or", 0, False) is None
    assert of("is true", 1) is False
    assert is_true(A, (1,)) is False
    assert of("case", 1, "then", "else") == "else"


@given(values, values, values)
def test_not_in_is_the_negation_of_equalities(x: object, a: object, b: object) -> None:
    assert of("in", x, a, b) is of("or", of("=", x, a), of("=", x, b))


@given(values, values)
def test_comparisons_are_consistent_with_one_another_and_with_keys(a: object, b: object) -> None:
    """T12: at most one of <, =, > is TRUE; all are NULL beside NULL; <= is < or =."""
    less, equal, greater = of("<", a, b), of("=", a, b), of(">", a, b)

    assert [less, equal, greater].count(True) == (1 if less is not None else 0) + (equal is True and less is None)
    assert of("<>", a, b) is of("not", equal)
    assert of("<=", a, b) is (None if less is None else less or equal)
    assert of(">=", a, b) is (None if less is None else greater or equal)
    assert less is of(">", b, a)
    assert of("is distinct", a, b) is ((canonical_key(a),) != (canonical_key(b),))


def test_scalar_functions_come_from_the_library_and_their_errors_are_null() -> None:
    assert of("upper", "a") == "A"
    assert of("/", 1, 0) is None
    assert of("upper", 1) is None


def test_constants_are_made_canonical_and_parameters_must_have_a_value() -> None:
    assert evaluate(Constant([1, -0.0]), ()) == (1, 0.0)
    with pytest.raises(UsageError, match=r"\$p has no value"):
        evaluate(Param("p"), ())


def test_a_thousand_branches_are_no_deeper_than_one() -> None:
    branches = [e for i in range(2000) for e in (Call("=", (A, Constant(i))), Constant(-i))]

    assert evaluate(Call("case", (*branches, Constant(None))), (1999,)) == -1999
    assert evaluate(Call("coalesce", (*[Constant(None)] * 2000, Constant(1))), ()) == 1
