"""Sets of values: what comparisons describe, held against what they mean."""

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import NAN, canonical
from sspcore.engine import cuts
from sspcore.engine.sorted_index import SortedIndex
from sspcore.plan.functions import FUNCTIONS

POOL = [
    None, True, False, -1, 0, 1, 1.0, 2, 2.5, Decimal("2.5"), 2**60, 2.0**60, float("inf"), float("-inf"), NAN,
    "", "a", "aa", "b", "é", b"", b"a", date(2020, 1, 1), date(2020, 1, 2), datetime(2020, 1, 1, tzinfo=UTC),
    datetime(2020, 1, 1, 12, tzinfo=UTC), [], [1], [1.0], [1, 2], ["a"], {}, {"a": 1}, {"a": [None]},
]  # fmt: skip
VALUES = st.sampled_from([canonical(value) for value in POOL])
SYMBOLS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
ATOMS = st.tuples(SYMBOLS, VALUES)


def holds(atom, value):
    symbol, constant = atom
    return FUNCTIONS[symbol].apply(value, constant) is True


def values_of(atom):
    return cuts.satisfying(atom[0], (atom[1],))


@given(ATOMS, VALUES)
def test_a_set_holds_the_values_for_which_the_comparison_is_true(atom, value):
    assert cuts.contains(values_of(atom), value) is holds(atom, value)


@given(st.lists(VALUES, max_size=4), VALUES)
def test_in_is_equality_with_any(constants, value):
    assert cuts.contains(cuts.satisfying("in", tuple(constants)), value) is any(
        holds(("=", c), value) for c in constants
    )


@given(ATOMS, ATOMS, ATOMS, VALUES)
def test_the_algebra_is_that_of_sets(a, b, c, value):
    x, y, z = holds(a, value), holds(b, value), holds(c, value)
    either = cuts.union(values_of(a), values_of(b))
    both = cuts.intersection(values_of(a), values_of(b))
    assert cuts.contains(either, value) is (x or y)
    assert cuts.contains(both, value) is (x and y)
    assert cuts.contains(cuts.difference(values_of(a), values_of(b)), value) is (x is not y)
    assert cuts.contains(cuts.difference(either, values_of(c)), value) is ((x or y) is not z)
    assert cuts.contains(cuts.intersection(both, values_of(c)), value) is (x and y and z)


@given(st.lists(VALUES, max_size=3), VALUES)
def test_points_are_all_members(constants, value):
    members = cuts.points(cuts.satisfying("in", tuple(constants)))
    assert (cuts.place(value) in members) is cuts.contains(cuts.satisfying("in", tuple(constants)), value)


def test_a_range_has_no_points():
    assert cuts.points(cuts.satisfying(">", (1,))) is None
    assert cuts.points(cuts.satisfying("<>", (1,))) is None
    between = cuts.intersection(cuts.satisfying(">", (1,)), cuts.satisfying("<", (2,)))
    assert cuts.points(between) is None


ROWS = st.dictionaries(st.integers(0, 30) | st.text("ab", max_size=2), VALUES, max_size=20)


@given(ROWS, st.lists(ROWS, max_size=3), ATOMS, ATOMS)
def test_a_sorted_index_finds_the_rows_of_a_set_after_any_changes(start, steps, a, b):
    index = SortedIndex(0)
    rows = {key: (value,) for key, value in start.items()}
    index.fill(rows)
    for step in steps:
        net = []
        for number, (key, value) in enumerate(step.items()):
            new = None if number % 3 == 2 else (value,)
            old = rows.get(key)
            if old is not None or new is not None:
                net.append((key, old, new))
            if new is None:
                rows.pop(key, None)
            else:
                rows[key] = new
        index.write(net)
    for wanted in (values_of(a), cuts.intersection(values_of(a), values_of(b)), cuts.union(values_of(a), values_of(b))):
        found = list(index.between(wanted))
        assert len(found) == len(set(found))
        assert set(found) == {key for key, (value,) in rows.items() if cuts.contains(wanted, value)}


def test_a_range_of_a_big_index_visits_what_it_gives():
    index = SortedIndex(0)
    index.fill({number: (number % 5_000,) for number in range(20_000)})
    wanted = cuts.intersection(cuts.satisfying(">=", (2_000,)), cuts.satisfying("<", (2_003,)))
    found = list(index.between(wanted))
    assert sorted(number % 5_000 for number in found) == [2_000] * 4 + [2_001] * 4 + [2_002] * 4
