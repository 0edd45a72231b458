"""Members: equal rows, counted, and the one that is shown."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import full_order_key, same
from sspcore.engine.operators.members import Members, Pool

ONES = st.sampled_from([1, 1.0, Decimal(1), Decimal("1.0"), Decimal("1.00")])


@given(st.lists(st.tuples(ONES, ONES), min_size=1, max_size=12), st.randoms())
def test_the_least_of_what_is_left_is_shown(rows, random):
    members, left = Members(rows[0]), [rows[0]]
    for row in rows[1:]:
        members.add(row)
        left.append(row)
    random.shuffle(left)
    while left:
        assert members.count == len(left)
        assert same(members.shown, min(left, key=lambda row: [full_order_key(v) for v in row]))
        members.remove(left.pop())


def test_an_emptied_group_takes_a_new_row_for_what_it_shows():
    members = Members((1, "x"))
    members.remove((1, "x"))
    members.add((1.0, "x"))
    assert same(members.shown, (1.0, "x"))


def test_a_pool_notes_what_was_shown_when_a_row_was_first_met():
    pool, touched = Pool(), {}
    pool.absorb([("k", None, (1.0,)), ("l", None, (1,))], touched)
    assert touched == {(1,): None}
    assert pool.changes(touched) == [((1,), None, (1,))]
    assert pool.shown((2,)) is None
