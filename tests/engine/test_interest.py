"""Interests: what a reader is filed under is what the condition says with its parameters in it."""

from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.interest import Interest
from sspcore.index.clauses import clause_of
from sspcore.plan.expressions import Call, Column, Constant, Param, bind, conjunction

COLUMNS = st.builds(Column, st.integers(0, 2))
VALUES = st.one_of(
    st.integers(), st.text(max_size=2), st.none(), st.booleans(), st.floats(), st.just((1, 2)), st.integers(0, 3)
)
OTHERS = st.one_of(st.builds(Param, st.sampled_from("abc")), st.builds(Constant, VALUES))
COMPARISONS = st.builds(
    lambda sign, one, two, turned: Call(sign, (two, one) if turned else (one, two)),
    st.sampled_from(["=", "<", "<=", ">", ">=", "<>", "like"]), COLUMNS, OTHERS, st.booleans(),
)  # fmt: skip


@given(st.lists(COMPARISONS, min_size=1, max_size=3), st.fixed_dictionaries(dict.fromkeys("abc", VALUES)))
def test_the_clause_of_an_interest_is_that_of_its_condition(parts, params):
    condition = conjunction(parts)
    actual = Interest(condition, ["x", "y", "z"]).clause(params)
    assert repr(clause_of(bind(condition, params))) == repr(actual)


def test_who_depends_on_every_row_is_filed_under_nothing():
    assert Interest(None, ["x"]).clause({}) is None
