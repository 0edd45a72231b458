"""The walk over a table that changes under it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sspcore.ingress.backfill import Backfill

ids = st.integers(0, 9)


@given(
    start=st.sets(ids),
    size=st.integers(1, 4),
    changes=st.lists(st.tuples(ids, st.sampled_from(("put", "delete")), st.booleans()), max_size=30),
)
def test_slices_then_changes_in_queue_order_give_the_table(start, size, changes):
    """T44: a slice carries rows current when queued; changes queue between slices. The copy ends equal."""
    table = {key: ("start", key) for key in start}
    walk = Backfill("t", table, slice=size)
    queue = []
    for number, (key, op, slice_first) in enumerate(changes):
        if slice_first and not walk.over:
            queue += walk.slice(table)
        if op == "put":
            table[key] = ("put", number)
        else:
            table.pop(key, None)
        queue.append(("t", key, table.get(key)))
    while not walk.over:
        queue += walk.slice(table)
    copy = {}
    for _, key, row in queue:
        if row is None:
            copy.pop(key, None)
        else:
            copy[key] = row

    assert table == copy


def test_a_slice_looks_at_its_own_rows_only():
    """Counted: the walk of ten thousand rows never looks at more than a slice at once."""

    class Counting(dict):
        looks = 0

        def __contains__(self, key):
            self.looks += 1
            return super().__contains__(key)

    table = Counting({number: (number,) for number in range(10_000)})
    walk = Backfill("t", table, slice=100)
    for done in range(1, 101):
        assert 100 == len(walk.slice(table))
        assert 100 * done == table.looks
    assert walk.over


def test_an_empty_table_is_done_at_once():
    walk = Backfill("t", {})

    assert walk.over and [] == walk.slice({})


def test_a_walk_can_be_called_off():
    walk = Backfill("t", {1: (1,)})
    walk.called_off = True

    assert walk.over and not walk.done
