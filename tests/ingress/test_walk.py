"""The walk over a table that changes under it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sspcore.ingress.walk import Walk
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.routing.interest import Region

ids = st.integers(0, 9)


@given(
    start=st.sets(ids),
    size=st.integers(1, 4),
    changes=st.lists(st.tuples(ids, st.sampled_from(("put", "delete")), st.booleans()), max_size=30),
)
def test_slices_then_changes_in_queue_order_give_the_table(start, size, changes):
    """T44: a slice carries rows current when queued; changes queue between slices. The copy ends equal."""
    table = {key: ("start", key) for key in start}
    walk = Walk("t", table, slice=size)
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

        def get(self, key):
            self.looks += 1
            return super().get(key)

    table = Counting({number: (number,) for number in range(10_000)})
    walk = Walk("t", table, slice=100)
    for done in range(1, 101):
        assert 100 == len(walk.slice(table))
        assert 100 * done == table.looks
    assert walk.over


def test_an_empty_table_is_done_at_once():
    walk = Walk("t", {})

    assert walk.over and [] == walk.slice({})


def test_a_walk_can_be_called_off():
    walk = Walk("t", {1: (1,)})
    walk.called_off = True

    assert walk.over and not walk.done


def test_what_is_wanted_is_brought_and_what_is_not_is_taken():
    late = Region(Call(">", (Column(1), Constant(60))))
    rows = {1: (1, 75), 2: (2, 45), 3: (3, 90)}

    assert [("t", 1, (1, 75)), ("t", 3, (3, 90))] == Walk("t", rows, late).slice(rows)
    assert [("t", 3, (3, 90))] == Walk("t", rows, late).slice(rows, lambda key, row: key > 1)
    assert [("t", 1, None)] == Walk("t", rows, late, takes=True).slice(rows, lambda key, row: key > 1)
    assert [] == Walk("t", rows, late, takes=True).slice({}, lambda key, row: False), "what is gone was routed"
